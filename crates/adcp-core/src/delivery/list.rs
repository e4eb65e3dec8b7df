//! What operators, and buyers as far as it is theirs, see of deliveries.

use crate::{
    Attempt, AttemptClass, Breaker, DeadReason, DeliveryRecord, DeliveryState, Endpoint, EventKey, Scope,
    TaskId, TenantId, Timestamp,
};

/// Which deliveries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryFilter {
    /// In any of these states; empty means all.
    pub states: Vec<DeliveryState>,
    /// Given up for any of these reasons; empty means all, also those that were not given up.
    pub reasons: Vec<DeadReason>,
    /// Of this task.
    pub task: Option<TaskId>,
    /// About this thing, as the notification names it.
    pub about: Option<String>,
    /// To this endpoint.
    pub endpoint: Option<Endpoint>,
    /// Queued at this instant or later.
    pub since: Option<Timestamp>,
    /// Queued strictly before.
    pub before: Option<Timestamp>,
}

impl DeliveryFilter {
    /// All of them.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// In one state.
    #[must_use]
    pub fn in_state(mut self, state: DeliveryState) -> Self {
        self.states = vec![state];
        self
    }

    /// Given up for one reason.
    #[must_use]
    pub fn given_up_for(mut self, reason: DeadReason) -> Self {
        self.reasons = vec![reason];
        self
    }

    /// Of one task.
    #[must_use]
    pub fn of_task(mut self, task: TaskId) -> Self {
        self.task = Some(task);
        self
    }

    /// About one thing.
    #[must_use]
    pub fn about(mut self, about: impl Into<String>) -> Self {
        self.about = Some(about.into());
        self
    }

    /// To one endpoint.
    #[must_use]
    pub fn to(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Queued in a span of time, its end excluded.
    #[must_use]
    pub const fn queued(mut self, since: Option<Timestamp>, before: Option<Timestamp>) -> Self {
        self.since = since;
        self.before = before;
        self
    }

    /// Whether a delivery passes. The one definition every backend agrees with.
    #[must_use]
    pub fn admits(&self, delivery: &DeliveryRecord) -> bool {
        (self.states.is_empty() || self.states.contains(&delivery.state))
            && (self.reasons.is_empty()
                || delivery.reason.is_some_and(|reason| self.reasons.contains(&reason)))
            && self.task.as_ref().is_none_or(|task| delivery.subject.task() == Some(task))
            && self.about.as_deref().is_none_or(|about| delivery.subject.about() == Some(about))
            && self.endpoint.as_ref().is_none_or(|endpoint| delivery.endpoint == *endpoint)
            && self.since.is_none_or(|since| delivery.queued_at >= since)
            && self.before.is_none_or(|before| delivery.queued_at < before)
    }
}

/// A place in a list of deliveries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct DeliveryPlace {
    /// When the last one seen was queued.
    pub queued_at: Timestamp,
    /// Its key.
    pub key: EventKey,
}

impl DeliveryPlace {
    /// The place after a delivery.
    #[must_use]
    pub const fn new(queued_at: Timestamp, key: EventKey) -> Self {
        Self { queued_at, key }
    }
}

/// Lists deliveries, newest first, one page at a time.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListDeliveries {
    /// Who asks.
    pub scope: Scope,
    /// Which.
    pub filter: DeliveryFilter,
    /// On a page, from 1. Default 50.
    pub limit: usize,
    /// Only what follows this place.
    pub after: Option<DeliveryPlace>,
}

impl ListDeliveries {
    /// The newest fifty within a scope.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self { scope, filter: DeliveryFilter::new(), limit: 50, after: None }
    }

    /// Only those that pass.
    #[must_use]
    pub fn matching(mut self, filter: DeliveryFilter) -> Self {
        self.filter = filter;
        self
    }

    /// Sets how many are on a page.
    #[must_use]
    pub const fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Goes on after a page.
    #[must_use]
    pub fn after(mut self, place: Option<DeliveryPlace>) -> Self {
        self.after = place;
        self
    }
}

/// One page of deliveries.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct DeliveryPage {
    /// Newest first.
    pub deliveries: Vec<DeliveryRecord>,
    /// Events on this page whose rows cannot be read.
    pub unreadable: Vec<EventKey>,
    /// Where the next page begins, when more follow.
    pub next: Option<DeliveryPlace>,
}

impl DeliveryPage {
    /// A page.
    #[must_use]
    pub const fn new(
        deliveries: Vec<DeliveryRecord>,
        unreadable: Vec<EventKey>,
        next: Option<DeliveryPlace>,
    ) -> Self {
        Self { deliveries, unreadable, next }
    }
}

/// One delivery with its attempts.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct DeliveryDetail {
    /// What is known of it.
    pub record: DeliveryRecord,
    /// What every attempt sends; `None` once it is forgotten, and when it cannot be opened.
    pub body: Option<String>,
    /// The latest attempts, oldest first.
    pub attempts: Vec<Attempt>,
}

