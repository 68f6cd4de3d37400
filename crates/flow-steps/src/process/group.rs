//! A process group that doesn't outlive its attempt.

use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use flow_core::step::Desk;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::Child;
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

/// How long a group may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// How often is looked whether a group has ended.
const LOOK: Duration = Duration::from_millis(20);

/// How a group came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It ended when it was asked.
    Asked,
    /// It had to be killed.
    Killed,
}

/// A process group. When it is dropped it is asked to end, and killed later if
/// it doesn't.
pub(crate) struct Group {
    /// Nothing once it is known to be gone.
    running: Option<Running>,
}

/// A group that may still have processes.
struct Running {
    leader: Child,
    id: Pid,
    desk: Arc<dyn Desk>,
}

impl Group {
    /// Takes care of a child that leads its own group.
    pub(crate) fn new(leader: Child, desk: &Arc<dyn Desk>) -> Self {
        // A child that was not waited for has an id.
        let id = leader.id().and_then(|id| i32::try_from(id).ok());
        let running = id.and_then(Pid::from_raw).map(|id| {
            desk.adopt_group(number(id));
            let desk = desk.clone();
            Running { leader, id, desk }
        });
        Self { running }
    }

    /// Waits until the child has ended. What it started may go on.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        match &mut self.running {
            Some(running) => running.leader.wait().await,
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Asks all of it to end, kills it if it doesn't, and waits for that.
    pub(crate) async fn end(&mut self) -> Ended {
        let ended = match &mut self.running {
            Some(running) => running.end().await,
            None => Ended::Asked,
        };
        self.forget();
        ended
    }

    /// Ends what the child has left behind, without waiting for it.
    pub(crate) fn leave(mut self) {
        let is_there = self.running.as_ref().is_some_and(Running::is_there);
        if !is_there {
            self.forget();
        }
    }

    /// Notes that nothing of it is left.
    fn forget(&mut self) {
        if let Some(running) = self.running.take() {
            running.desk.release_group(number(running.id));
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        running.signal(Signal::TERM);
        let closing = Closing(Some(running));
        // Without a runtime nobody can wait: then it is killed at once.
        if let Ok(handle) = Handle::try_current() {
            handle.spawn(closing.close());
        }
    }
}

/// A group that was asked to end. When it is dropped it is killed.
struct Closing(Option<Running>);

impl Closing {
    async fn close(mut self) {
        if let Some(running) = &mut self.0 {
            running.end().await;
        }
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        if let Some(running) = self.0.take() {
            running.signal(Signal::KILL);
            running.desk.release_group(number(running.id));
        }
    }
}

impl Running {
    async fn end(&mut self) -> Ended {
        self.signal(Signal::TERM);
        if timeout(GRACE, self.gone()).await.is_ok() {
            return Ended::Asked;
        }
        self.signal(Signal::KILL);
        self.leader.wait().await.ok();
        Ended::Killed
    }

    /// Waits until nothing of it is left.
    async fn gone(&mut self) {
        self.leader.wait().await.ok();
        while self.is_there() {
            sleep(LOOK).await;
        }
    }

    fn signal(&self, signal: Signal) {
        // One that is gone can't be told anything.
        kill_process_group(self.id, signal).ok();
    }

    fn is_there(&self) -> bool {
        test_kill_process_group(self.id).is_ok()
    }
}

fn number(id: Pid) -> u32 {
    id.as_raw_nonzero().get().unsigned_abs()
}
