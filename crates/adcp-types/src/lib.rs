//! Wire types of the Ad Context Protocol (AdCP), generated from its schemas.

#[rustfmt::skip]
mod generated;

pub mod envelope;
mod error_code;
pub mod json;
pub mod tools;

pub use error_code::{ErrorCode, Recovery};
pub use generated::version::{ADCP_RELEASE, ADCP_VERSION};
pub use generated::*;
pub use json::{DecodeError, FromJson, JsonObject, Nullable, ToJson};
pub use tools::{Presence, Protocol, ToolSpec};
