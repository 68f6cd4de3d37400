//! Programs that carry out steps, good and bad. They are written in `sh`, which
//! is everywhere; what needs Python says so.

mod answers;
mod bills;
mod conform;
mod files;
mod hostile;
mod jobs;
mod programs;
mod python;
mod requests;

use std::path::Path;
use std::sync::Arc;

use flow_core::amount::Money;
use flow_core::effect::Effect;
use flow_core::step::{Executor, StepCall, StepFailure, StepReport};
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_steps::{Clock, Plugins};
use tempfile::TempDir;

use crate::children::{gone, key};
use crate::desk::{FakeDesk, NOW, call};

/// The command of most of them.
const RUN: &str = "sh steps/it.sh";

/// A project with one program.
struct Project(TempDir);

impl Project {
    /// Takes a script of `sh`.
    fn new(script: &str) -> Self {
        let project = Self(TempDir::new().unwrap());
        project.write("steps/it.sh", script);
        project
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn plugins(&self) -> Plugins {
        let clock: Clock = Arc::new(|| NOW);
        Plugins::new(self.path(), &clock)
    }

    /// Carries out a call, and sees to it that nothing of it is left.
    async fn report(&self, desk: &FakeDesk, call: StepCall) -> StepReport {
        let key = key(&call);
        let report = self.plugins().start(call).await;
        desk.released().await;
        gone(&key).await;
        report
    }
}

/// Makes a call of a step that takes a text and gives one.
fn it(desk: &Arc<FakeDesk>, effect: Effect) -> StepCall {
    let given = call(desk, "my.it", [("text", Value::text("fox"))], Type::text());
    StepCall {
        run: Some(RUN.into()),
        types: Arc::new([("text".into(), Type::text())].into()),
        effect,
        bound: if effect.costs() {
            Money(Money::DOLLAR.0 / 10)
        } else {
            Money(0)
        },
        ..given
    }
}

/// Carries out a script that only reads.
async fn ran(script: &str) -> StepReport {
    let desk = Arc::new(FakeDesk::new());
    let call = it(&desk, Effect::Read);
    Project::new(script).report(&desk, call).await
}

/// Carries out a script with an effect.
async fn ran_as(effect: Effect, script: &str) -> StepReport {
    let desk = Arc::new(FakeDesk::new());
    let call = it(&desk, effect);
    Project::new(script).report(&desk, call).await
}

fn failure(report: StepReport) -> StepFailure {
    let StepReport::Failed(failure) = report else {
        panic!("{report:?}");
    };
    failure
}

/// Carries out a script that fails, and returns the message.
async fn wrong(script: &str) -> String {
    failure(ran(script).await).message.to_string()
}
