//! Messages: shown, or posted.

use std::path::Path;
use std::sync::{Arc, Mutex};

use flow_core::effect::{Act, Effect, FailureClass};
use flow_core::step::{Sent, StepCall, StepFailure};
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_steps::{Allowed, Place, register};
use serde_json::json;

use crate::desk::{FakeDesk, NOW, call, place, value};
use crate::web::{Web, answer};

/// Carries out a call; returns also what was shown.
async fn told(call: StepCall, hosts: &[&str]) -> (Result<Value, StepFailure>, String) {
    let shown = Arc::new(Mutex::new(String::new()));
    let screen = shown.clone();
    let hosts = hosts.iter().map(|host| host.parse().unwrap());
    let registry = register(&Place {
        console: Arc::new(move |text| screen.lock().unwrap().push_str(text)),
        allowed: Allowed {
            hosts: hosts.collect(),
            ..Allowed::default()
        },
        ..place(Path::new("/nowhere"))
    });
    let report = registry.get("notify").unwrap().start(call).await;
    let shown = shown.lock().unwrap().clone();
    (value(report), shown)
}

fn message(desk: &Arc<FakeDesk>, by: &str, to: &str) -> StepCall {
    let args = [
        ("message", Value::text("three pages\nare down")),
        ("by", Value::Enum(by.into())),
        ("to", Value::text(to)),
        ("secret_to", Value::None),
        ("title", Value::None),
    ];
    let mut call = call(desk, "notify", args, Type::Time);
    call.effect = Effect::Act(Act::Once);
    call
}

fn with(mut call: StepCall, name: &str, argument: Value) -> StepCall {
    call.args.insert(name.into(), argument);
    call
}

#[tokio::test]
async fn the_console_shows_a_message_below_its_title() {
    let desk = Arc::new(FakeDesk::new());
    let (told_at, shown) = told(message(&desk, "console", ""), &[]).await;
    assert_eq!(told_at, Ok(Value::Time(NOW)));
    assert_eq!(shown, "test:\n  | three pages\n  | are down");
    let call = with(
        message(&desk, "console", ""),
        "title",
        Value::text("Report"),
    );
    let call = with(call, "message", Value::text("fine"));
    assert_eq!(told(call, &[]).await.1, "Report: fine");
}

#[tokio::test]
async fn a_webhook_gets_the_message_in_the_words_of_several() {
    let desk = Arc::new(FakeDesk::new());
    let web = Web::new(|_, _| answer("204 -", "", "")).await;
    let host = web.address.to_string();
    let mut call = message(&desk, "webhook", &web.url("/hook"));
    call.effect = Effect::Act(Act::Keyed(None));
    let key = call.idempotency.to_string();
    let (told_at, shown) = told(call, &[&host]).await;
    assert_eq!((told_at, &*shown), (Ok(Value::Time(NOW)), ""));
    let asked = web.seen().asked.remove(0);
    assert_eq!(asked.line, "POST /hook HTTP/1.1");
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert_eq!(asked.header("idempotency-key"), Some(&*key));
    let body: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
    let both = "test\nthree pages\nare down";
    let expected = json!({
        "title": "test", "message": "three pages\nare down", "text": both, "content": both,
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn an_address_that_is_a_secret_is_asked_and_not_told() {
    let web = Web::new(|_, _| answer("404 -", "", "no_team")).await;
    let mut desk = FakeDesk::new();
    let address = web.url("/services/T0/B0/hunter2hunter2");
    desk.secrets.insert("CHAT".into(), address.into());
    let desk = Arc::new(desk);
    let call = message(&desk, "webhook", "");
    let call = with(call, "secret_to", Value::Secret("CHAT".into()));
    let (failed, _) = told(call, &["127.0.0.1"]).await;
    let failure = failed.unwrap_err();
    assert_eq!(
        (failure.class, failure.sent),
        (FailureClass::Invalid, Sent::Refused)
    );
    assert_eq!(
        &*failure.message,
        "`127.0.0.1` says 404 (Not Found): no_team"
    );
    assert!(web.seen().asked[0].line.contains("hunter2hunter2"));
}

#[tokio::test]
async fn a_message_without_a_way_is_not_handed_over() {
    let mut desk = FakeDesk::new();
    desk.secrets
        .insert("CHAT".into(), "hunter2 is no address".into());
    let desk = Arc::new(desk);
    let secret = Value::Secret("CHAT".into());
    for (call, says) in [
        (message(&desk, "webhook", ""), "a webhook needs an address"),
        (
            message(&desk, "console", "me"),
            "did you mean `by: webhook`?",
        ),
        (message(&desk, "webhook", "me"), "this is no address"),
        (
            with(message(&desk, "webhook", ""), "secret_to", secret.clone()),
            "this is no address",
        ),
        (
            with(message(&desk, "webhook", "http://x"), "secret_to", secret),
            "are two addresses",
        ),
        (
            message(&desk, "webhook", "http://127.0.0.1/"),
            "not on the open network",
        ),
    ] {
        let (failed, shown) = told(call, &[]).await;
        let failure = failed.unwrap_err();
        assert_eq!(
            (failure.class, failure.sent),
            (FailureClass::Invalid, Sent::No)
        );
        assert!(failure.message.contains(says), "{}", failure.message);
        assert!(!failure.message.contains("hunter2"), "{}", failure.message);
        assert_eq!(shown, "");
    }
}
