//! `Content-Digest`: which body a message was sent with.

use sha2::{Digest, Sha256};

use crate::alphabet::Alphabet;
use crate::field::{self, Malformed};
use crate::secret::same;

/// The one algorithm of the profiles.
const SHA_256: &str = "sha-256";

/// The value of `Content-Digest` for a body.
///
/// Spec: RFC 9530 section 2.
#[must_use]
pub fn content_digest(body: &[u8], alphabet: Alphabet) -> String {
    format!("{SHA_256}=:{}:", alphabet.encode(&sha256(body)))
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The SHA-256 that a field states, if it states one. Other algorithms may stand beside it.
pub(crate) fn stated(value: &str) -> Result<Option<Vec<u8>>, Malformed> {
    let members = field::byte_sequences(value)?;
    Ok(members.into_iter().find(|(name, _)| name == SHA_256).map(|(_, bytes)| bytes))
}

/// Whether the stated digest is that of the body.
pub(crate) fn fits(stated: &[u8], body: &[u8]) -> bool {
    same(stated, &sha256(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_rfc_9530() {
        // Appendix B.1 of the RFC; the same bytes in the other alphabet.
        let body = b"{\"hello\": \"world\"}\n";
        let standard = content_digest(body, Alphabet::Standard);
        assert_eq!(standard, "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
        assert_eq!(
            content_digest(body, Alphabet::UrlSafe),
            "sha-256=:RK_0qy18MlBSVnWgjwz6lZEWjP_lF5HF9bvEF8FabDg:"
        );
        for text in [standard.clone(), format!("sha-512=:AQ==:, {standard}")] {
            assert!(fits(&stated(&text).unwrap().unwrap(), body));
            assert!(!fits(&stated(&text).unwrap().unwrap(), b"other"));
        }
        assert_eq!(stated("sha-512=:AQ==:"), Ok(None));
        assert!(stated(&format!("{standard}, {standard}")).is_err());
        assert!(!fits(b"", b""));
    }
}
