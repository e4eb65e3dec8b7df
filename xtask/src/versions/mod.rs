//! Proves that neighbouring versions of the protocol only need the generator to be run again.
//!
//! Each version is imported, turned into a crate, checked by the compiler, and what the sampler makes of its
//! schemas goes through the types and back. Not part of CI: it takes minutes and packages from outside.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::sample::{Sampler, read_bundle};

/// The packages and the versions taken from each.
const SOURCES: &[(&str, &[&str])] = &[
    (
        "adcp==6.3.0b8",
        &[
            "3.0",
            "3.1.0-beta.3",
            "3.1.0-beta.4",
            "3.1.0-beta.5",
            "3.1.0-beta.7",
            "3.1.0-rc.2",
            "3.1.0-rc.4",
            "3.1.0-rc.6",
            "3.1.0-rc.8",
        ],
    ),
    ("adcp==9.2.0", &["3.0", "3.1", "3.1.15", "3.2"]),
];

/// Runs the subcommand: `[--only VERSION]... [WHEEL]...`.
///
/// Without wheels, pip fetches them.
///
/// # Errors
///
/// When a version cannot be imported, generated, compiled or round-tripped; the table is printed first.
pub fn run(args: &[String]) -> Result<()> {
    let (mut only, mut wheels) = (Vec::new(), Vec::new());
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--only" => only.push(words.next().context("--only needs a version")?.clone()),
            flag if flag.starts_with("--") => bail!("unknown option `{flag}`"),
            wheel => wheels.push(PathBuf::from(wheel)),
        }
    }
    let work = crate::root().join("target/codegen-versions");
    fs::create_dir_all(&work)?;
    let mut rows = Vec::new();
    for (package, versions) in SOURCES {
        let wanted: Vec<&str> = versions
            .iter()
            .copied()
            .filter(|version| only.is_empty() || only.iter().any(|one| one == version))
            .collect();
        if wanted.is_empty() {
            continue;
        }
        let Some(wheel) = wheel(package, &wheels, &work)? else { continue };
        for version in wanted {
            println!("{package}: {version} …");
            rows.push(Row::make(package, version, &wheel, &work));
        }
    }
    println!("{}", table(&rows));
    let failed: Vec<&str> =
        rows.iter().filter(|row| !row.is_good()).map(|row| row.version.as_str()).collect();
    ensure!(failed.is_empty(), "versions that need more than running the generator: {}", failed.join(", "));
    Ok(())
}

/// The wheel of a package: one of those given, or fetched. `None` when others were given.
fn wheel(package: &str, given: &[PathBuf], work: &Path) -> Result<Option<PathBuf>> {
    let (name, version) = package.split_once("==").context("a package has a version")?;
    let prefix = format!("{name}-{version}-");
    let fits =
        |path: &PathBuf| path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(&prefix));
    if !given.is_empty() {
        return Ok(given.iter().find(|path| fits(path)).cloned());
    }
    let folder = work.join("wheels");
    fs::create_dir_all(&folder)?;
    let there = || -> Result<Option<PathBuf>> {
        let files = fs::read_dir(&folder)?.flatten().map(|entry| entry.path());
        Ok(files.into_iter().find(|path| fits(path)))
    };
    if let Some(wheel) = there()? {
        return Ok(Some(wheel));
    }
    let status = Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest"])
        .arg(&folder)
        .arg(package)
        .status()
        .context("cannot start python3")?;
    ensure!(status.success(), "pip could not fetch {package}; name the wheel instead");
    Ok(Some(there()?.with_context(|| format!("pip fetched no wheel of {package}"))?))
}

/// What one version gives.
struct Row {
    package: String,
    version: String,
    /// Schemas imported.
    schemas: usize,
    /// Instances sampled, with and without unknown fields.
    samples: usize,
    /// Instances that did not come back.
    lost: usize,
    /// Seconds the compiler took for `check`.
    check: f64,
    /// What went wrong first.
    problem: Option<String>,
}

impl Row {
    fn make(package: &str, version: &str, wheel: &Path, work: &Path) -> Self {
        let mut row = Self {
            package: package.to_owned(),
            version: version.to_owned(),
            schemas: 0,
            samples: 0,
            lost: 0,
            check: 0.0,
            problem: None,
        };
        if let Err(error) = row.fill(wheel, &work.join(package.replace("==", "-")), work) {
            row.problem = Some(format!("{error:#}"));
        }
        row
    }

