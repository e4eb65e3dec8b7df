//! The keyed hash of AdCP 2, which registrations may still ask for.

use std::fmt::Write as _;

use crate::json;
use crate::legacy::{hmac_sha256, is_recent, made_by_one, only, read_timestamp};
use crate::message::Message;
use crate::secret::Secret;
use crate::sign::{SignError, SignedHeaders, check_body};
use crate::time::UnixTime;

const SIGNATURE: &str = "x-adcp-signature";
const TIMESTAMP: &str = "x-adcp-timestamp";

/// The shared secret of one address.
///
/// ```
/// use adcp_signing::{HmacKey, Message, Secret, UnixTime};
///
/// let key = HmacKey::new(Secret::new("thirty-two characters, or more...")).expect("long enough");
/// let (body, now) = (br#"{"status":"completed"}"#, UnixTime::from_secs(1_800_000_000));
/// let fields = key.sign(body, now)?;
///
/// let received = Message::new("POST", "https://buyer.example/hook", body)
///     .with_headers(fields.iter().map(|(name, value)| (name, value.as_bytes())));
/// assert_eq!(key.verify(&received, now), Ok(()));
/// # Ok::<(), adcp_signing::SignError>(())
/// ```
///
/// Spec: `core/push-notification-config.json`, `authentication`.
#[derive(Debug, Clone)]
pub struct HmacKey {
    current: Secret,
    previous: Option<(Secret, UnixTime)>,
}

/// Why a webhook is not authentic. The sender is told 401 and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HmacRejection {
    /// One of the two fields is missing, or occurs twice.
    #[error("the signature or its time is missing or occurs twice")]
    Missing,
    /// The time is not a number of seconds.
    #[error("the time of the signature is not a number")]
    Timestamp,
    /// The time is more than 300 s away.
    #[error("the time of the signature is more than 300 s away")]
    Window,
    /// The hash is not that of this body at this time under this key.
    #[error("the signature is not that of the body")]
    Invalid,
    /// Authentic, and yet the body names a key twice or is not JSON.
    #[error("the body is not JSON, or an object in it names a key twice")]
    Body,
}

impl HmacKey {
    /// The fewest bytes of a secret.
    pub const MIN_LEN: usize = 32;

    /// A key. `None` if the secret is shorter than 32 bytes.
    #[must_use]
    pub fn new(secret: Secret) -> Option<Self> {
        (secret.expose().len() >= Self::MIN_LEN).then_some(Self { current: secret, previous: None })
    }

    /// Accepts what the previous secret signed, until `until`: rotations overlap for five minutes at most.
    #[must_use]
    pub fn with_previous(mut self, secret: Secret, until: UnixTime) -> Self {
        self.previous = Some((secret, until));
        self
    }

    /// Signs a body: the fields to add. The body is sent as it is.
    ///
    /// # Errors
    ///
    /// [`SignError::DuplicateKey`] and [`SignError::NotJson`].
    pub fn sign(&self, body: &[u8], now: UnixTime) -> Result<SignedHeaders, SignError> {
        check_body(body)?;
        let time = now.to_string();
        let hash = hmac_sha256(&self.current, &[time.as_bytes(), b".", body]);
        let mut signature = String::from("sha256=");
        for byte in hash {
            let _ = write!(signature, "{byte:02x}");
        }
        Ok(SignedHeaders::new(vec![(TIMESTAMP, time), (SIGNATURE, signature)]))
    }

    /// Verifies a webhook.
    ///
    /// # Errors
    ///
    /// [`HmacRejection`], of the first check that failed.
    pub fn verify(&self, message: &Message<'_>, now: UnixTime) -> Result<(), HmacRejection> {
        let (Some(signature), Some(time)) = (only(message, SIGNATURE), only(message, TIMESTAMP)) else {
            return Err(HmacRejection::Missing);
        };
        let secs = read_timestamp(time).ok_or(HmacRejection::Timestamp)?;
        if !is_recent(secs, now) {
            return Err(HmacRejection::Window);
        }
        let hash = signature.strip_prefix(b"sha256=").and_then(unhex).ok_or(HmacRejection::Invalid)?;
        let previous = self.previous.as_ref().filter(|(_, until)| now <= *until).map(|(secret, _)| secret);
        let keys: Vec<_> = [Some(&self.current), previous].into_iter().flatten().collect();
        if !made_by_one(&keys, &[time, b".", message.body()], &hash) {
            return Err(HmacRejection::Invalid);
        }
        json::check(message.body()).map_err(|_| HmacRejection::Body)
    }
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if text.len() % 2 != 0 {
        return None;
    }
    text.chunks(2).map(|pair| Some(digit(pair[0])? * 16 + digit(pair[1])?)).collect()
}
