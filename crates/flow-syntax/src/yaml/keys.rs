//! Every mapping of the YAML spelling, and its keys: the one description by
//! which files are read and editors are told what to offer.

pub use super::shape::{Fragment, Key, Mapping, Need, Shape};

use Fragment as F;
use Need::{Optional, Required};
use Shape::{Either, Flag, Item, Language, List, Named, Value, Verbatim, Word};

const fn key(name: &'static str, shape: Shape, need: Need, doc: &'static str) -> Key {
    Key {
        name,
        shape,
        need,
        doc,
    }
}

const TYPE: Shape = Either(&[Language(F::Type), Named(&Language(F::Field))]);
const NAMES: Shape = Either(&[List(&Language(F::Name)), Language(F::Name)]);
const STEPS: Shape = List(&Item);
/// What a block gives: a value, a call or a region.
const RESULT: Shape = Either(&[Value, Item]);
const FALLBACK: Shape = Either(&[Value, Item, Shape::Mapping(&BRANCH)]);

const ID: Key = key(
    "id",
    Language(F::Name),
    Optional,
    "The name of the item's value.",
);
const TYPE_KEY: Key = key("type", TYPE, Optional, "The type of the item's value.");
const BUDGET: Key = key(
    "budget",
    Language(F::Budget),
    Optional,
    "The most money that may be spent: `$2 per day or ask`.",
);
const WITHIN: Key = key(
    "within",
    Language(F::Expression),
    Optional,
    "The longest time that it may take in all.",
);
const DO: Key = key("do", STEPS, Optional, "What is done.");
const YIELD: Key = key("yield", RESULT, Optional, "The value of the block.");
const OF: Key = key("of", Value, Optional, "The argument without a name.");
const WITH: Key = key("with", Named(&Value), Optional, "The arguments by name.");
const ELSE: Key = key(
    "else",
    FALLBACK,
    Optional,
    "What happens instead if it fails.",
);

/// The whole file.
pub static FILE: Mapping = Mapping {
    name: "file",
    doc: "A file of workflows, or one workflow with what belongs to it.",
    keys: &[
        key(
            "use",
            List(&Either(&[Verbatim, Shape::Mapping(&USE)])),
            Optional,
            "Other files.",
        ),
        key(
            "enums",
            Named(&Language(F::Variants)),
            Optional,
            "Enumerations: `noir | neon`.",
        ),
        key("types", Named(&TYPE), Optional, "Named types."),
        key(
            "steps_declared",
            Named(&Shape::Mapping(&STEP_DECLARATION)),
            Optional,
            "Steps that are not written in the language.",
        ),
        key(
            "workflow",
            Language(F::Name),
            Optional,
            "The name of the file's only workflow.",
        ),
        key("inputs", INPUTS, Optional, "What the workflow is given."),
        key(
            "outputs",
            TYPE,
            Optional,
            "The type of what the workflow gives.",
        ),
        BUDGET,
        WITHIN,
        key("steps", STEPS, Optional, "What the workflow does."),
        key("return", RESULT, Optional, "What the workflow gives."),
        key(
            "workflows",
            Named(&Shape::Mapping(&WORKFLOW)),
            Optional,
            "Workflows by name.",
        ),
        key(
            "triggers",
            Named(&Shape::Mapping(&TRIGGER)),
            Optional,
            "What starts workflows by itself.",
        ),
        key(
            "tests",
            Named(&List(&Either(&[
                Shape::Mapping(&STUB),
                Shape::Mapping(&RUN),
                Shape::Mapping(&EXPECT),
            ]))),
            Optional,
            "Tests by what they show.",
        ),
    ],
};

const INPUTS: Shape = Named(&Either(&[
    Language(F::Field),
    Shape::Mapping(&INPUT),
    Named(&Language(F::Field)),
]));

/// Another file.
pub static USE: Mapping = Mapping {
    name: "use",
    doc: "Another file, under a name.",
    keys: &[
        key(
            "file",
            Verbatim,
            Required,
            "The path, relative to this file.",
        ),
        key(
            "as",
            Language(F::Name),
            Optional,
            "The name it gets here; without one, the file's stem.",
        ),
    ],
};

