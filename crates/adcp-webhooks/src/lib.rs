#![doc = include_str!("../README.md")]

mod attempt;
mod challenge;
mod classify;
mod config;
mod location;
mod once;
mod places;
mod receiver;
mod record;
mod redact;
mod retry_after;
mod schedule;
mod subscription;
mod telemetry;
mod webhooks;
mod worker;

pub use challenge::{Challenge, NotProven};
pub use config::{BadWebhooks, WebhooksBuilder};
pub use once::SentOnce;
pub use receiver::{
    Agreement, Agreements, Answer, Arrival, BadPayload, Claimed, Dedup, DocumentDedup, Envelope, Incoming,
    MemoryDedup, Notification, Opened, Payload, RemoteJwks, Seen, TaskNews, Webhook, WebhookReceiver,
};
#[cfg(feature = "tower")]
pub use receiver::{Receive, ReceiveLayer};
pub use schedule::Schedule;
pub use subscription::{BadSubscription, Notice, OrderAddress, OrderNews, SubscriptionError, Subscriptions};
pub use webhooks::Webhooks;
