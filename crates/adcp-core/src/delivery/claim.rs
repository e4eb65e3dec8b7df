//! What workers ask of the outbox, and what they tell it. A claim is a lease: who dies with one has claimed nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{
    AttemptReport, BreakerPolicy, DeadReason, DeliveryCursor, DeliveryState, Endpoint, Event, EventKey,
    LeaseToken, TenantId, Timestamp,
};

/// Claims events that are due, for one worker.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClaimDeliveries {
    /// Of these tenants only; none means all.
    pub tenants: Vec<TenantId>,
    /// At most so many. Default 100.
    pub limit: usize,
    /// How long each stays claimed unless it is renewed. Default 60 seconds.
    pub lease: Duration,
    /// How many may be in flight to one endpoint of one tenant, claimed by anybody. Default 10.
    pub per_endpoint: u32,
    /// At most so many of one tenant in this claim. Default no bound.
    pub per_tenant: usize,
    /// Tenants of whom it is another number. One of whom it is none is passed by and keeps its turn.
    pub rooms: BTreeMap<TenantId, usize>,
    /// Whose turn it is, from the claim before.
    pub after: DeliveryCursor,
}

impl ClaimDeliveries {
    /// The defaults, beginning anywhere.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tenants: Vec::new(),
            limit: 100,
            lease: Duration::from_secs(60),
            per_endpoint: 10,
            per_tenant: usize::MAX,
            rooms: BTreeMap::new(),
            after: DeliveryCursor::default(),
        }
    }

    /// Claims events of these tenants only.
    #[must_use]
    pub fn of_tenants(mut self, tenants: impl IntoIterator<Item = TenantId>) -> Self {
        self.tenants = tenants.into_iter().collect();
        self
    }

    /// Sets how many are claimed at most.
    #[must_use]
    pub const fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Sets how long a claim lasts.
    #[must_use]
    pub const fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Sets how many may be in flight to one endpoint.
    #[must_use]
    pub const fn with_per_endpoint(mut self, most: u32) -> Self {
        self.per_endpoint = most;
        self
    }

    /// Sets how many of one tenant are claimed at most, and of whom it is another number.
    #[must_use]
    pub fn with_per_tenant(mut self, most: usize, but: impl IntoIterator<Item = (TenantId, usize)>) -> Self {
        self.per_tenant = most;
        self.rooms = but.into_iter().collect();
        self
    }

    /// How many of a tenant may be claimed.
    #[must_use]
    pub fn room_of(&self, tenant: &TenantId) -> usize {
        self.rooms.get(tenant).copied().unwrap_or(self.per_tenant)
    }

    /// Goes on where the claim before ended.
    #[must_use]
    pub fn after(mut self, cursor: DeliveryCursor) -> Self {
        self.after = cursor;
        self
    }
}

impl Default for ClaimDeliveries {
    fn default() -> Self {
        Self::new()
    }
}

/// An event that is its claimer's to send, until the lease ends.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ClaimedDelivery {
    /// What to send.
    pub event: Event,
    /// Where its lane leads.
    pub endpoint: Endpoint,
    /// Proves the claim.
    pub token: LeaseToken,
    /// Which attempt this is since it was queued or redelivered, from 1. Claims count, whatever came of them.
    pub attempt: u32,
    /// Which attempt this is of all.
    pub number: u32,
    /// How long ago it was queued or redelivered.
    pub waited: Duration,
    /// Whether it is sent to see if its endpoint is back.
    pub probe: bool,
}

impl ClaimedDelivery {
    /// A claim on an event.
    #[must_use]
    pub const fn new(event: Event, endpoint: Endpoint, token: LeaseToken) -> Self {
        Self { event, endpoint, token, attempt: 1, number: 1, waited: Duration::ZERO, probe: false }
    }

    /// Sets which attempt this is, in its schedule and of all.
    #[must_use]
    pub const fn counted(mut self, attempt: u32, number: u32) -> Self {
        self.attempt = attempt;
        self.number = number;
        self
    }

    /// Sets how long ago it was queued or redelivered.
    #[must_use]
    pub const fn having_waited(mut self, waited: Duration) -> Self {
        self.waited = waited;
        self
    }

    /// Sets whether it is sent to see if its endpoint is back.
    #[must_use]
    pub const fn as_probe(mut self, probe: bool) -> Self {
        self.probe = probe;
        self
    }

    /// What proves the claim, for renewing and recording.
    #[must_use]
    pub fn hold(&self) -> DeliveryHold {
        DeliveryHold::new(self.event.owner.tenant.clone(), self.event.key.clone(), self.token)
    }
}

