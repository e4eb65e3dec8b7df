#![doc = include_str!("../README.md")]

pub mod checks;
mod harness;
mod list;
mod post;
mod random;
mod world;

pub use harness::{Harness, OnManualClock, run};
pub use random::Cases;
