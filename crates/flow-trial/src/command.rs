//! What `flow-trial` has besides what `flow` has.

use flow_cli::Extra;

use crate::{clock, steps, store};

/// Returns the steps of trials, their clock, and how their stores are opened.
pub fn extra() -> Extra {
    let server = std::env::var(steps::SERVER).ok();
    let server = server.and_then(|text| text.parse().ok());
    Extra {
        declarations: vec![steps::DECLARATIONS],
        executors: steps::executors(server),
        clock: clock::clock(),
        options: Some(store::options()),
    }
}
