//! Requests, and servers that answer them well, badly, or not at all.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use flow_core::amount::Duration;
use flow_core::digest::Digest;
use flow_core::effect::{Act, Effect, FailureClass};
use flow_core::step::{Desk, Sent, StepCall, StepFailure, StepReport};
use flow_core::ty::Type;
use flow_core::value::Value;
use flow_steps::{Allowed, Place, Registry, register};
use tokio::net::TcpListener;

use crate::desk::{FakeDesk, call, place, record, value};
use crate::web::{Does, Web, answer};

/// The table of a project that allows some hosts.
fn allowing(hosts: &[&str]) -> Registry {
    let hosts = hosts.iter().map(|host| host.parse().unwrap());
    register(&Place {
        allowed: Allowed {
            hosts: hosts.collect(),
            ..Allowed::default()
        },
        ..place(Path::new("/nowhere"))
    })
}

/// The table of a project that allows a server.
fn allowed(web: &Web) -> Registry {
    allowing(&[&web.address.to_string()])
}

fn get(desk: &Arc<FakeDesk>, url: &str) -> StepCall {
    let args = [
        ("url", Value::text(url)),
        ("query", record([])),
        ("headers", record([])),
        ("secrets", record([])),
        ("accept", Value::list(Vec::new())),
    ];
    call(desk, "http.get", args, Type::Json)
}

fn post(desk: &Arc<FakeDesk>, url: &str) -> StepCall {
    let mut call = get(desk, url);
    call.step = "http.request".into();
    call.effect = Effect::Act(Act::Once);
    let nothing = ["json", "text", "file", "form"].map(|name| (name.into(), Value::None));
    call.args.extend(nothing);
    call.args
        .insert("method".into(), Value::Enum("post".into()));
    let header = Value::text("Idempotency-Key");
    call.args.insert("key_header".into(), header);
    call
}

fn with(mut call: StepCall, name: &str, argument: Value) -> StepCall {
    call.args.insert(name.into(), argument);
    call
}

async fn report(registry: &Registry, call: StepCall) -> StepReport {
    registry.get(&call.step).unwrap().start(call).await
}

async fn asked(registry: &Registry, call: StepCall) -> Result<Value, StepFailure> {
    value(report(registry, call).await)
}

fn field(value: &Value, name: &str) -> Value {
    let Value::Record(fields) = value else {
        panic!("{value:?}");
    };
    fields[name].clone()
}

fn bytes(desk: &Arc<FakeDesk>, value: &Value) -> Vec<u8> {
    let Value::Artifact(body) = field(value, "body") else {
        panic!("{value:?}");
    };
    std::fs::read(desk.open(&body).unwrap()).unwrap()
}

#[tokio::test]
async fn an_answer_is_a_status_headers_a_text_and_a_file() {
    let mut desk = FakeDesk::new();
    desk.secrets.insert("TOKEN".into(), "hunter2".into());
    let desk = Arc::new(desk);
    let web = Web::new(|_, _| {
        let headers = "X-One: a\r\nx-one: b\r\nContent-Type: text/plain\r\n";
        answer("201 Made", headers, "a föx")
    })
    .await;
    let call = get(&desk, &web.url("/a b/ü?x=1#part"));
    let call = with(call, "query", record([("q", Value::text("ü & b"))]));
    let call = with(call, "headers", record([("X-Two", Value::text("2"))]));
    let token = Value::Secret("TOKEN".into());
    let call = with(call, "secrets", record([("Authorization", token)]));
    let value = asked(&allowed(&web), call).await.unwrap();
    assert_eq!(field(&value, "status"), Value::Int(201));
    let headers = field(&value, "headers");
    assert_eq!(field(&headers, "x-one"), Value::text("a, b"));
    assert_eq!(field(&value, "text"), Value::text("a föx"));
    assert_eq!(bytes(&desk, &value), "a föx".as_bytes());
    let seen = web.seen().asked.remove(0);
    assert_eq!(seen.line, "GET /a%20b/%C3%BC?x=1&q=%C3%BC+%26+b HTTP/1.1");
    assert_eq!(seen.header("host"), Some(&*web.address.to_string()));
    assert_eq!(seen.header("x-two"), Some("2"));
    assert_eq!(seen.header("authorization"), Some("hunter2"));
    assert!(seen.header("user-agent").unwrap().starts_with("flow/"));
    assert_eq!(seen.header("content-length"), None);
    let log = desk.log_text();
    assert!(
        log.contains("201 Created, ") && log.contains("GET http://"),
        "{log}"
    );
}