impl DeliveryDetail {
    /// A delivery with its attempts.
    #[must_use]
    pub const fn new(record: DeliveryRecord, body: Option<String>, attempts: Vec<Attempt>) -> Self {
        Self { record, body, attempts }
    }
}

/// Prints the length of the body instead of it: a body repeats the buyer's token.
impl std::fmt::Debug for DeliveryDetail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeliveryDetail")
            .field("record", &self.record)
            .field("body", &self.body.as_ref().map(String::len))
            .field("attempts", &self.attempts)
            .finish()
    }
}

/// An endpoint that events were sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointRecord {
    /// The seller.
    pub tenant: TenantId,
    /// Where.
    pub endpoint: Endpoint,
    /// Whether it is left in peace.
    pub breaker: Breaker,
    /// When that last changed.
    pub changed_at: Timestamp,
    /// What the attempt came to that changed it last.
    pub last: Option<AttemptClass>,
}

impl EndpointRecord {
    /// An endpoint that nothing is known of.
    #[must_use]
    pub const fn new(tenant: TenantId, endpoint: Endpoint, now: Timestamp) -> Self {
        let breaker = Breaker {
            state: crate::BreakerState::Closed,
            failures: 0,
            openings: 0,
            until: None,
            probe: None,
        };
        Self { tenant, endpoint, breaker, changed_at: now, last: None }
    }
}

/// Lists endpoints of one tenant by name, one page at a time.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListEndpoints {
    /// The seller.
    pub tenant: TenantId,
    /// Only those whose breaker is not closed.
    pub paused: bool,
    /// Only what follows this one.
    pub after: Option<Endpoint>,
    /// At most so many. Default 100.
    pub limit: usize,
}

impl ListEndpoints {
    /// The first hundred of a tenant.
    #[must_use]
    pub const fn new(tenant: TenantId) -> Self {
        Self { tenant, paused: false, after: None, limit: 100 }
    }

    /// Only those whose breaker is not closed.
    #[must_use]
    pub const fn paused(mut self) -> Self {
        self.paused = true;
        self
    }

    /// Goes on after an endpoint.
    #[must_use]
    pub fn after(mut self, endpoint: Endpoint) -> Self {
        self.after = Some(endpoint);
        self
    }

    /// Sets how many are listed.
    #[must_use]
    pub const fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Owner, Principal, Subject};

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_micros(secs * 1_000_000)
    }

    fn dead() -> DeliveryRecord {
        let owner = Owner::new(TenantId::single(), None, Principal::new("p"));
        let about =
            Subject::Notification { kind: "scheduled".into(), about: Some("mb-1".into()), subscriber: None };
        let url = "https://buyer.example/hook";
        let mut record = DeliveryRecord::queued(EventKey::stored("whk_1"), owner, about, url, at(100));
        record.state = DeliveryState::Dead;
        record.reason = Some(DeadReason::Gone);
        record
    }

    #[test]
    fn a_filter_admits_what_fits_in_every_part() {
        let all = DeliveryFilter::new();
        let mut both = all.clone();
        both.states = vec![DeliveryState::Delivered, DeliveryState::Dead];
        both.reasons = vec![DeadReason::Refused, DeadReason::Gone];
        let place = |url: &str| all.clone().to(Endpoint::of(url));
        let queued =
            |since: Option<i64>, before: Option<i64>| all.clone().queued(since.map(at), before.map(at));
        for (filter, fits) in [
            (all.clone(), true),
            (both, true),
            (all.clone().in_state(DeliveryState::Dead), true),
            (all.clone().in_state(DeliveryState::Waiting), false),
            (all.clone().given_up_for(DeadReason::Gone), true),
            (all.clone().given_up_for(DeadReason::Refused), false),
            (all.clone().of_task(TaskId::random().unwrap()), false),
            (all.clone().about("mb-1"), true),
            (all.clone().about("mb-2"), false),
            (place("https://buyer.example/other"), true),
            (place("https://other.example/hook"), false),
            (queued(Some(100), Some(101)), true),
            (queued(Some(101), None), false),
            (queued(None, Some(100)), false),
            (queued(Some(100), None).in_state(DeliveryState::Sending), false),
        ] {
            assert_eq!(filter.admits(&dead()), fits, "{filter:?}");
        }
        // Whoever looks for a reason does not look for what has none.
        let mut waiting = dead();
        (waiting.state, waiting.reason) = (DeliveryState::Waiting, None);
        assert!(!all.given_up_for(DeadReason::Gone).admits(&waiting));
    }

    #[test]
    fn debug_shows_no_body() {
        let detail = DeliveryDetail::new(dead(), Some("token-of-the-buyer".into()), Vec::new());
        let shown = format!("{detail:?}");
        assert!(!shown.contains("token") && shown.contains("body: Some(18)"), "{shown}");
    }
}
