//! `flow approve`, `flow reject` and `flow answer`: a person answers what a run
//! asks.
//!
//! An answer holds for what was shown, by its digest: what is shown is read, told
//! and answered in one go, and a run that shows something else by then refuses it.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method itself is not general enough over lifetimes"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::address::At;
use flow_core::event::Status;
use flow_core::letter::Order;
use flow_core::run::OpenQuestion;
use flow_core::ty::{RecordType, Type};
use flow_core::value::{Artifact, List, Value};
use flow_runtime::artifacts::Kept;
use flow_runtime::driver::Given;
use flow_steps::{Form, choice, choice_of};
use flow_syntax::diagnostic::nearest;

use crate::args::{Answer as AnswerArgs, Edit, Resume, Running, Verdict};
use crate::asked::Asked;
use crate::commands::resume;
use crate::drive::{Desk, whole};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::given;
use crate::output::Output;
use crate::page::tame;
use crate::scene::{Obeyed, Scene, unread};

/// A question that is open.
type Open = (OpenQuestion, Asked);

/// Answers whether something may be done.
pub(super) fn verdict(
    args: &Verdict,
    agreed: bool,
    extra: &Extra,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let scene = Scene::open(&args.acting, extra)?;
    let open = scene.stop(|stop| stop.questions());
    let question = one(&scene, &open, args.step.as_deref(), output)?;
    let Some((question, asked)) = question else {
        return Ok(Exit::Usage);
    };
    if !matches!(asked.form, Form::Approve { .. }) {
        return Err(other_kind(asked));
    }
    check_shown(&scene, question, args.shown.as_deref())?;
    let value = Value::Bool(agreed);
    let word = if agreed { "approved" } else { "rejected" };
    let desk = scene.desk()?;
    answer(&scene, &desk, question, value, Vec::new())?;
    output.message(&format!(
        "{word} {}: {}",
        asked.path,
        tame(asked.form.question())
    ))?;
    goes_on(scene, desk, args.resume, extra, output)
}

/// Answers with a value.
pub(super) fn value(
    args: &AnswerArgs,
    extra: &Extra,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let scene = Scene::open(&args.acting, extra)?;
    let open = scene.stop(|stop| stop.questions());
    let (step, words) = split(&scene, &open, args);
    let Some((question, asked)) = one(&scene, &open, step, output)? else {
        return Ok(Exit::Usage);
    };
    if words.is_empty() && !args.suggested {
        output.message(&asked.page(&scene.archive.layout.blobs()))?;
        return Ok(Exit::Waiting);
    }
    check_shown(&scene, question, args.shown.as_deref())?;
    let desk = scene.desk()?;
    let mut kept = Vec::new();
    let value = if args.suggested {
        suggested(asked, words)?
    } else {
        read(asked, words, &desk, &mut kept)?
    };
    answer(&scene, &desk, question, value, kept)?;
    output.message(&format!(
        "answered {}: {}",
        asked.path,
        tame(asked.form.question())
    ))?;
    goes_on(scene, desk, args.resume, extra, output)
}

fn answer(
    scene: &Scene<'_>,
    desk: &Desk,
    question: &OpenQuestion,
    value: Value,
    kept: Vec<Kept>,
) -> Result<(), Failure> {
    let order = Order::Answer {
        ticket: question.ticket.clone(),
        shown: question.shown,
        value,
    };
    match scene.order_with(desk, order, kept)? {
        Obeyed::Done => Ok(()),
        Obeyed::Refused(objection) => {
            // Who was faster is in the log by now.
            let mut now = Scene::open(scene.acting, scene.extra)?;
            now.again()?;
            Err(now.refusal(&objection, Some(&question.ticket.at)))
        }
        Obeyed::Unread { pid, pace } => Err(unread(scene.id(), pid, pace)),
    }
}

/// Says how it goes on, or drives the run.
fn goes_on(
    mut scene: Scene<'_>,
    desk: Desk,
    resume: bool,
    extra: &Extra,
    output: &mut Output,
) -> Result<Exit, Failure> {
    // Whoever drives it next opens the store again.
    drop(desk);
    scene.again()?;
    let is_driven = scene.driver()?.is_some();
    // One that has failed is not tried again unasked.
    let status = scene.past.run.status();
    if resume && !is_driven && matches!(status, None | Some(Status::Succeeded)) {
        let args = Resume {
            run: Some(scene.id().to_owned()),
            edit: Edit::default(),
            running: Running::of_store(scene.acting.store.clone()),
        };
        return resume::run(&args, extra, output);
    }
    let more = scene.stop(|stop| stop.questions());
    for (_, asked) in &more {
        output.message(&asked.page(&scene.archive.layout.blobs()))?;
    }
    output.message(&scene.goes_on()?)?;
    Ok(match status {
        Some(Status::Failed | Status::Cancelled) if resume => Exit::Failed,
        Some(_) | None => Exit::Done,
    })
}

