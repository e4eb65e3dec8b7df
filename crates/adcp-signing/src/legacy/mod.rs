//! Older ways to authenticate a webhook, and one that many receivers know from elsewhere.

mod bearer;
mod hmac;
mod standard;

pub use bearer::BearerToken;
pub use hmac::{HmacKey, HmacRejection};
pub use standard::{BadStandardSecret, StandardKey, StandardRejection};

use crate::message::Message;
use crate::secret::{Secret, same};

/// How far the time of a message may lie from the present.
const TOLERANCE: i64 = 300;

/// The keyed hash of several parts.
fn hmac_sha256(key: &Secret, parts: &[&[u8]]) -> [u8; 32] {
    use ::hmac::{Hmac, KeyInit, Mac};

    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.expose()).expect("HMAC takes keys of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// Whether one of the keys made this hash. Every key is tried, whatever the first one said.
fn made_by_one(keys: &[&Secret], parts: &[&[u8]], hash: &[u8]) -> bool {
    keys.iter().fold(false, |found, key| found | same(&hmac_sha256(key, parts), hash))
}

/// The value of a field that occurs once.
fn only<'a>(message: &Message<'a>, name: &str) -> Option<&'a [u8]> {
    let mut values = message.header(name);
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

/// Whether a time lies within the tolerance.
fn is_recent(secs: i64, now: crate::time::UnixTime) -> bool {
    secs.abs_diff(now.as_secs()) <= TOLERANCE.unsigned_abs()
}

/// Seconds since 1970, digits only.
fn read_timestamp(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let is_plain = !text.is_empty() && text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}
