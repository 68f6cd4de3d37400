//! How stored forms grow: old readers and new ones, on types of their own.

use std::sync::Arc;

use super::*;

/// A struct as an old version knows it.
#[derive(Debug, PartialEq)]
struct Old {
    name: Arc<str>,
    place: Spot,
    count: u32,
}

/// The same struct, grown at both ends and in the middle.
#[derive(Debug, PartialEq)]
struct New {
    weight: f64,
    name: Arc<str>,
    digest: Option<crate::digest::Digest>,
    place: NewSpot,
    count: u32,
    notes: Vec<Arc<str>>,
    ok: bool,
}

#[derive(Debug, PartialEq)]
enum Spot {
    Here,
    At { row: u32 },
}

#[derive(Debug, PartialEq)]
enum NewSpot {
    Here { since: Option<i64> },
    At { row: u32, column: Option<u32> },
    Nowhere,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Calm,
    Glad,
}

#[derive(Debug, PartialEq)]
struct Sky {
    mood: Mood,
    moods: Vec<Mood>,
}

wire_struct!(Old { 2 name, 5 place, 6 count });
wire_struct!(New { 1 weight, 2 name, 3 digest, 5 place, 6 count, 9 notes, 300 ok });
wire_choice!(Spot "spot" { 1 Here {}, 2 At { 2 row } });
wire_choice!(NewSpot "spot" { 1 Here { 1 since }, 2 At { 2 row, 4 column }, 7 Nowhere {} });
wire_words!(Mood "mood" { 1 Calm, 4 Glad });
wire_struct!(Sky { 1 mood, 2 moods });

fn stored<T: Wire>(it: &T) -> Vec<u8> {
    let mut out = Vec::new();
    encode(it, &mut out).unwrap();
    out
}

fn new(place: NewSpot) -> New {
    New {
        weight: 0.5,
        name: "fox".into(),
        digest: Some(crate::digest::Digest::of(b"fox")),
        place,
        count: 3,
        notes: vec!["a".into(), "".into()],
        ok: true,
    }
}

#[test]
fn an_old_reader_skips_what_it_does_not_know() {
    let old = Old {
        name: "fox".into(),
        place: Spot::At { row: 4 },
        count: 3,
    };
    let place = NewSpot::At {
        row: 4,
        column: Some(9),
    };
    assert_eq!(decode(&stored(&new(place))), Ok(old));
    let here = stored(&new(NewSpot::Here { since: Some(-1) }));
    assert_eq!(decode::<Old>(&here).unwrap().place, Spot::Here);
}

#[test]
fn an_old_reader_refuses_a_variant_that_it_does_not_know() {
    assert_eq!(
        decode::<Old>(&stored(&new(NewSpot::Nowhere))),
        Err(WireError::Newer {
            what: "spot",
            number: 7
        })
    );
}

#[test]
fn a_new_reader_takes_what_is_missing_for_nothing() {
    let old = Old {
        name: "".into(),
        place: Spot::Here,
        count: 0,
    };
    // A number with a fraction has no nothing.
    assert_eq!(
        decode::<New>(&stored(&old)),
        Err(WireError::Missing { field: "weight" })
    );
    let mut whole = vec![1 << 2 | 1];
    whole.extend(0.5_f64.to_bits().to_le_bytes());
    whole.extend(&stored(&old)[1..]);
    let mut framed = vec![u8::try_from(whole.len()).unwrap()];
    framed.extend(whole);
    let read: New = decode(&framed).unwrap();
    assert_eq!(
        read,
        New {
            weight: 0.5,
            name: "".into(),
            digest: None,
            place: NewSpot::Here { since: None },
            count: 0,
            notes: Vec::new(),
            ok: false,
        }
    );
}

#[test]
fn a_field_of_another_form_is_damage() {
    // Field 2 of `Old`, a text, as a number.
    assert_eq!(
        decode::<Old>(&[2, 2 << 2, 1]),
        Err(WireError::Damaged { part: "name" })
    );
}

