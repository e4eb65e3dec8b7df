//! Why a schema could not be had.

use std::fmt;

use crate::Part;

/// Why a schema could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaError {
    /// The bundle has no file of that path.
    UnknownSchema(String),
    /// The manifest has no tool of that name.
    UnknownTool(String),
    /// The tool has no schema of its own for that part.
    NoPart {
        /// The tool.
        tool: String,
        /// The part it lacks.
        part: Part,
    },
    /// A schema of the bundle is not usable. Cannot happen with the embedded bundle.
    Unusable {
        /// Path of the schema.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl SchemaError {
    pub(crate) fn unusable(path: &str, reason: impl fmt::Display) -> Self {
        Self::Unusable { path: path.to_owned(), reason: reason.to_string() }
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownSchema(path) => write!(f, "the bundle has no schema `{path}`"),
            Self::UnknownTool(tool) => write!(f, "the bundle has no tool `{tool}`"),
            Self::NoPart { tool, part } => write!(f, "`{tool}` has no schema for its {part}"),
            Self::Unusable { path, reason } => write!(f, "schema `{path}` is not usable: {reason}"),
        }
    }
}

impl std::error::Error for SchemaError {}
