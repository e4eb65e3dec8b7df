//! An event's delivery as a store keeps it, and the steps that change it.

use std::fmt;

use crate::{Endpoint, EventKey, Owner, Redelivered, Subject, Timestamp};

/// Redeliveries that are kept of one event: the latest.
pub const MAX_REDELIVERIES_KEPT: usize = 32;

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_enums, reason = "a backend must keep each")]
pub enum DeliveryState {
    /// Queued or redelivered, and not tried since.
    Pending,
    /// Claimed until it is due again.
    Sending,
    /// Tried, and due again later.
    Waiting,
    /// The receiver has it.
    Delivered,
    /// Given up: a dead letter.
    Dead,
}

impl DeliveryState {
    const ALL: [Self; 5] = [Self::Pending, Self::Sending, Self::Waiting, Self::Delivered, Self::Dead];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Why an event was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeadReason {
    /// Every attempt failed, or its time was over.
    Exhausted,
    /// The receiver says that there is nothing any more.
    Gone,
    /// The receiver does not want it, and another attempt would not change that.
    Refused,
    /// The receiver rejects the signature.
    SignatureRejected,
    /// The receiver sends elsewhere, where nobody follows.
    Redirected,
    /// The address must not be called.
    ForbiddenAddress,
    /// Its credentials or its body cannot be opened.
    Unsealable,
    /// Its row cannot be read.
    Corrupt,
    /// A newer version's word.
    Unknown,
}

impl DeadReason {
    const ALL: [Self; 9] = [
        Self::Exhausted,
        Self::Gone,
        Self::Refused,
        Self::SignatureRejected,
        Self::Redirected,
        Self::ForbiddenAddress,
        Self::Unsealable,
        Self::Corrupt,
        Self::Unknown,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Gone => "gone",
            Self::Refused => "refused",
            Self::SignatureRejected => "signature_rejected",
            Self::Redirected => "redirected",
            Self::ForbiddenAddress => "forbidden_address",
            Self::Unsealable => "unsealable",
            Self::Corrupt => "corrupt",
            Self::Unknown => "unknown",
        }
    }

    /// Reads the word; one that is not known is [`Self::Unknown`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text).unwrap_or(Self::Unknown)
    }
}

/// Who sent a dead letter again, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redelivery {
    /// When, by the registry's clock.
    pub at: Timestamp,
    /// Who.
    pub by: String,
}

impl Redelivery {
    /// Somebody sent it again.
    #[must_use]
    pub fn new(at: Timestamp, by: impl Into<String>) -> Self {
        Self { at, by: by.into() }
    }
}

/// What is known of an event's delivery. It holds neither body nor credentials; of its address `Debug` prints only the
/// endpoint.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryRecord {
    /// The event.
    pub key: EventKey,
    /// Whose it is.
    pub owner: Owner,
    /// What it tells.
    pub subject: Subject,
    /// The receiver's address. It may hold secrets of the receiver's in its query.
    pub url: String,
    /// Where its lane leads.
    pub endpoint: Endpoint,
    /// The legacy scheme that the buyer asked for.
    pub scheme: Option<String>,
    /// Where it stands.
    pub state: DeliveryState,
    /// Why it was given up.
    pub reason: Option<DeadReason>,
    /// Attempts of all. Claims count, whatever came of them.
    pub attempts: u32,
    /// How many of them were before it was last redelivered.
    pub attempts_before: u32,
    /// When it can be claimed, or its claim ends.
    pub due_at: Option<Timestamp>,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// When its schedule began: it was queued or redelivered.
    pub since: Timestamp,
    /// When it was delivered or given up.
    pub settled_at: Option<Timestamp>,
    /// Whether its body is still there.
    pub has_body: bool,
    /// Who sent it again, oldest first.
    pub redeliveries: Vec<Redelivery>,
}

impl DeliveryRecord {
    /// An event that was just queued.
    #[must_use]
    pub fn queued(
        key: EventKey,
        owner: Owner,
        subject: Subject,
        url: impl Into<String>,
        at: Timestamp,
    ) -> Self {
        let url = url.into();
        Self {
            key,
            owner,
            subject,
            endpoint: Endpoint::of(&url),
            url,
            scheme: None,
            state: DeliveryState::Pending,
            reason: None,
            attempts: 0,
            attempts_before: 0,
            due_at: Some(at),
            queued_at: at,
            since: at,
            settled_at: None,
            has_body: true,
            redeliveries: Vec::new(),
        }
    }

