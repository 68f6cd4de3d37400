//! Programs that carry out a project's own steps, while `flow` is killed.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use flow_core::amount::Money;
use flow_core::effect::FailureClass;
use flow_core::event::Fact;
use flow_core::step::Sent;
use serde_json::Value as Json;

use crate::bench::{Bench, Scenario};
use crate::children::wait_for;
use crate::flow::{Ended, LOOK, PATIENCE};
use crate::oracle::{Books, outputs};

/// The workflow of all of them.
const LETTERS: Scenario = Scenario::new("letters", &[]);

/// What each program begins with: it notes what it was asked for, and has a way
/// to wait for the trial.
const HEAD: &str = r#"
root=${0%/steps/it.sh}
request=$(cat)
field() { printf '%s\n' "$request" | grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | cut -d'"' -f4; }
printf '%s %s\n' "$(field ask)" "$(field key)" >> "$root/asked"
wait_for() { until [ -e "$root/$1" ]; do sleep 0.01; done; }
"#;

/// A bench with one step and its program.
struct Post {
    bench: Bench,
}

impl Post {
    fn new(clauses: &str, program: &str) -> Self {
        let bench = Bench::new();
        fs::create_dir(bench.path("steps")).unwrap();
        let declaration =
            format!("step my.it(text: text) -> text\n  {clauses}\n  run \"sh steps/it.sh\"\n");
        fs::write(bench.path("steps/my.flow"), declaration).unwrap();
        fs::write(bench.path("steps/it.sh"), format!("{HEAD}{program}")).unwrap();
        let workflow = "workflow letters() -> text {\n  sent = my.it(\"fox\")\n  return sent\n}\n";
        fs::write(bench.path("letters.flow"), workflow).unwrap();
        Self { bench }
    }

    /// Returns what the program was asked for so far, with the keys.
    fn asked(&self) -> Vec<(String, String)> {
        let asked = fs::read_to_string(self.bench.path("asked")).unwrap_or_default();
        let lines = asked.lines().map(|line| line.split_once(' ').unwrap());
        lines
            .map(|(ask, key)| (ask.to_owned(), key.to_owned()))
            .collect()
    }

    fn words(&self) -> Vec<String> {
        self.asked().into_iter().map(|(ask, _)| ask).collect()
    }

    /// Waits until a run is in the store. What only looks doesn't wait for that.
    fn noted(&self, run: &str) {
        let began = Instant::now();
        while Books::of(&self.bench, run).facts.is_empty() {
            assert!(began.elapsed() < PATIENCE, "the run is not in the store");
            std::thread::sleep(LOOK);
        }
    }

    fn let_go(&self) {
        fs::write(self.bench.path("go"), "").unwrap();
    }

    /// Waits until there is a file.
    fn wait(&self, name: &str) -> PathBuf {
        let (path, began) = (self.bench.path(name), Instant::now());
        while !path.exists() {
            assert!(began.elapsed() < PATIENCE, "there is no `{name}`");
            std::thread::sleep(LOOK);
        }
        path
    }

    /// Runs until the program has made a file, and kills flow then. Returns the
    /// run, when nothing of it is left.
    fn killed_at(&self, name: &str) -> String {
        let started = self.bench.run(LETTERS).start();
        let run = started.run();
        self.wait(name);
        started.kill();
        assert!(started.end().is_killed());
        wait_for(&self.bench, "all children have ended", |count| count == 0);
        run
    }

    fn resumed(&self, run: &str) -> Ended {
        self.bench.resume(run).end()
    }
}

#[test]
fn no_program_survives_a_flow_that_is_killed() {
    let post = Post::new(
        "effect read",
        "trap '' TERM; setsid sleep 600 & (trap '' TERM; sleep 600) & sleep 600",
    );
    let started = post.bench.run(LETTERS).start();
    let run = started.run();
    wait_for(&post.bench, "the program begins", |count| count >= 4);
    post.noted(&run);
    started.kill();
    assert!(started.end().is_killed());
    wait_for(&post.bench, "all children have ended", |count| count == 0);
    let again = post.bench.resume(&run).start();
    wait_for(&post.bench, "the program begins again", |count| count >= 4);
    again.kill();
    drop(again);
    wait_for(&post.bench, "all children have ended again", |count| {
        count == 0
    });
    assert_eq!(Books::of(&post.bench, &run).lost, 1);
}

#[test]
fn an_act_that_was_killed_is_made_again_under_the_same_key() {
    let post = Post::new(
        "effect act keyed 24h",
        r#"touch "$root/begun"; wait_for go; echo '{"result": "sent"}'"#,
    );
    let run = post.killed_at("begun");
    post.let_go();
    let ended = post.resumed(&run);
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    assert_eq!(outputs(&ended), Json::from("sent"));
    let asked = post.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0], asked[1]);
    assert_eq!(asked[0].1.len(), 64);
    let books = Books::of(&post.bench, &run);
    assert_eq!((books.lost, books.unknown), (1, 0));
}

