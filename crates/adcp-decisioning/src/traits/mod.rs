//! What adopters implement: one trait per group of tools, native async, typed requests and responses.

mod account;
mod creative;
mod sales;

pub use account::{ListAccounts, SyncAccounts};
pub use creative::CreativeLibrary;
pub use sales::Sales;
