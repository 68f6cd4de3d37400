//! Keys and what changes them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use flow_core::address::RunId;
use flow_core::amount::{Duration, Money, Size, Timestamp};
use flow_core::digest::Digest;
use flow_core::effect::Effect;
use flow_core::expr::Expr;
use flow_core::key::{
    Difference, Ingredients, KeptParts, PAUSE_MIN, Part, ResultKey, Way, backoff, cache_key,
    idempotency, input_digest, seed,
};
use flow_core::path::{Key, StepPath};
use flow_core::plan::{Cache, Policies, Step};
use flow_core::ty::{Bounds, EnumType, FieldType, Media, RecordType, TextRule, Type, VariantType};
use flow_core::value::{Artifact, List, Value};

type Args = BTreeMap<Arc<str>, Value>;

/// Ingredients that a case may change.
struct Recipe {
    signature: String,
    implementation: Option<Digest>,
    args: Args,
    type_arg: Option<Type>,
    result: Option<Type>,
    seed: Option<u64>,
    models: BTreeMap<Arc<str>, Digest>,
    environment: BTreeMap<Arc<str>, Arc<str>>,
}

impl Recipe {
    fn key(&self) -> ResultKey {
        cache_key(&Ingredients {
            signature: &self.signature,
            implementation: self.implementation,
            args: &self.args,
            type_arg: self.type_arg.as_ref(),
            result: self.result.as_ref(),
            seed: self.seed,
            models: &self.models,
            environment: &self.environment,
        })
    }
}

fn recipe() -> Recipe {
    Recipe {
        signature: Digest::of(b"step gen.images").to_string(),
        implementation: Some(Digest::of(b"program")),
        args: args(),
        type_arg: Some(shot("A shot.", "Shot")),
        result: Some(Type::list(shot("A shot.", "Shot"))),
        seed: Some(42),
        models: BTreeMap::new(),
        environment: BTreeMap::from([("LANG".into(), "C".into()), ("TZ".into(), "UTC".into())]),
    }
}

fn args() -> Args {
    BTreeMap::from([
        ("prompt".into(), Value::text("a fox")),
        ("model".into(), Value::text("local/sketch")),
        ("count".into(), Value::Int(3)),
        (
            "size".into(),
            Value::Size(Size {
                width: 1080,
                height: 1920,
            }),
        ),
        ("strength".into(), Value::Float(0.5)),
        ("wait".into(), Value::Duration(Duration::SECOND)),
        ("limit".into(), Value::Money(Money::DOLLAR)),
        ("when".into(), Value::Time(Timestamp(1_800_000_000_000))),
        ("look".into(), Value::Enum("noir".into())),
        ("key".into(), Value::Secret("API_KEY".into())),
        ("exact".into(), Value::Bool(true)),
        ("nothing".into(), Value::None),
        ("from".into(), image("pictures", &[("width", 64)])),
        (
            "shots".into(),
            list(Some(vec![Key::Index(0), Key::Word("b".into())])),
        ),
        (
            "options".into(),
            Value::Record(Arc::new(BTreeMap::from([("a".into(), Value::Int(1))]))),
        ),
    ])
}

fn image(content: &str, facts: &[(&str, i64)]) -> Value {
    Value::Artifact(Arc::new(Artifact {
        digest: Digest::of(content.as_bytes()).to_string().into(),
        media: Media::Image,
        bytes: 1000,
        facts: facts
            .iter()
            .map(|(name, number)| ((*name).into(), Value::Int(*number)))
            .collect(),
    }))
}

fn list(keys: Option<Vec<Key>>) -> Value {
    Value::List(Arc::new(List {
        items: vec![Value::text("dusk"), Value::text("dawn")],
        keys,
    }))
}

