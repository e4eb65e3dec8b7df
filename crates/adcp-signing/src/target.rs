//! The one form of an address that both sides sign.

use std::fmt;
use std::net::Ipv6Addr;

/// Why an address has no canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadTarget {
    /// Neither http nor https.
    #[error("the address is not http or https")]
    Scheme,
    /// No authority, or one without a host.
    #[error("the address has no host")]
    NoHost,
    /// A host that cannot be a domain name or an IP address.
    #[error("the host is not a domain name or an address")]
    Host,
    /// An IPv6 address without brackets, with one bracket, or with a zone.
    #[error("the IPv6 address is not whole, not in brackets, or has a zone")]
    Ipv6,
    /// A port that is no port.
    #[error("the port is not a number up to 65535")]
    Port,
    /// A user before the host that is not written as one.
    #[error("the user information has a character that must be escaped")]
    UserInfo,
    /// A space, a control character, a backslash, or a character beyond ASCII outside the host.
    #[error("the address has a character that must be escaped")]
    Character,
    /// A percent sign in the path that two hexadecimal digits do not follow.
    #[error("the path has a percent sign that escapes nothing")]
    Escape,
}

/// An address in the canonical form of the profiles: what `@target-uri` and `@authority` say.
///
/// Lower-case scheme and host, the ASCII form of an international name, no user, no default port, no fragment, a path
/// without dot segments in which only reserved characters are escaped, and the query exactly as it was sent. Escaped dots
/// are dots: `%2e%2e` walks up as `..` does, so that canonicalising twice changes nothing.
///
/// Also what two agent addresses are compared by.
///
/// ```
/// use adcp_signing::TargetUri;
///
/// let target = TargetUri::parse("HTTPS://user@Buyer.Example:443/a/./%7Ehook?b=2&a=1#top")?;
/// assert_eq!(target.as_str(), "https://buyer.example/a/~hook?b=2&a=1");
/// assert_eq!(target.authority(), "buyer.example");
/// # Ok::<(), adcp_signing::BadTarget>(())
/// ```
///
/// Spec: RFC 9421 sections 2.2.2 and 2.2.3, RFC 3986 section 6.2.2.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TargetUri {
    text: String,
    /// Where the authority stands in `text`.
    authority: (usize, usize),
}

impl TargetUri {
    /// Canonicalises an address.
    ///
    /// # Errors
    ///
    /// [`BadTarget`] when readers could disagree about what it names.
    pub fn parse(url: &str) -> Result<Self, BadTarget> {
        let (scheme, rest) = url.split_once("://").ok_or(BadTarget::Scheme)?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return Err(BadTarget::Scheme);
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        let authority = canonical_authority(&scheme, authority)?;
        let path = canonical_path(path)?;
        if query.is_some_and(|query| !query.bytes().all(is_plain)) {
            return Err(BadTarget::Character);
        }
        let start = scheme.len() + 3;
        let mut text = format!("{scheme}://{authority}{path}");
        if let Some(query) = query {
            text.push('?');
            text.push_str(query);
        }
        Ok(Self { text, authority: (start, start + authority.len()) })
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host, and port unless it is the scheme's own.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.text[self.authority.0..self.authority.1]
    }

    /// `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.text[..self.authority.0 - 3]
    }

    /// Whether a `Host` field names this authority.
    pub(crate) fn is_at(&self, host: &str) -> bool {
        // A host field is no place for a user, so that `@` is not merely stripped there.
        !host.contains('@') && canonical_authority(self.scheme(), host).is_ok_and(|it| it == self.authority())
    }
}

impl fmt::Display for TargetUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether the host of an address was sent in its ASCII form.
pub(crate) fn host_is_ascii(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default().is_ascii()
}

