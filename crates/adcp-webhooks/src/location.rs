//! What may be told of where a receiver points: an address may hold secrets, of ours and of theirs.

/// The longest host and port that are shown.
const LONGEST: usize = 260;

/// Scheme, host and port of an address that a receiver wrote, without user, path, query and fragment.
///
/// Spec: RFC 9110 section 10.2.2.
pub(crate) fn place_of(location: &str) -> String {
    const NONE: &str = "what is no address of the web";
    let location = location.trim();
    let (scheme, rest) = match location.split_once("//") {
        Some(("", rest)) => ("", rest),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https:") => ("https://", rest),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http:") => ("http://", rest),
        _ if has_scheme(location) => return NONE.to_owned(),
        _ => return "another path of its own".to_owned(),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    match is_place(authority, place) {
        true => format!("{scheme}{place}"),
        false => NONE.to_owned(),
    }
}

/// Whether a text is no relative reference: a colon comes before anything that a scheme has not.
fn has_scheme(text: &str) -> bool {
    text.split(['/', '?', '#']).next().is_some_and(|first| first.contains(':'))
}

/// Whether this is a host, with a port or without, as far as it can be shown.
fn is_place(authority: &str, place: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    // Where readers differ on what belongs to the user, nothing is shown.
    if authority.contains('\\') || place.len() > LONGEST {
        return false;
    }
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            ("v6", port.strip_prefix(':').or_else(|| port.is_empty().then_some("")))
        }
        None => place.split_once(':').map_or((place, Some("")), |(host, port)| (host, Some(port))),
    };
    let is_port = |port: &str| port.is_empty() || port.parse::<u16>().is_ok();
    !host.is_empty() && host.bytes().all(fits) && port.is_some_and(is_port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_that_a_receiver_writes_is_shown_whole_or_at_length(text in ".*") {
            prop_assert!(place_of(&text).len() <= LONGEST + 8);
        }

        #[test]
        fn no_user_path_query_or_fragment_is_shown(
            user in "SECRET[A-Za-z0-9:@%. -]{0,8}", place in "[a-z]{1,8}(:[1-9][0-9]{0,3})?", rest in "[/?#]SECRET[ -~]{0,8}",
        ) {
            let shown = place_of(&format!("https://{user}@{place}{rest}"));
            prop_assert!(!shown.contains("SECRET"), "{}", shown);
            let shown = place_of(&format!("https://{place}{rest}"));
            prop_assert_eq!(shown, format!("https://{place}"));
        }
    }
}
