//! Keys that must no longer be believed.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::time::UnixTime;

/// What is known about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a key is listed, not listed, or nobody knows")]
pub enum Standing {
    /// Not revoked.
    Good,
    /// Revoked.
    Revoked,
    /// The list is too old to say.
    Stale,
}

/// Knows which keys are revoked.
///
/// The answer is immediate: whoever polls a list does so beforehand, and swaps what this reads.
pub trait Revocations: fmt::Debug + Send + Sync {
    /// The standing of a key now.
    fn standing(&self, keyid: &str, now: UnixTime) -> Standing;
}

/// Nothing is ever revoked: for counterparties who publish no list.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct NoRevocations;

impl NoRevocations {
    /// Nothing is ever revoked.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Revocations for NoRevocations {
    fn standing(&self, _: &str, _: UnixTime) -> Standing {
        Standing::Good
    }
}

/// One issue of a revocation list, already fetched and verified.
///
/// It may be believed until four intervals after the next issue was due, an interval being the time from this issue to the
/// next; after that every key reads as [`Standing::Stale`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    revoked: BTreeSet<String>,
    updated: UnixTime,
    next_update: UnixTime,
}

impl RevocationList {
    /// The revoked `kid`s, when this issue was made, and when the next one is due.
    #[must_use]
    pub fn new(
        revoked: impl IntoIterator<Item = impl Into<String>>,
        updated: UnixTime,
        next_update: UnixTime,
    ) -> Self {
        Self { revoked: revoked.into_iter().map(Into::into).collect(), updated, next_update }
    }

    /// Until when it may be believed.
    #[must_use]
    pub fn stale_after(&self) -> UnixTime {
        let interval = self.updated.until(self.next_update);
        self.next_update.after(interval.checked_mul(4).unwrap_or(Duration::MAX))
    }
}

impl Revocations for RevocationList {
    fn standing(&self, keyid: &str, now: UnixTime) -> Standing {
        if self.revoked.contains(keyid) {
            // Revocation is for ever: an old list says it as well as a new one.
            Standing::Revoked
        } else if now > self.stale_after() {
            Standing::Stale
        } else {
            Standing::Good
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_believed_for_four_more_intervals() {
        let at = UnixTime::from_secs;
        let list = RevocationList::new(["old"], at(1_000), at(1_900));
        assert_eq!(list.stale_after(), at(5_500));
        for (keyid, now, want) in [
            ("old", 1_000, Standing::Revoked),
            ("old", 9_000, Standing::Revoked),
            ("new", 1_000, Standing::Good),
            ("new", 5_500, Standing::Good),
            ("new", 5_501, Standing::Stale),
        ] {
            assert_eq!(list.standing(keyid, at(now)), want, "{keyid} {now}");
        }
        let odd = RevocationList::new([""; 0], at(1_000), at(10));
        assert_eq!(odd.standing("new", at(11)), Standing::Stale);
        assert_eq!(NoRevocations::new().standing("any", at(i64::MAX)), Standing::Good);
    }
}
