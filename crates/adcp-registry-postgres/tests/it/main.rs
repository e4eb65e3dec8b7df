//! What the Postgres registry promises to its callers. The tests need a server, so they are ignored until asked for:
//! `cargo xtask test` starts one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod conformance;
mod deliver;
mod fixture;
mod loss;
mod pooled;
mod proxy;
mod schema;
mod sealed;
mod shared;
mod tls;
mod upgrade;
