//! Reads a url, and lets nothing pass that two programs could read differently.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::uri::PathAndQuery;

use crate::refusal::{Part, Refusal};

/// The most characters of a url.
pub(crate) const MAX_LENGTH: usize = 8_000;

/// The most characters of a domain name, and of a label of it.
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// An absolute `https` or `http` url in canonical form, of which nothing is left to interpretation.
///
/// `Debug` and [`origin`](Self::origin) show no path and no query: they may hold a token.
///
/// Spec: RFC 3986, without user information and fragment.
#[derive(Clone)]
pub struct Url {
    text: String,
    /// How many bytes of `text` are scheme, host and port.
    origin: usize,
    secure: bool,
    host: Host,
    port: u16,
    target: PathAndQuery,
}

/// Who is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    /// A domain name in lower case.
    Name(String),
    /// An address, written as one.
    Address(IpAddr),
}

impl Url {
    /// All of it: scheme and host in lower case, no default port, a path of at least `/`, the rest as it was.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port: all that may be logged.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.text[..self.origin]
    }

    /// The host, and the port unless it is the scheme's own: what a `Host` field says.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.text[self.scheme().len() + 3..self.origin]
    }

    /// `https`, or `http` where that is allowed.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// The port that is called.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Path and query.
    #[must_use]
    pub fn target(&self) -> &str {
        self.target.as_str()
    }

    pub(crate) const fn is_secure(&self) -> bool {
        self.secure
    }

    pub(crate) const fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) const fn path_and_query(&self) -> &PathAndQuery {
        &self.target
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > MAX_LENGTH {
            return Err(Refusal::TooLong);
        }
        if text.bytes().any(|byte| byte.is_ascii_control() || byte == b' ') {
            return Err(Refusal::Character(Part::Whole));
        }
        let (scheme, rest) = text.split_once("://").ok_or(Refusal::NotAbsolute)?;
        let secure = read_scheme(scheme)?;
        let (authority, tail) = rest.split_at(rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(Refusal::UserInfo);
        }
        let (host, port) = split_authority(authority)?;
        let host = read_host(host)?;
        let default = if secure { 443 } else { 80 };
        let port = port.map(read_port).transpose()?.unwrap_or(default);
        let target = read_target(tail)?;

        let mut text = format!("{}://{host}", if secure { "https" } else { "http" });
        if port != default {
            text.push_str(&format!(":{port}"));
        }
        let origin = text.len();
        text.push_str(target.as_str());
        Ok(Self { text, origin, secure, host, port, target })
    }
}

fn read_scheme(scheme: &str) -> Result<bool, Refusal> {
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Ok(true),
        "http" => Ok(false),
        _ if named => Err(Refusal::Scheme),
        _ => Err(Refusal::NotAbsolute),
    }
}

fn split_authority(authority: &str) -> Result<(&str, Option<&str>), Refusal> {
    let host_ends = if authority.starts_with('[') {
        authority.find(']').ok_or(Refusal::Host)? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, rest) = authority.split_at(host_ends);
    match rest.strip_prefix(':') {
        // An IPv6 address without its brackets.
        Some(port) if port.contains(':') => Err(Refusal::Host),
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(Refusal::Host),
    }
}

fn read_port(port: &str) -> Result<u16, Refusal> {
    let canonical = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
    port.parse().ok().filter(|_| canonical).ok_or(Refusal::Port)
}

fn read_host(host: &str) -> Result<Host, Refusal> {
    if !host.is_ascii() {
        return Err(Refusal::HostNotAscii);
    }
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        if address.contains('%') {
            return Err(Refusal::Zone);
        }
        return address
            .parse::<Ipv6Addr>()
            .map(|address| Host::Address(address.into()))
            .map_err(|_| Refusal::Host);
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok(Host::Address(address.into()));
    }
    if host.strip_suffix('.').is_some_and(|name| !name.is_empty() && !name.ends_with('.')) {
        return Err(Refusal::TrailingDot);
    }
    if host.len() > MAX_NAME || !host.split('.').all(is_label) {
        return Err(Refusal::Host);
    }
    let host = host.to_ascii_lowercase();
    // Resolvers read more than the four decimal numbers as an address, and they do not agree on what.
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit()));
    if hexadecimal || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::AmbiguousAddress);
    }
    Ok(Host::Name(host))
}