#[test]
fn fields_out_of_order_are_damage() {
    let part = "field in its order";
    let place = [5 << 2 | 2, 1, 1];
    let again = [place, place].concat();
    let back = [&place[..], &[2 << 2 | 2, 0]].concat();
    let unknown_before = [&[9 << 2, 1], &place[..]].concat();
    let zero = [&[0, 1], &place[..]].concat();
    for fields in [again, back, unknown_before, zero] {
        let bytes = [&[u8::try_from(fields.len()).unwrap()], &fields[..]].concat();
        let error = decode::<Old>(&bytes).unwrap_err();
        // What stands behind a later field is not found where it should be.
        let missing = WireError::Missing { field: "place" };
        assert!(
            error == WireError::Damaged { part } || error == missing,
            "{bytes:?}"
        );
    }
}

#[test]
fn words_are_numbers() {
    let sky = Sky {
        mood: Mood::Glad,
        moods: vec![Mood::Calm, Mood::Glad],
    };
    let bytes = stored(&sky);
    assert_eq!(bytes, [6, 1 << 2, 4, 2 << 2 | 2, 2, 1, 4]);
    assert_eq!(decode(&bytes), Ok(sky));
    assert_eq!(
        decode::<Sky>(&[2, 1 << 2, 3]),
        Err(WireError::Newer {
            what: "mood",
            number: 3
        })
    );
}

#[test]
fn long_things_have_long_lengths() {
    for length in [0, 1, 127, 128, 129, 20_000] {
        let text: Arc<str> = "x".repeat(length).into();
        let bytes = stored(&vec![text.clone(), "y".into()]);
        assert_eq!(decode(&bytes), Ok(vec![text, "y".into()]), "{length}");
    }
}

#[test]
fn tables_refuse_numbers_that_are_there_twice() {
    assert!(rising(&[]) && rising(&[1, 2, 9]));
    assert!(!rising(&[0]) && !rising(&[1, 1]) && !rising(&[2, 1]) && !rising(&[1 << 12]));
    assert!(distinct(&[]) && distinct(&[3, 1, 2]));
    assert!(!distinct(&[3, 1, 3]));
}

/// Puts a field that nobody knows at the end of every struct that is a value
/// of a choice around, which is how old versions meet later events.
#[test]
fn an_event_with_fields_of_a_later_version_is_read() {
    let event = Event {
        at: crate::amount::Timestamp(1_800_000_000_000),
        fact: Fact::RaceWon {
            at: crate::address::At::root(),
            arm: 2,
        },
    };
    let mut fact = Vec::new();
    event.fact.encode(&mut fact).unwrap();
    let unknown = [
        &[25 << 2, 7][..],
        &[26 << 2 | 2, 3, 1, 2, 3],
        &[27 << 2 | 1, 1, 2, 3, 4, 5, 6, 7, 8],
    ]
    .concat();
    let mut later = vec![fact[0] + u8::try_from(unknown.len()).unwrap()];
    later.extend(&fact[1..]);
    later.extend(&unknown);
    assert_eq!(Fact::decode(&later).as_ref(), Ok(&event.fact));

    let mut body = Vec::new();
    let mut writer = Writer::new(&mut body);
    writer.field(1, &event.at);
    body.push(2 << 2 | 2);
    body.extend(&later);
    body.extend(&unknown);
    let mut bytes = vec![u8::try_from(body.len()).unwrap()];
    bytes.extend(body);
    assert_eq!(Event::decode(&bytes), Ok(event));
}

#[test]
fn numbers_with_a_name_are_those_of_their_facts() {
    let fact = Fact::PlanReplaced {
        plan: crate::digest::Digest([0; 32]),
        sheet: crate::digest::Digest([0; 32]),
        by: "it".into(),
        inputs: None,
        files: Vec::new(),
        estate: None,
    };
    assert_eq!(fact.kind(), Fact::PLAN_REPLACED);
}
