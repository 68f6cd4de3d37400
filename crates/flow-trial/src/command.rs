//! What `flow-trial` has besides what `flow` has.

use flow_cli::Extra;

use crate::{clock, steps};

/// Returns the steps of trials, and their clock.
pub fn extra() -> Extra {
    let server = std::env::var(steps::SERVER).ok();
    let server = server.and_then(|text| text.parse().ok());
    Extra {
        declarations: vec![steps::DECLARATIONS],
        executors: steps::executors(server),
        clock: clock::clock(),
    }
}
