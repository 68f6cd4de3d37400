//! A request, as a call says it: read and checked before anything is sent.

use std::path::PathBuf;
use std::sync::Arc;

use flow_core::effect::{Act, Effect};
use flow_core::json::to_json;
use flow_core::step::{StepCall, StepFailure};
use flow_core::ty::Type;
use flow_core::value::Value;
use hyper::body::Bytes;
use hyper::header::{
    AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION,
};
use hyper::{Method, StatusCode};
use url::Url;

use crate::given::{Given, bug, invalid};

/// A request that can be made, and made again elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    /// Headers for the first host only.
    pub(super) secrets: HeaderMap,
    pub(super) body: Body,
    /// Statuses that are no failure.
    accept: Vec<i64>,
    /// Whether it changes something.
    pub(super) acts: bool,
}

/// What a request brings.
#[derive(Debug, Clone)]
pub(super) enum Body {
    Nothing,
    Whole(Bytes),
    File { path: PathBuf, bytes: u64 },
}

/// What JSON is called, and the header that usually carries a key.
const JSON: &str = "application/json";
const KEY: &str = "Idempotency-Key";

/// Headers that follow from the rest.
const OURS: [&str; 9] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "expect",
];

impl Order {
    /// Reads a call.
    pub(super) fn read(call: &StepCall) -> Result<Self, StepFailure> {
        let method = method(call)?;
        let url = address(call.text("url")?, call)?;
        let mut headers = HeaderMap::new();
        for (name, value) in call.map("headers")? {
            let Value::Text(value) = value else {
                return Err(bug(call, "headers"));
            };
            put(&mut headers, name, value)?;
        }
        let mut secrets = HeaderMap::new();
        for (name, value) in call.map("secrets")? {
            let Value::Secret(secret) = value else {
                return Err(bug(call, "secrets"));
            };
            let hidden = call.desk.secret(secret)?;
            put(&mut secrets, name, &hidden).map_err(|_| {
                invalid(format!(
                    "the secret `{secret}` can't be the header `{name}`"
                ))
            })?;
            if headers.contains_key(&**name) {
                return Err(twice(name));
            }
        }
        if let Effect::Act(Act::Keyed(_)) = call.effect {
            let name = call.text("key_header")?;
            if headers.contains_key(&**name) || secrets.contains_key(&**name) {
                return Err(twice(name));
            }
            put(&mut headers, name, &call.idempotency.to_string())?;
        }
        let body = body(call, &mut headers)?;
        let accept = call.list("accept")?.iter().filter_map(|status| {
            let Value::Int(status) = status else {
                return None;
            };
            Some(*status)
        });
        Ok(Self {
            method,
            url,
            headers,
            secrets,
            body,
            accept: accept.collect(),
            acts: call.effect.acts(),
        })
    }

    /// Makes the request that brings a JSON value to an address. The address may
    /// be a secret.
    pub(crate) fn post(
        call: &StepCall,
        address: &str,
        json: &serde_json::Value,
    ) -> Result<Self, StepFailure> {
        let url = Url::parse(address.trim());
        let url = url.map_err(|error| invalid(format!("this is no address: {error}")))?;
        check(&url)?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        if let Effect::Act(Act::Keyed(_)) = call.effect {
            put(&mut headers, &KEY.into(), &call.idempotency.to_string())?;
        }
        Ok(Self {
            method: Method::POST,
            url,
            headers,
            secrets: HeaderMap::new(),
            body: Body::Whole(json.to_string().into()),
            accept: Vec::new(),
            acts: call.effect.acts(),
        })
    }

    /// Returns whether an answer of a status is a success.
    pub(super) fn accepts(&self, status: StatusCode) -> bool {
        status.is_success() || self.accept.contains(&i64::from(status.as_u16()))
    }

    /// Returns the request that an answer asks for in place of this one; nothing
    /// if it asks for none.
    pub(super) fn moved(
        &self,
        status: StatusCode,
        location: Option<&HeaderValue>,
    ) -> Result<Option<Self>, StepFailure> {
        let is_redirect = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
        let (true, Some(location)) = (is_redirect, location) else {
            return Ok(None);
        };
        let shown = String::from_utf8_lossy(location.as_bytes()).into_owned();
        let wrong = || {
            invalid(format!(
                "the server sends on to `{shown}`, which is no address"
            ))
        };
        let url = self.url.join(&shown).map_err(|_| wrong())?;
        check(&url).map_err(|_| wrong())?;
        let mut next = self.clone();
        // Who has answered knows what it was asked; the next only gets what is
        // for everybody.
        if url.origin() != self.url.origin() {
            next.secrets.clear();
            for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
                next.headers.remove(name);
            }
        }
        next.url = url;
        let is_post = self.method == Method::POST;
        let becomes_get = status == StatusCode::SEE_OTHER && self.method != Method::HEAD
            || matches!(status.as_u16(), 301 | 302) && is_post;
        if becomes_get {
            next.method = Method::GET;
            next.body = Body::Nothing;
            next.headers.remove(CONTENT_TYPE);
        }
        Ok(Some(next))
    }
}

