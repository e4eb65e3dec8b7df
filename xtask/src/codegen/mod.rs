//! Turns the pinned schema bundle into Rust.
//!
//! `load -> fixups -> lower (merge, choose, name) -> emit`: a pure function of the schemas, `names.lock`, `overrides.toml` and `docs.toml`.

mod arms;
mod bundle;
mod by_schema;
mod emit;
mod facts;
mod features;
mod fixups;
mod flat;
mod keywords;
mod lock;
mod lower;
mod model;
mod names;
mod overlay;
mod overrides;
mod routes;
mod samples;
mod sig;
mod size;
mod tools;
mod words;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use bundle::Bundle;
use emit::Emit;
use lock::Lock;
use lower::Lower;
use model::Kind;
use overlay::Overlay;
use overrides::Overrides;

/// Generated files by path below `src/generated/`.
pub(crate) type Output = BTreeMap<String, String>;

/// The version this workspace is pinned to.
const PINNED: &str = "3.1.0-rc.9";

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
    match (schemas, out) {
        (None, None) => pinned(root, check),
        (Some(schemas), Some(out)) if !check => other(root, &schemas, &out),
        _ => bail!("either nothing, or --check, or both --schemas DIR and --out DIR"),
    }
}

/// The version of this workspace.
fn pinned(root: &Path, check: bool) -> Result<()> {
    let lock_path = root.join("xtask/codegen/names.lock");
    let lock = Lock::load(&lock_path)?;
    let overrides = Overrides::load(&root.join("xtask/codegen/overrides.toml"))?;
    let overlay = Overlay::load(&root.join("xtask/codegen/docs.toml"))?;
    let mut bundle = Bundle::load(&root.join("schemas").join(PINNED))?;
    fixups::apply(&mut bundle)?;
    let made = generate(&bundle, &lock, &overrides, &overlay)?;
    let unused: Vec<String> = overrides.unused().into_iter().chain(overlay.unused()).collect();
    if !unused.is_empty() {
        bail!("entries of overrides.toml or docs.toml that fit nothing:\n{}", unused.join("\n"));
    }
    let target = root.join("crates/adcp-types/src/generated");
    // What `adcp-decisioning` and `docs/` get from the same manifest.
    let mut routes = routes::pinned(root, &bundle)?;
    let samples = samples::text(&bundle, &root.join("schemas").join(PINNED))?;
    routes.push((samples::PATH.to_owned(), samples));
    crate::schemas::embed(root, check)?;
    if check {
        let mut differences = write::differences(&target, &made.files)?;
        let there = std::fs::read_to_string(&lock_path)?;
        let text = made.lock.text();
        if there != text {
            differences.push(format!(
                "changed: xtask/codegen/names.lock, {}",
                write::first_difference(&there, &text)
            ));
        }
        for (path, text) in &routes {
            let there = std::fs::read_to_string(root.join(path)).unwrap_or_default();
            if there != *text {
                differences.push(format!("changed: {path}, {}", write::first_difference(&there, text)));
            }
        }
        if !differences.is_empty() {
            bail!(
                "{} files are not what the schemas say; run `cargo xtask codegen`:\n{}",
                differences.len(),
                differences.join("\n")
            );
        }
        println!("{} files are what the schemas say", made.files.len());
        return Ok(());
    }
    std::fs::write(&lock_path, made.lock.text())?;
    for (path, text) in &routes {
        std::fs::write(root.join(path), text)?;
    }
    let changed = write::write(&target, &made.files)?;
    println!("{} files, {changed} changed", made.files.len());
    Ok(())
}

/// Another version, as a crate of its own.
fn other(root: &Path, schemas: &Path, out: &Path) -> Result<()> {
    let beside = schemas.join("names.lock");
    let lock = if beside.exists() { Lock::load(&beside)? } else { Lock::default() };
    let overrides = Overrides::load(&root.join("xtask/codegen/overrides.toml"))?;
    let mut bundle = Bundle::load(schemas)?;
    fixups::apply_where_possible(&mut bundle);
    let made = generate(&bundle, &lock, &overrides, &Overlay::default())?;
    write::write_crate(
        out,
        &root.join("crates/adcp-types/src"),
        &bundle.version,
        &made.features,
        &made.files,
    )?;
    std::fs::write(out.join("names.lock"), made.lock.text())?;
    println!("AdCP {}: {} files in {}", bundle.version, made.files.len(), out.display());
    Ok(())
}

