//! Processes of attempts: whether there are any, and waiting for them.

use std::path::Path;
use std::time::Duration;

use flow_core::step::StepCall;

use crate::desk::FakeDesk;

/// Returns what the processes of a call carry in their environment.
pub(crate) fn key(call: &StepCall) -> String {
    call.desk.folder().unwrap().display().to_string()
}

/// Returns the processes that carry a call's key in their environment.
pub(crate) fn survivors(key: &str) -> Vec<u32> {
    let mark = format!("FLOW_ATTEMPT={key}");
    let mut found = Vec::new();
    for entry in Path::new("/proc").read_dir().unwrap().flatten() {
        let id = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let (Some(id), Ok(environment)) = (id, std::fs::read(entry.path().join("environ"))) else {
            continue;
        };
        if environment
            .split(|byte| *byte == 0)
            .any(|variable| variable.starts_with(mark.as_bytes()))
        {
            found.push(id);
        }
    }
    found
}

/// Waits until a script has said that it is ready.
pub(crate) async fn ready(desk: &FakeDesk) {
    while !desk.log_text().contains("ready") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until the kernel has buried what was killed.
pub(crate) async fn gone(key: &str) {
    while !survivors(key).is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
