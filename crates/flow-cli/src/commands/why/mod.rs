//! `flow why`: why something in a run is as it is, from its log alone.
//!
//! Modules, in reading order: how things stand and how they came to that, how
//! choices were made, what a result is made of, and what was paid.

mod choices;
mod keys;
mod money;
mod reasons;

use flow_core::address::At;
use flow_core::history::Reach;
use flow_core::plan::NodeKind;
use serde_json::{Map, Value as Json, json};

use crate::archive::Archive;
use crate::args::{DataFormat, Why as Args};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::output::{Looks, Output};
use crate::page::{Page, Style, quoted, tame};
use crate::standing::{Words, sign, word};

/// A reason, for people and for programs.
#[derive(Debug)]
struct Reason {
    kind: &'static str,
    text: String,
    data: Map<String, Json>,
    /// Lines that belong to it.
    more: Vec<String>,
}

/// All reasons that were found.
struct Reasons<'a> {
    words: &'a Words<'a>,
    all: Vec<Reason>,
}

/// Explains something in a run.
pub(super) fn run(args: &Args, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let archive = Archive::open(args.asking.store.as_deref(), extra)?;
    output.data(&answer(&archive, args, output.data_looks())?)?;
    Ok(Exit::Done)
}

/// Returns what is explained.
pub(super) fn answer(archive: &Archive, args: &Args, looks: Looks) -> Result<String, Failure> {
    let meant = archive.meant(args.run.as_deref(), args.path.as_deref())?;
    let past = archive.past(&meant.row)?;
    let words = Words::new(archive, &past);
    let place = meant.path.as_deref().map(|path| past.place(path, &words));
    let place = place.transpose()?;
    let at = match &place {
        None => At::root(),
        Some(place) => place.at().ok_or_else(|| unclear(&words, place))?,
    };
    let item = place.and_then(|place| place.item);
    let mut reasons = Reasons {
        words: &words,
        all: Vec::new(),
    };
    reasons.explain(&at, item)?;
    Ok(match args.asking.format {
        DataFormat::Json => format!("{}\n", reasons.json(&at, item)),
        DataFormat::Human => reasons.text(&at, item, looks),
    })
}

fn unclear(words: &Words<'_>, place: &flow_core::history::Place) -> Failure {
    let history = &words.past.history;
    let path = words.inside(&history.place_path(place, words));
    // One that something can be said about is a better example than the first.
    let entries = history.entries(place.node);
    let fits = |ords: &flow_core::address::Ords| {
        let pairs = place.ords.iter().zip(ords.iter());
        pairs
            .into_iter()
            .all(|(wanted, ord)| wanted.is_none_or(|wanted| wanted == *ord))
    };
    let mut found = entries.filter(|(ords, _)| fits(ords));
    let example = found
        .find(|(_, entry)| matches!(entry.end, Some(flow_core::history::End::Failed(_)) | None));
    let example = example.or_else(|| history.entries(place.node).find(|(ords, _)| fits(ords)));
    let failure = Failure::usage(format!("`{}` is there many times", tame(&path)));
    match example {
        Some((ords, _)) => {
            let at = At {
                node: place.node,
                ords: ords.clone(),
            };
            failure.with_help(format!("say which: {}", quoted(&words.path(&at))))
        }
        None => failure.with_help("none of them was begun"),
    }
}

impl Reasons<'_> {
    fn add(&mut self, kind: &'static str, text: impl Into<String>, data: Json) -> &mut Reason {
        let Json::Object(data) = data else {
            panic!("what belongs to a reason has names");
        };
        self.all.push(Reason {
            kind,
            text: text.into(),
            data,
            more: Vec::new(),
        });
        let last = self.all.len() - 1;
        &mut self.all[last]
    }

    fn path(&self, at: &At, item: Option<u32>) -> String {
        match item {
            Some(item) => {
                let path = self.words.past.history.item_path(at, item, self.words);
                self.words.inside(&path.to_string())
            }
            None => self.words.path(at),
        }
    }

    /// Returns a path for programs.
    fn whole_path(&self, at: &At, item: Option<u32>) -> String {
        match item {
            Some(item) => {
                let path = self.words.past.history.item_path(at, item, self.words);
                path.to_string()
            }
            None => self.words.whole_path(at),
        }
    }

    fn text(&self, at: &At, item: Option<u32>, looks: Looks) -> String {
        let past = self.words.past;
        let mut page = Page::new(looks);
        let state = self.state(at, item);
        let (mark, look) = sign(state, looks.unicode);
        let path = tame(&self.path(at, item));
        let run = format!("run {}", past.row.id);
        let parts = [
            (Style::Bold, &*path),
            (look, word(state)),
            (Style::Plain, &*run),
        ];
        page.title(Some((look, mark)), &parts);
        let dot = page.dot();
        for reason in &self.all {
            page.gap();
            page.prose(2, Style::Plain, &capitalised(&tame(&reason.text)));
            for line in &reason.more {
                page.prose(4, Style::Plain, &format!("{dot} {}", tame(line)));
            }
        }
        page.into_text()
    }

    fn json(&self, at: &At, item: Option<u32>) -> Json {
        let past = self.words.past;
        let plan = past.history.plan();
        let step = if let NodeKind::Step(step) = &plan.node(at.node).kind {
            Some(&*step.step)
        } else {
            None
        };
        let reasons = self.all.iter().map(|reason| {
            let mut object = Map::new();
            object.insert("kind".to_owned(), Json::from(reason.kind));
            object.insert("text".to_owned(), Json::from(reason.text.clone()));
            object.insert("lines".to_owned(), Json::from(reason.more.clone()));
            object.extend(reason.data.clone());
            Json::Object(object)
        });
        json!({
            "version": 1,
            "run": &*past.row.id.0,
            "workflow": &**past.run.workflow(),
            "path": self.whole_path(at, item),
            "step": step,
            "state": self.state(at, item).word(),
            "reasons": reasons.collect::<Vec<_>>(),
        })
    }

    fn state(&self, at: &At, item: Option<u32>) -> flow_core::history::State {
        use flow_core::history::State;
        let survey = self.words.past.survey();
        match survey.reach(at) {
            Reach::Here => match item {
                Some(item) => survey.item_state(at, item),
                None => survey.state(&survey.instance(at)),
            },
            Reach::Skipped { .. } | Reach::Unneeded { .. } => State::Skipped,
            Reach::NotBegun { .. } => State::Pending,
        }
    }
}

/// Begins a sentence with a large letter, unless that is a name.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if first.is_lowercase() => first.to_uppercase().chain(letters).collect(),
        Some(_) | None => text.to_owned(),
    }
}
