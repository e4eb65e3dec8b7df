//! Whatever text is registered as a url: it is refused, or it is one that every reader reads alike.

#![no_main]

use std::sync::LazyLock;

use adcp_egress::{Egress, special_purpose_blocks};
use libfuzzer_sys::fuzz_target;

static EGRESS: LazyLock<Egress> =
    LazyLock::new(|| Egress::builder().build().expect("the machine has certificates"));

fuzz_target!(|text: &str| {
    let Ok(url) = EGRESS.admits(text) else { return };
    assert_eq!(EGRESS.admits(url.as_str()).as_ref(), Ok(&url), "the canonical form is its own");
    assert_eq!(format!("https://{}{}", url.authority(), url.target()), url.as_str());
    let other: http::Uri = url.as_str().parse().expect("another reader reads it too");
    assert_eq!(other.authority().map(|authority| authority.as_str()), Some(url.authority()));
    assert_eq!(other.path_and_query().map(|target| target.as_str()), Some(url.target()));
    let host = other.host().expect("it has a host").trim_matches(['[', ']']);
    if let Ok(address) = host.parse() {
        let mut special =
            special_purpose_blocks().iter().filter(|block| block.network.contains(address)).peekable();
        // Behind the well-known prefix of translators counts the address that it holds.
        assert!(special.peek().is_none() || special.any(|block| block.source == "RFC 6052"));
    }
});
