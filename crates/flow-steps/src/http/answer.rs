//! What a server answered: a value, or a failure that says what may be done.

use std::collections::BTreeMap;
use std::fs::File;
use std::future::poll_fn;
use std::io::{Seek, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration as Wait;

use flow_core::amount::{Duration, Timestamp};
use flow_core::effect::{Act, Effect, FailureClass};
use flow_core::mask::Stream;
use flow_core::step::{Progress, Sent, StepCall, StepFailure};
use flow_core::ty::Media;
use flow_core::value::Value;
use hyper::StatusCode;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::Limits;
use crate::inside::class_of;

/// How much of a body is held in memory before it is looked at.
const HELD: usize = 256 * 1024;

/// How much of an answer that is a failure is told, in letters, and how much of
/// it is read for that.
const TOLD_MAX: usize = 300;
const READ_MAX: usize = 16 * 1024;

/// How long is waited for what is told.
const TOLD_WAIT: Wait = Wait::from_secs(5);

/// The longest that a server may ask to wait.
const PATIENCE: Duration = Duration(24 * 3600 * Duration::SECOND.0);

/// Why a body is not taken.
#[derive(Debug)]
pub(super) enum BodyFault {
    Broken(hyper::Error),
    Silent,
    TooLarge,
    Disk(std::io::Error),
    Kept(StepFailure),
}

/// Returns the next bytes of a body.
pub(super) async fn next(body: &mut Incoming) -> Option<Result<Bytes, hyper::Error>> {
    loop {
        let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await?;
        match frame {
            // What comes behind a body is of no use.
            Ok(frame) => {
                if let Ok(bytes) = frame.into_data() {
                    return Some(Ok(bytes));
                }
            }
            Err(error) => return Some(Err(error)),
        }
    }
}

/// Takes a body into the store, and makes the value.
pub(super) async fn value(
    call: &StepCall,
    limits: &Limits,
    status: StatusCode,
    headers: &HeaderMap,
    body: &mut Incoming,
) -> Result<Value, BodyFault> {
    if body.size_hint().lower() > limits.body {
        return Err(BodyFault::TooLarge);
    }
    let length = body.size_hint().exact();
    let mut taken = Taken::new(call, limits);
    loop {
        let next = match limits.silence {
            Some(silence) => timeout(silence, next(body)).await,
            None => Ok(next(body).await),
        };
        match next.map_err(|_| BodyFault::Silent)? {
            Some(Ok(bytes)) => {
                let before = taken.count;
                taken.push(&bytes)?;
                tell(call, before, taken.count, length);
            }
            Some(Err(error)) => return Err(BodyFault::Broken(error)),
            None => break,
        }
    }
    let (text, file) = taken.finish().await?;
    let fields: [(&str, Value); 4] = [
        ("status", Value::Int(status.as_u16().into())),
        ("headers", header_map(headers)),
        ("text", Value::text(text)),
        ("body", file),
    ];
    let fields = fields.map(|(name, value)| (Arc::from(name), value));
    Ok(Value::Record(Arc::new(BTreeMap::from(fields))))
}

/// Shows how far a body is that takes a while: with each of its mebibytes.
fn tell(call: &StepCall, before: u64, now: u64, length: Option<u64>) {
    const SOME: u64 = 1 << 20;
    if before / SOME == now / SOME {
        return;
    }
    let (done, of) = match length {
        Some(length) => {
            let thousandths = now.saturating_mul(1000) / length.max(1);
            let thousandths = u32::try_from(thousandths).unwrap_or(1000);
            let of = format!(" of {}", length.div_ceil(SOME));
            (Some(f64::from(thousandths) / 1000.0), of)
        }
        None => (None, String::new()),
    };
    call.desk.progress(Progress {
        done,
        note: format!("{}{of} MiB", now / SOME).into(),
    });
}

fn header_map(headers: &HeaderMap) -> Value {
    let mut all: BTreeMap<Arc<str>, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        all.entry(name.as_str().into())
            .and_modify(|before| {
                before.push_str(", ");
                before.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    let all = all.into_iter();
    Value::Record(Arc::new(
        all.map(|(name, value)| (name, Value::text(value)))
            .collect(),
    ))
}

/// A body, as far as it has come: in memory as long as it may be a text, else in
/// a file of the attempt.
struct Taken<'a> {
    call: &'a StepCall,
    limits: &'a Limits,
    mask: Stream,
    count: u64,
    held: Vec<u8>,
    file: Option<File>,
}

impl<'a> Taken<'a> {
    fn new(call: &'a StepCall, limits: &'a Limits) -> Self {
        Self {
            call,
            limits,
            mask: call.desk.mask().stream(),
            count: 0,
            held: Vec::new(),
            file: None,
        }
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), BodyFault> {
        self.count += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.count > self.limits.body {
            return Err(BodyFault::TooLarge);
        }
        let held = &mut self.held;
        // A server may tell a secret that it was told.
        self.mask
            .push(bytes, &mut |bytes| held.extend_from_slice(bytes));
        if self.held.len() < HELD {
            return Ok(());
        }
        let is_text = |held: &[u8]| match std::str::from_utf8(held) {
            Ok(_) => true,
            // The last letter isn't complete.
            Err(error) => error.error_len().is_none(),
        };
        if self.file.is_none() && self.held.len() <= self.limits.text && is_text(&self.held) {
            return Ok(());
        }
        self.spill()
    }

    /// Writes what is held to the file. It is small enough not to keep others
    /// waiting.
    fn spill(&mut self) -> Result<(), BodyFault> {
        if self.file.is_none() {
            let folder = self.call.desk.folder().map_err(BodyFault::Kept)?;
            let path = folder.join("body");
            let made = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(true)
                .open(&path);
            self.file = Some(made.map_err(BodyFault::Disk)?);
            // It stays as long as it is open.
            std::fs::remove_file(&path).map_err(BodyFault::Disk)?;
        }
        if let Some(file) = &mut self.file {
            file.write_all(&self.held).map_err(BodyFault::Disk)?;
        }
        self.held.clear();
        Ok(())
    }

    /// Keeps it. Returns its letters, if it has such and not too many.
    async fn finish(mut self) -> Result<(String, Value), BodyFault> {
        let held = &mut self.held;
        self.mask.finish(&mut |bytes| held.extend_from_slice(bytes));
        if self.file.is_some() {
            self.spill()?;
        }
        let desk = self.call.desk.clone();
        let (file, held) = (self.file.take(), self.held);
        let kept = spawn_blocking(move || {
            if let Some(mut file) = file {
                file.rewind().map_err(BodyFault::Disk)?;
                let kept = desk.keep(&mut file, Media::File);
                return Ok((String::new(), kept.map_err(BodyFault::Kept)?));
            }
            let kept = desk.keep(&mut &held[..], Media::File);
            let kept = kept.map_err(BodyFault::Kept)?;
            Ok((String::from_utf8(held).unwrap_or_default(), kept))
        });
        match kept.await {
            Ok(kept) => kept.map(|(text, kept)| (text, Value::Artifact(Arc::new(kept)))),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

impl BodyFault {
    /// Says what it means. The server has answered, so what it was asked for has
    /// happened.
    pub(super) fn failure(self, host: &str, limits: &Limits) -> StepFailure {
        let (class, message) = match self {
            Self::Broken(error) => (
                FailureClass::Transient,
                format!(
                    "the answer of `{host}` ends too early: {}",
                    super::whole(&error)
                ),
            ),
            Self::Silent => (FailureClass::Timeout, silent(host, limits)),
            Self::TooLarge => (
                FailureClass::Invalid,
                format!("the answer of `{host}` has more than 1 GiB"),
            ),
            Self::Disk(error) => (
                class_of(&error),
                format!("the answer of `{host}` can't be written: {error}"),
            ),
            Self::Kept(failure) => return maybe(failure),
        };
        maybe(StepFailure::unsent(class, message))
    }
}

/// Says that a server has been silent for too long.
pub(super) fn silent(host: &str, limits: &Limits) -> String {
    let minutes = limits.silence.unwrap_or_default().as_secs() / 60;
    format!(
        "nothing has come from `{host}` for {minutes} minutes; give the call a `timeout` if it may take longer"
    )
}

pub(super) fn maybe(failure: StepFailure) -> StepFailure {
    StepFailure {
        sent: Sent::Maybe,
        ..failure
    }
}

/// Says what an answer means that is no success.
pub(super) async fn refused(
    (host, effect): (&str, Effect),
    status: StatusCode,
    headers: &HeaderMap,
    body: &mut Incoming,
    now: Timestamp,
) -> StepFailure {
    let name = status.canonical_reason();
    let name = name.map_or_else(String::new, |name| format!(" ({name})"));
    let mut message = format!("`{host}` says {}{name}", status.as_u16());
    if let Some(location) = headers
        .get(hyper::header::LOCATION)
        .filter(|_| status.is_redirection())
    {
        let location = String::from_utf8_lossy(location.as_bytes());
        message = format!(
            "{message}, and to go to `{location}`; a request that may change something follows nobody: \
             ask there, or put {} into `accept`",
            status.as_u16()
        );
    }
    let told = timeout(TOLD_WAIT, told(headers, body)).await;
    if let Some(told) = told.ok().flatten() {
        message = format!("{message}: {told}");
    }
    let patience = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok());
    StepFailure {
        class: class(status),
        sent: sent(status, effect),
        bill: None,
        retry_after: patience.and_then(|text| patience_of(text, now)),
        message: message.into(),
    }
}

/// Returns the begin of a text that says what is wrong.
async fn told(headers: &HeaderMap, body: &mut Incoming) -> Option<String> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    // A page is for browsers.
    if kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("html")) {
        return None;
    }
    let mut bytes = Vec::new();
    while bytes.len() < READ_MAX {
        match next(body).await {
            Some(Ok(more)) => bytes.extend_from_slice(&more),
            Some(Err(_)) | None => break,
        }
    }
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return None,
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    let line: String = line.chars().filter(|letter| !letter.is_control()).collect();
    let cut: String = line.chars().take(TOLD_MAX).collect();
    let mark = if cut.len() < line.len() { "…" } else { "" };
    (!cut.is_empty()).then(|| format!("{cut}{mark}"))
}

fn class(status: StatusCode) -> FailureClass {
    match status.as_u16() {
        401 | 403 | 407 => FailureClass::Auth,
        408 => FailureClass::Timeout,
        429 => FailureClass::RateLimited,
        500..=599 => FailureClass::Transient,
        _ => FailureClass::Invalid,
    }
}

/// Returns whether it is known of an answer that nothing has happened.
fn sent(status: StatusCode, effect: Effect) -> Sent {
    match status.as_u16() {
        // These say that it is to be asked for elsewhere, or not at all.
        304 | 305 | 307 | 308 => Sent::Refused,
        // Somebody on the way may have lost patience.
        408 => Sent::Maybe,
        // The same may be going on under the same key just now.
        409 if matches!(effect, Effect::Act(Act::Keyed(_))) => Sent::Maybe,
        400..=499 | 501 | 505 => Sent::Refused,
        // A page that comes after what was done; a server that broke down in
        // the middle; and what nobody knows.
        _ => Sent::Maybe,
    }
}

/// Reads how long a server asks to wait: a number of seconds, or an instant.
fn patience_of(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let length = if let Ok(seconds) = text.parse::<i64>() {
        Duration::SECOND.checked_times(seconds.max(0))
    } else {
        let until = instant(text)?;
        let millis = until.0.saturating_sub(now.0).max(0);
        millis.checked_mul(Duration::SECOND.0 / 1000).map(Duration)
    };
    Some(length.unwrap_or(PATIENCE).min(PATIENCE))
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`.
fn instant(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let words: Vec<&str> = text.split(' ').collect();
    let [_, day, month, year, time, "GMT"] = words.as_slice() else {
        return None;
    };
    let month = MONTHS.iter().position(|name| name == month)? + 1;
    format!("{year}-{month:02}-{day}T{time}Z").parse().ok()
}

#[cfg(test)]
mod tests;
