//! Types as JSON Schema, draft 2020-12, in the dialect that models are given.
//!
//! Interfaces for structured output want every field required and nothing
//! besides; what is optional may be null instead of missing. What the schema
//! says is what `json::from_json` reads.

use serde_json::{Map, Value as Json, json};

use crate::amount::Money;
use crate::ty::{Bounds, RecordType, TextRule, Type};

/// Writes a type as JSON Schema.
///
/// Nothing fits the schema of a type that never comes from outside: a secret.
pub fn json_schema(ty: &Type) -> Json {
    match ty {
        Type::Text(rule) => text(rule),
        Type::Int(bounds) => number("integer", bounds),
        Type::Float(bounds) => number("number", bounds),
        Type::Bool => json!({ "type": "boolean" }),
        Type::Duration(bounds) => {
            amount("a duration like `1h30m`", "^([0-9]+(d|h|ms|m|s))+$", bounds)
        }
        Type::Money(bounds) => money(bounds),
        Type::Time => json!({ "type": "string", "format": "date-time" }),
        Type::Size => json!({
            "type": "string",
            "pattern": "^[0-9]{1,5}x[0-9]{1,5}$",
            "description": "a size in pixels like `1080x1920`",
        }),
        Type::Model | Type::Step => json!({ "type": "string" }),
        Type::Json | Type::Param => json!({}),
        Type::Secret => json!({ "not": {} }),
        Type::Media(media) => json!({
            "type": "object",
            "properties": {
                "artifact": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
                "media": match media {
                    crate::ty::Media::File => json!({ "enum": ["image", "video", "audio", "file"] }),
                    crate::ty::Media::Image
                    | crate::ty::Media::Video
                    | crate::ty::Media::Audio => json!({ "enum": [media.to_string()] }),
                },
                "bytes": { "type": "integer", "minimum": 0 },
                "facts": { "type": "object" },
            },
            "required": ["artifact", "media", "bytes", "facts"],
            "additionalProperties": false,
        }),
        Type::List(list) => {
            let mut schema = json!({ "type": "array", "items": json_schema(&list.item) });
            bound(&mut schema, "minItems", list.length.min);
            bound(&mut schema, "maxItems", list.length.max);
            schema
        }
        Type::Map(item) => json!({
            "type": "object",
            "additionalProperties": json_schema(item),
        }),
        Type::Optional(inner) => nullable(json_schema(inner)),
        Type::Record(fields) => record(fields),
        Type::Enum(words) => {
            let outside = words.variants.iter().map(|variant| &*variant.outside);
            json!({ "type": "string", "enum": outside.collect::<Vec<_>>() })
        }
        Type::None => json!({ "type": "null" }),
    }
}

fn text(rule: &TextRule) -> Json {
    let mut schema = json!({ "type": "string" });
    bound(&mut schema, "minLength", rule.length.min);
    bound(&mut schema, "maxLength", rule.length.max);
    let pattern = rule.matching.as_ref();
    bound(
        &mut schema,
        "pattern",
        pattern.map(|pattern| format!("^(?:{pattern})$")),
    );
    schema
}

fn number<T: Into<Json> + Copy>(word: &str, bounds: &Bounds<T>) -> Json {
    let mut schema = json!({ "type": word });
    bound(&mut schema, "minimum", bounds.min);
    bound(&mut schema, "maximum", bounds.max);
    schema
}

fn money(bounds: &Bounds<Money>) -> Json {
    amount(
        "an amount in US dollars like `$0.50`",
        r"^-?\$[0-9]+(\.[0-9]{1,9})?$",
        bounds,
    )
}

/// A schema can't compare texts, so bounds are told in words.
fn amount<T: ToString>(what: &str, pattern: &str, bounds: &Bounds<T>) -> Json {
    let mut told = what.to_owned();
    if let Some(min) = &bounds.min {
        told.extend([", at least `", &min.to_string(), "`"]);
    }
    if let Some(max) = &bounds.max {
        told.extend([", at most `", &max.to_string(), "`"]);
    }
    json!({ "type": "string", "pattern": pattern, "description": told })
}

