//! Rehearsals of recorded plans: time passes where nothing else does, and the
//! same answers give the same run.

use std::path::Path;
use std::sync::Arc;

use flow_core::address::{RunId, Ticket};
use flow_core::amount::{Duration, Money, Timestamp};
use flow_core::arbiter::Terms;
use flow_core::effect::FailureClass;
use flow_core::event::{Event, Fact, Status};
use flow_core::plan::Plan;
use flow_core::run::Standing;
use flow_core::step::{Bill, Progress, StepCall, StepFailure, StepReport};
use flow_core::value::Value;
use flow_runtime::driver::{View, Watcher};
use flow_runtime::rehearse::{
    Answer, Cast, NewRehearsal, Props, Rehearsal, Rehearsed, RehearsedMemory, Rest, SimulatedClock,
    Terrain,
};

use crate::harness::wait;

type Start = Box<dyn FnMut(&StepCall) -> Answer<StepReport>>;

/// Plays as a test says.
struct Player {
    start: Start,
    polls: u32,
}

impl Cast for Player {
    fn start(&mut self, call: StepCall) -> Answer<StepReport> {
        (self.start)(&call)
    }

    fn poll(&mut self, call: StepCall, job: Value) -> Answer<StepReport> {
        assert_eq!(job, Value::text("job 1"), "{}", call.path);
        self.polls += 1;
        Answer::After(Duration::MINUTE, done(Value::list(Vec::new())))
    }
}

/// Writes down what happens.
#[derive(Default)]
struct Log(Vec<Event>);

impl Watcher for Log {
    fn event(&mut self, _view: &View<'_>, event: &Event) {
        self.0.push(event.clone());
    }

    fn progress(&mut self, _ticket: &Ticket, _progress: &Progress) {}
}

fn done(value: Value) -> StepReport {
    let bill = Bill::Exact(Money(1));
    StepReport::Done { value, bill }
}

fn answer(value: Value) -> Answer<StepReport> {
    Answer::now(done(value))
}

/// What `shell.run` gives.
fn shell(text: &str) -> Value {
    let fields = [
        ("text", Value::text(text)),
        ("errors", Value::text("")),
        ("code", Value::Int(0)),
        ("files", Value::Record(Arc::default())),
    ];
    let fields = fields.map(|(name, value)| (Arc::from(name), value));
    Value::Record(Arc::new(fields.into()))
}

fn plan(name: &str) -> Arc<Plan> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/v1/runs");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    Arc::new(Plan::from_json(&text).unwrap())
}

fn rehearsal(events_max: u64) -> Rehearsal {
    Rehearsal::new(Terrain {
        clock: SimulatedClock::at(Timestamp(0)),
        terms: Terms::default(),
        memory: RehearsedMemory::default(),
        props: Arc::new(Props::default()),
        parallel: 64,
        events_max,
    })
}

fn play(
    rehearsal: &mut Rehearsal,
    name: &str,
    inputs: Vec<Value>,
    start: impl FnMut(&StepCall) -> Answer<StepReport> + 'static,
) -> (Rehearsed, Player, Vec<Event>) {
    let mut player = Player {
        start: Box::new(start),
        polls: 0,
    };
    let mut log = Log::default();
    let new = NewRehearsal {
        run: RunId("r".into()),
        plan: plan(name),
        inputs,
        files: Vec::new(),
        seed: 1,
        budget: None,
    };
    let played = wait(rehearsal.play(new, &mut player, &mut log));
    (played, player, log.0)
}

fn names(names: &[&str]) -> Vec<Value> {
    vec![Value::list(
        names.iter().map(|name| Value::text(*name)).collect(),
    )]
}

#[test]
fn a_job_is_asked_for_and_takes_its_time() {
    let (played, player, log) = play(
        &mut rehearsal(1000),
        "paid",
        vec![Value::text("a fox")],
        |_| {
            Answer::After(
                Duration::SECOND,
                StepReport::Submitted {
                    job: Value::text("job 1"),
                    expires: None,
                },
            )
        },
    );
    assert_eq!(played.outcome.status, Some(Status::Succeeded));
    assert_eq!(played.output, Some(Value::Int(0)));
    assert_eq!(played.ended, Timestamp(61_000));
    assert_eq!(played.outcome.costs.spent, Money(1));
    assert_eq!(player.polls, 1);
    assert!(log.windows(2).all(|pair| pair[0].at <= pair[1].at));
}

#[test]
fn who_is_slower_is_stopped_and_nobody_waits_for_it() {
    let (played, _, log) = play(&mut rehearsal(1000), "race", Vec::new(), |call| {
        let path = call.path.to_string();
        match &*path {
            "race/first/near" => Answer::After(Duration::HOUR, done(shell("near"))),
            "race/first/far" => Answer::After(Duration::SECOND, done(shell("far"))),
            _ => answer(shell("acted")),
        }
    });
    assert_eq!(played.output, Some(Value::text("far")));
    assert_eq!(played.ended, Timestamp(1000));
    let stopped = log
        .iter()
        .filter(|event| matches!(event.fact, Fact::Stopped { .. }));
    assert_eq!(stopped.count(), 1);
}

#[test]
fn what_fails_is_tried_again_after_a_pause_that_nobody_waits_for() {
    let mut tries = 0;
    let (played, _, _) = play(
        &mut rehearsal(1000),
        "chain",
        vec![Value::text("fox")],
        move |call| {
            tries += 1;
            if tries < 3 {
                let failure = StepFailure::unsent(FailureClass::Transient, "not now");
                return Answer::now(StepReport::Failed(failure));
            }
            answer(call.args["text"].clone())
        },
    );
    assert_eq!(played.output, Some(Value::text("fox fox")));
    assert!(played.ended > Timestamp(0));
}

#[test]
fn the_same_answers_give_the_same_run() {
    let log = || {
        let (_, _, log) = play(
            &mut rehearsal(1000),
            "items",
            names(&["a", "b", "c"]),
            |call| answer(call.args["text"].clone()),
        );
        format!("{log:#?}")
    };
    assert_eq!(log(), log());
}

#[test]
fn a_run_that_goes_on_and_on_is_given_up() {
    let words: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (played, _, log) = play(&mut rehearsal(20), "items", names(&words), |call| {
        answer(call.args["text"].clone())
    });
    assert_eq!(played.rest, Rest::GivenUp);
    assert!(log.len() < 40, "it has {} events", log.len());
}

#[test]
fn who_never_answers_stops_the_run_and_not_the_rehearsal() {
    let mut rehearsal = rehearsal(1000);
    let (played, _, _) = play(&mut rehearsal, "paid", vec![Value::text("a")], |_| {
        Answer::Never
    });
    assert_eq!(played.rest, Rest::Itself);
    assert_eq!(played.outcome.standing, Standing::Working);
    assert_eq!(played.outcome.status, None);
    let (played, _, _) = play(&mut rehearsal, "paid", vec![Value::text("b")], |_| {
        answer(Value::list(Vec::new()))
    });
    assert_eq!(played.outcome.status, Some(Status::Succeeded));
}

#[test]
fn work_that_breaks_down_is_a_failed_attempt() {
    let (played, _, log) = play(
        &mut rehearsal(1000),
        "chain",
        vec![Value::text("a")],
        |_| Answer::Work(Box::pin(async { panic!("it was meant to") })),
    );
    assert_eq!(played.outcome.status, Some(Status::Failed));
    let is_bug = |event: &Event| matches!(&event.fact, Fact::Failed { failure, .. } if failure.class == FailureClass::Bug);
    assert!(log.iter().any(is_bug));
}
