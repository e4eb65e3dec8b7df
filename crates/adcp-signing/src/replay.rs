//! Nonces that were seen, so that nobody sends a signed message twice.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::rejection::Unavailable;
use crate::time::UnixTime;

/// Entries of one key that a seller should hold at least.
pub const DEFAULT_REQUEST_NONCES: usize = 1_000_000;

/// Entries of one key that a receiver of webhooks should hold at least.
pub const DEFAULT_WEBHOOK_NONCES: usize = 100_000;

/// Entries over all keys, by default.
pub const DEFAULT_TOTAL_NONCES: usize = 10_000_000;

/// A nonce that passed every check before, to be remembered.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Nonce<'a> {
    /// Separates receivers that share a store and do not share their nonces; usually empty.
    pub scope: &'a str,
    /// Whose it is.
    pub keyid: &'a str,
    /// The nonce, as it was sent.
    pub nonce: &'a str,
    /// How long it must be remembered, by the store's own clock if it has one.
    pub ttl: Duration,
    /// The present, for stores without a clock.
    pub now: UnixTime,
}

impl<'a> Nonce<'a> {
    /// A nonce of `keyid` that is seen `now` and remembered for `ttl`.
    #[must_use]
    pub const fn new(scope: &'a str, keyid: &'a str, nonce: &'a str, ttl: Duration, now: UnixTime) -> Self {
        Self { scope, keyid, nonce, ttl, now }
    }
}

/// What became of a nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "an insert finds it absent, present or finds no room")]
pub enum Remembered {
    /// It is new, and kept from now on.
    New,
    /// It was there.
    Seen,
    /// There is no room for another one of this key.
    Full,
}

/// Remembers nonces. Every process that verifies for one receiver must share one.
///
/// Implementers: [`remember`](Self::remember) is one atomic insert-if-absent, so that of two equal messages at the same time
/// one is refused. A full store refuses; evicting what is still valid would open the door it closes.
///
/// Spec: steps 9a, 12 and 13 of the verifier checklist.
#[async_trait]
pub trait ReplayStore: fmt::Debug + Send + Sync {
    /// Whether a key has filled its share. Asked before the signature is checked, to spare the work.
    async fn is_full(&self, scope: &str, keyid: &str, now: UnixTime) -> Result<bool, Unavailable>;

    /// Inserts a nonce unless it is there.
    async fn remember(&self, nonce: Nonce<'_>) -> Result<Remembered, Unavailable>;
}

/// A replay store in memory, for one process. It forgets everything at a restart; within the five minutes that a
/// signature lives, that lets each message in once more.
pub struct MemoryReplayStore {
    per_key: usize,
    total: usize,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    keys: HashMap<Owner, HashSet<String>>,
    /// What expires when, soonest first.
    expiry: BTreeSet<(UnixTime, Owner, String)>,
}

/// Scope and key.
type Owner = (String, String);

impl MemoryReplayStore {
    /// A store that holds `per_key` nonces of each key, and [`DEFAULT_TOTAL_NONCES`] in all.
    #[must_use]
    pub fn new(per_key: usize) -> Self {
        Self { per_key, total: DEFAULT_TOTAL_NONCES, seen: Mutex::new(Seen::default()) }
    }

    /// Sets how many it holds over all keys.
    #[must_use]
    pub const fn with_total(mut self, total: usize) -> Self {
        self.total = total;
        self
    }

    /// How many nonces it holds now, expired ones included until they are in the way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.with(|seen| seen.expiry.len())
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn with<T>(&self, work: impl FnOnce(&mut Seen) -> T) -> T {
        // Every step leaves both collections in agreement, so that a panic elsewhere does not taint them.
        work(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn has_no_room(&self, seen: &Seen, owner: &Owner) -> bool {
        seen.expiry.len() >= self.total || seen.keys.get(owner).map_or(0, HashSet::len) >= self.per_key
    }
}

impl Seen {
    /// Drops what has expired.
    fn sweep(&mut self, now: UnixTime) {
        while self.expiry.first().is_some_and(|(expires, ..)| *expires <= now) {
            let Some((_, owner, nonce)) = self.expiry.pop_first() else { break };
            if let Some(nonces) = self.keys.get_mut(&owner) {
                nonces.remove(&nonce);
                if nonces.is_empty() {
                    self.keys.remove(&owner);
                }
            }
        }
    }
}

impl fmt::Debug for MemoryReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplayStore")
            .field("per_key", &self.per_key)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ReplayStore for MemoryReplayStore {
    async fn is_full(&self, scope: &str, keyid: &str, now: UnixTime) -> Result<bool, Unavailable> {
        let owner = (scope.to_owned(), keyid.to_owned());
        Ok(self.with(|seen| {
            seen.sweep(now);
            self.has_no_room(seen, &owner)
        }))
    }

    async fn remember(&self, nonce: Nonce<'_>) -> Result<Remembered, Unavailable> {
        let owner = (nonce.scope.to_owned(), nonce.keyid.to_owned());
        Ok(self.with(|seen| {
            seen.sweep(nonce.now);
            if seen.keys.get(&owner).is_some_and(|nonces| nonces.contains(nonce.nonce)) {
                return Remembered::Seen;
            }
            if self.has_no_room(seen, &owner) {
                return Remembered::Full;
            }
            seen.expiry.insert((nonce.now.after(nonce.ttl), owner.clone(), nonce.nonce.to_owned()));
            seen.keys.entry(owner).or_default().insert(nonce.nonce.to_owned());
            Remembered::New
        }))
    }
}
