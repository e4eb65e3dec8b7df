//! What operators ask, and what they are told: over a registry in memory, and with a worker that really sends.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod access;
mod again;
mod arriving;
mod broken;
mod reading;
mod stage;
mod trouble;
