//! The stored form of events and values, from outside.
#![expect(clippy::unwrap_used, reason = "test harness")]

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::amount::{Money, Timestamp};
use flow_core::event::{Event, Fact};
use flow_core::handle::{Handle, Listed, SMALL_MAX};
use flow_core::path::Key;
use flow_core::value::{Artifact, List, Value};
use flow_core::wire::{EncodeError, NESTING_MAX, WireError, value_digest};

use crate::sample::{Dice, FACTS, VALUES, kind, position};

fn bytes(event: &Event) -> Vec<u8> {
    let mut bytes = Vec::new();
    event.encode(&mut bytes).unwrap();
    bytes
}

fn value_bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut bytes).unwrap();
    bytes
}

#[test]
fn every_fact_is_made_and_has_a_kind_of_its_own() {
    let events = Dice(1).events();
    let positions: Vec<_> = events.iter().map(|event| position(&event.fact)).collect();
    assert_eq!(positions, (0..FACTS).collect::<Vec<_>>());
    let mut kinds: Vec<_> = events.iter().map(|event| event.fact.kind()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), FACTS);
}

#[test]
fn every_kind_of_value_is_made() {
    for made in 0..VALUES {
        assert_eq!(kind(&Dice(1).value_of(made, 2)), made);
    }
}

#[test]
fn what_is_stored_is_read_back_and_stored_alike() {
    for seed in 0..300 {
        for event in Dice(seed).events() {
            let stored = bytes(&event);
            let read = Event::decode(&stored).unwrap();
            assert_eq!(read, event, "seed {seed}");
            // Equality doesn't see the keys of lists; bytes do.
            assert_eq!(bytes(&read), stored, "seed {seed}");
            let mut fact = vec![0xFF];
            event.fact.encode(&mut fact).unwrap();
            assert_eq!(Fact::decode(&fact[1..]).unwrap(), event.fact, "seed {seed}");
        }
    }
}

#[test]
fn values_are_read_back_with_keys_and_every_bit() {
    for seed in 0..5000 {
        let value = Dice(seed).value(4);
        let stored = value_bytes(&value);
        let read = Value::decode(&stored).unwrap();
        // Texts of them show keys, and tell -0 from 0.
        assert_eq!(format!("{read:?}"), format!("{value:?}"), "seed {seed}");
        assert_eq!(value_bytes(&read), stored, "seed {seed}");
    }
    for float in [f64::NAN, f64::INFINITY, -0.0] {
        let stored = value_bytes(&Value::Float(float));
        let Value::Float(read) = Value::decode(&stored).unwrap() else {
            panic!("a float stays one");
        };
        assert_eq!(read.to_bits(), float.to_bits());
    }
}

#[test]
fn what_was_cut_anywhere_is_an_error() {
    for seed in 0..40 {
        for event in Dice(seed).events() {
            let stored = bytes(&event);
            for length in 0..stored.len() {
                let cut = Event::decode(&stored[..length]);
                assert!(cut.is_err(), "seed {seed}: {length} of {event:?}");
            }
            let mut fact = Vec::new();
            event.fact.encode(&mut fact).unwrap();
            for length in 0..fact.len() {
                assert!(Fact::decode(&fact[..length]).is_err(), "{event:?}");
            }
        }
        let stored = value_bytes(&Dice(seed).value(4));
        for length in 0..stored.len() {
            assert!(Value::decode(&stored[..length]).is_err(), "seed {seed}");
        }
    }
}

#[test]
fn what_goes_on_after_its_end_is_an_error() {
    for event in Dice(3).events() {
        let mut stored = bytes(&event);
        stored.push(0);
        assert_eq!(Event::decode(&stored), Err(WireError::Trailing));
        let mut fact = Vec::new();
        event.fact.encode(&mut fact).unwrap();
        fact.push(0);
        assert_eq!(Fact::decode(&fact), Err(WireError::Trailing));
    }
    let mut stored = value_bytes(&Value::Int(1));
    stored.push(0);
    assert_eq!(Value::decode(&stored), Err(WireError::Trailing));
}

#[test]
fn no_damage_panics_and_what_is_still_read_is_written_again() {
    let mut read_again = 0;
    for seed in 0..60 {
        let mut dice = Dice(seed);
        for event in dice.events() {
            let stored = bytes(&event);
            for _ in 0..20 {
                let mut damaged = stored.clone();
                for _ in 0..=dice.below(3) {
                    let at = dice.below(damaged.len());
                    damaged[at] = dice.bits().to_le_bytes()[0];
                }
                if let Ok(read) = Event::decode(&damaged) {
                    // What isn't a number equals nothing, but is written alike.
                    let again = bytes(&read);
                    assert_eq!(bytes(&Event::decode(&again).unwrap()), again);
                    read_again += 1;
                }
            }
        }
    }
    // A changed digit of an amount can't be seen; that some are read shows
    // that the damage goes deep enough.
    assert!(read_again > 1000, "{read_again}");
}

#[test]
fn random_bytes_never_panic() {
    let mut dice = Dice(99);
    for _ in 0..20_000 {
        let length = dice.below(60);
        let noise: Vec<u8> = (0..length).map(|_| dice.bits().to_le_bytes()[0]).collect();
        // Whatever comes of it, it comes back.
        drop((
            Event::decode(&noise),
            Fact::decode(&noise),
            Value::decode(&noise),
        ));
    }
}

