//! Samples valid instances from the schema JSON itself.
//!
//! Nothing here knows what the generator makes of a schema. An instance is constructed, then shown to the
//! validator; what the construction got wrong is mended by what the validator says, or tried differently.

mod build;
mod goal;
mod mend;
mod plan;
mod route;
mod text;
mod unknown;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use adcp_schemas::{Bundle, Inspection, MANIFEST, Validator, Violations};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use build::Builder;
use plan::Plan;
use route::Target;

/// Levels down to which a maximal sample fills in optional fields.
const FULL: usize = 4;

/// How many ways of choosing are tried per sample.
const ATTEMPTS: u64 = 10;

/// How many when a value has to agree with an arm of a union elsewhere.
const ATTEMPTS_FOR_VALUE: u64 = 60;

/// Runs the subcommand with the arguments that follow its name.
///
/// # Errors
///
/// Whatever stopped it, in words for the person at the terminal.
pub fn run(args: &[String]) -> Result<()> {
    let mut folder = crate::root().join("schemas").join(crate::schemas::PINNED);
    let mut only = None;
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--schemas" => folder = words.next().context("--schemas needs a folder")?.into(),
            "--print" => only = Some(words.next().context("--print needs a schema path")?.clone()),
            "--deep" => return deep(),
            other => bail!("unknown option `{other}`; use --schemas DIR, --print PATH or --deep"),
        }
    }
    let sampler = Sampler::new(read_bundle(&folder)?);
    if let Some(path) = only {
        for sample in sampler.samples(&path)?.samples {
            println!("{}\t{}", sample.label, sample.instance);
        }
        return Ok(());
    }
    let coverage = sampler.coverage()?;
    println!("{coverage}");
    ensure!(coverage.without.is_empty(), "schemas without a sample: {}", coverage.without.join(", "));
    Ok(())
}

/// Runs the round trip of many random instances, which takes minutes.
fn deep() -> Result<()> {
    let status = std::process::Command::new(env!("CARGO"))
        .args([
            "test",
            "--release",
            "--quiet",
            "-p",
            "adcp-tests",
            "--test",
            "schemas",
            "--",
            "--include-ignored",
        ])
        .current_dir(crate::root())
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the round trip of random instances failed");
    Ok(())
}

/// Reads a folder in the layout of `schemas/<version>`.
///
/// # Errors
///
/// When a file cannot be read.
pub fn read_bundle(folder: &Path) -> Result<Bundle> {
    let mut files = BTreeMap::new();
    for path in crate::schemas::list_files(folder)?.into_iter().filter(|path| path.ends_with(".json")) {
        let text =
            std::fs::read_to_string(folder.join(&path)).with_context(|| format!("cannot read {path}"))?;
        files.insert(path, text);
    }
    Ok(Bundle::from_files(files))
}

/// A place in the bundle: a file and a JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    file: Arc<str>,
    pointer: String,
}

impl Spot {
    /// A path, or a path with `#` and a pointer.
    fn parse(path: &str) -> Self {
        let (file, pointer) = path.split_once('#').unwrap_or((path, ""));
        Self { file: Arc::from(file), pointer: pointer.to_owned() }
    }

    fn down(&self, token: &str) -> Self {
        let token = crate::schemas::escape(token);
        Self { file: Arc::clone(&self.file), pointer: format!("{}/{token}", self.pointer) }
    }

    fn follow(&self, reference: &str) -> Self {
        let (file, pointer) = crate::schemas::resolve(&self.file, reference);
        Self { file: Arc::from(file), pointer }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.file, self.pointer)
    }
}

/// Why an instance could not be constructed.
#[derive(Debug, Clone)]
struct Stuck(String);

/// The files of a bundle as JSON, and checks for texts made on the way.
struct Texts {
    bundle: Bundle,
    files: RefCell<HashMap<Arc<str>, goal::Document>>,
    checks: RefCell<HashMap<String, Arc<Validator>>>,
}

