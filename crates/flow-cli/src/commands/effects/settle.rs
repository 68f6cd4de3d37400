//! What people say: what became of an act, what it cost, that a price is right.

use std::sync::Arc;

use flow_core::address::Ticket;
use flow_core::amount::Money;
use flow_core::history::{Act, Known};
use flow_core::letter::{Objection, Order, Said};
use flow_core::step::Bill;
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_runtime::driver::Given;
use flow_runtime::prices;

use crate::archive::Archive;
use crate::args::{Billed, Resolve, Trust};
use crate::drive::{Desk, runtime, whole};
use crate::exit::{Exit, Failure};
use crate::extra::Extra;
use crate::given;
use crate::next::typed;
use crate::output::Output;
use crate::page::{instant, tame};
use crate::scene::{Obeyed, Scene, unread};

use super::{acts, is_presumed};

/// Says what became of an act that nobody knows about.
pub(super) fn resolve(args: &Resolve, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let mut scene = Scene::open(&args.acting, extra)?;
    let act = find(&scene, &args.step, args.attempt, |act| {
        act.known == Known::Unknown
    })?;
    let act = match act {
        Found::One(act) => act,
        Found::Known(at) => return Err(scene.refusal(&Objection::NotUnknown, Some(&at.ticket.at))),
    };
    let said = said(args, &scene, &act)?;
    let bill = args.bill.as_deref().map(amount).transpose()?;
    let order = Order::Resolve {
        ticket: act.ticket.clone(),
        said,
        bill: bill.map(as_bill),
    };
    send(&mut scene, order, &act)?;
    let word = match (&args.happened, args.did_not) {
        (Some(_), _) => "happened",
        (None, true) => "did not happen",
        (None, false) if act.effect.acts() => "given up; a retry does it again",
        (None, false) => "given up",
    };
    output.message(&format!("{}: {word}", typed(&act.path)))?;
    output.message(&scene.goes_on()?)?;
    Ok(Exit::Done)
}

/// Says what an attempt cost.
pub(super) fn bill(args: &Billed, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let mut scene = Scene::open(&args.acting, extra)?;
    let act = match find(&scene, &args.step, args.attempt, is_presumed)? {
        Found::One(act) => act,
        Found::Known(at) => return Err(scene.refusal(&Objection::NotPresumed, Some(&at.ticket.at))),
    };
    let amount = amount(&args.amount)?;
    let order = Order::Rebill {
        ticket: act.ticket.clone(),
        bill: as_bill(amount),
    };
    send(&mut scene, order, &act)?;
    let costs = scene.past.run.costs();
    output.message(&format!(
        "{} cost {amount} · the run has spent {}, and {} may have been charged",
        typed(&act.path),
        costs.spent,
        costs.presumed
    ))?;
    Ok(Exit::Done)
}

/// Trusts a price again.
pub(super) fn trust(args: &Trust, extra: &Extra, output: &mut Output) -> Result<Exit, Failure> {
    let archive = Archive::open(args.store.as_deref(), extra)?;
    let failed = |error: &dyn std::error::Error| Failure::store(whole(error));
    let known = prices::distrusted(&archive.reader).map_err(|error| failed(&error))?;
    if !known
        .iter()
        .any(|(price, _)| *price.as_ref() == *args.price)
    {
        let names: Vec<&str> = known.iter().map(|(price, _)| &**price).collect();
        let failure = Failure::late(format!("the price `{}` is trusted", tame(&args.price)));
        return Err(match names.as_slice() {
            [] => failure,
            some => failure.with_help(format!("these aren't: `{}`", some.join("`, `"))),
        });
    }
    let desk = Desk::at(args.store.as_deref(), extra)?;
    let price: Arc<str> = args.price.as_str().into();
    let trusted = prices::trust(desk.store(), &price, archive.now);
    runtime()?
        .block_on(trusted)
        .map_err(|error| failed(&error))?;
    output.message(&format!(
        "the price `{price}` is trusted again · what failed for it is tried again with `flow retry RUN`"
    ))?;
    Ok(Exit::Done)
}

/// An act that is meant.
enum Found {
    /// Somebody has to say something about it.
    One(Box<Act>),
    /// All is known of it.
    Known(Box<Act>),
}

