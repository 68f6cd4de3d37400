//! What goes wrong in YAML, and what is said.

use super::{check, item};

#[test]
fn unquoted_holes_and_texts_are_to_be_quoted() {
    check(
        "workflow: w\nreturn: New: ${x}\n",
        &["yaml-quote `New: ${x}`"],
    );
    check(
        "workflow: w\nreturn: ${ f(a: 1) }\n",
        &["yaml-quote `${ f(a: 1) }`"],
    );
    check(
        "workflow: w\nreturn: { a: ${x}, b: c }\n",
        &["yaml-quote `${x}`"],
    );
    check(
        "workflow: w\nreturn: [${f(1, 2)}]\n",
        &["yaml-quote `${f(1, 2)}`"],
    );
    check(
        "workflow: w\nreturn: \"${ a ?? \"x\" }\"\n",
        &["yaml-quote `x\" }\"`"],
    );
    check(&item("if: \"a\" == b\nyield: 1"), &["yaml-quote `== b`"]);
    check("triggers: { t: { run: w } }\n", &[]);
    check(
        "triggers:\n  t:\n    run: w\n    cron: */5 * * * *\n",
        &["yaml-quote `*/5 * * * *`"],
    );
    check("workflow: w\nreturn: @you\n", &["yaml-quote `@you`"]);
    check(
        &item("step: gen.text<{ kind: text }>"),
        &["yaml-quote `gen.text<{ kind: text }>`"],
    );
}

#[test]
fn an_unclosed_hole_is_said_with_its_comment() {
    check(
        "workflow: w\nreturn: ${ a #b }\n",
        &["yaml-unclosed-hole `${`: this `${` is not closed before"],
    );
    check(
        "workflow: w\nreturn: a ${ b\n",
        &["yaml-unclosed-hole `${`: this `${` is never"],
    );
    check(
        &item("if: ${ a #b }\nyield: 1"),
        &["yaml-unclosed-hole `${`"],
    );
    check("workflow: w\nreturn: \"${ '}' } $${ {a\"\n", &[]);
}

#[test]
fn what_the_language_leaves_out_of_yaml_is_said() {
    check(
        &item("if: !ok\nyield: 1"),
        &["yaml-tag `!ok`: `!ok` is a tag in YAML, not a negation"],
    );
    check(&item("if: !ok && x\nyield: 1"), &["yaml-tag `!ok`"]);
    check("workflow: w\nreturn: !!str 5\n", &["yaml-tag `!!str`"]);
    check("workflow: w\nreturn: !a!b c\n", &["yaml-tag `!a!b`"]);
    check("workflow: w\nreturn: &a b\n", &["yaml-anchor `&a`"]);
    check("workflow: w\nreturn: *a\n", &["yaml-anchor `*a`"]);
    check(
        "workflow: w\nreturn: { a: 1, <<: *b }\n",
        &["yaml-anchor `<<`"],
    );
    check(
        "%YAML 1.2\n---\nworkflow: w\n",
        &["yaml-directive `%YAML 1.2`"],
    );
    check("workflow: w\n---\nb: 1\n", &["yaml-document `---`"]);
    check(
        "workflow: w\nsteps:\n\t- step: x\n\t  of: y\n",
        &["yaml-tab `\t`"],
    );
}

#[test]
fn repeated_keys_point_at_both_places() {
    let text = "workflow: w\nreturn: { a: 1, b: 2, a: 3 }\n";
    check(text, &["duplicate-key `a`"]);
    let parsed = super::read(text);
    assert_eq!(parsed.diagnostics[0].primary.span.start, 34);
    assert_eq!(parsed.diagnostics[0].others[0].span.start, 22);
}

#[test]
fn all_faults_of_a_file_are_found() {
    check(
        "workflow: w\nsteps:\n  - id: a\n    step gen.image\n    of: x\n  - id: b\n   step: x\n  - id: c\n     step: y\n  - id: d\n    retrys: 3\n    step: z\n  - { id: e, step: y, of: \"a\" b }\nreturn: [1\noutputs: 'a\n",
        &[
            "yaml-syntax `step gen.image`: `step gen.image` has no `:`",
            "yaml-syntax `step: x`: this line is indented like none",
            "yaml-syntax `step`: `step:` is indented further",
            "unknown-key `retrys`",
            "yaml-quote `b }`",
            "yaml-syntax `[`: this bracket is never closed",
            "yaml-syntax `'`: this quote is never closed",
        ],
    );
}