impl Texts {
    fn file(&self, file: &Arc<str>) -> Result<goal::Document, Stuck> {
        if let Some(document) = self.files.borrow().get(file) {
            return Ok(Arc::clone(document));
        }
        let text = self.bundle.raw(file).ok_or_else(|| Stuck(format!("there is no {file}")))?;
        let json = serde_json::from_str(text).map_err(|error| Stuck(format!("{file}: {error}")))?;
        let document = Arc::new(json);
        self.files.borrow_mut().insert(Arc::clone(file), Arc::clone(&document));
        Ok(document)
    }

    fn get(&self, spot: &Spot) -> Option<Value> {
        self.file(&spot.file).ok()?.pointer(&spot.pointer).cloned()
    }

    fn has(&self, spot: &Spot) -> bool {
        self.file(&spot.file).is_ok_and(|document| document.pointer(&spot.pointer).is_some())
    }

    /// A validator for texts with these patterns, formats and lengths.
    fn check(
        &self,
        patterns: &[&str],
        formats: &[&str],
        least: usize,
        most: usize,
    ) -> Result<Arc<Validator>, Stuck> {
        let patterns = patterns.iter().map(|pattern| json!({ "pattern": pattern }));
        let formats = formats.iter().map(|format| json!({ "format": format }));
        let parts: Vec<Value> = patterns.chain(formats).collect();
        let most = u64::try_from(most).unwrap_or(u64::MAX).min(1 << 30);
        let schema = json!({ "allOf": parts, "minLength": least, "maxLength": most }).to_string();
        if let Some(check) = self.checks.borrow().get(&schema) {
            return Ok(Arc::clone(check));
        }
        let bundle = Bundle::from_files([("text.json".to_owned(), schema.clone())]);
        let check = bundle.validator("text.json").map_err(|error| Stuck(error.to_string()))?;
        self.checks.borrow_mut().insert(schema, Arc::clone(&check));
        Ok(check)
    }
}

/// A valid instance and how it came about.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Sample {
    /// `minimal`, `maximal`, or the choice it is a sample of.
    pub label: String,
    /// The instance.
    pub instance: Value,
    /// The arms it was constructed from.
    pub arms: Vec<Arm>,
}

/// An arm of a union that a sample was constructed from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arm {
    /// Where in the instance, as a JSON pointer.
    pub place: String,
    /// The union: file, `#`, pointer to its `oneOf` or `anyOf`.
    pub union: String,
    /// Which arm.
    pub index: usize,
}

/// The samples of one schema.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Samples {
    /// The samples; the minimal one first.
    pub samples: Vec<Sample>,
    /// Choices that could not be made in any valid instance, with the reason.
    pub missed: Vec<(String, String)>,
}

/// How far samples reach.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Coverage {
    /// Schemas looked at.
    pub schemas: usize,
    /// Samples made.
    pub samples: usize,
    /// Schemas without any sample.
    pub without: Vec<String>,
    /// Choices without a sample.
    pub missed: Vec<(String, String)>,
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schemas, samples, without, missed } = self;
        for (choice, reason) in missed {
            writeln!(f, "no sample for {choice}: {reason}")?;
        }
        let sampled = schemas - without.len();
        write!(f, "{sampled} of {schemas} schemas, {samples} samples, {} choices missed", missed.len())
    }
}

/// Samples the schemas of a bundle.
pub struct Sampler {
    texts: Texts,
}

impl fmt::Debug for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sampler")
    }
}

impl Sampler {
    /// A sampler for a bundle.
    #[must_use]
    pub fn new(bundle: Bundle) -> Self {
        Self { texts: Texts { bundle, files: RefCell::default(), checks: RefCell::default() } }
    }

    /// The bundle.
    #[must_use]
    pub fn bundle(&self) -> &Bundle {
        &self.texts.bundle
    }

