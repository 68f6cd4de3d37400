//! Forms: what a person is asked, as whoever asks reads it, and which answers
//! fit.
//!
//! A question is kept as a record; [`human`](crate::human) has its fields.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::value::{List, Value};

/// What a person is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// Whether something may be done.
    Approve {
        /// The question.
        question: Arc<str>,
        /// What is approved.
        show: Value,
    },
    /// A value.
    Ask {
        /// The question.
        question: Arc<str>,
        /// What helps to answer it.
        about: Arc<str>,
        /// What the form begins with, if anything.
        suggestion: Option<Value>,
    },
    /// Some of several things.
    Choose {
        /// The question.
        question: Arc<str>,
        /// The things.
        from: Arc<List>,
        /// How many are chosen.
        count: usize,
    },
}

/// Why a choice can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoChoice {
    /// Too few, or too many.
    #[error("{count} are to be chosen, and {chosen} are")]
    Count {
        /// How many are to be.
        count: usize,
        /// How many are.
        chosen: usize,
    },
    /// One isn't among the things.
    #[error("there is no number {number}: they are numbered from 1 to {most}")]
    Number {
        /// Its number.
        number: usize,
        /// The last number.
        most: usize,
    },
    /// One is chosen twice.
    #[error("number {number} is chosen twice")]
    Twice {
        /// Its number.
        number: usize,
    },
    /// A value isn't among the things.
    #[error("one of the chosen is not among those that there are")]
    NotThere,
}

impl Form {
    /// Reads the record that a question is kept as.
    pub fn read(form: &Value) -> Option<Self> {
        let Value::Record(fields) = form else {
            return None;
        };
        let question = text(fields, "question")?;
        Some(match &*text(fields, "kind")? {
            "approve" => Self::Approve {
                question,
                show: fields.get("show")?.clone(),
            },
            "ask" => Self::Ask {
                question,
                about: text(fields, "about")?,
                suggestion: fields
                    .get("suggestion")
                    .filter(|value| **value != Value::None)
                    .cloned(),
            },
            "choose" => {
                let (Value::List(from), Value::Int(count)) =
                    (fields.get("from")?, fields.get("count")?)
                else {
                    return None;
                };
                Self::Choose {
                    question,
                    from: from.clone(),
                    count: usize::try_from(*count).ok()?,
                }
            }
            _ => return None,
        })
    }

    /// Returns the question.
    pub fn question(&self) -> &Arc<str> {
        match self {
            Self::Approve { question, .. }
            | Self::Ask { question, .. }
            | Self::Choose { question, .. } => question,
        }
    }
}

/// Makes the answer of a choice by numbers, from 1: the things in their own
/// order.
pub fn choice(from: &List, count: usize, numbers: &[usize]) -> Result<Value, NoChoice> {
    let most = from.items.len();
    let mut chosen: Vec<usize> = Vec::with_capacity(numbers.len());
    for number in numbers {
        if !(1..=most).contains(number) {
            let number = *number;
            return Err(NoChoice::Number { number, most });
        }
        if chosen.contains(&(number - 1)) {
            return Err(NoChoice::Twice { number: *number });
        }
        chosen.push(number - 1);
    }
    if chosen.len() != count {
        let chosen = chosen.len();
        return Err(NoChoice::Count { count, chosen });
    }
    chosen.sort_unstable();
    let items = chosen.iter().filter_map(|at| from.items.get(*at).cloned());
    let keys = from.keys.as_ref().map(|keys| {
        let keys = chosen.iter().filter_map(|at| keys.get(*at).cloned());
        keys.collect()
    });
    Ok(Value::List(Arc::new(List {
        items: items.collect(),
        keys,
    })))
}

/// Makes the answer of a choice by values, each of which has to be there as often
/// as it is chosen.
pub fn choice_of(from: &List, count: usize, values: &[Value]) -> Result<Value, NoChoice> {
    let mut numbers: Vec<usize> = Vec::with_capacity(values.len());
    for value in values {
        let mut there = (1..).zip(&from.items);
        let free = there.find(|(number, item)| *item == value && !numbers.contains(number));
        let (number, _) = free.ok_or(NoChoice::NotThere)?;
        numbers.push(number);
    }
    choice(from, count, &numbers)
}

fn text(fields: &BTreeMap<Arc<str>, Value>, name: &str) -> Option<Arc<str>> {
    let Value::Text(text) = fields.get(name)? else {
        return None;
    };
    Some(text.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_core::path::Key;

    fn list(words: &[&str]) -> List {
        List {
            items: words.iter().map(|word| Value::text(*word)).collect(),
            keys: Some(words.iter().map(|word| Key::Word((*word).into())).collect()),
        }
    }

    #[test]
    fn a_choice_is_in_the_order_of_what_there_is() {
        let from = list(&["a", "b", "c", "b"]);
        let chosen = |numbers: &[usize]| choice(&from, 2, numbers);
        let Ok(Value::List(two)) = chosen(&[3, 1]) else {
            panic!("two were chosen");
        };
        assert_eq!(*two, list(&["a", "c"]));
        let count = |chosen| Err(NoChoice::Count { count: 2, chosen });
        assert_eq!(chosen(&[1]), count(1));
        assert_eq!(chosen(&[1, 2, 3]), count(3));
        assert_eq!(chosen(&[1, 1]), Err(NoChoice::Twice { number: 1 }));
        for number in [0, 5, usize::MAX] {
            let expected = NoChoice::Number { number, most: 4 };
            assert_eq!(chosen(&[1, number]), Err(expected));
        }
        let values = |words: &[&str]| choice_of(&from, 2, &list(words).items);
        assert_eq!(values(&["c", "a"]), chosen(&[1, 3]));
        assert_eq!(values(&["b", "b"]), chosen(&[2, 4]));
        assert_eq!(values(&["a", "a"]), Err(NoChoice::NotThere));
        assert_eq!(values(&["d", "a"]), Err(NoChoice::NotThere));
    }

    #[test]
    fn what_is_no_form_is_not_read() {
        for value in [Value::None, Value::text("?"), Value::Record(Arc::default())] {
            assert_eq!(Form::read(&value), None);
        }
    }
}
