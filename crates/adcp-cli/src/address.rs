//! Addresses that are told to others: in documents, capabilities and on the screen.

use crate::exit::Failure;

/// Refuses what must not be told, or what names no place of its own. The address is never repeated: it may hold a password.
pub(crate) fn publishable(flag: &str, url: Option<&str>) -> Result<(), Failure> {
    match url.and_then(fault) {
        None => Ok(()),
        Some(why) => Err(Failure::usage(format!("{flag} {why}; write it like https://ads.example.com/mcp"))),
    }
}

fn fault(url: &str) -> Option<&'static str> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Some("is no http or https address");
    };
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Some("is no http or https address");
    }
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Some("has a user or a password in it, which everybody would read");
    }
    if url.contains('#') {
        return Some("has a fragment (`#…`), which is no part of where something is");
    }
    if url.contains('?') {
        return Some("has a query (`?…`), which others would read");
    }
    if authority.is_empty() || !url.bytes().all(|byte| byte.is_ascii_graphic()) || url.contains('\\') {
        return Some("has no host, or characters that no address has");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_told_is_refused_and_not_repeated() {
        for url in ["https://ads.example.com/mcp", "http://127.0.0.1:3000/mcp", "HTTPS://a.example/@me"] {
            assert!(publishable("--public-url", Some(url)).is_ok(), "{url}");
        }
        assert!(publishable("--public-url", None).is_ok());
        for url in [
            "https://me:5ec2e7@a.example/mcp",
            "https://5ec2e7@a.example",
            "me:5ec2e7@a.example/mcp",
            "https:me:5ec2e7@a.example",
            "ftp://me:5ec2e7@a.example",
            "https://a.example/mcp#5ec2e7",
            "https://a.example/mcp?key=5ec2e7",
            "https:///5ec2e7",
            "https://a.example/5ec2e7 x",
            "",
        ] {
            let said = publishable("--public-url", Some(url)).unwrap_err().to_string();
            assert!(said.starts_with("--public-url") && !said.contains("5ec2e7"), "{said}");
        }
    }
}