    /// Paths of all schemas, sorted.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.bundle().paths().filter(|path| *path != MANIFEST).map(str::to_owned).collect()
    }

    /// Samples of one schema: minimal, maximal, each arm of its unions, each value of its enumerations.
    ///
    /// A path may go on with `#` and a JSON pointer to a schema inside the file.
    ///
    /// # Errors
    ///
    /// When the bundle has no such schema.
    pub fn samples(&self, path: &str) -> Result<Samples> {
        let validator = self.bundle().validator(path)?;
        let mut made = Samples::default();
        let mut add = |label: String, plan: Plan, target: Option<&Target>| match self
            .sample(&validator, plan, target)
        {
            Ok((instance, arms)) => {
                if !made.samples.iter().any(|sample| sample.instance == instance) {
                    made.samples.push(Sample { label, instance, arms });
                }
            }
            Err(Stuck(reason)) => made.missed.push((label, reason)),
        };
        add("minimal".to_owned(), Plan::default(), None);
        add("maximal".to_owned(), Plan { full: FULL, ..Plan::default() }, None);
        for route::Way { target, route, at_root } in route::targets(&self.texts, &Spot::parse(path)) {
            let label = target.to_string();
            let mut plan = Plan { route, ..Plan::default() };
            match &target {
                Target::Arm { .. } => {}
                Target::Value { choice, index } => plan.value = Some((choice.clone(), *index)),
                Target::Kind { place, name } => plan.kind = Some((place.clone(), name.clone())),
            }
            // What tells the arms of the schema itself apart may be optional.
            if at_root && matches!(target, Target::Arm { .. }) {
                let plan = Plan { full: FULL, ..plan.clone() };
                add(format!("{label}, maximal"), plan, Some(&target));
            }
            add(label, plan, Some(&target));
        }
        Ok(made)
    }

    /// A random valid instance of a schema; the same seed gives the same one.
    #[must_use]
    pub fn random(&self, path: &str, seed: u64) -> Option<Value> {
        let validator = self.bundle().validator(path).ok()?;
        let full = usize::try_from(seed % 5).unwrap_or(0);
        let plan = Plan { full, seed, attempt: seed % 1009, ..Plan::default() };
        self.sample(&validator, plan, None).ok().map(|(instance, _)| instance)
    }

    /// The instance with unknown fields wherever the schema lets them stand.
    #[must_use]
    pub fn with_unknown_fields(&self, validator: &Validator, instance: &Value) -> Value {
        unknown::inject(validator, instance)
    }

    /// Samples everything and counts.
    ///
    /// # Errors
    ///
    /// When a schema does not compile.
    pub fn coverage(&self) -> Result<Coverage> {
        let mut coverage = Coverage::default();
        for path in self.paths() {
            let samples = self.samples(&path)?;
            coverage.schemas += 1;
            coverage.samples += samples.samples.len();
            coverage.missed.extend(samples.missed);
            if samples.samples.is_empty() {
                coverage.without.push(path);
            }
        }
        Ok(coverage)
    }

    /// Builds, checks, mends; then chooses differently.
    fn sample(
        &self,
        validator: &Validator,
        mut plan: Plan,
        target: Option<&Target>,
    ) -> Result<(Value, Vec<Arm>), Stuck> {
        let first = plan.attempt;
        let mut last = Stuck("nothing was tried".to_owned());
        let spots = [Spot::parse(validator.path())];
        let attempts = if plan.value.is_some() { ATTEMPTS_FOR_VALUE } else { ATTEMPTS };
        while plan.attempt < first + attempts {
            let mut tried = plan.clone();
            for _round in 0..8 {
                let mut builder = Builder::new(self.bundle(), &self.texts, &tried);
                let built = builder.build(&spots, "", 0);
                let arms = builder.arms;
                let instance = match built {
                    Ok(instance) => instance,
                    Err(stuck) => {
                        last = stuck;
                        break;
                    }
                };
                let judge = |instance: &Value| self.judge(validator, target, &arms, instance);
                let Some(violations) = judge(&instance) else {
                    if reaches(target, &arms) {
                        return Ok((instance, arms));
                    }
                    last = Stuck("the way there was not taken".to_owned());
                    break;
                };
                last = Stuck(violations.to_string());
                if mend::learn(&self.texts, &mut tried, &violations, &instance) {
                    continue;
                }
                if let Some(instance) = mend::prune(&judge, instance, &tried) {
                    let kept = |arm: &Arm| instance.pointer(&arm.place).is_some();
                    let arms: Vec<Arm> = arms.into_iter().filter(kept).collect();
                    if reaches(target, &arms) && matches!(target, None | Some(Target::Arm { .. })) {
                        return Ok((instance, arms));
                    }
                }
                break;
            }
            plan.attempt += 1;
        }
        Err(last)
    }
}

