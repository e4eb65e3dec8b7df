//! Writes types as Rust text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::Output;
use super::bundle::{Bundle, Loc};
use super::facts;
use super::model::{Choice, EnumDef, Kind, StructDef, Test, Ty, TypeDef, UnionDef};
use super::overlay::Overlay;
use super::overrides::Overrides;
use super::tools::Outcome;
use super::words::snake;

/// What the text is made from.
pub struct Emit<'a> {
    /// The schemas.
    pub bundle: &'a Bundle,
    /// The types.
    pub types: &'a [TypeDef],
    /// The type of each file.
    pub roots: &'a BTreeMap<String, Ty>,
    /// Sentences of our own.
    pub overlay: &'a Overlay,
    /// Module names.
    pub overrides: &'a Overrides,
    /// Outcome enums by the file of the response.
    pub outcomes: &'a BTreeMap<String, Vec<Outcome>>,
    /// Feature gate by file; absent means always.
    pub gates: &'a BTreeMap<String, Vec<String>>,
}

/// The module path of a schema file.
pub fn module_path(file: &str, overrides: &Overrides) -> Vec<String> {
    let stem = file.trim_end_matches(".json");
    let (folder, name) = stem.rsplit_once('/').unwrap_or(("", stem));
    let mut path: Vec<String> = match overrides.modules.get(folder) {
        Some(name) => vec![name.clone()],
        None => folder.split('/').map(snake).collect(),
    };
    path.push(snake(name));
    path
}

