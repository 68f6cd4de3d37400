//! Acts for programs.

use flow_core::history::Act;
use flow_core::step::Bill;
use serde_json::{Value as Json, json};

use super::list::{Listed, Price, word};

/// Writes all that is listed.
pub(super) fn all(listed: &[Listed], prices: &[Price]) -> Json {
    let acts = listed.iter().flat_map(|listed| {
        let run = &listed.past.row;
        listed.acts.iter().map(move |act| {
            let mut object = one(act);
            object["run"] = Json::from(&*run.id.0);
            object["workflow"] = Json::from(&*run.workflow);
            object
        })
    });
    let prices = prices.iter().map(|(price, evidence)| {
        json!({
            "price": &**price,
            "bill": evidence.bill.to_string(),
            "bound": evidence.bound.to_string(),
        })
    });
    json!({
        "version": 1,
        "acts": acts.collect::<Vec<_>>(),
        "distrusted": prices.collect::<Vec<_>>(),
    })
}

fn one(act: &Act) -> Json {
    let (bill, amount) = match act.bill {
        Bill::None => ("none", None),
        Bill::Exact(amount) => ("exact", Some(amount)),
        Bill::Presumed(amount) => ("presumed", Some(amount)),
    };
    json!({
        "path": act.path.to_string(),
        "step": &*act.step,
        "effect": crate::wording::effect(act.effect),
        "attempt": act.ticket.attempt,
        "generation": act.ticket.generation,
        "key": act.idempotency.to_string(),
        "state": word(act.known).replace(' ', "_"),
        "intended": act.intended.to_string(),
        "since": act.since.to_string(),
        "evidence": act.evidence.as_deref(),
        "bill": bill,
        "amount": amount.map(|amount| amount.to_string()),
    })
}
