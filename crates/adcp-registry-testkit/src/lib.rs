#![doc = include_str!("../README.md")]

pub mod checks;
mod harness;
mod list;
mod world;

pub use harness::{Harness, OnManualClock, run};
