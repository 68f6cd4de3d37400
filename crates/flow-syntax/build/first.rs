//! Which bytes a part of the grammar can begin with.

use crate::form::{Form, Rule};

/// Bytes, and the end of the text as one more.
pub(crate) type Ahead = [bool; 257];

/// The end of the text.
const END: usize = 256;

/// What may be next where a form fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct First {
    /// Where it takes something.
    takes: Ahead,
    /// Where it fits and takes nothing.
    leaves: Ahead,
}

const NONE: Ahead = [false; 257];
const ALL: Ahead = [true; 257];

impl First {
    /// Returns everything that may be next.
    pub(crate) fn any(&self) -> Ahead {
        or(&self.takes, &self.leaves)
    }
}

fn or(one: &Ahead, other: &Ahead) -> Ahead {
    std::array::from_fn(|at| one[at] || other[at])
}

fn and(one: &Ahead, other: &Ahead) -> Ahead {
    std::array::from_fn(|at| one[at] && other[at])
}

/// Finds what all rules can begin with.
pub(crate) fn of_rules(rules: &[Rule]) -> Vec<First> {
    let none = First {
        takes: NONE,
        leaves: NONE,
    };
    let mut known = vec![none; rules.len()];
    loop {
        let next: Vec<First> = rules.iter().map(|rule| of(&rule.form, &known)).collect();
        if next == known {
            return known;
        }
        known = next;
    }
}

/// Finds what a form can begin with. It may be too much, but never too little.
pub(crate) fn of(form: &Form, known: &[First]) -> First {
    let taking = |takes| First {
        takes,
        leaves: NONE,
    };
    match form {
        Form::Class(bytes) => taking(std::array::from_fn(|at| at != END && bytes[at])),
        Form::Letters(letters) => {
            let first = letters.bytes().next().expect("letters are not empty");
            taking(std::array::from_fn(|at| at == usize::from(first)))
        }
        Form::Rule(at) => known[*at].clone(),
        Form::Start => First {
            takes: NONE,
            leaves: ALL,
        },
        Form::End => First {
            takes: NONE,
            leaves: std::array::from_fn(|at| at == END),
        },
        Form::Until(_) => First {
            takes: ALL,
            leaves: ALL,
        },
        Form::Ahead(inner) => First {
            takes: NONE,
            leaves: of(inner, known).any(),
        },
        Form::Not(inner) => First {
            takes: NONE,
            leaves: if let Form::Class(bytes) = &**inner {
                std::array::from_fn(|at| at == END || !bytes[at])
            } else {
                ALL
            },
        },
        Form::Row(parts) => parts.iter().fold(
            First {
                takes: NONE,
                leaves: ALL,
            },
            |before, part| {
                let part = of(part, known);
                First {
                    takes: or(&before.takes, &and(&before.leaves, &part.takes)),
                    leaves: and(&before.leaves, &part.leaves),
                }
            },
        ),
        Form::Choice(parts) => parts.iter().fold(taking(NONE), |before, part| {
            let part = of(part, known);
            First {
                takes: or(&before.takes, &part.takes),
                leaves: or(&before.leaves, &part.leaves),
            }
        }),
        Form::Maybe(inner) | Form::Many(inner) => First {
            takes: of(inner, known).takes,
            leaves: ALL,
        },
    }
}