/// Finds the question that is meant; if none is, lists them.
fn one<'a>(
    scene: &Scene<'_>,
    open: &'a [Open],
    step: Option<&str>,
    output: &mut Output,
) -> Result<Option<&'a Open>, Failure> {
    let Some(step) = step else {
        return match open {
            [] => Err(nothing_asked(scene)),
            [only] => Ok(Some(only)),
            several => {
                for (_, asked) in several {
                    output.message(&asked.page(&scene.archive.layout.blobs()))?;
                }
                let message = format!("{} questions are open; say which", several.len());
                output.message(&format!("error: {message}"))?;
                Ok(None)
            }
        };
    };
    let at = scene.at(step)?;
    let found = open.iter().find(|(question, _)| question.ticket.at == at);
    found.map(Some).ok_or_else(|| not_open(scene, &at))
}

fn not_open(scene: &Scene<'_>, at: &At) -> Failure {
    scene.refusal(&flow_core::letter::Objection::NotAsked, Some(at))
}

fn nothing_asked(scene: &Scene<'_>) -> Failure {
    let id = scene.id();
    match scene.past.run.status() {
        Some(status) => scene.refusal(&flow_core::letter::Objection::Over(status), None),
        None => Failure::late(format!("no question of the run `{id}` is open"))
            .with_help(format!("`flow show {id}` shows what it waits for")),
    }
}

/// Tells the path from the values. The first word is a path if it leads to
/// something that is or was asked, if it has to say which of several questions is
/// meant, or if it can be nothing else.
fn split<'a>(
    scene: &Scene<'_>,
    open: &[Open],
    args: &'a AnswerArgs,
) -> (Option<&'a str>, &'a [String]) {
    let words = args.words.as_slice();
    let Some((first, rest)) = words.split_first() else {
        return (None, words);
    };
    let was_asked = || {
        let at = scene.at(first).ok();
        at.is_some_and(|at| scene.is_question(&at))
    };
    let has_name = |word: &String| word.contains('=');
    let is_no_field = || !has_name(first) && !rest.is_empty() && rest.iter().all(has_name);
    if args.suggested || open.len() != 1 || was_asked() || is_no_field() {
        (Some(first), rest)
    } else {
        (None, words)
    }
}

fn other_kind(asked: &Asked) -> Failure {
    Failure::usage(format!("{} asks for more than yes or no", asked.path))
        .with_help(format!("type {}", asked.command()))
}

/// An answer to something else than what somebody saw is none.
fn check_shown(
    scene: &Scene<'_>,
    question: &OpenQuestion,
    shown: Option<&str>,
) -> Result<(), Failure> {
    let now = question.shown.to_string();
    match shown {
        Some(shown) if shown.is_empty() || !now.starts_with(shown) => {
            let objection = flow_core::letter::Objection::OtherShown;
            Err(scene.refusal(&objection, Some(&question.ticket.at)))
        }
        Some(_) | None => Ok(()),
    }
}

// Values.

fn suggested(asked: &Asked, words: &[String]) -> Result<Value, Failure> {
    if let Some(word) = words.first() {
        let message = format!("`--suggested` takes no value, such as `{}`", tame(word));
        return Err(Failure::usage(message));
    }
    match &asked.form {
        Form::Ask {
            suggestion: Some(value),
            ..
        } => Ok(value.clone()),
        Form::Ask { .. } | Form::Approve { .. } | Form::Choose { .. } => {
            Err(Failure::usage(format!("{} suggests nothing", asked.path)))
        }
    }
}

/// Reads an answer by what is asked for.
fn read(
    asked: &Asked,
    words: &[String],
    desk: &Desk,
    kept: &mut Vec<Kept>,
) -> Result<Value, Failure> {
    match &asked.form {
        Form::Choose { from, count, .. } => chosen(asked, from, *count, words),
        Form::Ask { suggestion, .. } => match &asked.ty {
            Some(Type::Record(record)) if has_fields(words) => {
                fields(asked, record, suggestion.as_ref(), words, desk, kept)
            }
            Some(_) | None => single(asked, words, desk, kept),
        },
        Form::Approve { .. } => single(asked, words, desk, kept),
    }
}

fn single(
    asked: &Asked,
    words: &[String],
    desk: &Desk,
    kept: &mut Vec<Kept>,
) -> Result<Value, Failure> {
    let ty = asked.ty.clone().unwrap_or(Type::Json);
    let [word] = words else {
        return Err(
            Failure::usage(format!("{} takes one value", asked.path)).with_help(format!(
                "type {}; quote what has blanks in it",
                asked.command()
            )),
        );
    };
    of_type(asked, None, word, &ty, desk, kept)
}

