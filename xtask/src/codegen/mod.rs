//! Turns the pinned schema bundle into Rust.

mod arms;
mod bundle;
mod emit;
mod facts;
mod flat;
mod lock;
mod lower;
mod model;
mod names;
mod overrides;
mod routes;
mod sig;
mod size;
mod tools;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use bundle::Bundle;
use emit::Emit;
use lock::Lock;
use lower::Lower;
use model::Kind;
use overrides::Overrides;

/// Generated files by path below `src/generated/`.
pub(crate) type Output = BTreeMap<String, String>;

/// Runs the subcommand with the arguments that follow its name.
///
/// # Errors
///
/// Whatever stopped it, in words for the person at the terminal.
pub fn run(args: &[String]) -> Result<()> {
    let mut check = false;
    let mut schemas: Option<PathBuf> = None;
    let mut out: Option<PathBuf> = None;
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--check" => check = true,
            "--schemas" => schemas = rest.next().map(PathBuf::from),
            "--out" => out = rest.next().map(PathBuf::from),
            other => bail!("unknown argument `{other}`"),
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lives in the workspace")?;
    let dir = schemas.clone().unwrap_or_else(|| root.join("schemas/3.1.0-rc.9"));
    let lock = root.join("xtask/codegen/names.lock");
    // What `adcp-decisioning` and `docs/` get from the same manifest; only for the pinned version.
    let routes = if schemas.is_none() && out.is_none() { routes::pinned(root, &dir)? } else { Vec::new() };
    let (made, frozen) = generate(&dir, &lock, &root.join("xtask/codegen/overrides.toml"))?;
    std::fs::write(&lock, frozen.text())?;
    for (path, text) in &routes {
        std::fs::write(root.join(path), text)?;
    }
    let target = out.unwrap_or_else(|| root.join("crates/adcp-types")).join("src/generated");
    if check {
        bail!("not yet");
    }
    write(&target, &made)
}

fn write(target: &Path, made: &Output) -> Result<()> {
    if target.exists() {
        std::fs::remove_dir_all(target)?;
    }
    for (path, text) in made {
        let path = target.join(path);
        std::fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        std::fs::write(path, text)?;
    }
    println!("{} files in {}", made.len(), target.display());
    Ok(())
}

/// Rust for the schema tree at `dir`.
fn generate(dir: &Path, lock: &Path, overrides: &Path) -> Result<(Output, Lock)> {
    let bundle = Bundle::load(dir)?;
    let lock = Lock::load(lock)?;
    let overrides = Overrides::load(overrides)?;
    let tools = tools::tools(&bundle);
    let responses: BTreeSet<String> = tools.iter().map(|tool| tool.response.clone()).collect();
    let mut lower = Lower::new(&bundle, &lock, &overrides, responses);
    lower.all()?;
    let (mut types, roots, mut problems) = (lower.types, lower.roots, lower.problems);
    names::settle(&mut types, &lock, &mut problems);
    same_async_arms(&mut types);
    size::settle(&mut types, &lock);
    if !problems.is_empty() {
        bail!("{} places need a decision:\n{}", problems.len(), problems.join("\n"));
    }
    let gates = BTreeMap::new();
    let none = BTreeMap::new();
    let mut emit = Emit {
        bundle: &bundle,
        types: &types,
        roots: &roots,
        overrides: &overrides,
        outcomes: &none,
        gates: &gates,
    };
    let outcomes = tools::outcomes(&emit, &tools);
    emit.outcomes = &outcomes;
    let mut out = emit.all();
    out.insert("tool_table.rs".to_owned(), tools::table(&bundle, &tools, &emit)?);
    out.insert("protocols.rs".to_owned(), tools::protocols(&tools, &emit));
    out.insert("error_codes.rs".to_owned(), tools::error_codes(&bundle, &emit));
    out.insert("version.rs".to_owned(), tools::version(&bundle, &emit));
    let mut text = emit.head("the bundle");
    text.push_str("//! Types of the schemas, one module per schema file, mirroring the tree.\n\n");
    text.push_str("#![allow(clippy::all, clippy::use_self, clippy::needless_pass_by_value, clippy::exhaustive_enums, reason = \"generated\")]\n\n");
    let mut mods: BTreeSet<String> =
        out.keys().filter_map(|path| path.split_once('/')).map(|(folder, _)| folder.to_owned()).collect();
    mods.remove("");
    for name in &mods {
        let _ = writeln!(text, "pub mod {name};");
    }
    text.push_str("\npub(crate) mod error_codes;\npub(crate) mod protocols;\npub(crate) mod tool_table;\npub(crate) mod version;\n");
    out.insert("mod.rs".to_owned(), text);
    Ok((out, lock.frozen(&types)))
}

/// A message of a task that a response declares as its own arm too is one type, the arm.
fn same_async_arms(types: &mut [model::TypeDef]) {
    for id in 0..types.len() {
        if !types[id].root || !matches!(types[id].kind, Kind::Struct(_)) {
            continue;
        }
        let folder = |file: &str| file.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        let twin = (0..types.len()).find(|other| {
            let other = &types[*other];
            other.root_arm
                && other.name == types[id].name
                && folder(&other.loc.file) == folder(&types[id].loc.file)
        });
        if let Some(twin) = twin {
            types[id].kind = Kind::Same(twin);
        }
    }
}
