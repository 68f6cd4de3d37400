//! What a program may say: a JSON object on each line, with one word that tells
//! what it is.

use flow_core::amount::{Duration, Money, Timestamp};
use flow_core::effect::FailureClass;
use flow_core::ty::Media;
use serde_json::{Map, Value as Json};

/// Something that a program said.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    /// How far it is.
    Progress {
        done: Option<f64>,
        note: Option<String>,
    },
    /// Something for the log.
    Log(String),
    /// A file is ready to be kept.
    Artifact { path: String, media: Option<Media> },
    /// So much it has cost so far.
    Cost(Money),
    /// Whether a request may have got out.
    Sent(bool),
    /// The end of what it has to say.
    Answer(Answer),
}

/// The last thing that a program says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// It is done.
    Result {
        value: Json,
        cost: Option<Money>,
        is_dry: bool,
    },
    /// It failed.
    Failure {
        is_dry: bool,
        class: FailureClass,
        sent: Option<SentWord>,
        cost: Option<Money>,
        retry_after: Option<Duration>,
        message: Option<String>,
    },
    /// A job was handed in.
    Job {
        job: Json,
        expires: Option<Timestamp>,
    },
    /// The job isn't over: it is to be asked for again after so long.
    Wait(Duration),
    /// Whether an act happened, and its value if it did.
    Found { found: FoundWord, value: Json },
}

/// What a program says of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SentWord {
    /// Nothing got out.
    No,
    /// It may have.
    Maybe,
    /// It did.
    Yes,
    /// It did, and it is known that nothing came of it.
    Refused,
}

/// What a program says of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoundWord {
    Yes,
    No,
    Unknown,
}

/// What is wrong with a line, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// As the end of a sentence about the line.
    pub(super) what: String,
    pub(super) cure: String,
}

fn wrong<T>(what: impl Into<String>, cure: impl Into<String>) -> Result<T, Wrong> {
    let (what, cure) = (what.into(), cure.into());
    Err(Wrong { what, cure })
}

/// The words that tell what a line is, the last answers first, each with what
/// may stand beside it.
const KINDS: [(&str, &[&str]); 10] = [
    ("found", &["result"]),
    (
        "failure",
        &["message", "sent", "retry_after", "cost", "dry_run"],
    ),
    ("result", &["cost", "dry_run"]),
    ("job", &["expires"]),
    ("wait", &[]),
    ("progress", &["message"]),
    ("log", &[]),
    ("artifact", &["media"]),
    ("sent", &[]),
    ("cost", &[]),
];

/// What to do about what is no answer at all.
const ELSEWHERE: &str = "standard output is for answers, a JSON object on each line; \
                         write everything else to standard error";

/// Reads a line.
pub(super) fn read(line: &[u8]) -> Result<Reply, Wrong> {
    let Ok(text) = std::str::from_utf8(line) else {
        let shown = excerpt(&String::from_utf8_lossy(line));
        return wrong(format!("is not in UTF-8: `{shown}`"), ELSEWHERE);
    };
    let json: Json = match serde_json::from_str(text) {
        Ok(json) => json,
        Err(error) => {
            let what = format!("is no JSON ({error}): `{}`", excerpt(text));
            return wrong(what, ELSEWHERE);
        }
    };
    let Json::Object(fields) = json else {
        return wrong(format!("is no JSON object: `{}`", excerpt(text)), ELSEWHERE);
    };
    let mut kinds = KINDS.iter();
    let Some((kind, beside)) = kinds.find(|(kind, _)| fields.contains_key(*kind)) else {
        return wrong(
            format!("says nothing that flow knows: `{}`", excerpt(text)),
            one_of(KINDS.iter().map(|(kind, _)| *kind)),
        );
    };
    let mut others = fields.keys().map(String::as_str);
    if let Some(other) = others.find(|name| name != kind && !beside.contains(name)) {
        return wrong(
            format!("has a `{other}`, which can't stand beside `{kind}`"),
            match beside {
                [] => format!("leave it out; nothing stands beside `{kind}`"),
                _ => one_of(beside.iter().copied()),
            },
        );
    }
    Fields(fields).reply(kind)
}

