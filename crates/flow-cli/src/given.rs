//! Values that are written on the command line, read by their types: words as
//! they are in the language, files as paths, lists and records as JSON.

use std::path::PathBuf;

use flow_core::json;
use flow_core::scalar;
use flow_core::ty::{Media, Type};
use flow_runtime::driver::Given;

/// Returns whether a value of a type is written as a word.
pub(crate) fn is_word(ty: &Type) -> bool {
    match ty.present() {
        Type::Media(_) | Type::List(_) | Type::Map(_) | Type::Record(_) => false,
        Type::Text(_)
        | Type::Int(_)
        | Type::Float(_)
        | Type::Bool
        | Type::Duration(_)
        | Type::Money(_)
        | Type::Time
        | Type::Size
        | Type::Model
        | Type::Json
        | Type::Secret
        | Type::Step
        | Type::Optional(_)
        | Type::Enum(_)
        | Type::Param
        | Type::None => true,
    }
}

/// Reads a value.
pub(crate) fn read(text: &str, ty: &Type) -> Result<Given, String> {
    if let Type::Media(media) = ty.present() {
        return file(text, *media);
    }
    if is_word(ty) {
        let value = scalar::read(text, ty).map_err(|error| error.to_string())?;
        return Ok(Given::Value(value));
    }
    let read: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("`{text}` is no JSON ({error})"))?;
    let value = json::from_json(&read, ty).map_err(|mismatch| mismatch.to_string())?;
    Ok(Given::Value(value))
}

fn file(text: &str, media: Media) -> Result<Given, String> {
    let path = PathBuf::from(text);
    if path.is_file() {
        Ok(Given::File(path, media))
    } else {
        Err(format!("there is no file `{text}`"))
    }
}
