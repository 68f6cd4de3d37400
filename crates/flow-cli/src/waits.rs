//! What a step waits for that runs share: found out by asking for it again, in a
//! copy of the books.

use std::cell::RefCell;
use std::sync::Arc;

use flow_core::address::At;
use flow_core::arbiter::{Arbiter, OwnerId, Reason, Reply, Resource, Row, Waiting};
use flow_core::run::Refusal;

use crate::page::{away, tame};
use crate::standing::{self, Words};

impl Words<'_> {
    /// Says what a step waits for that could begin.
    pub(crate) fn wait(&self, at: &At) -> Option<String> {
        let run = &self.past.run;
        if let Some(by) = run.paused_by() {
            return Some(format!("the run was paused ({})", tame(by)));
        }
        if self.past.row.owner.is_none() {
            return Some("nobody drives the run".to_owned());
        }
        let ticket = run.next_ticket(at)?;
        let now = self.archive.now;
        let shared = self.archive.reader.shared().ok()?;
        let rows = shared.rows.iter().filter_map(|row| {
            let body = row.body.as_ref()?;
            Row::read(row.kind, &row.key, body).ok()
        });
        let root = crate::project::root_here().ok()?;
        let terms = crate::drive::terms(&root, None).unwrap_or_default();
        let arbiter = RefCell::new(Arbiter::load(terms, rows));
        let day = |period| arbiter.borrow_mut().day(period, now);
        let prepared = match run.prepare(&ticket, &day, &self.values) {
            Ok(prepared) => prepared,
            Err(failure) => return Some(standing::failure(&failure)),
        };
        let hold = prepared.demand.hold.clone();
        let nobody = OwnerId(Arc::from("whoever asks"));
        let decision = arbiter.borrow_mut().ask(prepared.demand, &nobody, now);
        for answer in decision.answers {
            if let Reply::Never(refusal) = answer.reply {
                return Some(match refusal {
                    Refusal::Unready(failure) | Refusal::Never(failure) => {
                        standing::failure(&failure)
                    }
                    Refusal::Budget {
                        ledger,
                        left,
                        needs,
                        ..
                    } => format!(
                        "it may cost {needs}, and {left} is left of {}",
                        self.ledger(&ledger)
                    ),
                });
            }
        }
        let waiting = arbiter.borrow().reason(&hold);
        Some(match waiting {
            Some(waiting) => self.waiting(&waiting),
            None => "for its turn: so many steps are in progress at once".to_owned(),
        })
    }

    fn waiting(&self, waiting: &Waiting) -> String {
        let until = waiting.until.map(|until| {
            let when = away(until, self.archive.now);
            format!(", {when}")
        });
        let what = match &waiting.reason {
            Reason::Budget {
                ledger,
                left,
                needs,
            } => format!(
                "for money: it may cost {needs}, and {left} is free of {} until running calls are settled",
                self.ledger(ledger)
            ),
            Reason::Slots { pool, slots } => {
                format!("for a slot of the pool `{}`, which has {slots}", tame(pool))
            }
            Reason::Rate(pool) => format!("for the rate of the pool `{}`", tame(pool)),
            Reason::Pause(pool) => format!("`{}` asked for patience", tame(pool)),
            Reason::Breaker(pool) => {
                format!(
                    "the pool `{}` is left alone, since it kept failing",
                    tame(pool)
                )
            }
            Reason::Key { by, .. } => {
                format!("an equal call is in progress in the run `{}`", by.run)
            }
            Reason::Turn(Resource::Pool(pool)) => {
                format!("others are before it in the pool `{}`", tame(pool))
            }
            Reason::Turn(Resource::Ledger(ledger)) => {
                format!("others are before it at {}", self.ledger(ledger))
            }
        };
        format!("{what}{}", until.unwrap_or_default())
    }
}