/// An input that says more than its type.
pub static INPUT: Mapping = Mapping {
    name: "input",
    doc: "An input of a workflow.",
    keys: &[
        key("type", TYPE, Required, "Its type."),
        key(
            "default",
            Value,
            Optional,
            "What it is if nothing is given.",
        ),
        key(
            "about",
            Verbatim,
            Optional,
            "What it is for, shown to whoever fills it in.",
        ),
    ],
};

/// The declaration of a step.
pub static STEP_DECLARATION: Mapping = Mapping {
    name: "step declaration",
    doc: "What a step that is not written in the language takes, gives and does.",
    keys: &[
        key(
            "params",
            Either(&[Language(F::Params), INPUTS]),
            Optional,
            "Its parameters.",
        ),
        key("returns", TYPE, Required, "What it gives."),
        key(
            "effect",
            Language(F::Effects),
            Optional,
            "What it may do: `pure`, `read`, `paid`, `act …`.",
        ),
        key(
            "cost",
            Language(F::Expression),
            Optional,
            "An upper bound of what one attempt costs.",
        ),
        key(
            "pool",
            Language(F::Expression),
            Optional,
            "The pool it takes a slot of.",
        ),
        key("run", Verbatim, Optional, "The command of a plugin."),
    ],
};

/// A workflow among others.
pub static WORKFLOW: Mapping = Mapping {
    name: "workflow",
    doc: "A workflow.",
    keys: &[
        key("inputs", INPUTS, Optional, "What it is given."),
        key("outputs", TYPE, Optional, "The type of what it gives."),
        BUDGET,
        WITHIN,
        key("steps", STEPS, Optional, "What it does."),
        key("return", RESULT, Optional, "What it gives."),
    ],
};

/// A call of a step or a workflow.
pub static CALL: Mapping = Mapping {
    name: "call",
    doc: "A call of a step or a workflow, with its policies.",
    keys: &[
        ID,
        TYPE_KEY,
        key("step", Language(F::CallHead), Required, "What is called."),
        OF,
        WITH,
        key(
            "retry",
            Language(F::Retry),
            Optional,
            "How often it is tried: `3 backoff 1s..30s on timeout`.",
        ),
        key(
            "timeout",
            Language(F::Expression),
            Optional,
            "The longest time for one attempt.",
        ),
        WITHIN,
        BUDGET,
        key(
            "cache",
            Language(F::Cache),
            Optional,
            "Whether results are shared between runs: `on`, `off` or for how long.",
        ),
        key(
            "pool",
            Language(F::Path),
            Optional,
            "The pool it takes a slot of.",
        ),
        key("after", NAMES, Optional, "What must have succeeded before."),
        key("label", Value, Optional, "What people are shown."),
        key(
            "effect",
            Language(F::Effects),
            Optional,
            "What it does, where the step leaves that to the call.",
        ),
        key(
            "on_lost",
            Word(&["again", "ask", "fail"]),
            Optional,
            "What to do if its reply was lost.",
        ),
        key(
            "assume",
            Language(F::Expression),
            Optional,
            "The bound of a price that is not known.",
        ),
        ELSE,
    ],
};

/// A value under a name.
pub static VALUE: Mapping = Mapping {
    name: "value",
    doc: "A value that is computed, under a name.",
    keys: &[ID, TYPE_KEY, key("value", Value, Required, "The value.")],
};

/// A choice by a condition.
pub static IF: Mapping = Mapping {
    name: "if",
    doc: "A choice by a condition.",
    keys: &[
        ID,
        TYPE_KEY,
        key("if", Language(F::Expression), Required, "The condition."),
        DO,
        YIELD,
        key(
            "else",
            Either(&[Shape::Mapping(&BRANCH), Item]),
            Optional,
            "What is done if it doesn't hold: a block, or another `if`.",
        ),
    ],
};

/// A choice by a value.
pub static MATCH: Mapping = Mapping {
    name: "match",
    doc: "A choice by a value.",
    keys: &[
        ID,
        TYPE_KEY,
        key("match", Language(F::Expression), Required, "The value."),
        key(
            "arms",
            Named(&FALLBACK),
            Required,
            "What is done, by pattern: `noir | neon`, `some x`, `none`, `_`.",
        ),
    ],
};

