//! The MCP server and client over loopback, with requests as they come on the wire.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod auth;
mod calls;
#[cfg(feature = "client")]
mod client;
mod discovery;
mod eras;
mod fixture;
mod limits;
mod routes;
mod seller;
mod shutdown;
