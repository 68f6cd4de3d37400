//! Letters: what other processes want of a run that this one drives.
//!
//! They are read soon after they were written, one by one, in their order. Each
//! is answered in the commit of the events that it led to, so nothing is done
//! twice, and nothing is done without an answer.

use std::time::Duration as Wait;

use flow_core::letter::{Letter, Objection, Reply};
use tokio::time::Instant;

use super::{DriveError, Driver};
use crate::store::LetterReply;

/// How long it takes at most until somebody is heard.
pub(super) const HEAR: Wait = Wait::from_millis(100);

impl Driver {
    /// Looks whether others have written something, if that wasn't done lately.
    pub(super) fn hear(&mut self) -> Result<(), DriveError> {
        let now = Instant::now();
        if now < self.hears_at {
            return Ok(());
        }
        self.hears_at = now + HEAR;
        if self.reader.has_changed()? {
            self.read_letters()?;
            self.catch_up_idle()?;
        }
        Ok(())
    }

    /// Reads all letters that are not read, and carries them out.
    pub(super) fn read_letters(&mut self) -> Result<(), DriveError> {
        for letter in self.reader.letters(self.run.id(), self.heard)? {
            self.heard = letter.number;
            let reply = match Letter::decode(&letter.body) {
                Ok(read) => match self.carry_out_letter(read)? {
                    Ok(()) => Reply::Done,
                    Err(objection) => Reply::Refused(objection),
                },
                Err(_) => Reply::Refused(Objection::Unreadable),
            };
            let mut body = Vec::new();
            reply
                .encode(&mut body)
                .expect("replies hold no lists of a `for`");
            let number = letter.number;
            self.draft.replies.push(LetterReply { number, body });
            // The next one is about what follows from this.
            self.pump()?;
        }
        Ok(())
    }

    fn carry_out_letter(&mut self, letter: Letter) -> Result<Result<(), Objection>, DriveError> {
        let input = letter.input(&self.values);
        let now = self.around.clock.now();
        let event = self.run.order(input, now, &self.values);
        if let Some(fault) = self.values.take_fault() {
            return Err(fault.into());
        }
        Ok(event.map(|event| self.record(&event)))
    }

    /// Takes over what others have changed of what runs share, if something
    /// waits for it and nothing of ours is on its way.
    fn catch_up_idle(&mut self) -> Result<(), DriveError> {
        let is_settled = self.sent.is_none() && self.draft.asked.is_empty();
        if self.waiting.is_empty() || !is_settled {
            return Ok(());
        }
        if self.reader.shared_version()? == self.shared {
            return Ok(());
        }
        self.reload()?;
        let decision = self.arbiter.tick(self.around.clock.now());
        self.heed(decision);
        Ok(())
    }
}
