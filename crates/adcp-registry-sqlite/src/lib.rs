#![doc = include_str!("../README.md")]

mod calls;
mod config;
mod database;
mod error;
mod list;
mod migrate;
mod outbox;
mod proposals;
mod registry;
mod row;
mod tasks;

pub use config::SqliteConfig;
pub use error::OpenError;
pub use registry::{Forgotten, SqliteRegistry};
