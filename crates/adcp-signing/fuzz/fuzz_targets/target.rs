//! Whatever text is signed as an address: it is refused, or its canonical form names what the text names, as somebody
//! else reads both. Two addresses with one canonical form therefore name the same.

#![no_main]

use adcp_signing::TargetUri;
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;
use url::{Position, Url};

fuzz_target!(|text: &str| {
    let Ok(target) = TargetUri::parse(text) else { return };
    assert_eq!(TargetUri::parse(target.as_str()).as_ref(), Ok(&target), "the canonical form is its own");
    assert!(target.as_str().is_ascii() && !target.as_str().contains('#'));
    assert!(target.as_str().starts_with(&format!("{}://{}/", target.scheme(), target.authority())));
    assert_eq!(query(text), query(target.as_str()), "a query is sent as it is");
    // What the other reader refuses is not for it to say; and it keeps `c:/..`, as only the scheme `file` has it.
    let Ok(theirs) = Url::parse(text) else { return };
    if text.split('/').any(is_drive) {
        return;
    }
    let again = Url::parse(target.as_str()).expect("what it reads, it reads in canonical form too");
    assert_eq!(place(&theirs), place(&again));
    assert_eq!(segments(&theirs), segments(&again));
});

/// What stands behind the first question mark, if one stands before the fragment.
fn query(text: &str) -> Option<&str> {
    text.split('#').next().and_then(|text| text.split_once('?')).map(|(_, query)| query)
}

fn is_drive(segment: &str) -> bool {
    let segment: Vec<u8> = percent_decode_str(segment).collect();
    matches!(segment[..], [letter, b':' | b'|', ..] if letter.is_ascii_alphabetic())
}

fn place(url: &Url) -> (&str, Option<&str>, Option<u16>) {
    (&url[..Position::AfterScheme], url.host_str(), url.port_or_known_default())
}

/// The path as its parts: an escaped slash is within one.
fn segments(url: &Url) -> Vec<Vec<u8>> {
    url.path().split('/').map(|segment| percent_decode_str(segment).collect()).collect()
}