fn canonical_authority(scheme: &str, authority: &str) -> Result<String, BadTarget> {
    let host_and_port = match authority.rsplit_once('@') {
        Some((user, _)) if !user.bytes().all(|byte| is_plain(byte) && byte != b'@') => {
            return Err(BadTarget::UserInfo);
        }
        Some((_, rest)) => rest,
        None => authority,
    };
    let (host, port) = split_port(host_and_port)?;
    let host = if let Some(inside) = host.strip_prefix('[') {
        let inside = inside.strip_suffix(']').ok_or(BadTarget::Ipv6)?;
        inside.parse::<Ipv6Addr>().map_err(|_| BadTarget::Ipv6)?;
        format!("[{}]", inside.to_ascii_lowercase())
    } else {
        canonical_name(host)?
    };
    let port = match port {
        None | Some("") => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse::<u16>().map_err(|_| BadTarget::Port)?)
        }
        Some(_) => return Err(BadTarget::Port),
    };
    match (scheme, port) {
        (_, None) | ("https", Some(443)) | ("http", Some(80)) => Ok(host),
        (_, Some(port)) => Ok(format!("{host}:{port}")),
    }
}

fn split_port(text: &str) -> Result<(&str, Option<&str>), BadTarget> {
    if text.starts_with('[') {
        let end = text.find(']').ok_or(BadTarget::Ipv6)? + 1;
        let (host, rest) = text.split_at(end);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(BadTarget::Ipv6),
        };
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    if port.is_some_and(|port| port.contains(':')) {
        return Err(BadTarget::Ipv6);
    }
    if host.is_empty() { Err(BadTarget::NoHost) } else { Ok((host, port)) }
}

/// A domain name or an IPv4 address, as UTS 46 without transitional processing has it.
fn canonical_name(host: &str) -> Result<String, BadTarget> {
    let host = host.to_ascii_lowercase();
    let is_foreign = !host.is_ascii() || host.split('.').any(|label| label.starts_with("xn--"));
    let host = if is_foreign { to_ascii(&host)? } else { host };
    let name = host.strip_suffix('.').unwrap_or(&host);
    let fits = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
            && (label.get(2..4) != Some("--") || label.starts_with("xn--"))
    };
    if name.split('.').all(fits) { Ok(host) } else { Err(BadTarget::Host) }
}

#[cfg(feature = "idn")]
fn to_ascii(host: &str) -> Result<String, BadTarget> {
    use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

    Uts46::new()
        .to_ascii(host.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Ignore)
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| BadTarget::Host)
}

#[cfg(not(feature = "idn"))]
fn to_ascii(host: &str) -> Result<String, BadTarget> {
    if host.is_ascii() { Ok(host.to_owned()) } else { Err(BadTarget::Host) }
}

fn canonical_path(path: &str) -> Result<String, BadTarget> {
    if path.is_empty() {
        return Ok("/".to_owned());
    }
    Ok(remove_dot_segments(&normal_escapes(path)?))
}

/// Escapes in capitals, and none for characters that need none.
fn normal_escapes(path: &str) -> Result<String, BadTarget> {
    let mut out = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            if !is_plain(byte) {
                return Err(BadTarget::Character);
            }
            out.push(char::from(byte));
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(bytes.next()), digit(bytes.next())) else {
            return Err(BadTarget::Escape);
        };
        let value = u8::try_from(high * 16 + low).map_err(|_| BadTarget::Escape)?;
        if value.is_ascii_alphanumeric() || b"-._~".contains(&value) {
            out.push(char::from(value));
        } else {
            out.push_str(&format!("%{value:02X}"));
        }
    }
    Ok(out)
}