/// Finds the act that a path means: as the run has it, or as it had it then.
fn find(
    scene: &Scene<'_>,
    path: &str,
    attempt: Option<u32>,
    is_open: impl Fn(&Act) -> bool,
) -> Result<Found, Failure> {
    let (_, all) = acts(&scene.archive, &scene.past.row)?;
    let all = all.all();
    let at = scene.at(path);
    let named = |act: &&&Act| match &at {
        Ok(at) => act.ticket.at == *at,
        Err(_) => act.path.to_string() == path || typed(&act.path) == path,
    };
    let there: Vec<&&Act> = all.iter().filter(named).collect();
    let Some(last) = there.last() else {
        let failure = at.err();
        return Err(failure.unwrap_or_else(|| {
            Failure::usage(format!("`{}` did nothing that costs or acts", tame(path)))
                .with_help(format!("`flow effects {}` shows what did", scene.id()))
        }));
    };
    let fits =
        |act: &&&&Act| is_open(act) && attempt.is_none_or(|attempt| act.ticket.attempt == attempt);
    let open: Vec<&&&Act> = there.iter().filter(fits).collect();
    match open.as_slice() {
        [] => Ok(Found::Known(Box::new((**last).clone()))),
        [only] => Ok(Found::One(Box::new((***only).clone()))),
        several => {
            let attempts = several.iter().map(|act| {
                let Ticket { attempt, .. } = &act.ticket;
                format!("`--attempt {attempt}` of {}", instant(act.intended))
            });
            let attempts: Vec<String> = attempts.collect();
            Err(Failure::usage(format!(
                "{} attempts of `{}` are open",
                several.len(),
                tame(path)
            ))
            .with_help(format!("say which: {}", attempts.join(", "))))
        }
    }
}

fn said(args: &Resolve, scene: &Scene<'_>, act: &Act) -> Result<Said, Failure> {
    let Some(written) = &args.happened else {
        return Ok(if args.did_not {
            Said::DidNot
        } else {
            Said::GiveUp
        });
    };
    let ty = scene.past.run.plan().node(act.ticket.at.node).ty.as_ref();
    let path = typed(&act.path);
    let value = match (written, ty) {
        (None, None | Some(Type::None | Type::Optional(_))) => Value::None,
        (None, Some(ty)) => {
            return Err(Failure::usage(format!("`{path}` gives a `{ty}`"))
                .with_help("write it behind `--happened`; a record is JSON"));
        }
        (Some(_), None | Some(Type::None)) => {
            return Err(Failure::usage(format!("`{path}` gives nothing"))
                .with_help("leave the value out: `--happened`"));
        }
        (Some(text), Some(ty)) => match given::read(text, ty) {
            Ok(Given::Value(value)) => value,
            Ok(Given::File(..)) => {
                let message = format!("`{path}` gives a file, which can't be handed in here");
                return Err(Failure::usage(message)
                    .with_help("`--did-not` makes it again, `--give-up` lets it fail"));
            }
            Err(why) => {
                return Err(
                    Failure::usage(format!("the value of `{path}`: {}", tame(&why)))
                        .with_help(format!("it gives a `{ty}`")),
                );
            }
        },
    };
    Ok(Said::Happened(value))
}

fn amount(text: &str) -> Result<Money, Failure> {
    let amount: Result<Money, _> = text.parse();
    let amount = amount.map_err(|error| {
        Failure::usage(format!("the bill: {error}")).with_help("write it as `'$0.05'`")
    })?;
    if amount < Money(0) {
        return Err(Failure::usage("a bill isn't less than nothing"));
    }
    Ok(amount)
}

fn as_bill(amount: Money) -> Bill {
    match amount {
        Money(0) => Bill::None,
        amount => Bill::Exact(amount),
    }
}

fn send(scene: &mut Scene<'_>, order: Order, act: &Act) -> Result<(), Failure> {
    let desk = scene.desk()?;
    let obeyed = scene.order(&desk, order)?;
    scene.again()?;
    match obeyed {
        Obeyed::Done => Ok(()),
        Obeyed::Refused(objection) => Err(scene.refusal(&objection, Some(&act.ticket.at))),
        Obeyed::Unread { pid, pace } => Err(unread(scene.id(), pid, pace)),
    }
}