/// Says which words there are.
fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    match words.as_slice() {
        [one] => format!("only `{one}` can stand there"),
        _ => format!("it is one of `{}`", words.join("`, `")),
    }
}

/// The fields of a line.
struct Fields(Map<String, Json>);

impl Fields {
    fn reply(mut self, kind: &str) -> Result<Reply, Wrong> {
        Ok(match kind {
            "progress" => Reply::Progress {
                done: self.fraction("progress")?,
                note: self.text_if("message")?,
            },
            "log" => Reply::Log(self.text("log")?),
            "artifact" => Reply::Artifact {
                path: self.text("artifact")?,
                media: self.media()?,
            },
            "cost" => Reply::Cost(self.cost()?.unwrap_or_default()),
            "sent" => Reply::Sent(self.truth("sent")?),
            _ => Reply::Answer(self.answer(kind)?),
        })
    }

    fn answer(&mut self, kind: &str) -> Result<Answer, Wrong> {
        Ok(match kind {
            "found" => Answer::Found {
                found: self.found()?,
                value: self.take("result").unwrap_or(Json::Null),
            },
            "failure" => Answer::Failure {
                is_dry: self.is_dry()?,
                class: self.class()?,
                sent: self.sent()?,
                cost: self.cost()?,
                retry_after: self.length_if("retry_after")?,
                message: self.text_if("message")?,
            },
            "job" => Answer::Job {
                job: self.take("job").unwrap_or(Json::Null),
                expires: self.instant_if("expires")?,
            },
            "wait" => Answer::Wait(self.length_if("wait")?.unwrap_or_default()),
            _ => Answer::Result {
                value: self.take("result").unwrap_or(Json::Null),
                cost: self.cost()?,
                is_dry: self.is_dry()?,
            },
        })
    }

    fn take(&mut self, name: &str) -> Option<Json> {
        self.0.get_mut(name).map(Json::take)
    }

    /// Takes what is there and isn't null.
    fn present(&mut self, name: &str) -> Option<Json> {
        self.take(name).filter(|value| !value.is_null())
    }

    fn text_if(&mut self, name: &str) -> Result<Option<String>, Wrong> {
        match self.present(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => unlike(name, "a text", &other),
        }
    }

    fn text(&mut self, name: &str) -> Result<String, Wrong> {
        match self.text_if(name)? {
            Some(text) => Ok(text),
            None => unlike(name, "a text", &Json::Null),
        }
    }

    fn truth(&mut self, name: &str) -> Result<bool, Wrong> {
        match self.take(name) {
            Some(Json::Bool(truth)) => Ok(truth),
            other => unlike(name, "`true` or `false`", &other.unwrap_or_default()),
        }
    }

    fn is_dry(&mut self) -> Result<bool, Wrong> {
        if self.0.contains_key("dry_run") {
            self.truth("dry_run")
        } else {
            Ok(false)
        }
    }

    fn fraction(&mut self, name: &str) -> Result<Option<f64>, Wrong> {
        match self.present(name) {
            None => Ok(None),
            Some(json) => match json.as_f64().filter(|done| (0.0..=1.0).contains(done)) {
                Some(done) => Ok(Some(done)),
                None => unlike(name, "a number from 0 to 1", &json),
            },
        }
    }

    fn media(&mut self) -> Result<Option<Media>, Wrong> {
        let Some(word) = self.text_if("media")? else {
            return Ok(None);
        };
        match word.as_str() {
            "image" => Ok(Some(Media::Image)),
            "video" => Ok(Some(Media::Video)),
            "audio" => Ok(Some(Media::Audio)),
            "file" => Ok(Some(Media::File)),
            _ => unlike(
                "media",
                "`image`, `video`, `audio` or `file`",
                &Json::String(word),
            ),
        }
    }

