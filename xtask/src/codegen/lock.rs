//! Names that were published once and never change: `names.lock`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::bundle::{Bundle, Loc};
use super::model::{Kind, Ty, TypeDef};
use super::size::field_key;
use super::words::title_ident;

const HEAD: &str =
    "# Frozen names of generated types. `schemas import` writes [titles], `codegen` the rest.\n";

/// The lock file's sections, by `path#pointer`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// Titles of union arms as identifiers.
    pub titles: BTreeMap<String, String>,
    /// Type names.
    pub types: BTreeMap<String, String>,
    /// Names of union arms.
    pub arms: BTreeMap<String, String>,
    /// Order of the arguments of `new`.
    pub new: BTreeMap<String, String>,
    /// Whether a field or arm is boxed.
    pub boxed: BTreeMap<String, String>,
}

impl Lock {
    /// Reads the file; an absent one is empty.
    ///
    /// # Errors
    ///
    /// Lines that are neither section nor entry.
    pub fn load(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    /// Reads the text of a lock file.
    ///
    /// # Errors
    ///
    /// Lines that are neither section nor entry.
    pub fn parse(text: &str) -> Result<Self> {
        let mut lock = Self::default();
        let mut section = String::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with("# ") {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = name.to_owned();
                continue;
            }
            let Some((key, value)) = line.rsplit_once(" = ") else {
                bail!("line {}: expected `key = name`", index + 1)
            };
            let Some(entries) = lock.section(&section) else {
                bail!("line {}: unknown section [{section}]", index + 1)
            };
            entries.insert(key.to_owned(), value.to_owned());
        }
        Ok(lock)
    }

    fn section(&mut self, name: &str) -> Option<&mut BTreeMap<String, String>> {
        match name {
            "titles" => Some(&mut self.titles),
            "types" => Some(&mut self.types),
            "arms" => Some(&mut self.arms),
            "new" => Some(&mut self.new),
            "boxed" => Some(&mut self.boxed),
            _ => None,
        }
    }

    /// The text of the lock file.
    pub fn text(&self) -> String {
        let mut out = HEAD.to_owned();
        for (name, entries) in [
            ("titles", &self.titles),
            ("types", &self.types),
            ("arms", &self.arms),
            ("new", &self.new),
            ("boxed", &self.boxed),
        ] {
            let _ = writeln!(out, "\n[{name}]");
            for (key, value) in entries {
                let _ = writeln!(out, "{key} = {value}");
            }
        }
        out
    }

    /// The lock with all names of `types`; what was frozen stays.
    pub fn frozen(&self, types: &[TypeDef]) -> Self {
        let mut out = self.clone();
        for (id, def) in types.iter().enumerate() {
            let key = def.loc.key();
            if !def.root {
                out.types.entry(key.clone()).or_insert_with(|| def.name.clone());
            }
            let held = |boxed: bool| if boxed { "boxed" } else { "inline" }.to_owned();
            let direct = |ty: &Ty| match ty {
                Ty::Nullable(inner) => matches!(**inner, Ty::Named(_)),
                other => matches!(other, Ty::Named(_)),
            };
            let nominal = |ty: &Ty| {
                let Ty::Named(id) = (if let Ty::Nullable(inner) = ty { &**inner } else { ty }) else {
                    return false;
                };
                direct(ty) && !matches!(types[*id].kind, Kind::Enum(_))
            };
            match &def.kind {
                Kind::Struct(inner) => {
                    if inner.order.len() > 1 {
                        out.new.insert(key, inner.order.join(" "));
                    }
                    for field in inner.fields.iter().filter(|field| nominal(&field.ty)) {
                        let key = field_key(types, id, &field.wire);
                        out.boxed.entry(key).or_insert_with(|| held(field.boxed));
                    }
                }
                Kind::Union(inner) => {
                    for arm in &inner.arms {
                        out.arms.entry(arm.loc.key()).or_insert_with(|| arm.variant.clone());
                        if nominal(&arm.ty) {
                            out.boxed.entry(arm.loc.key()).or_insert_with(|| held(arm.boxed));
                        }
                    }
                }
                _ => {}
            }
        }
        out
    }

    /// The title of an arm: from the lock, or where the tree still has prose, from there.
    pub fn title(&self, bundle: &Bundle, at: &Loc) -> Option<String> {
        self.titles
            .get(&at.key())
            .cloned()
            .or_else(|| title_ident(bundle.get(at).get("title").and_then(Value::as_str)?))
    }

    /// The frozen name of an arm.
    pub fn arm(&self, at: &Loc) -> Option<String> {
        self.arms.get(&at.key()).cloned()
    }
}
