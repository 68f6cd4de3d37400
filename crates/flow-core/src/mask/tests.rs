use super::*;

const TOKEN: &str = "hunter2-sk/live+key";

fn mask() -> Mask {
    Mask::new([TOKEN])
}

#[track_caller]
fn masked(text: &str, expected: &str) {
    assert_eq!(mask().text(text), expected, "{text}");
}

#[test]
fn a_secret_is_taken_out_as_it_is_and_escaped() {
    masked("a hunter2-sk/live+key b", "a *** b");
    masked("hunter2-sk%2Flive%2Bkey", "***");
    masked("x=hunter2%2dsk%2flive%2bkey&y", "x=***&y");
    masked(
        "%68%75%6e%74%65%72%32%2D%73%6B%2F%6C%69%76%65%2B%6B%65%79",
        "***",
    );
    masked(r#"{"t":"hunter2-sk\/live+key"}"#, r#"{"t":"***"}"#);
    masked(r"hunter2\u002Dsk/live\u002bkey", "***");
    masked("hunter2-sk/live+ke", "hunter2-sk/live+ke");
    masked("hunter2-sk%2", "hunter2-sk%2");
}

#[test]
fn letters_that_are_escaped_are_found_though_they_are_signs_of_escapes() {
    let mask = Mask::new(["100%25\\n \"x\""]);
    for text in [
        "100%25\\n \"x\"",
        "100%2525%5Cn%20%22x%22",
        "100%2525%5Cn+%22x%22",
        r#"100%25\\n \"x\""#,
    ] {
        assert_eq!(mask.text(text), MASKED, "{text}");
    }
}

#[test]
fn base64_is_found_wherever_the_secret_begins_in_it() {
    for (plain, text, expected) in [
        ("SECRET", "aHVudGVyMi1zay9saXZlK2tleQ==", "***Q=="),
        ("x:SECRET", "eDpodW50ZXIyLXNrL2xpdmUra2V5", "eDp***"),
        (
            "x:SECRET\n",
            "eDpodW50ZXIyLXNrL2xpdmUra2V5Cg==",
            "eDp***Cg==",
        ),
        (
            "xy:SECRET:z",
            "eHk6aHVudGVyMi1zay9saXZlK2tleTp6",
            "eHk6***Tp6",
        ),
        (
            "xyz:SECRET",
            "eHl6Omh1bnRlcjItc2svbGl2ZStrZXk=",
            "eHl6Om***k=",
        ),
    ] {
        assert_eq!(mask().text(text), expected, "{plain}");
    }
    // What is left of a short one says nothing, and is found in anything.
    let short = Mask::new(["fox12"]);
    assert_eq!(short.text("Zm94MTI="), "Zm94MTI=");
    let longer = Mask::new(["fox123"]);
    assert_eq!(longer.text("Zm94MTIz"), "***");
}

#[test]
fn a_secret_is_found_in_any_two_pieces() {
    let text = "before hunter2-sk%2Flive%2Bkey after hunter2-sk/live+ke";
    for cut in 0..=text.len() {
        let (first, second) = text.as_bytes().split_at(cut);
        let mut stream = mask().stream();
        let mut out = Vec::new();
        stream.push(first, &mut |part| out.extend_from_slice(part));
        stream.push(second, &mut |part| out.extend_from_slice(part));
        stream.finish(&mut |part| out.extend_from_slice(part));
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out, "before *** after hunter2-sk/live+ke");
        assert_eq!(stream.found(), 1);
    }
}

#[test]
fn the_longest_of_several_is_taken_and_a_shorter_one_at_the_end() {
    let mask = Mask::new(["hunter2", "hunter2-and-more"]);
    for (text, expected) in [
        ("hunter2", "***"),
        ("hunter2-and", "***-and"),
        ("hunter2-and-more", "***"),
        ("hunter2-and-mor hunter2", "***-and-mor ***"),
    ] {
        let mut out = Vec::new();
        let mut stream = mask.stream();
        for byte in text.as_bytes() {
            stream.push(&[*byte], &mut |part| out.extend_from_slice(part));
        }
        stream.finish(&mut |part| out.extend_from_slice(part));
        assert_eq!(String::from_utf8(out).unwrap(), expected, "{text}");
    }
}

#[test]
fn lines_of_a_secret_are_secrets_and_short_ones_are_none() {
    let key = "-----BEGIN-----\nMIIEvQIBADANBg\nab\n-----END-----\n";
    let mask = Mask::new([key, "abc"]);
    assert_eq!(mask.text("got MIIEvQIBADANBg"), "got ***");
    assert_eq!(mask.text("ab abc"), "ab abc");
    assert!(Mask::new(["abc", ""]).is_empty());
    assert_eq!(Mask::new(["üüüü"]).text("=üüüü="), "=***=");
}

#[test]
fn texts_in_values_are_masked_and_values_without_secrets_stay_what_they_are() {
    let record = |text: &str| {
        let fields = [(Arc::from("a"), Value::list(vec![Value::text(text)]))];
        Value::Record(Arc::new(BTreeMap::from(fields)))
    };
    assert_eq!(
        mask().value(&record(&format!("is {TOKEN}"))),
        Some(record("is ***"))
    );
    assert_eq!(mask().value(&record("nothing")), None);
    let key = BTreeMap::from([(Arc::from(TOKEN), Value::Bool(true))]);
    let masked = BTreeMap::from([(Arc::from(MASKED), Value::Bool(true))]);
    assert_eq!(
        mask().value(&Value::Record(Arc::new(key))),
        Some(Value::Record(Arc::new(masked)))
    );
}

#[test]
fn many_beginnings_take_no_time() {
    let mask = Mask::new(["%".repeat(500).as_str(), "\\".repeat(500).as_str()]);
    for text in ["%25", "%", "\\", "\\\\", "%5c", "+"] {
        let text = text.repeat(20_000);
        mask.text(&text);
    }
}