#[test]
fn a_length_that_lies_takes_no_memory() {
    // A text and a list of 2^62 bytes.
    for kind in [5, 11, 13] {
        let mut lie = vec![kind];
        lie.extend([0x80; 8]);
        lie.push(0x40);
        assert_eq!(Value::decode(&lie), Err(WireError::Short));
    }
}

fn nested(levels: u32) -> Value {
    (0..levels).fold(Value::None, |inner, level| match level % 3 {
        0 => Value::list(vec![inner]),
        1 => Value::Record(Arc::new(BTreeMap::from([("a".into(), inner)]))),
        _ => Value::Artifact(Arc::new(Artifact {
            digest: "".into(),
            media: flow_core::ty::Media::File,
            bytes: 0,
            facts: BTreeMap::from([("a".into(), inner)]),
        })),
    })
}

#[test]
fn nesting_is_bounded_in_both_directions() {
    let deepest = nested(NESTING_MAX);
    assert_eq!(Value::decode(&value_bytes(&deepest)), Ok(deepest.clone()));
    let mut out = vec![7];
    let deeper = Value::list(vec![deepest]);
    assert_eq!(deeper.encode(&mut out), Err(EncodeError::Deep));
    assert_eq!(out, [7], "nothing is left of what can't be stored");

    // Lists in each other, by hand.
    let mut bytes: Vec<u8> = Vec::new();
    for _ in 0..200 {
        let length = u8::try_from(bytes.len() & 0x7F).unwrap();
        let more = u8::try_from(bytes.len() >> 7).unwrap();
        let mut outer = vec![11, length | 0x80, more];
        if more == 0 {
            outer = vec![11, length];
        }
        outer.extend(bytes);
        bytes = outer;
    }
    assert_eq!(Value::decode(&bytes), Err(WireError::Deep));
}

#[test]
fn the_list_of_a_for_is_never_stored() {
    let event = Event {
        at: Timestamp(1),
        fact: Fact::Yielded {
            at: flow_core::address::At::root(),
            item: None,
            value: Handle::Listed(Arc::new(Listed {
                items: Vec::new(),
                keys: None,
                kept: None,
                value: std::sync::OnceLock::new(),
            })),
        },
    };
    let mut out = vec![7];
    assert_eq!(event.encode(&mut out), Err(EncodeError::Listed));
    assert_eq!(event.fact.encode(&mut out), Err(EncodeError::Listed));
    assert_eq!(out, [7]);
}

#[test]
fn keys_that_are_not_one_for_each_item_are_refused() {
    let list = Value::List(Arc::new(List {
        items: vec![Value::None, Value::None],
        keys: Some(vec![Key::Index(0)]),
    }));
    let refused = list.encode(&mut Vec::new());
    assert_eq!(refused, Err(EncodeError::Keys { items: 2, keys: 1 }));
}

#[test]
fn a_later_fact_is_refused_with_a_word_about_versions() {
    // A length of two, fact 200 as a number of two bytes.
    let error = Fact::decode(&[2, 0xC8, 0x01]).unwrap_err();
    assert_eq!(
        error,
        WireError::Newer {
            what: "fact",
            number: 200
        }
    );
    assert_eq!(
        error.to_string(),
        format!(
            "fact 200 is not known to flow {}: use the newer version that wrote it",
            env!("CARGO_PKG_VERSION")
        )
    );
    assert!(matches!(
        Value::decode(&[99]),
        Err(WireError::Newer { what: "value", .. })
    ));
}

#[test]
fn a_number_has_one_spelling() {
    // Zero in two groups, and more than 64 bits.
    for bytes in [
        &[3, 0x80, 0x00][..],
        &[
            3, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02,
        ],
    ] {
        assert_eq!(
            Value::decode(bytes),
            Err(WireError::Damaged { part: "number" })
        );
    }
}

#[test]
fn records_have_one_order() {
    let record = |first: u8, second: u8| [13, 6, 1, first, 0, 1, second, 0];
    assert!(Value::decode(&record(b'a', b'b')).is_ok());
    assert!(Value::decode(&record(b'b', b'a')).is_err());
    assert!(Value::decode(&record(b'a', b'a')).is_err());
}

#[test]
fn small_values_are_carried_along_and_others_are_known_by_their_digest() {
    let small = Value::text("a".repeat(SMALL_MAX - 2));
    let stored = value_bytes(&small);
    assert_eq!(stored.len(), SMALL_MAX);
    assert_eq!(Handle::of(&small, &stored), Handle::Small(small));

    let large = Value::text("a".repeat(SMALL_MAX - 1));
    let stored = value_bytes(&large);
    let handle = Handle::Stored(Arc::new(value_digest(&stored)));
    assert_eq!(Handle::of(&large, &stored), handle);
}

#[test]
fn a_secret_is_stored_by_its_name_only() {
    let stored = value_bytes(&Value::Secret("API_KEY".into()));
    assert_eq!(stored, b"\x0F\x07API_KEY");
}

#[test]
fn amounts_that_are_usual_are_short() {
    let table = [
        (Value::None, 1),
        (Value::Int(-1), 2),
        (Value::Float(0.5), 9),
        (Value::text("fox"), 5),
        (Value::Money(Money::DOLLAR), 6),
        (Value::list(vec![Value::Int(1), Value::Int(2)]), 6),
    ];
    for (value, length) in table {
        assert_eq!(value_bytes(&value).len(), length, "{value:?}");
    }
}
