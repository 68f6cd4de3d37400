//! Taking over what was made before the run began again: offered, one by one,
//! before anything new is admitted.

use flow_core::address::Ticket;
use flow_core::edit::Takeover;
use flow_core::run::Refusal;

use super::{DriveError, Driver};

impl Driver {
    /// Offers a first attempt to what may be taken over. Returns whether there is
    /// anything of the sort.
    pub(super) fn offer(&mut self, ticket: &Ticket) -> bool {
        if self.takeover.is_none() || ticket.attempt != 1 {
            return false;
        }
        let now = self.around.clock.now();
        let arbiter = std::cell::RefCell::new(&mut self.arbiter);
        let day = |period| arbiter.borrow_mut().day(period, now);
        match (
            self.run.prepare(ticket, &day, &self.values),
            &mut self.takeover,
        ) {
            (Ok(prepared), Some(takeover)) => takeover.offer(&prepared),
            (Ok(_), None) => return false,
            (Err(failure), _) => self.refuse(ticket, Refusal::Unready(failure)),
        }
        true
    }

    /// Takes up all inputs, and takes over what can be; what can't be is admitted
    /// only when nothing more is left to be taken over.
    pub(super) fn take_all(&mut self) -> Result<(), DriveError> {
        loop {
            while let Some(input) = self.inputs.pop_front() {
                self.take_up(input)?;
            }
            let Some(takeover) = &mut self.takeover else {
                return Ok(());
            };
            if let Some(input) = takeover.next(&self.run, &self.values) {
                self.inputs.push_back(input);
                continue;
            }
            let rest = takeover.rest();
            if rest.is_empty() {
                return Ok(());
            }
            for ticket in rest {
                self.admit_now(&ticket);
            }
        }
    }

    /// Returns whether what is at the place of an attempt is made again, whatever
    /// there is.
    pub(super) fn is_anew(&self, prepared: &flow_core::run::Prepared) -> bool {
        let is_anew = |takeover: &Takeover| takeover.is_anew(&prepared.path.inside());
        self.takeover.as_ref().is_some_and(is_anew)
    }
}
