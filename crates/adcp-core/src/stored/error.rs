//! Errors as text: whole, where the wire form cuts to size.

use std::time::Duration;

use adcp_types::json::JsonObject;
use adcp_types::{ErrorCode, Recovery};
use serde_json::Value;

use super::{Reader, Unreadable, put};
use crate::{AdcpError, Issue};

impl AdcpError {
    /// The error as a store keeps it: nothing is cut.
    #[must_use]
    pub(super) fn to_stored(&self) -> Value {
        let mut out = JsonObject::new();
        out.insert("code".into(), self.code().as_str().into());
        out.insert("message".into(), self.message().into());
        out.insert("recovery".into(), self.recovery().as_str().into());
        put(&mut out, "field", self.field());
        put(&mut out, "suggestion", self.suggestion());
        let millis = |wait: Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        put(&mut out, "retry_after_ms", self.retry_after().map(millis));
        put(&mut out, "details", self.details().cloned());
        if !self.issues().is_empty() {
            out.insert("issues".into(), self.issues().iter().map(issue).collect());
        }
        Value::Object(out)
    }

    /// Reads an error as a store keeps it.
    pub(super) fn from_stored(value: Value) -> Result<Self, Unreadable> {
        let mut reader = Reader::of("error", value)?;
        let code = ErrorCode::from(reader.text("code")?);
        let mut error = Self::new(code, reader.text("message")?);
        let recovery = Recovery::from(reader.text("recovery")?);
        // An override is kept; what the code implies anyway stays implied.
        if error.recovery() != recovery {
            error = error.with_recovery(recovery);
        }
        let mut issues = Vec::new();
        for value in reader.list("issues")? {
            issues.push(read_issue(value)?);
        }
        error = error.with_issues(issues);
        if let Some(field) = reader.optional_text("field")? {
            error = error.with_field(field);
        }
        if let Some(suggestion) = reader.optional_text("suggestion")? {
            error = error.with_suggestion(suggestion);
        }
        if let Some(wait) = reader.whole("retry_after_ms")? {
            error = error.with_retry_after(Duration::from_millis(wait));
        }
        for (name, detail) in reader.object("details")?.unwrap_or_default() {
            error = error.with_detail(name, detail);
        }
        Ok(error)
    }
}

fn issue(issue: &Issue) -> Value {
    let mut out = JsonObject::new();
    out.insert("pointer".into(), issue.pointer.as_str().into());
    out.insert("message".into(), issue.message.as_str().into());
    out.insert("keyword".into(), issue.keyword.as_str().into());
    put(&mut out, "schema_path", issue.schema_path.as_deref());
    Value::Object(out)
}

fn read_issue(value: Value) -> Result<Issue, Unreadable> {
    let mut reader = Reader::of("issue", value)?;
    let issue = Issue::new(reader.text("pointer")?, reader.text("message")?, reader.text("keyword")?);
    Ok(match reader.optional_text("schema_path")? {
        Some(path) => issue.with_schema_path(path),
        None => issue,
    })
}
