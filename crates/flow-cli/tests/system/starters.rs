//! What `flow new` writes is a good example: it checks without a word, and it
//! is written as `flow fmt` writes it.

use crate::folder::Folder;

#[test]
fn every_template_checks_without_a_diagnostic_in_both_spellings() {
    let folder = Folder::new("starters");
    let list = folder.flow(&["new", "--list"]);
    let templates: Vec<&str> = (list.out.lines())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(templates.len() >= 4, "{templates:?}");
    for template in templates {
        let name = format!("my_{template}");
        let made = folder.flow(&["new", &name, "--template", template]);
        assert_eq!(made.code, Some(0), "{}", made.err);
        let made = folder.flow(&["new", &name, "--template", template, "--yaml"]);
        assert_eq!(made.code, Some(0), "{}", made.err);
    }
    let checked = folder.flow(&["validate", "--strict"]);
    assert_eq!(checked.code, Some(0), "{}{}", checked.out, checked.err);
    let formatted = folder.flow(&["fmt", "--check"]);
    assert_eq!(
        formatted.code,
        Some(0),
        "{}{}",
        formatted.out,
        formatted.err
    );
}

#[test]
fn nothing_is_overwritten() {
    let folder = Folder::new("overwrite");
    folder.write("poster.flow", "mine");
    let made = folder.flow(&["new", "poster"]);
    assert_eq!(made.code, Some(2));
    assert_eq!(folder.read("poster.flow"), "mine");
}