    /// Takes what stands for a value of the language, as it is written there.
    fn literal<T: std::str::FromStr>(
        &mut self,
        name: &str,
        what: &str,
    ) -> Result<Option<T>, Wrong> {
        let Some(json) = self.present(name) else {
            return Ok(None);
        };
        match json.as_str().and_then(|text| text.parse().ok()) {
            Some(value) => Ok(Some(value)),
            None => unlike(name, what, &json),
        }
    }

    fn cost(&mut self) -> Result<Option<Money>, Wrong> {
        self.literal("cost", "an amount in a text, such as `\"$0.02\"`")
    }

    fn length_if(&mut self, name: &str) -> Result<Option<Duration>, Wrong> {
        self.literal(name, "a duration in a text, such as `\"30s\"`")
    }

    fn instant_if(&mut self, name: &str) -> Result<Option<Timestamp>, Wrong> {
        self.literal(
            name,
            "an instant in a text, such as `\"2026-05-01T12:00:00Z\"`",
        )
    }

    fn sent(&mut self) -> Result<Option<SentWord>, Wrong> {
        let Some(word) = self.text_if("sent")? else {
            return Ok(None);
        };
        Ok(Some(match word.as_str() {
            "no" => SentWord::No,
            "maybe" => SentWord::Maybe,
            "yes" => SentWord::Yes,
            "refused" => SentWord::Refused,
            _ => {
                return unlike(
                    "sent",
                    "`no`, `maybe`, `yes` or `refused`",
                    &Json::String(word),
                );
            }
        }))
    }

    fn found(&mut self) -> Result<FoundWord, Wrong> {
        let found = self.take("found").unwrap_or_default();
        match found.as_str() {
            Some("yes") => Ok(FoundWord::Yes),
            Some("no") => Ok(FoundWord::No),
            Some("unknown") => Ok(FoundWord::Unknown),
            Some(_) | None => unlike("found", "`yes`, `no` or `unknown`", &found),
        }
    }

    fn class(&mut self) -> Result<FailureClass, Wrong> {
        let word = self.text("failure")?;
        // What fits into a budget is decided before anything begins.
        let classes = || {
            let all = FailureClass::ALL.into_iter();
            all.filter(|class| *class != FailureClass::Budget)
        };
        if let Some(class) = classes().find(|class| class.word() == word) {
            return Ok(class);
        }
        let cure = one_of(classes().map(FailureClass::word));
        wrong(
            format!(
                "has no class of failures that flow knows: `{}`",
                excerpt(&word)
            ),
            format!("{cure}; what is for people stands in `message`"),
        )
    }
}

fn unlike<T>(name: &str, what: &str, found: &Json) -> Result<T, Wrong> {
    wrong(
        format!(
            "has something else as its `{name}`: `{}`",
            excerpt(&found.to_string())
        ),
        format!("`{name}` is {what}"),
    )
}