    fn fill(&mut self, wheel: &Path, folder: &Path, work: &Path) -> Result<()> {
        let imported = crate::schemas::import(wheel, &self.version, Some(&folder.join("schemas")))?;
        let sources = imported.folder;
        let made = folder.join("types").join(&self.version);
        if made.exists() {
            fs::remove_dir_all(&made)?;
        }
        let text = |path: &Path| path.display().to_string();
        crate::codegen::run(&["--schemas".to_owned(), text(&sources), "--out".to_owned(), text(&made)])?;
        self.instances(&sources, &folder.join(format!("{}.tsv", self.version)))?;
        let begin = Instant::now();
        let cargo = |command: &[&str]| {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(command).args(["--quiet", "--features", "schema-table"]).current_dir(&made);
            cargo.env("CARGO_TARGET_DIR", work.join("target")).env("RUSTFLAGS", "");
            cargo
        };
        ensure!(cargo(&["check"]).status()?.success(), "the generated crate does not compile");
        self.check = begin.elapsed().as_secs_f64();
        let library = library_name(&made)?;
        let runner = include_str!("round_trip.rs").replace("adcp_types", &library);
        fs::create_dir_all(made.join("examples"))?;
        fs::write(made.join("examples/round_trip.rs"), runner)?;
        let instances = File::open(folder.join(format!("{}.tsv", self.version)))?;
        let output = cargo(&["run", "--example", "round_trip"])
            .stdin(instances)
            .stderr(Stdio::inherit())
            .output()
            .context("cannot start the round trip")?;
        let said = String::from_utf8_lossy(&output.stdout);
        fs::write(folder.join(format!("{}.lost.tsv", self.version)), said.as_bytes())?;
        let (checked, lost) = said
            .lines()
            .last()
            .and_then(|line| line.split_once(' '))
            .context("the round trip did not come to its end")?;
        ensure!(checked.parse() == Ok(self.samples), "only {checked} of {} were looked at", self.samples);
        self.lost = lost.parse()?;
        if self.lost > 0 {
            let first: String = said.lines().next().unwrap_or_default().chars().take(300).collect();
            bail!("{} instances are not what they were, the first: {first}", self.lost);
        }
        Ok(())
    }

    /// Writes the samples of all schemas, with and without unknown fields.
    fn instances(&mut self, sources: &Path, target: &Path) -> Result<()> {
        let sampler = Sampler::new(read_bundle(sources)?);
        let mut text = String::new();
        let mut without = Vec::new();
        for path in sampler.paths() {
            self.schemas += 1;
            let validator = sampler.bundle().validator(&path)?;
            let samples = sampler.samples(&path)?.samples;
            if samples.is_empty() {
                without.push(path.clone());
            }
            for sample in samples {
                let strange = sampler.with_unknown_fields(&validator, &sample.instance);
                for instance in [&sample.instance, &strange] {
                    writeln!(text, "{path}\t{instance}")?;
                    self.samples += 1;
                }
            }
        }
        fs::write(target, text)?;
        ensure!(without.is_empty(), "schemas without a sample: {}", without.join(", "));
        Ok(())
    }

    fn is_good(&self) -> bool {
        self.problem.is_none()
    }
}

/// The name of the library in a generated crate.
fn library_name(folder: &Path) -> Result<String> {
    let manifest = fs::read_to_string(folder.join("Cargo.toml"))?;
    let manifest: BTreeMap<String, toml::Value> = toml::from_str(&manifest)?;
    let name = manifest.get("package").and_then(|package| package.get("name")?.as_str());
    Ok(name.context("the generated crate has no name")?.replace('-', "_"))
}

fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<14} {:<14} {:>8} {:>10} {:>6} {:>8}  result\n",
        "version", "package", "schemas", "instances", "lost", "check"
    );
    for row in rows {
        let result = row.problem.as_deref().unwrap_or("compiles, nothing lost");
        let Row { version, package, schemas, samples, lost, check, .. } = row;
        let line = format!(
            "{version:<14} {package:<14} {schemas:>8} {samples:>10} {lost:>6} {check:>6.1} s  {result}\n"
        );
        text.push_str(&line);
    }
    text
}