/// One body for each item of a list.
pub static FOR: Mapping = Mapping {
    name: "for",
    doc: "One body for each item of a list.",
    keys: &[
        ID,
        TYPE_KEY,
        key(
            "for",
            Language(F::ForHead),
            Required,
            "The item's name and the list: `x in xs`.",
        ),
        key(
            "by",
            Language(F::Expression),
            Optional,
            "What identifies an item.",
        ),
        key(
            "max",
            Language(F::Expression),
            Optional,
            "The most items there may be.",
        ),
        key(
            "parallel",
            Language(F::Expression),
            Optional,
            "The most items that are open at once.",
        ),
        key(
            "keep",
            Word(&["ok"]),
            Optional,
            "`ok` leaves failed items out.",
        ),
        BUDGET,
        WITHIN,
        DO,
        YIELD,
    ],
};

/// A body that hands a state to itself.
pub static REPEAT: Mapping = Mapping {
    name: "repeat",
    doc: "A body that hands a state to itself.",
    keys: &[
        ID,
        TYPE_KEY,
        key(
            "repeat",
            Language(F::RepeatHead),
            Required,
            "The state's name and type: `s: State`.",
        ),
        key("from", Value, Required, "The first state."),
        key("max", Language(F::Expression), Required, "The most rounds."),
        key(
            "until",
            Language(F::Expression),
            Optional,
            "When to end, asked of the new state.",
        ),
        BUDGET,
        WITHIN,
        DO,
        YIELD,
    ],
};

/// The first that succeeds.
pub static RACE: Mapping = Mapping {
    name: "race",
    doc: "Several ways to one value, of which the first that succeeds counts.",
    keys: &[
        ID,
        TYPE_KEY,
        key(
            "race",
            Shape::Mapping(&BODY),
            Required,
            "The contenders, an item each.",
        ),
        ELSE,
    ],
};

/// A block whose acts are not ordered.
pub static PARALLEL: Mapping = Mapping {
    name: "parallel",
    doc: "A block whose acts are not ordered.",
    keys: &[
        ID,
        TYPE_KEY,
        key("parallel", Shape::Mapping(&BODY), Required, "What is done."),
    ],
};

/// The kinds of items; each has the key that it is named after.
pub static ITEMS: &[&Mapping] = &[&CALL, &VALUE, &IF, &MATCH, &FOR, &REPEAT, &RACE, &PARALLEL];

/// The block of a `race` or a `parallel`.
pub static BODY: Mapping = Mapping {
    name: "block",
    doc: "A block with its limits.",
    keys: &[BUDGET, WITHIN, DO, YIELD],
};

/// The block of an arm, a fallback or an `else`.
pub static BRANCH: Mapping = Mapping {
    name: "block",
    doc: "A block.",
    keys: &[DO, YIELD],
};

/// What starts a workflow by itself.
pub static TRIGGER: Mapping = Mapping {
    name: "trigger",
    doc: "What starts a workflow by itself.",
    keys: &[
        key("run", Language(F::Path), Required, "The workflow."),
        OF,
        WITH,
        key(
            "cron",
            Verbatim,
            Optional,
            "When: minute, hour, day, month, weekday.",
        ),
        key("tz", Verbatim, Optional, "The time zone of `cron`."),
        key(
            "on",
            Language(F::TriggerOn),
            Optional,
            "What it waits for: `webhook \"/x\" body T`, `file \"…\"`, `flow name finished`.",
        ),
        key(
            "overlap",
            Word(&["skip", "queue", "cancel", "allow"]),
            Optional,
            "What happens while the last run goes on.",
        ),
        key(
            "catchup",
            Language(F::Catchup),
            Optional,
            "What happens to times that were missed: `none`, `last`, `all max 3`.",
        ),
        key(
            "jitter",
            Language(F::Literal),
            Optional,
            "By how much a start may be put off.",
        ),
        key("paused", Flag, Optional, "Whether it is switched off."),
        key(
            "pause_after",
            Language(F::Literal),
            Optional,
            "After how many failures it is switched off.",
        ),
        BUDGET,
        WITHIN,
        key(
            "notify",
            Either(&[List(&Language(F::Notify)), Language(F::Notify)]),
            Optional,
            "Who is told of what: `email \"…\" on failure`.",
        ),
    ],
};