fn shot(docs: &str, name: &str) -> Type {
    let field = |name: &str, docs: &str, ty: Type| FieldType {
        name: name.into(),
        ty,
        docs: docs.into(),
    };
    let look = EnumType {
        name: Some("Look".into()),
        variants: vec![VariantType {
            name: "noir".into(),
            outside: "noir".into(),
        }],
    };
    Type::Record(Arc::new(RecordType {
        name: Some(name.into()),
        fields: vec![
            field("prompt", docs, Type::text()),
            field("seconds", "", Type::float().optional()),
            field("look", "", Type::Enum(Arc::new(look))),
        ],
    }))
}

#[test]
fn every_ingredient_changes_the_key_and_is_named() {
    type Change = fn(&mut Recipe);
    let table: [(&str, Change); 16] = [
        ("signature", |it| it.signature.push('0')),
        ("implementation", |it| it.implementation = None),
        ("implementation", |it| {
            it.implementation = Some(Digest::of(b"other"));
        }),
        ("type", |it| it.type_arg = None),
        ("type", |it| it.type_arg = Some(shot("Another.", "Shot"))),
        ("type", |it| it.type_arg = Some(Type::text())),
        ("result", |it| it.result = None),
        ("result", |it| it.result = Some(shot("A shot.", "Shot"))),
        ("seed", |it| it.seed = None),
        ("seed", |it| it.seed = Some(43)),
        ("model local/sketch", |it| {
            let digest = Digest::of(b"weights");
            it.models.insert("local/sketch".into(), digest);
        }),
        ("model local/sketch", |it| {
            let digest = Digest::of(b"other weights");
            it.models.insert("local/sketch".into(), digest);
        }),
        ("environment TZ", |it| {
            it.environment.insert("TZ".into(), "CET".into());
        }),
        ("environment TZ", |it| {
            it.environment.remove("TZ");
        }),
        ("environment HOME", |it| {
            it.environment.insert("HOME".into(), "".into());
        }),
        ("input nothing", |it| {
            it.args.remove("nothing");
        }),
    ];
    let changed = table.into_iter().map(|(name, change)| {
        let mut changed = recipe();
        change(&mut changed);
        (name.to_owned(), changed.key())
    });
    let inputs = other_inputs().into_iter().map(|(name, value)| {
        let mut changed = recipe();
        changed.args.insert(name.into(), value);
        (format!("input {name}"), changed.key())
    });
    let base = recipe().key();
    let mut seen = vec![base.digest];
    for (at, (name, key)) in changed.chain(inputs).enumerate() {
        assert!(!seen.contains(&key.digest), "case {at}: {name}");
        seen.push(key.digest);
        assert_eq!(differences(&base, &key), [name], "case {at}");
    }
}

/// Arguments that differ from those of [`args`].
fn other_inputs() -> Vec<(&'static str, Value)> {
    let turned = Size {
        width: 1920,
        height: 1080,
    };
    let file = Artifact {
        digest: Digest::of(b"pictures").to_string().into(),
        media: Media::File,
        bytes: 1000,
        facts: BTreeMap::new(),
    };
    let other_field = BTreeMap::from([("b".into(), Value::Int(1))]);
    vec![
        ("extra", Value::None),
        ("nothing", Value::text("")),
        ("prompt", Value::text("a fox ")),
        ("prompt", Value::Enum("a fox".into())),
        ("prompt", Value::Secret("a fox".into())),
        ("model", Value::text("other")),
        ("count", Value::Int(-3)),
        ("count", Value::Float(3.0)),
        ("size", Value::Size(turned)),
        ("strength", Value::Float(0.25)),
        ("wait", Value::Duration(Duration::MINUTE)),
        ("wait", Value::Money(Money(Duration::SECOND.0))),
        ("limit", Value::Money(Money(1))),
        ("when", Value::Time(Timestamp(0))),
        ("look", Value::Enum("neon".into())),
        ("key", Value::Secret("OTHER_KEY".into())),
        ("exact", Value::Bool(false)),
        ("from", image("others", &[("width", 64)])),
        ("from", Value::Artifact(Arc::new(file))),
        (
            "shots",
            Value::list(vec![Value::text("dawn"), Value::text("dusk")]),
        ),
        ("shots", Value::list(vec![Value::text("dusk")])),
        ("shots", Value::list(vec![list(None)])),
        ("options", Value::Record(Arc::new(other_field))),
    ]
}