#[test]
fn other_faults_have_words_of_their_own() {
    check(
        "workflow: w\nreturn: - b\n",
        &["yaml-syntax `-`: a list can't begin"],
    );
    check(
        "workflow: w\n} b\n",
        &["yaml-syntax `}`: this bracket closes nothing"],
    );
    check(
        "workflow: w\nreturn: \"a\\qb\"\n",
        &["yaml-syntax `\\q`: this is no escape"],
    );
    check(
        "workflow: w\nreturn: [1, 2}\n",
        &["yaml-syntax `[`: this bracket is closed by one"],
    );
    check(
        "  workflow: w\n steps: []\n",
        &["yaml-syntax `steps: []`: this line is indented"],
    );
    check(
        "workflow: w\n? [a]\n: b\n",
        &["yaml-syntax `[a]`: `[a]` can't be a key"],
    );
}

#[test]
fn values_of_other_tools_are_answered() {
    check(
        "workflow: w\nreturn:\n  a: null\n  b: ~\n  c:\n  d: $.x.y\n  e: \"{{ x }}\"\n  f: ${{ steps.a.outputs.b }}\n  g: {{ x }}\n",
        &[
            "null-literal `null`",
            "null-literal `~`",
            "missing-value ``",
            "jsonpath `$.x.y`",
            "template-braces `{{ x }}`",
            "template-expression `${{ steps.a.outputs.b }}`",
            "template-expression `{{ x }}`",
        ],
    );
    check(
        "workflow: w\nreturn: { a: \"null\", b: '{a}', c: 'b {{ c }}', e: \"x {{ a b }}\", d: $0.50 }\n",
        &[],
    );
}

#[test]
fn keys_of_other_tools_are_answered() {
    check(
        "name: w\njobs: { a: b }\nenv: x\non: push\n",
        &[
            "unknown-key `name`",
            "unknown-key `jobs`",
            "unknown-key `env`",
            "unknown-key `on`",
        ],
    );
    check(
        &item("name: x\nuses: gen.image\nparams: { a: 1 }\nretries: 3\nneeds: [y]"),
        &[
            "unknown-key `name`",
            "unknown-key `uses`",
            "unknown-key `params`",
            "unknown-key `retries`",
            "unknown-key `needs`",
        ],
    );
    check(&item("run: echo"), &["unknown-key `run`"]);
    check(
        &item("foreach: x in xs\ndo: []"),
        &["unknown-key `foreach`"],
    );
    check(&item("if: x\nthen: []"), &["unknown-key `then`"]);
    check(&item("when: x\nstep: a"), &["unknown-key `when`"]);
    check(
        &item("for: x in xs\nretry: 3\ndo: []"),
        &["unknown-key `retry`"],
    );
    check(&item("x = f(a: 1)"), &["unknown-key `x = f(a`"]);
    check(&item("f(a)"), &["wrong-shape `f(a)`"]);
    check("workflow x(a: text) { }\n", &["unknown-key `workflow x(a`"]);
}

#[test]
fn shapes_are_checked() {
    check(&item("if: x\nstep: a"), &["two-kinds `step`"]);
    check(&item("id: a"), &["missing-key `id: a`"]);
    check("steps: []\n", &["missing-key `steps`"]);
    check("just text\n", &["wrong-shape `just text`"]);
    check("workflow: w\ninputs: [a]\n", &["wrong-shape `[a]`"]);
    check(
        "workflow: w\nsteps: { step: a }\n",
        &["wrong-shape `{ step: a }`"],
    );
    check(
        &item("race: [ { step: y } ]"),
        &["wrong-shape `[ { step: y } ]`"],
    );
    check(
        &item("if: x\ndo: []\nelse: [ { step: y } ]"),
        &["wrong-shape `[ { step: y } ]`"],
    );
    check(&item("if: x\ndo: []\nelse: ${y}"), &["wrong-shape `${y}`"]);
    check(
        &item("if: x\ndo: []\nelse: { id: b, if: c, do: [] }"),
        &["unknown-key `id`"],
    );
    check(&item("id: a b\nstep: x"), &["bad-name `a b`"]);
    check(&item("id: if\nstep: x"), &["keyword-as-name `if`"]);
    check(&item("step: f(a: 1)"), &["yaml-quote `f(a: 1)`"]);
    check(&item("step: f(a)"), &["wrong-shape `f(a)`"]);
    check(&item("parallel: {}"), &["missing-key `{}`"]);
    check(
        &item("step: a\nelse: { id: b, step: c }"),
        &["unknown-key `id`"],
    );
    check(
        &item("for: x in xs\nkeep: all\ndo: []"),
        &["wrong-shape `all`"],
    );
    check("workflow: w\nsteps:\n  -\n", &["missing-value ``"]);
    check("workflow: w\nworkflows: {}\n", &["two-kinds `workflows`"]);
    check(
        "enums: { Look: [noir, neon] }\n",
        &["wrong-shape `[noir, neon]`"],
    );
    check(
        "triggers: { t: { run: w, tz: UTC } }\n",
        &["missing-key `tz`"],
    );
    check(
        "tests: { t: [ { at: x } ] }\n",
        &["missing-key `{ at: x }`"],
    );
}
