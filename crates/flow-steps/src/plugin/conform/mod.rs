//! Trying a program out: whether it keeps what `docs/plugins.md` asks of it,
//! also where nobody looks.
//!
//! A step that costs or acts is asked for dry runs and nothing else, and only if
//! somebody says that its program knows them.
//!
//! Modules, in reading order: the desk it is tried at, arguments that are made
//! up, one question, and here what is looked at.

mod ask;
mod desk;
mod values;

use std::fs;
use std::path::PathBuf;

use flow_core::amount::Duration;
use flow_core::effect::{Act, Effect};
use flow_core::json::to_json;
use flow_core::step::StepFailure;
use flow_core::ty::Type;
use serde_json::{Value as Json, json};

use super::Plugins;
use super::reply::excerpt;
use super::request::Ask;
use crate::process::End;
use ask::{Asking, Examiner, Said, Seen, Stop};
use desk::HIDDEN;
use values::Taste;

pub use ask::{DryRun, Given, Parameter, Subject};
pub use desk::Groups;

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is looked at, in a word.
    pub name: &'static str,
    /// Whether it holds.
    pub verdict: Verdict,
}

/// Whether something holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It does; and what was seen.
    Holds(String),
    /// It doesn't; what was seen, and what to do about it.
    Broken(String, &'static str),
    /// It wasn't tried; and why.
    Untried(String),
}

/// What is looked at besides the program itself.
const TRIALS: [&str; 11] = [
    "answer", "end", "again", "least", "odd", "large", "later", "deadline", "stop", "silence",
    "probe",
];

impl Plugins {
    /// Tries a step out. What is left behind in a folder with this name is
    /// removed; processes are told to whoever sees to it that none is left.
    pub async fn conform(
        &self,
        subject: &Subject,
        groups: &Groups,
        folder: PathBuf,
    ) -> Vec<Finding> {
        let program = match self.look(&subject.run) {
            Ok(parts) => Verdict::Holds(match parts.files.as_slice() {
                [] => "it is a program of this machine".to_owned(),
                files => files.join(", "),
            }),
            Err(failure) => Verdict::Broken(
                failure.message.to_string(),
                "mend the command in its declaration",
            ),
        };
        let is_there = matches!(program, Verdict::Holds(_));
        let mut findings = vec![Finding {
            name: "program",
            verdict: program,
        }];
        let why = if !is_there {
            Some("there is no program".to_owned())
        } else if subject.effect.costs() && subject.dry_run == DryRun::Unknown {
            Some(format!(
                "it is `{}`; say `--dry-run` if the program knows `\"dry_run\": true`",
                subject.effect
            ))
        } else {
            None
        };
        if let Some(why) = why {
            findings.extend(TRIALS.map(|name| Finding {
                name,
                verdict: Verdict::Untried(why.clone()),
            }));
            return findings;
        }
        let examiner = Examiner {
            place: &self.place,
            subject,
            groups,
            root: folder,
        };
        examiner.look_at_all(&mut findings).await;
        fs::remove_dir_all(&examiner.root).ok();
        findings
    }
}

