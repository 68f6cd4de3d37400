//! How choices were made: conditions, lists and rounds, with the values of what
//! they speak of, computed again as the run was then.

use flow_core::address::At;
use flow_core::expr::Expr;
use flow_core::history::{Choice, Entry, Items, State};
use flow_core::plan::{For, If, Match, NodeKind, Pattern, Repeat};
use serde_json::{Map, Value as Json, json};

use crate::exit::Failure;
use crate::page::number;
use crate::standing::value_text;
use crate::wording;

use super::Reasons;

/// How many values are told.
const VALUES_MAX: usize = 6;

/// A value that has room in a line.
const VALUE_MAX: usize = 80;

impl Reasons<'_> {
    /// Says how a region chose.
    pub(super) fn choice(&mut self, at: &At, entry: &Entry) -> Result<(), Failure> {
        let plan = self.words.past.history.plan().clone();
        match (&plan.node(at.node).kind, &entry.choice) {
            (NodeKind::If(choice), Some(Choice::Arm { arm, seq })) => {
                self.condition(at, choice, *arm, *seq)?;
            }
            (NodeKind::Match(choice), Some(Choice::Arm { arm, seq })) => {
                self.matching(at, choice, *arm, *seq)?;
            }
            (NodeKind::For(each), Some(Choice::Items(items))) => {
                self.items(at, each, items)?;
            }
            (NodeKind::Repeat(repeat), Some(Choice::Rounds { opened, max, .. })) => {
                self.rounds(at, repeat, *opened, *max);
            }
            (NodeKind::Race(race), Some(Choice::Won(arm))) => {
                let name = race.block.nodes.get(*arm as usize);
                let name = name.map_or_else(|| "?".into(), |node| plan.node(*node).name.clone());
                let text = format!("`{name}` was the first of its contenders to succeed");
                self.add("race", text, json!({ "winner": &*name }));
            }
            _ => {}
        }
        Ok(())
    }

    fn condition(
        &mut self,
        at: &At,
        choice: &If,
        arm: Option<u32>,
        seq: u64,
    ) -> Result<(), Failure> {
        let holds = arm == Some(0);
        let cond = wording::expr(self.words.past.history.plan(), &choice.cond);
        let truth = if holds { "true" } else { "false" };
        let then = match arm {
            Some(0) => "`then` was taken",
            Some(_) => "`else` was taken",
            None => "nothing was done",
        };
        let values = self.values(at, &choice.cond, seq)?;
        let text = format!(
            "the condition `{cond}` was {truth}, so {then}{}",
            spoken(&values)
        );
        let data = json!({
            "condition": cond,
            "value": holds,
            "arm": arm.map(|arm| if arm == 0 { "then" } else { "else" }),
            "values": values_json(&values),
        });
        self.add("branch", text, data);
        Ok(())
    }

    fn matching(
        &mut self,
        at: &At,
        choice: &Match,
        arm: Option<u32>,
        seq: u64,
    ) -> Result<(), Failure> {
        let subject = wording::expr(self.words.past.history.plan(), &choice.subject);
        let then = (self.words.archive).past_until(&self.words.past.row, seq)?;
        let value = then.run.value_at(at, &choice.subject, self.words);
        let value = value.and_then(Result::ok);
        let value = value.map(|value| value_text(&value, VALUE_MAX));
        let taken = arm.and_then(|arm| choice.arms.get(arm as usize));
        let then = match taken {
            Some(arm) => format!("the arm `{}` was taken", patterns(&arm.patterns)),
            None => "no arm was taken".to_owned(),
        };
        let was = value.as_deref().unwrap_or("something");
        let text = format!("`{subject}` was {was}, so {then}");
        let data = json!({
            "subject": subject,
            "value": value,
            "arm": taken.map(|arm| &*arm.name),
        });
        self.add("branch", text, data);
        Ok(())
    }

    fn items(&mut self, at: &At, each: &For, items: &Items) -> Result<(), Failure> {
        let list = wording::expr(self.words.past.history.plan(), &each.list);
        let values = self.values(at, &each.list, items.seq)?;
        let text = format!(
            "it has {} items, since `{list}` had so many; {} are open at once{}",
            number(items.count.into()),
            items.parallel,
            spoken(&values)
        );
        let data = json!({
            "list": list,
            "count": items.count,
            "parallel": items.parallel,
            "values": values_json(&values),
        });
        self.add("items", text, data);
        Ok(())
    }

    fn rounds(&mut self, at: &At, repeat: &Repeat, opened: u32, max: u32) {
        let plan = self.words.past.history.plan();
        let survey = self.words.past.survey();
        let state = survey.state(&survey.instance(at));
        let until = repeat
            .until
            .as_ref()
            .map(|until| wording::expr(plan, until));
        let rounds = if opened == 1 { "round" } else { "rounds" };
        let why = match (&until, state) {
            (Some(until), State::Succeeded) if opened < max => {
                format!("; then `{until}` was true")
            }
            (_, State::Succeeded) if opened >= max => "; that is the most".to_owned(),
            (Some(until), _) => format!("; it goes on until `{until}`"),
            (None, _) => String::new(),
        };
        let text = format!("it had {opened} {rounds} of at most {max}{why}");
        self.add(
            "rounds",
            text,
            json!({ "rounds": opened, "max": max, "until": until }),
        );
    }

    /// Computes what an expression speaks of, as it was before an event.
    fn values(&self, at: &At, expr: &Expr, seq: u64) -> Result<Vec<(String, String)>, Failure> {
        let plan = self.words.past.history.plan();
        let then = self.words.archive.past_until(&self.words.past.row, seq)?;
        let mut found: Vec<(String, String)> = Vec::new();
        for part in references(expr) {
            let name = wording::expr(plan, part);
            if std::ptr::eq(part, expr) {
                // What is all of it was said already.
                continue;
            }
            if found.len() == VALUES_MAX || found.iter().any(|(known, _)| *known == name) {
                continue;
            }
            if let Some(Ok(value)) = then.run.value_at(at, part, self.words) {
                found.push((name, value_text(&value, VALUE_MAX)));
            }
        }
        Ok(found)
    }
}

