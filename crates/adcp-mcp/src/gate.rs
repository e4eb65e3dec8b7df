//! Which `Host` and `Origin` a request may carry.
//!
//! A page in a browser can make its own name resolve to a loopback address; what it cannot do is to send
//! another `Host` than its own.

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Uri};

use crate::McpConfig;
use crate::error::McpError;

const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The hosts and origins of one server.
#[derive(Debug)]
pub(crate) struct Gate {
    any_host: bool,
    hosts: Vec<Place>,
    origins: Vec<Origin>,
}

/// A host, and its port if that matters.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    host: String,
    port: Option<u16>,
}

#[derive(Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Gate {
    /// The gate that `config` describes.
    pub(crate) fn new(config: &McpConfig) -> Result<Self, McpError> {
        let mut hosts: Vec<Place> =
            LOOPBACK.iter().map(|h| Place { host: (*h).to_owned(), port: None }).collect();
        let mut origins = Vec::new();
        if let Some(url) = &config.public_url {
            let origin = Origin::parse(url).ok_or_else(|| McpError::Setting {
                setting: "public_url",
                // Not repeated: it may have a password in it.
                reason: "must be an http or https address, such as https://ads.example.com/mcp".to_owned(),
            })?;
            hosts.push(Place { host: origin.host.clone(), port: None });
            origins.push(origin);
        }
        for host in config.allowed_hosts.iter().filter(|h| *h != "*") {
            let place = Place::parse(host).ok_or_else(|| McpError::Setting {
                setting: "allowed_hosts",
                reason: format!("has `{host}`, which is neither `host` nor `host:port`"),
            })?;
            hosts.push(place);
        }
        for origin in &config.allowed_origins {
            let origin = Origin::parse(origin).ok_or_else(|| McpError::Setting {
                setting: "allowed_origins",
                reason: format!(
                    "has `{origin}`, which is not of the form `https://host` or `https://host:port`"
                ),
            })?;
            origins.push(origin);
        }
        Ok(Self { any_host: config.allowed_hosts.iter().any(|h| h == "*"), hosts, origins })
    }

    /// Whether a request with these headers may pass; the reason if not.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), String> {
        self.check_host(headers)?;
        match headers.get(ORIGIN) {
            None => Ok(()),
            Some(origin) => self.check_origin(origin),
        }
    }

    /// The same for what pages of any origin may read.
    pub(crate) fn check_host(&self, headers: &HeaderMap) -> Result<(), String> {
        let mut given = headers.get_all(HOST).iter();
        let first = given.next();
        // Whoever stands before us may go by another of them.
        if given.next().is_some() {
            return Err("the request has more than one Host header".to_owned());
        }
        if self.any_host {
            return Ok(());
        }
        let Some(header) = first else {
            return Err("the request has no Host header".to_owned());
        };
        let asked = header.to_str().ok().and_then(Place::parse);
        let Some(asked) = asked else {
            return Err("the Host header is not a host name with an optional port".to_owned());
        };
        let allowed = |place: &Place| {
            place.host.eq_ignore_ascii_case(&asked.host) && (place.port.is_none() || place.port == asked.port)
        };
        if self.hosts.iter().any(allowed) {
            return Ok(());
        }
        tracing::warn!(host = asked.host, "refused a request for a host that is not allowed");
        Err(format!(
            "this server does not answer for the host `{}`; its operator must set the public url \
             (`with_public_url`) or the allowed hosts (`with_allowed_hosts`)",
            asked.host
        ))
    }

    fn check_origin(&self, header: &HeaderValue) -> Result<(), String> {
        let origin = header.to_str().ok().and_then(Origin::parse);
        if let Some(origin) = &origin
            && (LOOPBACK.contains(&origin.host.as_str()) || self.origins.contains(origin))
        {
            return Ok(());
        }
        tracing::warn!(origin = ?header, "refused a request from a web origin that is not allowed");
        Err("pages of this web origin may not call the agent; its operator must add it to the allowed \
             origins (`with_allowed_origins`)"
            .to_owned())
    }
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let authority = Authority::try_from(text.trim()).ok()?;
        if authority.as_str().contains('@') {
            return None;
        }
        Some(Self { host: authority.host().to_ascii_lowercase(), port: authority.port_u16() })
    }
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.trim().parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let standard = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let host = uri.host()?.to_ascii_lowercase();
        Some(Self { scheme, host, port: uri.port_u16().unwrap_or(standard) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(config: &McpConfig) -> Gate {
        Gate::new(config).unwrap()
    }

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    #[test]
    fn hosts() {
        let config = McpConfig::bind("127.0.0.1:0")
            .with_public_url("https://ads.example.com/mcp")
            .with_allowed_hosts(["inner.example:8080"]);
        let gate = gate(&config);
        let cases = [
            ("localhost", true),
            ("LOCALHOST:3000", true),
            ("127.0.0.1:1", true),
            ("[::1]:3000", true),
            ("ads.example.com", true),
            ("ads.example.com:443", true),
            ("inner.example:8080", true),
            ("inner.example", false),
            ("inner.example:80", false),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("user@localhost", false),
            ("", false),
        ];
        for (host, allowed) in cases {
            assert_eq!(gate.check(&headers(host, None)).is_ok(), allowed, "{host}");
        }
        assert!(gate.check(&HeaderMap::new()).is_err());
        let mut twice = headers("localhost", None);
        twice.append(HOST, HeaderValue::from_static("localhost"));
        assert!(gate.check(&twice).unwrap_err().contains("more than one"));
        let refusal = gate.check(&headers("evil.example", None)).unwrap_err();
        assert!(refusal.contains("with_allowed_hosts") && refusal.contains("evil.example"), "{refusal}");
    }

    #[test]
    fn a_star_serves_any_host() {
        let gate = gate(&McpConfig::bind("127.0.0.1:0").with_allowed_hosts(["*"]));
        assert!(gate.check(&headers("evil.example", None)).is_ok());
        assert!(gate.check(&HeaderMap::new()).is_ok());
        let mut twice = headers("evil.example", None);
        twice.append(HOST, HeaderValue::from_static("other.example"));
        assert!(gate.check(&twice).is_err());
    }

    #[test]
    fn origins() {
        let config = McpConfig::bind("127.0.0.1:0")
            .with_public_url("https://ads.example.com/mcp")
            .with_allowed_origins(["http://app.example:8080"]);
        let gate = gate(&config);
        let cases = [
            ("http://localhost:5173", true),
            ("https://ads.example.com", true),
            ("https://ads.example.com:443", true),
            ("http://app.example:8080", true),
            ("http://app.example", false),
            ("http://ads.example.com", false),
            ("https://evil.example", false),
            ("null", false),
        ];
        for (origin, allowed) in cases {
            assert_eq!(gate.check(&headers("localhost", Some(origin))).is_ok(), allowed, "{origin}");
        }
    }

    #[test]
    fn wrong_settings_are_named() {
        let base = || McpConfig::bind("127.0.0.1:0");
        let cases = [
            (base().with_public_url("ads.example.com"), "public_url"),
            (base().with_public_url("ftp://ads.example.com"), "public_url"),
            (base().with_allowed_hosts(["a b"]), "allowed_hosts"),
            (base().with_allowed_origins(["app.example"]), "allowed_origins"),
        ];
        for (config, setting) in cases {
            let error = Gate::new(&config).unwrap_err().to_string();
            assert!(error.contains(setting), "{error}");
        }
    }
}
