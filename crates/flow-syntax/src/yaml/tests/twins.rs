//! What is said in both spellings gives one tree.

use super::read;
use crate::parse;
use crate::span::{Source, SourceId};

/// Shows a tree without its places and without how it was spelled.
fn bare(shown: &str) -> String {
    let mut found = String::new();
    for line in shown.lines() {
        let text = line.trim();
        if text.contains("form: ") || text.contains("own_line") {
            continue;
        }
        match text.find("#0:") {
            Some(at) => found.push_str(&text[..at]),
            None => found.push_str(text),
        }
        found.push('\n');
    }
    found
}

#[track_caller]
fn check(flow: &str, yaml: &str) {
    let source = Source::new(SourceId(0), "x.flow", flow);
    let (flow, yaml) = (parse(&source), read(yaml));
    assert_eq!(flow.diagnostics, Vec::new());
    assert_eq!(yaml.diagnostics, Vec::new());
    let (flow, yaml) = (
        bare(&format!("{:#?}", flow.file.items)),
        bare(&format!("{:#?}", yaml.file.items)),
    );
    for (at, (one, other)) in flow.lines().zip(yaml.lines()).enumerate() {
        let before: Vec<&str> = flow.lines().take(at).collect();
        let before = &before[at.saturating_sub(12)..];
        assert_eq!(one, other, "behind {before:#?}");
    }
    assert_eq!(flow.lines().count(), yaml.lines().count());
}

#[test]
fn workflows_are_the_same_in_both_spellings() {
    check(WORKFLOW_FLOW, WORKFLOW_YAML);
}

#[test]
fn declared_steps_triggers_and_tests_are_the_same_in_both_spellings() {
    check(REST_FLOW, REST_YAML);
}

const WORKFLOW_FLOW: &str = r#"
use "lib/shots.flow" as lib
enum Look = noir | wide "16:9"
## A shot.
type Shot = { prompt: text, seconds: float? }
## Does it.
workflow w(
  ## What.
  a: text = "x",
  const b: int in 1..8 = 3,
) -> { film: video } budget $2 per day or ask within 30m {
  x = f(a, b: a.c)
    retry 3 backoff 1s..30s on timeout
    timeout 2m
    cache 1h
    pool gpu
    after p, q
    effect pure
    else g(b: a) else { h() yield none }
  y: list<text> = for i in x by i.id max 3 parallel 4 keep ok budget $1 {
    yield h(q: i)
  }
  if ok and not b {
    post(media: [y, { k: a, ...b }])
  } else if c { z() } else { yield a }
  m = match a { noir | some r => { yield r } _ => z() }
  s = repeat t: int = a max 10 until t > 3 { yield t + 1 }
  race { f() g() } else a
  parallel within 3m { f() }
  t = gen.text<list<Shot> max 24>(p: template(a, { a: b }))
  v = a + 1
  return { film: x, cut: y.z }
}
"#;

const WORKFLOW_YAML: &str = r#"
use: [ { file: lib/shots.flow, as: lib } ]
enums: { Look: 'noir | wide "16:9"' }
types:
  ## A shot.
  Shot: { prompt: text, seconds: float? }
## Does it.
workflow: w
inputs:
  ## What.
  a: text = "x"
  b: const int in 1..8 = 3
outputs: { film: video }
budget: $2 per day or ask
within: ${30m}
steps:
  - id: x
    step: f
    of: ${a}
    with: { b: "${a.c}" }
    retry: 3 backoff 1s..30s on timeout
    timeout: 2m
    cache: 1h
    pool: gpu
    after: [p, q]
    effect: pure
    else: { step: g, with: { b: "${a}" }, else: { do: [ { step: h } ], yield: "${none}" } }
  - id: y
    type: list<text>
    for: i in x
    by: i.id
    max: ${3}
    parallel: 4
    keep: ok
    budget: $1
    yield: { step: h, with: { q: "${i}" } }
  - if: ok and not b
    do:
      - step: post
        with: { media: [ "${y}", { k: "${a}", "...": "${b}" } ] }
    else: { if: c, do: [ { step: z } ], else: { yield: "${a}" } }
  - id: m
    match: a
    arms:
      noir | some r: { yield: "${r}" }
      _: { step: z }
  - id: s
    repeat: "t: int"
    from: ${a}
    max: 10
    until: t > 3
    yield: ${t + 1}
  - race: { do: [ { step: f }, { step: g } ] }
    else: ${a}
  - parallel: { within: 3m, do: [ { step: f } ] }
  - id: t
    step: gen.text<list<Shot> max 24>
    with: { p: { template: "${a}", data: { a: "${b}" } } }
  - id: v
    value: ${a + 1}
return: { film: "${x}", cut: "${y.z}" }
"#;

const REST_FLOW: &str = r#"
step gen.x<T>(a: text, const b: int = 1) -> list<T>
  effect read | act once cost price(a) * 2 pool provider(a) run "tools/x"
trigger n = w(a, b: c) cron "0 6 * * *" tz "Europe/Berlin" on webhook "/o" body Order
  overlap skip catchup all max 3 jitter 5m paused pause after 3 failures budget $1 per day
  notify email "a@b.c" on failure, budget
test "posts" {
  stub gen.x at "a/b" = c then fails timeout times 2
  r = run w(a: b)
  expect r.cost <= $2
}
"#;

const REST_YAML: &str = r#"
steps_declared:
  gen.x<T>:
    params: { a: text, b: const int = 1 }
    returns: list<T>
    effect: read | act once
    cost: price(a) * 2
    pool: provider(a)
    run: tools/x
triggers:
  n:
    run: w
    of: ${a}
    with: { b: "${c}" }
    cron: 0 6 * * *
    tz: Europe/Berlin
    on: webhook "/o" body Order
    overlap: skip
    catchup: all max 3
    jitter: 5m
    paused: true
    pause_after: 3
    budget: $1 per day
    notify: [ 'email "a@b.c" on failure, budget' ]
tests:
  posts:
    - stub: gen.x
      at: a/b
      replies: [ "${c}", { fails: timeout times 2 } ]
    - { id: r, run: w, with: { a: "${b}" } }
    - expect: r.cost <= $2
"#;
