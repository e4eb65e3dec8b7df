//! Which schemas a tool has, as the bundle's manifest says.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::SchemaError;

/// A part of a tool's conversation that has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Part {
    /// What the buyer sends.
    Request,
    /// What the seller answers when it is done, or when it refuses.
    Response,
    /// The answer that turns the call into a task.
    Submitted,
    /// A report from a task under way.
    Working,
    /// A task's question to the buyer.
    InputRequired,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Submitted => "submitted answer",
            Self::Working => "working answer",
            Self::InputRequired => "input-required answer",
        })
    }
}

/// The schema paths of every tool.
#[derive(Debug)]
pub(crate) struct Table(BTreeMap<String, Row>);

#[derive(Debug)]
struct Row {
    request: String,
    response: String,
    asynchronous: Vec<String>,
}

impl Table {
    /// Reads the manifest.
    pub(crate) fn parse(manifest: &str) -> Option<Self> {
        let manifest: Value = serde_json::from_str(manifest).ok()?;
        let rows = manifest.get("tools")?.as_object()?.iter().map(|(name, tool)| {
            let path = |key| tool.get(key).and_then(Value::as_str).map(str::to_owned);
            let asynchronous = tool.get("async_response_schemas").and_then(Value::as_array);
            let asynchronous = asynchronous.into_iter().flatten().filter_map(Value::as_str);
            Some((
                name.clone(),
                Row {
                    request: path("request_schema")?,
                    response: path("response_schema")?,
                    asynchronous: asynchronous.map(str::to_owned).collect(),
                },
            ))
        });
        rows.collect::<Option<_>>().map(Self)
    }

    /// Path of the schema for a part of a tool.
    pub(crate) fn path(&self, tool: &str, part: Part) -> Result<&str, SchemaError> {
        let row = self.0.get(tool).ok_or_else(|| SchemaError::UnknownTool(tool.to_owned()))?;
        let ending = match part {
            Part::Request => return Ok(&row.request),
            Part::Response => return Ok(&row.response),
            Part::Submitted => "-submitted.json",
            Part::Working => "-working.json",
            Part::InputRequired => "-input-required.json",
        };
        let path = row.asynchronous.iter().find(|path| path.ends_with(ending));
        path.map(String::as_str).ok_or_else(|| SchemaError::NoPart { tool: tool.to_owned(), part })
    }

    /// Names of all tools, sorted.
    pub(crate) fn tools(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