impl Emit<'_> {
    /// All files.
    pub fn all(&self) -> Output {
        let mut out = Output::new();
        let mut by_file: BTreeMap<&str, Vec<&TypeDef>> = BTreeMap::new();
        for def in self.types {
            by_file.entry(&def.loc.file).or_default().push(def);
        }
        let mut folders: BTreeMap<Vec<String>, Vec<(String, String)>> = BTreeMap::new();
        for file in self.bundle.files.keys() {
            let path = module_path(file, self.overrides);
            let mut defs = by_file.remove(file.as_str()).unwrap_or_default();
            defs.sort_by(|a, b| (!a.root, &a.loc.ptr, &a.name).cmp(&(!b.root, &b.loc.ptr, &b.name)));
            let (folder, name) = (path[..path.len() - 1].to_vec(), path[path.len() - 1].clone());
            for depth in 1..=folder.len() {
                folders.entry(folder[..depth].to_vec()).or_default();
            }
            folders.entry(folder).or_default().push((name, file.clone()));
            out.insert(format!("{}.rs", path.join("/")), self.file(file, &defs));
        }
        self.folders(&folders, &mut out);
        out
    }

    fn folders(&self, folders: &BTreeMap<Vec<String>, Vec<(String, String)>>, out: &mut Output) {
        for (folder, files) in folders {
            let mut text = self.head(&format!("{}/", folder.join("/")));
            let place = files
                .first()
                .map(|(_, file)| file.rsplit_once('/').map_or("", |(folder, _)| folder))
                .unwrap_or_default();
            if place.is_empty() {
                let _ = writeln!(
                    text,
                    "//! Types of the schemas at the root of the tree and of folders without files.\n"
                );
            } else {
                let _ = writeln!(text, "//! Types of the schemas below `{place}/`.\n");
            }
            for sub in folders.keys().filter(|sub| sub.len() == folder.len() + 1 && sub.starts_with(folder)) {
                let _ = writeln!(text, "pub mod {};", sub[folder.len()]);
            }
            let mut uses = String::new();
            let mut taken: BTreeSet<&str> = BTreeSet::new();
            let root = |file: &str| self.types.iter().find(|def| def.loc.file == file && def.root);
            for (_, file) in files {
                taken.extend(root(file).map(|def| def.name.as_str()));
            }
            for (name, file) in files {
                let gate = self.gate(file);
                let _ = writeln!(text, "{gate}pub mod {name};");
                let mut names: Vec<&str> = root(file).map(|def| def.name.as_str()).into_iter().collect();
                let arms = self.types.iter().filter(|def| def.loc.file == *file && def.root_arm && !def.root);
                for arm in arms {
                    if taken.insert(&arm.name) {
                        names.push(&arm.name);
                    }
                }
                let outcomes = self.outcomes.get(file).map(Vec::as_slice).unwrap_or_default();
                names.extend(outcomes.iter().map(|outcome| outcome.name.as_str()));
                names.sort_unstable();
                let list =
                    if let [one] = names[..] { one.to_owned() } else { format!("{{{}}}", names.join(", ")) };
                if !names.is_empty() {
                    let _ = writeln!(uses, "{gate}pub use self::{name}::{list};");
                }
            }
            if !uses.is_empty() {
                let _ = write!(text, "\n{uses}");
            }
            out.insert(format!("{}/mod.rs", folder.join("/")), text);
        }
    }

    /// The `cfg` line of a file, or nothing.
    pub fn gate(&self, file: &str) -> String {
        match self.gates.get(file).map(Vec::as_slice) {
            None => String::new(),
            Some([one]) => format!("#[cfg(feature = \"{one}\")]\n"),
            Some(many) => {
                let list: Vec<String> = many.iter().map(|one| format!("feature = \"{one}\"")).collect();
                format!("#[cfg(any({}))]\n", list.join(", "))
            }
        }
    }

    /// The first line of every generated file.
    pub fn head(&self, source: &str) -> String {
        format!(
            "// @generated by cargo xtask codegen from {source} (AdCP {}). Do not edit.\n\n",
            self.bundle.version
        )
    }

    fn file(&self, file: &str, defs: &[&TypeDef]) -> String {
        let mut body = String::new();
        let mut bridged: Vec<&str> = Vec::new();
        for def in defs {
            match &def.kind {
                Kind::Struct(inner) => self.structure(def, inner, &mut body),
                Kind::Enum(inner) => self.vocabulary(def, inner, &mut body),
                Kind::Union(inner) => self.union(def, inner, &mut body),
                Kind::Alias(ty) => {
                    self.type_doc(def, &mut body);
                    let _ = writeln!(body, "pub type {} = {};\n", def.name, self.ty(ty, file));
                }
                Kind::Same(other) => {
                    let other = &self.types[*other];
                    let _ = writeln!(body, "pub use {}::{};\n", self.module_of(&other.loc.file), other.name);
                }
                Kind::Pending => {}
            }
            if matches!(def.kind, Kind::Struct(_) | Kind::Union(_)) {
                bridged.push(&def.name);
            }
        }
        for outcome in self.outcomes.get(file).map(Vec::as_slice).unwrap_or_default() {
            body.push_str(&outcome.text(self, file));
            bridged.push(&outcome.name);
        }
        if !bridged.is_empty() {
            let _ = writeln!(body, "json::bridge! {{ {} }}", bridged.join(", "));
        }
        let mut text = self.head(file);
        let _ = writeln!(text, "//! Types of `{file}`.\n");
        text.push_str(&imports(&body));
        text.push_str(body.trim_end());
        text.push('\n');
        text
    }

    fn module_of(&self, file: &str) -> String {
        format!("crate::{}", module_path(file, self.overrides).join("::"))
    }

    /// The full path of a type as seen from `from`.
    pub fn path(&self, id: usize, from: &str) -> String {
        let def = &self.types[id];
        if def.loc.file == from {
            def.name.clone()
        } else {
            format!("{}::{}", self.module_of(&def.loc.file), def.name)
        }
    }

    /// A type as Rust text.
    pub fn ty(&self, ty: &Ty, from: &str) -> String {
        match ty {
            Ty::Text => "String".to_owned(),
            Ty::Number => "f64".to_owned(),
            Ty::Integer => "i64".to_owned(),
            Ty::Bool => "bool".to_owned(),
            Ty::Any => "Value".to_owned(),
            Ty::Object => "JsonObject".to_owned(),
            Ty::List(item) => format!("Vec<{}>", self.ty(item, from)),
            Ty::Map(item) => format!("BTreeMap<String, {}>", self.ty(item, from)),
            Ty::Loose(item) => format!("Loose<{}>", self.ty(item, from)),
            Ty::Nullable(item) => format!("Option<{}>", self.ty(item, from)),
            Ty::Named(id) => self.path(*id, from),
        }
    }

    fn type_doc(&self, def: &TypeDef, out: &mut String) {
        for line in facts::of_type(self.bundle, self.overlay, def) {
            let _ = writeln!(out, "///{}{line}", if line.is_empty() { "" } else { " " });
        }
    }

    fn structure(&self, def: &TypeDef, inner: &StructDef, out: &mut String) {
        let (name, file) = (&def.name, &def.loc.file);
        let required: Vec<_> = inner
            .order
            .iter()
            .filter_map(|wire| inner.fields.iter().find(|field| field.wire == *wire))
            .collect();
        self.type_doc(def, out);
        let _ = writeln!(
            out,
            "#[derive(Clone)]
#[non_exhaustive]
pub struct {name} {{"
        );
        let mut optional_types = BTreeMap::new();
        for field in &inner.fields {
            for line in facts::of_field(self.bundle, self.overlay, def, field) {
                let _ = writeln!(out, "    ///{}{line}", if line.is_empty() { "" } else { " " });
            }
            let inner = match (&field.ty, field.required) {
                (Ty::Nullable(item), false) => format!("Nullable<{}>", self.ty(item, file)),
                (ty, _) => self.ty(ty, file),
            };
            let held = if field.boxed { format!("Box<{inner}>") } else { inner.clone() };
            let full = if field.required { held } else { format!("Option<{held}>") };
            optional_types.insert(&field.wire, inner);
            let _ = writeln!(out, "    pub {}: {full},", field.ident);
        }
        let _ = writeln!(
            out,
            "    /// Fields this version does not know, kept and written back.\n    pub extra: JsonObject,\n}}\n"
        );

        // new
        let mut sets: Vec<String> = Vec::new();
        for field in &inner.fields {
            let ident = &field.ident;
            sets.push(match (field.required, field.boxed) {
                (false, _) => format!("{ident}: None"),
                (true, true) => format!("{ident}: Box::new({ident})"),
                (true, false) if field.ty == Ty::Text => format!("{ident}: {ident}.into()"),
                (true, false) => ident.clone(),
            });
        }
        sets.push("extra: JsonObject::new()".to_owned());
        let _ = writeln!(out, "impl {name} {{");
        let doc = if required.is_empty() { "An empty value." } else { "A value with the required fields." };
        let _ = writeln!(out, "    /// {doc}");
        let args: Vec<String> = required
            .iter()
            .map(|field| {
                let ty = &optional_types[&field.wire];
                format!("{}: {}", field.ident, if field.ty == Ty::Text { "impl Into<String>" } else { ty })
            })
            .collect();
        wrapped(out, "    ", "pub fn new(", &args, ") -> Self {");
        wrapped(out, "        ", "Self { ", &sets, " }");
        let _ = writeln!(out, "    }}\n}}\n");
        if required.is_empty() {
            let _ = writeln!(
                out,
                "impl Default for {name} {{\n    fn default() -> Self {{\n        Self::new()\n    }}\n}}\n"
            );
        }

        // setters
        let optional: Vec<_> = inner.fields.iter().filter(|field| !field.required).collect();
        if !optional.is_empty() {
            let of = |pick: &dyn Fn(&&&super::model::Field) -> bool, typed: bool| -> Vec<String> {
                optional
                    .iter()
                    .filter(pick)
                    .map(|field| {
                        if typed {
                            format!(
                                "{} {}: {}",
                                setter(&field.ident),
                                field.ident,
                                optional_types[&field.wire]
                            )
                        } else {
                            format!("{} {}", setter(&field.ident), field.ident)
                        }
                    })
                    .collect()
            };
            let _ = writeln!(out, "json::setters! {{\n    {name}");
            for (kind, list) in [
                ("text", of(&|field| field.ty == Ty::Text, false)),
                ("plain", of(&|field| field.ty != Ty::Text && !field.boxed, true)),
                ("boxed", of(&|field| field.boxed, true)),
            ] {
                if !list.is_empty() {
                    let _ = writeln!(out, "    {kind} {{");
                    for entry in list {
                        let _ = writeln!(out, "        {entry},");
                    }
                    let _ = writeln!(out, "    }}");
                }
            }
            let _ = writeln!(out, "}}\n");
        }

        // decode
        let _ = writeln!(
            out,
            "impl FromJson for {name} {{\n    fn from_json(value: Value) -> Result<Self, DecodeError> {{\n        let mut d = Dec::new(value)?;"
        );
        // A field in a box is read as what is in it: `new` makes the box.
        let reads: Vec<String> = required
            .iter()
            .map(|field| match field.ty {
                Ty::Text => format!("d.req::<String>({:?})?", field.wire),
                _ => format!("d.req({:?})?", field.wire),
            })
            .collect();
        wrapped(out, "        ", "let mut s = Self::new(", &reads, ");");
        for (key, value) in &inner.consts {
            let _ = writeln!(out, "        d.{}({key:?}, {});", const_kind(value), const_text(value));
        }
        for field in &optional {
            let call = if matches!(field.ty, Ty::Nullable(_) | Ty::Any) { "opt_null" } else { "opt" };
            let _ = writeln!(out, "        d.{call}({:?}, &mut s.{});", field.wire, field.ident);
        }
        let _ = writeln!(out, "        d.rest(&mut s.extra)?;\n        Ok(s)\n    }}\n}}\n");

        // encode, sorted by wire name
        let count = inner.fields.len() + inner.consts.len();
        let _ = writeln!(out, "impl ToJson for {name} {{\n    fn to_json(&self) -> Value {{");
        let mutable = if count > 0 { "mut " } else { "" };
        let _ = writeln!(out, "        let {mutable}e = Enc::new({count}, &self.extra);");
        let mut lines: BTreeMap<&str, String> = BTreeMap::new();
        for field in &inner.fields {
            let call = if field.required { "req" } else { "opt" };
            lines.insert(&field.wire, format!("e.{call}({:?}, &self.{});", field.wire, field.ident));
        }
        for (key, value) in &inner.consts {
            lines.insert(key, format!("e.{}({key:?}, {});", const_kind(value), const_text(value)));
        }
        for line in lines.values() {
            let _ = writeln!(out, "        {line}");
        }
        let _ = writeln!(out, "        e.done()\n    }}\n}}\n");
    }

    fn vocabulary(&self, def: &TypeDef, inner: &EnumDef, out: &mut String) {
        let _ = writeln!(out, "json::string_enum! {{");
        for line in facts::of_type(self.bundle, self.overlay, def) {
            let _ = writeln!(out, "    ///{}{line}", if line.is_empty() { "" } else { " " });
        }
        let _ = writeln!(out, "    {}, {} {{", def.name, inner.other);
        for (variant, value) in &inner.values {
            let _ =
                writeln!(out, "        /// `{}`.\n        {variant} = {value:?},", value.replace('`', "'"));
        }
        let _ = writeln!(out, "    }}\n}}\n");
    }

    fn union(&self, def: &TypeDef, inner: &UnionDef, out: &mut String) {
        let (name, file) = (&def.name, &def.loc.file);
        self.type_doc(def, out);
        let _ = writeln!(out, "#[derive(Clone)]\n#[non_exhaustive]\npub enum {name} {{");
        for arm in &inner.arms {
            let ty = self.ty(&arm.ty, file);
            let held = if arm.boxed { format!("Box<{ty}>") } else { ty };
            let _ =
                writeln!(out, "    /// {}\n    {}({held}),", facts::of_arm(arm, &inner.choice), arm.variant);
        }
        let _ = writeln!(
            out,
            "    /// A shape this version does not know, kept as it came.\n    Unrecognized(Value),\n}}\n"
        );

        let _ = writeln!(
            out,
            "impl {name} {{\n    /// The arm's name.\n    pub fn arm(&self) -> &'static str {{\n        match self {{"
        );
        for arm in &inner.arms {
            let _ = writeln!(out, "            Self::{0}(_) => {0:?},", arm.variant);
        }
        let _ =
            writeln!(out, "            Self::Unrecognized(_) => \"Unrecognized\",\n        }}\n    }}\n}}\n");

        let _ = writeln!(
            out,
            "impl FromJson for {name} {{\n    fn from_json(value: Value) -> Result<Self, DecodeError> {{"
        );
        match &inner.choice {
            Choice::Tag(key) => {
                let _ = writeln!(out, "        match json::tag(&value, {key:?}) {{");
                for arm in &inner.arms {
                    let tags: Vec<String> =
                        arm.tags.iter().filter_map(Value::as_str).map(|tag| format!("{tag:?}")).collect();
                    let _ = writeln!(
                        out,
                        "            Some({}) => FromJson::from_json(value).map(Self::{}),",
                        tags.join(" | "),
                        arm.variant
                    );
                }
                let _ = writeln!(out, "            _ => Ok(Self::Unrecognized(value)),\n        }}");
            }
            Choice::Flag(key) => {
                let _ = writeln!(out, "        match json::tag_flag(&value, {key:?}) {{");
                for arm in &inner.arms {
                    for tag in arm.tags.iter().filter_map(Value::as_bool) {
                        let _ = writeln!(
                            out,
                            "            Some({tag}) => FromJson::from_json(value).map(Self::{}),",
                            arm.variant
                        );
                    }
                }
                let _ = writeln!(out, "            None => Ok(Self::Unrecognized(value)),\n        }}");
            }
            Choice::Tests => {
                let mut arms: Vec<_> = inner.arms.iter().collect();
                arms.sort_by_key(|arm| arm.order);
                for arm in arms {
                    let tests: Vec<String> = arm.tests.iter().map(test).collect();
                    let _ = writeln!(
                        out,
                        "        if json::passes(&value, &[{}]) {{\n            return FromJson::from_json(value).map(Self::{});\n        }}",
                        tests.join(", "),
                        arm.variant
                    );
                }
                let _ = writeln!(out, "        Ok(Self::Unrecognized(value))");
            }
        }
        let _ = writeln!(out, "    }}\n}}\n");

        let _ = writeln!(
            out,
            "impl ToJson for {name} {{\n    fn to_json(&self) -> Value {{\n        match self {{"
        );
        for arm in &inner.arms {
            let _ = writeln!(out, "            Self::{}(inner) => inner.to_json(),", arm.variant);
        }
        let _ = writeln!(
            out,
            "            Self::Unrecognized(value) => value.clone(),\n        }}\n    }}\n}}\n"
        );
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for arm in &inner.arms {
            let ty = self.ty(&arm.ty, file);
            let once = inner.arms.iter().filter(|other| other.ty == arm.ty).count() == 1;
            if once && matches!(arm.ty, Ty::Named(_)) && seen.insert(ty.clone()) {
                let value = if arm.boxed { "Box::new(inner)" } else { "inner" };
                let _ = writeln!(
                    out,
                    "impl From<{ty}> for {name} {{\n    fn from(inner: {ty}) -> Self {{\n        Self::{}({value})\n    }}\n}}\n",
                    arm.variant
                );
            }
        }
    }
}

fn setter(ident: &str) -> String {
    format!("with_{}", ident.trim_end_matches('_'))
}

fn const_kind(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "flag",
        Value::Number(_) => "whole",
        _ => "text",
    }
}

