//! Proxies, as the environment names them: `HTTP_PROXY`, `HTTPS_PROXY`,
//! `ALL_PROXY` and `NO_PROXY`, in capitals or not.

use flow_core::base64;
use url::Url;

use crate::hosts::HostRule;

/// The proxies of the environment.
#[derive(Debug, Default)]
pub(super) struct Proxies {
    http: Option<Named>,
    https: Option<Named>,
    all: Option<Named>,
    /// Hosts that are reached without.
    without: Vec<HostRule>,
    is_none: bool,
}

/// What a variable says.
#[derive(Debug)]
struct Named {
    variable: &'static str,
    text: String,
}

/// Where a proxy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Tls,
    /// What it is told of who asks.
    pub(super) credentials: Option<String>,
}

/// Whether a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    Yes,
    No,
}

/// A variable names no proxy that can be used.
#[derive(Debug, thiserror::Error)]
#[error("`{variable}` names no proxy that can be used: write `http://host:port`")]
pub(super) struct ProxyFault {
    variable: &'static str,
}

impl Proxies {
    /// Reads the environment.
    pub(super) fn new(get: &dyn Fn(&str) -> Option<String>) -> Self {
        let named = |names: &[&'static str]| {
            let mut names = names.iter();
            names.find_map(|name| {
                let text = get(name).filter(|text| !text.is_empty())?;
                Some(Named {
                    variable: name,
                    text,
                })
            })
        };
        // In a program that a web server has started, `HTTP_PROXY` is a header
        // of whoever asked.
        let http: &[&str] = match get("REQUEST_METHOD") {
            Some(_) => &["http_proxy"],
            None => &["http_proxy", "HTTP_PROXY"],
        };
        let without = named(&["no_proxy", "NO_PROXY"]).map_or_else(String::new, |it| it.text);
        let rules = without.split(',').filter_map(|host| {
            let host = host.trim();
            host.strip_prefix('.').unwrap_or(host).parse().ok()
        });
        Self {
            http: named(http),
            https: named(&["https_proxy", "HTTPS_PROXY"]),
            all: named(&["all_proxy", "ALL_PROXY"]),
            is_none: without.split(',').any(|host| host.trim() == "*"),
            without: rules.collect(),
        }
    }

    /// Returns the proxy by which a host is reached, if it is.
    pub(super) fn of(&self, tls: Tls, host: &str, port: u16) -> Result<Option<Proxy>, ProxyFault> {
        let mut without = self.without.iter();
        if self.is_none || without.any(|rule| rule.covers(host, port)) {
            return Ok(None);
        }
        let own = match tls {
            Tls::Yes => &self.https,
            Tls::No => &self.http,
        };
        match own.as_ref().or(self.all.as_ref()) {
            Some(named) => named.read().map(Some),
            None => Ok(None),
        }
    }
}

impl Named {
    fn read(&self) -> Result<Proxy, ProxyFault> {
        let fault = || ProxyFault {
            variable: self.variable,
        };
        let text = if self.text.contains("://") {
            self.text.clone()
        } else {
            format!("http://{}", self.text)
        };
        let url = Url::parse(&text).map_err(|_| fault())?;
        let tls = match url.scheme() {
            "http" => Tls::No,
            "https" => Tls::Yes,
            _ => return Err(fault()),
        };
        let host = url.host_str().ok_or_else(fault)?;
        let credentials = (!url.username().is_empty() || url.password().is_some()).then(|| {
            let part = |text: &str| unescaped(text);
            let mut words = part(url.username());
            words.push(b':');
            words.extend(part(url.password().unwrap_or_default()));
            format!("Basic {}", base64::padded(&words))
        });
        Ok(Proxy {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port_or_known_default().ok_or_else(fault)?,
            tls,
            credentials,
        })
    }
}

/// Reads what is escaped in an address.
fn unescaped(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = text.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let read = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(read.unwrap_or(*byte));
        at += if read.is_some() { 3 } else { 1 };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        Proxies::new(&|name| {
            let mut variables = variables.iter();
            let found = variables.find(|(known, _)| *known == name);
            found.map(|(_, text)| (*text).to_owned())
        })
    }

    #[test]
    fn the_environment_names_proxies_and_who_goes_without() {
        let all = proxies(&[
            ("HTTP_PROXY", "proxy.example:3128"),
            ("https_proxy", "https://ada:p%40ss@secure.example"),
            ("NO_PROXY", "localhost, .internal,10.0.0.0/8"),
        ]);
        let of = |tls, host: &str| all.of(tls, host, 80).unwrap();
        let plain = of(Tls::No, "example.org").unwrap();
        assert_eq!(
            (&*plain.host, plain.port, plain.tls, plain.credentials),
            ("proxy.example", 3128, Tls::No, None)
        );
        let secure = of(Tls::Yes, "example.org").unwrap();
        assert_eq!(
            (&*secure.host, secure.port, secure.tls),
            ("secure.example", 443, Tls::Yes)
        );
        // `ada:p@ss`
        assert_eq!(secure.credentials.as_deref(), Some("Basic YWRhOnBAc3M="));
        for host in ["localhost", "a.internal", "10.1.1.1"] {
            assert_eq!(of(Tls::No, host), None, "{host}");
        }
        let none = proxies(&[("ALL_PROXY", "http://p"), ("no_proxy", "*")]);
        assert_eq!(none.of(Tls::No, "example.org", 80).unwrap(), None);
    }

    #[test]
    fn a_header_of_a_request_is_no_proxy() {
        let cgi = proxies(&[("HTTP_PROXY", "http://p"), ("REQUEST_METHOD", "GET")]);
        assert_eq!(cgi.of(Tls::No, "example.org", 80).unwrap(), None);
    }

    #[test]
    fn a_proxy_that_can_not_be_used_is_named_by_its_variable() {
        let socks = proxies(&[("ALL_PROXY", "socks5://p:1080")]);
        let said = socks.of(Tls::Yes, "example.org", 443).unwrap_err();
        assert!(said.to_string().contains("`ALL_PROXY` names no proxy"));
    }
}