/// Names the parts that two keys don't share.
fn differences(one: &ResultKey, other: &ResultKey) -> Vec<String> {
    let [one, other] = [one, other].map(|key| {
        // What is kept is enough to tell.
        let bytes = KeptParts::of(&key.parts).encode();
        KeptParts::decode(&bytes).expect("what was encoded is decoded")
    });
    let mut names: Vec<String> = other
        .differences_from(&one)
        .into_iter()
        .map(|found| found.part.to_string())
        .collect();
    names.dedup();
    names
}

#[test]
fn differences_say_in_which_way() {
    let mut other = recipe();
    other.args.remove("nothing");
    other.args.insert("more".into(), Value::Int(1));
    other.args.insert("prompt".into(), Value::text("a dog"));
    let [before, after] = [recipe(), other].map(|it| KeptParts::of(&it.key().parts));
    let input = |name: &str, way| Difference {
        part: Part::Input(name.into()),
        way,
    };
    let expected = [
        input("more", Way::New),
        input("nothing", Way::Gone),
        input("prompt", Way::Other),
    ];
    let found = after.differences_from(&before);
    assert_eq!(found, expected);
    let told: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["a new `more`", "no more `nothing`", "another `prompt`"]
    );
    assert_eq!(after.differences_from(&after), []);
}

#[test]
fn what_is_kept_of_parts_is_small_and_is_read_only_if_it_is_whole() {
    let kept = KeptParts::of(&recipe().key().parts);
    let bytes = kept.encode();
    assert!(bytes.len() < 23 * 30, "{}", bytes.len());
    assert_eq!(KeptParts::decode(&bytes), Some(kept.clone()));
    for length in 0..bytes.len() {
        let read = KeptParts::decode(&bytes[..length]);
        assert_ne!(read, Some(kept.clone()), "{length}");
    }
    assert_eq!(KeptParts::decode(b"signature\0"), None);
    let long = "x".repeat(100_000);
    let long = [(Part::Input(long.into()), Digest::of(b"x"))];
    let read = KeptParts::decode(&KeptParts::of(&long).encode());
    assert!(read.is_some());
}

#[test]
fn a_key_without_its_seed_is_that_of_a_step_that_draws_nothing() {
    let drawn = recipe().key();
    let fixed = Recipe {
        seed: None,
        ..recipe()
    };
    assert_eq!(drawn.unseeded, Some(fixed.key().digest));
    assert_eq!(fixed.key().unseeded, None);
    let other = Recipe {
        seed: Some(43),
        ..recipe()
    };
    assert_eq!(other.key().unseeded, drawn.unseeded);
}

#[test]
fn what_makes_no_difference_does_not_change_the_key() {
    type Change = fn(&mut Recipe);
    let table: &[(&str, Change)] = &[
        ("keys of items", |it| {
            it.args.insert("shots".into(), list(None));
        }),
        ("other keys of items", |it| {
            let keys = vec![Key::Index(7), Key::Index(8)];
            it.args.insert("shots".into(), list(Some(keys)));
        }),
        ("what was read of a picture", |it| {
            it.args
                .insert("from".into(), image("pictures", &[("height", 9)]));
        }),
        ("the name of a type", |it| {
            it.type_arg = Some(shot("A shot.", "Take"));
        }),
        ("space around documentation", |it| {
            it.type_arg = Some(shot(" A shot.\n", "Shot"));
        }),
        ("documentation of the result", |it| {
            it.result = Some(Type::list(shot("Whatever.", "Take")));
        }),
    ];
    let base = recipe().key();
    for (name, change) in table {
        let mut changed = recipe();
        change(&mut changed);
        assert_eq!(changed.key(), base, "{name}");
    }
}