#[test]
fn what_may_have_been_sent_is_sent_again_under_the_same_key_and_what_was_refused_is_not() {
    let post = Post::new(
        "effect act keyed 24h",
        r#"
        case $(wc -l < "$root/asked") in
          1) echo '{"failure": "transient"}' ;;
          2) echo '{"failure": "transient", "sent": "refused"}' ;;
          *) echo '{"result": "sent"}' ;;
        esac
        "#,
    );
    let ended = post.bench.run(LETTERS).end();
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    let asked = post.asked();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[0], asked[1]);
    assert_ne!(asked[1], asked[2]);
}

#[test]
fn an_act_that_can_be_asked_about_is_asked_about() {
    for (found, words) in [
        (
            r#"{"found": "yes", "result": "found"}"#,
            &["run", "probe"][..],
        ),
        (r#"{"found": "no"}"#, &["run", "probe", "run"]),
    ] {
        let post = Post::new(
            "effect act probed",
            &format!(
                r#"
                if [ "$(field ask)" = probe ]; then echo '{found}'; exit; fi
                touch "$root/begun"; wait_for go; echo '{{"result": "sent"}}'
                "#
            ),
        );
        let run = post.killed_at("begun");
        post.let_go();
        let ended = post.resumed(&run);
        assert_eq!(ended.code(), Some(0), "{ended:#?}");
        assert_eq!(post.words(), words);
        let expected = if words.len() == 2 { "found" } else { "sent" };
        assert_eq!(outputs(&ended), Json::from(expected));
    }
}

#[test]
fn an_act_of_which_nobody_knows_is_not_made_again() {
    let post = Post::new("effect act once", r#"touch "$root/begun"; wait_for go"#);
    let run = post.killed_at("begun");
    post.let_go();
    let ended = post.resumed(&run);
    assert_eq!(ended.code(), Some(6), "{ended:#?}");
    assert_eq!(post.words(), ["run"]);
    assert_eq!(Books::of(&post.bench, &run).unknown, 1);
}

#[test]
fn what_was_paid_for_and_lost_is_presumed_and_made_again_once() {
    let post = Post::new(
        "effect paid\n  cost $0.10",
        r#"touch "$root/begun"; wait_for go; echo '{"result": "made", "cost": "$0.04"}'"#,
    );
    let run = post.killed_at("begun");
    post.let_go();
    let ended = post.resumed(&run);
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    assert_eq!(post.words(), ["run", "run"]);
    let books = Books::of(&post.bench, &run);
    let cents = |count| Money(Money::DOLLAR.0 / 100 * count);
    assert_eq!((books.spent, books.presumed), (cents(4), cents(10)));
}

#[test]
fn a_job_is_found_again_and_not_handed_in_twice() {
    let post = Post::new(
        "effect paid\n  cost $0.10",
        r#"
        if [ "$(field ask)" = run ]; then echo '{"job": {"id": "seven"}}'; exit; fi
        touch "$root/polled"
        [ -e "$root/go" ] || { sleep 600; exit 1; }
        [ -e "$root/once" ] || { touch "$root/once"; echo '{"wait": "10ms"}'; exit; }
        printf '{"result": "%s", "cost": "$0.04"}' "$(field id)"
        "#,
    );
    let run = post.killed_at("polled");
    post.let_go();
    let ended = post.resumed(&run);
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    assert_eq!(outputs(&ended), Json::from("seven"));
    assert_eq!(post.words(), ["run", "poll", "poll", "poll"]);
    let books = Books::of(&post.bench, &run);
    let cents = |count| Money(Money::DOLLAR.0 / 100 * count);
    assert_eq!((books.spent, books.presumed), (cents(4), Money(0)));
    let submitted = |(_, fact): &_| matches!(fact, Fact::Submitted { .. });
    assert_eq!(books.facts.iter().filter(|fact| submitted(fact)).count(), 1);
}

#[test]
fn a_program_that_takes_too_long_is_stopped_and_may_say_that_nothing_was_sent() {
    let post = Post::new(
        "effect act once",
        r#"echo '{"sent": false}'; touch "$root/begun"; exec sleep 600"#,
    );
    let workflow =
        "workflow letters() -> text {\n  sent = my.it(\"fox\") timeout 1s\n  return sent\n}\n";
    fs::write(post.bench.path("letters.flow"), workflow).unwrap();
    let ended = post.bench.run(LETTERS).end();
    // It is known to have done nothing, so it has failed and nothing is open.
    assert_eq!(ended.code(), Some(4), "{ended:#?}");
    wait_for(&post.bench, "all children have ended", |count| count == 0);
    let books = Books::of(&post.bench, &ended.run().unwrap());
    let mut failures = books.facts.iter().filter_map(|(_, fact)| {
        let Fact::Failed { failure, sent, .. } = fact else {
            return None;
        };
        Some((failure.class, *sent))
    });
    assert_eq!(failures.next(), Some((FailureClass::Timeout, Sent::No)));
}
