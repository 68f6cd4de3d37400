//! Runs that go on under an edited file: what is taken over, and what runs
//! again. A file has all texts; beside it are the sheets, the logs from the edits
//! on, and what a fresh run of the last text gives, which has to be the same.
//!
//! ```text
//! #> edit                          what follows is the edited text, with its script
//! #> model: gen.image acme/sketch  another default, from here on
//! #> fresh differs: …              a fresh run gives something else, and why
//! ```
//!
//! Steps give something that depends on what they are given, so that a result
//! that is taken over by mistake is seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use flow_compiler::settings::Rate;
use flow_core::address::Ticket;
use flow_core::amount::Money;
use flow_core::cost::Total;
use flow_core::digest::Digest;
use flow_core::edit::{
    Estate, Inputs, OpenStay, Proposal, Sheet, Sources, Takeover, Verdict, collect, inputs, survey,
};
use flow_core::event::{Event, Fact, Status};
use flow_core::handle::Values as _;
use flow_core::key::KeptParts;
use flow_core::plan::{NodeKind, Plan};
use flow_core::run::{Input, Prepared, Refusal, Replan, Run};
use flow_core::step::Bill;
use flow_core::ty::Type;
use flow_core::value::{Artifact, Value};

use super::script::{Script, least};
use super::world::World;
use crate::project::{Folder, root, settings, signatures};

/// What a world knows of edits.
#[derive(Default)]
pub(super) struct Edits {
    /// Steps give what depends on their arguments.
    computes: bool,
    /// How often there was one.
    pub(super) count: u32,
    takeover: Option<Takeover>,
    estates: BTreeMap<Digest, Estate>,
    plans: BTreeMap<Digest, Arc<Plan>>,
    parts: BTreeMap<Digest, KeptParts>,
    /// What attempts were given.
    given: BTreeMap<Ticket, Given>,
}

/// What an attempt was given, and what it has to give.
#[derive(Clone)]
struct Given {
    input: Digest,
    result: Option<Type>,
    hold: Money,
}

impl World {
    pub(super) fn know(&mut self, prepared: &Prepared) {
        let edits = &mut self.edits;
        if let Some(key) = &prepared.key {
            let parts = KeptParts::of(&key.parts);
            edits.parts.insert(key.digest, parts);
        }
        let mut bytes = prepared.step.as_bytes().to_vec();
        bytes.extend(prepared.input.0);
        let given = Given {
            input: Digest::of(&bytes),
            result: prepared.result.clone(),
            hold: prepared.demand.amount,
        };
        edits.given.insert(prepared.ticket.clone(), given);
    }

    /// Returns the type that an attempt has to give.
    pub(super) fn result_of(&self, ticket: &Ticket) -> Option<Type> {
        self.edits.given.get(ticket)?.result.clone()
    }

    /// Returns what an attempt costs that nothing is said of.
    pub(super) fn cost(&self, ticket: &Ticket) -> Option<Bill> {
        let given = self.edits.given.get(ticket);
        let given = given.filter(|given| self.edits.computes && given.hold > Money(0));
        given.map(|given| Bill::Exact(given.hold))
    }

    /// Returns what a step gives.
    pub(super) fn made(&self, ticket: &Ticket, ty: &Type) -> Value {
        match self.edits.given.get(ticket) {
            Some(given) if self.edits.computes => made(ty, &given.input),
            _ => least(ty),
        }
    }

    /// Offers an attempt to what may be taken over.
    pub(super) fn offer(&mut self, ticket: &Ticket) -> bool {
        if self.edits.takeover.is_none() || ticket.attempt != 1 {
            return false;
        }
        let day = |_| Arc::from("2026-05-01");
        match self.run.prepare(ticket, &day, &self.memory) {
            Ok(prepared) => self.edits.takeover.as_mut().unwrap().offer(&prepared),
            Err(failure) => self.give(Input::Refused {
                ticket: ticket.clone(),
                why: Refusal::Unready(failure),
            }),
        }
        true
    }

    /// Takes over what can be; what can't be may begin.
    pub(super) fn take_over(&mut self) {
        while let Some(takeover) = &mut self.edits.takeover {
            if let Some(input) = takeover.next(&self.run, &self.memory) {
                self.give(input);
                continue;
            }
            let rest = takeover.rest();
            if rest.is_empty() {
                return;
            }
            for ticket in rest {
                self.admit(&ticket);
            }
        }
    }