/// A replaced step of a test.
pub static STUB: Mapping = Mapping {
    name: "stub",
    doc: "A step that answers by itself in a test.",
    keys: &[
        key("stub", Language(F::Path), Required, "The step."),
        key(
            "at",
            Verbatim,
            Optional,
            "The only place where it is replaced: `stills[2]/drafts`.",
        ),
        key(
            "replies",
            List(&Either(&[Value, Shape::Mapping(&FAILS)])),
            Required,
            "What it answers, the last one for ever.",
        ),
    ],
};

/// A failure as an answer.
pub static FAILS: Mapping = Mapping {
    name: "failure",
    doc: "A failure as an answer.",
    keys: &[key(
        "fails",
        Language(F::Fails),
        Required,
        "The class, and how often: `timeout times 2`.",
    )],
};

/// A run of a test.
pub static RUN: Mapping = Mapping {
    name: "run",
    doc: "A run of a workflow in a test.",
    keys: &[
        key("id", Language(F::Name), Optional, "The name of the result."),
        key("run", Language(F::Path), Required, "The workflow."),
        OF,
        WITH,
    ],
};

/// A claim of a test.
pub static EXPECT: Mapping = Mapping {
    name: "expectation",
    doc: "A claim that a test makes.",
    keys: &[key(
        "expect",
        Language(F::Expression),
        Required,
        "What must hold.",
    )],
};

/// A text made from a template.
pub static TEMPLATE: Mapping = Mapping {
    name: "template",
    doc: "A text made from a template.",
    keys: &[
        key("template", Value, Required, "The template's file."),
        key("data", Value, Optional, "What the template may name."),
    ],
};

/// A file as a value.
pub static FILE_LITERAL: Mapping = Mapping {
    name: "file literal",
    doc: "A file as a value.",
    keys: &[key(
        "file",
        Value,
        Required,
        "The path, relative to this file.",
    )],
};

/// A secret by its name.
pub static SECRET: Mapping = Mapping {
    name: "secret",
    doc: "A secret by its name.",
    keys: &[key("secret", Value, Required, "Its name.")],
};

/// Every mapping with fixed keys.
pub static MAPPINGS: &[&Mapping] = &[
    &FILE,
    &USE,
    &INPUT,
    &STEP_DECLARATION,
    &WORKFLOW,
    &CALL,
    &VALUE,
    &IF,
    &MATCH,
    &FOR,
    &REPEAT,
    &RACE,
    &PARALLEL,
    &BODY,
    &BRANCH,
    &TRIGGER,
    &STUB,
    &FAILS,
    &RUN,
    &EXPECT,
    &TEMPLATE,
    &FILE_LITERAL,
    &SECRET,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Visits the mappings that a shape names.
    fn mappings(shape: &Shape, visit: &mut dyn FnMut(&'static Mapping)) {
        match shape {
            Shape::Mapping(mapping) => visit(mapping),
            Named(inner) | List(inner) => mappings(inner, visit),
            Either(shapes) => shapes.iter().for_each(|shape| mappings(shape, visit)),
            Language(_) | Verbatim | Word(_) | Flag | Value | Item => {}
        }
    }

    #[test]
    fn every_mapping_is_listed_and_every_key_described_once() {
        for mapping in MAPPINGS {
            for (at, key) in mapping.keys.iter().enumerate() {
                assert!(key.doc.ends_with('.'), "`{}` has a sentence", key.name);
                let others = &mapping.keys[..at];
                assert!(others.iter().all(|other| other.name != key.name));
                mappings(&key.shape, &mut |inner| {
                    let is_listed = MAPPINGS.iter().any(|one| std::ptr::eq(*one, inner));
                    assert!(is_listed, "`{}` is listed", inner.name);
                });
            }
        }
    }
}