fn call(params: &[(&str, Type)]) -> Step {
    let params = params
        .iter()
        .map(|(name, ty)| ((*name).into(), ty.clone()))
        .collect();
    Step {
        step: "gen.images".into(),
        type_arg: Some(shot("A shot.", "Shot")),
        args: BTreeMap::new(),
        params: Arc::new(params),
        effect: Effect::Paid,
        signature: "declared".into(),
        run: None,
        price: None,
        pools: Vec::new(),
        policies: Policies::default(),
        fallback: None,
    }
}

#[test]
fn a_call_is_made_of_what_its_step_says() {
    let args = args();
    let step = call(&[("prompt", Type::text())]);
    let result = Some(&Type::Bool);
    let parts = cache_key(&Ingredients::of(&step, result, &args, 42)).parts;
    let names: Vec<_> = parts.iter().map(|(part, _)| part.to_string()).collect();
    assert_eq!(names.len(), args.len() + 3);
    for name in ["signature", "type", "result"] {
        assert!(names.contains(&name.to_owned()), "{name}");
    }

    // Neither the name of the step nor what governs the call is in it.
    let mut other = step.clone();
    other.step = "gen.other".into();
    other.effect = Effect::Pure;
    other.pools = vec![Expr::Const(Value::text("gpu"))];
    other.policies.cache = Some(Cache::On);
    assert_eq!(
        cache_key(&Ingredients::of(&other, result, &args, 43)).parts,
        parts
    );
}

#[test]
fn a_seed_counts_if_the_step_draws_from_it() {
    let with = call(&[("seed", Type::int().optional())]);
    let without = call(&[]);
    let given = Args::from([("seed".into(), Value::Int(7))]);
    let none = Args::from([("seed".into(), Value::None)]);
    let table = [
        (&with, &none, Some(42)),
        (&with, &Args::new(), Some(42)),
        (&with, &given, None),
        (&without, &none, None),
    ];
    for (step, args, seed) in table {
        assert_eq!(Ingredients::of(step, None, args, 42).seed, seed, "{args:?}");
    }
}

#[test]
fn every_part_has_one_name() {
    let parts = recipe().key().parts;
    let mut names: Vec<_> = parts.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names.len(), 22);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 22);
}

#[test]
fn equal_texts_under_other_names_are_other_inputs() {
    let one = Args::from([
        ("a".into(), Value::text("x")),
        ("b".into(), Value::text("y")),
    ]);
    let two = Args::from([
        ("a".into(), Value::text("y")),
        ("b".into(), Value::text("x")),
    ]);
    let three = Args::from([("ab".into(), Value::text("xy"))]);
    assert_ne!(input_digest(&one), input_digest(&two));
    assert_ne!(input_digest(&one), input_digest(&three));
    assert_ne!(input_digest(&one), input_digest(&Args::new()));
}

#[test]
fn arguments_have_one_digest_whatever_keys_their_lists_carry() {
    let with = Args::from([(
        "shots".into(),
        list(Some(vec![Key::Index(0), Key::Index(1)])),
    )]);
    let without = Args::from([("shots".into(), list(None))]);
    assert_eq!(input_digest(&with), input_digest(&without));
}

#[test]
fn the_border_between_list_and_item_makes_a_difference() {
    let list = |items: Vec<Value>| Value::list(items);
    let n = || Value::None;
    let table = [
        list(vec![list(vec![n(), n()])]),
        list(vec![list(vec![n()]), n()]),
        list(vec![n(), list(vec![n()])]),
        list(vec![list(vec![]), n(), n()]),
        list(vec![n(), n(), list(vec![])]),
    ];
    let digests: Vec<_> = table
        .into_iter()
        .map(|value| input_digest(&Args::from([("a".into(), value)])))
        .collect();
    for (at, digest) in digests.iter().enumerate() {
        assert!(!digests[..at].contains(digest), "{at}");
    }
}

