//! How something stands, and how it came to that.

use flow_core::address::At;
use flow_core::effect::FailureClass as Class;
use flow_core::history::{Entry, Place, Reach, State};
use flow_core::plan::NodeKind;
use serde_json::{Value as Json, json};

use crate::attempts;
use crate::commands::show::faults;
use crate::commands::show::tree::{Detail, Tree, tree};
use crate::exit::Failure;
use crate::page::{away, instant, length, number, tame};
use crate::standing::{self, does, word};
use crate::wording;

use super::Reasons;

/// How many of equal things are told.
const TOLD_MAX: usize = 8;

/// How many attempts are told.
const ATTEMPTS_MAX: usize = 12;

impl Reasons<'_> {
    /// Finds all there is to say of an instance, or of an item of one.
    pub(super) fn explain(&mut self, at: &At, item: Option<u32>) -> Result<(), Failure> {
        let survey = self.words.past.survey();
        match survey.reach(at) {
            Reach::Here => {}
            Reach::Skipped { region, taken } => return self.skipped(&region, taken),
            Reach::Unneeded { of } => {
                self.unneeded(&of);
                return Ok(());
            }
            Reach::NotBegun { region } => {
                self.not_begun(&region);
                return Ok(());
            }
        }
        if let Some(item) = item {
            self.item(at, item);
            return Ok(());
        }
        if *at == At::root() {
            self.of_run();
        }
        let state = survey.state(&survey.instance(at));
        self.stands(at, state);
        let entry = self.words.past.history.entry(at);
        let kind = &self.words.past.history.plan().node(at.node).kind;
        if let Some(entry) = entry {
            if let NodeKind::Step(step) = kind {
                self.origin(at, step, entry)?;
            }
            if !matches!(kind, NodeKind::Step(_)) {
                self.choice(at, entry)?;
            }
            self.fell_back(at, entry);
            self.attempts(entry);
            self.cost(at, entry)?;
        }
        if !matches!(kind, NodeKind::Step(_)) {
            self.inside(at, state);
            self.dearest(at);
        }
        Ok(())
    }

    fn not_begun(&mut self, region: &At) {
        let survey = self.words.past.survey();
        let state = survey.state(&survey.instance(region));
        let path = self.words.path(region);
        let entry = self.words.past.history.entry(region);
        if let Some(items) = entry.and_then(Entry::items) {
            let now = self.words.past.run.items_now(region);
            let opened = now.map_or(items.count, |now| now.opened);
            let why = if state == State::Failed {
                "no new item begins after one has failed".to_owned()
            } else {
                format!("{} are open at once", items.parallel)
            };
            let text = format!(
                "its item of `{path}` was not begun: {} of {} were, and {why}",
                number(opened.into()),
                number(items.count.into())
            );
            self.add(
                "not_begun",
                text,
                json!({ "region": self.whole_path(region, None), "state": state.word() }),
            );
            return;
        }
        let note = self.words.note(region, state);
        let note = note.map_or_else(String::new, |note| format!(": {note}"));
        let text = format!(
            "what it is in, `{path}`, was not begun: it is {}{note}",
            word(state)
        );
        self.add(
            "not_begun",
            text,
            json!({ "region": self.whole_path(region, None), "state": state.word() }),
        );
        if state == State::Blocked {
            self.blocked(region);
        }
    }

    fn unneeded(&mut self, of: &At) {
        let survey = self.words.past.survey();
        let state = survey.state(&survey.instance(of));
        let path = self.words.path(of);
        let text = if state.is_over() && state.is_good() {
            format!("it is what would be done if `{path}` failed, and that didn't fail")
        } else {
            format!("it is done if `{path}` fails, and that {}", does(state))
        };
        self.add(
            "skipped",
            text,
            json!({ "unless_failed": self.whole_path(of, None), "state": state.word() }),
        );
    }

    /// Says what there is to say of an item as a whole.
    fn item(&mut self, region: &At, item: u32) {
        let survey = self.words.past.survey();
        let history = &self.words.past.history;
        let items = history.entry(region).and_then(Entry::items);
        let broken = items.and_then(|items| items.broken.get(&item).cloned());
        if let Some(failure) = broken {
            let text = format!(
                "its value could not be computed: {}",
                standing::failure(&failure)
            );
            self.add(
                "failed",
                text,
                json!({ "class": failure.class.word(), "message": &*failure.message }),
            );
        }
        let instance = survey.instance(region);
        let Some(arm) = survey.arms(&instance).into_iter().next() else {
            return;
        };
        if arm.items.is_some_and(|opened| item >= opened) {
            self.not_begun(region);
            return;
        }
        for node in arm
            .block
            .nodes
            .iter()
            .filter(|node| survey.is_shown(**node))
        {
            let child = survey.child(&instance, &arm, *node, Some(item));
            let state = survey.state(&child);
            let note = self.words.note(&child.at, state);
            let note = note.map_or_else(String::new, |note| format!(": {note}"));
            let path = self.words.path(&child.at);
            let text = format!("`{path}` {}{note}", does(state));
            let whole = self.whole_path(&child.at, None);
            self.add(
                "part",
                text,
                json!({ "path": whole, "state": state.word() }),
            );
        }
        let is_kept = matches!(
            &history.plan().node(region.node).kind,
            NodeKind::For(each) if each.keep_ok
        );
        if is_kept && survey.item_state(region, item) == State::Failed {
            let text = "it is left out of the list, since its `for` says `keep ok`";
            self.add("left_out", text, json!({}));
        }
    }

    /// Says what there is to say of a run alone.
    fn of_run(&mut self) {
        let past = self.words.past;
        let now = self.words.archive.now;
        if past.survey().is_recalled()
            && let Some(recalled) = &past.run.started().recalled
        {
            let from = &recalled.from.run;
            let text = format!(
                "nothing was walked: the run {from} had the same plan, inputs and files, and all steps are pure; `--fresh` makes it anew"
            );
            self.add("recalled", text, json!({ "from": from.to_string() }));
        }
        if let Some(by) = past.run.paused_by()
            && past.run.status().is_none()
        {
            let (text, by) = match by {
                "budget" => ("it was paused, since a call didn't fit into its budget", by),
                "interrupt" => ("it was paused by an interruption", by),
                by => ("it was paused", by),
            };
            self.add("paused", text, json!({ "by": by }));
        }
        let state = self.words.archive.state(&past.row);
        if matches!(state, Ok(crate::args::RunState::Interrupted)) {
            let text = format!(
                "its process ended before it did, {} or later; `flow resume {}` goes on",
                away(past.run.last_at(), now),
                past.row.id
            );
            self.add(
                "interrupted",
                text,
                json!({ "after": past.run.last_at().to_string() }),
            );
        }
        let cancels: Vec<_> = past.history.cancels().to_vec();
        for cancel in cancels.iter().take(TOLD_MAX) {
            let path = self.words.part(&cancel.part);
            let (by, why) = (tame(&cancel.by), tame(&cancel.why));
            let text = format!("{by} gave up `{path}` at {}: {why}", instant(cancel.at));
            self.add(
                "cancelled",
                text,
                json!({ "path": self.whole_path(&cancel.part.at, cancel.part.item), "by": by, "why": why }),
            );
        }
        for (ticket, stray) in past.run.strays() {
            let text = format!(
                "an attempt of before ({ticket}) belongs to no step any more, and {}",
                match stray {
                    flow_core::run::Stray::Busy => "is waited for",
                    flow_core::run::Stray::Unknown => "nobody knows what became of it",
                }
            );
            self.add("stray", text, json!({ "ticket": ticket.to_string() }));
        }
    }

    /// Says how an instance stands.
    fn stands(&mut self, at: &At, state: State) {
        let kind = &self.words.past.history.plan().node(at.node).kind;
        let is_step = matches!(kind, NodeKind::Step(_));
        match state {
            State::Failed => self.failed(at, is_step),
            State::Blocked => self.blocked(at),
            State::Cut => self.cut(at),
            State::Pending => self.pending(at),
            State::Running if !is_step => {}
            State::Running
            | State::Remote
            | State::Probing
            | State::Ready
            | State::Asking
            | State::Unknown
            | State::Held
            | State::Pausing
            | State::Sleeping => {
                let note = self.words.note(at, state);
                let text = match (state, &note) {
                    (State::Ready, Some(note)) => format!("it could begin, and waits: {note}"),
                    (_, Some(note)) => format!("it {}: {note}", does(state)),
                    (_, None) => format!("it {}", does(state)),
                };
                self.add(
                    "stands",
                    text,
                    json!({ "state": state.word(), "note": note }),
                );
            }
            State::Skipped | State::Reused | State::Succeeded => {}
        }
    }

    fn failed(&mut self, at: &At, is_step: bool) {
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

    fn blocked(&mut self, at: &At) {
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
        let text = format!("it can't run, since `{root}` failed{because}");
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

    fn cut(&mut self, at: &At) {
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
        self.add("cancelled", "it wasn't wanted any more", json!({}));
    }

    fn pending(&mut self, at: &At) {
        let survey = self.words.past.survey();
        let waits = survey.waits_for(at);
        let text = match waits.as_slice() {
            [] => "what it requires isn't there yet".to_owned(),
            [_] => "it waits for one thing that has to come first".to_owned(),
            many => format!("it waits for {} things that have to come first", many.len()),
        };
        let mut lines = Vec::new();
        let mut data = Vec::new();
        for before in waits.iter().take(TOLD_MAX) {
            let state = survey.state(&survey.instance(before));
            let note = self.words.note(before, state);
            let path = self.words.path(before);
            let whole = self.whole_path(before, None);
            data.push(json!({ "path": whole, "state": state.word(), "note": note }));
            let note = note.map_or_else(String::new, |note| format!(": {note}"));
            lines.push(format!("`{path}` {}{note}", does(state)));
        }
        let reason = self.add("pending", text, json!({ "waits_for": data }));
        reason.more = lines;
    }

    /// Says what in a region it waits for, or what of it failed.
    fn inside(&mut self, at: &At, state: State) {
        let Some(tree) = self.tree(at) else { return };
        if state == State::Failed {
            self.failures(&tree);
        }
        let told: Vec<_> = tree
            .told
            .iter()
            .filter(|told| told.state != State::Failed)
            .collect();
        if state.is_over() || told.is_empty() {
            return;
        }
        let counts: Vec<String> = tree
            .steps
            .states()
            .map(|(state, count)| format!("{} {}", number(count.into()), word(state)))
            .collect();
        let text = format!("of the steps in it are {}", counts.join(", "));
        let mut lines = Vec::new();
        let mut data: Vec<Json> = Vec::new();
        for told in told.iter().take(TOLD_MAX) {
            let note = self.words.note(&told.at, told.state);
            let path = self.words.path(&told.at);
            let whole = self.whole_path(&told.at, told.item);
            data.push(json!({ "path": whole, "state": told.state.word(), "note": note }));
            let note = note.map_or_else(String::new, |note| format!(": {note}"));
            lines.push(format!("`{path}` {}{note}", does(told.state)));
        }
        if told.len() > TOLD_MAX {
            lines.push(format!(
                "and {} more",
                number((told.len() - TOLD_MAX) as u64)
            ));
        }
        let reason = self.add("inside", text, json!({ "waits_for": data }));
        reason.more = lines;
    }

    /// Tells what failed in a region, if it was more than one thing.
    fn failures(&mut self, tree: &Tree) {
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

    /// Returns all that is in an instance.
    pub(super) fn tree(&self, at: &At) -> Option<Tree> {
        let place = Place {
            node: at.node,
            ords: at.ords.iter().map(|ord| Some(*ord)).collect(),
            item: None,
        };
        let survey = self.words.past.survey();
        tree(survey, Some(&place), Detail::Folded, self.words)
    }

    fn fell_back(&mut self, at: &At, entry: &Entry) {
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

    /// Tells all attempts, with their instants and the pauses between them.
    fn attempts(&mut self, entry: &Entry) {
        let all = &entry.attempts;
        let Some(first) = all.first() else { return };
        let is_plain = all.len() == 1 && first.then().is_none() && first.probed.is_none();
        let count = all.len();
        let text = match (count, is_plain) {
            (1, true) => {
                let took = first.ended.and_then(|ended| ended.since(first.started));
                let took =
                    took.map_or_else(String::new, |took| format!(", and took {}", length(took)));
                format!("it began at {}{took}", instant(first.started))
            }
            (1, false) => "there was one attempt".to_owned(),
            (many, _) => format!("there were {many} attempts"),
        };
        let skipped = count.saturating_sub(ATTEMPTS_MAX);
        let mut lines = Vec::new();
        if !is_plain {
            if skipped > 0 {
                lines.push(format!("{skipped} before these"));
            }
            for (number, attempt) in (1..).zip(all).skip(skipped) {
                let took = attempt.ended.and_then(|ended| ended.since(attempt.started));
                let took = took.map_or_else(String::new, |took| format!(" after {}", length(took)));
                let follows = attempts::follows(attempt);
                let follows = follows.map_or_else(String::new, |text| format!("; {text}"));
                lines.push(format!(
                    "{number}: began at {}, and{took} {}{follows}",
                    instant(attempt.started),
                    attempts::outcome(attempt)
                ));
            }
        }
        let attempts: Vec<Json> = (1..)
            .zip(all)
            .map(|(number, attempt)| attempts::json(number, attempt))
            .collect();
        let reason = self.add("attempts", text, json!({ "attempts": attempts }));
        reason.more = lines;
    }

    fn skipped(&mut self, region: &At, taken: Option<u32>) -> Result<(), Failure> {
        let path = self.words.path(region);
        let plan = self.words.past.history.plan();
        let blocks = plan.node(region.node).blocks();
        let name = taken.and_then(|taken| blocks.get(taken as usize)?.0.map(str::to_owned));
        let text = match &name {
            Some(name) => format!("`{path}` took its arm `{name}` instead"),
            None => format!("`{path}` took no arm"),
        };
        self.add(
            "skipped",
            text,
            json!({ "region": self.whole_path(region, None), "taken": name }),
        );
        let entry = self.words.past.history.entry(region).cloned();
        match entry {
            Some(entry) => self.choice(region, &entry),
            None => Ok(()),
        }
    }

    /// Says why a step ran, or didn't have to.
    fn origin(
        &mut self,
        at: &At,
        step: &flow_core::plan::Step,
        entry: &Entry,
    ) -> Result<(), Failure> {
        use flow_core::history::Outcome;
        let is_somebody_elses = |outcome: &Outcome| match outcome {
            Outcome::Asked | Outcome::Answered(_) | Outcome::Expired | Outcome::Waits(_) => true,
            Outcome::Running
            | Outcome::Submitted
            | Outcome::Succeeded
            | Outcome::Failed { .. }
            | Outcome::Stopped(_)
            | Outcome::Lost(_) => false,
        };
        if entry
            .attempt()
            .is_some_and(|last| is_somebody_elses(&last.outcome))
        {
            return Ok(());
        }
        if let Some(source) = &entry.source {
            let from = &source.from.run;
            let is_here = *from == *self.words.past.run.id();
            let text = match (source.key, is_here) {
                (Some(_), true) => {
                    "its result was made by an equal call in this run: the same step with the same inputs".to_owned()
                }
                (Some(_), false) => format!(
                    "its result was there already: the run {from} made it, by the same step with the same inputs"
                ),
                (None, true) => {
                    "its result is from before the run was begun again".to_owned()
                }
                (None, false) => format!("its result was taken over from the run {from}, of which this is another run"),
            };
            let data = json!({
                "from": from.to_string(),
                "seq": source.from.seq,
                "key": source.key.map(|key| key.to_string()),
            });
            self.add("reused", text, data);
            return Ok(());
        }
        if entry.attempts.is_empty() {
            return Ok(());
        }
        self.ran(at, step, entry)
    }
}

/// Returns how many items and rounds are in the address of a node.
fn around(past: &crate::archive::Past, node: flow_core::plan::NodeId) -> usize {
    let plan = past.history.plan();
    let mut depth = 0;
    let mut id = node;
    while let Some(parent) = &plan.node(id).parent {
        id = parent.node;
        depth += usize::from(plan.node(id).repeats());
    }
    depth
}

/// Writes what a step is: `shell.run, read`.
pub(super) fn step_text(step: &flow_core::plan::Step) -> String {
    format!("`{}` is `{}`", step.step, wording::effect(step.effect))
}
