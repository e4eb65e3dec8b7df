//! Which events were received before.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adcp_core::{BoxError, Clock, SystemClock, Timestamp};
use async_trait::async_trait;

/// Asks whether an event is new.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Arrival {
    /// Who sent it, as its receiver calls them.
    pub sender: String,
    /// The event's key.
    pub key: String,
    /// SHA-256 of what it says, so that another event under the same key is told apart.
    pub hash: [u8; 32],
    /// How long whoever works on it has, before somebody else may.
    pub lease: Duration,
}

impl Arrival {
    /// An event that arrived.
    #[must_use]
    pub fn new(sender: impl Into<String>, key: impl Into<String>, hash: [u8; 32], lease: Duration) -> Self {
        Self { sender: sender.into(), key: key.into(), hash, lease }
    }
}

/// What is known of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "each is answered in its own way")]
pub enum Seen {
    /// Nothing, or whoever worked on it fell silent: it is the caller's now.
    New(Claimed),
    /// Somebody works on it.
    InProgress,
    /// It was received before, and somebody has finished with it.
    Finished,
    /// Its sender used the key for something else.
    Conflict,
}

/// The right to work on one event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claimed {
    /// Who sent it.
    pub sender: String,
    /// The event's key.
    pub key: String,
    /// What it says, as SHA-256.
    pub hash: [u8; 32],
    /// Tells this claim from others on the event.
    pub proof: u64,
}

impl Claimed {
    /// A claim; stores make these.
    #[must_use]
    pub fn new(arrival: &Arrival, proof: u64) -> Self {
        Self { sender: arrival.sender.clone(), key: arrival.key.clone(), hash: arrival.hash, proof }
    }
}

/// Remembers which events were received, for all processes that receive for one buyer.
///
/// Implementers: of any number of simultaneous claims on one event one is new. A claim is a lease: when it is over, the event is
/// the next one's, and what the former holder says is not heard. What was finished is remembered for at least 24 hours, and for
/// the sender's retry horizon if that is longer. A store that is full refuses; forgetting what is remembered would
/// let an event in twice.
///
/// Spec: at-least-once delivery of webhooks, by `idempotency_key`.
#[async_trait]
pub trait Dedup: fmt::Debug + Send + Sync + 'static {
    /// Claims an event, unless it is somebody's or finished.
    async fn claim(&self, arrival: Arrival) -> Result<Seen, BoxError>;

    /// Remembers an event as finished; `false` when the claim was another's by then.
    async fn complete(&self, claimed: &Claimed) -> Result<bool, BoxError>;

    /// Gives an event up, so that its next delivery is new; `false` when the claim was another's by then.
    async fn release(&self, claimed: &Claimed) -> Result<bool, BoxError>;
}

/// Shared among receivers.
#[async_trait]
impl<T: Dedup + ?Sized> Dedup for Arc<T> {
    async fn claim(&self, arrival: Arrival) -> Result<Seen, BoxError> {
        T::claim(self, arrival).await
    }

    async fn complete(&self, claimed: &Claimed) -> Result<bool, BoxError> {
        T::complete(self, claimed).await
    }

    async fn release(&self, claimed: &Claimed) -> Result<bool, BoxError> {
        T::release(self, claimed).await
    }
}

/// Remembers in the memory of this process, and forgets everything when it ends: an event that is sent again after a
/// restart is new.
pub struct MemoryDedup {
    clock: Arc<dyn Clock>,
    most: usize,
    keep: Duration,
    rows: Mutex<Rows>,
}

type Name = (String, String);

#[derive(Default)]
struct Rows {
    by_name: HashMap<Name, Row>,
    /// What may be forgotten when.
    forget: BTreeSet<(Timestamp, Name)>,
    proofs: u64,
}

struct Row {
    hash: [u8; 32],
    /// The claim, until it is finished.
    proof: Option<u64>,
    /// When the claim ends, or the event may be forgotten.
    until: Timestamp,
}

impl MemoryDedup {
    /// Remembers up to 100,000 events for 24 hours.
    #[must_use]
    pub fn new() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            most: 100_000,
            keep: Duration::from_secs(24 * 60 * 60),
            rows: Mutex::default(),
        }
    }

    /// Sets how many events are remembered at most. More are refused until some may be forgotten.
    #[must_use]
    pub const fn with_most(mut self, events: usize) -> Self {
        self.most = events;
        self
    }

    /// Sets how long events are remembered: not shorter than senders try.
    #[must_use]
    pub const fn with_memory_of(mut self, keep: Duration) -> Self {
        self.keep = keep;
        self
    }

    /// Takes the time from `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    fn with<T>(&self, work: impl FnOnce(&mut Rows, Timestamp) -> T) -> T {
        // Every step leaves both collections in agreement, so that a panic elsewhere does not taint them.
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut rows, self.clock.now())
    }
}

impl Rows {
    fn put(&mut self, name: Name, row: Row) {
        let until = row.until;
        if let Some(old) = self.by_name.insert(name.clone(), row) {
            self.forget.remove(&(old.until, name.clone()));
        }
        self.forget.insert((until, name));
    }

    fn remove(&mut self, name: &Name) {
        if let Some(old) = self.by_name.remove(name) {
            self.forget.remove(&(old.until, name.clone()));
        }
    }

    /// Whether a claim is still its holder's.
    fn holds(&self, name: &Name, proof: u64, now: Timestamp) -> bool {
        self.by_name.get(name).is_some_and(|row| row.proof == Some(proof) && row.until > now)
    }
}

impl Default for MemoryDedup {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryDedup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryDedup")
            .field("most", &self.most)
            .field("keep", &self.keep)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Dedup for MemoryDedup {
    async fn claim(&self, arrival: Arrival) -> Result<Seen, BoxError> {
        self.with(|rows, now| {
            while rows.forget.first().is_some_and(|(until, _)| *until <= now) {
                let Some((_, name)) = rows.forget.pop_first() else { break };
                rows.by_name.remove(&name);
            }
            let name = (arrival.sender.clone(), arrival.key.clone());
            match rows.by_name.get(&name) {
                Some(row) if row.hash != arrival.hash => return Ok(Seen::Conflict),
                Some(Row { proof: Some(_), .. }) => return Ok(Seen::InProgress),
                Some(_) => return Ok(Seen::Finished),
                None if rows.by_name.len() >= self.most => {
                    return Err("as many events are remembered as may be".into());
                }
                None => {}
            }
            rows.proofs += 1;
            let proof = rows.proofs;
            let until = now.after(arrival.lease);
            rows.put(name, Row { hash: arrival.hash, proof: Some(proof), until });
            Ok(Seen::New(Claimed::new(&arrival, proof)))
        })
    }

    async fn complete(&self, claimed: &Claimed) -> Result<bool, BoxError> {
        let name = (claimed.sender.clone(), claimed.key.clone());
        Ok(self.with(|rows, now| {
            let holds = rows.holds(&name, claimed.proof, now);
            if holds {
                rows.put(name, Row { hash: claimed.hash, proof: None, until: now.after(self.keep) });
            }
            holds
        }))
    }

    async fn release(&self, claimed: &Claimed) -> Result<bool, BoxError> {
        let name = (claimed.sender.clone(), claimed.key.clone());
        Ok(self.with(|rows, now| {
            let holds = rows.holds(&name, claimed.proof, now);
            if holds {
                rows.remove(&name);
            }
            holds
        }))
    }
}