/// Letters, digits and inner hyphens; underscores too, for names of services have them.
fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn read_target(tail: &str) -> Result<PathAndQuery, Refusal> {
    if tail.contains('#') {
        return Err(Refusal::Fragment);
    }
    let (path, query) = tail.split_at(tail.find('?').unwrap_or(tail.len()));
    if !is_encoded(path, b"/") {
        return Err(Refusal::Character(Part::Path));
    }
    // Brackets, braces and bars stand in many queries as they are, and mean nothing to anybody on the way.
    if !is_encoded(query, b"/?[]{}|") {
        return Err(Refusal::Character(Part::Query));
    }
    let slash = if path.is_empty() { "/" } else { "" };
    PathAndQuery::try_from(format!("{slash}{tail}")).map_err(|_| Refusal::Character(Part::Path))
}

/// Whether every character is one that may stand in a path, or is among `more`, or is percent-encoded.
fn is_encoded(text: &str, more: &[u8]) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)),
        byte if byte.is_ascii_alphanumeric() => true,
        byte => b"-._~!$&'()*+,;=:@".contains(byte) || more.contains(byte),
    })
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({}/…)", self.origin())
    }
}

impl PartialEq for Url {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Url {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_into_its_canonical_form() {
        for (text, canonical) in [
            ("https://buyer.example", "https://buyer.example/"),
            ("HTTPS://Buyer.EXAMPLE:443/Hook", "https://buyer.example/Hook"),
            ("https://buyer.example:8443?a=B", "https://buyer.example:8443/?a=B"),
            (
                "https://buyer.example/a//b/../c/%7e?x=%2f&y[]=1&z={a|b}",
                "https://buyer.example/a//b/../c/%7e?x=%2f&y[]=1&z={a|b}",
            ),
            ("https://buyer.example/?", "https://buyer.example/?"),
            ("https://1.1.1.1/", "https://1.1.1.1/"),
            ("https://[2606:4700:0:0:0:0:0:1111]:443/", "https://[2606:4700::1111]/"),
            ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
            ("https://my_service.internal/", "https://my_service.internal/"),
            ("https://a.b1/", "https://a.b1/"),
            ("http://127.0.0.1:80/", "http://127.0.0.1/"),
            ("http://localhost:443/", "http://localhost:443/"),
        ] {
            let url = Url::parse(text).unwrap_or_else(|refusal| panic!("{text}: {refusal}"));
            assert_eq!(url.as_str(), canonical);
            assert_eq!(Url::parse(canonical).as_ref(), Ok(&url));
        }
    }

