#![doc = include_str!("../README.md")]

mod block;
mod config;
mod connect;
mod counters;
mod egress;
mod error;
mod limits;
mod network;
mod policy;
mod pool;
mod progress;
mod refusal;
mod request;
mod resolve;
mod response;
mod stream;
mod tls;
mod url;

pub use block::{Block, special_purpose_blocks};
pub use config::EgressBuilder;
pub use counters::Counts;
pub use egress::Egress;
pub use error::{Cause, Class, ConfigError, EgressError, Failure, Misuse, Stage};
pub use limits::Limits;
pub use network::{Network, NotANetwork};
pub use refusal::{Part, Refusal};
pub use request::{Method, Request};
pub use resolve::{Resolve, SystemResolver};
pub use response::{Response, Timings};
pub use url::Url;
