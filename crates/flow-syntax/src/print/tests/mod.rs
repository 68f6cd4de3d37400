mod comments;
mod normal;
mod random;

use super::*;
use crate::ast::Comment;
use crate::span::SourceId;

const SAMPLE: &str = include_str!("sample.flow");

fn source(name: &str, text: &str) -> Source {
    Source::new(SourceId(0), name, text)
}

fn words(comments: &[Comment]) -> Vec<String> {
    let mut words: Vec<String> = comments
        .iter()
        .map(|one| one.text.trim_start_matches('#').to_owned())
        .collect();
    words.sort();
    words
}

/// The tree as text, without places.
fn bare(file: &File) -> String {
    let text = format!("{:#?}", file.items);
    let mut out = String::new();
    for line in text.lines() {
        let is_place = line.trim().trim_start_matches("span: ").starts_with("#0:");
        if !is_place {
            out.push_str(line.split(": #0:").next().unwrap());
            out.push('\n');
        }
    }
    out
}

fn parsed(source: &Source) -> File {
    let parsed = crate::parse(source);
    let errors: Vec<_> = parsed
        .diagnostics
        .iter()
        .filter(|one| one.is_error())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{}", source.text);
    parsed.file
}

/// Formats a text and checks that nothing but its layout changed.
fn check(name: &str, text: &str) -> String {
    let once = check_kept(name, text);
    let twice = format(&source(name, &once)).unwrap();
    pretty(&once, &twice, "");
    once
}

/// Formats a text and checks that its tree and its comments are the same.
fn check_kept(name: &str, text: &str) -> String {
    let before = source(name, text);
    let once = format(&before).unwrap_or_else(|errors| panic!("{errors:#?}\n{text}"));
    let after = source(name, &once);
    let (mut old, mut new) = (parsed(&before), parsed(&after));
    if before.spelling == Spelling::Yaml {
        // The order of keys is not meaning.
        (old, new) = (normal::loosen(old), normal::loosen(new));
    }
    pretty(&bare(&old), &bare(&new), &once);
    assert_eq!(words(&old.comments), words(&new.comments), "in {once}");
    once
}

fn pretty(old: &str, new: &str, text: &str) {
    if old != new {
        let at = old
            .lines()
            .zip(new.lines())
            .position(|(a, b)| a != b)
            .unwrap_or(0);
        let show = |tree: &str| {
            let lines: Vec<&str> = tree.lines().skip(at.saturating_sub(12)).take(24).collect();
            lines.join("\n")
        };
        panic!(
            "trees differ:\n{}\n-----\n{}\n-----\n{text}",
            show(old),
            show(new)
        );
    }
}

const SAMPLE_CODE: &str = "workflow w(a: text, b: int = 1) -> { f: video } budget $2 within 3m {
  x = f(a, b: [1, 2], c: { d, e: 3 }) retry 3 timeout 2m else g(1) within 1m else none
  for y in xs by y.k parallel 2 keep ok {
    z: list<int> = y.a + y.b * (3 - 1)
    yield z
  }
  m = match x { a | b => 1, some r => f(r) _ => { k = g(2) yield k } }
  if x is some { f(x) } else if q { g(x) } else { h() }
  r = race { f(1) g(1) } else none
  return { f: x }
}
enum Look = noir | neon
type Shot = { a: text, b: list<int> max 3 }
step s.t(a: text) -> text effect paid cost a * 2 pool p(a)
trigger t = w(a: 1) cron \"daily\" overlap skip budget $3 per day
test \"it\" { stub s.t = 1 then fails timeout r = run w(a: 1) expect r.a == 2 }
";

const SAMPLE_YAML_CODE: &str = "types:
  Shot:
    a: text
    b: int
workflow: w
inputs:
  a: text
  b: int = 1
budget: $2
steps:
  - id: x
    step: f
    of: ${a}
    with:
      b: [1, 2]
      c: { d: 1, e: 2 }
      g:
        - 1
        - h: 2
          i: 3
    retry: 3
    else:
      step: g
      of: 1
  - id: l
    for: y in xs
    parallel: 2
    do:
      - id: z
        value: ${ y.a + 1 }
      - step: h
    yield: ${z}
  - if: ok
    do:
      - step: h
    else:
      do:
        - step: i
  - match: x
    arms:
      a | b: 1
      _:
        do:
          - step: k
        yield: 2
return: { f: '${x}' }
triggers:
  t:
    run: w
    with: { a: 1 }
    cron: 0 1 * * *
    notify:
      - email \"a@b.c\" on failure
tests:
  it:
    - stub: s.t
      replies:
        - 1
        - fails: timeout
    - id: r
      run: w
    - expect: r.a == 2
";

#[test]
fn the_sample_keeps_its_tree_and_its_comments() {
    let once = check("a.flow", SAMPLE);
    assert!(
        once.lines()
            .all(|line| line.len() <= 100 || line.contains('#')),
        "{once}"
    );
}

const SAMPLE_YAML: &str = include_str!("sample.flow.yaml");

#[test]
fn the_yaml_sample_keeps_its_tree_and_its_comments() {
    let once = check("a.flow.yaml", SAMPLE_YAML);
    assert!(once.lines().all(|line| line.len() <= 100), "{once}");
}

/// Writes a tree in a spelling and reads it back.
fn reread(file: &File, trivia: &Trivia, name: &str) -> (Source, File) {
    let text = print(file, trivia, Spelling::of_name(name));
    let again = source(name, &text);
    let file = parsed(&again);
    (again, file)
}

#[test]
fn there_and_back_gives_an_equal_tree_and_the_same_comments() {
    for (name, other, text) in [
        ("a.flow", "a.flow.yaml", SAMPLE),
        ("a.flow.yaml", "a.flow", SAMPLE_YAML),
    ] {
        let here = source(name, text);
        let old = parsed(&here);
        let (there, new) = reread(&old, &Trivia::of(&here, &old), other);
        let (back, third) = reread(&new, &Trivia::of(&there, &new), name);
        let tree = bare(&normal::loosen(old.clone()));
        pretty(&tree, &bare(&normal::loosen(new.clone())), &there.text);
        pretty(&tree, &bare(&normal::loosen(third.clone())), &back.text);
        assert_eq!(words(&old.comments), words(&new.comments), "{}", there.text);
        assert_eq!(
            words(&old.comments),
            words(&third.comments),
            "{}",
            back.text
        );
    }
}

#[test]
fn a_random_tree_is_read_as_it_was_in_the_workflow_language() {
    for seed in 0..60 {
        let file = random::Draw::new(seed).file();
        let (text, again) = reread(&file, &Trivia::default(), "a.flow");
        let shown = format!("seed {seed}\n{}", text.text);
        // A text that its style can't hold is written in another.
        let tree = bare(&normal::loosen(file));
        pretty(&tree, &bare(&normal::loosen(again)), &shown);
        let once = check("a.flow", &text.text);
        assert_eq!(once, *text.text, "seed {seed}");
    }
}

#[test]
fn a_random_tree_is_read_as_it_was_in_yaml() {
    for seed in 0..60 {
        let file = random::Draw::new(seed).file();
        let (text, again) = reread(&file, &Trivia::default(), "a.flow.yaml");
        let shown = format!("seed {seed}\n{}", text.text);
        let tree = bare(&normal::loosen(file));
        pretty(&tree, &bare(&normal::loosen(again)), &shown);
        let once = check("a.flow.yaml", &text.text);
        assert_eq!(once, *text.text, "seed {seed}");
    }
}