fn const_text(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

fn test(test: &Test) -> String {
    match test {
        Test::Is(kind) => format!("Test::Is(Kind::{kind})"),
        Test::Has(key) => format!("Test::Has({key:?})"),
        Test::HasKind(key, kind) => format!("Test::HasKind({key:?}, Kind::{kind})"),
        Test::Not(key) => format!("Test::Not({key:?})"),
        Test::Text(key, values) => format!("Test::Text({key:?}, &{values:?})"),
        Test::Flag(key, flag) => format!("Test::Flag({key:?}, {flag})"),
        Test::Whole(key, whole) => format!("Test::Whole({key:?}, {whole})"),
        Test::Items(kind) => format!("Test::Items(Kind::{kind})"),
    }
}

/// One line when it fits, else one item per line.
fn wrapped(out: &mut String, indent: &str, open: &str, items: &[String], close: &str) {
    let line = format!("{indent}{open}{}{close}", items.join(", "));
    if line.len() <= 140 {
        let _ = writeln!(out, "{line}");
        return;
    }
    let _ = writeln!(out, "{indent}{}", open.trim_end());
    for item in items {
        let _ = writeln!(out, "{indent}    {item},");
    }
    let _ = writeln!(out, "{indent}{}", close.trim_start());
}

fn imports(body: &str) -> String {
    let mut out = String::new();
    if body.contains("BTreeMap<") {
        out.push_str("use std::collections::BTreeMap;\n\n");
    }
    let word = |name: &str| {
        body.match_indices(name).any(|(at, _)| {
            let before = body[..at].chars().next_back().unwrap_or(' ');
            let after = body[at + name.len()..].chars().next().unwrap_or(' ');
            !(before.is_alphanumeric() || "_:".contains(before) || after.is_alphanumeric() || after == '_')
        })
    };
    if word("Value") {
        out.push_str("use serde_json::Value;\n\n");
    }
    let mut names: Vec<&str> = [
        "Dec",
        "DecodeError",
        "Enc",
        "FromJson",
        "JsonObject",
        "Kind",
        "Loose",
        "Nullable",
        "Test",
        "ToJson",
    ]
    .into_iter()
    .filter(|name| word(name))
    .collect();
    if body.contains("json::") {
        names.push("self");
    }
    match &names[..] {
        [] => {}
        ["self"] => out.push_str("use crate::json;\n\n"),
        [one] => _ = writeln!(out, "use crate::json::{one};\n"),
        many => _ = writeln!(out, "use crate::json::{{{}}};\n", many.join(", ")),
    }
    out
}

/// `path#pointer` in words.
pub fn spec(loc: &Loc) -> String {
    if loc.ptr.is_empty() { format!("`{}`", loc.file) } else { format!("`{}`, `{}`", loc.file, loc.ptr) }
}