#[test]
fn a_value_may_be_as_deep_as_it_is() {
    let deep = (0..1000).fold(Value::None, |inner, _| Value::list(vec![inner]));
    let deeper = Value::list(vec![deep.clone()]);
    let digest = |value| input_digest(&Args::from([("a".into(), value)]));
    assert_ne!(digest(deep), digest(deeper));
}

fn path() -> StepPath {
    StepPath::root("music_video")
        .join("stills")
        .item(Key::Index(3))
        .join("drafts")
}

fn run(name: &str) -> RunId {
    RunId(name.into())
}

#[test]
fn an_act_is_known_by_run_place_generation_and_era() {
    let base = idempotency(&run("7f3a"), &path(), 1, 2);
    let word = StepPath::root("music_video")
        .join("stills")
        .item(Key::Word("3".into()))
        .join("drafts");
    let others = [
        idempotency(&run("7f3b"), &path(), 1, 2),
        idempotency(&run("7f3a"), &word, 1, 2),
        idempotency(&run("7f3a"), &path().join("more"), 1, 2),
        idempotency(&run("7f3a"), &path(), 2, 1),
        idempotency(&run("7f3a"), &path(), 1, 3),
        idempotency(&run("7f3a"), &path(), 2, 2),
    ];
    for (at, other) in others.iter().enumerate() {
        assert_ne!(*other, base, "{at}");
        assert!(!others[..at].contains(other), "{at}");
    }
    assert_eq!(idempotency(&run("7f3a"), &path(), 1, 2), base);
}

#[test]
fn a_seed_depends_on_the_run_and_the_place() {
    let base = seed(1, &path());
    assert_eq!(seed(1, &path()), base);
    assert_ne!(seed(2, &path()), base);
    assert_ne!(seed(1, &path().join("more")), base);
    // A step and an expression at one place draw from different streams.
    let draw = flow_core::draw::Draw::new(1, &path(), 0).bits();
    assert_ne!(draw, base);
}

#[test]
fn pauses_double_up_to_the_longest_and_are_spread_evenly() {
    let (first, longest) = (Duration::SECOND, Duration(10 * Duration::SECOND.0));
    for nth in 1..=8 {
        let limit = (first.0 << (nth - 1)).min(longest.0);
        let pauses: Vec<i64> = (0..2000)
            .map(|seed| backoff(seed, &path(), nth, first, longest).0)
            .collect();
        assert!(
            pauses
                .iter()
                .all(|pause| (PAUSE_MIN.0..=limit).contains(pause))
        );
        for quarter in 0..4 {
            let range = limit / 4 * quarter..limit / 4 * (quarter + 1);
            let count = pauses.iter().filter(|pause| range.contains(pause)).count();
            assert!((400..600).contains(&count), "{nth}, {quarter}: {count}");
        }
    }
}

#[test]
fn pauses_depend_on_every_argument() {
    let (first, longest) = (Duration::SECOND, Duration::HOUR);
    let base = backoff(1, &path(), 2, first, longest);
    assert_eq!(backoff(1, &path(), 2, first, longest), base);
    assert_ne!(backoff(2, &path(), 2, first, longest), base);
    assert_ne!(backoff(1, &path(), 3, first, longest), base);
    assert_ne!(backoff(1, &path().join("a"), 2, first, longest), base);
}

#[test]
fn pauses_at_the_edges_are_pauses() {
    let most = Duration(i64::MAX);
    let table = [
        (0, Duration(0), Duration(0)),
        (0, Duration(-1), most),
        (1, most, Duration(-5)),
        (1, Duration(1), Duration(1)),
    ];
    for (nth, first, longest) in table {
        assert_eq!(backoff(1, &path(), nth, first, longest), PAUSE_MIN);
    }
    for nth in [1, 64, 65, u32::MAX] {
        assert!(backoff(1, &path(), nth, most, most) > Duration::DAY);
        let pause = backoff(1, &path(), nth, Duration::SECOND, Duration::MINUTE);
        assert!(pause <= Duration::MINUTE, "{nth}");
    }
}

