//! `flow schema`: the JSON Schema of `*.flow.yaml` files, from the same table
//! of keys that files are read by, and from the steps of the project.
//!
//! It accepts every file that is valid, and more: what an expression says is
//! not for a schema to check.

use flow_compiler::declare::Param;
use flow_compiler::signature::{Signature, Signatures};
use flow_core::ty::Type;
use flow_syntax::yaml::keys::{CALL, FILE, ITEMS, Key, MAPPINGS, Mapping, Need, Shape};
use serde_json::{Map, Value, json};

use crate::args::Schema;
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;
use crate::project::Projects;
use crate::render::{human, pretty};
use crate::report::Report;

/// Prints the schema.
pub(super) fn run(args: &Schema, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let mut projects = Projects::new(args.settled.profile.as_deref(), extra)?;
    let here = projects.here.clone();
    let project = projects.of_folder(&here)?;
    let mut report = Report::default();
    projects.tell_project(&mut report, &project);
    let said = human(&report, output.message_looks());
    if !said.is_empty() {
        output.message(&said)?;
    }
    output.data(&pretty(&schema(&project.signatures)))?;
    Ok(Exit::Done)
}

fn schema(signatures: &Signatures) -> Value {
    let mut defs = Map::new();
    defs.insert(
        "scalar".to_owned(),
        json!({ "type": ["string", "number", "boolean"] }),
    );
    defs.insert("item".to_owned(), item());
    let call: &Mapping = &CALL;
    for mapping in MAPPINGS {
        let mut def = object(mapping);
        if std::ptr::eq(*mapping, call) {
            complete_call(&mut def, signatures);
        }
        defs.insert(def_name(mapping), def);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "flow",
        "description": FILE.doc,
        "$ref": reference(&FILE),
        "$defs": defs,
    })
}

/// Two mappings may have one name; the number tells them apart.
fn def_name(mapping: &Mapping) -> String {
    let at = MAPPINGS
        .iter()
        .position(|other| std::ptr::eq(*other, mapping));
    let name = mapping.name.replace(' ', "-");
    let before = MAPPINGS.iter().take(at.unwrap_or(0));
    match before.filter(|other| other.name == mapping.name).count() {
        0 => name,
        twin => format!("{name}-{}", twin + 1),
    }
}

fn reference(mapping: &Mapping) -> String {
    format!("#/$defs/{}", def_name(mapping))
}

/// A mapping with fixed keys.
fn object(mapping: &Mapping) -> Value {
    let mut properties = Map::new();
    for key in mapping.keys {
        properties.insert(key.name.to_owned(), property(key));
    }
    let needed = mapping.keys.iter().filter(|key| key.need == Need::Required);
    let needed: Vec<&str> = needed.map(|key| key.name).collect();
    json!({
        "description": mapping.doc,
        "type": "object",
        "properties": properties,
        "required": needed,
        "additionalProperties": false,
    })
}

fn property(key: &Key) -> Value {
    let mut found = shape(&key.shape);
    if let Value::Object(fields) = &mut found {
        fields.insert("description".to_owned(), key.doc.into());
    }
    found
}

fn shape(shape_of: &Shape) -> Value {
    match shape_of {
        Shape::Language(_) | Shape::Verbatim => json!({ "$ref": "#/$defs/scalar" }),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Value => json!({}),
        Shape::Mapping(mapping) => json!({ "$ref": reference(mapping) }),
        Shape::Item => json!({ "$ref": "#/$defs/item" }),
        Shape::Named(inner) => json!({
            "type": "object",
            "additionalProperties": shape(inner),
        }),
        Shape::List(inner) => json!({ "type": "array", "items": shape(inner) }),
        Shape::Either(several) => {
            let several: Vec<Value> = several.iter().map(shape).collect();
            json!({ "anyOf": several })
        }
    }
}

