//! What is done with texts.

use flow_core::step::StepFailure;
use flow_core::ty::Type;
use flow_core::value::Value;

use crate::desk::{computed, record, texts};

async fn cut<const N: usize>(
    step: &str,
    text: &str,
    more: [(&str, Value); N],
) -> Result<Value, StepFailure> {
    let desk = std::sync::Arc::new(crate::desk::FakeDesk::new());
    let mut call = crate::desk::call(&desk, step, more, Type::Json);
    call.args.insert("text".into(), Value::text(text));
    crate::desk::value(crate::desk::report(call).await)
}

#[tokio::test]
async fn the_groups_of_the_first_part_that_fits_are_found() {
    let pattern = ("pattern", Value::text(r"(?P<name>\w+)=(\d+)(x)?"));
    let groups = [
        ("0", Value::text("a=1")),
        ("1", Value::text("a")),
        ("name", Value::text("a")),
        ("2", Value::text("1")),
    ];
    let found = cut("text.match", "so a=1 b=2", [pattern.clone()]).await;
    assert_eq!(found.unwrap(), record(groups));
    assert_eq!(
        cut("text.match", "no", [pattern]).await.unwrap(),
        Value::None
    );
}

#[tokio::test]
async fn no_more_parts_are_found_than_asked_for() {
    let args = [("pattern", Value::text(r"\d")), ("most", Value::Int(2))];
    let found = cut("text.find", "1 2 3", args).await.unwrap();
    assert_eq!(found, texts(["1", "2"]));
}

#[tokio::test]
async fn groups_are_put_into_what_replaces_a_part() {
    let args = [
        ("pattern", Value::text(r"(\w)(\d)")),
        ("with", Value::text("$2${1}$$")),
    ];
    let replaced = cut("text.substitute", "a1-b2", args).await.unwrap();
    assert_eq!(replaced, Value::text("1a$-2b$"));
}

#[tokio::test]
async fn a_pattern_that_is_none_is_told() {
    let args = [("pattern", Value::text("(")), ("most", Value::Int(1))];
    let failure = cut("text.find", "x", args).await.unwrap_err();
    assert!(failure.message.starts_with("`(` is no regular expression"));
}

#[tokio::test]
async fn words_are_what_stands_between_blanks() {
    let words = computed(
        "text.words",
        [("text", Value::text(" a  b\n\tc "))],
        Type::list(Type::text()),
    );
    assert_eq!(words.await.unwrap(), texts(["a", "b", "c"]));
}

#[tokio::test]
async fn a_text_is_shortened_between_words_and_letters_stay_whole() {
    // The last one is a letter with two marks, and a family of four.
    for (text, most, mark, expected) in [
        ("The fox ran away", 16, "…", "The fox ran away"),
        ("The fox ran away", 12, "…", "The fox ran…"),
        ("The fox ran away", 10, "…", "The fox r…"),
        ("The fox ran away", 9, "…", "The fox…"),
        ("Unbelievable", 5, "…", "Unbe…"),
        ("The fox ran away", 8, "", "The fox"),
        ("The fox", 2, " [more]", " ["),
        (
            "e\u{301}\u{323}e\u{301}e\u{301}",
            2,
            "…",
            "e\u{301}\u{323}…",
        ),
        ("👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 2, "…", "👨‍👩‍👧‍👦…"),
    ] {
        let args = [("most", Value::Int(most)), ("mark", Value::text(mark))];
        let short = cut("text.truncate", text, args).await.unwrap();
        assert_eq!(short, Value::text(expected), "{text} {most}");
    }
}

#[tokio::test]
async fn pieces_overlap_by_half_at_most() {
    let pieces = |overlap| {
        let args = [("most", Value::Int(4)), ("overlap", Value::Int(overlap))];
        cut("text.chunks", "abcdefgh", args)
    };
    assert_eq!(pieces(2).await.unwrap(), texts(["abcd", "cdef", "efgh"]));
    assert!(pieces(3).await.is_err());
}
