//! The script of a run: its inputs, what steps answer, what happens meanwhile.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use flow_core::amount::{Duration, Money, Timestamp};
use flow_core::ty::Type;
use flow_core::value::Value;

#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) words: String,
    pub(super) cost: Option<Money>,
    pub(super) after: Duration,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    pub(super) inputs: BTreeMap<String, serde_json::Value>,
    pub(super) answers: BTreeMap<String, VecDeque<Answer>>,
    pub(super) orders: Vec<(Duration, String)>,
}

impl Script {
    pub(super) fn read(text: &str) -> Self {
        let mut script = Self::default();
        for line in text.lines().filter_map(|line| line.strip_prefix("#> ")) {
            let (name, rest) = line.split_once(": ").unwrap();
            if let Some(when) = name.strip_prefix("at ") {
                let order = (when.parse().unwrap(), rest.to_owned());
                script.orders.push(order);
            } else if name.contains('/') {
                let answers = rest.split(" | ").map(answer).collect();
                script.answers.insert(name.to_owned(), answers);
            } else {
                let value = serde_json::from_str(rest).unwrap();
                script.inputs.insert(name.to_owned(), value);
            }
        }
        script
    }
}

pub(super) fn answer(text: &str) -> Answer {
    let (text, after) = match text.rsplit_once(" in ") {
        Some((text, after)) => (text, after.parse().unwrap()),
        None => (text, Duration::SECOND),
    };
    let (text, cost) = match text.rsplit_once(" for ") {
        Some((text, cost)) => (text, Some(cost.parse().unwrap())),
        None => (text, None),
    };
    Answer {
        words: text.trim().to_owned(),
        cost,
        after,
    }
}

/// Returns the least value of a type.
pub(super) fn least(ty: &Type) -> Value {
    match ty {
        Type::Text(_) | Type::Model => Value::text(""),
        Type::Int(bounds) => Value::Int(bounds.min.unwrap_or(0)),
        Type::Float(bounds) => Value::Float(bounds.min.unwrap_or(0.0)),
        Type::Bool => Value::Bool(false),
        Type::Duration(_) => Value::Duration(Duration(0)),
        Type::Money(_) => Value::Money(Money(0)),
        Type::Time => Value::Time(Timestamp(0)),
        Type::List(list) => {
            let count = list.length.min.unwrap_or(0);
            Value::list((0..count).map(|_| least(&list.item)).collect())
        }
        Type::Record(record) => {
            let fields = record.fields.iter();
            let fields = fields.map(|field| (field.name.clone(), least(&field.ty)));
            Value::Record(Arc::new(fields.collect()))
        }
        Type::Map(_) => Value::Record(Arc::default()),
        Type::Enum(words) => Value::Enum(words.variants[0].name.clone()),
        Type::Size
        | Type::Json
        | Type::Secret
        | Type::Step
        | Type::Media(_)
        | Type::Optional(_)
        | Type::Param
        | Type::None => Value::None,
    }
}
