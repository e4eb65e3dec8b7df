//! The headers of Standard Webhooks, for receivers that know them.
//!
//! Not part of AdCP: an address has it only where both sides agreed so by other means.

use crate::alphabet;
use crate::legacy::{hmac_sha256, is_recent, made_by_one, only, read_timestamp};
use crate::message::Message;
use crate::secret::Secret;
use crate::sign::SignedHeaders;
use crate::time::UnixTime;

/// A text that is not such a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret is not `whsec_` and base64 of 24 to 64 bytes")]
pub struct BadStandardSecret;

/// Why such a webhook is not authentic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StandardRejection {
    /// One of the three fields is missing, or occurs twice.
    #[error("the id, the time or the signature is missing or occurs twice")]
    Missing,
    /// The time is not a number of seconds, or more than 300 s away.
    #[error("the time of the signature is not a number, or more than 300 s away")]
    Window,
    /// None of the signatures is that of the body.
    #[error("no signature is that of the body")]
    Invalid,
}

/// A shared secret, written `whsec_…`.
///
/// The id names the event, not the attempt: give every attempt the same one, since receivers tell duplicates by it.
///
/// Spec: the Standard Webhooks specification, version 1.
#[derive(Debug, Clone)]
pub struct StandardKey {
    current: Secret,
    previous: Option<Secret>,
}

impl StandardKey {
    /// Reads a secret.
    ///
    /// # Errors
    ///
    /// [`BadStandardSecret`].
    pub fn new(secret: &Secret) -> Result<Self, BadStandardSecret> {
        Ok(Self { current: read(secret)?, previous: None })
    }

    /// Signs with the previous secret as well, and accepts what it signed, until both sides have moved on.
    ///
    /// # Errors
    ///
    /// [`BadStandardSecret`].
    pub fn with_previous(mut self, secret: &Secret) -> Result<Self, BadStandardSecret> {
        self.previous = Some(read(secret)?);
        Ok(self)
    }

    /// Signs a body under the id of its event: the fields to add.
    #[must_use]
    pub fn sign(&self, id: &str, body: &[u8], now: UnixTime) -> SignedHeaders {
        let time = now.to_string();
        let parts = [id.as_bytes(), b".", time.as_bytes(), b".", body];
        let signatures: Vec<_> =
            self.keys().map(|key| format!("v1,{}", alphabet::standard(&hmac_sha256(key, &parts)))).collect();
        SignedHeaders::new(vec![
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", time),
            ("webhook-signature", signatures.join(" ")),
        ])
    }

    /// Verifies a webhook; one signature of several is enough.
    ///
    /// # Errors
    ///
    /// [`StandardRejection`], of the first check that failed.
    pub fn verify(&self, message: &Message<'_>, now: UnixTime) -> Result<(), StandardRejection> {
        let (Some(id), Some(time), Some(signatures)) = (
            only(message, "webhook-id"),
            only(message, "webhook-timestamp"),
            only(message, "webhook-signature"),
        ) else {
            return Err(StandardRejection::Missing);
        };
        if !read_timestamp(time).is_some_and(|secs| is_recent(secs, now)) {
            return Err(StandardRejection::Window);
        }
        let keys: Vec<_> = self.keys().collect();
        let parts = [id, b".", time, b".", message.body()];
        let signatures = std::str::from_utf8(signatures).map_err(|_| StandardRejection::Invalid)?;
        let mut hashes = signatures.split(' ').filter_map(|it| alphabet::decode(it.strip_prefix("v1,")?));
        if hashes.any(|hash| made_by_one(&keys, &parts, &hash)) {
            Ok(())
        } else {
            Err(StandardRejection::Invalid)
        }
    }

    fn keys(&self) -> impl Iterator<Item = &Secret> {
        [Some(&self.current), self.previous.as_ref()].into_iter().flatten()
    }
}

fn read(secret: &Secret) -> Result<Secret, BadStandardSecret> {
    let text = secret.expose_str().and_then(|text| text.strip_prefix("whsec_")).ok_or(BadStandardSecret)?;
    let bytes = alphabet::decode(text).map(Secret::new).ok_or(BadStandardSecret)?;
    if (24..=64).contains(&bytes.expose().len()) { Ok(bytes) } else { Err(BadStandardSecret) }
}