#[tokio::test]
async fn a_body_is_one_of_four_kinds() {
    let desk = Arc::new(FakeDesk::new());
    let web = Web::new(|_, _| answer("200 OK", "", "")).await;
    let registry = allowed(&web);
    let file = Value::Artifact(Arc::new(desk.artifact(&vec![7; 200_000])));
    let one = record([("a", Value::list(vec![Value::Int(1), Value::None]))]);
    for (name, argument, kind, body) in [
        (
            "json",
            one,
            "application/json",
            br#"{"a":[1,null]}"#.to_vec(),
        ),
        (
            "text",
            Value::text("é"),
            "text/plain; charset=utf-8",
            "é".into(),
        ),
        (
            "form",
            record([("a b", Value::text("c&d"))]),
            "application/x-www-form-urlencoded",
            b"a+b=c%26d".to_vec(),
        ),
        ("file", file, "application/octet-stream", vec![7; 200_000]),
    ] {
        let call = with(post(&desk, &web.url("/")), name, argument);
        asked(&registry, call).await.unwrap();
        let seen = web.seen().asked.pop().unwrap();
        assert_eq!(seen.line, "POST / HTTP/1.1");
        assert_eq!(seen.header("content-type"), Some(kind));
        assert_eq!(seen.body, body, "{name}");
    }
    let own = with(post(&desk, &web.url("/")), "text", Value::text("<a/>"));
    let own = with(
        own,
        "headers",
        record([("content-type", Value::text("text/xml"))]),
    );
    asked(&registry, own).await.unwrap();
    let seen = web.seen().asked.pop().unwrap();
    assert_eq!(seen.header("content-type"), Some("text/xml"));
    asked(&registry, post(&desk, &web.url("/"))).await.unwrap();
    let seen = web.seen().asked.pop().unwrap();
    assert_eq!(seen.header("content-length"), Some("0"));
}

