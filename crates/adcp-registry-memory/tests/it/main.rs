//! What the memory registry promises to its callers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod bounds;
mod broken;
mod broken_documents;
mod broken_outbox;
mod conformance;
mod faults;
mod turns;
