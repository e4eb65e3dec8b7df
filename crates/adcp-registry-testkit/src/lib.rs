#![doc = include_str!("../README.md")]

pub mod checks;
mod harness;
mod list;
mod post;
mod random;
#[doc(hidden)]
pub mod released;
mod world;

pub use harness::{Harness, OnManualClock, run};
pub use random::Cases;