#[tokio::test]
async fn what_can_not_be_asked_was_not_sent() {
    let mut desk = FakeDesk::new();
    desk.secrets
        .insert("LINES".into(), "hunter2\nhunter3".into());
    let desk = Arc::new(desk);
    let web = Web::new(|_, _| answer("200 OK", "", "")).await;
    let registry = allowed(&web);
    let here = web.url("/");
    let header = |name: &str, value: &str| record([(name, Value::text(value))]);
    let post = || post(&desk, &here);
    let lines = record([("X", Value::Secret("LINES".into()))]);
    let both = record([("X", Value::Secret("LINES".into()))]);
    for (call, says) in [
        (get(&desk, "http://a b/"), "is no address"),
        (get(&desk, "ftp://example.org/"), "`ftp` is not spoken"),
        (
            get(&desk, "http://ada:x@example.org/"),
            "credentials in the address",
        ),
        (
            with(post(), "headers", header("a b", "1")),
            "`a b` has no such name",
        ),
        (
            with(post(), "headers", header("A", "1\r\nB: 2")),
            "no header can have",
        ),
        (
            with(post(), "headers", header("Content-Length", "1")),
            "is not for a workflow",
        ),
        (
            with(post(), "secrets", lines),
            "the secret `LINES` can't be the header `X`",
        ),
        (
            with(with(post(), "text", Value::text("")), "form", record([])),
            "`text`, `form` are several bodies",
        ),
        (
            with(with(post(), "headers", header("x", "1")), "secrets", both),
            "can't be the header",
        ),
    ] {
        let failure = asked(&registry, call).await.unwrap_err();
        assert_eq!(
            (failure.class, failure.sent),
            (FailureClass::Invalid, Sent::No)
        );
        assert!(failure.message.contains(says), "{}", failure.message);
        assert!(!failure.message.contains("hunter"), "{}", failure.message);
    }
    let missing = record([("X", Value::Secret("NOBODY".into()))]);
    let failure = asked(&registry, with(post(), "secrets", missing))
        .await
        .unwrap_err();
    assert_eq!(failure.class, FailureClass::Auth);
    assert_eq!(web.seen().began, 0);
    assert!(!desk.was_sent.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_status_says_what_may_be_done_and_the_server_why() {
    let desk = Arc::new(FakeDesk::new());
    let web = Web::new(|asked, _| {
        let status = asked.line.split(['/', ' ']).nth(2).unwrap();
        let (headers, body) = match status {
            "429" => ("Retry-After: 7\r\n", "slow\n down"),
            "503" => ("Content-Type: text/HTML\r\n", "<p>no</p>"),
            "404" => ("", "\x1b[2Jno such fox"),
            "500" => ("", ""),
            _ => ("", "x"),
        };
        answer(&format!("{status} -"), headers, body)
    })
    .await;
    let registry = allowed(&web);
    for (status, class, message) in [
        (
            404,
            FailureClass::Invalid,
            "404 (Not Found): [2Jno such fox",
        ),
        (401, FailureClass::Auth, "401 (Unauthorized): x"),
        (
            429,
            FailureClass::RateLimited,
            "429 (Too Many Requests): slow down",
        ),
        (500, FailureClass::Transient, "500 (Internal Server Error)"),
        (503, FailureClass::Transient, "503 (Service Unavailable)"),
        (408, FailureClass::Timeout, "408 (Request Timeout): x"),
        (599, FailureClass::Transient, "599: x"),
    ] {
        let url = web.url(&format!("/{status}"));
        let failure = asked(&registry, get(&desk, &url)).await.unwrap_err();
        assert_eq!(failure.class, class, "{status}");
        assert_eq!(&*failure.message, format!("`127.0.0.1` says {message}"));
        let patience = (status == 429).then_some(Duration(7 * Duration::SECOND.0));
        assert_eq!(failure.retry_after, patience);
        let accepted = Value::list(vec![Value::Int(status)]);
        let call = with(get(&desk, &url), "accept", accepted);
        let value = asked(&registry, call).await.unwrap();
        assert_eq!(field(&value, "status"), Value::Int(status));
    }
}

/// What a request meets, and what is said of it: as an act that nobody can
/// repeat, it may have happened or not.
#[tokio::test]
async fn it_is_said_whether_a_byte_got_out() {
    let desk = Arc::new(FakeDesk::new());
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec();
    let chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhal".to_vec();
    for (does, says) in [
        (Does::SaysLast(Vec::new()), "there was no answer from"),
        (Does::SaysLast(cut), "ends too early"),
        (Does::SaysLast(chunk), "ends too early"),
        (
            Does::SaysLast(b"no HTTP at all\r\n\r\n".to_vec()),
            "there was no answer",
        ),
        (
            Does::SaysLast(b"HTTP/1.1 2".to_vec()),
            "there was no answer",
        ),
    ] {
        let web = Web::new(move |_, _| does.clone()).await;
        let failure = asked(&allowed(&web), post(&desk, &web.url("/"))).await;
        let failure = failure.unwrap_err();
        assert_eq!(
            (failure.class, failure.sent),
            (FailureClass::Transient, Sent::Maybe)
        );
        assert!(failure.message.contains(says), "{}", failure.message);
        assert_eq!(web.seen().asked.len(), 1, "an act is sent once");
    }
    // Nobody is there.
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let desk = Arc::new(FakeDesk::new());
    let call = post(&desk, &format!("http://{address}/"));
    let failure = asked(&allowing(&["127.0.0.1"]), call).await.unwrap_err();
    assert_eq!(
        (failure.class, failure.sent),
        (FailureClass::Transient, Sent::No)
    );
    assert!(
        failure.message.contains("can't be reached"),
        "{}",
        failure.message
    );
    assert!(!desk.was_sent.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_waited_for() {
    let desk = Arc::new(FakeDesk::new());
    let web = Web::new(|_, _| {
        Does::Says(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741825\r\n\r\nx".to_vec())
    })
    .await;
    let failure = asked(&allowed(&web), get(&desk, &web.url("/")))
        .await
        .unwrap_err();
    assert_eq!(failure.class, FailureClass::Invalid);
    assert!(
        failure.message.contains("more than 1 GiB"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn who_asks_is_sent_on_and_secrets_stay_where_they_are() {
    let mut desk = FakeDesk::new();
    desk.secrets.insert("TOKEN".into(), "hunter2".into());
    let desk = Arc::new(desk);
    let other = Web::new(|_, _| answer("200 OK", "", "there")).await;
    let there = other.url("/there");
    let web = Web::new(move |asked, _| match asked.line.split(' ').nth(1) {
        Some("/near") => answer("302 Found", "Location: ../same?a=b\r\n", "ignored"),
        Some("/far") => answer("307 -", &format!("Location: {there}\r\n"), ""),
        Some("/loop") => answer("301 -", "Location: /loop\r\n", ""),
        Some("/ftp") => answer("301 -", "Location: ftp://x/\r\n", ""),
        Some("/nowhere") => answer("301 -", "", "no place"),
        _ => answer("200 OK", "", "same"),
    })
    .await;
    let registry = allowing(&["127.0.0.1"]);
    let secret = |path: &str| {
        let token = Value::Secret("TOKEN".into());
        let call = get(&desk, &web.url(path));
        let call = with(call, "secrets", record([("X-Token", token)]));
        let headers = [
            ("Cookie", Value::text("c=1")),
            ("X-Plain", Value::text("p")),
        ];
        with(call, "headers", record(headers))
    };
    let value = asked(&registry, secret("/near")).await.unwrap();
    assert_eq!(field(&value, "text"), Value::text("same"));
    let seen = web.seen().asked.pop().unwrap();
    assert_eq!(seen.line, "GET /same?a=b HTTP/1.1");
    assert_eq!(seen.header("x-token"), Some("hunter2"));

    let value = asked(&registry, secret("/far")).await.unwrap();
    assert_eq!(field(&value, "text"), Value::text("there"));
    let seen = other.seen().asked.pop().unwrap();
    assert_eq!(
        (seen.header("x-token"), seen.header("cookie")),
        (None, None)
    );
    assert_eq!(seen.header("x-plain"), Some("p"));

    for (path, says) in [
        ("/loop", "sends on more than 10 times"),
        ("/ftp", "sends on to `ftp://x/`, which is no address"),
        ("/nowhere", "says 301 (Moved Permanently): no place"),
    ] {
        let failure = asked(&registry, secret(path)).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Invalid);
        assert!(failure.message.contains(says), "{}", failure.message);
    }
}

#[tokio::test]
async fn who_asks_by_a_body_keeps_it_or_gets_what_is_elsewhere() {
    let desk = Arc::new(FakeDesk::new());
    let web = Web::new(|asked, _| match asked.line.split(' ').nth(1) {
        Some("/303") => answer("303 -", "Location: /end\r\n", ""),
        Some("/308") => answer("308 -", "Location: /end\r\n", ""),
        _ => answer("200 OK", "", ""),
    })
    .await;
    let registry = allowed(&web);
    for (path, line, body) in [
        ("/303", "GET /end HTTP/1.1", ""),
        ("/308", "POST /end HTTP/1.1", "which?"),
    ] {
        let mut call = with(post(&desk, &web.url(path)), "text", Value::text("which?"));
        call.effect = Effect::Read;
        asked(&registry, call).await.unwrap();
        let seen = web.seen().asked.pop().unwrap();
        assert_eq!((&*seen.line, &*seen.body), (line, body.as_bytes()));
    }
}

#[tokio::test]
async fn an_act_follows_nobody() {
    let desk = Arc::new(FakeDesk::new());
    let web = Web::new(|asked, _| {
        let status = asked.line.split(['/', ' ']).nth(2).unwrap();
        answer(&format!("{status} -"), "Location: /elsewhere\r\n", "")
    })
    .await;
    let registry = allowed(&web);
    for (status, sent) in [(302, Sent::Maybe), (303, Sent::Maybe), (307, Sent::Refused)] {
        let call = post(&desk, &web.url(&format!("/{status}")));
        let failure = asked(&registry, call.clone()).await.unwrap_err();
        assert_eq!((failure.class, failure.sent), (FailureClass::Invalid, sent));
        let says = format!(
            "and to go to `/elsewhere`; a request that may change something follows nobody: ask there, or put {status} into `accept`"
        );
        assert!(failure.message.contains(&says), "{}", failure.message);
        let accepted = with(call, "accept", Value::list(vec![Value::Int(status)]));
        let value = asked(&registry, accepted).await.unwrap();
        let headers = field(&value, "headers");
        assert_eq!(field(&headers, "location"), Value::text("/elsewhere"));
    }
    assert_eq!(web.seen().asked.len(), 6);
}

#[tokio::test]
async fn only_the_open_network_is_reached_unless_more_is_allowed() {
    let desk = Arc::new(FakeDesk::new());
    let web = Web::new(|_, _| answer("200 OK", "", "")).await;
    let port = web.address.port();
    let nothing = allowing(&[]);
    for host in [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "169.254.169.254",
        "10.0.0.1",
    ] {
        let call = post(&desk, &format!("http://{host}:{port}/"));
        let failure = asked(&nothing, call).await.unwrap_err();
        assert_eq!(
            (failure.class, failure.sent),
            (FailureClass::Invalid, Sent::No)
        );
        let says = "which is not on the open network; allow it in `flow.toml`: `[allow]`";
        assert!(failure.message.contains(says), "{}", failure.message);
    }
    // Another port is another server.
    let other = allowing(&[&format!("127.0.0.1:{}", port ^ 1)]);
    let call = get(&desk, &web.url("/"));
    assert!(asked(&other, call).await.is_err());
    assert_eq!(web.seen().began, 0);
    for rule in ["127.0.0.0/8", "localhost", &format!("localhost:{port}")] {
        let host = if rule.starts_with("127") {
            "127.0.0.1"
        } else {
            "localhost"
        };
        let call = get(&desk, &format!("http://{host}:{port}/"));
        asked(&allowing(&[rule]), call).await.unwrap();
    }
}

#[tokio::test]
async fn nobody_is_sent_on_to_where_nobody_may_go() {
    let desk = Arc::new(FakeDesk::new());
    let inner = Web::new(|_, _| answer("200 OK", "", "secret")).await;
    let there = inner.url("/metadata");
    let web = Web::new(move |_, _| answer("302 -", &format!("Location: {there}\r\n"), "")).await;
    let failure = asked(&allowed(&web), get(&desk, &web.url("/")))
        .await
        .unwrap_err();
    assert_eq!(failure.class, FailureClass::Invalid);
    let says =
        "the server sends on, but `127.0.0.1` is 127.0.0.1, which is not on the open network";
    assert!(failure.message.starts_with(says), "{}", failure.message);
    assert_eq!(inner.seen().began, 0);
}

#[tokio::test]
async fn the_same_act_has_the_same_key_and_another_another() {
    let desk = Arc::new(FakeDesk::new());
    let web = Web::new(|_, number| match number {
        0 => Does::SaysLast(Vec::new()),
        _ => answer("200 OK", "", ""),
    })
    .await;
    let registry = allowed(&web);
    let mut call = post(&desk, &web.url("/"));
    call.effect = Effect::Act(Act::Keyed(None));
    let key = call.idempotency.to_string();
    let failure = asked(&registry, call.clone()).await.unwrap_err();
    assert_eq!(failure.sent, Sent::Maybe);
    asked(&registry, call.clone()).await.unwrap();
    call.idempotency = Digest::of(b"another");
    let call = with(call, "key_header", Value::text("X-Key"));
    asked(&registry, call.clone()).await.unwrap();
    let seen = web.seen().asked;
    assert_eq!(seen[0].header("idempotency-key"), Some(&*key));
    assert_eq!(seen[1].header("idempotency-key"), Some(&*key));
    assert_eq!(
        seen[2].header("x-key"),
        Some(&*call.idempotency.to_string())
    );
    let twice = with(call, "headers", record([("x-key", Value::text("mine"))]));
    let failure = asked(&registry, twice).await.unwrap_err();
    assert_eq!(&*failure.message, "the header `X-Key` is given twice");
    // Without a promise there is no key.
    asked(&registry, post(&desk, &web.url("/"))).await.unwrap();
    assert_eq!(web.seen().asked[3].header("idempotency-key"), None);
}

#[tokio::test]
async fn a_request_that_is_stopped_says_whether_it_got_out_and_lets_go() {
    let desk = Arc::new(FakeDesk::new());
    let web = Web::new(|_, _| Does::Hangs).await;
    let registry = allowed(&web);
    let running = tokio::spawn({
        let (registry, call) = (registry.clone(), post(&desk, &web.url("/")));
        async move { report(&registry, call).await }
    });
    web.until(|seen| seen.asked.len() == 1).await;
    assert!(desk.was_sent.load(Ordering::SeqCst));
    desk.is_stopped.store(true, Ordering::SeqCst);
    let stopped = StepReport::Stopped {
        sent: Sent::Maybe,
        bill: None,
    };
    assert_eq!(running.await.unwrap(), stopped);
    web.until(|seen| seen.ended == 1).await;

    // Whoever drops it ends it.
    let desk = Arc::new(FakeDesk::new());
    let running = tokio::spawn({
        let (registry, call) = (registry.clone(), get(&desk, &web.url("/")));
        async move { report(&registry, call).await }
    });
    web.until(|seen| seen.asked.len() == 2).await;
    running.abort();
    web.until(|seen| seen.ended == 2).await;
}

#[tokio::test]
async fn who_only_asks_goes_on_with_a_connection_and_who_acts_never_does() {
    let desk = Arc::new(FakeDesk::new());
    let web = Web::new(|_, number| {
        let said = answer("200 OK", "", number.to_string());
        match (number, said) {
            // The third closes the connection without saying so.
            (2, Does::Says(bytes)) => Does::SaysLast(bytes),
            (_, said) => said,
        }
    })
    .await;
    let registry = allowed(&web);
    for number in 0..3 {
        let value = asked(&registry, get(&desk, &web.url("/"))).await.unwrap();
        assert_eq!(field(&value, "text"), Value::text(number.to_string()));
    }
    assert_eq!(web.seen().began, 1);
    web.until(|seen| seen.ended == 1).await;
    asked(&registry, get(&desk, &web.url("/"))).await.unwrap();
    assert_eq!(web.seen().began, 2);
    for _ in 0..2 {
        asked(&registry, post(&desk, &web.url("/"))).await.unwrap();
    }
    assert_eq!(web.seen().began, 4);
}

#[tokio::test]
async fn a_server_that_tells_a_secret_is_not_repeated() {
    let mut desk = FakeDesk::new();
    desk.secrets
        .insert("TOKEN".into(), "hunter2-and-more".into());
    let desk = Arc::new(desk);
    let web = Web::new(|asked, _| {
        let told = asked.header("x-token").unwrap_or_default().to_owned();
        let length = told.len() * 2;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
        Does::Says(format!("{head}{told}{told}").into_bytes())
    })
    .await;
    let token = Value::Secret("TOKEN".into());
    let call = with(
        get(&desk, &web.url("/")),
        "secrets",
        record([("X-Token", token)]),
    );
    let value = asked(&allowed(&web), call).await.unwrap();
    assert_eq!(field(&value, "text"), Value::text("******"));
    assert_eq!(bytes(&desk, &value), b"******");
}

#[tokio::test]
async fn large_answers_are_files_and_texts_only_if_they_are_letters() {
    let desk = Arc::new(FakeDesk::new());
    let web = Web::new(|asked, _| {
        let body = match asked.line.split(' ').nth(1) {
            Some("/text") => "ü".repeat(1_000_000).into_bytes(),
            Some("/long") => "ü".repeat(9_000_000).into_bytes(),
            Some("/small") => vec![0xff, 0xfe],
            _ => vec![0xff; 1_000_000],
        };
        let mut said = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for part in body.chunks(100_001) {
            said.extend(format!("{:x}\r\n", part.len()).into_bytes());
            said.extend(part);
            said.extend(b"\r\n");
        }
        said.extend(b"0\r\n\r\n");
        Does::Says(said)
    })
    .await;
    let registry = allowed(&web);
    for (path, letters, length) in [
        ("/text", 2_000_000, 2_000_000),
        ("/long", 0, 18_000_000),
        ("/small", 0, 2),
        ("/bytes", 0, 1_000_000),
    ] {
        let value = asked(&registry, get(&desk, &web.url(path))).await.unwrap();
        let Value::Text(text) = field(&value, "text") else {
            panic!("{path}");
        };
        assert_eq!(text.len(), letters, "{path}");
        assert_eq!(bytes(&desk, &value).len(), length, "{path}");
    }
    // What they were on the way is gone.
    let left = std::fs::read_dir(desk.folder().unwrap()).unwrap();
    assert_eq!(left.count(), 0);
}

#[tokio::test]
async fn an_answer_that_takes_a_while_says_how_far_it_is() {
    let desk = Arc::new(FakeDesk::new());
    let web = Web::new(|_, _| answer("200 OK", "", vec![b'x'; 4 << 20])).await;
    asked(&allowed(&web), get(&desk, &web.url("/")))
        .await
        .unwrap();
    let progress = desk.progress.lock().unwrap();
    let last = progress.last().unwrap();
    assert_eq!((last.done, &*last.note), (Some(1.0), "4 of 4 MiB"));
    assert!(progress.len() <= 4, "{progress:?}");
}

#[tokio::test]
async fn a_head_has_no_body_whatever_is_said_of_it() {
    let desk = Arc::new(FakeDesk::new());
    let web = Web::new(|_, _| {
        Does::Says(b"HTTP/1.1 200 OK\r\ncontent-length: 5000000000\r\n\r\n".to_vec())
    })
    .await;
    let mut call = post(&desk, &web.url("/"));
    call.effect = Effect::Read;
    let call = with(call, "method", Value::Enum("head".into()));
    let value = asked(&allowed(&web), call).await.unwrap();
    assert_eq!(bytes(&desk, &value), b"");
    let headers = field(&value, "headers");
    assert_eq!(field(&headers, "content-length"), Value::text("5000000000"));
}