/// An item is what its own key says; the first that is there decides.
fn item() -> Value {
    let words: Vec<&str> = ITEMS.iter().filter_map(|mapping| word(mapping)).collect();
    let any: Vec<Value> = words
        .iter()
        .map(|word| json!({ "required": [word] }))
        .collect();
    let mut chain = json!({ "anyOf": any });
    for mapping in ITEMS.iter().rev() {
        if let Some(word) = word(mapping) {
            chain = json!({
                "if": { "required": [word] },
                "then": { "$ref": reference(mapping) },
                "else": chain,
            });
        }
    }
    if let Value::Object(fields) = &mut chain {
        fields.insert("type".to_owned(), "object".into());
    }
    chain
}

/// The key that an item is known by.
fn word(mapping: &Mapping) -> Option<&'static str> {
    let mut keys = mapping.keys.iter();
    keys.find(|key| key.need == Need::Required)
        .map(|key| key.name)
}

/// Adds what is known of the steps: their names, and their parameters.
fn complete_call(call: &mut Value, signatures: &Signatures) {
    let names: Vec<&str> = signatures.steps.keys().map(|name| &**name).collect();
    call["properties"]["step"]["anyOf"] = json!([{ "enum": names }, { "type": "string" }]);
    if let Value::Object(step) = &mut call["properties"]["step"] {
        step.remove("$ref");
    }
    let steps: Vec<Value> = signatures.steps.values().map(step).collect();
    call["allOf"] = Value::Array(steps);
}

fn step(step: &Signature) -> Value {
    let mut properties = Map::new();
    for param in &step.params {
        properties.insert(param.name.to_string(), argument(param));
    }
    let name = step.name.replace('.', "\\.");
    json!({
        "if": {
            "properties": { "step": { "type": "string", "pattern": format!("^{name}\\s*(<|$)") } },
            "required": ["step"],
        },
        "then": {
            "properties": {
                "step": { "description": step.docs },
                "with": { "properties": properties, "additionalProperties": false },
            },
        },
    })
}

/// What may stand for a parameter: a value of its type, or an expression.
fn argument(param: &Param) -> Value {
    let mut found = param.ty.as_ref().map_or_else(|| json!({}), value);
    if let Value::Object(fields) = &mut found {
        let ty = param
            .ty
            .as_ref()
            .map_or_else(String::new, |ty| format!("`{ty}` "));
        let text = format!("{ty}{}", param.docs);
        fields.insert("description".to_owned(), text.trim_end().into());
    }
    found
}

fn value(ty: &Type) -> Value {
    match ty {
        Type::Optional(inner) => value(inner),
        Type::Bool => json!({ "type": ["boolean", "string"] }),
        Type::Int(_) | Type::Float(_) => json!({ "type": ["number", "string"] }),
        Type::Enum(words) => {
            let words: Vec<&str> = words.variants.iter().map(|word| &*word.name).collect();
            json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": "\\$\\{" }] })
        }
        Type::Duration(_) | Type::Money(_) | Type::Time | Type::Size | Type::Model => {
            json!({ "type": ["string", "number"] })
        }
        // Texts and files have forms of their own; the rest may be anything.
        Type::Text(_)
        | Type::Media(_)
        | Type::Secret
        | Type::Json
        | Type::Step
        | Type::List(_)
        | Type::Map(_)
        | Type::Record(_)
        | Type::Param
        | Type::None => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::standard;

    #[test]
    fn every_reference_leads_somewhere() {
        let (signatures, _) = standard(&[]);
        let schema = schema(&signatures);
        let defs = schema["$defs"].as_object().unwrap();
        let text = schema.to_string();
        for part in text.split("\"$ref\":\"#/$defs/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(defs.contains_key(name), "{name}");
        }
        assert_eq!(
            defs.len(),
            MAPPINGS.len() + 2,
            "each mapping has a name of its own"
        );
    }

    #[test]
    fn steps_and_their_parameters_are_known() {
        let (signatures, _) = standard(&[]);
        let text = schema(&signatures).to_string();
        assert!(text.contains("\"http.get\""), "steps are offered");
        assert!(text.contains("^http\\\\.get"), "parameters are offered");
    }
}
