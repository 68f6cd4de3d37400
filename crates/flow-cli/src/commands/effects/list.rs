//! Lists acts: of one run all of them, of all runs what somebody has to see to.

use std::collections::BTreeSet;
use std::path::Path;

use flow_core::address::RunId;
use flow_core::arbiter::{HoldState, Overcharge, Row};
use flow_core::history::{Act, Known};
use flow_runtime::prices;
use flow_runtime::store::EffectState;

use crate::archive::{Archive, Past, unreadable};
use crate::args::{DataFormat, Effects as Args};
use crate::drive::whole;
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::next::typed;
use crate::output::{Looks, Output};
use crate::page::{Page, Style, instant, quoted, tame};
use crate::scene::with_store;

use super::{acts, is_presumed, json};

/// What is listed of a run.
pub(super) struct Listed {
    pub(super) past: Past,
    pub(super) acts: Vec<Act>,
}

/// A price that isn't trusted.
pub(super) type Price = (std::sync::Arc<str>, Overcharge);

/// Lists acts.
pub(super) fn run(args: &Args, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let store = args.asking.store.as_deref();
    let Some(archive) = Archive::open_if(store, extra)? else {
        return nothing(args, output);
    };
    let listed = match &args.run {
        Some(run) => vec![one(&archive, run)?],
        None => open(&archive)?,
    };
    let prices = prices::distrusted(&archive.reader);
    let prices = prices.map_err(|error| Failure::store(whole(&error)))?;
    if args.asking.format == DataFormat::Json {
        output.data(&format!("{}\n", json::all(&listed, &prices)))?;
        return Ok(Exit::Done);
    }
    let is_empty = listed.iter().all(|listed| listed.acts.is_empty()) && prices.is_empty();
    if is_empty {
        return nothing(args, output);
    }
    output.data(&text(&listed, &prices, store, output.data_looks()))?;
    Ok(Exit::Done)
}

fn nothing(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    match (args.asking.format, &args.run) {
        (DataFormat::Json, _) => output.data(&format!("{}\n", json::all(&[], &[])))?,
        (DataFormat::Human, Some(run)) => {
            output.message(&format!(
                "the run `{}` did nothing that costs or acts",
                tame(run)
            ))?;
        }
        (DataFormat::Human, None) => output.message("there is nothing to see to")?,
    }
    Ok(Exit::Done)
}

fn one(archive: &Archive, run: &str) -> Result<Listed, Failure> {
    let (past, acts) = acts(archive, &archive.run(run)?)?;
    // What was only paid for, and went well, is for `flow show`.
    let acts = acts.all().into_iter();
    let acts = acts.filter(|act| act.effect.acts() || is_open(act));
    let acts = acts.cloned().collect();
    Ok(Listed { past, acts })
}

/// Returns whether somebody has to say something about an act.
fn is_open(act: &Act) -> bool {
    act.known == Known::Unknown || is_presumed(act)
}

/// Looks at all runs in which somebody has to see to something.
fn open(archive: &Archive) -> Result<Vec<Listed>, Failure> {
    let mut runs: BTreeSet<RunId> = BTreeSet::new();
    let unknown = archive.reader.effects(EffectState::Unknown);
    let unknown = unknown.map_err(|error| unreadable(&error))?;
    runs.extend(unknown.into_iter().map(|(run, _)| run));
    let shared = archive
        .reader
        .shared()
        .map_err(|error| unreadable(&error))?;
    for row in &shared.rows {
        let Some(body) = &row.body else { continue };
        let read = Row::read(row.kind, &row.key, body);
        if let Row::Hold(id, hold) = read.map_err(|error| unreadable(&error))?
            && matches!(hold.state, HoldState::Presumed(_))
        {
            runs.insert(id.run);
        }
    }
    let mut listed = Vec::new();
    for run in runs {
        let row = archive
            .reader
            .run(&run)
            .map_err(|error| unreadable(&error))?;
        let Some(row) = row else { continue };
        let (past, acts) = acts(archive, &row)?;
        let acts = acts.all().into_iter().filter(|act| is_open(act));
        let acts: Vec<Act> = acts.cloned().collect();
        if !acts.is_empty() {
            listed.push(Listed { past, acts });
        }
    }
    listed.sort_by_key(|listed| listed.past.row.number);
    Ok(listed)
}

/// Returns the word for what is known.
pub(super) fn word(known: Known) -> &'static str {
    match known {
        Known::Intended => "intended",
        Known::Probing => "probing",
        Known::Repeated => "repeated",
        Known::Confirmed => "confirmed",
        Known::Rejected => "rejected",
        Known::Unknown => "unknown",
        Known::GivenUp => "given up",
    }
}

fn text(listed: &[Listed], prices: &[Price], store: Option<&Path>, looks: Looks) -> String {
    let mut page = Page::new(looks);
    for one in listed {
        let (id, workflow) = (&one.past.row.id, &one.past.row.workflow);
        page.heading(&format!("{id} {} {}", page.dot(), tame(workflow)));
        for act in &one.acts {
            told(&mut page, one, act, store);
        }
    }
    if !prices.is_empty() {
        page.heading("Prices that aren't trusted");
        for (price, evidence) in prices {
            let (bill, bound) = (evidence.bill, evidence.bound);
            let text = format!("{price}: {bill} was billed where it says {bound} at most");
            page.prose(2, Style::Warn, &text);
            let command = with_store(&format!("flow effects trust {}", quoted(price)), store);
            page.line(&format!("    {command}"));
        }
    }
    page.into_text()
}

fn told(page: &mut Page, of: &Listed, act: &Act, store: Option<&Path>) {
    let style = match act.known {
        Known::Confirmed => Style::Good,
        Known::Unknown => Style::Bad,
        Known::Intended | Known::Probing | Known::Repeated => Style::Busy,
        Known::Rejected | Known::GivenUp => Style::Plain,
    };
    let path = typed(&act.path);
    let known = page.styled(style, &format!("{:<9}", word(act.known)));
    let effect = crate::wording::effect(act.effect);
    let attempt = act.ticket.attempt;
    page.line(&format!(
        "  {known}  {path}  {} ({effect}), attempt {attempt}",
        act.step
    ));
    let mut when = format!("intended {}", instant(act.intended));
    if act.since != act.intended {
        when = format!("{when}, {} since {}", word(act.known), instant(act.since));
    }
    page.prose(13, Style::Dim, &when);
    if let Some(evidence) = &act.evidence {
        page.prose(13, Style::Plain, evidence);
    }
    if act.effect.acts() {
        page.prose(13, Style::Dim, &format!("key {}", act.idempotency));
    }
    let id = &of.past.row.id;
    if is_presumed(act) {
        let amount = act.bill.amount();
        page.prose(13, Style::Warn, &format!("{amount} may have been charged"));
        let command = format!("flow effects bill {id} {path} AMOUNT");
        page.line(&format!("               {}", with_store(&command, store)));
    }
    if act.known == Known::Unknown {
        let command = format!("flow effects resolve {id} {path}");
        let command = with_store(&command, store);
        page.line(&format!(
            "               {command} --happened [VALUE] | --did-not | --give-up"
        ));
    }
}
