//! `notify`: messages to people that ask for no answer.

use std::sync::Arc;

use flow_core::step::{Executor, StepCall, StepFailure, StepReport, Work};
use flow_core::value::Value;
use serde_json::json;

use crate::given::{Given, bug, done, invalid};
use crate::http::{Order, Requests, Wanted};
use crate::register::{Clock, Console};

/// The steps of this family.
pub(crate) const STEPS: [&str; 1] = ["notify"];

/// What stands before the lines of a message that has several.
const MARGIN: &str = "  | ";

/// Hands messages over.
pub(crate) struct Notices {
    console: Console,
    clock: Clock,
    requests: Arc<Requests>,
}

impl Notices {
    /// Writes where it is said, and posts by requests.
    pub(crate) fn new(console: &Console, clock: &Clock, requests: &Arc<Requests>) -> Self {
        Self {
            console: console.clone(),
            clock: clock.clone(),
            requests: requests.clone(),
        }
    }

    fn begin(&self, call: &StepCall) -> Result<Begun, StepFailure> {
        let message = call.text("message")?;
        let title = match call.text_if("title")? {
            Some(title) => title.clone(),
            None => workflow(call),
        };
        let Value::Enum(channel) = call.value("by")? else {
            return Err(bug(call, "by"));
        };
        let to = call.text("to")?;
        let secret = match call.args.get("secret_to") {
            Some(Value::Secret(name)) => Some(call.desk.secret(name)?),
            Some(_) | None => None,
        };
        if &**channel == "console" {
            if !to.is_empty() || secret.is_some() {
                return Err(invalid(
                    "the console needs no address; did you mean `by: webhook`?",
                ));
            }
            let mask = call.desk.mask();
            let line = line(&mask.text(&title), &mask.text(message));
            call.desk.sent();
            (self.console)(&line);
            return Ok(Begun::Done);
        }
        let address = match (to.as_ref(), secret) {
            ("", Some(secret)) => secret,
            ("", None) => {
                return Err(invalid("a webhook needs an address: `to` or `secret_to`"));
            }
            (_, None) => to.clone(),
            (_, Some(_)) => {
                return Err(invalid(
                    "`to` and `secret_to` are two addresses, and one is used",
                ));
            }
        };
        let both = format!("{title}\n{message}");
        let body = json!({
            "title": &*title,
            "message": &**message,
            "text": both,
            "content": both,
        });
        Ok(Begun::Post(Box::new(Order::post(call, &address, &body)?)))
    }
}

/// What has become of a message.
enum Begun {
    Done,
    /// It is to be posted.
    Post(Box<Order>),
}

impl Executor for Notices {
    fn start(&self, call: StepCall) -> Work<StepReport> {
        match self.begin(&call) {
            Ok(Begun::Post(order)) => self.requests.ask(call, *order, Wanted::Receipt),
            Ok(Begun::Done) => {
                let now = (self.clock)();
                Box::pin(std::future::ready(done(Value::Time(now))))
            }
            Err(failure) => Box::pin(std::future::ready(StepReport::Failed(failure))),
        }
    }
}

/// Returns the name of the workflow that is run.
fn workflow(call: &StepCall) -> Arc<str> {
    let first = call.path.segments().first();
    first.map_or_else(|| "flow".into(), |segment| segment.name.clone())
}

/// Writes a message as the console shows it: on one line if it is one, so that
/// it can be searched for; never so that it looks like something else.
fn line(title: &str, message: &str) -> String {
    let title = harmless(title).replace('\n', " ");
    // Some that show a log take lines that begin so for orders.
    let title = title.trim_start_matches([':', '#', ' ']);
    let message = harmless(message);
    let message = message.trim_end();
    if !message.contains('\n') {
        return format!("{title}: {message}");
    }
    let mut out = format!("{title}:");
    for line in message.split('\n') {
        out.extend(["\n", MARGIN, line.trim_end()]);
    }
    out
}

/// Takes out what moves a cursor, changes colours, or does anything else but
/// show.
fn harmless(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let letters = text.chars().map(|letter| match letter {
        '\n' | '\t' => letter,
        _ if letter.is_control() => '\u{fffd}',
        _ => letter,
    });
    letters.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_shown_and_does_nothing_else() {
        for (title, message, expected) in [
            ("w", "done", "w: done"),
            ("w", "done\n\n", "w: done"),
            ("w", "a\r\nb\n", "w:\n  | a\n  | b"),
            (
                "a\nb",
                "\x1b[2Jx\x07\r",
                "a b: \u{fffd}[2Jx\u{fffd}\u{fffd}",
            ),
            (
                "w",
                "::error::x\n::set-output",
                "w:\n  | ::error::x\n  | ::set-output",
            ),
        ] {
            assert_eq!(line(title, message), expected);
        }
    }
}