impl Examiner<'_> {
    async fn look_at_all(&self, findings: &mut Vec<Finding>) {
        let first = self.ask(Asking::new(self.run(), Taste::Plain)).await;
        let mut is_answered = true;
        for name in TRIALS {
            let verdict = match &first {
                Ok(first) if is_answered => self.look_at(name, first).await,
                Ok(_) => Ok(Verdict::Untried("it doesn't answer yet".to_owned())),
                Err(failure) => Err(failure.clone()),
            };
            let verdict =
                verdict.unwrap_or_else(|failure| Verdict::Untried(failure.message.to_string()));
            // The rest would say the same again.
            is_answered &= name != "answer" || !matches!(verdict, Verdict::Broken(..));
            findings.push(Finding { name, verdict });
        }
    }

    async fn look_at(&self, name: &str, first: &Seen) -> Result<Verdict, StepFailure> {
        match name {
            "answer" => Ok(self.answer(first)),
            "end" => Ok(end(first)),
            "again" => self.again(first).await,
            "least" => self.with(Taste::Least).await,
            "odd" => self.with(Taste::Odd).await,
            "large" => self.large().await,
            "later" => self.later(first).await,
            "deadline" => self.deadline().await,
            "stop" => self.stop().await,
            "silence" => self.silence().await,
            _ => self.probe().await,
        }
    }

    /// Whether it answers as it was declared, and keeps secrets.
    fn answer(&self, seen: &Seen) -> Verdict {
        if seen.log.contains(HIDDEN) {
            return Verdict::Broken(
                "it writes a secret to its log".to_owned(),
                "write no arguments to standard error that are secret",
            );
        }
        self.verdict(seen)
    }

    fn verdict(&self, seen: &Seen) -> Verdict {
        match &seen.said {
            _ if seen.is_late => Verdict::Broken(
                "it doesn't answer within 30 seconds".to_owned(),
                "read the request to its end, and write the answer with a line end, flushed",
            ),
            Said::Result(value) => {
                let json = to_json(value, &self.subject.result)
                    .unwrap_or(Json::Null)
                    .to_string();
                if json.contains(HIDDEN) {
                    return Verdict::Broken(
                        "its result has a secret in it".to_owned(),
                        "give nothing that is secret",
                    );
                }
                Verdict::Holds(format!("it gives `{}`", excerpt(&json)))
            }
            Said::Failure(class, message) => Verdict::Holds(format!(
                "it fails in good order ({}): {}",
                class.word(),
                excerpt(message)
            )),
            Said::Job => Verdict::Holds("it hands in a job".to_owned()),
            Said::Found(_) | Said::Nothing => Verdict::Broken(
                "it gives no answer".to_owned(),
                "the last line is `{\"result\": …}` or `{\"failure\": …}`",
            ),
            Said::Wrong(why) => Verdict::Broken(
                why.to_string(),
                "answer what can't be done by `{\"failure\": \"invalid\", \"message\": …}`",
            ),
        }
    }

    /// Whether the same request has the same answer, where that is declared.
    async fn again(&self, first: &Seen) -> Result<Verdict, StepFailure> {
        let effect = self.subject.effect;
        if !matches!(effect, Effect::Pure | Effect::Act(Act::Keyed(_))) {
            return Ok(Verdict::Untried(format!(
                "a step that is `{effect}` may answer otherwise"
            )));
        }
        let second = self.ask(Asking::new(self.run(), Taste::Plain)).await?;
        if second.said == first.said {
            return Ok(Verdict::Holds(
                "the same request has the same answer".to_owned(),
            ));
        }
        Ok(Verdict::Broken(
            "the same request has another answer the second time".to_owned(),
            if effect == Effect::Pure {
                "declare `effect read`, or draw from `seed` only"
            } else {
                "a request with a `key` that was answered before has the same answer"
            },
        ))
    }

    async fn with(&self, taste: Taste) -> Result<Verdict, StepFailure> {
        if self.subject.params.is_empty() {
            return Ok(Verdict::Untried("it takes nothing".to_owned()));
        }
        let seen = self.ask(Asking::new(self.run(), taste)).await?;
        Ok(self.verdict(&seen))
    }

    async fn large(&self) -> Result<Verdict, StepFailure> {
        let mut params = self.subject.params.iter();
        if !params.any(|param| param.given.is_none() && has_text(&param.ty)) {
            return Ok(Verdict::Untried(
                "nothing that it takes can be large".to_owned(),
            ));
        }
        self.with(Taste::Large).await
    }

    /// Whether it lives with a request of a later version.
    async fn later(&self, first: &Seen) -> Result<Verdict, StepFailure> {
        let asking = Asking {
            edit: |request| {
                if let Some(fields) = request {
                    fields.insert("later".to_owned(), json!({ "deep": [1, null, "x"] }));
                    fields.insert("version".to_owned(), json!(1));
                }
            },
            ..Asking::new(self.run(), Taste::Plain)
        };
        let seen = self.ask(asking).await?;
        let alike = std::mem::discriminant(&seen.said) == std::mem::discriminant(&first.said);
        Ok(if alike {
            Verdict::Holds("fields of later versions change nothing".to_owned())
        } else {
            Verdict::Broken(
                "a field that it doesn't know changes its answer".to_owned(),
                "leave alone what a request has besides",
            )
        })
    }

    async fn deadline(&self) -> Result<Verdict, StepFailure> {
        let asking = Asking {
            timeout: Some(Duration(-Duration::SECOND.0)),
            ..Asking::new(self.run(), Taste::Plain)
        };
        let seen = self.ask(asking).await?;
        Ok(self.verdict(&seen))
    }

    async fn stop(&self) -> Result<Verdict, StepFailure> {
        let asking = Asking {
            stop: Stop::Early,
            ..Asking::new(self.run(), Taste::Plain)
        };
        let seen = self.ask(asking).await?;
        Ok(if seen.was_killed() {
            Verdict::Broken(
                "it doesn't end when it is asked to, and had to be killed after 5 seconds"
                    .to_owned(),
                "end on SIGTERM, and hand it on to what was started",
            )
        } else {
            match seen.end {
                End::Exited { .. } => {
                    Verdict::Holds("it was done before it was asked to end".to_owned())
                }
                End::Ended { .. } => Verdict::Holds("it ends when it is asked to".to_owned()),
            }
        })
    }

    /// Whether it fails where there is no request.
    async fn silence(&self) -> Result<Verdict, StepFailure> {
        // Who hears nothing can't know that it isn't in earnest.
        if self.subject.effect.costs() {
            return Ok(Verdict::Untried(format!(
                "it is `{}`, and nothing says that it isn't in earnest",
                self.subject.effect
            )));
        }
        let asking = Asking {
            edit: |request| *request = None,
            ..Asking::new(self.run(), Taste::Plain)
        };
        let seen = self.ask(asking).await?;
        Ok(match seen.said {
            _ if seen.is_late => Verdict::Broken(
                "it waits for ever if there is no request".to_owned(),
                "end when standard input ends",
            ),
            Said::Result(_) | Said::Job => Verdict::Broken(
                "it has a result though nothing was asked".to_owned(),
                "read the request, and fail without one",
            ),
            Said::Failure(..) | Said::Found(_) | Said::Nothing | Said::Wrong(_) => {
                Verdict::Holds("it has no result if nothing was asked".to_owned())
            }
        })
    }

    async fn probe(&self) -> Result<Verdict, StepFailure> {
        if self.subject.effect != Effect::Act(Act::Probed) {
            return Ok(Verdict::Untried(
                "only a step that is `act probed` is asked".to_owned(),
            ));
        }
        let asking = Asking {
            edit: |request| {
                if let Some(fields) = request {
                    fields.insert("dry_run".to_owned(), Json::Bool(true));
                }
            },
            ..Asking::new(Ask::Probe, Taste::Plain)
        };
        let seen = self.ask(asking).await?;
        Ok(if matches!(seen.said, Said::Found(_)) {
            Verdict::Holds("it says whether it happened".to_owned())
        } else {
            Verdict::Broken(
                "it doesn't say whether it happened".to_owned(),
                "answer `\"ask\": \"probe\"` by `{\"found\": \"yes\", \"result\": …}`, `no` or `unknown`",
            )
        })
    }
}

