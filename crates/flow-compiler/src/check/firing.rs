//! What makes a trigger fire besides a clock, what it knows of that, and who is
//! told.

use std::sync::Arc;

use flow_core::ty::{Bounds, EnumType, FieldType, Media, RecordType, TextRule, Type, VariantType};
use flow_syntax::ast;
use flow_syntax::diagnostic::Diagnostic;

use super::Checker;
use super::trigger::{FlowEnd, Notify, NotifyOn, When};
use crate::codes;

impl Checker<'_> {
    pub(super) fn webhook_path(&mut self, path: &ast::Name) -> Option<Arc<str>> {
        let text = path.text.as_str();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~');
        let wrong = if !text.starts_with('/') {
            "the path of a webhook begins with `/`"
        } else if !text.chars().all(plain) {
            "the path of a webhook has letters, digits, `-`, `_`, `.`, `~` and `/` only"
        } else if text
            .split('/')
            .skip(1)
            .any(|part| matches!(part, "" | "." | ".."))
        {
            "the path of a webhook has an empty part, or one of dots"
        } else {
            return Some(text.into());
        };
        self.report(Self::error(codes::TRIGGER_WHEN, path.span, wrong).help("such as `/orders`"));
        None
    }

    pub(super) fn file_pattern(&mut self, pattern: &ast::Name) -> Option<Arc<str>> {
        let text = pattern.text.as_str();
        let outside = text.split('/').any(|part| part == "..");
        let wrong = if text.trim().is_empty() {
            "the pattern is empty"
        } else if text.starts_with('/')
            || outside
            || text.contains('\\')
            || text.as_bytes().get(1) == Some(&b':')
        {
            "the pattern leaves the project"
        } else if text.chars().any(char::is_control) {
            "the pattern has a control character"
        } else {
            return Some(text.into());
        };
        self.report(
            Self::error(codes::TRIGGER_WHEN, pattern.span, wrong)
                .help("write a path inside the project, as in `inbox/*.wav`"),
        );
        None
    }

    pub(super) fn flow_clause(
        &mut self,
        path: &ast::Path,
        what: &ast::Name,
    ) -> Option<(When, Type)> {
        let words = [
            ("finished", FlowEnd::Finished),
            ("done", FlowEnd::Done),
            ("failed", FlowEnd::Failed),
        ];
        let end = self.word(what, &words, "a run can be");
        let id = self.own_workflow(path, "`on flow`")?;
        let facts = self.world.facts.get(id.0).and_then(Option::as_ref);
        let declared = self.world.program.workflows[id.0].returns.clone();
        let output = facts.map_or(declared, |facts| facts.returns.clone());
        let end = end?;
        let when = When::Flow {
            workflow: path.text.as_str().into(),
            end,
        };
        Some((when, flow_event(output, end)))
    }

    pub(super) fn notify(
        &mut self,
        channel: &ast::Name,
        to: &ast::Name,
        on: &[ast::Name],
    ) -> Option<Notify> {
        let channels = [
            ("email", "email"),
            ("webhook", "webhook"),
            ("desktop", "desktop"),
        ];
        let channel = self.word(channel, &channels, "messages go by");
        let words = [
            ("done", NotifyOn::Done),
            ("failure", NotifyOn::Failure),
            ("budget", NotifyOn::Budget),
            ("question", NotifyOn::Question),
            ("unknown", NotifyOn::Unknown),
        ];
        let mut events = Vec::new();
        for word in on {
            if let Some(event) = self.word(word, &words, "somebody can be told of")
                && !events.contains(&event)
            {
                events.push(event);
            }
        }
        let channel = channel?;
        let wrong = match channel {
            "email"
                if !to
                    .text
                    .split_once('@')
                    .is_some_and(|(a, b)| !a.is_empty() && !b.is_empty()) =>
            {
                "this is no address of mail"
            }
            "webhook" if !to.text.starts_with("https://") && !to.text.starts_with("http://") => {
                "this is no address of a server"
            }
            _ => {
                return Some(Notify {
                    channel: channel.into(),
                    to: to.text.as_str().into(),
                    on: events,
                });
            }
        };
        self.report(Diagnostic::new(codes::TRIGGER_CLAUSE, to.span, wrong));
        None
    }
}

pub(super) fn record(name: &str, fields: Vec<(&str, Type)>) -> Type {
    Type::Record(Arc::new(RecordType {
        name: Some(name.into()),
        fields: fields
            .into_iter()
            .map(|(name, ty)| FieldType {
                name: name.into(),
                ty,
                docs: "".into(),
            })
            .collect(),
    }))
}

pub(super) fn words(name: &str, words: &[&str]) -> Type {
    let variants = words.iter().map(|word| VariantType {
        name: (*word).into(),
        outside: (*word).into(),
    });
    Type::Enum(Arc::new(EnumType {
        name: Some(name.into()),
        variants: variants.collect(),
    }))
}

/// How a run can be over, or not go on.
pub(super) fn run_status() -> Type {
    words("status", &["done", "failed", "paused"])
}

fn text_map() -> Type {
    Type::Map(Arc::new(Type::Text(TextRule::default())))
}

pub(super) fn webhook_event(body: Type) -> Type {
    record(
        "event",
        vec![
            ("body", body),
            ("headers", text_map()),
            ("query", text_map()),
        ],
    )
}

pub(super) fn file_event() -> Type {
    record(
        "event",
        vec![("path", Type::text()), ("file", Type::Media(Media::File))],
    )
}

/// A run that may have failed may have no output.
fn flow_event(output: Option<Type>, end: FlowEnd) -> Type {
    let mut fields = vec![
        ("run", Type::text()),
        ("status", run_status()),
        ("cost", Type::Money(Bounds::default())),
    ];
    match (output, end) {
        (Some(output), FlowEnd::Done) => fields.push(("output", output)),
        (Some(output), FlowEnd::Finished) => {
            fields.push(("output", output.optional()));
        }
        (None, _) | (Some(_), FlowEnd::Failed) => {}
    }
    record("event", fields)
}
