//! Answers to keys that other tools have and this language spells differently.

/// A key of another tool.
#[derive(Debug)]
pub(super) struct Habit {
    /// How others spell it.
    pub(super) words: &'static [&'static str],
    /// The mappings in which this is the answer; everywhere if there are none.
    pub(super) inside: &'static [&'static str],
    /// Our key with the same meaning and shape.
    pub(super) instead: Option<&'static str>,
    /// What to do.
    pub(super) help: &'static str,
}

const TOP: &[&str] = &["file", "workflow"];
const ITEMS: &[&str] = &[
    "item", "call", "value", "if", "match", "for", "repeat", "race", "parallel",
];

const fn renamed(
    words: &'static [&'static str],
    inside: &'static [&'static str],
    instead: &'static str,
    help: &'static str,
) -> Habit {
    Habit {
        words,
        inside,
        instead: Some(instead),
        help,
    }
}

const fn answered(
    words: &'static [&'static str],
    inside: &'static [&'static str],
    help: &'static str,
) -> Habit {
    Habit {
        words,
        inside,
        instead: None,
        help,
    }
}

static HABITS: &[Habit] = &[
    // Items.
    renamed(
        &["name", "key", "step_id"],
        ITEMS,
        "id",
        "write `id:`; what people are shown is `label:`",
    ),
    renamed(
        &["register", "output", "as", "bind"],
        ITEMS,
        "id",
        "write `id:`: the value of an item has the item's name",
    ),
    renamed(
        &["uses", "call", "tool", "action", "task", "use"],
        &["item"],
        "step",
        "write `step:`, with a dotted name",
    ),
    answered(
        &["run", "script", "shell", "cmd", "command", "exec", "bash"],
        ITEMS,
        "write `step: shell.run` and give the script as an argument",
    ),
    renamed(
        &["foreach", "for_each", "each"],
        &["item"],
        "for",
        "write `for: x in xs`",
    ),
    answered(
        &["matrix", "with_items", "loop", "strategy"],
        ITEMS,
        "write an item `for: x in xs` with a `do:`",
    ),
    renamed(
        &["switch", "case"],
        &["item"],
        "match",
        "write `match:` and `arms:`",
    ),
    renamed(
        &["when", "condition", "unless"],
        &["item"],
        "if",
        "write `if:`",
    ),
    answered(
        &["when", "condition", "only_if", "unless"],
        ITEMS,
        "put the item under `do:` of an item `if: …`",
    ),
    answered(
        &["while"],
        ITEMS,
        "write `repeat: state`, `from:`, `max:` and `until:`",
    ),
    renamed(
        &["then", "body", "steps", "block", "tasks"],
        &["if", "for", "repeat", "block"],
        "do",
        "write `do:`",
    ),
    renamed(
        &["elif", "else_if"],
        &["if"],
        "else",
        "write `else: { if: …, do: … }`",
    ),
    renamed(&["cases", "branches"], &["match"], "arms", "write `arms:`"),
    renamed(
        &[
            "params",
            "args",
            "arguments",
            "inputs",
            "input",
            "parameters",
            "kwargs",
        ],
        &["call", "trigger", "run"],
        "with",
        "write `with:`",
    ),
    renamed(
        &["retries", "attempts", "max_attempts", "max_retries"],
        &["call"],
        "retry",
        "write `retry:`, the number of attempts",
    ),
    renamed(
        &["concurrency", "max_parallel", "parallelism", "batch_size"],
        &["for"],
        "parallel",
        "write `parallel:`",
    ),
    renamed(
        &[
            "needs",
            "depends_on",
            "dependsOn",
            "requires",
            "dependencies",
            "wait_for",
        ],
        &["call"],
        "after",
        "a reference is the dependency; use `after:` where there is none",
    ),
    answered(
        &[
            "needs",
            "depends_on",
            "dependsOn",
            "requires",
            "dependencies",
        ],
        ITEMS,
        "a reference is the dependency; a call may have `after:`",
    ),
    renamed(
        &[
            "fallback",
            "on_error",
            "on_failure",
            "catch",
            "rescue",
            "default",
        ],
        &["call", "race"],
        "else",
        "write `else:`",
    ),
    answered(
        &[
            "continue_on_error",
            "continue-on-error",
            "ignore_errors",
            "allow_failure",
        ],
        ITEMS,
        "write `else: ${none}`: the value is then optional",
    ),
    answered(
        &["result", "return"],
        &["for", "if", "repeat", "block"],
        "write `yield:`",
    ),
    renamed(
        &["title", "description"],
        &["call"],
        "label",
        "write `label:`",
    ),
    answered(
        &["env", "environment"],
        ITEMS,
        "give it as an argument under `with:`",
    ),
    answered(
        &["backoff", "delay", "retry_delay"],
        &["call"],
        "write it behind the attempts: `retry: 3 backoff 1s..30s`",
    ),
    // The top.
    answered(
        &["jobs", "tasks", "stages", "nodes", "pipeline", "actions"],
        TOP,
        "write `steps:` with a list of items",
    ),
    renamed(
        &["name", "id"],
        &["file"],
        "workflow",
        "write `workflow:`, a name",
    ),
    answered(
        &["name", "id", "workflow"],
        &["workflow"],
        "the name is the key under `workflows:`",
    ),
    answered(
        &["on", "trigger", "schedule", "cron"],
        TOP,
        "write `triggers: { NAME: { run: WORKFLOW, cron: … } }`",
    ),
    answered(
        &[
            "env",
            "environment",
            "secrets",
            "variables",
            "vars",
            "defaults",
            "config",
        ],
        TOP,
        "declare it under `inputs:`, or set it in the project's configuration",
    ),
    renamed(
        &[
            "params",
            "parameters",
            "args",
            "arguments",
            "variables",
            "input",
        ],
        TOP,
        "inputs",
        "write `inputs:`",
    ),
    renamed(
        &["output", "returns"],
        TOP,
        "outputs",
        "write `outputs:`, a type; the value is `return:`",
    ),
    renamed(&["result", "yield"], TOP, "return", "write `return:`"),
    renamed(&["timeout", "deadline"], TOP, "within", "write `within:`"),
    renamed(
        &["max_cost", "cost", "limit"],
        TOP,
        "budget",
        "write `budget:`",
    ),
    renamed(
        &["import", "imports", "include", "includes"],
        &["file"],
        "use",
        "write `use:`",
    ),
    answered(
        &[
            "version",
            "apiVersion",
            "kind",
            "metadata",
            "schema",
            "$schema",
        ],
        TOP,
        "leave it out",
    ),
    answered(
        &["description", "about"],
        TOP,
        "write it as `## …` above the workflow",
    ),
    answered(
        &["model"],
        TOP,
        "give it to the steps, or set it in the project's configuration",
    ),
    // The rest.
    renamed(
        &["description", "doc", "help"],
        &["input"],
        "about",
        "write `about:`",
    ),
    answered(
        &["required", "optional", "nullable"],
        &["input"],
        "an input without a default is required; one that may be missing has a type with `?`",
    ),
    answered(
        &["enum", "options", "choices"],
        &["input"],
        "name the values under `enums:` and use that type",
    ),
    answered(
        &["min", "max", "minimum", "maximum", "pattern"],
        &["input"],
        "write it into the type: `int in 1..8`, `text matching \"…\"`",
    ),
    renamed(
        &["workflow", "step", "call", "job"],
        &["trigger", "run"],
        "run",
        "write `run:`",
    ),
    renamed(&["schedule"], &["trigger"], "cron", "write `cron:`"),
    renamed(
        &["timezone", "time_zone"],
        &["trigger"],
        "tz",
        "write `tz:`",
    ),
    renamed(
        &["disabled", "suspended"],
        &["trigger"],
        "paused",
        "write `paused:`",
    ),
    renamed(
        &["assert", "check", "that"],
        &["expectation"],
        "expect",
        "write `expect:`",
    ),
    renamed(
        &["reply", "returns", "values"],
        &["stub"],
        "replies",
        "write `replies:` with a list",
    ),
    renamed(&["alias", "name"], &["use"], "as", "write `as:`"),
    renamed(&["path", "from"], &["use"], "file", "write `file:`"),
];

/// Finds the answer to a key inside a mapping.
pub(super) fn habit(word: &str, mapping: &str) -> Option<&'static Habit> {
    HABITS.iter().find(|habit| {
        habit.words.contains(&word) && (habit.inside.is_empty() || habit.inside.contains(&mapping))
    })
}

#[cfg(test)]
mod tests {
    use super::super::keys::MAPPINGS;
    use super::*;

    #[test]
    fn every_answer_names_a_key_that_is_there() {
        for habit in HABITS {
            for inside in habit.inside.iter().filter(|name| **name != "item") {
                let mappings: Vec<_> = MAPPINGS.iter().filter(|one| one.name == *inside).collect();
                assert!(!mappings.is_empty(), "no mapping `{inside}`");
                let Some(instead) = habit.instead else {
                    continue;
                };
                assert!(
                    mappings.iter().any(|one| one.key(instead).is_some()),
                    "`{inside}` has no `{instead}`"
                );
            }
        }
    }
}