    /// Queues a dead letter again, with an attempt schedule of its own. Nothing else can be.
    pub fn redeliver(&mut self, by: &str, now: Timestamp) -> Redelivered {
        if self.state != DeliveryState::Dead {
            return Redelivered::NotDead;
        }
        if !self.has_body {
            return Redelivered::PastRetention;
        }
        self.state = DeliveryState::Pending;
        self.reason = None;
        self.attempts_before = self.attempts;
        self.due_at = Some(now);
        self.since = now;
        self.settled_at = None;
        self.redeliveries.push(Redelivery::new(now, by));
        let surplus = self.redeliveries.len().saturating_sub(MAX_REDELIVERIES_KEPT);
        self.redeliveries.drain(..surplus);
        Redelivered::Queued
    }
}

impl fmt::Debug for DeliveryRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, owner, subject, url: _, endpoint, scheme, state, reason, .. } = self;
        let Self { attempts, attempts_before, due_at, queued_at, since, settled_at, has_body, .. } = self;
        f.debug_struct("DeliveryRecord")
            .field("key", key)
            .field("owner", owner)
            .field("subject", subject)
            .field("endpoint", endpoint)
            .field("scheme", scheme)
            .field("state", state)
            .field("reason", reason)
            .field("attempts", attempts)
            .field("attempts_before", attempts_before)
            .field("due_at", due_at)
            .field("queued_at", queued_at)
            .field("since", since)
            .field("settled_at", settled_at)
            .field("has_body", has_body)
            .field("redeliveries", &self.redeliveries)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for state in DeliveryState::ALL {
            assert_eq!(DeliveryState::parse(state.as_str()), Some(state));
        }
        for reason in DeadReason::ALL {
            assert_eq!(DeadReason::parse(reason.as_str()), reason);
        }
        assert_eq!(DeadReason::parse("bored"), DeadReason::Unknown);
    }

    #[test]
    fn the_latest_redeliveries_are_kept() {
        use crate::{Principal, TenantId};

        let owner = Owner::new(TenantId::single(), None, Principal::new("p"));
        let about = Subject::Notification { kind: "scheduled".into(), about: None, subscriber: None };
        let mut record = DeliveryRecord::queued(
            EventKey::stored("whk_1"),
            owner,
            about,
            "https://a",
            Timestamp::from_micros(0),
        );
        assert_eq!(record.redeliver("x", Timestamp::from_micros(1)), Redelivered::NotDead);
        assert!(record.redeliveries.is_empty());
        for turn in 0..i64::try_from(MAX_REDELIVERIES_KEPT).unwrap() + 2 {
            (record.state, record.attempts) = (DeliveryState::Dead, record.attempts + 3);
            (record.reason, record.settled_at) = (Some(DeadReason::Gone), Some(Timestamp::from_micros(turn)));
            assert_eq!(record.redeliver("x", Timestamp::from_micros(turn)), Redelivered::Queued);
            let begun = Some(Timestamp::from_micros(turn));
            assert_eq!((record.due_at, Some(record.since)), (begun, begun));
            assert_eq!((record.reason, record.settled_at), (None, None));
            assert_eq!(record.attempts_before, record.attempts);
        }
        assert_eq!(record.redeliveries.len(), MAX_REDELIVERIES_KEPT);
        assert_eq!(record.redeliveries[0].at, Timestamp::from_micros(2));
        (record.state, record.has_body) = (DeliveryState::Dead, false);
        assert_eq!(record.redeliver("x", Timestamp::from_micros(99)), Redelivered::PastRetention);
    }

    #[test]
    fn debug_shows_of_an_address_where_it_leads_and_not_what_it_says() {
        use crate::{Principal, Registration, TenantId};

        let url = "https://buyer.example/hook/capability?key=query-secret";
        let owner = Owner::new(TenantId::single(), None, Principal::new("p"));
        let about = Subject::Notification { kind: "scheduled".into(), about: None, subscriber: None };
        let now = Timestamp::from_micros(0);
        let record = DeliveryRecord::queued(EventKey::stored("whk_1"), owner, about, url, now);
        let registration = Registration::new(url, "op-1").unwrap();
        for shown in [format!("{record:?}"), format!("{registration:?}")] {
            assert!(shown.contains("https://buyer.example"), "{shown}");
            assert!(!shown.contains("capability") && !shown.contains("secret"), "{shown}");
        }
        let whole = format!("{record:?}");
        for field in ["whk_1", "scheduled", "Pending", "attempts_before", "redeliveries"] {
            assert!(whole.contains(field), "{field}: {whole}");
        }
    }
}
