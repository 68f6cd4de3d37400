//! Which hosts may be reached: those on the open network, and those that the
//! project allows. What counts is the address that is connected to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Hosts that may be reached though they aren't on the open network:
/// `localhost:8080`, `*.internal`, `10.0.0.0/8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRule {
    who: Who,
    /// The only port; without one, all of them.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    /// A host of this name.
    Name(Box<str>),
    /// Hosts whose names end so, with a dot before.
    Below(Box<str>),
    /// Hosts of any name with an address that begins with so many bits of this.
    Net(IpAddr, u8),
}

/// A text says no hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRuleError {
    /// What is wrong.
    pub message: String,
    /// What to write.
    pub help: String,
}

impl fmt::Display for HostRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for HostRuleError {}

/// What rules look like, for the help of messages.
const EXAMPLES: &str = "write a host, a host with its port, names below one, or a network: \
                        `localhost`, `localhost:8080`, `*.internal`, `10.0.0.0/8`";

impl FromStr for HostRule {
    type Err = HostRuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |why: &str| HostRuleError {
            message: format!("`{text}` {why}"),
            help: EXAMPLES.to_owned(),
        };
        if text.contains("://") {
            return Err(wrong("is an address, and a host is expected"));
        }
        let (host, port) = split_port(text).ok_or_else(|| wrong("has no port that there is"))?;
        let who = match host.split_once('/') {
            Some((address, bits)) => net(address, bits),
            None => one(host),
        };
        match who {
            Some(who) => Ok(Self { who, port }),
            None if host == "*" => Err(wrong("is every host, and that is too many")),
            None => Err(wrong("is no host")),
        }
    }
}

/// Cuts a port off; an address of the longer kind has brackets around it then.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let port = |digits: &str| digits.parse().ok().filter(|port| *port > 0);
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(digits) => Some((host, Some(port(digits)?))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    match text.split_once(':') {
        Some((host, digits)) if !digits.contains(':') => Some((host, Some(port(digits)?))),
        _ => Some((text, None)),
    }
}

fn net(address: &str, bits: &str) -> Option<Who> {
    let address: IpAddr = address.parse().ok()?;
    let bits: u8 = bits.parse().ok()?;
    let all = if address.is_ipv4() { 32 } else { 128 };
    (bits <= all).then_some(Who::Net(address, bits))
}

