//! Which cargo features a schema file belongs to, by what each protocol's tools can reach.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Kind, Ty, TypeDef};
use super::tools::{Outcome, Tool};

/// Files of this many protocols are always there.
const COMMON: usize = 6;

/// Files the hand-written envelope needs.
const ALWAYS: [&str; 2] = ["core/error.json", "enums/task-status.json"];

/// Features beside the protocols of the manifest.
const EXTRA: [&str; 4] = ["a2ui", "documents", "registry", "trusted-match"];

/// The gates of all files and the names of all features.
#[derive(Debug, Default)]
pub struct Features {
    /// Features that turn a file on; absent means always.
    pub gates: BTreeMap<String, Vec<String>>,
    /// All names, sorted.
    pub names: BTreeSet<String>,
}

/// Works out the gates.
pub fn features(
    files: &[&str],
    types: &[TypeDef],
    tools: &[Tool],
    outcomes: &BTreeMap<String, Vec<Outcome>>,
) -> Features {
    if tools.is_empty() {
        // Without a table of tools there is nothing to tell areas by.
        return Features::default();
    }
    let graph = graph(types, outcomes);
    let mut seeds: BTreeMap<String, BTreeSet<String>> =
        EXTRA.iter().map(|name| ((*name).to_owned(), BTreeSet::new())).collect();
    for tool in tools {
        let own = seeds.entry(tool.protocol.clone()).or_default();
        own.extend([tool.request.clone(), tool.response.clone()]);
        own.extend(tool.forms.iter().flatten().cloned());
    }
    let mut reached: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (feature, seeds) in &seeds {
        spread(feature, seeds.iter().cloned().collect(), &graph, &mut reached);
    }
    // What no tool reaches goes to the feature of its folder, or to what it is about.
    let names: BTreeSet<String> = seeds.keys().cloned().collect();
    for file in files {
        if !reached.contains_key(*file) {
            let feature = home(file, &names);
            spread(&feature, vec![(*file).to_owned()], &graph, &mut reached);
        }
    }
    let mut always = BTreeMap::new();
    spread("", ALWAYS.iter().map(|file| (*file).to_owned()).collect(), &graph, &mut always);
    let extra = |feature: &String| EXTRA.contains(&feature.as_str());
    let gates = reached
        .into_iter()
        .filter(|(file, features)| {
            !always.contains_key(file) && features.iter().filter(|feature| !extra(feature)).count() < COMMON
        })
        .map(|(file, features)| (file, features.into_iter().collect()))
        .collect();
    Features { gates, names }
}

/// The feature of a file that belongs to no tool.
fn home(file: &str, names: &BTreeSet<String>) -> String {
    let folder = file.split_once('/').map_or("", |(folder, _)| folder);
    let feature = match folder {
        "tmp" => "trusted-match",
        "" | "aao" => "documents",
        "registries" => "registry",
        "core" if file.contains("registry") => "registry",
        other => other,
    };
    if names.contains(feature) {
        feature.to_owned()
    } else if names.contains("protocol") {
        "protocol".to_owned()
    } else {
        "documents".to_owned()
    }
}

fn spread(
    feature: &str,
    seeds: Vec<String>,
    graph: &BTreeMap<String, BTreeSet<String>>,
    reached: &mut BTreeMap<String, BTreeSet<String>>,
) {
    let mut queue = seeds;
    while let Some(file) = queue.pop() {
        if reached.entry(file.clone()).or_default().insert(feature.to_owned()) {
            queue.extend(graph.get(&file).into_iter().flatten().cloned());
        }
    }
}

/// Which files the types of a file name.
fn graph(types: &[TypeDef], outcomes: &BTreeMap<String, Vec<Outcome>>) -> BTreeMap<String, BTreeSet<String>> {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for def in types {
        let mut used = BTreeSet::new();
        each(def, &mut |ty| mentioned(ty, types, &mut used));
        graph.entry(def.loc.file.clone()).or_default().extend(used);
    }
    for (file, outcomes) in outcomes {
        for ty in outcomes.iter().flat_map(Outcome::types) {
            let mut used = BTreeSet::new();
            mentioned(ty, types, &mut used);
            graph.entry(file.clone()).or_default().extend(used);
        }
    }
    graph
}

/// Calls `seen` with every type that `def` names.
pub fn each(def: &TypeDef, seen: &mut dyn FnMut(&Ty)) {
    match &def.kind {
        Kind::Struct(inner) => inner.fields.iter().for_each(|field| seen(&field.ty)),
        Kind::Union(inner) => inner.arms.iter().for_each(|arm| seen(&arm.ty)),
        Kind::Alias(ty) => seen(ty),
        Kind::Same(other) => seen(&Ty::Named(*other)),
        Kind::Enum(_) | Kind::Pending => {}
    }
}

fn mentioned(ty: &Ty, types: &[TypeDef], out: &mut BTreeSet<String>) {
    match ty {
        Ty::List(inner) | Ty::Map(inner) | Ty::Loose(inner) | Ty::Nullable(inner) => {
            mentioned(inner, types, out)
        }
        Ty::Named(id) => _ = out.insert(types[*id].loc.file.clone()),
        _ => {}
    }
}
