//! Files that are right.

use super::{check, read};
use crate::ast::{ExprKind, ItemKind, Stmt, Value};

pub(super) const POSTER: &str = r#"# A poster a day.
use:
  - lib/shots.flow
  - { file: lib/post.flow.yaml, as: post }
enums:
  Look: noir | neon | wide "16:9"
types:
  ## One picture.
  Shot: { prompt: text, mood: text, seconds: "float?" }
## A music video, cut on the beats of a song.
workflow: music_video
inputs:
  song: audio
  ## What it is about.
  theme: text = "a neon city at night"
  takes: int in 1..8 = 3
outputs: { film: video, cut: timeline }
budget: $2.50 or ask
within: 30m
steps:
  - id: track
    step: audio.analyze
    of: ${song}
  - id: shots
    step: gen.text<list<Shot> max 24>
    with:
      prompt: { template: prompts/shots.j2, data: { theme: "${theme}" } }
    retry: 3
  ## A picture for each shot.
  - id: stills
    for: shot in shots
    parallel: 4
    do:
      - id: drafts
        step: gen.images
        with: { prompt: "${shot.prompt}", count: "${takes}", size: 1080x1920 }
        timeout: 2m
        retry: 3 backoff 1s..30s
        else: { step: gen.images, with: { prompt: "${shot.prompt}", count: 1, model: local/sketch } }
      - id: best
        step: curate.best
        of: ${drafts}
        with: { brief: "${shot.prompt}" }
    yield: ${best}
  - id: ok
    step: approve
    of: Post this cut?
    with: { show: "${film}", expires: 24h }
  - if: ok
    do:
      - step: post.bluesky
        with: { text: "New: ${theme}", media: ["${film}"] }
return: { film: "${film}", cut: "${cut}" }
triggers:
  nightly:
    run: music_video
    with: { song: { file: songs/tonight.flac }, theme: "${pick(['rain', 'snow'], weights: [1, 2])}" }
    cron: 0 6 * * *
    tz: Europe/Berlin
    overlap: skip
    catchup: last
    budget: $0.50 per day
    notify: [ 'email "studio@example.org" on failure, budget' ]
tests:
  posts only what was approved:
    - stub: gen.images
      replies: [ "${[fixture('a.png'), fixture('b.png')]}", { fails: timeout times 2 } ]
    - { stub: approve, at: ok, replies: [ false ] }
    - { id: r, run: music_video, with: { song: "${fixture('click120.wav')}" } }
    - expect: calls(post.bluesky) == 0
    - expect: r.cost <= $2.50
"#;

pub(super) const EVERY_KEY: &str = r#"steps_declared:
  gen.images:
    params: "(prompt: text, count: int in 1..16 = 1, model: model = default)"
    returns: list<image>
    effect: paid
    cost: price(model, image, size) * count
    pool: provider(model)
  my.tool<T>:
    params:
      script: const text
      seed: { type: int?, default: 3, about: The seed. }
    returns: { a: text, b: { c: int } }
    effect: read | pure | act once
    run: tools/my --flag
workflows:
  one:
    inputs: { a: text }
    steps:
      - id: v
        value: [1, "${a}", { b: c, "...": "${d}" }]
        type: list<text>
      - match: look
        arms:
          noir | neon: { do: [ { step: a.b } ], yield: x }
          some r: ${r}
          none: { step: a.c }
          _: { if: x, yield: 1, else: { yield: 2 } }
      - for: x in xs
        by: x.id
        max: 100
        keep: ok
        budget: $1
        within: 1h
        yield: { step: a.b, of: "${x}" }
      - id: s
        repeat: "s: int"
        from: 0
        max: 10
        until: s > 3
        yield: ${s + 1}
      - race:
          budget: $1
          do:
            - step: a.b
            - step: a.c
        else: none
      - parallel: { do: [ { step: a.b }, { step: a.c } ], within: 3m }
      - if: a == "b"
        do: []
        else: { if: c, do: [], else: { do: [] } }
      - step: a.d
        retry: 3 backoff 1s..30s on timeout, transient
        timeout: 30s
        within: 2m
        budget: $1 per day or stop
        cache: 1h
        pool: gpu
        after: [v, s]
        label: For ${a}
        effect: pure
        on_lost: again
        assume: $0.05
        else: { step: a.e, else: { do: [ { step: a.f } ], yield: "${none}" } }
    return: { step: a.b, with: { key: { secret: KEY } } }
  two:
    return: >-
      a text of
      ${two} lines and $${three}
triggers:
  hook: { run: one, of: x, on: 'webhook "/orders" body Order', jitter: 5m, paused: true, pause_after: 3, within: 1h, catchup: all max 3 }
"#;

#[test]
fn the_files_of_the_handbook_are_clean() {
    check(POSTER, &[]);
    check(EVERY_KEY, &[]);
}

fn first_workflow(text: &str) -> Vec<Stmt> {
    let items = read(text).file.items.into_iter();
    let mut bodies = items.filter_map(|item| {
        let ItemKind::Workflow(workflow) = item.kind else {
            return None;
        };
        Some(workflow.body.stmts)
    });
    bodies.next().expect("the file has a workflow")
}

#[test]
fn documentation_goes_to_what_follows_it_and_comments_stay() {
    let parsed = read(POSTER);
    let docs: Vec<&str> = parsed.file.items.iter().map(|item| &*item.docs).collect();
    assert!(docs.contains(&"One picture."));
    assert!(docs.contains(&"A music video, cut on the beats of a song."));
    let stmts = first_workflow(POSTER);
    assert_eq!(stmts[2].docs, "A picture for each shot.");
    let comments: Vec<&str> = parsed.file.comments.iter().map(|one| &*one.text).collect();
    assert_eq!(comments, [" A poster a day."]);

    let stray = "workflow: w # right\nreturn:\n  # own\n  a: 1\n## nothing follows\n";
    let found = read(stray).file.comments;
    let found: Vec<_> = found.iter().map(|one| (&*one.text, one.own_line)).collect();
    assert_eq!(
        found,
        [
            (" right", false),
            (" own", true),
            ("# nothing follows", true)
        ]
    );
}

#[test]
fn calls_have_their_arguments_in_order() {
    let stmts = first_workflow(POSTER);
    let Value::Expr(governed) = &stmts[3].value else {
        panic!("a call");
    };
    let ExprKind::Call(call) = &governed.expr.kind else {
        panic!("a call");
    };
    assert_eq!(call.path.text, "approve");
    let names = call.args.iter().map(|arg| arg.name.as_ref());
    let names: Vec<_> = names.map(|name| name.map(|name| &*name.text)).collect();
    assert_eq!(names, [None, Some("show"), Some("expires")]);
}
