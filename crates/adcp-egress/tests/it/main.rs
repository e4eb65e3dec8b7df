//! What the way out does and refuses to do, through its public API.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod admission;
mod certificates;
mod exchange;
mod faults;
mod forms;
mod limits;
mod private;
mod properties;
mod receiver;
mod resolving;
mod reuse;
