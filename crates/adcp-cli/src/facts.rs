//! What is known of one thing, a fact a line.

use adcp_core::Timestamp;
use adcp_types::json::JsonObject;
use serde_json::Value;

use crate::colour;
use crate::exit::Failure;
use crate::output::{Terminal, tame};
use crate::table::moment;

/// Facts in the order in which people ask for them.
#[derive(Debug, Default)]
pub(crate) struct Facts(Vec<(&'static str, Value)>);

impl Facts {
    /// Adds a fact, unless nothing is known.
    pub(crate) fn put(&mut self, name: &'static str, value: impl Into<Value>) {
        let value = value.into();
        if !value.is_null() {
            self.0.push((name, value));
        }
    }

    /// As JSON.
    pub(crate) fn into_object(self) -> JsonObject {
        self.0.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// As lines.
    pub(crate) fn print(&self, terminal: &Terminal) -> Result<(), Failure> {
        self.0.iter().try_for_each(|(name, value)| line(name, value, terminal))
    }
}

/// A fact on one line, or below its name when it needs several.
fn line(name: &str, value: &Value, terminal: &Terminal) -> Result<(), Failure> {
    let head = terminal.dim(&format!("{name:<13}"));
    match value {
        Value::String(text) => match Timestamp::parse(text) {
            Ok(at) if name.ends_with("_at") || matches!(name, "deadline" | "leased_until") => {
                terminal.line(&format!("{head} {}", moment(at)))
            }
            _ => terminal.line(&format!("{head} {}", tame(text))),
        },
        Value::Array(items) if items.is_empty() => Ok(()),
        Value::Array(items) => {
            terminal.line(head.trim_end())?;
            items.iter().try_for_each(|item| terminal.line(&format!("  {}", flat(item))))
        }
        Value::Object(_) => {
            terminal.line(head.trim_end())?;
            let text = colour::indented(value, terminal.is_coloured());
            text.lines().try_for_each(|line| terminal.line(&format!("  {line}")))
        }
        other => terminal.line(&format!("{head} {other}")),
    }
}

/// The values of an entry, side by side.
fn flat(item: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    tame(&match item {
        Value::Object(fields) => fields.values().map(text).collect::<Vec<_>>().join("  "),
        other => text(other),
    })
}
