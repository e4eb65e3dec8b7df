//! Which events share a receiver.

use std::fmt;
use std::sync::Arc;

/// Scheme, host and port of a receiver's address. Events of one tenant for one endpoint share a lane: what is in
/// flight to it is bounded, and its breaker pauses it without the others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint(Arc<str>);

/// The longest name that a host can have.
const MAX_HOST: usize = 253;

impl Endpoint {
    /// The endpoint of an address. Pure: the same address always has the same one. Addresses that can be nobody's
    /// share the endpoint `invalid`.
    #[must_use]
    pub fn of(url: &str) -> Self {
        Self(origin(url).unwrap_or_else(|| "invalid".to_owned()).into())
    }

    /// An endpoint as a store keeps it.
    #[must_use]
    pub fn stored(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    if scheme.is_empty() || scheme.len() > 16 || !scheme.chars().all(word) {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let place = authority.rsplit('@').next()?;
    let (host, port) = match place.rfind(']') {
        Some(end) => place.split_at(end + 1),
        None => place.split_at(place.rfind(':').unwrap_or(place.len())),
    };
    let host = host.strip_suffix('.').unwrap_or(host).to_lowercase();
    if host.is_empty() || host.len() > MAX_HOST || host.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return None;
    }
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        None => return None,
        Some("") => None,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse::<u16>().ok()?),
        Some(_) => return None,
    };
    let usual = match scheme.as_str() {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    };
    Some(match port.filter(|port| Some(*port) != usual) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_scheme_host_and_port() {
        for (url, want) in [
            ("https://Buyer.example/hook?a=b", "https://buyer.example"),
            ("HTTPS://buyer.example.:443", "https://buyer.example"),
            ("https://user:pa@ss@buyer.example:8443/x@y", "https://buyer.example:8443"),
            ("http://buyer.example:080#x", "http://buyer.example"),
            ("http://[::1]:8080/x", "http://[::1]:8080"),
            ("https://[2001:DB8::1]", "https://[2001:db8::1]"),
            ("https://buyer.example\\@evil.example/", "https://buyer.example"),
            ("https://münchen.example/", "https://münchen.example"),
            ("https://buyer.example:", "https://buyer.example"),
        ] {
            assert_eq!(Endpoint::of(url).as_str(), want, "{url}");
        }
        let host = |letters: usize| format!("https://{}/", "a".repeat(letters));
        assert_eq!(Endpoint::of(&host(253)).as_str().len(), "https://".len() + 253);
        let scheme = |letters: usize| format!("{}://a", "s".repeat(letters));
        assert_eq!(Endpoint::of(&scheme(16)).as_str(), scheme(16));
        assert_eq!(
            Endpoint::of("coap+tcp-2.0://a:80").as_str(),
            "coap+tcp-2.0://a:80",
            "no port is usual there"
        );
        let (long, odd) = (host(254), scheme(17));
        for url in [
            "",
            "buyer.example",
            "https://",
            "https:///x",
            "https://a b/",
            "https://a:70000/",
            "https://a:+1/",
            "https://[::1]x/",
            "://a",
            "ht_tp://a",
            "https://a\u{1}/",
            &long,
            &odd,
        ] {
            assert_eq!(Endpoint::of(url).as_str(), "invalid", "{url}");
        }
    }
}
