//! The money of all runs: whether the ledgers are what the logs make them.

use std::collections::BTreeMap;

use flow_core::address::Ticket;
use flow_core::amount::Money;
use flow_core::arbiter::{Arbiter, HoldId, HoldState, LedgerId, Row, Terms, What};
use flow_core::event::Fact;
use flow_core::step::Bill;
use flow_runtime::store::{RunRow, Runs};

use crate::archive::{Archive, Go, unreadable};
use crate::exit::Failure;

use super::Findings;

/// How often it is tried again if runs go on meanwhile.
const TRIES: u32 = 3;

/// How many runs are read at once.
const PAGE: usize = 200;

/// How many faults are told.
const TOLD_MAX: usize = 10;

/// What became of an attempt's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Account {
    Open,
    Presumed(Money),
    Settled(Money),
}

/// What all logs say.
#[derive(Debug, Default)]
struct Sums {
    spent: BTreeMap<LedgerId, Money>,
    open: Vec<HoldId>,
}

/// Adds up all logs, and compares.
pub(super) fn check(archive: &Archive, found: &mut Findings) -> Result<(), Failure> {
    for _ in 0..TRIES {
        let before = version(archive)?;
        let sums = sums(archive)?;
        let shared = archive
            .reader
            .shared()
            .map_err(|error| unreadable(&error))?;
        if version(archive)? != before || shared.version != before {
            continue;
        }
        let rows = shared.rows.iter().filter_map(|row| {
            let body = row.body.as_ref()?;
            Some(Row::read(row.kind, &row.key, body))
        });
        let rows: Result<Vec<Row>, _> = rows.collect();
        match rows {
            Ok(rows) => compare(&rows, &sums, found),
            Err(error) => found.wrong(
                "ledgers",
                format!("they can't be read ({error})"),
                "another version of flow wrote them; use that one",
            ),
        }
        return Ok(());
    }
    let text = "they were not compared with the logs, since runs go on";
    found.note("ledgers", text, "ask again when they are done");
    Ok(())
}

fn version(archive: &Archive) -> Result<u64, Failure> {
    archive
        .reader
        .shared_version()
        .map_err(|error| unreadable(&error))
}

fn compare(rows: &[Row], sums: &Sums, found: &mut Findings) {
    let arbiter = Arbiter::load(Terms::default(), rows.iter().cloned());
    let wrong = arbiter.verify(&sums.spent);
    for mismatch in wrong.iter().take(TOLD_MAX) {
        let what = match mismatch.what {
            What::Held => "are held",
            What::Spent => "were spent",
        };
        let text = format!(
            "{}: it says that {} {what}, and the logs add up to {}",
            mismatch.ledger, mismatch.found, mismatch.expected
        );
        found.wrong(
            "ledgers",
            text,
            "budgets count what the ledgers say; go back to a copy of the folder",
        );
    }
    let held = rows.iter().filter_map(|row| {
        let Row::Hold(id, hold) = row else {
            return None;
        };
        (hold.state == HoldState::Open).then_some(id)
    });
    let stray: Vec<String> = held
        .filter(|id| !sums.open.contains(id))
        .map(|id| format!("{} of the run {}", id.ticket, id.run))
        .collect();
    if !stray.is_empty() {
        let names = stray
            .iter()
            .take(TOLD_MAX)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let text = format!("money is held for attempts that don't run: {names}");
        found.note("ledgers", text, "`flow resume` of such a run gives it back");
    }
    if wrong.is_empty() && stray.is_empty() {
        found.fine("ledgers", "they are what the logs of all runs add up to");
    }
}

/// Adds up what all logs say.
fn sums(archive: &Archive) -> Result<Sums, Failure> {
    let mut sums = Sums::default();
    let mut before = None;
    loop {
        let rows = archive.reader.runs(Runs::All, before, PAGE);
        let rows = rows.map_err(|error| unreadable(&error))?;
        let Some(last) = rows.last() else {
            return Ok(sums);
        };
        before = Some(last.number);
        for row in rows {
            add(archive, &row, &mut sums);
        }
    }
}

fn add(archive: &Archive, row: &RunRow, sums: &mut Sums) {
    let mut accounts: BTreeMap<Ticket, (Account, Vec<LedgerId>)> = BTreeMap::new();
    let read = archive.each_event(row, 0, &mut |_, event| {
        if let Fact::AttemptStarted(started) = &event.fact {
            let ledgers = started.grant.ledgers.clone();
            accounts.insert(started.ticket.clone(), (Account::Open, ledgers));
        }
        if let Some((ticket, bill)) = event.fact.settlement()
            && let Some((account, _)) = accounts.get_mut(ticket)
        {
            *account = settled(*account, bill);
        }
        Ok(Go::On)
    });
    // A log that can't be read is told elsewhere.
    if read.is_err() {
        return;
    }
    for (ticket, (account, ledgers)) in accounts {
        let amount = match account {
            Account::Open => {
                sums.open.push(HoldId {
                    run: row.id.clone(),
                    ticket,
                });
                continue;
            }
            Account::Presumed(amount) | Account::Settled(amount) => amount,
        };
        for ledger in ledgers {
            let sum = sums.spent.entry(ledger).or_default();
            *sum = sum.saturating_add(amount);
        }
    }
}

fn settled(account: Account, bill: Bill) -> Account {
    match (account, bill) {
        (Account::Open, Bill::Presumed(amount)) => Account::Presumed(amount),
        (Account::Open | Account::Presumed(_), Bill::Exact(amount)) => Account::Settled(amount),
        (Account::Open | Account::Presumed(_), Bill::None) => Account::Settled(Money(0)),
        // Only what nobody knew is ever known better.
        (Account::Presumed(_), Bill::Presumed(_)) | (Account::Settled(_), _) => account,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_that_is_not_what_the_logs_make_it_is_told() {
        use flow_core::address::RunId;
        use flow_core::arbiter::Ledger;
        let run = LedgerId::Run(RunId("kotemi".into()));
        let rows = |spent| {
            let ledger = Ledger {
                spent: Money(spent),
                held: Money(0),
            };
            [Row::Ledger(run.clone(), ledger)]
        };
        let sums = Sums {
            spent: [(run.clone(), Money(3))].into(),
            open: Vec::new(),
        };
        let mut found = Findings::default();
        compare(&rows(3), &sums, &mut found);
        assert!(found.is_well(), "{found:?}");
        for (rows, wrong) in [
            (&rows(2)[..], &sums),
            (&[], &sums),
            (&rows(3), &Sums::default()),
        ] {
            let mut found = Findings::default();
            compare(rows, wrong, &mut found);
            assert!(!found.is_well(), "{found:?}");
        }
    }

    #[test]
    fn a_presumed_bill_is_replaced_by_one_that_is_known_and_by_no_other() {
        let known = Bill::Exact(Money(3));
        let open = Account::Open;
        let presumed = settled(open, Bill::Presumed(Money(5)));
        assert_eq!(presumed, Account::Presumed(Money(5)));
        assert_eq!(settled(presumed, Bill::Presumed(Money(9))), presumed);
        assert_eq!(settled(presumed, known), Account::Settled(Money(3)));
        assert_eq!(settled(open, Bill::None), Account::Settled(Money(0)));
        assert_eq!(
            settled(Account::Settled(Money(3)), Bill::None),
            Account::Settled(Money(3))
        );
    }
}
