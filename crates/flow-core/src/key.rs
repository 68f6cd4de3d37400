//! Names of results and acts, and numbers that depend on a place.
//!
//! A result is known by what it was made of, an act by where it stands. Neither
//! depends on the order in which things happen to run, so both are the same
//! after a resume and on another machine.
//!
//! How they are computed must never change: with another key, a result is paid
//! for again, and an act is done again. What they are is recorded in
//! `tests/golden/`. They are hashed from an encoding of their own, so that the
//! stored form of values may grow without them.

mod content;
mod parts;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::RunId;
use crate::amount::Duration;
use crate::digest::Digest;
use crate::event::BEHAVIOUR;
use crate::key::content::{Content, Docs};
use crate::path::{Key, StepPath};
use crate::plan::Step;
use crate::ty::Type;
use crate::value::Value;

pub use parts::{Difference, KeptParts, Part, Way};

/// The shortest pause before another attempt: nothing is tried in a tight loop.
pub const PAUSE_MIN: Duration = Duration(10 * Duration::MILLISECOND.0);

/// What a result is made of. Whatever isn't here changes no result: where the
/// step stands and how it is called, who runs it and how often it is tried,
/// what it may cost, and when.
#[derive(Debug, Clone, Copy)]
pub struct Ingredients<'a> {
    /// The digest of the step's declaration.
    pub signature: &'a str,
    /// The digest of the program, if it is a plugin.
    pub implementation: Option<Digest>,
    /// The arguments, names of models among them. Of artifacts, the bytes and
    /// the medium count; of lists, the items and not their keys; of secrets, the
    /// names.
    pub args: &'a BTreeMap<Arc<str>, Value>,
    /// What stands for the type parameter. Its documentation is told to models,
    /// so it counts.
    pub type_arg: Option<&'a Type>,
    /// The type of the result, without documentation.
    pub result: Option<&'a Type>,
    /// The seed, if the step draws from it.
    pub seed: Option<u64>,
    /// What models consist of whose names are among the arguments, where that
    /// can be known: the digests of their files.
    pub models: &'a BTreeMap<Arc<str>, Digest>,
    /// The variables of the environment that the step declares.
    pub environment: &'a BTreeMap<Arc<str>, Arc<str>>,
}

/// A step that declares no variables.
static NO_VARIABLES: BTreeMap<Arc<str>, Arc<str>> = BTreeMap::new();

/// A step with models of which only the names are known.
static NO_MODELS: BTreeMap<Arc<str>, Digest> = BTreeMap::new();

impl<'a> Ingredients<'a> {
    /// Returns what a call is made of that needs nothing besides its arguments.
    ///
    /// The seed counts if the step has a parameter `seed` that nothing was
    /// given for, since it draws from the seed of the call then.
    pub fn of(
        step: &'a Step,
        result: Option<&'a Type>,
        args: &'a BTreeMap<Arc<str>, Value>,
        seed: u64,
    ) -> Self {
        let is_open = matches!(args.get("seed"), None | Some(Value::None));
        let draws = is_open && step.params.contains_key("seed");
        Self {
            signature: &step.signature,
            implementation: None,
            args,
            type_arg: step.type_arg.as_ref(),
            result,
            seed: draws.then_some(seed),
            models: &NO_MODELS,
            environment: &NO_VARIABLES,
        }
    }
}

/// The key of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultKey {
    /// The key.
    pub digest: Digest,
    /// The key without the seed, if the step draws from it: what a step that
    /// was only renamed has in common with what it was before.
    pub unseeded: Option<Digest>,
    /// The digests of what it is made of. They are kept to tell what differs
    /// when a result isn't found.
    pub parts: Vec<(Part, Digest)>,
}

/// Computes the key of a result.
pub fn cache_key(ingredients: &Ingredients<'_>) -> ResultKey {
    let parts = digests(ingredients);
    let is_seed = |part: &Part| *part == Part::Seed;
    let draws = parts.iter().any(|(part, _)| is_seed(part));
    ResultKey {
        digest: whole(parts.iter()),
        unseeded: draws.then(|| whole(parts.iter().filter(|(part, _)| !is_seed(part)))),
        parts,
    }
}

