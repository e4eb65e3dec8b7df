#![doc = include_str!("../README.md")]

mod attempt;
mod classify;
mod config;
mod record;
mod redact;
mod retry_after;
mod schedule;
mod telemetry;
mod webhooks;
mod worker;

pub use config::{BadWebhooks, WebhooksBuilder};
pub use schedule::Schedule;
pub use webhooks::Webhooks;
