//! Validators: compiled on first use, cached, shared by threads.

mod document;
mod explain;
mod leaf;
mod union;
mod violation;
mod words;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use jsonschema::{Draft, Retrieve, Uri};
use serde_json::Value;

use crate::bundle::Files;
use crate::{Bundle, Part, SchemaError};
pub(crate) use leaf::Leaves;
pub use violation::{MAX_VIOLATIONS, Violation, Violations};

/// The validator for an embedded schema. See [`Bundle::validator`].
///
/// # Errors
///
/// [`SchemaError::UnknownSchema`] when the bundle has no such file.
pub fn validator(path: &str) -> Result<Arc<Validator>, SchemaError> {
    Bundle::embedded().validator(path)
}

/// The validator for a part of a tool. See [`Bundle::tool_validator`].
///
/// # Errors
///
/// [`SchemaError::UnknownTool`], or [`SchemaError::NoPart`] when the tool has no schema of its own for it.
pub fn tool_validator(tool: &str, part: Part) -> Result<Arc<Validator>, SchemaError> {
    Bundle::embedded().tool_validator(tool, part)
}

impl Bundle {
    /// The validator for the schema at `path`, compiled on first use.
    ///
    /// A path may go on with `#` and a JSON pointer to a schema inside the file.
    ///
    /// # Errors
    ///
    /// [`SchemaError::UnknownSchema`] when the bundle has no such file, [`SchemaError::Unusable`] when the
    /// file, or one it refers to, is not a schema.
    pub fn validator(&self, path: &str) -> Result<Arc<Validator>, SchemaError> {
        let (file, _) = path.split_once('#').unwrap_or((path, ""));
        if self.files().text(file).is_none() {
            return Err(SchemaError::UnknownSchema(path.to_owned()));
        }
        self.validators().get(self.files(), path)
    }

    /// Checks one instance without compiling anything: slower than a validator, but nothing is kept.
    ///
    /// # Errors
    ///
    /// [`Inspection::Invalid`] with what is wrong, [`Inspection::NoSchema`] when there is nothing to check against.
    pub fn inspect(&self, path: &str, instance: &Value) -> Result<(), Inspection> {
        let (file, pointer) = path.split_once('#').unwrap_or((path, ""));
        let document = self.files().parsed(file).map_err(Inspection::NoSchema)?;
        if document.pointer(pointer).is_none() {
            return Err(Inspection::NoSchema(SchemaError::UnknownSchema(path.to_owned())));
        }
        let violations = explain::violations(self.files(), path, instance);
        if violations.list.is_empty() { Ok(()) } else { Err(Inspection::Invalid(violations)) }
    }

    /// The validator for a part of a tool, as the manifest says.
    ///
    /// # Errors
    ///
    /// As [`Bundle::schema_path`] and [`Bundle::validator`].
    pub fn tool_validator(&self, tool: &str, part: Part) -> Result<Arc<Validator>, SchemaError> {
        self.validator(self.schema_path(tool, part)?)
    }
}

/// Why [`Bundle::inspect`] did not find an instance valid.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inspection {
    /// There is no schema to check against.
    NoSchema(SchemaError),
    /// The instance violates the schema.
    Invalid(Violations),
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSchema(error) => error.fmt(f),
            Self::Invalid(violations) => violations.fmt(f),
        }
    }
}

impl std::error::Error for Inspection {}

/// A compiled schema. Formats are asserted.
pub struct Validator {
    path: String,
    engine: jsonschema::Validator,
    files: Arc<Files>,
}

impl Validator {
    /// Path of the schema.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the instance is valid. The quickest question to ask.
    #[must_use]
    pub fn is_valid(&self, instance: &Value) -> bool {
        self.engine.is_valid(instance)
    }

    /// Checks the instance and says what is wrong with it.
    ///
    /// # Errors
    ///
    /// The first [`MAX_VIOLATIONS`] violations, never none.
    pub fn validate(&self, instance: &Value) -> Result<(), Violations> {
        if self.engine.is_valid(instance) { Ok(()) } else { Err(self.explain(instance)) }
    }

    #[cold]
    fn explain(&self, instance: &Value) -> Violations {
        explain::explain(&self.files, &self.path, instance)
    }

    fn compile(files: &Arc<Files>, path: &str) -> Result<Self, SchemaError> {
        let unusable = |reason: &dyn fmt::Display| SchemaError::unusable(path, reason);
        let document = document::assemble(files, path).map_err(|error| unusable(&error))?;
        let engine = jsonschema::options()
            .with_draft(Draft::Draft7)
            .with_retriever(Closed)
            .should_validate_formats(true)
            // Draft-07 does not know this one; the schemas use it and mean it.
            .with_format("uuid", leaf::is_uuid)
            .build(&document)
            .map_err(|error| unusable(&error.masked()))?;
        Ok(Self { path: path.to_owned(), engine, files: Arc::clone(files) })
    }
}

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validator").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Refuses addresses: a document is complete before it is compiled.
struct Closed;

impl Retrieve for Closed {
    fn retrieve(&self, _address: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err("an address outside the bundle".into())
    }
}

/// Files that explanations have read so far.
pub(crate) type Parsed = RwLock<HashMap<String, Arc<Value>>>;

type Slot = Arc<OnceLock<Result<Arc<Validator>, SchemaError>>>;

/// The validators of a bundle that were asked for so far.
#[derive(Default)]
pub(crate) struct Cache(Mutex<HashMap<String, Slot>>);

impl Cache {
    /// The validator, compiled by the first who asks; others wait for it.
    fn get(&self, files: &Arc<Files>, path: &str) -> Result<Arc<Validator>, SchemaError> {
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match slots.get(path) {
                Some(slot) => Arc::clone(slot),
                None => Arc::clone(slots.entry(path.to_owned()).or_default()),
            }
        };
        slot.get_or_init(|| Validator::compile(files, path).map(Arc::new)).clone()
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cache")
    }
}
