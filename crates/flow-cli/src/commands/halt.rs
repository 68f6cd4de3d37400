//! `flow pause` and `flow cancel`: nothing new is started, or something is given
//! up.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method itself is not general enough over lifetimes"
)]

use std::time::{Duration, Instant};

use flow_core::address::Part;
use flow_core::event::Status;
use flow_core::letter::{Objection, Order};

use crate::args::{Cancel, Pause};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::Output;
use crate::scene::{Obeyed, Scene, process, unread};

/// How long is waited until what is given up has come to its end.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often is looked.
const LOOK: Duration = Duration::from_millis(20);

/// Lets a run start nothing new.
pub(super) fn pause(args: &Pause, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let mut scene = Scene::open(&args.acting, extra)?;
    let desk = scene.desk()?;
    match scene.order(&desk, Order::Pause)? {
        Obeyed::Done | Obeyed::Refused(Objection::PausedAlready) => {}
        Obeyed::Refused(objection) => return Err(scene.refusal(&objection, None)),
        Obeyed::Unread { pid, pace } => return Err(unread(scene.id(), pid, pace)),
    }
    scene.again()?;
    let line = match scene.driver()? {
        Some((pid, _)) => format!("pausing: what runs may finish, in {}", process(pid)),
        None => format!("paused · {}", scene.goes_on()?),
    };
    output.message(&line)?;
    Ok(Exit::Done)
}

/// Gives up a run, or a part of it.
pub(super) fn cancel(args: &Cancel, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let mut scene = Scene::open(&args.acting, extra)?;
    let part = match &args.step {
        Some(path) => scene.part(path)?,
        None => Part::default(),
    };
    let is_whole = part == Part::default();
    let desk = scene.desk()?;
    let order = Order::Cancel {
        part: part.clone(),
        why: args
            .why
            .clone()
            .unwrap_or_else(|| "asked".to_owned())
            .into(),
    };
    match scene.order(&desk, order)? {
        Obeyed::Done => {}
        Obeyed::Refused(Objection::Over(Status::Cancelled)) if is_whole => {
            output.message(&format!("the run `{}` is cancelled already", scene.id()))?;
            return Ok(Exit::Done);
        }
        Obeyed::Refused(objection) => {
            let of = args.step.as_ref().map(|_| &part);
            return Err(scene.refusal_of(&objection, of));
        }
        Obeyed::Unread { pid, pace } => return Err(unread(scene.id(), pid, pace)),
    }
    scene.again()?;
    if !is_whole {
        let path = scene.typed_part(&part);
        output.message(&format!("gave up {path} · {}", scene.goes_on()?))?;
        return Ok(Exit::Done);
    }
    wait_for_end(&mut scene)?;
    told(&scene, output)?;
    Ok(Exit::Done)
}

/// Waits until the run is over, or nobody drives it any more.
fn wait_for_end(scene: &mut Scene<'_>) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    loop {
        let is_driven = scene.driver()?.is_some();
        scene.again()?;
        if !is_driven || scene.past.run.status().is_some() || Instant::now() >= until {
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
}

fn told(scene: &Scene<'_>, output: &mut Output) -> Result<(), Failure> {
    if scene.past.run.status().is_some() {
        let id = scene.id();
        return output.message(&format!(
            "cancelled · `flow retry {id}` would go on with it"
        ));
    }
    if let Some((pid, _)) = scene.driver()? {
        return output.message(&format!(
            "cancelled; {} stops what is running",
            process(pid)
        ));
    }
    // What may have happened has to be found out all the same.
    for line in scene.stop(|stop| stop.lines()) {
        output.message(&line)?;
    }
    output.message(&format!("cancelled, but not over · {}", scene.goes_on()?))
}
