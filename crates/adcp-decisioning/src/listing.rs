//! What `tools/list` shows.

use std::sync::Arc;

use adcp_types::json::JsonObject;

/// A mounted tool, as buyers see it listed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Tool {
    /// The tool's name.
    pub name: &'static str,
    /// What it does and how to use it, for a buyer that reads.
    pub description: &'static str,
    /// A self-contained JSON Schema of the arguments.
    pub input_schema: Arc<JsonObject>,
    /// Whether calling it changes something.
    pub mutating: bool,
}
