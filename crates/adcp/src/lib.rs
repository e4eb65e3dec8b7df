#![doc = include_str!("../README.md")]

pub use adcp_core as core;
pub use adcp_types as types;

#[cfg(feature = "console")]
pub use adcp_console as console;
#[cfg(feature = "decisioning")]
pub use adcp_decisioning as decisioning;
#[cfg(feature = "egress")]
pub use adcp_egress as egress;
#[cfg(feature = "mcp")]
pub use adcp_mcp as mcp;
#[cfg(feature = "memory")]
pub use adcp_registry_memory as registry_memory;
#[cfg(feature = "postgres")]
pub use adcp_registry_postgres as registry_postgres;
#[cfg(feature = "sqlite")]
pub use adcp_registry_sqlite as registry_sqlite;
#[cfg(feature = "schemas")]
pub use adcp_schemas as schemas;
#[cfg(feature = "signing")]
pub use adcp_signing as signing;
#[cfg(feature = "webhooks")]
pub use adcp_webhooks as webhooks;

#[cfg(feature = "decisioning")]
pub use adcp_decisioning::{Agent, Asking, Ctx, Decision, Discovery, Interactive};

pub use adcp_core::AdcpError;
pub use adcp_types::{ADCP_VERSION, ErrorCode};