/// Whether it ends by itself when it has answered, and leaves nothing behind.
fn end(seen: &Seen) -> Verdict {
    if seen.strays > 0 {
        return Verdict::Broken(
            "it writes more after its answer".to_owned(),
            "the answer is the last line",
        );
    }
    match seen.end {
        End::Exited {
            is_drained: false, ..
        } => Verdict::Broken(
            "something that it started goes on, and holds its output open".to_owned(),
            "end what was started before the answer",
        ),
        End::Exited { status, .. } if !status.success() => Verdict::Broken(
            format!("it ends with {status} after its answer"),
            "end with exit code 0; a failure is said by `{\"failure\": …}`",
        ),
        End::Exited { .. } => Verdict::Holds("it ends by itself, and nothing is left".to_owned()),
        End::Ended { .. } => Verdict::Broken(
            "it goes on after its answer, and had to be ended".to_owned(),
            "end when the answer is written; threads in the background count, too",
        ),
    }
}

/// Returns whether a large text can be in a value.
#[expect(clippy::wildcard_enum_match_arm, reason = "the others hold no text")]
fn has_text(ty: &Type) -> bool {
    match ty {
        Type::Text(_) => ty
            .check(&flow_core::value::Value::text("fox ".repeat(1 << 18)))
            .is_ok(),
        Type::Optional(inner) | Type::Map(inner) => has_text(inner),
        Type::List(list) => has_text(&list.item),
        Type::Record(record) => record.fields.iter().any(|field| has_text(&field.ty)),
        _ => false,
    }
}
