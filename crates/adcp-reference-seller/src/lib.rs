#![doc = include_str!("../README.md")]

mod account;
mod ad_server;
mod config;
mod creative;
mod map;
mod sales;
mod seed;
mod seller;
mod subscribers;

pub use config::SellerConfig;
pub use seller::{ReferenceSeller, agent, builder, notifying};
