//! What a command writes: all of it to the log, its ends for the run, and no
//! secret in either.

use std::collections::VecDeque;
use std::sync::Arc;

use flow_core::mask::{Mask, Stream};
use flow_core::step::Desk;
use tokio::io::{AsyncRead, AsyncReadExt};

/// How long a line of the log may be; a longer one is several.
const LINE_MAX: usize = 1024 * 1024;

/// How much is read at once.
const READ_MAX: usize = 16 * 1024;

/// Takes what comes through one pipe.
pub(crate) struct Capture {
    mask: Stream,
    kept: Kept,
}

/// What is kept of an output.
struct Kept {
    desk: Arc<dyn Desk>,
    /// The line that is being written.
    line: Vec<u8>,
    /// The beginning, up to what may be kept whole.
    head: Vec<u8>,
    /// The end of what comes after the beginning.
    tail: VecDeque<u8>,
    /// How much came.
    total: usize,
    whole_max: usize,
    end_max: usize,
}

impl Capture {
    /// Keeps so much as it is; of more, so much of both ends. Where nothing is
    /// kept whole, only the end is.
    pub(crate) fn new(mask: &Mask, desk: Arc<dyn Desk>, whole_max: usize, end_max: usize) -> Self {
        let kept = Kept {
            desk,
            line: Vec::new(),
            head: Vec::new(),
            tail: VecDeque::new(),
            total: 0,
            whole_max,
            end_max,
        };
        Self {
            mask: mask.stream(),
            kept,
        }
    }

    /// Reads a pipe until everybody who writes to it has closed it.
    pub(crate) async fn drain(&mut self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(mut pipe) = pipe else {
            return;
        };
        let mut buffer = Vec::with_capacity(READ_MAX);
        while let Ok(1..) = pipe.read_buf(&mut buffer).await {
            self.push(&buffer);
            buffer.clear();
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        let kept = &mut self.kept;
        self.mask.push(bytes, &mut |bytes| kept.push(bytes));
    }

    /// Returns what was kept, as a text.
    pub(crate) fn finish(mut self) -> String {
        self.end();
        self.kept.text()
    }

    /// Returns all that came, if all of it was kept.
    pub(crate) fn finish_whole(mut self) -> Option<String> {
        self.end();
        let is_whole = self.kept.tail.is_empty();
        is_whole.then(|| self.kept.text())
    }

    fn end(&mut self) {
        let kept = &mut self.kept;
        self.mask.finish(&mut |bytes| kept.push(bytes));
        if !kept.line.is_empty() {
            kept.desk.log(&kept.line);
        }
    }
}

impl Kept {
    fn push(&mut self, bytes: &[u8]) {
        self.total = self.total.saturating_add(bytes.len());
        let head = bytes.len().min(self.whole_max - self.head.len());
        self.head.extend_from_slice(&bytes[..head]);
        let rest = &bytes[head..];
        let rest = &rest[rest.len().saturating_sub(self.end_max)..];
        let over = (self.tail.len() + rest.len()).saturating_sub(self.end_max);
        self.tail.drain(..over);
        self.tail.extend(rest);
        self.log(bytes);
    }

    fn log(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let mut part = part;
            while self.line.len() + part.len() > LINE_MAX {
                let (fits, rest) = part.split_at(LINE_MAX - self.line.len());
                self.line.extend_from_slice(fits);
                self.desk.log(&self.line);
                self.line.clear();
                part = rest;
            }
            match part.strip_suffix(b"\n") {
                Some(end) if self.line.is_empty() => self.desk.log(end),
                Some(end) => {
                    self.line.extend_from_slice(end);
                    self.desk.log(&self.line);
                    self.line.clear();
                }
                None => self.line.extend_from_slice(part),
            }
        }
    }

    fn text(&self) -> String {
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        if self.whole_max == 0 {
            return lossy(&tail);
        }
        if tail.is_empty() {
            return lossy(&self.head);
        }
        let all = [&self.head[..], &tail].concat();
        let begin = self.end_max.min(self.head.len());
        let end = &all[all.len().saturating_sub(self.end_max).max(begin)..];
        let out = self.total - begin - end.len();
        let mark = format!("\n… {out} bytes are left out here; the log has them …\n");
        [&lossy(&self.head[..begin]), &mark, &lossy(end)]
            .map(String::as_str)
            .concat()
    }
}
