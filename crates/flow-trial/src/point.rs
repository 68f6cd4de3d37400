//! Points: where a trial ends or stops its own process.
//!
//! The process counts the points that it passes. What happens there is said by
//! its environment, so that a trial can go through all of them, one by one.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Signal, getpid, kill_process};

/// At which point the process is killed: its number from 1, or its name.
pub const KILL_AT: &str = "FLOW_TRIAL_KILL_AT";

/// At which point the process is stopped, until somebody lets it go on: its
/// number, or its name.
pub const STOP_AT: &str = "FLOW_TRIAL_STOP_AT";

/// The file that gets the name of every point that is passed.
pub const POINTS: &str = "FLOW_TRIAL_POINTS";

/// How many points were passed.
static PASSED: AtomicU64 = AtomicU64::new(0);

/// What the environment says.
static ORDERS: OnceLock<Orders> = OnceLock::new();

#[derive(Debug)]
struct Orders {
    kill_at: Option<Point>,
    stop_at: Option<Point>,
    points: Option<PathBuf>,
}

#[derive(Debug, PartialEq, Eq)]
enum Point {
    Number(u64),
    Name(String),
}

impl Point {
    fn read(text: String) -> Self {
        match text.parse() {
            Ok(number) => Self::Number(number),
            Err(_) => Self::Name(text),
        }
    }

    fn is(&self, number: u64, name: &str) -> bool {
        match self {
            Self::Number(this) => *this == number,
            Self::Name(this) => this == name,
        }
    }
}

impl Orders {
    fn read() -> Self {
        let point = |name| std::env::var(name).ok().map(Point::read);
        Self {
            kill_at: point(KILL_AT),
            stop_at: point(STOP_AT),
            points: std::env::var_os(POINTS).map(PathBuf::from),
        }
    }
}

/// Passes a point. The process may not survive it.
pub fn pass(name: &str) {
    let orders = ORDERS.get_or_init(Orders::read);
    let number = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
    if let Some(path) = &orders.points {
        let file = OpenOptions::new().create(true).append(true).open(path);
        // A trial that wants the names sees that there are none.
        file.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes()))
            .ok();
    }
    let is = |point: &Option<Point>| point.as_ref().is_some_and(|point| point.is(number, name));
    let signal = if is(&orders.kill_at) {
        Signal::KILL
    } else if is(&orders.stop_at) {
        Signal::STOP
    } else {
        return;
    };
    // A process can always signal itself.
    kill_process(getpid(), signal).ok();
}
