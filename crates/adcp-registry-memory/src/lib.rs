#![doc = include_str!("../README.md")]

mod calls;
mod config;
mod delivery;
mod documents;
mod jobs;
mod ledger;
mod outbox;
mod registry;
mod retention;
mod share;
mod tasks;

pub use config::MemoryLimits;
pub use registry::MemoryRegistry;