/// Returns the beginning of a text, as messages show it.
pub(super) fn excerpt(text: &str) -> String {
    const MOST: usize = 60;
    let text = text.trim();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(class: FailureClass) -> Answer {
        Answer::Failure {
            is_dry: false,
            class,
            sent: None,
            cost: None,
            retry_after: None,
            message: None,
        }
    }

    #[test]
    fn lines_on_the_way_are_read() {
        let cent = Money::DOLLAR.0 / 100;
        for (line, expected) in [
            (
                r#"{"progress": 0.5, "message": "half"}"#,
                Reply::Progress {
                    done: Some(0.5),
                    note: Some("half".into()),
                },
            ),
            (
                r#"{"progress": null}"#,
                Reply::Progress {
                    done: None,
                    note: None,
                },
            ),
            (r#"{"log": "x"}"#, Reply::Log("x".into())),
            (
                r#" {"artifact": "a.png", "media": "image"} "#,
                Reply::Artifact {
                    path: "a.png".into(),
                    media: Some(Media::Image),
                },
            ),
            (r#"{"cost": "$0.01"}"#, Reply::Cost(Money(cent))),
            (r#"{"sent": true}"#, Reply::Sent(true)),
        ] {
            assert_eq!(read(line.as_bytes()), Ok(expected), "{line}");
        }
    }

    #[test]
    fn answers_are_read() {
        let cent = Money::DOLLAR.0 / 100;
        for (line, expected) in [
            (
                r#"{"result": null}"#,
                Reply::Answer(Answer::Result {
                    value: Json::Null,
                    cost: None,
                    is_dry: false,
                }),
            ),
            (
                r#"{"cost": "$0.01", "result": [1], "dry_run": true}"#,
                Reply::Answer(Answer::Result {
                    value: serde_json::json!([1]),
                    cost: Some(Money(cent)),
                    is_dry: true,
                }),
            ),
            (
                r#"{"failure": "transient"}"#,
                Reply::Answer(failure(FailureClass::Transient)),
            ),
            (
                r#"{"failure": "rate_limited", "sent": "refused", "retry_after": "30s", "message": "slow", "cost": "$0"}"#,
                Reply::Answer(Answer::Failure {
                    is_dry: false,
                    class: FailureClass::RateLimited,
                    sent: Some(SentWord::Refused),
                    cost: Some(Money(0)),
                    retry_after: Some(Duration(30 * Duration::SECOND.0)),
                    message: Some("slow".into()),
                }),
            ),
            (
                r#"{"job": {"id": 7}}"#,
                Reply::Answer(Answer::Job {
                    job: serde_json::json!({"id": 7}),
                    expires: None,
                }),
            ),
            (
                r#"{"wait": "5s"}"#,
                Reply::Answer(Answer::Wait(Duration(5 * Duration::SECOND.0))),
            ),
            (
                r#"{"found": "yes", "result": "x"}"#,
                Reply::Answer(Answer::Found {
                    found: FoundWord::Yes,
                    value: Json::from("x"),
                }),
            ),
        ] {
            assert_eq!(read(line.as_bytes()), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_has_a_cure() {
        for (line, what, cure) in [
            (
                "hello",
                "is no JSON",
                "write everything else to standard error",
            ),
            ("[1]", "is no JSON object: `[1]`", "standard error"),
            ("{\"a\": \"\u{1}\"}", "is no JSON", "standard error"),
            (
                r#"{"resutl": 1}"#,
                "says nothing that flow knows: `{\"resutl\": 1}`",
                "it is one of `found`, `failure`, `result`",
            ),
            (
                r#"{"result": 1, "costs": "$1"}"#,
                "has a `costs`, which can't stand beside `result`",
                "it is one of `cost`, `dry_run`",
            ),
            (
                r#"{"result": 1, "progress": 1}"#,
                "has a `progress`, which can't stand beside `result`",
                "it is one of",
            ),
            (
                r#"{"log": "x", "message": "y"}"#,
                "has a `message`",
                "nothing stands beside `log`",
            ),
            (
                r#"{"cost": 0.02}"#,
                "has something else as its `cost`: `0.02`",
                "`cost` is an amount in a text, such as `\"$0.02\"`",
            ),
            (
                r#"{"failure": "transient", "retry_after": 30}"#,
                "has something else as its `retry_after`: `30`",
                "`retry_after` is a duration in a text",
            ),
            (r#"{"progress": 50}"#, "`50`", "a number from 0 to 1"),
            (r#"{"failure": "it broke"}"#, "`it broke`", "`message`"),
            (
                r#"{"failure": "budget"}"#,
                "`budget`",
                "it is one of `transient`",
            ),
            (
                r#"{"failure": "transient", "sent": true}"#,
                "has something else as its `sent`: `true`",
                "`sent` is a text",
            ),
            (r#"{"found": true}"#, "`true`", "`yes`, `no` or `unknown`"),
        ] {
            let wrong = read(line.as_bytes()).unwrap_err();
            assert!(wrong.what.contains(what), "{line}: {}", wrong.what);
            assert!(wrong.cure.contains(cure), "{line}: {}", wrong.cure);
        }
        let wrong = read(b"{\"log\": \"\xff\"}").unwrap_err();
        assert!(wrong.what.starts_with("is not in UTF-8"), "{}", wrong.what);
    }
}
