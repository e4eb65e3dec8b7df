//! Sentences for people about the types they meet first: `docs.toml`, in our own words.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::bundle::Loc;

/// Sentences by `path` or `path#pointer`.
#[derive(Debug, Default)]
pub struct Overlay {
    entries: BTreeMap<String, Entry>,
    used: RefCell<BTreeSet<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    doc: Option<String>,
    #[serde(default)]
    fields: BTreeMap<String, String>,
}

impl Overlay {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// Text that is not of the expected form.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    /// Reads the text of an overlay.
    ///
    /// # Errors
    ///
    /// Text that is not of the expected form.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self { entries: toml::from_str(text)?, used: RefCell::default() })
    }

    fn entry(&self, loc: &Loc) -> Option<&Entry> {
        let key = if loc.ptr.is_empty() { loc.file.clone() } else { loc.key() };
        let entry = self.entries.get(&key)?;
        self.used.borrow_mut().insert(key);
        Some(entry)
    }

    /// What a type is.
    pub fn of_type(&self, loc: &Loc) -> Option<&str> {
        self.entry(loc)?.doc.as_deref()
    }

    /// What a field is, seen from the type it stands in.
    pub fn of_field(&self, loc: &Loc, wire: &str) -> Option<&str> {
        let text = self.entry(loc)?.fields.get(wire)?;
        self.used.borrow_mut().insert(format!("{} {wire}", loc.key()));
        Some(text)
    }

    /// Entries that no type or field asked for.
    pub fn unused(&self) -> Vec<String> {
        let used = self.used.borrow();
        let mut out = Vec::new();
        for (key, entry) in &self.entries {
            if !used.contains(key) {
                out.push(key.clone());
                continue;
            }
            let loc = if key.contains('#') { key.clone() } else { format!("{key}#") };
            out.extend(
                entry.fields.keys().map(|wire| format!("{loc} {wire}")).filter(|key| !used.contains(key)),
            );
        }
        out
    }
}