/// Computes the digest of each part.
fn digests(ingredients: &Ingredients<'_>) -> Vec<(Part, Digest)> {
    let Ingredients {
        signature,
        implementation,
        args,
        type_arg,
        result,
        seed,
        models,
        environment,
    } = *ingredients;
    let mut parts: Vec<(Part, Digest)> = Vec::with_capacity(args.len() + 4);
    let mut part = |part: Part, fill: &dyn Fn(&mut Content)| {
        let mut content = Content::new("flow 2026-01-01 part of the key of a result");
        fill(&mut content);
        parts.push((part, content.digest()));
    };
    part(Part::Signature, &|content| content.text(signature));
    if let Some(digest) = implementation {
        part(Part::Implementation, &|content| content.raw(&digest.0));
    }
    for (name, value) in args {
        part(Part::Input(name.clone()), &|content| content.value(value));
    }
    if let Some(ty) = type_arg {
        part(Part::Type, &|content| content.ty(ty, Docs::Count));
    }
    if let Some(ty) = result {
        part(Part::Result, &|content| content.ty(ty, Docs::DontCount));
    }
    if let Some(seed) = seed {
        part(Part::Seed, &|content| content.number(seed));
    }
    for (name, digest) in models {
        part(Part::Model(name.clone()), &|content| content.raw(&digest.0));
    }
    for (name, text) in environment {
        part(Part::Environment(name.clone()), &|content| {
            content.text(text);
        });
    }
    parts
}

/// Computes the key of some parts.
fn whole<'a>(parts: impl Iterator<Item = &'a (Part, Digest)>) -> Digest {
    let mut whole = Content::new("flow 2026-01-01 key of a result");
    for (part, digest) in parts {
        whole.words(part.words());
        whole.raw(&digest.0);
    }
    whole.digest()
}

/// Computes the key of the result of a whole run, all of whose steps are pure.
///
/// `files` are the artifacts of the files that the plan names, by their paths.
pub fn run_key(plan: &Digest, inputs: &Value, files: &BTreeMap<Arc<str>, Value>) -> Digest {
    let mut content = Content::new("flow 2026-01-01 key of the result of a run");
    content.number(u64::from(BEHAVIOUR));
    content.raw(&plan.0);
    content.value(inputs);
    content.count(files.len());
    for (path, file) in files {
        content.text(path);
        content.value(file);
    }
    content.digest()
}

/// Computes the digest of the arguments of an attempt.
pub fn input_digest(args: &BTreeMap<Arc<str>, Value>) -> Digest {
    let mut content = Content::new("flow 2026-01-01 arguments of an attempt");
    content.count(args.len());
    for (name, value) in args {
        content.text(name);
        content.value(value);
    }
    content.digest()
}

/// Computes the key by which a target knows an act.
///
/// The era grows when it is known that the act didn't happen: many targets
/// answer a key that they know with the answer they gave before, an error too.
pub fn idempotency(run: &RunId, path: &StepPath, generation: u32, era: u32) -> Digest {
    let mut content = Content::new("flow 2026-01-01 key of an act");
    content.text(&run.0);
    add_path(&mut content, path);
    content.number(u64::from(generation));
    content.number(u64::from(era));
    content.digest()
}

/// Computes the number that a step draws from.
pub fn seed(run_seed: u64, path: &StepPath) -> u64 {
    let mut content = Content::new("flow 2026-01-01 seed of a step");
    content.number(run_seed);
    add_path(&mut content, path);
    content.bits()
}

/// Computes the pause after the nth failed attempt, counted from 1.
///
/// It is drawn from nothing up to a limit that doubles with each attempt, so
/// that those who failed together don't come back together.
pub fn backoff(
    run_seed: u64,
    path: &StepPath,
    nth: u32,
    first: Duration,
    longest: Duration,
) -> Duration {
    let mut content = Content::new("flow 2026-01-01 pause before another attempt");
    content.number(run_seed);
    add_path(&mut content, path);
    content.number(u64::from(nth));
    let doubled = 2_i64.saturating_pow(nth.saturating_sub(1));
    let limit = first.0.saturating_mul(doubled).min(longest.0).max(0);
    // The upper half of the product is the limit times a fraction below 1.
    let choices = u128::from(limit.unsigned_abs()) + 1;
    let drawn = (u128::from(content.bits()) * choices) >> 64;
    let drawn = i64::try_from(drawn).expect("a fraction of the limit is not above it");
    PAUSE_MIN.max(Duration(drawn))
}

fn add_path(content: &mut Content, path: &StepPath) {
    content.count(path.segments().len());
    for segment in path.segments() {
        content.text(&segment.name);
        match &segment.key {
            None => content.tag(0),
            Some(Key::Index(index)) => {
                content.tag(1);
                content.number(*index);
            }
            Some(Key::Word(word)) => {
                content.tag(2);
                content.text(word);
            }
        }
    }
}