fn record(record: &RecordType) -> Json {
    let mut properties = Map::new();
    for field in &record.fields {
        let mut schema = json_schema(&field.ty);
        let docs = field.docs.trim();
        if !docs.is_empty() {
            let told = match schema.get("description").and_then(Json::as_str) {
                Some(what) => format!("{docs} ({what})"),
                None => docs.to_owned(),
            };
            bound(&mut schema, "description", Some(told));
        }
        properties.insert(field.name.to_string(), schema);
    }
    let names: Vec<_> = record.fields.iter().map(|field| &*field.name).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": names,
        "additionalProperties": false,
    })
}

fn nullable(mut schema: Json) -> Json {
    let Some(fields) = schema.as_object_mut() else {
        return schema;
    };
    let Some(word) = fields.get_mut("type") else {
        // Without a type anything fits, null included; nothing fits a secret.
        return schema;
    };
    *word = json!([word.clone(), "null"]);
    if let Some(Json::Array(words)) = fields.get_mut("enum") {
        words.push(Json::Null);
    }
    schema
}

fn bound(schema: &mut Json, keyword: &str, value: Option<impl Into<Json>>) {
    if let (Some(fields), Some(value)) = (schema.as_object_mut(), value) {
        fields.insert(keyword.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ty::{EnumType, FieldType, ListType, VariantType};

    fn field(name: &str, ty: Type, docs: &str) -> FieldType {
        FieldType {
            name: name.into(),
            ty,
            docs: docs.into(),
        }
    }

    #[test]
    fn a_list_of_records_has_every_field_required() {
        let takes = Type::Int(Bounds {
            min: Some(1),
            max: Some(8),
        });
        let fields = vec![
            field("prompt", Type::text(), "What is seen."),
            field("takes", takes.optional(), ""),
        ];
        let shot = Type::Record(Arc::new(RecordType {
            name: Some("Shot".into()),
            fields,
        }));
        let list = Type::List(ListType {
            item: Arc::new(shot),
            length: Bounds {
                min: None,
                max: Some(24),
            },
        });
        assert_eq!(
            json_schema(&list),
            json!({
                "type": "array",
                "maxItems": 24,
                "items": {
                    "type": "object",
                    "properties": {
                        "prompt": { "type": "string", "description": "What is seen." },
                        "takes": { "type": ["integer", "null"], "minimum": 1, "maximum": 8 },
                    },
                    "required": ["prompt", "takes"],
                    "additionalProperties": false,
                },
            })
        );
    }

    #[test]
    fn words_are_those_of_the_outside() {
        let variants = vec![VariantType {
            name: "wide".into(),
            outside: "16:9".into(),
        }];
        let words = Type::Enum(Arc::new(EnumType {
            name: None,
            variants,
        }));
        assert_eq!(
            json_schema(&words.optional()),
            json!({ "type": ["string", "null"], "enum": ["16:9", null] })
        );
    }

    #[test]
    fn a_pattern_is_whole_and_amounts_tell_their_bounds() {
        let rule = TextRule {
            length: Bounds {
                min: Some(2),
                max: None,
            },
            matching: Some("a|b".into()),
        };
        assert_eq!(
            json_schema(&Type::Text(rule)),
            json!({ "type": "string", "minLength": 2, "pattern": "^(?:a|b)$" })
        );
        let price = Type::Money(Bounds {
            min: None,
            max: Some(Money::DOLLAR),
        });
        let schema = json_schema(&price);
        assert_eq!(
            schema["description"],
            "an amount in US dollars like `$0.50`, at most `$1`"
        );
        assert_eq!(json_schema(&Type::Secret.optional()), json!({ "not": {} }));
    }
}
