//! Results of programs: values by their declared types, with the files that
//! they name taken into the store.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use flow_core::check::Mismatch;
use flow_core::effect::FailureClass;
use flow_core::json::{from_json, to_json};
use flow_core::step::{Desk, StepCall, StepFailure};
use flow_core::ty::{Media, Type};
use flow_core::value::{Artifact, Value};
use serde_json::{Map, Value as Json};

use super::listen::ARTIFACTS_MAX;
use crate::given::invalid;
use crate::inside::Inside;
use crate::media::{self, MediaFault};

/// How deep a result is looked through for files; what is deeper is no value.
const DEPTH_MAX: usize = 64;

/// Takes a file of a program's folder into the store.
pub(super) fn file(
    desk: &dyn Desk,
    folder: &Path,
    path: &str,
    media: Media,
) -> Result<Artifact, StepFailure> {
    let mut file = Inside::new(folder, &[], &[]).open(path)?;
    let about = |fault: MediaFault| invalid(format!("`{path}`: {fault}"));
    let facts = media::facts(&file, media).map_err(about)?;
    let kept = desk.keep(&mut file, media);
    let kept = kept.map_err(|failure| StepFailure {
        message: format!("`{path}`: {}", failure.message).into(),
        ..failure
    })?;
    Ok(Artifact { facts, ..kept })
}

/// Says that a program has too many files.
pub(super) fn too_many(step: &str) -> String {
    format!("`{step}` has more than {ARTIFACTS_MAX} files kept; pack what belongs together")
}

/// Reads a result by the type that was declared for it.
pub(super) fn result(
    call: &StepCall,
    folder: &Path,
    artifacts: BTreeMap<String, Artifact>,
    json: &Json,
) -> Result<Value, StepFailure> {
    let Some(ty) = &call.result else {
        return Ok(Value::None);
    };
    let mut keeper = Keeper {
        call,
        folder,
        artifacts,
        given: Vec::new(),
    };
    for value in call.args.values() {
        keeper.find_given(value);
    }
    let json = keeper.filled(json, ty, 0)?;
    let wrong = |mismatch: Mismatch| {
        let message = format!(
            "{mismatch}; its declaration says `{}`",
            clipped(&ty.to_string())
        );
        StepFailure::unsent(FailureClass::Bug, message)
    };
    from_json(&json, ty).map_err(wrong)
}

fn clipped(text: &str) -> String {
    const MOST: usize = 120;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Takes the files of a result into the store.
struct Keeper<'a> {
    call: &'a StepCall,
    folder: &'a Path,
    /// The files that were kept already.
    artifacts: BTreeMap<String, Artifact>,
    /// The artifacts among the arguments.
    given: Vec<Arc<Artifact>>,
}

impl Keeper<'_> {
    /// Returns a result with artifacts where it names files.
    fn filled(&mut self, json: &Json, ty: &Type, depth: usize) -> Result<Json, StepFailure> {
        if depth > DEPTH_MAX {
            return Ok(json.clone());
        }
        Ok(match (ty.present(), json) {
            (Type::Media(media), Json::Object(fields)) => self.artifact(fields, *media)?,
            (Type::List(list), Json::Array(items)) => {
                let items = items
                    .iter()
                    .map(|item| self.filled(item, &list.item, depth + 1));
                Json::Array(items.collect::<Result<_, _>>()?)
            }
            (Type::Map(inner), Json::Object(fields)) => {
                self.fields(fields, |_| Some(inner), depth)?
            }
            (Type::Record(record), Json::Object(fields)) => self.fields(
                fields,
                |name| record.field(name).map(|field| &field.ty),
                depth,
            )?,
            _ => json.clone(),
        })
    }

    fn fields<'t>(
        &mut self,
        fields: &Map<String, Json>,
        ty: impl Fn(&str) -> Option<&'t Type>,
        depth: usize,
    ) -> Result<Json, StepFailure> {
        let fields = fields.iter().map(|(name, value)| {
            let value = match ty(name) {
                Some(ty) => self.filled(value, ty, depth + 1)?,
                None => value.clone(),
            };
            Ok((name.clone(), value))
        });
        Ok(Json::Object(fields.collect::<Result<_, StepFailure>>()?))
    }

    /// Returns the artifact that a file becomes, or one of the arguments.
    fn artifact(&mut self, fields: &Map<String, Json>, media: Media) -> Result<Json, StepFailure> {
        let text = |name: &str| fields.get(name).and_then(Json::as_str);
        if let Some(digest) = text("artifact") {
            let mut given = self.given.iter();
            return match given.find(|given| *given.digest == *digest) {
                Some(given) => written(given),
                None => Err(bug(format!(
                    "the artifact `{}` is none that it was given; a file of its own is `{{\"path\": …}}`",
                    clipped(digest)
                ))),
            };
        }
        let Some(path) = text("path") else {
            return Err(bug(
                "something else stands where a file is declared; a file is `{\"path\": …}`, in the folder that it runs in"
                    .to_owned(),
            ));
        };
        let mut other = fields.keys().filter(|name| *name != "path");
        if let Some(other) = other.next() {
            return Err(bug(format!(
                "a `{}` stands beside the `path` of a file, and nothing else does",
                clipped(other)
            )));
        }
        if let Some(kept) = self.artifacts.get(path)
            && (media == Media::File || kept.media == media)
        {
            return written(kept);
        }
        if self.artifacts.len() >= ARTIFACTS_MAX {
            return Err(bug(too_many(&self.call.step)));
        }
        let kept = file(&*self.call.desk, self.folder, path, media)?;
        let json = written(&kept)?;
        self.artifacts.insert(path.to_owned(), kept);
        Ok(json)
    }

    fn find_given(&mut self, value: &Value) {
        match value {
            Value::Artifact(artifact) => self.given.push(artifact.clone()),
            Value::List(list) => list.items.iter().for_each(|item| self.find_given(item)),
            Value::Record(fields) => fields.values().for_each(|item| self.find_given(item)),
            Value::None
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Duration(_)
            | Value::Money(_)
            | Value::Time(_)
            | Value::Size(_)
            | Value::Enum(_)
            | Value::Secret(_) => {}
        }
    }
}

fn written(artifact: &Artifact) -> Result<Json, StepFailure> {
    let value = Value::Artifact(Arc::new(artifact.clone()));
    to_json(&value, &Type::Media(artifact.media))
        .map_err(|mismatch| bug(format!("has a file that can't be a value: {mismatch}")))
}

fn bug(message: String) -> StepFailure {
    StepFailure::unsent(FailureClass::Bug, message)
}