fn of_type(
    asked: &Asked,
    field: Option<&str>,
    word: &str,
    ty: &Type,
    desk: &Desk,
    kept: &mut Vec<Kept>,
) -> Result<Value, Failure> {
    let wrong = |why: String| {
        let of = field.map_or_else(
            || asked.path.clone(),
            |field| format!("{}.{field}", asked.path),
        );
        Failure::usage(format!("the answer to {of}: {}", tame(&why)))
            .with_help(format!("it takes a `{ty}`"))
    };
    match given::read(word, ty).map_err(wrong)? {
        Given::Value(value) => Ok(value),
        Given::File(path, media) => {
            let file = desk.store().blobs().keep_file(&path);
            let file = file.map_err(|error| Failure::io(whole(&error)))?;
            let artifact = Artifact {
                digest: file.digest.to_string().into(),
                media,
                bytes: file.size,
                facts: BTreeMap::new(),
            };
            kept.push(file);
            Ok(Value::Artifact(Arc::new(artifact)))
        }
    }
}

/// Returns whether a record is given field by field, and not as JSON.
fn has_fields(words: &[String]) -> bool {
    let is_field = |word: &String| {
        let name = word.split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| {
            name.chars()
                .all(|letter| letter.is_alphanumeric() || letter == '_')
        })
    };
    !words.is_empty() && words.iter().all(is_field)
}

/// Reads a record field by field; what isn't given is as suggested.
fn fields(
    asked: &Asked,
    record: &RecordType,
    suggestion: Option<&Value>,
    words: &[String],
    desk: &Desk,
    kept: &mut Vec<Kept>,
) -> Result<Value, Failure> {
    let mut read: BTreeMap<Arc<str>, Value> = match suggestion {
        Some(Value::Record(fields)) => BTreeMap::clone(fields),
        Some(_) | None => BTreeMap::new(),
    };
    for word in words {
        let (name, text) = word.split_once('=').unwrap_or((word, ""));
        let field = record.fields.iter().find(|field| *field.name == *name);
        let Some(field) = field else {
            return Err(no_field(asked, record, name));
        };
        let value = of_type(asked, Some(name), text, &field.ty, desk, kept)?;
        read.insert(field.name.clone(), value);
    }
    for field in &record.fields {
        if !read.contains_key(&field.name) {
            if matches!(field.ty, Type::Optional(_)) {
                read.insert(field.name.clone(), Value::None);
                continue;
            }
            let message = format!(
                "the answer to {} lacks `{}: {}`",
                asked.path, field.name, field.ty
            );
            return Err(Failure::usage(message).with_help(format!("add `{}=…`", field.name)));
        }
    }
    Ok(Value::Record(Arc::new(read)))
}

fn no_field(asked: &Asked, record: &RecordType, name: &str) -> Failure {
    let names = || record.fields.iter().map(|field| &*field.name);
    let failure = Failure::usage(format!(
        "the answer to {} has no `{}`",
        asked.path,
        tame(name)
    ));
    if let Some(near) = nearest(name, names()) {
        failure.with_help(format!("did you mean `{near}`?"))
    } else {
        let names: Vec<&str> = names().collect();
        failure.with_help(format!("it has `{}`", names.join("`, `")))
    }
}

/// Reads a choice: by numbers, or by the values themselves.
fn chosen(asked: &Asked, from: &List, count: usize, words: &[String]) -> Result<Value, Failure> {
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::usage(format!("the choice for {}: {why}", asked.path))
            .with_help(format!("type {}", asked.command()))
    };
    let parts = words.iter().flat_map(|word| word.split([',', ' ']));
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    let numbers: Result<Vec<usize>, _> = parts.iter().map(|part| part.parse()).collect();
    if let Ok(numbers) = numbers {
        return choice(from, count, &numbers).map_err(|why| wrong(&why));
    }
    let item = match &asked.ty {
        Some(Type::List(list)) => Type::clone(&list.item),
        Some(_) | None => Type::Json,
    };
    let read = |word: &str| match given::read(word, &item) {
        Ok(Given::Value(value)) => Ok(value),
        Ok(Given::File(..)) => Err(wrong(&"files are chosen by their numbers")),
        Err(why) => Err(wrong(&why)),
    };
    let values = words.iter().map(|word| read(word));
    let values: Vec<Value> = values.collect::<Result<_, Failure>>()?;
    let chosen = choice_of(from, count, &values);
    if let (Err(_), [several]) = (&chosen, words) {
        // As with numbers, one word may have several.
        let parts = several.split(',').map(|part| read(part.trim()).ok());
        let parts: Option<Vec<Value>> = parts.collect();
        let parts = parts.and_then(|parts| choice_of(from, count, &parts).ok());
        if let Some(chosen) = parts {
            return Ok(chosen);
        }
    }
    chosen.map_err(|why| wrong(&why))
}
