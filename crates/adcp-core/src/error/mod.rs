//! The error a buyer sees, and a constructor for each that sellers commonly raise.

mod access;
mod account;
mod budget;
mod creative;
mod governance;
mod media_buy;
mod product;
mod proposal;
mod request;
mod session;
mod signal;

use std::fmt;
use std::time::Duration;

use adcp_types::json::JsonObject;
use adcp_types::{ErrorCode, Recovery};
use serde_json::{Value, json};

/// A serialised error larger than this is discarded by clients.
const MAX_BYTES: usize = 4096;

/// What a buyer is told when a call fails: a code to branch on, words for people, and where to look.
///
/// It holds nothing internal. Log the cause where it happens, then make one of these. Recovery follows the
/// code unless it is overridden.
///
/// The constructors below know the code, the usual field and a generic suggestion; all three can be replaced
/// with `with_*`. Those for things that cannot be found take no id and say the same whether the thing does
/// not exist or belongs to somebody else. An argument named `field` is a path like `packages[0].budget`.
///
/// ```
/// use adcp_core::AdcpError;
/// use adcp_types::ErrorCode;
///
/// let error = AdcpError::new(ErrorCode::BUDGET_TOO_LOW, "this product starts at 500 USD")
///     .with_field("packages[0].budget")
///     .with_suggestion("raise the budget, or choose another product");
/// assert_eq!(error.recovery().as_str(), "correctable");
/// ```
///
/// Spec: `core/error.json`.
#[derive(Debug, Clone, PartialEq)]
pub struct AdcpError(Box<Fields>);

#[derive(Debug, Clone, PartialEq)]
struct Fields {
    code: ErrorCode,
    message: String,
    recovery: Option<Recovery>,
    field: Option<String>,
    suggestion: Option<String>,
    retry_after: Option<Duration>,
    details: Option<JsonObject>,
    issues: Vec<Issue>,
}

/// One place in a request that a schema refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Issue {
    /// RFC 6901 pointer into the request.
    pub pointer: String,
    /// What was expected there.
    pub message: String,
    /// The JSON Schema keyword that refused it.
    pub keyword: String,
    /// Where that keyword stands, from the schema's file on.
    pub schema_path: Option<String>,
}

impl Issue {
    /// An issue at `pointer`.
    #[must_use]
    pub fn new(pointer: impl Into<String>, message: impl Into<String>, keyword: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into(), keyword: keyword.into(), schema_path: None }
    }

    /// Names the refusing keyword's place in the schema.
    #[must_use]
    pub fn with_schema_path(mut self, path: impl Into<String>) -> Self {
        self.schema_path = Some(path.into());
        self
    }
}

