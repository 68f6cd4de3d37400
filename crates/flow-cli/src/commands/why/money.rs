//! What was paid, and why so much.

use flow_core::address::At;
use flow_core::amount::Money;
use flow_core::history::Entry;
use flow_core::plan::NodeKind;
use flow_core::step::Bill;
use serde_json::{Value as Json, json};

use crate::commands::show::tree::{Kind, Row};
use crate::exit::Failure;
use crate::page::tame;
use crate::standing;

use super::Reasons;

/// How many steps are named.
const STEPS_MAX: usize = 5;

impl Reasons<'_> {
    /// Says what a step cost.
    pub(super) fn cost(&mut self, at: &At, entry: &Entry) -> Result<(), Failure> {
        let plan = self.words.past.history.plan();
        let NodeKind::Step(step) = &plan.node(at.node).kind else {
            return Ok(());
        };
        let held = entry.attempts.iter().any(|attempt| attempt.hold > Money(0));
        let Some(text) = standing::costs(entry.costs()) else {
            if held {
                let text = "it cost nothing; what was held for it was given back";
                self.add("cost", text, json!({ "spent": "$0" }));
            }
            return Ok(());
        };
        let bound = step.price.as_ref().map(|price| tame(&price.reason));
        let of = bound.as_ref().map_or_else(String::new, |bound| {
            format!("; an attempt may cost {bound}")
        });
        let costs = entry.costs();
        let mut lines = Vec::new();
        let mut data: Vec<Json> = Vec::new();
        for (number, attempt) in (1..).zip(&entry.attempts) {
            let granted = self.words.granted(attempt)?;
            let what = match attempt.bill {
                Bill::Exact(amount) => format!("was billed {amount}"),
                Bill::Presumed(amount) => format!(
                    "counts as {amount}, its bound: nobody saw the bill, and it may have been charged"
                ),
                Bill::None if attempt.is_open() => format!("holds {}", attempt.hold),
                Bill::None => "cost nothing".to_owned(),
            };
            let held = if attempt.hold > Money(0) && !attempt.is_open() {
                format!(", of {} that were held", attempt.hold)
            } else {
                String::new()
            };
            let price = granted
                .price
                .as_ref()
                .map_or_else(String::new, |price| format!(", by the price `{price}`"));
            lines.push(format!("attempt {number} {what}{held}{price}"));
            let ledgers: Vec<String> = granted
                .ledgers
                .iter()
                .map(|ledger| self.words.ledger(ledger))
                .collect();
            data.push(json!({
                "attempt": number,
                "bill": match attempt.bill {
                    Bill::None => "none",
                    Bill::Exact(_) => "exact",
                    Bill::Presumed(_) => "presumed",
                },
                "amount": attempt.bill.amount().to_string(),
                "held": attempt.hold.to_string(),
                "price": granted.price.as_deref(),
                "pools": granted.pools.iter().map(|pool| &**pool).collect::<Vec<_>>(),
                "ledgers": ledgers,
            }));
        }
        let data = json!({
            "spent": costs.spent.to_string(),
            "presumed": costs.presumed.to_string(),
            "held": costs.held.to_string(),
            "bound": bound,
            "attempts": data,
        });
        let reason = self.add("cost", format!("it cost {text}{of}"), data);
        reason.more = lines;
        Ok(())
    }

    /// Names the steps in a region that cost the most.
    pub(super) fn dearest(&mut self, at: &At) {
        let Some(tree) = self.tree(at) else { return };
        let mut steps: Vec<(Money, &Row)> = Vec::new();
        gather(&tree.root, &mut steps);
        steps.retain(|(amount, _)| *amount > Money(0));
        steps.sort_by_key(|(amount, row)| (std::cmp::Reverse(*amount), row.path.clone()));
        let Some(text) = standing::costs(tree.root.sums.costs) else {
            return;
        };
        let lines = steps.iter().take(STEPS_MAX).map(|(amount, row)| {
            let attempts = row.sums.attempts;
            let attempts = if attempts == 1 {
                "1 attempt".to_owned()
            } else {
                format!("{attempts} attempts")
            };
            format!(
                "{amount} for `{}`, {attempts}",
                self.words.inside(&row.path)
            )
        });
        let lines: Vec<String> = lines.collect();
        let data: Vec<Json> = steps
            .iter()
            .map(|(amount, row)| json!({ "path": row.path, "amount": amount.to_string() }))
            .collect();
        let reason = self.add("cost", format!("it cost {text}"), json!({ "steps": data }));
        reason.more = lines;
    }
}

fn gather<'a>(row: &'a Row, steps: &mut Vec<(Money, &'a Row)>) {
    if row.kind == Kind::Step {
        let costs = row.sums.costs;
        steps.push((costs.spent.saturating_add(costs.presumed), row));
    }
    for row in &row.rows {
        gather(row, steps);
    }
}
