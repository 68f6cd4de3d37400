//! What a program is asked: one JSON object.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flow_core::amount::Timestamp;
use flow_core::check::Mismatch;
use flow_core::effect::FailureClass;
use flow_core::json::to_json;
use flow_core::schema::json_schema;
use flow_core::step::{StepCall, StepFailure};
use flow_core::ty::Type;
use flow_core::value::{Artifact, Value};
use serde_json::{Map, Value as Json, json};

/// The version of what is asked and answered.
const VERSION: u32 = 1;

/// How many bits a number has that every JSON reader keeps.
const EXACT_BITS: u32 = 53;

/// What a program is asked for.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    /// To do it.
    Run(Manner),
    /// To ask for a job that it handed in.
    Poll(Value),
    /// To say whether an act happened.
    Probe,
}

/// Whether it is to be done in earnest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Earnest,
    /// Everything but what costs, and what changes the world.
    Dry,
}

impl Ask {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Poll(_) => "poll",
            Self::Probe => "probe",
        }
    }
}

/// Makes a request; puts the files that it speaks of into a folder.
pub(super) fn write(
    call: &StepCall,
    ask: &Ask,
    now: Timestamp,
    own: &Path,
) -> Result<Map<String, Json>, StepFailure> {
    let mut writer = Writer {
        call,
        folder: own.join("in"),
        placed: BTreeMap::new(),
    };
    let mut arguments = Map::new();
    for (name, value) in &call.args {
        let ty = call.types.get(name).unwrap_or(&Type::Json);
        let value = writer.argument(name, value, ty)?;
        arguments.insert(name.to_string(), value);
    }
    let deadline = call.timeout.and_then(|length| now.checked_add(length));
    let job = match ask {
        Ask::Poll(job) => to_json(job, &Type::Json).map_err(|error| unwritable("job", &error))?,
        Ask::Run(_) | Ask::Probe => Json::Null,
    };
    let whole = json!({
        "version": VERSION,
        "ask": ask.word(),
        "step": &*call.step,
        "path": call.path.to_string(),
        "effect": call.effect.to_string(),
        "arguments": arguments,
        "type": call.type_arg.as_ref().map(json_schema),
        "attempt": call.tries,
        "key": call.idempotency.to_string(),
        "seed": call.seed >> (u64::BITS - EXACT_BITS),
        "deadline": deadline.map(|deadline| deadline.to_string()),
        "bound": call.bound.to_string(),
        "folder": own.join("work").to_string_lossy(),
        "failure": call.failure.as_deref(),
        "job": job,
        "dry_run": matches!(ask, Ask::Run(Manner::Dry)),
    });
    let Json::Object(fields) = whole else {
        unreachable!("it was written as an object");
    };
    Ok(fields)
}

/// Writes arguments.
struct Writer<'a> {
    call: &'a StepCall,
    folder: PathBuf,
    /// Files that are there already, by their digests.
    placed: BTreeMap<Arc<str>, PathBuf>,
}

impl Writer<'_> {
    fn argument(&mut self, name: &str, value: &Value, ty: &Type) -> Result<Json, StepFailure> {
        match (ty, value) {
            (Type::Optional(inner), value) if *value != Value::None => {
                self.argument(name, value, inner)
            }
            (_, Value::Secret(secret)) => {
                let hidden = self.call.desk.secret(secret)?;
                Ok(Json::from(&*hidden))
            }
            (_, Value::Artifact(artifact)) => self.artifact(name, artifact),
            (ty, Value::List(list)) => {
                let item = if let Type::List(list) = ty {
                    &*list.item
                } else {
                    &Type::Json
                };
                let items = list.items.iter();
                let items = items.map(|value| self.argument(name, value, item));
                Ok(Json::Array(items.collect::<Result<_, _>>()?))
            }
            (ty, Value::Record(record)) => {
                let mut fields = Map::new();
                for (field, value) in &**record {
                    let value = self.argument(name, value, inside(ty, field))?;
                    fields.insert(field.to_string(), value);
                }
                Ok(Json::Object(fields))
            }
            (ty, value) => to_json(value, ty).map_err(|error| unwritable(name, &error)),
        }
    }

    fn artifact(&mut self, name: &str, artifact: &Artifact) -> Result<Json, StepFailure> {
        let path = self.place(name, artifact)?;
        let value = Value::Artifact(Arc::new(artifact.clone()));
        let ty = Type::Media(artifact.media);
        let mut json = to_json(&value, &ty).map_err(|error| unwritable(name, &error))?;
        if let Json::Object(fields) = &mut json {
            let path = path.to_string_lossy().into_owned();
            fields.insert("path".to_owned(), Json::from(path));
        }
        Ok(json)
    }

    /// Copies a file to where the program may read it. It is a copy, since what
    /// is in the store is never written to.
    fn place(&mut self, name: &str, artifact: &Artifact) -> Result<PathBuf, StepFailure> {
        if let Some(path) = self.placed.get(&artifact.digest) {
            return Ok(path.clone());
        }
        let from = self.call.desk.open(artifact)?;
        let to = self
            .folder
            .join(format!("{}-{name}", self.placed.len() + 1));
        let copied = fs::create_dir_all(&self.folder).and_then(|()| copy(&from, &to));
        copied.map_err(|error| {
            let message = format!("the file for `{name}` can't be copied: {error}");
            StepFailure::unsent(FailureClass::Transient, message)
        })?;
        self.placed.insert(artifact.digest.clone(), to.clone());
        Ok(to)
    }
}

/// Returns the type of a field of a record, or of the entries of a map.
fn inside<'t>(ty: &'t Type, field: &str) -> &'t Type {
    if let Type::Map(inner) = ty {
        return inner;
    }
    let Type::Record(record) = ty else {
        return &Type::Json;
    };
    record.field(field).map_or(&Type::Json, |field| &field.ty)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    // It may be there from when the program was asked before.
    match fs::remove_file(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    fs::copy(from, to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o444))
}

fn unwritable(name: &str, mismatch: &Mismatch) -> StepFailure {
    let message = format!("`{name}` can't be handed over: {mismatch}");
    StepFailure::unsent(FailureClass::Bug, message)
}
