//! Events that no task's end tells of: notifications of accounts, reports, what becomes of orders and creatives.

use std::fmt;

use crate::{CallbackAuth, Endpoint, Event, EventKey, Owner, Subject, Timestamp};

/// One event to be queued. `Debug` shows neither its body nor its whole address.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Publication {
    /// Its key. Whoever publishes again after an unknown outcome gives the same.
    pub key: EventKey,
    /// Whose it is: who may read about its delivery.
    pub owner: Owner,
    /// What it tells.
    pub subject: Subject,
    /// The receiver's address.
    pub url: String,
    /// The legacy scheme that the buyer asked for.
    pub authentication: Option<CallbackAuth>,
    /// The body, byte for byte as every attempt sends it: JSON that holds the key.
    pub body: String,
    /// Whether the body holds a secret, so that a store on disk seals it.
    pub secret: bool,
}

impl Publication {
    /// A notification of a type for one receiver.
    #[must_use]
    pub fn new(
        key: EventKey,
        owner: Owner,
        kind: impl Into<String>,
        url: impl Into<String>,
        body: impl Into<String>,
    ) -> Self {
        Self {
            key,
            owner,
            subject: Subject::Notification { kind: kind.into(), about: None, subscriber: None },
            url: url.into(),
            authentication: None,
            body: body.into(),
            secret: false,
        }
    }

    /// Says what it is about, such as the id of an order.
    #[must_use]
    pub fn about(mut self, thing: impl Into<String>) -> Self {
        if let Subject::Notification { about, .. } = &mut self.subject {
            *about = Some(thing.into());
        }
        self
    }

    /// Says whose subscription it answers.
    #[must_use]
    pub fn for_subscriber(mut self, name: impl Into<String>) -> Self {
        if let Subject::Notification { subscriber, .. } = &mut self.subject {
            *subscriber = Some(name.into());
        }
        self
    }

    /// Authenticates by a legacy scheme.
    #[must_use]
    pub fn with_authentication(mut self, authentication: Option<CallbackAuth>) -> Self {
        self.authentication = authentication;
        self
    }

    /// Says that the body holds a secret.
    #[must_use]
    pub const fn with_secret_body(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The event, queued at an instant.
    #[must_use]
    pub fn event(&self, now: Timestamp) -> Event {
        let (owner, subject) = (self.owner.clone(), self.subject.clone());
        let mut event =
            Event::stored(self.key.clone(), owner, subject, self.url.clone(), self.body.clone(), now);
        event.authentication = self.authentication.clone();
        event
    }
}

impl fmt::Debug for Publication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publication")
            .field("key", &self.key)
            .field("owner", &self.owner)
            .field("subject", &self.subject)
            .field("endpoint", &Endpoint::of(&self.url))
            .field("authentication", &self.authentication)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .finish_non_exhaustive()
    }
}

/// Queues events, all of them or none.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PublishEvents {
    /// The events.
    pub events: Vec<Publication>,
}

impl PublishEvents {
    /// Queues these.
    #[must_use]
    pub const fn new(events: Vec<Publication>) -> Self {
        Self { events }
    }
}

/// What became of one event that was to be queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "an event is new or known")]
pub enum Published {
    /// It waits for delivery.
    Queued,
    /// Its tenant has an event of this key already, and nothing changed.
    Known,
}
