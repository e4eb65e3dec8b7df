//! The sealer that most adopters want: AES-256-GCM under keys they give.

use std::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};

use super::{SealError, Sealer};
use crate::{hex, random_bytes, unhex};

/// Bytes of a nonce.
const NONCE: usize = 12;

/// Seals with the newest of its keys and opens with any. `Debug` prints key ids only.
///
/// To change the key, give the new one to [`KeyRing::new`] and keep the old one with [`KeyRing::with_older`] until
/// what it sealed is gone: a task's retention after the last task it sealed for.
///
/// ```
/// use adcp_core::stored::{KeyRing, SealError, Sealer};
///
/// let old = KeyRing::new("2026-10", [1; 32])?;
/// let sealed = old.seal("credential", "task_1").unwrap();
///
/// let new = KeyRing::new("2026-11", [2; 32])?.with_older("2026-10", [1; 32])?;
/// assert_eq!(new.open(&sealed, "task_1").unwrap(), "credential");
/// assert_eq!(new.open(&sealed, "task_2"), Err(SealError::Forged));
/// # Ok::<(), adcp_core::stored::BadKeyId>(())
/// ```
pub struct KeyRing {
    newest: Named,
    older: Vec<Named>,
}

struct Named {
    id: String,
    cipher: Aes256Gcm,
}

/// An id that is no name for a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no key: expected 1 to 64 letters, digits, `-` or `_`, and each id once")]
pub struct BadKeyId(String);

impl KeyRing {
    /// Seals with this key: 32 random bytes under an id that is stored beside whatever they seal.
    ///
    /// # Errors
    ///
    /// [`BadKeyId`] unless the id is 1 to 64 letters, digits, `-` or `_`.
    pub fn new(id: impl Into<String>, key: [u8; 32]) -> Result<Self, BadKeyId> {
        Ok(Self { newest: Named::new(id.into(), key)?, older: Vec::new() })
    }

    /// Also opens what this key sealed.
    ///
    /// # Errors
    ///
    /// [`BadKeyId`] as in [`Self::new`], and when the id is taken.
    pub fn with_older(mut self, id: impl Into<String>, key: [u8; 32]) -> Result<Self, BadKeyId> {
        let named = Named::new(id.into(), key)?;
        if self.named(&named.id).is_some() {
            return Err(BadKeyId(named.id));
        }
        self.older.push(named);
        Ok(self)
    }

    fn named(&self, id: &str) -> Option<&Named> {
        std::iter::once(&self.newest).chain(&self.older).find(|named| named.id == id)
    }
}

impl Named {
    fn new(id: String, key: [u8; 32]) -> Result<Self, BadKeyId> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if !(1..=64).contains(&id.len()) || !id.bytes().all(word) {
            return Err(BadKeyId(id));
        }
        Ok(Self { id, cipher: Aes256Gcm::new(&Key::<Aes256Gcm>::from(key)) })
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let older: Vec<&str> = self.older.iter().map(|named| named.id.as_str()).collect();
        f.debug_struct("KeyRing").field("newest", &self.newest.id).field("older", &older).finish()
    }
}

/// `v1.<key id>.<hexadecimal nonce and sealed bytes>`
impl Sealer for KeyRing {
    fn has_key(&self) -> bool {
        true
    }

    fn seal(&self, plain: &str, bound_to: &str) -> Result<String, SealError> {
        let nonce = random_bytes::<NONCE>().map_err(|_| SealError::NoRandomness)?;
        let payload = Payload { msg: plain.as_bytes(), aad: bound_to.as_bytes() };
        let sealed =
            self.newest.cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| SealError::TooLong)?;
        Ok(format!("v1.{}.{}{}", self.newest.id, hex(&nonce), hex(&sealed)))
    }

    fn open(&self, sealed: &str, bound_to: &str) -> Result<String, SealError> {
        let mut parts = sealed.splitn(3, '.');
        let (Some("v1"), Some(id), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(SealError::Forged);
        };
        let named = self.named(id).ok_or(SealError::UnknownKey)?;
        let bytes = unhex(text).ok_or(SealError::Forged)?;
        let (nonce, rest) = bytes.split_first_chunk::<NONCE>().ok_or(SealError::Forged)?;
        let payload = Payload { msg: rest, aad: bound_to.as_bytes() };
        let plain = named.cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| SealError::Forged)?;
        String::from_utf8(plain).map_err(|_| SealError::Forged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_moved_or_foreign_text_does_not_open() {
        let ring = KeyRing::new("a", [7; 32]).unwrap();
        let sealed = ring.seal("secret", "row").unwrap();
        assert!(!sealed.contains("secret"));
        assert_ne!(sealed, ring.seal("secret", "row").unwrap(), "a nonce is used once");
        assert_eq!(ring.open(&sealed, "row").unwrap(), "secret");
        assert_eq!(ring.open(&sealed, "other row"), Err(SealError::Forged));
        let mut changed = sealed.clone();
        changed.pop();
        changed.push(if sealed.ends_with('0') { '1' } else { '0' });
        assert_eq!(ring.open(&changed, "row"), Err(SealError::Forged));
        for text in ["", "v1", "v1.a", "v1.a.zz", "v1.a.00", "v2.a.00", "v1.a.ä"] {
            assert_eq!(ring.open(text, "row"), Err(SealError::Forged), "{text}");
        }
        let stranger = KeyRing::new("b", [7; 32]).unwrap();
        assert_eq!(stranger.open(&sealed, "row"), Err(SealError::UnknownKey));
        let same_name = KeyRing::new("a", [8; 32]).unwrap();
        assert_eq!(same_name.open(&sealed, "row"), Err(SealError::Forged));
    }

    #[test]
    fn ids_are_words_and_debug_shows_no_key() {
        for bad in ["", "a.b", "ä", &"x".repeat(65)] {
            assert!(KeyRing::new(bad, [0; 32]).is_err(), "{bad}");
        }
        let ring = KeyRing::new("a", [7; 32]).unwrap();
        assert!(ring.with_older("a", [8; 32]).is_err());
        let ring = KeyRing::new("a", [7; 32]).unwrap().with_older("b", [8; 32]).unwrap();
        assert_eq!(format!("{ring:?}"), "KeyRing { newest: \"a\", older: [\"b\"] }");
    }
}
