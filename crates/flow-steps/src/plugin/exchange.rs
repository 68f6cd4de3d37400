//! One question to a program: it is started, asked, listened to and ended.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Stdio;
use std::sync::Arc;

use flow_core::effect::FailureClass;
use flow_core::step::{Desk, Sent, StepCall, StepFailure};
use serde_json::{Map, Value as Json};
use tokio::task::spawn_blocking;

use super::listen::{Heard, Listener, Signs};
use super::program::{self, Found};
use super::request::{self, Ask};
use crate::process::capture::Capture;
use crate::process::group::Group;
use crate::process::launch::{Launch, inherited, made, mark};
use crate::process::{End, Watched, feed, watch};
use crate::register::Clock;

/// How much of standard error is kept for messages.
const ERRORS_MAX: usize = 64 * 1024;

/// What came of a question.
pub(super) struct Exchange {
    /// What the program said.
    pub(super) heard: Heard,
    /// How it ended.
    pub(super) end: End,
    /// The end of what it wrote to standard error.
    pub(super) errors: String,
    /// The folder that it ran in.
    pub(super) folder: PathBuf,
}

/// Where programs run.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) project: Arc<Path>,
    pub(super) clock: Clock,
}

/// A question that is ready to be asked.
pub(super) struct Question {
    launch: Launch,
    /// What is asked. Whoever tries a program out may change it.
    pub(super) request: Option<Map<String, Json>>,
}

/// Gets everything ready to ask.
pub(super) async fn prepare(
    place: &Place,
    call: &StepCall,
    ask: Ask,
) -> Result<Question, StepFailure> {
    let (place, call) = (place.clone(), call.clone());
    let prepared = spawn_blocking(move || prepared(&place, &call, &ask)).await;
    // A panic is the attempt's, wherever it happened.
    prepared.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

fn prepared(place: &Place, call: &StepCall, ask: &Ask) -> Result<Question, StepFailure> {
    let run = call.run.as_ref().ok_or_else(|| {
        let message = format!("`{}` has no command", call.step);
        StepFailure::unsent(FailureClass::Bug, message)
    })?;
    let own = call.desk.folder()?;
    let folder = made(own.join("work"))?;
    let mut environment = inherited(&own);
    let Found {
        name,
        program,
        words,
        ..
    } = program::found(&place.project, run, &mut environment)?;
    mark(&mut environment, &own);
    let request = request::write(call, ask, (place.clock)(), &own)?;
    Ok(Question {
        launch: Launch {
            name,
            program,
            words,
            environment,
            folder,
        },
        request: Some(request),
    })
}

/// What is seen of a program while it runs.
struct View<'a> {
    desk: &'a dyn Desk,
    signs: &'a Signs,
}

impl Watched for View<'_> {
    fn has_to_end(&self) -> bool {
        self.desk.is_stopped() || self.signs.is_over()
    }

    fn is_busy(&self) -> bool {
        self.signs.is_busy()
    }
}

/// Asks, and waits for the end of the program.
pub(super) async fn ask(call: &StepCall, question: Question) -> Result<Exchange, StepFailure> {
    let Question { launch, request } = question;
    let request: Option<Arc<str>> =
        request.map(|request| format!("{}\n", Json::Object(request)).into());
    let signs = Arc::new(Signs::default());
    let mut listener = Listener::new(&call.step, &call.desk, &launch.folder, &signs);
    let mut errors = Capture::new(&call.desk.mask(), call.desk.clone(), 0, ERRORS_MAX);
    let mut child = launch.spawn(Stdio::piped())?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut group = Group::new(child, &call.desk);
    let end = {
        let pipes = async {
            tokio::join!(
                feed(stdin, request),
                listener.drain(stdout),
                errors.drain(stderr)
            );
        };
        let view = View {
            desk: &*call.desk,
            signs: &signs,
        };
        watch(&mut group, pin!(pipes), &*call.desk, &view).await
    };
    group.leave();
    let end = end.map_err(|error| {
        let message = format!("`{}` was lost: {error}", launch.name);
        StepFailure {
            sent: Sent::Maybe,
            ..StepFailure::unsent(FailureClass::Transient, message)
        }
    });
    Ok(Exchange {
        heard: listener.finish().await,
        end: end?,
        errors: errors.finish(),
        folder: launch.folder,
    })
}
