//! A server on loopback that is the other side of all trials: it counts what
//! really arrived, what was charged and what was changed, and it misbehaves as
//! scripts say.

mod handle;
pub mod script;
pub mod truth;

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::watch;

use truth::{Record, Truth, What};

/// How long is waited for something to happen before a trial has failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// What the server and those who look at it share.
#[derive(Debug)]
struct Shared {
    began: Instant,
    /// Where time goes on after a restart.
    earlier: Duration,
    inner: Mutex<Inner>,
    /// Something was written into the journal.
    changed: Condvar,
    gate: watch::Sender<bool>,
}

#[derive(Debug)]
struct Inner {
    truth: Truth,
    journal: File,
    requests: u64,
}

impl Server {
    /// Starts on any port, with the journal of an earlier one, if there is one.
    pub fn start(journal: &Path) -> io::Result<Self> {
        Self::start_at(journal, SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Starts again where an earlier one was.
    pub fn start_at(journal: &Path, address: SocketAddr) -> io::Result<Self> {
        let shared = Arc::new(Shared::open(journal)?);
        let (stop, mut stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let state = shared.clone();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).expect("it is a listener");
                let stop = stopped.wait_for(|is_stopped| *is_stopped);
                tokio::select! {
                    _ = stop => {}
                    () = handle::serve(&listener, &state) => {}
                }
            });
        });
        Ok(Self {
            address,
            shared,
            stop,
            thread: Some(thread),
        })
    }

    /// Returns where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns all that happened so far.
    pub fn truth(&self) -> Truth {
        self.shared.lock().truth.clone()
    }

    /// Waits until something is true. Panics if it takes too long.
    pub fn wait_until(&self, what: &str, is_true: impl Fn(&Truth) -> bool) {
        let inner = self.shared.lock();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(inner, PATIENCE, |inner| !is_true(&inner.truth));
        let (inner, result) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(
            !result.timed_out(),
            "it did not come to this: {what}; {:#?}",
            inner.truth.records
        );
    }

    /// Lets everything through that waits for the gate, from now on.
    pub fn open_gate(&self) {
        self.shared.gate.send_replace(true);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic in it was printed already, and what it left open is seen.
            thread.join().ok();
        }
    }
}

impl Shared {
    fn open(path: &Path) -> io::Result<Self> {
        let mut truth = Truth::default();
        for record in read(path)? {
            truth.apply(record);
        }
        let requests = truth
            .records
            .iter()
            .map(|record| record.request + 1)
            .max()
            .unwrap_or(0);
        let earlier = truth.records.last().map_or(0, |record| record.at);
        Ok(Self {
            began: Instant::now(),
            earlier: Duration::from_millis(earlier),
            inner: Mutex::new(Inner {
                truth,
                journal: OpenOptions::new().create(true).append(true).open(path)?,
                requests,
            }),
            changed: Condvar::new(),
            gate: watch::Sender::new(false),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of a new request.
    fn request(&self) -> u64 {
        let mut inner = self.lock();
        inner.requests += 1;
        inner.requests - 1
    }

    /// Notes what `decide` says in view of the truth, all of it at once.
    fn note<T>(&self, request: u64, decide: impl FnOnce(&Truth) -> (Vec<What>, T)) -> T {
        let mut inner = self.lock();
        let at = self.earlier.saturating_add(self.began.elapsed());
        let at = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        let (all, result) = decide(&inner.truth);
        let mut lines = String::new();
        for what in all {
            let record = Record { at, request, what };
            lines.push_str(&serde_json::to_string(&record).unwrap_or_default());
            lines.push('\n');
            inner.truth.apply(record);
        }
        // The journal is the truth of a trial: without it there is none.
        inner
            .journal
            .write_all(lines.as_bytes())
            .expect("the journal can be written");
        self.changed.notify_all();
        result
    }
}

/// Reads the journal of an earlier server.
fn read(path: &Path) -> io::Result<Vec<Record>> {
    let path: PathBuf = path.to_owned();
    if !path.exists() {
        return Ok(Vec::new());
    }
    let lines = BufReader::new(File::open(path)?).lines();
    lines
        .map(|line| serde_json::from_str(&line?).map_err(io::Error::from))
        .collect()
}
