//! Decisions no rule can make: `overrides.toml`, each with its reason.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::bundle::Loc;

/// The overrides of one version.
#[derive(Debug, Default)]
pub struct Overrides {
    /// Files whose type is a plain JSON object.
    pub opaque: BTreeSet<String>,
    /// Names of union arms by `path#pointer`.
    pub arms: BTreeMap<String, String>,
    /// Module names by folder.
    pub modules: BTreeMap<String, String>,
    used: RefCell<BTreeSet<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    opaque: Vec<Opaque>,
    #[serde(default)]
    arm: Vec<Arm>,
    #[serde(default)]
    module: Vec<Module>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Opaque {
    path: String,
    #[serde(rename = "reason")]
    _reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arm {
    at: String,
    name: String,
    #[serde(rename = "reason")]
    _reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Module {
    folder: String,
    name: String,
    #[serde(rename = "reason")]
    _reason: String,
}

impl Overrides {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// Text that is not of the expected form; an entry without a reason is one.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    /// Reads the text of an overrides file.
    ///
    /// # Errors
    ///
    /// Text that is not of the expected form.
    pub fn parse(text: &str) -> Result<Self> {
        let file: File = toml::from_str(text)?;
        Ok(Self {
            opaque: file.opaque.into_iter().map(|entry| entry.path).collect(),
            arms: file.arm.into_iter().map(|entry| (entry.at, entry.name)).collect(),
            modules: file.module.into_iter().map(|entry| (entry.folder, entry.name)).collect(),
            used: RefCell::default(),
        })
    }

    /// Whether `file` is a plain JSON object.
    pub fn is_opaque(&self, file: &str) -> bool {
        self.used.borrow_mut().insert(file.to_owned());
        self.opaque.contains(file)
    }

    /// The settled name of an arm.
    pub fn arm(&self, at: &Loc) -> Option<String> {
        let key = at.key();
        let name = self.arms.get(&key).cloned();
        self.used.borrow_mut().insert(key);
        name
    }

    /// Entries that nothing asked for.
    pub fn unused(&self) -> Vec<String> {
        let used = self.used.borrow();
        self.opaque.iter().chain(self.arms.keys()).filter(|key| !used.contains(*key)).cloned().collect()
    }
}