/// RFC 3986 section 5.2.4 for a path that starts with a slash: empty segments stay.
fn remove_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(url: &str) -> String {
        TargetUri::parse(url).unwrap_or_else(|error| panic!("{url}: {error}")).to_string()
    }

    #[test]
    fn each_rule_of_the_canonical_form() {
        let cases = [
            ("HTTPS://Shop.Example/Path", "https://shop.example/Path"),
            ("http://shop.example:80", "http://shop.example/"),
            ("https://shop.example:80/", "https://shop.example:80/"),
            ("https://shop.example:/x", "https://shop.example/x"),
            ("https://shop.example:0443/x", "https://shop.example/x"),
            ("https://u:p@shop.example/x", "https://shop.example/x"),
            ("https://@shop.example/x", "https://shop.example/x"),
            ("https://[2001:DB8::A]:443/x", "https://[2001:db8::a]/x"),
            ("https://[::1]:8443/x", "https://[::1]:8443/x"),
            ("https://[::1]/x", "https://[::1]/x"),
            ("https://192.0.2.1/x", "https://192.0.2.1/x"),
            ("https://shop.example./x", "https://shop.example./x"),
            ("https://shop.example/a/b/../c/./d", "https://shop.example/a/c/d"),
            ("https://shop.example/a/..", "https://shop.example/"),
            ("https://shop.example/a/b/.", "https://shop.example/a/b/"),
            ("https://shop.example/../../a", "https://shop.example/a"),
            ("https://shop.example/a//../b", "https://shop.example/a/b"),
            ("https://shop.example/a/.//b", "https://shop.example/a//b"),
            ("https://shop.example//", "https://shop.example//"),
            ("https://shop.example/%7e%2d%41", "https://shop.example/~-A"),
            ("https://shop.example/a%2fb%3a", "https://shop.example/a%2Fb%3A"),
            ("https://shop.example/%e2%98%83", "https://shop.example/%E2%98%83"),
            ("https://shop.example/a/%2e%2E/b", "https://shop.example/b"),
            ("https://shop.example?x=1", "https://shop.example/?x=1"),
            ("https://shop.example/p?", "https://shop.example/p?"),
            ("https://shop.example/p?b=%7e+%zz&a=/../", "https://shop.example/p?b=%7e+%zz&a=/../"),
            ("https://shop.example/p?q#f?g", "https://shop.example/p?q"),
            ("https://shop.example#f", "https://shop.example/"),
        ];
        for (url, want) in cases {
            assert_eq!(canonical(url), want, "{url}");
        }
    }

    #[cfg(feature = "idn")]
    #[test]
    fn international_names_become_ascii() {
        assert_eq!(canonical("https://KÖNIG.Example/"), "https://xn--knig-5qa.example/");
        assert_eq!(canonical("https://XN--KNIG-5QA.example/"), "https://xn--knig-5qa.example/");
        // Not transitional: the sharp s is a letter of its own.
        assert_eq!(canonical("https://straße.example/"), "https://xn--strae-oqa.example/");
        assert_eq!(TargetUri::parse("https://xn--a.example/"), Err(BadTarget::Host));
    }

    #[test]
    fn what_readers_could_take_differently_is_refused() {
        use BadTarget as B;
        let cases = [
            ("shop.example/x", B::Scheme),
            ("ftp://shop.example/", B::Scheme),
            ("https:/shop.example/", B::Scheme),
            ("", B::Scheme),
            ("https:///x", B::NoHost),
            ("https://", B::NoHost),
            ("https://:443/x", B::NoHost),
            ("https://user@/x", B::NoHost),
            ("https://user@:443/x", B::NoHost),
            ("https://a@b@shop.example/", B::UserInfo),
            ("https://a b@shop.example/", B::UserInfo),
            ("https://[::1/x", B::Ipv6),
            ("https://[::1]x/", B::Ipv6),
            ("https://fe80::1/x", B::Ipv6),
            ("https://[fe80::1%25eth0]/x", B::Ipv6),
            ("https://[v1.a]/x", B::Ipv6),
            ("https://[]/x", B::Ipv6),
            ("https://shop.example:https/", B::Port),
            ("https://shop.example:+1/", B::Port),
            ("https://shop.example:65536/", B::Port),
            ("https://shop_one.example/", B::Host),
            ("https://shop..example/", B::Host),
            ("https://.example/", B::Host),
            ("https://-a.example/", B::Host),
            ("https://a-.example/", B::Host),
            ("https://ab--c.example/", B::Host),
            ("https://shop%2eexample/", B::Host),
            ("https://shop example/", B::Host),
            ("https://shop.example\\@evil.example/", B::UserInfo),
            ("https://shop.example/a b", B::Character),
            ("https://shop.example/a\\b", B::Character),
            ("https://shop.example/ä", B::Character),
            ("https://shop.example/a?ä", B::Character),
            ("https://shop.example/a?b c", B::Character),
            ("https://shop.example/a\n", B::Character),
            ("https://shop.example/%", B::Escape),
            ("https://shop.example/%4", B::Escape),
            ("https://shop.example/%4g", B::Escape),
            ("https://shop.example/%+4", B::Escape),
        ];
        for (url, want) in cases {
            assert_eq!(TargetUri::parse(url), Err(want), "{url}");
        }
    }

    #[test]
    fn a_host_field_is_compared_in_canonical_form() {
        let target = TargetUri::parse("https://shop.example/x").unwrap();
        for host in ["shop.example", "Shop.Example", "shop.example:443"] {
            assert!(target.is_at(host), "{host}");
        }
        for host in ["", "other.example", "shop.example:80", "shop.example:8443", "u@shop.example", "::1"] {
            assert!(!target.is_at(host), "{host}");
        }
        assert_eq!(TargetUri::parse("http://shop.example:8080/").unwrap().scheme(), "http");
    }

    #[test]
    fn a_host_beyond_ascii_is_noticed_and_a_path_is_not_a_host() {
        assert!(host_is_ascii("https://shop.example/ä?ä#ä"));
        assert!(!host_is_ascii("https://shöp.example/"));
        assert!(!host_is_ascii("shöp.example"));
    }

    fn path() -> impl Strategy<Value = String> {
        prop::collection::vec(
            prop_oneof![
                Just("/"),
                Just("."),
                Just(".."),
                Just("a"),
                Just("%2e"),
                Just("%2F"),
                Just("%7E"),
                Just("%e2")
            ],
            0..12,
        )
        .prop_map(|parts| format!("/{}", parts.concat()))
    }

    proptest! {
        #[test]
        fn twice_is_once(
            scheme in "https?|HTTPS?", user in "([a-z:]{0,4}@)?", host in "[a-zA-Z0-9]{1,6}(\\.[a-zA-Z]{1,6}){0,2}",
            port in "(:[0-9]{0,4})?", path in path(), query in "(\\?[a-z%&=+/?.]{0,8})?", fragment in "(#[a-z?/]{0,4})?",
        ) {
            let url = format!("{scheme}://{user}{host}{port}{path}{query}{fragment}");
            let once = TargetUri::parse(&url).unwrap();
            let twice = TargetUri::parse(once.as_str()).unwrap();
            prop_assert_eq!(&once, &twice);
            prop_assert!(!once.as_str().contains("/../") || query.contains("/../"));
        }

        #[test]
        fn equivalent_forms_are_equal(
            host in "[a-z0-9]{1,6}(\\.[a-z]{1,6}){0,2}", segments in prop::collection::vec("[a-zA-Z0-9._~-]{1,6}", 0..4),
            query in "(\\?[a-z&=]{0,8})?", noise in "[a-z]{1,4}",
        ) {
            prop_assume!(segments.iter().all(|it| it != "." && it != ".."));
            let path = segments.iter().map(|it| format!("/{it}")).collect::<String>();
            let escaped = segments
                .iter()
                .map(|it| format!("/./{}", it.bytes().map(|b| format!("%{b:02x}")).collect::<String>()))
                .collect::<String>();
            let plain = TargetUri::parse(&format!("https://{host}{path}{query}")).unwrap();
            let dressed = format!("HTTPS://{noise}@{}:443/{noise}/..{escaped}{query}#{noise}", host.to_uppercase());
            let dressed = TargetUri::parse(&dressed).unwrap();
            prop_assert_eq!(plain, dressed);
        }

        #[test]
        fn parsing_never_panics(url in "https://.{0,40}|.{0,40}") {
            if let Ok(target) = TargetUri::parse(&url) {
                let again = TargetUri::parse(target.as_str());
                prop_assert_eq!(again.as_ref(), Ok(&target));
            }
        }
    }
}
