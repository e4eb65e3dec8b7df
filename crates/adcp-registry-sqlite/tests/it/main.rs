//! What the SQLite registry promises to its callers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod conformance;
mod deliver;
mod file;
mod fixture;
mod jobs;
mod sealed;
mod upgrade;
