//! What the worker does with queued events: loopback sockets, and clocks that only the tests move. What depends on the
//! store is tested over every registry.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod attempts;
mod batches;
mod challenge;
mod dying;
mod fairness;
mod killed;
#[cfg(feature = "tower")]
mod layer;
mod matrix;
mod memory;
mod once;
mod receiver;
mod receiving;
mod remote;
mod schedule;
mod secrets;
mod setup;
mod sharing;
mod stage;
mod stopping;
mod store;
mod subscribing;
mod telemetry;
mod threads;
mod watched;
mod withheld;
