//! How something came to nothing: it failed, is blocked, or was given up.

use flow_core::address::{At, Part};
use flow_core::effect::FailureClass as Class;
use flow_core::history::{Entry, State};
use flow_core::plan::NodeKind;
use serde_json::{Value as Json, json};

use crate::commands::show::faults;
use crate::commands::show::tree::Tree;
use crate::page::{instant, number, tame};
use crate::standing::{self, does};

use super::Reasons;
use super::reasons::{TOLD_MAX, around};

impl Reasons<'_> {
    pub(super) fn failed(&mut self, at: &At, is_step: bool) {
        let survey = self.words.past.survey();
        let causes = survey.causes(at);
        if let Some((cause, item)) = causes.last() {
            let path = self.path(cause, *item);
            let failure = match item {
                Some(item) => {
                    let entry = self.words.past.history.entry(cause);
                    let items = entry.and_then(Entry::items);
                    items.and_then(|items| items.broken.get(item).cloned())
                }
                None => survey.failure(&survey.instance(cause)),
            };
            let because = failure.as_ref().map(standing::failure);
            let because = because.map_or_else(String::new, |text| format!(": {text}"));
            let text = format!("it failed, since `{path}` failed{because}");
            let chain: Vec<String> = causes
                .iter()
                .map(|(at, item)| self.whole_path(at, *item))
                .collect();
            let data = json!({
                "cause": self.whole_path(cause, *item),
                "class": failure.as_ref().map(|failure| failure.class.word()),
                "message": failure.as_ref().map(|failure| &*failure.message),
                "chain": chain,
            });
            self.add("failed", text, data);
            return;
        }
        let Some(failure) = survey.failure(&survey.instance(at)) else {
            return;
        };
        let text = if is_step {
            format!(
                "it failed with {}{}",
                standing::failure(&failure),
                self.no_more(at, &failure)
            )
        } else {
            format!("it failed by itself, with {}", standing::failure(&failure))
        };
        let data = json!({ "class": failure.class.word(), "message": &*failure.message });
        self.add("failed", text, data);
    }

    /// Says why there was no further attempt.
    fn no_more(&self, at: &At, failure: &flow_core::event::Failure) -> String {
        let plan = self.words.past.history.plan();
        let NodeKind::Step(step) = &plan.node(at.node).kind else {
            return String::new();
        };
        let entry = self.words.past.history.entry(at);
        let made = entry.map_or(0, |entry| entry.attempts.len());
        if made == 0 {
            return ", before it began".to_owned();
        }
        let retry = step.policies.retry.as_ref();
        let on = retry.map_or(&[][..], |retry| &retry.on);
        let default = [Class::Transient, Class::RateLimited, Class::Capacity];
        let is_tried = if on.is_empty() {
            default.contains(&failure.class)
        } else {
            on.contains(&failure.class)
        };
        let class = failure.class.word();
        if is_tried {
            let attempts = if made == 1 { "attempt" } else { "attempts" };
            format!("; there are no more than {made} {attempts}")
        } else if failure.class == Class::UnknownOutcome {
            String::new()
        } else if on.is_empty() {
            format!("; `{class}` isn't tried again unless `retry … on {class}` says so")
        } else {
            format!("; its `retry` is not for `{class}`")
        }
    }

    /// Tells what failed in a region, if it was more than one thing.
    pub(super) fn failures(&mut self, tree: &Tree) {
        let mut all = faults::gather(self.words, &tree.told);
        all.retain(|fault| fault.handled.is_none());
        let count: usize = all.iter().map(|fault| fault.count).sum();
        if count < 2 {
            return;
        }
        let mut lines = Vec::new();
        let mut data: Vec<Json> = Vec::new();
        for fault in all.iter().take(TOLD_MAX) {
            let more = fault.count - fault.paths.len();
            let more = if more > 0 {
                format!(" and {} more", number(more as u64))
            } else {
                String::new()
            };
            let names: Vec<String> = fault.paths.iter().map(|path| format!("`{path}`")).collect();
            lines.push(format!(
                "{}{more}: {}",
                names.join(", "),
                standing::failure(&fault.failure)
            ));
            data.push(json!({
                "paths": fault.whole,
                "count": fault.count,
                "class": fault.failure.class.word(),
                "message": &*fault.failure.message,
            }));
        }
        let text = format!("{} steps in it failed", number(count as u64));
        let reason = self.add("failures", text, json!({ "failures": data }));
        reason.more = lines;
    }

    pub(super) fn fell_back(&mut self, at: &At, entry: &Entry) {
        let Some(failure) = &entry.fell_back else {
            return;
        };
        let path = self.words.path(at);
        let text = format!(
            "`{path}` failed with {}, and its `else` was taken",
            standing::failure(failure)
        );
        let data = json!({ "class": failure.class.word(), "message": &*failure.message });
        self.add("fell_back", text, data);
    }

    pub(super) fn blocked(&mut self, at: &At) {
        let survey = self.words.past.survey();
        let causes = survey.causes(at);
        let Some((cause, item)) = causes.last() else {
            return;
        };
        let failure = match item {
            Some(item) => {
                let entry = self.words.past.history.entry(cause);
                let items = entry.and_then(Entry::items);
                items.and_then(|items| items.broken.get(item).cloned())
            }
            None => survey.failure(&survey.instance(cause)),
        };
        let because = failure.as_ref().map(standing::failure);
        let because = because.map_or_else(String::new, |text| format!(": {text}"));
        let root = self.path(cause, *item);
        let was_given_up = survey.state(&survey.instance(cause)) == State::Cut;
        let text = if item.is_none() && was_given_up {
            format!("it can't run, since `{root}` was given up")
        } else {
            format!("it can't run, since `{root}` failed{because}")
        };
        let mut lines = Vec::new();
        let mut last = self.words.path(at);
        for (number, (next, item)) in causes.iter().enumerate() {
            let state = survey.state(&survey.instance(next));
            let path = self.path(next, *item);
            let is_part = number > 0
                && survey
                    .history()
                    .is_inside(next.node, causes[number - 1].0.node);
            lines.push(if is_part {
                format!("`{last}` failed, since `{path}` {}", does(state))
            } else {
                format!("`{last}` requires `{path}`, which {}", does(state))
            });
            last = path;
        }
        let chain: Vec<String> = causes
            .iter()
            .map(|(at, item)| self.whole_path(at, *item))
            .collect();
        let data = json!({
            "cause": self.whole_path(cause, *item),
            "class": failure.as_ref().map(|failure| failure.class.word()),
            "message": failure.as_ref().map(|failure| &*failure.message),
            "chain": chain,
        });
        let reason = self.add("blocked", text, data);
        reason.more = lines;
    }

    pub(super) fn cut(&mut self, at: &At) {
        let past = self.words.past;
        let cancels = past.history.cancels();
        let mut cancels = cancels.iter().rev();
        let cancel = cancels.find(|cancel| past.history.is_in(at, &cancel.part));
        if let Some(cancel) = cancel.cloned() {
            let path = self.words.part(&cancel.part);
            let (by, why) = (tame(&cancel.by), tame(&cancel.why));
            let text = format!("{by} gave up `{path}` at {}: {why}", instant(cancel.at));
            self.add(
                "cancelled",
                text,
                json!({ "path": self.whole_path(&cancel.part.at, cancel.part.item), "by": by, "why": why }),
            );
            return;
        }
        // What is around it says why.
        let plan = past.history.plan();
        let mut node = at.node;
        while let Some(parent) = &plan.node(node).parent {
            node = parent.node;
            let depth = around(past, node);
            let region = At::new(node, at.ords.iter().take(depth).copied());
            let state = past.survey().state(&past.survey().instance(&region));
            let path = self.words.path(&region);
            let entry = past.history.entry(&region);
            let fell_back = entry.and_then(|entry| entry.fell_back.as_ref());
            let is_race = matches!(plan.node(node).kind, NodeKind::Race(_));
            let text = if let Some(failure) = fell_back {
                format!(
                    "`{path}`, which it is in, failed with {}, and its `else` was taken",
                    standing::failure(failure)
                )
            } else if is_race && state.is_good() {
                format!("another contender of `{path}` was the first to succeed")
            } else if state == State::Failed {
                format!("`{path}`, which it is in, failed before it was done")
            } else {
                continue;
            };
            self.add(
                "cancelled",
                text,
                json!({ "path": self.whole_path(&region, None), "state": state.word() }),
            );
            return;
        }
        self.given_up_for(at);
    }

    /// Says which part of an instance, or what it requires, was given up.
    fn given_up_for(&mut self, at: &At) {
        let survey = self.words.past.survey();
        let whole = Part {
            at: at.clone(),
            item: None,
        };
        let mut cancels = survey.history().cancels().iter();
        let inner = cancels.find(|cancel| survey.history().is_in(&cancel.part.at, &whole));
        if let Some(cancel) = inner {
            // Of the run as a whole it was said already.
            if *at != At::root() {
                let path = self.words.part(&cancel.part);
                let text = format!("a part of it, `{path}`, was given up");
                let path = self.whole_path(&cancel.part.at, cancel.part.item);
                self.add("cancelled", text, json!({ "path": path }));
            }
        } else if let Some((cause, _)) = survey.causes(at).last() {
            let text = format!(
                "it can't run, since `{}` was given up",
                self.path(cause, None)
            );
            let path = self.whole_path(cause, None);
            self.add("cancelled", text, json!({ "path": path }));
        } else {
            self.add("cancelled", "it wasn't wanted any more", json!({}));
        }
    }
}
