//! What a trial sees of a store, and breaks in it.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use flow_runtime::store::{Faults, Options, SyncObserver, SyncPoint};

use crate::point;

/// The file that gets a line for everything that became durable: `log 4096`,
/// `blob DIGEST`.
pub const SYNCS: &str = "FLOW_TRIAL_SYNCS";

/// The name of the session of the machine; another after a power cut.
pub const BOOT: &str = "FLOW_TRIAL_BOOT";

/// What is broken: `synced_as_lazy`, `blobs_unsynced`, `barrier_without_page`.
pub const FAULTS: &str = "FLOW_TRIAL_FAULTS";

/// How many pages fit on the disk.
pub const PAGES: &str = "FLOW_TRIAL_PAGES";

/// Returns how stores are opened, as the environment says.
pub(crate) fn options() -> Options {
    let broken = std::env::var(FAULTS).unwrap_or_default();
    let is_broken = |name: &str| broken.split(',').any(|word| word == name);
    let observer: Arc<dyn SyncObserver> = Arc::new(Journal {
        path: std::env::var_os(SYNCS).map(PathBuf::from),
    });
    Options {
        boot: std::env::var(BOOT).ok().map(Arc::from),
        observer: Some(observer),
        faults: Faults {
            synced_as_lazy: is_broken("synced_as_lazy"),
            blobs_unsynced: is_broken("blobs_unsynced"),
            barrier_without_page: is_broken("barrier_without_page"),
            pages_max: std::env::var(PAGES)
                .ok()
                .and_then(|pages| pages.parse().ok()),
        },
        ..Options::default()
    }
}

/// Notes what is durable. The process may be killed before and after.
struct Journal {
    path: Option<PathBuf>,
}

impl SyncObserver for Journal {
    fn synced(&self, synced: &SyncPoint) {
        point::pass("sync");
        let lines: String = match synced {
            SyncPoint::Log { length } => format!("log {length}\n"),
            SyncPoint::Blobs(blobs) => {
                let lines = blobs.iter().map(|digest| format!("blob {digest}\n"));
                lines.collect()
            }
        };
        if let Some(path) = &self.path {
            let file = OpenOptions::new().create(true).append(true).open(path);
            file.and_then(|mut file| file.write_all(lines.as_bytes()))
                .expect("a trial's journal can be written");
        }
        point::pass("synced");
    }
}