impl AdcpError {
    /// An error with `code`, and `message` for people: no secrets, hosts, SQL or ids of others.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Fields {
            code,
            message: message.into(),
            recovery: None,
            field: None,
            suggestion: None,
            retry_after: None,
            details: None,
            issues: Vec::new(),
        }))
    }

    /// `INVALID_REQUEST` with one issue per refused place; `field` follows the first.
    #[must_use]
    pub fn from_issues(issues: Vec<Issue>) -> Self {
        let mut error = match issues.first() {
            Some(first) => {
                let field = field_path(&first.pointer);
                let place = if field.is_empty() { "the request".to_owned() } else { format!("`{field}`") };
                let error = Self::new(ErrorCode::INVALID_REQUEST, format!("{place}: {}", first.message));
                if field.is_empty() { error } else { error.with_field(field) }
            }
            None => Self::new(ErrorCode::INVALID_REQUEST, "the request is not valid"),
        };
        error.0.suggestion = Some("correct the named fields and send the request again".to_owned());
        error.0.issues = issues;
        error
    }

    /// An error about one field, with words that would help.
    fn about(code: ErrorCode, field: impl Into<String>, message: impl Into<String>, help: &str) -> Self {
        Self::new(code, message).with_field(field).with_suggestion(help)
    }

    /// Sets the refused places, and nothing else.
    pub(crate) fn with_issues(mut self, issues: Vec<Issue>) -> Self {
        self.0.issues = issues;
        self
    }

    /// Names the request field at fault, like `packages[0].budget`.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// Says what would help.
    #[must_use]
    pub fn with_suggestion(mut self, suggestion: impl Into<String>) -> Self {
        self.0.suggestion = Some(suggestion.into());
        self
    }

    /// Overrides the recovery class that the code implies.
    #[must_use]
    pub fn with_recovery(mut self, recovery: Recovery) -> Self {
        self.0.recovery = Some(recovery);
        self
    }

    /// Tells the buyer how long to wait; written as whole seconds from 1 to 3600.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Adds structured details, one field at a time.
    #[must_use]
    pub fn with_detail(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.details.get_or_insert_default().insert(name.into(), value.into());
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &ErrorCode {
        &self.0.code
    }

    /// The words for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The field at fault, if one is.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// What would help, if anything is known to.
    #[must_use]
    pub fn suggestion(&self) -> Option<&str> {
        self.0.suggestion.as_deref()
    }

    /// How long to wait before trying again, if that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The structured details, if any.
    #[must_use]
    pub fn details(&self) -> Option<&JsonObject> {
        self.0.details.as_ref()
    }

    /// Changes the details, if there are any.
    #[must_use]
    pub fn map_details(mut self, change: impl FnOnce(&mut JsonObject)) -> Self {
        if let Some(details) = &mut self.0.details {
            change(details);
        }
        self
    }

    /// The refused places, if a schema refused the request.
    #[must_use]
    pub fn issues(&self) -> &[Issue] {
        &self.0.issues
    }

    /// What the buyer can do: the override, else what the code implies, else transient.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        self.0.recovery.clone().or_else(|| self.0.code.recovery()).unwrap_or(Recovery::Transient)
    }

    /// Reads the wire form; `None` without a code and a message.
    ///
    /// Fields that are no text where they should be are left out: whoever wrote the error meant one.
    ///
    /// Spec: `core/error.json`.
    #[must_use]
    pub fn from_json(wire: &JsonObject) -> Option<Self> {
        let text = |name: &str| wire.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut error = Self::new(ErrorCode::from(text("code")?), text("message")?);
        error.0.recovery = text("recovery").map(Recovery::from).filter(|said| error.recovery() != *said);
        error.0.field = text("field");
        error.0.suggestion = text("suggestion");
        let wait = wire.get("retry_after").and_then(Value::as_f64).filter(|seconds| *seconds >= 0.0);
        error.0.retry_after = wait.map(|seconds| Duration::from_secs_f64(seconds.min(3600.0)));
        error.0.details = wire.get("details").and_then(Value::as_object).cloned();
        Some(error)
    }

    /// The wire form, at most 4,096 bytes: issues are dropped from the end, then details, then words.
    ///
    /// Spec: `core/error.json`.
    #[must_use]
    pub fn to_json(&self) -> JsonObject {
        let f = &self.0;
        let mut out = JsonObject::new();
        out.insert("code".into(), f.code.as_str().into());
        out.insert("message".into(), cut(&f.message, 1024).into());
        out.insert("recovery".into(), self.recovery().as_str().into());
        if let Some(field) = &f.field {
            out.insert("field".into(), cut(field, 512).into());
        }
        if let Some(suggestion) = &f.suggestion {
            out.insert("suggestion".into(), cut(suggestion, 512).into());
        }
        if let Some(wait) = f.retry_after {
            let whole = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
            out.insert("retry_after".into(), whole.clamp(1, 3600).into());
        }
        if let Some(details) = &f.details {
            out.insert("details".into(), Value::Object(details.clone()));
        }
        let mut issues: Vec<Value> = f.issues.iter().map(Issue::to_json).collect();
        while !issues.is_empty() {
            out.insert("issues".into(), Value::Array(issues.clone()));
            if size(&out) <= MAX_BYTES {
                return out;
            }
            issues.pop();
            out.remove("issues");
        }
        if size(&out) > MAX_BYTES {
            out.remove("details");
        }
        if size(&out) > MAX_BYTES {
            out.remove("suggestion");
            out.remove("field");
            out.insert("message".into(), cut(&f.message, 256).into());
        }
        out
    }
}

impl Issue {
    fn to_json(&self) -> Value {
        let mut out = json!({ "pointer": self.pointer, "message": self.message, "keyword": self.keyword });
        if let Some(path) = &self.schema_path {
            out["schemaPath"] = path.as_str().into();
        }
        out
    }
}

impl fmt::Display for AdcpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.0.message)
    }
}

impl std::error::Error for AdcpError {}

fn size(object: &JsonObject) -> usize {
    serde_json::to_vec(object).map_or(usize::MAX, |bytes| bytes.len())
}

fn cut(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Turns `/packages/0/budget` into `packages[0].budget`.
#[must_use]
pub fn field_path(pointer: &str) -> String {
    let mut out = String::new();
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        if !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit()) {
            out.push_str(&format!("[{segment}]"));
        } else {
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(&segment);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_become_field_paths() {
        let cases =
            [("/packages/0/budget", "packages[0].budget"), ("", ""), ("/a~1b/c", "a/b.c"), ("/0/x", "[0].x")];
        for (pointer, want) in cases {
            assert_eq!(field_path(pointer), want);
        }
    }

    #[test]
    fn the_wire_form_fits_what_clients_read() {
        let issues =
            (0..400).map(|i| Issue::new(format!("/packages/{i}/budget"), "expected a number", "type"));
        let error = AdcpError::from_issues(issues.collect()).with_detail("note", "x");
        let wire = error.to_json();
        assert!(size(&wire) <= MAX_BYTES);
        assert_eq!(wire["field"], "packages[0].budget");
        assert_eq!(wire["issues"][0]["pointer"], "/packages/0/budget");
        let long =
            AdcpError::new(ErrorCode::INVALID_REQUEST, "é".repeat(5000)).with_detail("x", "y".repeat(9000));
        assert!(size(&long.to_json()) <= MAX_BYTES);
    }

    #[test]
    fn retry_after_is_whole_seconds_in_range() {
        for (wait, want) in
            [(Duration::from_millis(1), 1), (Duration::from_millis(1500), 2), (Duration::MAX, 3600)]
        {
            let wire = AdcpError::unavailable().with_retry_after(wait).to_json();
            assert_eq!(wire["retry_after"], want);
        }
    }
}