    /// Returns the plan that is followed after an event, if that begins another.
    pub(super) fn plan_from(&self, event: &Event) -> Option<Arc<Plan>> {
        let digest = if let Fact::RunStarted(start) = &event.fact {
            start.plan
        } else if let Fact::PlanReplaced { plan, .. } = &event.fact {
            *plan
        } else {
            return None;
        };
        let known = self.edits.plans.get(&digest);
        Some(known.unwrap_or(&self.plan).clone())
    }

    /// Begins again from the log.
    pub(super) fn read_again(&mut self) {
        let edits = &mut self.edits;
        edits.plans.insert(self.plan.digest(), self.plan.clone());
        let plans = |digest: &Digest| edits.plans.get(digest).cloned();
        self.run = Run::replay(&plans, self.log.clone()).unwrap();
        let Some(digest) = self.run.estate() else {
            return;
        };
        let estate = edits.estates[&digest].clone();
        let mut takeover = Takeover::new(estate, self.run.plan());
        let begun = |fact: &Fact| matches!(fact, Fact::PlanReplaced { .. });
        let begun = self.log.iter().rposition(|event| begun(&event.fact));
        for event in &self.log[begun.unwrap_or(0)..] {
            if let Fact::Adopted { from, .. } = &event.fact {
                takeover.note(from);
            }
        }
        edits.takeover = Some(takeover);
    }

    /// Goes on under another plan, as whoever takes the run next.
    fn edit(&mut self, plan: Plan, script: Script) -> Sheet {
        self.take();
        let plan = Arc::new(plan);
        let before = self.run.load(self.run.inputs(), &self.memory);
        let Some(Value::List(before)) = before else {
            panic!("arguments are a list")
        };
        let params = &plan.root().params;
        let given = params.iter().filter_map(|param| {
            let json = script.inputs.get(&*param.name)?;
            let value = flow_core::json::from_json(json, &param.ty).unwrap();
            Some((param.name.clone(), value))
        });
        let old = &self.plan.root().params;
        let inputs = inputs(old, &before.items, params, &given.collect()).unwrap();
        let (sheet, replan) = self.propose(&plan, &inputs);
        self.edits.plans.insert(plan.digest(), plan.clone());
        self.run.offer(plan.digest(), plan.clone());
        self.plan = plan;
        self.script = script;
        for event in self
            .run
            .decide(Input::Replan(Box::new(replan)), self.now, &self.memory)
        {
            self.run.apply(&event);
            self.log.push(event);
        }
        self.edits.count += 1;
        self.read_again();
        self.carry_out(self.run.outstanding());
        sheet
    }

    /// Returns the same world, of which there is only the beginning of the log,
    /// gone on with.
    fn cut(&self, length: usize, script: Script) -> Self {
        let edits = Edits {
            computes: true,
            count: self.edits.count,
            takeover: None,
            estates: self.edits.estates.clone(),
            plans: self.edits.plans.clone(),
            parts: self.edits.parts.clone(),
            given: self.edits.given.clone(),
        };
        let plan = (*self.plan).clone();
        let mut world = Self::start(plan, script, edits);
        world.log = self.log[..length].to_vec();
        world.memory = self.memory.clone();
        world.now = world.log[length - 1].at;
        world.take();
        world.carry_out(world.run.outstanding());
        world.live();
        world
    }

    fn propose(&mut self, plan: &Arc<Plan>, inputs: &Inputs) -> (Sheet, Replan) {
        let edits = &mut self.edits;
        edits.plans.insert(self.plan.digest(), self.plan.clone());
        let sources = Sources {
            plans: &|digest| edits.plans.get(digest).cloned(),
            estates: &|digest| edits.estates.get(digest).cloned(),
            values: &self.memory,
        };
        let collected = collect(sources, self.log.clone()).unwrap();
        let mut replan = Replan {
            plan: plan.digest(),
            sheet: Digest([0; 32]),
            inputs: Some(self.memory.put(&Value::list(inputs.values.clone()))),
            files: Vec::new(),
            estate: None,
            by: "ann".into(),
        };
        let mut run = self.run.clone();
        run.offer(replan.plan, plan.clone());
        let input = Input::Replan(Box::new(replan.clone()));
        for event in run.decide(input, self.now, &self.memory) {
            run.apply(&event);
        }
        let proposal = Proposal {
            run,
            collected: &collected,
            gone: &BTreeSet::new(),
            parts: &|key| edits.parts.get(key).cloned(),
            inputs: inputs.changes.clone(),
            open: OpenStay::Here,
        };
        let sheet = survey(proposal, &self.memory);
        let estate = collected.estate;
        let bytes = estate.encode().unwrap();
        let digest = Digest::of(&bytes);
        let read = Estate::decode(&bytes).unwrap();
        assert_eq!(read, estate, "it is read as it was written");
        edits.estates.insert(digest, estate);
        replan.estate = Some(digest);
        (sheet, replan)
    }
}

