//! Questions to people, as they are shown: what is asked, what is to be looked
//! at, and what to type.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use flow_core::amount::Timestamp;
use flow_core::digest::Digest;
use flow_core::json::to_json;
use flow_core::ty::Type;
use flow_core::value::{Artifact, Value};
use flow_steps::Form;

use crate::next::Next;
use crate::page::tame;
use crate::scene::with_store;

/// A question, and where it is asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The run.
    pub(crate) run: String,
    /// The store's folder, if it has to be named.
    pub(crate) store: Option<PathBuf>,
    /// Its path, as it is typed.
    pub(crate) path: String,
    /// What is asked.
    pub(crate) form: Form,
    /// The type of an answer.
    pub(crate) ty: Option<Type>,
    /// The digest of what is shown.
    pub(crate) shown: Digest,
    /// When it is too late.
    pub(crate) expires: Option<Timestamp>,
}

/// How many lines of a value are shown.
const LINES_MAX: usize = 20;

/// How many letters of a line are shown.
const LINE_MAX: usize = 160;

impl Asked {
    /// Writes the question with all that belongs to it.
    pub(crate) fn page(&self, blobs: &Path) -> String {
        let mut out = format!("{} asks: {}\n", self.path, tame(self.form.question()));
        match &self.form {
            Form::Approve { show, .. } => block(&mut out, show, blobs),
            Form::Ask {
                about, suggestion, ..
            } => {
                for line in about.lines().take(LINES_MAX) {
                    writeln!(out, "  {}", cut(&tame(line))).ok();
                }
                if let Some(suggestion) = suggestion {
                    out.push_str("  suggested:\n");
                    block(&mut out, suggestion, blobs);
                }
            }
            Form::Choose { from, .. } => {
                for (number, item) in (1..).zip(&from.items) {
                    let text = text(item, blobs);
                    let first = text.lines().next().unwrap_or_default();
                    writeln!(out, "  {number:>3}  {}", cut(first)).ok();
                }
            }
        }
        if let Some(expires) = self.expires {
            writeln!(out, "  until {expires}").ok();
        }
        writeln!(out, "  shown {}", self.shown.short()).ok();
        writeln!(out, "  type {}", self.command()).ok();
        out
    }

    /// Says what to type to answer it.
    pub(crate) fn command(&self) -> String {
        let commands = self.commands().into_iter();
        let commands = commands.map(|next| format!("`{}` ({})", next.command, next.what));
        commands.collect::<Vec<_>>().join(" or ")
    }

    /// Returns what can be typed to answer it.
    pub(crate) fn commands(&self) -> Vec<Next> {
        let next = |verb: &str, rest: &str, what: String| {
            let (run, path) = (&self.run, &self.path);
            let command = format!("flow {verb} {run} {path}{rest}");
            Next {
                command: with_store(&command, self.store.as_deref()),
                what,
            }
        };
        match &self.form {
            Form::Approve { .. } => vec![
                next("approve", "", "says yes".to_owned()),
                next("reject", "", "says no".to_owned()),
            ],
            Form::Ask { suggestion, .. } => {
                let value = match &self.ty {
                    Some(Type::Record(record)) => {
                        let fields = record.fields.iter();
                        let fields = fields.map(|field| format!(" {}=…", field.name));
                        fields.collect()
                    }
                    Some(_) | None => " VALUE".to_owned(),
                };
                let ty = self.ty.as_ref().map(ToString::to_string);
                let ty = ty.map(|ty| format!(" with {}", a(&ty)));
                let what = format!("answers{}", ty.unwrap_or_default());
                let suggested = suggestion.as_ref().map(|_| {
                    let what = "takes what is suggested".to_owned();
                    next("answer", " --suggested", what)
                });
                std::iter::once(next("answer", &value, what))
                    .chain(suggested)
                    .collect()
            }
            Form::Choose { from, count, .. } => {
                let numbers = (1..=*count).map(|number| number.to_string());
                let numbers = format!(" {}", numbers.collect::<Vec<_>>().join(","));
                let what = format!("chooses {count} of {}, by their numbers", from.items.len());
                vec![next("answer", &numbers, what)]
            }
        }
    }
}

/// Puts an article before the name of a type.
fn a(ty: &str) -> String {
    let article = if ty.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {ty}")
}

fn block(out: &mut String, value: &Value, blobs: &Path) {
    let text = text(value, blobs);
    let mut lines = text.lines();
    for line in lines.by_ref().take(LINES_MAX) {
        writeln!(out, "    {}", cut(line).trim_end()).ok();
    }
    let more = lines.count();
    if more > 0 {
        writeln!(out, "    … and {more} lines more").ok();
    }
}

/// Writes a value for people: texts as they are, files as their paths.
fn text(value: &Value, blobs: &Path) -> String {
    match value {
        Value::Text(text) => tame_lines(text),
        Value::Artifact(artifact) => file(artifact, blobs),
        Value::None
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Duration(_)
        | Value::Money(_)
        | Value::Time(_)
        | Value::Size(_)
        | Value::Enum(_)
        | Value::Secret(_) => match to_json(value, &Type::Json) {
            Ok(serde_json::Value::String(text)) => tame_lines(&text),
            Ok(json) => json.to_string(),
            Err(_) => "(hidden)".to_owned(),
        },
        Value::List(list) => {
            let items = list
                .items
                .iter()
                .map(|item| format!("- {}", indented(item, blobs)));
            items.collect::<Vec<_>>().join("\n")
        }
        Value::Record(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(name, value)| format!("{name}: {}", indented(value, blobs)));
            fields.collect::<Vec<_>>().join("\n")
        }
    }
}

/// Writes a value that stands behind its name.
fn indented(value: &Value, blobs: &Path) -> String {
    let text = text(value, blobs);
    let is_nested = matches!(value, Value::List(_) | Value::Record(_));
    let lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    match lines.as_slice() {
        [] => String::new(),
        [only] if !is_nested => only.trim_start().to_owned(),
        _ => format!("\n{}", lines.join("\n")),
    }
}

fn file(artifact: &Artifact, blobs: &Path) -> String {
    let digest = &artifact.digest;
    let shard = digest.get(..2).unwrap_or_default();
    let path: PathBuf = blobs.join(shard).join(&**digest);
    format!(
        "{} {} ({})",
        artifact.media,
        path.display(),
        crate::wording::bytes(artifact.bytes)
    )
}

fn tame_lines(text: &str) -> String {
    let lines = text.lines().map(tame);
    lines.collect::<Vec<_>>().join("\n")
}

fn cut(line: &str) -> String {
    crate::wording::clip(line, LINE_MAX)
}
