//! Child processes: how they are found, started, listened to and ended.
//!
//! A child is the head of a process group of its own, with an environment of
//! its own, in a folder of its own. Whatever becomes of the attempt, the group
//! is ended: asked first, killed after a while.

pub(crate) mod capture;
pub(crate) mod group;
pub(crate) mod launch;

use std::io;
use std::pin::{Pin, pin};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use flow_core::step::Desk;
use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::time::{Instant, interval_at, timeout};

use group::{Ended, Group};

/// How often is looked whether a child should be ended.
const LOOK: Duration = Duration::from_millis(100);

/// How long the outputs are read after a child has ended: something it started
/// may hold them open for ever.
const DRAIN: Duration = Duration::from_millis(500);

/// How a child ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// By itself.
    Exited {
        /// With this.
        status: ExitStatus,
        /// Whether all that it wrote was read.
        is_drained: bool,
    },
    /// It was asked to.
    Ended {
        /// How it took that.
        ended: Ended,
        /// Whether all that it wrote was read.
        is_drained: bool,
    },
}

/// Writes standard input, and closes it. A child that doesn't read all of it
/// has what it wants.
pub(crate) async fn feed(stdin: Option<ChildStdin>, text: Option<Arc<str>>) {
    if let (Some(mut stdin), Some(text)) = (stdin, text) {
        stdin.write_all(text.as_bytes()).await.ok();
    }
}

/// What is known of a child besides that it runs.
pub(crate) trait Watched: Sync {
    /// Returns whether it has to be ended.
    fn has_to_end(&self) -> bool;

    /// Returns whether its pipes aren't read just now, for want of time.
    fn is_busy(&self) -> bool {
        false
    }
}

/// A child that is ended when its attempt should stop.
pub(crate) struct Attempt<'a>(pub(crate) &'a dyn Desk);

impl Watched for Attempt<'_> {
    fn has_to_end(&self) -> bool {
        self.0.is_stopped()
    }
}

/// Waits until a child has ended, or ends it when it has to.
pub(crate) async fn watch(
    group: &mut Group,
    mut pipes: Pin<&mut (impl Future<Output = ()> + Send)>,
    desk: &dyn Desk,
    watched: &dyn Watched,
) -> io::Result<End> {
    let mut is_drained = false;
    let mut looks = interval_at(Instant::now() + LOOK, LOOK);
    loop {
        tokio::select! {
            status = group.wait() => {
                let status = status?;
                is_drained = is_drained || drained(pipes, watched).await;
                if !is_drained {
                    desk.log("flow: something that the command started holds its output open; \
                              the rest of it is not read".as_bytes());
                }
                return Ok(End::Exited { status, is_drained });
            }
            () = &mut pipes, if !is_drained => is_drained = true,
            _ = looks.tick() => {
                if watched.has_to_end() {
                    break;
                }
            }
        }
    }
    let ended = {
        let mut ended = pin!(group.end());
        loop {
            tokio::select! {
                ended = &mut ended => break ended,
                () = &mut pipes, if !is_drained => is_drained = true,
            }
        }
    };
    is_drained = is_drained || drained(pipes, watched).await;
    Ok(End::Ended { ended, is_drained })
}

/// Reads the rest of what a child wrote that has ended, as long as it isn't
/// held open by others.
async fn drained(
    mut pipes: Pin<&mut (impl Future<Output = ()> + Send)>,
    watched: &dyn Watched,
) -> bool {
    loop {
        if timeout(DRAIN, &mut pipes).await.is_ok() {
            return true;
        }
        if !watched.is_busy() {
            return false;
        }
    }
}
