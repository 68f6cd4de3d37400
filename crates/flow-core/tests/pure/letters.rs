//! Letters and replies at random: every order, every objection.

use flow_core::address::Part;
use flow_core::event::Status;
use flow_core::letter::{Letter, Objection, Order, Reply, Said};

use crate::sample::Dice;

impl Dice {
    /// Makes a letter with every order.
    pub(crate) fn letters(&mut self) -> Vec<Letter> {
        let orders = vec![
            Order::Answer {
                ticket: self.ticket(),
                shown: self.digest(),
                value: self.value(2),
            },
            Order::Pause,
            Order::Resume,
            Order::Cancel {
                part: self.part(),
                why: self.text(),
            },
            Order::Limit {
                at: self.maybe(Self::at),
                amount: self.money(),
            },
            Order::Reopen {
                part: self.maybe(Self::part),
            },
            Order::Resolve {
                ticket: self.ticket(),
                said: {
                    let happened = Said::Happened(self.value(2));
                    self.pick(&[happened, Said::DidNot, Said::GiveUp])
                },
                bill: self.maybe(Self::bill),
            },
            Order::Rebill {
                ticket: self.ticket(),
                bill: self.bill(),
            },
        ];
        let letters = orders.into_iter().map(|order| Letter {
            by: self.text(),
            order,
        });
        letters.collect()
    }

    fn part(&mut self) -> Part {
        Part {
            at: self.at(),
            item: self.maybe(Self::short),
        }
    }

    /// Makes every reply.
    pub(crate) fn replies(&mut self) -> Vec<Reply> {
        let status = self.pick(&[Status::Succeeded, Status::Failed, Status::Cancelled]);
        let objections = vec![
            Objection::NotAsked,
            Objection::Expired,
            Objection::OtherShown,
            Objection::Misfit(self.text()),
            Objection::Over(status),
            Objection::NotOver,
            Objection::PausedAlready,
            Objection::NotPaused,
            Objection::Nowhere,
            Objection::Settled,
            Objection::NotFailed,
            Objection::NoBudget,
            Objection::NotUnknown,
            Objection::NotPresumed,
            Objection::Busy,
            Objection::Unknown,
            Objection::NoPlan,
            Objection::Unreadable,
        ];
        let refused = objections.into_iter().map(Reply::Refused);
        std::iter::once(Reply::Done).chain(refused).collect()
    }
}