/// What is recorded: names, and keys as texts.
pub(crate) fn samples() -> Vec<(String, String)> {
    let mut samples = Vec::new();
    let mut add = |name: &str, key: String| samples.push((name.to_owned(), key));
    let whole = recipe().key();
    add("result", whole.digest.to_string());
    for (name, digest) in &whole.parts {
        add(&format!("result, {name}"), digest.to_string());
    }
    let nothing = Recipe {
        signature: String::new(),
        implementation: None,
        args: Args::new(),
        type_arg: None,
        result: None,
        seed: None,
        models: BTreeMap::new(),
        environment: BTreeMap::new(),
    };
    add("result of nothing", nothing.key().digest.to_string());
    for (name, ty) in types() {
        let of_type = Recipe {
            type_arg: Some(ty),
            ..recipe()
        };
        add(
            &format!("result of type {name}"),
            of_type.key().digest.to_string(),
        );
    }
    add("arguments", input_digest(&args()).to_string());
    add("no arguments", input_digest(&Args::new()).to_string());
    add("act", idempotency(&run("7f3a"), &path(), 0, 0).to_string());
    let word = path().join("post").item(Key::Word("größe".into()));
    add(
        "act at a word",
        idempotency(&run("7f3a"), &word, 2, 1).to_string(),
    );
    add("seed", seed(42, &path()).to_string());
    add("seed at a word", seed(u64::MAX, &word).to_string());
    for nth in 1..=5 {
        let mut pauses = String::new();
        for run_seed in 0..3 {
            let pause = backoff(run_seed, &path(), nth, Duration::SECOND, Duration::MINUTE);
            write!(pauses, "{} ", pause.0).expect("a text takes all");
        }
        add(&format!("pauses after {nth}"), pauses.trim().to_owned());
    }
    samples
}

/// A type of every kind.
fn types() -> Vec<(&'static str, Type)> {
    let length = Bounds {
        min: Some(1),
        max: Some(80),
    };
    let rule = TextRule {
        length,
        matching: Some("[a-z]+".into()),
    };
    let ints = Bounds {
        min: Some(-1),
        max: None,
    };
    let floats = Bounds {
        min: None,
        max: Some(0.5),
    };
    vec![
        ("text", Type::text()),
        ("text matching", Type::Text(rule)),
        ("int", Type::int()),
        ("int in", Type::Int(ints)),
        ("float", Type::float()),
        ("float in", Type::Float(floats)),
        ("bool", Type::Bool),
        ("duration", Type::Duration(Bounds::default())),
        ("money", Type::Money(Bounds::default())),
        ("time", Type::Time),
        ("size", Type::Size),
        ("model", Type::Model),
        ("json", Type::Json),
        ("secret", Type::Secret),
        ("step", Type::Step),
        ("image", Type::Media(Media::Image)),
        ("video", Type::Media(Media::Video)),
        ("audio", Type::Media(Media::Audio)),
        ("file", Type::Media(Media::File)),
        ("list", Type::list(Type::text())),
        ("map", Type::Map(Arc::new(Type::text()))),
        ("optional", Type::text().optional()),
        ("record", shot("A shot.", "Shot")),
    ]
}

#[test]
fn every_type_has_a_key_of_its_own() {
    let samples = samples();
    for (at, (name, key)) in samples.iter().enumerate() {
        let twin = samples[..at].iter().find(|(_, other)| other == key);
        // The record is what the recipe has as it is.
        let is_same = name == "result of type record";
        assert_eq!(twin.is_some(), is_same, "{name}");
    }
}
