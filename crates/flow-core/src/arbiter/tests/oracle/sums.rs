//! Sums: everything is added up again from all grants that there were.

use super::*;

impl Oracle {
    pub(super) fn known(&mut self, id: &HoldId) -> Option<&mut Granted> {
        self.grants
            .iter_mut()
            .rfind(|one| one.id == *id && one.is_known)
    }

    pub(super) fn flights(&self) -> BTreeMap<crate::digest::Digest, HoldId> {
        let open = self.grants.iter().filter(|one| one.state == State::Open);
        open.filter_map(|one| Some((one.key?, one.id.clone())))
            .collect()
    }

    pub(super) fn taken(&self, pool: &Arc<str>) -> usize {
        let open = self.grants.iter().filter(|one| one.state == State::Open);
        open.filter(|one| one.slots.contains(pool)).count()
    }

    pub(super) fn spent(&self, ledger: &LedgerId) -> i128 {
        let here = self
            .grants
            .iter()
            .filter(|one| one.ledgers.contains(ledger));
        here.map(|one| match one.state {
            State::Open => 0,
            State::Over { bill, .. } => i128::from(bill),
        })
        .sum()
    }

    pub(super) fn held(&self, ledger: &LedgerId) -> i128 {
        let here = self
            .grants
            .iter()
            .filter(|one| one.ledgers.contains(ledger));
        let open = here.filter(|one| one.state == State::Open);
        open.map(|one| i128::from(one.amount)).sum()
    }

    /// Returns the ledgers that a demand would be held in now, with limits.
    pub(super) fn ledgers(&self, demand: &Demand) -> Vec<(LedgerId, Option<i64>)> {
        let mut all: BTreeMap<LedgerId, Option<i64>> = BTreeMap::new();
        let budgets = &self.terms.budgets;
        let mut named = demand.ledgers.clone();
        if !named.is_empty() || demand.amount.0 > 0 {
            let mut add = |ledger| {
                named.push(LedgerDemand {
                    ledger,
                    limit: None,
                });
            };
            add(LedgerId::Project);
            for period in budgets.project_per.keys() {
                add(LedgerId::ProjectPeriod {
                    period: *period,
                    day: "".into(),
                });
            }
        }
        for one in named {
            let (id, set) = match one.ledger {
                LedgerId::Project => (LedgerId::Project, budgets.project),
                LedgerId::ProjectPeriod { period, .. } => {
                    let day = self.today(period);
                    let set = budgets.project_per.get(&period).copied();
                    (LedgerId::ProjectPeriod { period, day }, set)
                }
                LedgerId::Provider(name) => {
                    let set = budgets.providers.get(&name).copied();
                    (LedgerId::Provider(name), set)
                }
                LedgerId::Scope { path, period, .. } => {
                    let day = self.today(period);
                    (LedgerId::Scope { path, period, day }, None)
                }
                other => (other, None),
            };
            let limits = [one.limit, set].into_iter().flatten().map(|limit| limit.0);
            let before = all.get(&id).copied().flatten();
            all.insert(id, limits.chain(before).min());
        }
        all.into_iter().collect()
    }

    pub(super) fn limited(&self, demand: &Demand) -> Vec<LedgerId> {
        let ledgers = self
            .ledgers(demand)
            .into_iter()
            .filter(|_| demand.amount.0 > 0);
        ledgers
            .filter(|(_, limit)| limit.is_some())
            .map(|(id, _)| id)
            .collect()
    }

    pub(super) fn today(&self, period: Period) -> Arc<str> {
        let today = day_name(period, self.wall);
        let seen = self.days.get(&period).cloned().unwrap_or_default();
        today.max(seen).into()
    }
}

/// Counts days, and months, one by one.
fn day_name(period: Period, millis: i64) -> String {
    let days = millis / 86_400_000;
    // The first of January 1970 was a Thursday.
    let days = match period {
        Period::Week => days - (days + 3) % 7,
        Period::Day | Period::Month => days,
    };
    let (mut year, mut month, mut day) = (1970, 1, 1);
    for _ in 0..days {
        day += 1;
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 => 28 + i64::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if day > length {
            (month, day) = (month + 1, 1);
        }
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
    if period == Period::Month {
        day = 1;
    }
    format!("{year:04}-{month:02}-{day:02}")
}
