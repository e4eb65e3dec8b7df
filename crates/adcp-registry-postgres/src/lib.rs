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
mod records;
mod registry;
mod retention;
mod row;
mod statement;
mod tasks;
mod tls;
mod unit;

pub use config::{ClockOffset, Isolation, PostgresConfig};
pub use error::OpenError;
pub use examine::{Connections, Examination, Rows, Schema, Server, Skew, Writes};
pub use registry::PostgresRegistry;
