//! Another process was first: what runs share has changed since it was read.
//!
//! The batch that was refused is written again, and everything in it that asks
//! for something of the shared is asked again. A grant that isn't to be had any
//! more is taken back: its attempt hasn't begun, and is admitted anew later.

use flow_core::arbiter::{Decision, Reply};
use flow_core::digest::Digest;
use flow_core::effect::FailureClass;
use flow_core::run::{Action, Input};
use flow_core::step::{Sent as Request, StepFailure, StepReport};

use super::draft::{Asked, Draft};
use super::{DriveError, Driver, Sent};
use crate::store::{Append, Batch};

/// What it takes to write a batch again.
pub(super) struct Copy {
    batch: Batch,
    blobs: Vec<Digest>,
}

impl Copy {
    /// Copies a batch that another process may get ahead of.
    pub(super) fn of(batch: &Batch) -> Option<Self> {
        batch.shared.as_ref()?;
        let append = batch.append.as_ref().map(|append| Append {
            run: append.run.clone(),
            epoch: append.epoch,
            head: append.head,
            begin: append.begin.clone(),
            events: append.events.clone(),
            references: append.references.clone(),
            summary: append.summary.clone(),
            effects: append.effects.clone(),
            asks: append.asks.clone(),
            parts: append.parts.clone(),
            replies: append.replies.clone(),
            hold: append.hold,
        });
        Some(Self {
            batch: Batch {
                level: batch.level,
                append,
                values: batch.values.clone(),
                blobs: Vec::new(),
                shared: None,
                cache: batch.cache.clone(),
                state: batch.state.clone(),
                letters: batch.letters.clone(),
                letters_over: batch.letters_over.clone(),
                pins: batch.pins.clone(),
            },
            blobs: batch.blobs.iter().map(|kept| kept.digest).collect(),
        })
    }
}

impl Driver {
    /// Writes a batch again that came too late.
    pub(super) async fn catch_up(
        &mut self,
        mut draft: Draft,
        copy: Copy,
    ) -> Result<(), DriveError> {
        self.reload()?;
        let mut batch = copy.batch;
        for digest in &copy.blobs {
            let blobs = self.around.store.blobs();
            batch.blobs.push(blobs.keep_file(&blobs.path(digest)?)?);
        }
        let asked = draft.asked.clone();
        self.ask_again(&asked, &mut draft.actions);
        batch.shared = self.shared_change();
        let copy = Copy::of(&batch);
        let pending = self.around.store.send(batch).await?;
        self.sent = Some(Sent {
            pending,
            draft,
            copy,
        });
        let mut later = std::mem::take(&mut self.draft.actions);
        let asked = self.draft.asked.clone();
        self.ask_again(&asked, &mut later);
        later.append(&mut self.draft.actions);
        self.draft.actions = later;
        Ok(())
    }

    fn ask_again(&mut self, asked: &[Asked], actions: &mut Vec<Action>) {
        for one in asked {
            let now = self.around.clock.now();
            match one {
                Asked::Settled(ticket, bill, ending) => {
                    let hold = self.hold_of(ticket);
                    let decision = self.arbiter.settle(&hold, *bill, *ending, now);
                    self.heed(decision);
                }
                Asked::Withdrawn(ticket) => {
                    let hold = self.hold_of(ticket);
                    let decision = self.arbiter.withdraw(&hold, now);
                    self.heed(decision);
                }
                Asked::Granted(demand) => {
                    let owner = self.owner.clone();
                    let decision = self.arbiter.ask(demand.as_ref().clone(), &owner, now);
                    if self.is_granted_again(decision, &demand.hold.ticket) {
                        continue;
                    }
                    let decision = self.arbiter.withdraw(&demand.hold, now);
                    self.heed(decision);
                    let ticket = demand.hold.ticket.clone();
                    let start = Action::Start {
                        ticket: ticket.clone(),
                    };
                    actions.retain(|action| *action != start);
                    let message = "another process was granted it first";
                    self.inputs.push_back(Input::Reported {
                        ticket,
                        report: StepReport::Failed(StepFailure {
                            sent: Request::No,
                            ..StepFailure::unsent(FailureClass::RateLimited, message)
                        }),
                    });
                }
            }
        }
    }

    /// Looks for a grant in what the arbiter decided, and takes up the rest.
    fn is_granted_again(
        &mut self,
        mut decision: Decision,
        ticket: &flow_core::address::Ticket,
    ) -> bool {
        let before = decision.answers.len();
        decision.answers.retain(|answer| {
            answer.hold.ticket != *ticket || !matches!(answer.reply, Reply::Granted(_))
        });
        let is_granted = decision.answers.len() < before;
        decision
            .answers
            .retain(|answer| answer.hold.ticket != *ticket);
        self.heed(decision);
        is_granted
    }
}
