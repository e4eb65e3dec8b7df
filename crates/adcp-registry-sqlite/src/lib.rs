#![doc = include_str!("../README.md")]

mod calls;
mod claims;
mod config;
mod database;
mod documents;
mod error;
mod examine;
mod jobs;
mod letters;
mod list;
mod migrate;
mod outbox;
mod proposals;
mod registry;
mod retention;
mod row;
mod tasks;

pub use config::SqliteConfig;
pub use error::OpenError;
pub use examine::{Examination, Rows, Schema};
pub use registry::SqliteRegistry;
