#![doc = include_str!("../README.md")]

mod console;
mod deliveries;
mod endpoints;
mod operator;
mod problem;
mod query;
mod redeliver;
mod show;

pub use console::Console;
pub use operator::{Access, BadOperator, Operator, Operators};
pub use show::{attempt_json, endpoint_json};
