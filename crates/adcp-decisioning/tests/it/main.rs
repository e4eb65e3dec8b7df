//! The path of a call, through a small seller and the memory registry.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod account;
mod agent;
mod agent_cache;
mod announce;
mod build;
mod caller;
mod controller;
mod derive;
mod desk;
mod discovery;
mod documents;
mod envelope;
mod everything;
mod flaky;
mod handoff;
mod hooks;
mod idempotency;
mod incident;
mod janitor;
mod job_loss;
mod jobs;
mod lifecycle;
mod market;
mod metrics;
mod polling;
mod proposal;
mod purchase;
mod refusal;
mod rescue;
mod reviews;
mod scripted;
mod seller;
mod task_page;
mod tools;
mod update;
mod walk;
mod webhook;
mod workflow;