impl Sampler {
    /// What is wrong with an instance: as the schema says, and as the arms say that the whole instance is to be.
    fn judge(
        &self,
        validator: &Validator,
        target: Option<&Target>,
        arms: &[Arm],
        instance: &Value,
    ) -> Option<Violations> {
        if let Err(violations) = validator.validate(instance) {
            return Some(violations);
        }
        if !matches!(target, Some(Target::Arm { .. })) {
            return None;
        }
        let whole = arms.iter().filter(|arm| arm.place.is_empty());
        whole.map(|arm| format!("{}/{}", arm.union, arm.index)).find_map(|place| {
            match self.bundle().inspect(&place, instance) {
                Err(Inspection::Invalid(violations)) => Some(violations),
                _ => None,
            }
        })
    }
}

/// Whether the arms include the one that was asked for.
fn reaches(target: Option<&Target>, arms: &[Arm]) -> bool {
    match target {
        Some(Target::Arm { union, index }) => {
            arms.iter().any(|arm| arm.union == *union && arm.index == *index)
        }
        _ => true,
    }
}

/// Names of a list of strings.
fn names(list: Option<&Value>) -> BTreeSet<String> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(schema: &Value) -> Sampler {
        Sampler::new(Bundle::from_files([("s.json".to_owned(), schema.to_string())]))
    }

    fn labels(schema: &Value) -> Vec<(String, Value)> {
        let made = sampler(schema).samples("s.json").unwrap();
        assert!(made.missed.is_empty(), "{:?}", made.missed);
        made.samples.into_iter().map(|sample| (sample.label, sample.instance)).collect()
    }

    #[test]
    fn minimal_maximal_arms_and_values() {
        let made = labels(&json!({
            "type": "object",
            "properties": {
                "kind": { "enum": ["a", "b"] },
                "size": { "oneOf": [{ "type": "string" }, { "type": "integer", "minimum": 3 }] }
            },
            "required": ["kind"]
        }));
        assert_eq!(
            made,
            [
                ("minimal".to_owned(), json!({ "kind": "a" })),
                ("maximal".to_owned(), json!({ "kind": "a", "size": "size-0" })),
                ("s.json#/properties/kind/enum/1".to_owned(), json!({ "kind": "b" })),
                ("s.json#/properties/size/oneOf/1".to_owned(), json!({ "kind": "a", "size": 3 })),
            ]
        );
    }

    #[test]
    fn conditions_dependencies_and_negations_are_met() {
        let made = labels(&json!({
            "type": "object",
            "properties": { "mode": { "enum": ["x", "y"] }, "a": { "type": "boolean" }, "b": { "format": "uuid" } },
            "required": ["mode"],
            "if": { "properties": { "mode": { "const": "y" } } }, "then": { "required": ["b"] },
            "dependencies": { "b": ["a"] },
            "not": { "properties": { "mode": { "const": "x" } }, "required": ["b"] }
        }));
        assert_eq!(made[0].1, json!({ "mode": "x" }));
        assert!(made.iter().any(|(_, instance)| instance["mode"] == "y" && instance["a"] == true));
    }

    #[test]
    fn unknown_fields_stand_where_the_schema_lets_them() {
        let schema = json!({
            "properties": {
                "open": { "type": "object" },
                "closed": { "type": "object", "additionalProperties": false },
                "map": { "type": "object", "additionalProperties": { "type": "string" } }
            }
        });
        let sampler = sampler(&schema);
        let validator = sampler.bundle().validator("s.json").unwrap();
        let plain = json!({ "open": {}, "closed": {}, "map": { "k": "v" } });
        let strange = sampler.with_unknown_fields(&validator, &plain);
        assert!(strange.get("zz_unheard_of").is_some() && strange["open"].get("zz_unheard_of").is_some());
        assert_eq!((&strange["closed"], &strange["map"]), (&plain["closed"], &plain["map"]));
    }

    #[test]
    fn a_seed_always_gives_the_same() {
        let sampler = sampler(&json!({ "type": "string", "pattern": "^[a-z]{8}$" }));
        assert_eq!(sampler.random("s.json", 7), sampler.random("s.json", 7));
        assert_ne!(sampler.random("s.json", 7), sampler.random("s.json", 8));
    }
}