fn one(host: &str) -> Option<Who> {
    if let Ok(address) = host.parse::<IpAddr>() {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        return Some(Who::Net(address, bits));
    }
    let name = host.strip_prefix("*.").unwrap_or(host);
    let plain = plain_name(name);
    let is_label = |label: &str| {
        let letters = label.bytes();
        let mut letters = letters.map(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        (1..=63).contains(&label.len()) && letters.all(|fits| fits)
    };
    if !plain.split('.').all(is_label) {
        return None;
    }
    let plain = plain.into();
    Some(if name == host {
        Who::Name(plain)
    } else {
        Who::Below(plain)
    })
}

/// Returns a name as all names are compared.
pub(crate) fn plain_name(name: &str) -> String {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.to_ascii_lowercase()
}

impl HostRule {
    /// Returns whether it is about a host, by the name that it is called by, its
    /// port and its address.
    pub(crate) fn fits(&self, host: &str, port: u16, address: IpAddr) -> bool {
        if self.port.is_some_and(|only| only != port) {
            return false;
        }
        match &self.who {
            Who::Name(name) => plain_name(host) == **name,
            Who::Below(end) => is_below(&plain_name(host), end),
            Who::Net(net, bits) => is_in(canonical(address), *net, *bits),
        }
    }

    /// Returns whether it is about a host whose address is somebody else's
    /// business; a name stands for all that are below it.
    pub(crate) fn covers(&self, host: &str, port: u16) -> bool {
        if let Ok(address) = host.parse::<IpAddr>() {
            return self.fits(host, port, address);
        }
        if self.port.is_some_and(|only| only != port) {
            return false;
        }
        let host = plain_name(host);
        match &self.who {
            Who::Name(name) => host == **name || is_below(&host, name),
            Who::Below(end) => host == **end || is_below(&host, end),
            Who::Net(..) => false,
        }
    }
}

fn is_below(host: &str, end: &str) -> bool {
    let begin = host
        .strip_suffix(end)
        .and_then(|begin| begin.strip_suffix('.'));
    begin.is_some_and(|begin| !begin.is_empty())
}

fn is_in(address: IpAddr, net: IpAddr, bits: u8) -> bool {
    match (address, canonical(net)) {
        (IpAddr::V4(address), IpAddr::V4(net)) => {
            let shift = 32 - u32::from(bits.min(32));
            let begin = |address: Ipv4Addr| u64::from(address.to_bits()) >> shift;
            begin(address) == begin(net)
        }
        (IpAddr::V6(address), IpAddr::V6(net)) => {
            let shift = 128 - u32::from(bits.min(128));
            let begin = |address: Ipv6Addr| address.to_bits().checked_shr(shift).unwrap_or(0);
            begin(address) == begin(net)
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

/// Returns the shorter address that a longer one stands for.
fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Returns whether an address is on the open network: not of this machine, of
/// its neighbours, or of nobody.
pub(crate) fn is_open(address: IpAddr) -> bool {
    match canonical(address) {
        IpAddr::V4(address) => is_open_v4(address),
        IpAddr::V6(address) => is_open_v6(address),
    }
}

fn is_open_v4(address: Ipv4Addr) -> bool {
    const CLOSED: [([u8; 4], u8); 15] = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        // Between a provider and its customers.
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        // Also where clouds tell their machines who they are.
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        // To many at once, and what is kept for later.
        ([224, 0, 0, 0], 4),
        ([240, 0, 0, 0], 4),
    ];
    let closed = CLOSED.iter();
    !closed
        .into_iter()
        .any(|(net, bits)| is_in(address.into(), Ipv4Addr::from(*net).into(), *bits))
}

fn is_open_v6(address: Ipv6Addr) -> bool {
    let bits = address.to_bits();
    let parts = address.segments();
    let low = Ipv4Addr::from_bits(u32::try_from(bits & 0xffff_ffff).unwrap_or(0));
    let after = |skip: u32| u32::try_from(bits >> skip & 0xffff_ffff).unwrap_or(0);
    // Addresses that have one of the other kind in them.
    if parts[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return is_open_v4(low);
    }
    if parts[0] == 0x2002 {
        return is_open_v4(Ipv4Addr::from_bits(after(80)));
    }
    // Only these are given to anybody, and some of them to nobody.
    let is_given = parts[0] & 0xe000 == 0x2000;
    let is_special = parts[0] == 0x2001 && (parts[1] < 0x0200 || parts[1] == 0x0db8);
    let is_example = parts[0] == 0x3fff && parts[1] < 0x1000;
    is_given && !is_special && !is_example
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_addresses_on_the_open_network_are_open() {
        for open in [
            "1.1.1.1",
            "172.32.0.1",
            "172.15.255.255",
            "100.63.0.1",
            "192.167.1.1",
            "2606:4700::1111",
            "2a00::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_open(address(open)), "{open}");
        }
        for closed in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "fe80::1",
            "fec0::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2001::1",
            "2001:db8::1",
            "3fff:1::1",
            "100::1",
        ] {
            assert!(!is_open(address(closed)), "{closed}");
        }
    }

    #[test]
    fn a_rule_is_about_names_or_addresses_and_about_one_port_or_all() {
        let fits = |rule: &str, host: &str, port, to: &str| {
            let rule: HostRule = rule.parse().unwrap();
            rule.fits(host, port, address(to))
        };
        assert!(fits("localhost", "LocalHost.", 80, "127.0.0.1"));
        assert!(fits("localhost:8080", "localhost", 8080, "::1"));
        assert!(!fits("localhost:8080", "localhost", 8081, "::1"));
        assert!(!fits("localhost", "evil.example", 80, "127.0.0.1"));
        assert!(fits("*.internal", "a.b.internal", 80, "10.0.0.1"));
        assert!(!fits("*.internal", "internal", 80, "10.0.0.1"));
        assert!(!fits("*.internal", "notinternal", 80, "10.0.0.1"));
        assert!(fits("10.0.0.0/8", "any.example", 443, "10.200.0.1"));
        assert!(!fits("10.0.0.0/8", "any.example", 443, "11.0.0.1"));
        assert!(fits("10.0.0.0/8", "x", 443, "::ffff:10.0.0.1"));
        assert!(fits("127.0.0.1:80", "x", 80, "127.0.0.1"));
        assert!(fits("[::1]:80", "x", 80, "::1"));
        assert!(fits("::1", "x", 99, "::1"));
        assert!(fits("fd00::/8", "x", 1, "fdab::1"));
        assert!(fits("0.0.0.0/0", "x", 1, "10.0.0.1"));
        assert!(fits("::/0", "x", 1, "fdab::1"));
        assert!(!fits("::/0", "x", 1, "10.0.0.1"));
    }

    #[test]
    fn what_is_no_rule_says_what_one_is() {
        for (text, says) in [
            ("", "`` is no host"),
            ("*", "too many"),
            ("http://localhost", "is an address"),
            ("localhost:0", "has no port"),
            ("localhost:x", "has no port"),
            ("localhost:70000", "has no port"),
            ("a b", "is no host"),
            ("10.0.0.0/33", "is no host"),
            ("10.0.0/8", "is no host"),
            ("*.*.internal", "is no host"),
            ("[::1", "has no port"),
            ("a..b", "is no host"),
        ] {
            let error = HostRule::from_str(text).unwrap_err();
            assert!(error.message.contains(says), "{text}: {error}");
            assert!(error.help.contains("`*.internal`"));
        }
    }

    #[test]
    fn a_name_covers_what_is_below_it() {
        let rule: HostRule = "example.org".parse().unwrap();
        assert!(rule.covers("example.org", 1) && rule.covers("a.example.org", 1));
        assert!(!rule.covers("notexample.org", 1));
        let net: HostRule = "10.0.0.0/8".parse().unwrap();
        assert!(net.covers("10.0.0.1", 1) && !net.covers("ten.example", 1));
    }
}
