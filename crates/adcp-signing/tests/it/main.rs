//! What signatures promise, through the public API.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod fixture;
mod keys;
mod legacy;
mod properties;
mod replay;
mod rfc;
mod round_trip;
mod strangers;
mod vectors;
