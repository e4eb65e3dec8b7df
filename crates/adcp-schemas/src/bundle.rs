//! The texts of a bundle and what is found in them.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use serde_json::{Map, Value};

use crate::table::Table;
use crate::{Part, SchemaError, input};

/// Path of the manifest: the bundle's table of tools, error codes and specialisms.
pub const MANIFEST: &str = "manifest.json";

/// The embedded texts: after a line for people, one line per file, path and JSON apart by a tab.
static EMBEDDED: &str = include_str!("generated/bundle.tsv");

/// The text of an embedded file, by its path: a schema's, or [`MANIFEST`].
#[must_use]
pub fn raw(path: &str) -> Option<&'static str> {
    embedded_text(path)
}

/// Paths of all embedded files, sorted.
pub fn paths() -> impl Iterator<Item = &'static str> {
    embedded_lines().iter().map(|(path, _)| *path)
}

/// The schema of a tool's arguments, complete in itself. See [`Bundle::input_schema`].
///
/// # Errors
///
/// [`SchemaError::UnknownTool`] when the manifest has no such tool.
pub fn input_schema(tool: &str) -> Result<Arc<Map<String, Value>>, SchemaError> {
    Bundle::embedded().input_schema(tool)
}

/// The embedded files in the order of their paths.
fn embedded_lines() -> &'static [(&'static str, &'static str)] {
    static LINES: LazyLock<Vec<(&str, &str)>> =
        LazyLock::new(|| EMBEDDED.lines().filter_map(|line| line.split_once('\t')).collect());
    &LINES
}

fn embedded_text(path: &str) -> Option<&'static str> {
    let lines = embedded_lines();
    let index = lines.binary_search_by(|(candidate, _)| (*candidate).cmp(path)).ok()?;
    lines.get(index).map(|(_, text)| *text)
}

/// A set of schemas with their manifest: the embedded one, or another version's.
///
/// Cheap to clone; clones share what has been compiled.
#[derive(Clone, Debug)]
pub struct Bundle {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    files: Arc<Files>,
    table: OnceLock<Option<Table>>,
    inputs: Mutex<BTreeMap<String, Arc<Map<String, Value>>>>,
    #[cfg(feature = "validate")]
    validators: crate::validate::Cache,
}

impl Bundle {
    /// The bundle compiled into this crate.
    #[must_use]
    pub fn embedded() -> &'static Self {
        static EMBEDDED: LazyLock<Bundle> = LazyLock::new(|| Bundle::new(Texts::Embedded));
        &EMBEDDED
    }

    /// A bundle of files by path, in the layout the embedded one has.
    #[must_use]
    pub fn from_files(files: impl IntoIterator<Item = (String, String)>) -> Self {
        Self::new(Texts::Given(files.into_iter().collect()))
    }

    fn new(texts: Texts) -> Self {
        let files = Files {
            texts,
            #[cfg(feature = "validate")]
            parsed: crate::validate::Parsed::default(),
            #[cfg(feature = "validate")]
            leaves: crate::validate::Leaves::default(),
        };
        Self {
            inner: Arc::new(Inner {
                files: Arc::new(files),
                table: OnceLock::new(),
                inputs: Mutex::default(),
                #[cfg(feature = "validate")]
                validators: crate::validate::Cache::default(),
            }),
        }
    }

    /// The text of a file, by its path.
    #[must_use]
    pub fn raw(&self, path: &str) -> Option<&str> {
        self.inner.files.text(path)
    }

    /// Paths of all files, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let (embedded, given) = match &self.inner.files.texts {
            Texts::Embedded => (embedded_lines(), None),
            Texts::Given(files) => (&[][..], Some(files)),
        };
        embedded
            .iter()
            .map(|(path, _)| *path)
            .chain(given.into_iter().flatten().map(|(path, _)| path.as_str()))
    }

    /// Names of the manifest's tools, sorted.
    pub fn tools(&self) -> impl Iterator<Item = &str> {
        self.table().into_iter().flat_map(Table::tools)
    }

    /// Path of the schema for a part of a tool.
    ///
    /// # Errors
    ///
    /// [`SchemaError::UnknownTool`], or [`SchemaError::NoPart`] when the tool has no schema of its own for it.
    pub fn schema_path(&self, tool: &str, part: Part) -> Result<&str, SchemaError> {
        let table = self.table().ok_or_else(|| SchemaError::UnknownTool(tool.to_owned()))?;
        table.path(tool, part)
    }

    /// The schema of a tool's arguments as an MCP `tools/list` shows it: JSON Schema draft-07, complete in itself.
    ///
    /// The root states its dialect and `type: object`, lists all properties, and tolerates others, because
    /// envelope fields travel beside the arguments. What the request schema refers to is under `$defs`, once each.
    /// Conditions between root properties are left out: some model APIs refuse combinators at the root, and
    /// the request validator checks them anyway. Annotations without a meaning for callers are left out too.
    ///
    /// # Errors
    ///
    /// [`SchemaError::UnknownTool`] when the manifest has no such tool.
    pub fn input_schema(&self, tool: &str) -> Result<Arc<Map<String, Value>>, SchemaError> {
        let mut inputs = self.inner.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = inputs.get(tool) {
            return Ok(Arc::clone(schema));
        }
        let path = self.schema_path(tool, Part::Request)?;
        let schema = Arc::new(input::build(&self.inner.files, path)?);
        inputs.insert(tool.to_owned(), Arc::clone(&schema));
        Ok(schema)
    }

    fn table(&self) -> Option<&Table> {
        self.inner.table.get_or_init(|| Table::parse(self.raw(MANIFEST)?)).as_ref()
    }

    #[cfg(feature = "validate")]
    pub(crate) fn files(&self) -> &Arc<Files> {
        &self.inner.files
    }

    #[cfg(feature = "validate")]
    pub(crate) fn validators(&self) -> &crate::validate::Cache {
        &self.inner.validators
    }
}

/// The files of a bundle, and those that were read as JSON so far.
#[derive(Debug)]
pub(crate) struct Files {
    texts: Texts,
    #[cfg(feature = "validate")]
    parsed: crate::validate::Parsed,
    #[cfg(feature = "validate")]
    leaves: crate::validate::Leaves,
}

#[derive(Debug)]
enum Texts {
    Embedded,
    Given(BTreeMap<String, String>),
}

impl Files {
    /// The text of a file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        match &self.texts {
            Texts::Embedded => embedded_text(path),
            Texts::Given(files) => files.get(path).map(String::as_str),
        }
    }

    /// A file as JSON.
    pub(crate) fn parse(&self, path: &str) -> Result<Value, SchemaError> {
        let text = self.text(path).ok_or_else(|| SchemaError::UnknownSchema(path.to_owned()))?;
        serde_json::from_str(text).map_err(|error| SchemaError::unusable(path, error))
    }

    /// Patterns and formats that were compiled for explanations.
    #[cfg(feature = "validate")]
    pub(crate) fn leaves(&self) -> &crate::validate::Leaves {
        &self.leaves
    }

    /// A file as JSON, read once and kept.
    #[cfg(feature = "validate")]
    pub(crate) fn parsed(&self, path: &str) -> Result<Arc<Value>, SchemaError> {
        if let Some(json) = self.parsed.read().unwrap_or_else(PoisonError::into_inner).get(path) {
            return Ok(Arc::clone(json));
        }
        let json = Arc::new(self.parse(path)?);
        let mut parsed = self.parsed.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(parsed.entry(path.to_owned()).or_insert(json)))
    }
}
