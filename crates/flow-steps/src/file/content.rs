//! What is in a file, as what is asked for: letters, media, or JSON.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use flow_core::step::StepFailure;
use flow_core::ty::{Media, Type};
use flow_core::value::Value;

use crate::given::invalid;
use crate::inside::PathFault;
use crate::{json, media};

/// How large a text may be, and what is read as JSON.
const TEXT_MAX: u64 = 16 << 20;

/// What was taken out of a file.
pub(super) enum Taken {
    Value(Value),
    /// The file itself, and what is known of it. It is at its beginning.
    Media(Media, BTreeMap<Arc<str>, Value>),
}

/// Takes a file as a type.
#[expect(clippy::wildcard_enum_match_arm, reason = "all others are JSON")]
pub(super) fn take(ty: &Type, file: &mut File, name: &str) -> Result<Taken, StepFailure> {
    let about = |said: &dyn std::fmt::Display| invalid(format!("`{name}`: {said}"));
    match ty {
        Type::Text(_) => {
            let value = Value::text(text(file, name)?);
            ty.check(&value).map_err(|mismatch| about(&mismatch))?;
            Ok(Taken::Value(value))
        }
        Type::Media(media) => {
            let facts = media::facts(file, *media).map_err(|fault| about(&fault))?;
            Ok(Taken::Media(*media, facts))
        }
        ty => {
            let text = text(file, name)?;
            // Some editors begin with a mark that JSON doesn't know.
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            let value = json::parse(text, ty).map_err(|failure| about(&failure.message))?;
            Ok(Taken::Value(value))
        }
    }
}

fn text(file: &mut File, name: &str) -> Result<String, StepFailure> {
    let mut bytes = Vec::new();
    let read = file.take(TEXT_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| PathFault::io(name, "read", error))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > TEXT_MAX) {
        return Err(invalid(format!(
            "`{name}` has more than 16 MiB, which is too much for a text; take it as a `file`"
        )));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        invalid(format!("`{name}` is no text: it is not UTF-8 at byte {at}"))
    })
}