/// Returns something of a type that depends on what it is made of.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the others have the least value"
)]
fn made(ty: &Type, of: &Digest) -> Value {
    let inner = |name: &str| {
        let mut bytes = of.0.to_vec();
        bytes.extend(name.as_bytes());
        Digest::of(&bytes)
    };
    match ty {
        Type::Text(bounds) if *bounds == <_>::default() => Value::text(of.short()),
        Type::Int(bounds) if *bounds == <_>::default() => Value::Int(of.0[0].into()),
        Type::Bool => Value::Bool(of.0[0].is_multiple_of(2)),
        Type::Media(media) => Value::Artifact(Arc::new(Artifact {
            digest: of.to_string().into(),
            media: *media,
            bytes: 1,
            facts: BTreeMap::new(),
        })),
        Type::List(list) => {
            let count = list.length.min.unwrap_or(2).max(1);
            let items = (0..count).map(|at| made(&list.item, &inner(&at.to_string())));
            Value::list(items.collect())
        }
        Type::Record(record) => {
            let fields = record.fields.iter();
            let fields = fields.map(|field| {
                let value = made(&field.ty, &inner(&field.name));
                (field.name.clone(), value)
            });
            Value::Record(Arc::new(fields.collect()))
        }
        other => least(other),
    }
}

/// A text of a run.
struct Text {
    written: String,
    script: Script,
    models: Vec<(String, String)>,
    differs: bool,
}

impl Text {
    fn read(written: &str) -> Self {
        let mut read = Self {
            written: String::new(),
            script: Script::default(),
            models: Vec::new(),
            differs: false,
        };
        for line in written.split_inclusive('\n') {
            if let Some(model) = line.strip_prefix("#> model: ") {
                let (step, name) = model.trim().split_once(' ').unwrap();
                read.models.push((format!("{step}.model"), name.to_owned()));
            } else if line.starts_with("#> fresh differs: ") {
                read.differs = true;
            } else {
                read.written.push_str(line);
            }
        }
        read.script = Script::read(&read.written);
        read
    }

    fn plan(&self, folder: &Path, name: &str) -> Plan {
        let mut settings = settings();
        settings.defaults.extend(self.models.clone());
        let cent = Rate {
            price: Money(10_000_000),
            per: 1,
        };
        let sketch = settings.prices.models.entry("acme/sketch".into());
        sketch.or_default().insert("image".into(), cent);
        let files = Folder(folder.to_path_buf());
        let text = self.written.as_str().into();
        let compiled = flow_compiler::compile(name, text, signatures(), &settings, &files);
        let plan = compiled
            .workflows
            .last()
            .and_then(|workflow| workflow.plan.clone());
        let mut plan = plan.unwrap_or_else(|| panic!("{name}: {:#?}", compiled.diagnostics));
        // Nobody looks at programs here: the steps are scripted.
        for node in plan.graph.node_weights_mut() {
            if let NodeKind::Step(step) = &mut node.kind {
                step.run = None;
            }
        }
        plan
    }
}

#[test]
fn edited_runs_take_over_what_was_made_of_the_same() {
    let folder = root().join("tests/edits");
    let update = std::env::var_os("UPDATE").is_some();
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "flow"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there are edits");
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let printed = try_out(&folder, name, &text);
        let log = path.with_extension("log");
        if update {
            std::fs::write(&log, &printed).unwrap();
            continue;
        }
        let expected = std::fs::read_to_string(&log).unwrap_or_default();
        assert_eq!(printed, expected, "{name}");
    }
}

#[test]
fn ten_thousand_steps_are_compared() {
    let text = |prompt: &str, count: usize| {
        Text::read(&format!(
            "workflow w() -> list<text> {{\n  return for n in range({count}) by \"${{n}}\" parallel 64 {{\n    \
             yield gen.text<text>(prompt: \"{prompt}\")\n  }}\n}}\n"
        ))
    };
    let folder = root().join("tests/edits");
    let plan = |text: Text| text.plan(&folder, "w.flow");
    let mut world = computing(plan(text("${n}", 9_999)), Script::default());
    let sheet = world.edit(plan(text("${n}", 10_000)), Script::default());
    assert_eq!(sheet.count(Verdict::Adopt), 9_999);
    assert_eq!(sheet.count(Verdict::New), 1);
    world.live();
    assert_eq!(world.run.status(), Some(Status::Succeeded));
    let sheet = world.edit(plan(text("${n}, again", 10_000)), Script::default());
    assert_eq!(sheet.count(Verdict::Adopt), 0);
    assert_eq!(sheet.count(Verdict::Again), 10_000);
}

