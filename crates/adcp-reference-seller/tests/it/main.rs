//! The seller behind an agent: every answer passes its schema, or the agent would have refused to send it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(clippy::needless_pass_by_value, reason = "JSON literals read better without borrows")]

mod account;
mod buy;
mod creative;
mod delivery;
mod discovery;
mod hook;
mod isolation;
mod market;
mod read;
mod review;
