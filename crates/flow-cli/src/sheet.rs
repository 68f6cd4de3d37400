//! Sheets for people and for programs: what becomes of the parts of a run.

use flow_core::amount::Money;
use flow_core::cost::Total;
use flow_core::edit::{InputWay, Item, Open, Repeated, Row, Sheet, Verdict};
use flow_core::run::Left;
use serde_json::{Value as Json, json};

use crate::output::Looks;
use crate::page::{Page, Style, tame, wide};

/// How wide the column of places may be.
const PLACE_MAX: usize = 44;

/// Writes a sheet as one object.
pub(crate) fn json(sheet: &Sheet) -> Json {
    json!({
        "version": 1,
        "sheet": sheet.to_json(),
        "agree": sheet.has_to_be_agreed_with(),
        "accept_effects": sheet.repeats_acts(),
    })
}

/// Writes a sheet for people.
pub(crate) fn text(sheet: &Sheet, title: &str, looks: Looks) -> String {
    let mut page = Page::new(looks);
    page.line(&tame(title));
    let places: Vec<String> = sheet.rows.iter().map(|row| tame(&place(row))).collect();
    let widths = places.iter().map(|place| wide(place));
    let width = widths
        .filter(|width| *width <= PLACE_MAX)
        .max()
        .unwrap_or(0);
    for (row, place) in sheet.rows.iter().zip(&places) {
        line(&mut page, row, place, width);
    }
    for change in &sheet.inputs {
        let what = match change.way {
            InputWay::Given => "is given now",
            InputWay::New => "is new, and has its default",
            InputWay::Default => "has another default now",
            InputWay::Gone => "is asked for no more",
        };
        page.prose(
            2,
            Style::Plain,
            &format!("the input `{}` {what}", change.name),
        );
    }
    for open in &sheet.open {
        page.prose(2, Style::Warn, &tame(&open_text(open)));
    }
    for act in &sheet.repeated {
        page.prose(2, Style::Warn, &tame(&act_text(act)));
    }
    let sums = sums(sheet, page.dot());
    page.line(&sums);
    page.into_text()
}

fn line(page: &mut Page, row: &Row, place: &str, width: usize) {
    let (word, style) = match row.verdict {
        Verdict::Adopt => ("adopt", Style::Good),
        Verdict::GoOn => ("goes on", Style::Good),
        Verdict::Again => ("run again", Style::Warn),
        Verdict::Perhaps => ("may run again", Style::Warn),
        Verdict::New => ("new", Style::Busy),
        Verdict::Orphaned => ("orphaned", Style::Dim),
    };
    let word = page.styled(style, &format!("{word:<13}"));
    let mut notes: Vec<String> = row
        .reason
        .iter()
        .map(|why| tame(&why.to_string()))
        .collect();
    if row.paid > Money(0) {
        notes.push(format!("{} paid", row.paid));
    }
    match (&row.verdict, &row.cost) {
        (Verdict::Adopt | Verdict::GoOn | Verdict::Orphaned, _) | (_, Total::Known(Money(0))) => {}
        (_, Total::Known(amount)) => notes.push(format!("at most {amount}")),
        (_, Total::Unbounded(_)) => notes.push("no bound".to_owned()),
    }
    if row.verdict == Verdict::Orphaned && row.effect.acts() {
        notes.push("it happened, and stays".to_owned());
    }
    let notes = notes.join(&format!(" {} ", page.dot()));
    page.line(&format!("  {word}  {place:<width$}  {notes}"));
}

/// Returns the place of a row, and how many instances there are.
fn place(row: &Row) -> String {
    let was = |item: &Item| {
        item.was
            .as_ref()
            .map_or_else(String::new, |was| format!(" (was {was})"))
    };
    match row.items.as_slice() {
        [] => row.place.to_string(),
        [only] => format!("{}{}", only.place, was(only)),
        [first, ..] => {
            let moved = row.items.iter().filter(|item| item.was.is_some()).count();
            let moved = match moved {
                0 => String::new(),
                moved if moved == row.items.len() => {
                    let was = first.was.as_ref().map(any_item).unwrap_or_default();
                    format!(" (was {was})")
                }
                moved => format!(" ({moved} moved)"),
            };
            format!("{} ×{}{moved}", row.place, row.items.len())
        }
    }
}

/// Writes a place for any of its items.
fn any_item(place: &flow_core::path::StepPath) -> String {
    let segments = place.segments().iter().map(|segment| {
        let any = if segment.key.is_some() { "[*]" } else { "" };
        format!("{}{any}", segment.name)
    });
    segments.collect::<Vec<_>>().join("/")
}

fn open_text(open: &Open) -> String {
    let what = match open.left {
        Left::Running => "is being stopped",
        Left::Job => "handed in a job that isn't over",
        Left::Unknown => "may have happened; nobody knows",
        Left::Question => "asked a person",
        Left::Wait => "waits",
        Left::Lost => "was in progress when flow ended",
    };
    let held = match open.hold {
        Money(0) => String::new(),
        amount => format!(", {amount} is held"),
    };
    let then = if open.is_joined {
        "; it goes on"
    } else {
        "; it belongs to no step any more, and the run isn't over before that is known"
    };
    format!("`{}` {what}{held}{then}", open.place)
}

fn act_text(act: &Repeated) -> String {
    let happened = if act.is_known {
        "happened"
    } else {
        "may have happened"
    };
    let again = if act.is_certain {
        "is done again"
    } else {
        "may be done again"
    };
    format!(
        "the act `{}` ({}) {happened}, and {again}",
        act.place, act.step
    )
}

fn sums(sheet: &Sheet, dot: &str) -> String {
    let mut parts = Vec::new();
    if sheet.kept > Money(0) {
        parts.push(format!("{} kept", sheet.kept));
    }
    if sheet.lost > Money(0) {
        parts.push(format!("{} lost", sheet.lost));
    }
    parts.push(match &sheet.ahead {
        Total::Known(Money(0)) => "nothing to pay".to_owned(),
        Total::Known(amount) => format!("at most {amount} to come"),
        Total::Unbounded(_) => "no bound for what is to come".to_owned(),
    });
    parts.join(&format!(" {dot} "))
}