/// Begins a run whose steps give what depends on their arguments, and lets it go
/// as far as it does.
fn computing(plan: Plan, script: Script) -> World {
    let edits = Edits {
        computes: true,
        ..Edits::default()
    };
    let mut world = World::start(plan, script, edits);
    world.live();
    world
}

/// Runs a text, edits it, and returns what came of that.
fn try_out(folder: &Path, name: &str, text: &str) -> String {
    let texts: Vec<Text> = text.split("#> edit\n").map(Text::read).collect();
    let [first, edits @ ..] = &texts[..] else {
        panic!("there is a text")
    };
    let last = edits.last().expect("there is an edit");
    let mut world = computing(first.plan(folder, name), first.script.clone());
    let mut out = format!("before: {}\n", world.end());
    let mut inputs = first.script.inputs.clone();
    let mut edited = 0;
    for edit in edits {
        let count = world.log.len();
        let sheet = world.edit(edit.plan(folder, name), edit.script.clone());
        edited = world.log.len();
        world.live();
        inputs.extend(edit.script.inputs.clone());
        write!(out, "\n{}\n{}", printed(&sheet), world.events(count)).unwrap();
        writeln!(out, "\nedited: {}", world.end()).unwrap();
    }
    let script = Script {
        inputs,
        answers: last.script.answers.clone(),
        orders: Vec::new(),
    };
    let fresh = computing(last.plan(folder, name), script.clone());
    writeln!(out, "fresh: {}", fresh.end()).unwrap();
    if !last.differs {
        same_output(name, &world, &fresh);
    }
    for length in edited..world.log.len() {
        let cut = world.cut(length, script.clone());
        same_output(&format!("{name}, cut after {length}"), &cut, &world);
    }
    shorter(&out)
}

/// Digests don't say much.
fn shorter(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split("{\"artifact\":\"").enumerate() {
        if at == 0 {
            out.push_str(part);
            continue;
        }
        let (digest, rest) = part.split_once('"').unwrap();
        let (_, rest) = rest.split_once("{}}").unwrap();
        write!(out, "<{}>{rest}", &digest[..8]).unwrap();
    }
    out
}

/// Asserts that runs that came to their end have given the same.
fn same_output(name: &str, one: &World, other: &World) {
    if one.run.status() == Some(Status::Succeeded) && other.run.status() == Some(Status::Succeeded)
    {
        let output = |world: &World| world.run.output(&world.memory);
        assert_eq!(output(one), output(other), "{name}");
    }
}

/// A sheet as text.
fn printed(sheet: &Sheet) -> String {
    let mut out = String::new();
    for row in &sheet.rows {
        let items = row.items.iter().map(|item| match &item.was {
            Some(was) => format!("{} (was {was})", item.place),
            None => item.place.to_string(),
        });
        let items: Vec<String> = items.collect();
        let place = if items.is_empty() {
            row.place.to_string()
        } else {
            items.join(", ")
        };
        write!(out, "{:<13} {place}", row.verdict.word()).unwrap();
        if let Some(reason) = &row.reason {
            write!(out, "; {reason}").unwrap();
        }
        if row.paid > Money(0) {
            write!(out, "; {} paid", row.paid).unwrap();
        }
        if !row.is_free() {
            write!(out, "; at most {}", amount(&row.cost)).unwrap();
        }
        out.push('\n');
    }
    for open in &sheet.open {
        let then = if open.is_joined { "goes on" } else { "stays" };
        let left = open.left.word();
        writeln!(
            out,
            "open: {} ({left}) {then}, holds {}",
            open.place, open.hold
        )
        .unwrap();
    }
    for act in &sheet.repeated {
        let happened = if act.is_known {
            "happened"
        } else {
            "may have happened"
        };
        let again = if act.is_certain {
            "again"
        } else {
            "perhaps again"
        };
        writeln!(out, "act: {} {happened}, {again}", act.place).unwrap();
    }
    for change in &sheet.inputs {
        writeln!(out, "input: {} {}", change.name, change.way.word()).unwrap();
    }
    let (kept, lost, ahead) = (sheet.kept, sheet.lost, amount(&sheet.ahead));
    write!(out, "{kept} kept, {lost} lost, at most {ahead} to come").unwrap();
    if sheet.has_to_be_agreed_with() {
        out.push_str("; to be agreed with");
    }
    out.push('\n');
    out
}

fn amount(total: &Total) -> String {
    match total {
        Total::Known(amount) => amount.to_string(),
        Total::Unbounded(_) => "any amount".into(),
    }
}