    #[test]
    fn the_parts_of_a_url_are_told_apart() {
        let url = Url::parse("https://buyer.example:8443/hook?token=hunter2").unwrap();
        assert_eq!((url.scheme(), url.authority(), url.port()), ("https", "buyer.example:8443", 8443));
        assert_eq!((url.origin(), url.target()), ("https://buyer.example:8443", "/hook?token=hunter2"));
        assert_eq!(format!("{url:?}"), "Url(https://buyer.example:8443/…)");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let long = format!("https://buyer.example/{}", "a".repeat(MAX_LENGTH));
        let long_name = format!("https://{}example/", "a.".repeat(130));
        let long_label = format!("https://{}.example/", "a".repeat(64));
        for (text, expected) in [
            (long.as_str(), Refusal::TooLong),
            (&long_name, Refusal::Host),
            (&long_label, Refusal::Host),
            ("", Refusal::NotAbsolute),
            ("buyer.example/hook", Refusal::NotAbsolute),
            ("//buyer.example/hook", Refusal::NotAbsolute),
            ("https:buyer.example", Refusal::NotAbsolute),
            ("https:/buyer.example", Refusal::NotAbsolute),
            ("https:\\\\buyer.example", Refusal::NotAbsolute),
            ("://buyer.example", Refusal::NotAbsolute),
            ("/a://b", Refusal::NotAbsolute),
            ("ftp://buyer.example/", Refusal::Scheme),
            ("file:///etc/passwd", Refusal::Scheme),
            ("javascript://x", Refusal::Scheme),
            ("httpſ://buyer.example/", Refusal::NotAbsolute),
            (" https://buyer.example/", Refusal::Character(Part::Whole)),
            ("https://buyer.example/\n", Refusal::Character(Part::Whole)),
            ("https://buyer.example/\0", Refusal::Character(Part::Whole)),
            ("https://buyer.exa\tmple/", Refusal::Character(Part::Whole)),
            ("https://user@buyer.example/", Refusal::UserInfo),
            ("https://user:pass@buyer.example/", Refusal::UserInfo),
            ("https://@buyer.example/", Refusal::UserInfo),
            ("https://1.1.1.1@127.0.0.1/", Refusal::UserInfo),
            ("https://buyer.example#@127.0.0.1/", Refusal::Fragment),
            ("https://buyer.example/#", Refusal::Fragment),
            ("https://buyer.example/?a#b", Refusal::Fragment),
            ("https:///hook", Refusal::Host),
            ("https://:443/", Refusal::Host),
            ("https://.", Refusal::Host),
            ("https://..", Refusal::Host),
            ("https://a..example/", Refusal::Host),
            ("https://.example/", Refusal::Host),
            ("https://-a.example/", Refusal::Host),
            ("https://a-.example/", Refusal::Host),
            ("https://a*.example/", Refusal::Host),
            ("https://%31%32%37.0.0.1/", Refusal::Host),
            ("https://127%2e0.0.1/", Refusal::Host),
            ("https://buyer.example:1:2/", Refusal::Host),
            ("https://2606:4700::1111/", Refusal::Host),
            ("https://[2606:4700::1111/", Refusal::Host),
            ("https://[2606:4700::1111]8/", Refusal::Host),
            ("https://[1.1.1.1]/", Refusal::Host),
            ("https://[v1.a]/", Refusal::Host),
            ("https://[]/", Refusal::Host),
            ("https://[::1%eth0]/", Refusal::Zone),
            ("https://[fe80::1%25eth0]/", Refusal::Zone),
            ("https://buyer.example./", Refusal::TrailingDot),
            ("https://127.0.0.1./", Refusal::TrailingDot),
            ("https://bücher.example/", Refusal::HostNotAscii),
            ("https://127。0。0。1/", Refusal::HostNotAscii),
            ("https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/", Refusal::HostNotAscii),
            ("https://2130706433/", Refusal::AmbiguousAddress),
            ("https://0x7f000001/", Refusal::AmbiguousAddress),
            ("https://0X7F.1/", Refusal::AmbiguousAddress),
            ("https://0x/", Refusal::AmbiguousAddress),
            ("https://017700000001/", Refusal::AmbiguousAddress),
            ("https://127.1/", Refusal::AmbiguousAddress),
            ("https://127.0.0.01/", Refusal::AmbiguousAddress),
            ("https://127.0.0.1.1/", Refusal::AmbiguousAddress),
            ("https://999.1.1.1/", Refusal::AmbiguousAddress),
            ("https://buyer.1/", Refusal::AmbiguousAddress),
            ("https://buyer.example:/", Refusal::Port),
            ("https://buyer.example:0/", Refusal::Port),
            ("https://buyer.example:0443/", Refusal::Port),
            ("https://buyer.example:65536/", Refusal::Port),
            ("https://buyer.example:+443/", Refusal::Port),
            ("https://buyer.example:-1/", Refusal::Port),
            ("https://buyer.example:４４３/", Refusal::Port),
            ("https://buyer.example\\@127.0.0.1/", Refusal::Character(Part::Path)),
            ("https://buyer.example/a\\b", Refusal::Character(Part::Path)),
            ("https://buyer.example/ü", Refusal::Character(Part::Path)),
            ("https://buyer.example/%", Refusal::Character(Part::Path)),
            ("https://buyer.example/%4", Refusal::Character(Part::Path)),
            ("https://buyer.example/%zz", Refusal::Character(Part::Path)),
            ("https://buyer.example/{id}", Refusal::Character(Part::Path)),
            ("https://buyer.example/?a=\"", Refusal::Character(Part::Query)),
            ("https://buyer.example/?a=100%", Refusal::Character(Part::Query)),
            ("https://buyer.example/?a=ü", Refusal::Character(Part::Query)),
        ] {
            assert_eq!(Url::parse(text), Err(expected), "{text}");
        }
    }
}
