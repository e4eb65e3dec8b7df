//! The table from schema path to type, for tests that walk every schema.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::bundle::Loc;
use super::emit::{Emit, module_path};
use super::model::{Kind, Ty};

/// The table as Rust text.
pub fn table(emit: &Emit<'_>) -> String {
    let mut out = emit.head("the bundle");
    out.push_str(
        "//! From schema path to type, for code that walks every schema.\n\nuse serde_json::Value;\n\nuse crate::json::{DecodeError, FromJson, ToJson};\n\n",
    );
    out.push_str("fn rt<T: FromJson + ToJson>(value: Value) -> Result<Value, DecodeError> {\n    T::from_json(value).map(|typed| typed.to_json())\n}\n\n");
    out.push_str("/// Decodes `value` as the type of the schema at `path` and encodes it again; `None` for a path without a type.\n");
    out.push_str("pub fn round_trip(path: &str, value: Value) -> Option<Result<Value, DecodeError>> {\n    Some(match path {\n");
    for (file, ty) in emit.roots {
        let _ = writeln!(
            out,
            "{}        {file:?} => rt::<{}>(value),",
            indent(&emit.gate(file)),
            path(emit, file, ty)
        );
    }
    out.push_str("        _ => return None,\n    })\n}\n\n");
    out.push_str("/// The arm which a value of the union at `place` takes: a schema path, with `#` and a pointer for a union inside a file.\n///\n/// `None` for other places and for values that do not decode.\n");
    out.push_str("pub fn arm(place: &str, value: &Value) -> Option<&'static str> {\n    match place {\n");
    let mut arms = BTreeSet::new();
    let mut unions = BTreeMap::new();
    for def in emit.types {
        let Kind::Union(union) = &def.kind else { continue };
        unions.insert(place(&def.loc), def);
        arms.extend(union.arms.iter().map(|arm| (place(&def.loc), place(&arm.loc), arm.variant.as_str())));
    }
    for (place, def) in &unions {
        let gate = indent(&emit.gate(&def.loc.file));
        let module = module_path(&def.loc.file, emit.overrides).join("::");
        let _ = writeln!(
            out,
            "{gate}        {place:?} => crate::{module}::{}::from_json(value.clone()).ok().map(|union| union.arm()),",
            def.name
        );
    }
    out.push_str("        _ => None,\n    }\n}\n\n");
    out.push_str("/// The arms of all unions: place of the union, place of the arm's schema, name of the arm. Sorted.\npub const ARMS: &[(&str, &str, &str)] = &[\n");
    for (union, arm, name) in &arms {
        let _ = writeln!(out, "    ({union:?}, {arm:?}, {name:?}),");
    }
    out.push_str("];\n\n");
    out.push_str(
        "/// Every path with a type under the features that are on, sorted.\npub const PATHS: &[&str] = &[\n",
    );
    for file in emit.roots.keys() {
        let _ = writeln!(out, "{}    {file:?},", emit.gate(file).replace('#', "    #"));
    }
    out.push_str("];\n");
    out
}

/// A place as the table names it: a path, with a pointer inside a file.
fn place(loc: &Loc) -> String {
    if loc.ptr.is_empty() { loc.file.clone() } else { format!("{}#{}", loc.file, loc.ptr) }
}

fn indent(gate: &str) -> String {
    gate.replace('#', "        #")
}

fn path(emit: &Emit<'_>, file: &str, ty: &Ty) -> String {
    let root = emit.types.iter().find(|def| def.root && def.loc.file == file);
    match root {
        Some(def) => format!("crate::{}::{}", module_path(file, emit.overrides).join("::"), def.name),
        None => emit.ty(ty, ""),
    }
}