fn method(call: &StepCall) -> Result<Method, StepFailure> {
    if &*call.step == "http.get" {
        return Ok(Method::GET);
    }
    let Value::Enum(word) = call.value("method")? else {
        return Err(bug(call, "method"));
    };
    Ok(match &**word {
        "get" => Method::GET,
        "head" => Method::HEAD,
        "post" => Method::POST,
        "put" => Method::PUT,
        "patch" => Method::PATCH,
        "delete" => Method::DELETE,
        _ => return Err(bug(call, "method")),
    })
}

/// Reads an address, and adds the query.
fn address(text: &str, call: &StepCall) -> Result<Url, StepFailure> {
    let mut url = Url::parse(text.trim())
        .map_err(|error| invalid(format!("`{text}` is no address: {error}")))?;
    check(&url)?;
    let query = call.map("query")?;
    if !query.is_empty() {
        let mut pairs = url.query_pairs_mut();
        for (name, value) in query {
            let Value::Text(value) = value else {
                return Err(bug(call, "query"));
            };
            pairs.append_pair(name, value);
        }
    }
    Ok(url)
}

/// Sees to it that an address is one that can be asked.
pub(super) fn check(url: &Url) -> Result<(), StepFailure> {
    if !matches!(url.scheme(), "http" | "https") {
        let message = format!(
            "`{}` is not spoken, only `http` and `https` are",
            url.scheme()
        );
        return Err(invalid(message));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(invalid("the address has no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(
            "there are credentials in the address, where everybody can read them; \
             write `secrets: { Authorization: secret(\"…\") }`",
        ));
    }
    Ok(())
}

fn put(headers: &mut HeaderMap, name: &Arc<str>, value: &str) -> Result<(), StepFailure> {
    let wrong = |what: &str| invalid(format!("the header `{name}` {what}"));
    let read: HeaderName = name.parse().map_err(|_| wrong("has no such name"))?;
    if OURS.contains(&read.as_str()) {
        return Err(wrong("is not for a workflow to set"));
    }
    let value = HeaderValue::from_str(value);
    let value = value.map_err(|_| wrong("has a value that no header can have"))?;
    if headers.insert(read, value).is_some() {
        return Err(twice(name));
    }
    Ok(())
}

fn twice(name: &str) -> StepFailure {
    invalid(format!("the header `{name}` is given twice"))
}

/// Takes the one body that there may be.
fn body(call: &StepCall, headers: &mut HeaderMap) -> Result<Body, StepFailure> {
    if &*call.step == "http.get" {
        return Ok(Body::Nothing);
    }
    let given = ["json", "text", "file", "form"].into_iter();
    let given = given.filter(|name| {
        let value = call.args.get(*name);
        value.is_some_and(|value| *value != Value::None)
    });
    let given: Vec<&str> = given.collect();
    let (body, content_type) = match given.as_slice() {
        [] => return Ok(Body::Nothing),
        ["json"] => {
            let ty = call.types.get("json").unwrap_or(&Type::Json);
            let json = to_json(call.value("json")?, ty);
            let json = json.map_err(|mismatch| invalid(mismatch.to_string()))?;
            (Body::Whole(json.to_string().into()), JSON)
        }
        ["text"] => {
            let text = call.text("text")?.to_string();
            (Body::Whole(text.into()), "text/plain; charset=utf-8")
        }
        ["form"] => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in call.map("form")? {
                let Value::Text(value) = value else {
                    return Err(bug(call, "form"));
                };
                form.append_pair(name, value);
            }
            let body = Body::Whole(form.finish().into());
            (body, "application/x-www-form-urlencoded")
        }
        ["file"] => {
            let Value::Artifact(artifact) = call.value("file")? else {
                return Err(bug(call, "file"));
            };
            let path = call.desk.open(artifact)?;
            let bytes = artifact.bytes;
            (Body::File { path, bytes }, "application/octet-stream")
        }
        several => {
            let message = format!(
                "`{}` are several bodies, and one is sent",
                several.join("`, `")
            );
            return Err(invalid(message));
        }
    };
    if !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    Ok(body)
}