/// What a claim came to.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ClaimedDeliveries {
    /// The events, tenants and endpoints in turn.
    pub deliveries: Vec<ClaimedDelivery>,
    /// Events that nobody can send, because they cannot be read: they went to the dead letters instead.
    pub dead: Vec<(TenantId, EventKey, DeadReason)>,
    /// For the next claim.
    pub cursor: DeliveryCursor,
    /// Whether more may be due now.
    pub more: bool,
    /// When the next event is due among those that were looked at, from now.
    pub next_due: Option<Duration>,
}

/// Proves a claim on one event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DeliveryHold {
    /// The seller.
    pub tenant: TenantId,
    /// The event.
    pub key: EventKey,
    /// The proof.
    pub token: LeaseToken,
}

impl DeliveryHold {
    /// A claim on one event.
    #[must_use]
    pub const fn new(tenant: TenantId, key: EventKey, token: LeaseToken) -> Self {
        Self { tenant, key, token }
    }
}

/// Lengthens claims from now on: before an event is sent that was not sent at once.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RenewDeliveries {
    /// The claims.
    pub holds: Vec<DeliveryHold>,
    /// How long from now.
    pub lease: Duration,
}

impl RenewDeliveries {
    /// Lengthens these claims.
    #[must_use]
    pub const fn new(holds: Vec<DeliveryHold>, lease: Duration) -> Self {
        Self { holds, lease }
    }
}

/// What follows an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a backend must write each")]
pub enum Verdict {
    /// The receiver has it.
    Delivered,
    /// It is due again.
    Again {
        /// After so long.
        after: Duration,
    },
    /// Nobody tries again by themselves.
    Dead(DeadReason),
    /// It was not tried after all and is due again; the attempt does not count.
    Deferred {
        /// After so long.
        after: Duration,
    },
}

/// What a verdict writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settled {
    /// Where the event stands then.
    pub state: DeliveryState,
    /// Why it is dead.
    pub reason: Option<DeadReason>,
    /// When it can be claimed again.
    pub due_at: Option<Timestamp>,
    /// When it was delivered or given up.
    pub settled_at: Option<Timestamp>,
    /// Whether the attempt counts.
    pub counts: bool,
}

impl Verdict {
    /// What it writes. Pure: every backend calls it inside its transaction.
    #[must_use]
    pub fn settle(self, now: Timestamp) -> Settled {
        let waiting = |after: Duration, counts| Settled {
            state: DeliveryState::Waiting,
            reason: None,
            due_at: Some(now.after(after)),
            settled_at: None,
            counts,
        };
        let over =
            |state, reason| Settled { state, reason, due_at: None, settled_at: Some(now), counts: true };
        match self {
            Self::Delivered => over(DeliveryState::Delivered, None),
            Self::Dead(reason) => over(DeliveryState::Dead, Some(reason)),
            Self::Again { after } => waiting(after, true),
            Self::Deferred { after } => waiting(after, false),
        }
    }
}

/// Records what became of one claim.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordAttempt {
    /// The claim.
    pub hold: DeliveryHold,
    /// The attempt, when there was one.
    pub attempt: Option<AttemptReport>,
    /// What follows.
    pub verdict: Verdict,
}

impl RecordAttempt {
    /// What became of a claim.
    #[must_use]
    pub const fn new(hold: DeliveryHold, attempt: Option<AttemptReport>, verdict: Verdict) -> Self {
        Self { hold, attempt, verdict }
    }
}

/// Records what became of claims, each as far as it still holds.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecordAttempts {
    /// One for each claim.
    pub records: Vec<RecordAttempt>,
    /// When the breakers of endpoints open.
    pub breaker: BreakerPolicy,
}

impl RecordAttempts {
    /// Records these.
    #[must_use]
    pub const fn new(records: Vec<RecordAttempt>) -> Self {
        Self { records, breaker: BreakerPolicy::new() }
    }

    /// Sets when breakers open.
    #[must_use]
    pub const fn with_breaker(mut self, breaker: BreakerPolicy) -> Self {
        self.breaker = breaker;
        self
    }
}

/// Whether a claim still held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a claim holds or does not")]
pub enum Recorded {
    /// It was written.
    Written,
    /// Nothing was: the lease ran out, the claim is another's, or it was recorded before.
    Lost,
}

/// Gives up events that waited too long, also while their endpoints are left in peace.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ExpireDeliveries {
    /// Of these tenants only; none means all.
    pub tenants: Vec<TenantId>,
    /// Since they were queued or redelivered.
    pub horizon: Duration,
    /// At most so many. Default 500.
    pub limit: usize,
}

impl ExpireDeliveries {
    /// Gives up what waited so long.
    #[must_use]
    pub const fn new(horizon: Duration) -> Self {
        Self { tenants: Vec::new(), horizon, limit: 500 }
    }

    /// Of these tenants only.
    #[must_use]
    pub fn of_tenants(mut self, tenants: impl IntoIterator<Item = TenantId>) -> Self {
        self.tenants = tenants.into_iter().collect();
        self
    }

    /// Sets how many are given up at most.
    #[must_use]
    pub const fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}
