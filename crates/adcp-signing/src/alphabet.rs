//! Base64 in the two alphabets that peers use, never mixed within one token.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// How the bytes of `Signature` and `Content-Digest` are written.
///
/// AdCP 3.1 asks for base64url without padding, RFC 8941 for padded base64. Verifiers here read both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Alphabet {
    /// Base64url without padding, as AdCP 3.1 asks.
    #[default]
    UrlSafe,
    /// Padded standard base64, for a peer whose parser knows RFC 8941 only.
    Standard,
}

impl Alphabet {
    pub(crate) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::UrlSafe => url_safe(bytes),
            Self::Standard => STANDARD.encode(bytes),
        }
    }
}

pub(crate) fn url_safe(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn standard(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes base64url without padding and nothing else.
pub(crate) fn from_url_safe(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Decodes a token of either alphabet. Base64url has no padding; standard base64 may leave it out.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    if body.contains(['-', '_']) {
        return if padding == 0 { URL_SAFE_NO_PAD.decode(body).ok() } else { None };
    }
    if padding > 2 || (padding > 0 && text.len() % 4 != 0) {
        return None;
    }
    STANDARD_NO_PAD.decode(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_alphabets_but_never_mixed() {
        let bytes = [0xfb, 0xff, 0xfe, 0x01];
        for text in ["-__-AQ", "+//+AQ", "+//+AQ=="] {
            assert_eq!(decode(text).as_deref(), Some(&bytes[..]), "{text}");
        }
        for text in
            ["-__-AQ==", "-//+AQ", "+//+AQ=", "+//+AQ===", "A", "AQ=A", "AB", " AQ", "AQ\n", "=", "===="]
        {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(decode("").as_deref(), Some(&[][..]));
        assert_eq!(from_url_safe("+//+AQ"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes: Vec<u8>) {
            for alphabet in [Alphabet::UrlSafe, Alphabet::Standard] {
                prop_assert_eq!(decode(&alphabet.encode(&bytes)), Some(bytes.clone()));
            }
        }

        #[test]
        fn decoding_never_panics(text: String) {
            let _ = decode(&text);
        }
    }
}
