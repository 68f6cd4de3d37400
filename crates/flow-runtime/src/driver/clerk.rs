//! The clerk: carries out letters to a run that nobody drives. It takes the run
//! for a moment, answers, and lets it go; nothing is started.

use flow_core::address::RunId;
use flow_core::run::{Action, Input};

use super::begin::BeginError;
use super::{Driver, Surroundings};
use crate::store::Hold;

/// Whether attempts are begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hands {
    /// They are.
    Busy,
    /// They aren't: what should be in progress waits for who drives the run.
    Folded,
}

impl Driver {
    /// Carries out all letters to a run that nobody drives.
    pub async fn attend(around: Surroundings, id: &RunId) -> Result<(), BeginError> {
        let mut driver = Self::taken(around, id).await?;
        driver.hands = Hands::Folded;
        // What is too late is too late, whoever looks.
        driver.inputs.push_back(Input::Tick);
        driver.pump()?;
        for action in driver.run.outstanding() {
            if let Action::Evaluate { at, item } = action {
                driver.inputs.push_back(Input::Evaluate { at, item });
            }
        }
        driver.pump()?;
        driver.read_letters()?;
        driver.pump()?;
        let standing = driver.run.standing();
        driver.summarise(standing, Hold::Released);
        driver.submit().await?;
        driver.write_all().await?;
        Ok(())
    }
}