/// What the schema tree at `schemas` becomes, by path below `src/generated/`: no lock, no overrides.
///
/// # Errors
///
/// Whatever needs a decision, all at once.
pub fn files(schemas: &Path) -> Result<BTreeMap<String, String>> {
    Ok(generate(&Bundle::load(schemas)?, &Lock::default(), &Overrides::default(), &Overlay::default())?.files)
}

/// What one run makes.
struct Made {
    files: Output,
    lock: Lock,
    features: BTreeSet<String>,
}

/// Rust for a bundle.
fn generate(bundle: &Bundle, lock: &Lock, overrides: &Overrides, overlay: &Overlay) -> Result<Made> {
    let tools = tools::tools(bundle);
    let responses: BTreeSet<String> = tools.iter().map(|tool| tool.response.clone()).collect();
    let mut lower = Lower::new(bundle, lock, overrides, responses);
    lower.all()?;
    let (mut types, roots, mut problems) = (lower.types, lower.roots, lower.problems);
    problems.extend(keywords::unknown(bundle));
    names::settle(&mut types, lock, &mut problems);
    same_async_arms(&mut types);
    size::settle(&mut types, lock);
    if !problems.is_empty() {
        bail!("{} places need a decision:\n{}", problems.len(), problems.join("\n"));
    }
    let gates = BTreeMap::new();
    let none = BTreeMap::new();
    let mut emit =
        Emit { bundle, types: &types, roots: &roots, overlay, overrides, outcomes: &none, gates: &gates };
    let outcomes = tools::outcomes(&emit, &tools);
    let paths: Vec<&str> = bundle.files.keys().map(String::as_str).collect();
    let features = features::features(&paths, &types, &tools, &outcomes);
    emit.outcomes = &outcomes;
    emit.gates = &features.gates;
    let mut files = emit.all();
    files.insert("by_schema.rs".to_owned(), by_schema::table(&emit));
    files.insert("tool_table.rs".to_owned(), tools::table(bundle, &tools, &emit)?);
    files.insert("protocols.rs".to_owned(), tools::protocols(&tools, &emit));
    files.insert("error_codes.rs".to_owned(), tools::error_codes(bundle, &emit));
    files.insert("version.rs".to_owned(), tools::version(bundle, &emit));
    let top = top(&emit, &files);
    files.insert("mod.rs".to_owned(), top);
    Ok(Made { files, lock: lock.frozen(&types), features: features.names })
}

/// The module above all folders.
fn top(emit: &Emit<'_>, files: &Output) -> String {
    let mut text = emit.head("the bundle");
    text.push_str("//! Types of the schemas, one module per schema file, mirroring the tree.\n\n");
    text.push_str(
        "#![allow(clippy::all, clippy::exhaustive_enums, clippy::needless_pass_by_value, clippy::use_self, reason = \"generated\")]\n\n",
    );
    let folders: BTreeSet<&str> =
        files.keys().filter_map(|path| path.split_once('/')).map(|(folder, _)| folder).collect();
    for name in folders {
        let _ = writeln!(text, "pub mod {name};");
    }
    text.push_str("\n#[cfg(feature = \"schema-table\")]\npub mod by_schema;\n");
    text.push_str("\npub(crate) mod error_codes;\npub(crate) mod protocols;\npub(crate) mod tool_table;\npub(crate) mod version;\n");
    text
}

/// A message of a task that a response declares as its own arm too is one type, the arm.
fn same_async_arms(types: &mut [model::TypeDef]) {
    let folder = |file: &str| file.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    for id in 0..types.len() {
        if !types[id].root || !matches!(types[id].kind, Kind::Struct(_)) {
            continue;
        }
        let twin = types.iter().position(|other| {
            other.root_arm
                && other.name == types[id].name
                && folder(&other.loc.file) == folder(&types[id].loc.file)
        });
        match twin {
            Some(twin) if same_shape(&types[twin], &types[id]) => types[id].kind = Kind::Same(twin),
            Some(_) => {
                let stem =
                    types[id].loc.file.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
                types[id].name = words::pascal(&stem.replace("-async-response", "-async"));
            }
            None => {}
        }
    }
}

/// Whether two structs hold the same fields.
fn same_shape(a: &model::TypeDef, b: &model::TypeDef) -> bool {
    let (Kind::Struct(a), Kind::Struct(b)) = (&a.kind, &b.kind) else { return false };
    let fields = |inner: &model::StructDef| -> Vec<(String, model::Ty, bool)> {
        inner.fields.iter().map(|field| (field.wire.clone(), field.ty.clone(), field.required)).collect()
    };
    fields(a) == fields(b) && a.consts == b.consts
}
