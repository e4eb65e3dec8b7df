//! The crash suite: real replicas, a buyer that never gives up, and a driver that breaks everything else.
//!
//! See CONTRIBUTING.md for how to run it and how to read what it prints.

mod buyer;
mod check;
mod desk;
mod driver;
mod history;
mod options;
mod plan;
mod receiver;
mod recorder;
mod replica;
mod report;
mod run;
mod seed;
mod server;
mod store;
mod tables;

pub use self::report::main;
