//! Writing a file: beside its place, and then moved there.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use flow_core::json::to_json;
use flow_core::step::{Sent, StepCall, StepFailure};
use flow_core::ty::{Media, Type};
use flow_core::value::{Artifact, Value};
use rustix::fs::{self, AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::{Halt, about};
use crate::given::{Given, invalid};
use crate::inside::{Folders, Inside, PathFault, Spot};

/// How much is copied at once.
const AT_ONCE: usize = 128 * 1024;

/// What the names of unfinished files begin with.
const UNFINISHED: &str = ".flow-";

pub(super) fn write(inside: &Inside, call: &StepCall) -> Result<Value, Halt> {
    let path = call.text("path")?;
    let content = call.value("content")?;
    let artifact = if let Value::Artifact(artifact) = content {
        artifact.as_ref().clone()
    } else {
        let bytes = bytes(call, content)?;
        let kept = call.desk.keep(&mut &bytes[..], Media::File);
        kept.map_err(|failure| about(path, failure))?
    };
    put(inside, call, path, artifact)
}

pub(super) fn copy(inside: &Inside, call: &StepCall) -> Result<Value, Halt> {
    let from = call.text("from")?;
    let mut file = inside.open(from)?;
    let kept = call.desk.keep(&mut file, Media::File);
    let artifact = kept.map_err(|failure| about(from, failure))?;
    put(inside, call, call.text("to")?, artifact)
}

/// Returns what is written of a value: the letters of a text, JSON of others.
fn bytes(call: &StepCall, content: &Value) -> Result<Vec<u8>, StepFailure> {
    if let Value::Text(text) = content {
        return Ok(text.as_bytes().to_vec());
    }
    let ty = call.types.get("content").unwrap_or(&Type::Json);
    let json = to_json(content, ty).map_err(|mismatch| invalid(mismatch.to_string()))?;
    let mut bytes = serde_json::to_vec_pretty(&json)
        .map_err(|error| invalid(format!("it can't be written as JSON: {error}")))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Puts the bytes of an artifact to a path.
fn put(inside: &Inside, call: &StepCall, path: &str, artifact: Artifact) -> Result<Value, Halt> {
    let source = call.desk.open(&artifact)?;
    let open = || File::open(&source).map_err(|error| PathFault::io(path, "written", error));
    call.desk.sent();
    let spot = inside.spot(path, Folders::Made)?;
    let there = if spot.is_there() {
        Some(spot.open()?)
    } else {
        None
    };
    match there {
        Some(there) if is_same(call, &there, open()?, path)? => settle(&there, &spot)?,
        Some(_) if !may_replace(call)? => return Err(occupied(path).into()),
        there => {
            let draft = Draft::write(call, &spot, open()?, there.as_ref())?;
            if may_replace(call)? {
                draft.replace()?;
            } else if !draft.take_free()? && !is_same(call, &spot.open()?, open()?, path)? {
                return Err(occupied(path).into());
            }
        }
    }
    Ok(Value::Artifact(Arc::new(Artifact {
        media: Media::File,
        facts: std::collections::BTreeMap::new(),
        ..artifact
    })))
}

fn may_replace(call: &StepCall) -> Result<bool, StepFailure> {
    Ok(*call.value("replace")? == Value::Bool(true))
}

fn occupied(path: &str) -> StepFailure {
    invalid(format!(
        "there is `{path}` already, it says something else, and `replace` is false"
    ))
}

/// Makes durable what is there already: whoever wrote it may not have come to
/// that.
fn settle(there: &File, spot: &Spot) -> Result<(), Halt> {
    let failed = |error| PathFault::io(&spot.path, "written", error);
    there.sync_all().map_err(failed)?;
    sync(&spot.folder).map_err(failed)?;
    Ok(())
}

fn sync(folder: &OwnedFd) -> io::Result<()> {
    fs::fsync(folder).map_err(Into::into)
}

/// Compares a file with what is to be there.
fn is_same(call: &StepCall, there: &File, wanted: File, path: &str) -> Result<bool, Halt> {
    let failed = |error| PathFault::io(path, "read", error);
    let lengths = [there, &wanted].map(|file| file.metadata().map(|facts| facts.len()));
    let [there_length, wanted_length] = lengths;
    if there_length.map_err(failed)? != wanted_length.map_err(failed)? {
        return Ok(false);
    }
    let (mut one, mut other) = (vec![0; AT_ONCE], vec![0; AT_ONCE]);
    let (mut there, mut wanted) = (there, wanted);
    loop {
        stopped(call)?;
        let read = there.read(&mut one).map_err(failed)?;
        if read == 0 {
            return Ok(true);
        }
        match wanted.read_exact(&mut other[..read]) {
            Ok(()) if one[..read] == other[..read] => {}
            Ok(()) => return Ok(false),
            // Somebody is writing to it.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(failed(error).into()),
        }
    }
}

/// Ends if the run wants it to; nothing has happened so far.
fn stopped(call: &StepCall) -> Result<(), Halt> {
    if call.desk.is_stopped() {
        Err(Halt::Stopped(Sent::No))
    } else {
        Ok(())
    }
}

/// A file beside its place. Dropped, it is removed.
struct Draft<'a> {
    spot: &'a Spot,
    name: String,
}

impl<'a> Draft<'a> {
    /// Writes it, and makes its bytes durable.
    fn write(
        call: &StepCall,
        spot: &'a Spot,
        mut source: File,
        there: Option<&File>,
    ) -> Result<Self, Halt> {
        let key = call.idempotency.to_string();
        let name = format!("{UNFINISHED}{}", &key[..32]);
        let failed = |error: io::Error| PathFault::io(&spot.path, "written", error);
        // What an earlier try of this act has left.
        fs::unlinkat(&spot.folder, &name, AtFlags::empty()).ok();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666);
        let opened = fs::openat(&spot.folder, &name, flags, mode);
        let mut file = File::from(opened.map_err(|error| failed(error.into()))?);
        let draft = Self { spot, name };
        if let Some(there) = there {
            let facts = there.metadata().map_err(failed)?;
            file.set_permissions(facts.permissions()).map_err(failed)?;
        }
        let mut buffer = vec![0; AT_ONCE];
        loop {
            stopped(call)?;
            let read = source.read(&mut buffer).map_err(failed)?;
            if read == 0 {
                break;
            }
            file.write_all(&buffer[..read]).map_err(failed)?;
        }
        file.sync_all().map_err(failed)?;
        Ok(draft)
    }

    /// Puts it in the place of whatever is there.
    fn replace(self) -> Result<(), Halt> {
        let (folder, name) = (&self.spot.folder, &self.spot.name);
        fs::renameat(folder, &self.name, folder, name).map_err(|error| self.failed(error))?;
        self.settle()
    }

    /// Puts it there if nothing is. Returns whether that was so.
    fn take_free(self) -> Result<bool, Halt> {
        let (folder, name) = (&self.spot.folder, &self.spot.name);
        let moved = fs::renameat_with(folder, &self.name, folder, name, RenameFlags::NOREPLACE);
        let moved = match moved {
            // Some file systems can't do it in one; a second name can't replace
            // anything either.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                fs::linkat(folder, &self.name, folder, name, AtFlags::empty())
            }
            moved => moved,
        };
        match moved {
            Ok(()) => self.settle().map(|()| true),
            Err(Errno::EXIST) => Ok(false),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn failed(&self, error: Errno) -> Halt {
        PathFault::io(&self.spot.path, "written", error).into()
    }

    /// Makes its name durable. From here on it has happened.
    fn settle(self) -> Result<(), Halt> {
        sync(&self.spot.folder).map_err(|error| {
            let failure = StepFailure::from(PathFault::io(&self.spot.path, "written", error));
            Halt::Failed(StepFailure {
                sent: Sent::Maybe,
                ..failure
            })
        })
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        // Once it is moved there is nothing of this name.
        fs::unlinkat(&self.spot.folder, &self.name, AtFlags::empty()).ok();
    }
}