/// Returns the longest parts of an expression that only name something:
/// `shot.score`, `threshold`.
fn references(expr: &Expr) -> Vec<&Expr> {
    let mut found = Vec::new();
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        if is_reference(expr) {
            found.push(expr);
        } else {
            open.extend(expr.parts().into_iter().rev());
        }
    }
    found
}

fn is_reference(expr: &Expr) -> bool {
    match expr {
        Expr::Node(_) | Expr::Arg(..) | Expr::Item(_) | Expr::State(_) | Expr::Payload(_) => true,
        Expr::Field(of, _) | Expr::Outside(of, _) | Expr::Widen(of) | Expr::Check(of, ..) => {
            is_reference(of)
        }
        Expr::Const(_)
        | Expr::Local(_)
        | Expr::Run
        | Expr::Event
        | Expr::File(..)
        | Expr::Index(..)
        | Expr::Not(_)
        | Expr::Negate(..)
        | Expr::IsSome(_)
        | Expr::Binary(..)
        | Expr::If(_)
        | Expr::Call(..)
        | Expr::List(_)
        | Expr::Comprehension(_)
        | Expr::Record(_)
        | Expr::Text(_)
        | Expr::Template(..) => false,
    }
}

fn spoken(values: &[(String, String)]) -> String {
    if values.is_empty() {
        return String::new();
    }
    let all: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("`{name}` was {value}"))
        .collect();
    format!("; {}", all.join(", "))
}

fn values_json(values: &[(String, String)]) -> Json {
    let all = values
        .iter()
        .map(|(name, value)| (name.clone(), Json::from(value.clone())));
    Json::Object(all.collect::<Map<String, Json>>())
}

fn patterns(patterns: &[Pattern]) -> String {
    let all = patterns.iter().map(|pattern| match pattern {
        Pattern::Some => "some".to_owned(),
        Pattern::None => "none".to_owned(),
        Pattern::Any => "_".to_owned(),
        Pattern::Is(value) => wording::value(value),
    });
    all.collect::<Vec<_>>().join(" | ")
}
