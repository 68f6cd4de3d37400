//! Measures the stored form of events: bytes of each kind, and the time that
//! writing and reading a log takes. Nothing here judges.
//!
//!     cargo run --release -p flow-core --example wire
#![expect(clippy::print_stdout, reason = "what is measured is printed")]
#![expect(clippy::disallowed_types, reason = "it measures time")]
#![expect(clippy::unwrap_used, reason = "a measurement, not a part of flow")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use flow_core::address::{At, RunId, Ticket};
use flow_core::amount::{Duration, Money, Timestamp};
use flow_core::arbiter::LedgerId;
use flow_core::digest::Digest;
use flow_core::effect::{Act, Effect};
use flow_core::event::{Event, Fact, Grant, Started};
use flow_core::handle::Handle;
use flow_core::plan::NodeId;
use flow_core::step::Bill;
use flow_core::ty::Media;
use flow_core::value::{Artifact, Value};

const EVENTS: u32 = 30_000;
const TURNS: usize = 15;

fn main() {
    let pure = log(Effect::Pure);
    let paid = log(Effect::Paid);
    measure("pure", &pure);
    measure("paid", &paid);
    measure("act", &log(Effect::Act(Act::Keyed(Some(Duration::DAY)))));
}

/// Starts and ends of one attempt at each item of a `for`, in turn.
fn log(effect: Effect) -> Vec<Event> {
    let pairs = (0..EVENTS / 2).flat_map(|item| {
        let ticket = Ticket {
            at: At::new(NodeId(17), [item]),
            generation: 0,
            attempt: 1,
        };
        [
            started(ticket.clone(), item, effect),
            ended(ticket, item, effect),
        ]
    });
    let fact = |(position, fact): (i64, Fact)| Event {
        at: Timestamp(1_800_000_000_000 + position),
        fact,
    };
    (0_i64..).zip(pairs).map(fact).collect()
}

fn started(ticket: Ticket, item: u32, effect: Effect) -> Fact {
    let run = RunId("7f3a".into());
    let mut grant = Grant::default();
    if effect != Effect::Pure {
        grant = Grant {
            hold: Money(40_000_000),
            ledgers: vec![LedgerId::Project, LedgerId::Run(run)],
            pools: vec!["openai".into()],
            price: Some("openai/image".into()),
        };
    }
    Fact::AttemptStarted(Box::new(Started {
        ticket,
        effect,
        input: Digest::of(&item.to_le_bytes()),
        key: (!effect.acts()).then(|| Digest::of(b"key")),
        idempotency: Digest::of(b"idempotency"),
        grant,
        timeout: Some(Duration(2 * Duration::MINUTE.0)),
        unseeded: None,
    }))
}

fn ended(ticket: Ticket, item: u32, effect: Effect) -> Fact {
    let artifact = Artifact {
        digest: Digest::of(&item.to_be_bytes()).to_string().into(),
        media: Media::Image,
        bytes: 204_800,
        facts: BTreeMap::new(),
    };
    let record = BTreeMap::from([
        ("image".into(), Value::Artifact(Arc::new(artifact))),
        ("score".into(), Value::Int(i64::from(item))),
    ]);
    let value = Value::Record(Arc::new(record));
    let mut stored = Vec::new();
    value.encode(&mut stored).unwrap();
    let bill = match effect {
        Effect::Pure | Effect::Read => Bill::None,
        Effect::Paid | Effect::Act(_) => Bill::Exact(Money(39_000_000)),
    };
    Fact::Succeeded {
        ticket,
        value: Handle::of(&value, &stored),
        bill,
    }
}

fn measure(name: &str, events: &[Event]) {
    let mut stored = Vec::new();
    let encode = median(|| {
        stored = events
            .iter()
            .map(|event| {
                let mut bytes = Vec::with_capacity(128);
                event.encode(&mut bytes).unwrap();
                bytes
            })
            .collect();
    });
    // One after the other, as a replay does.
    let decode = median(|| {
        let good = stored.iter().filter(|bytes| Event::decode(bytes).is_ok());
        assert_eq!(good.count(), events.len());
    });
    let keep = median(|| {
        let read: Vec<_> = stored.iter().map(|bytes| Event::decode(bytes)).collect();
        assert_eq!(read.len(), events.len());
    });
    let last = stored.len() - 2;
    println!(
        "{name}: start {} bytes, end {} bytes; {} events written in {encode:.1} ms, \
         read in {decode:.1} ms, read and kept in {keep:.1} ms",
        stored[last].len(),
        stored[last + 1].len(),
        events.len(),
    );
}

/// Returns how many milliseconds something takes, in the middle of all turns.
fn median(mut turn: impl FnMut()) -> f64 {
    let mut times: Vec<_> = (0..TURNS)
        .map(|_| {
            let begin = Instant::now();
            turn();
            begin.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[TURNS / 2]
}
