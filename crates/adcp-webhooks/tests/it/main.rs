//! What the worker does with queued events: loopback sockets, a registry in memory, and a clock that stands.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod attempts;
mod challenge;
mod dying;
#[cfg(feature = "tower")]
mod layer;
mod matrix;
mod memory;
mod receiver;
mod receiving;
mod remote;
mod setup;
mod sharing;
mod stage;
mod stopping;
mod subscribing;
mod telemetry;
mod watched;
