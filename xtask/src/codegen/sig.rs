//! By what an arm of a union can be told from the others.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::Value;

use super::bundle::{Bundle, Loc};
use super::flat::Flat;
use super::model::Test;

/// JSON types in the order tests try them.
pub const KINDS: [&str; 6] = ["Text", "Integer", "Number", "Bool", "List", "Object"];

/// What an arm demands of a value.
#[derive(Debug, Clone, Default)]
pub struct Sig {
    /// Possible JSON types; all of them when nothing is said.
    pub kinds: BTreeSet<&'static str>,
    /// Required keys with few legal values.
    pub tags: BTreeMap<String, Vec<Value>>,
    /// Required keys with their possible JSON types.
    pub required: BTreeMap<String, BTreeSet<&'static str>>,
    /// Keys that must not be there.
    pub forbidden: BTreeSet<String>,
    /// Possible JSON types of an array's items.
    pub items: BTreeSet<&'static str>,
    /// Legal strings, if the arm is a vocabulary.
    pub strings: Option<Vec<String>>,
    /// May be null.
    pub null: bool,
}

impl Sig {
    /// The signature of a merged schema.
    ///
    /// # Errors
    ///
    /// When a reference leads nowhere.
    pub fn of(bundle: &Bundle, flat: &Flat, depth: u32) -> Result<Self> {
        anyhow::ensure!(depth < 48, "schemas nested too deep for a signature");
        let mut sig = Self { forbidden: flat.forbidden.clone(), ..Self::default() };
        match &flat.types {
            Some(types) => {
                for kind in types {
                    match kind_of(kind) {
                        Some(kind) => _ = sig.kinds.insert(kind),
                        None => sig.null = true,
                    }
                }
            }
            None => {
                if let Some(values) = &flat.values {
                    for value in values {
                        match value_kind(value) {
                            Some(kind) => _ = sig.kinds.insert(kind),
                            None => sig.null = true,
                        }
                    }
                } else if !flat.props.is_empty() || !flat.required.is_empty() || !flat.patterns.is_empty() {
                    sig.kinds.insert("Object");
                } else if flat.items.is_some() {
                    sig.kinds.insert("List");
                } else if flat.format.is_some() {
                    sig.kinds.insert("Text");
                }
            }
        }
        if let Some(values) = &flat.values {
            if values.iter().any(Value::is_null) {
                sig.null = true;
            }
            sig.strings = Some(values.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        }
        if let Some(items) = &flat.items {
            sig.items = Self::of(bundle, &Flat::of(bundle, items)?, depth + 1)?.kinds;
        }
        for key in &flat.required {
            let Some(prop) = flat.props.get(key) else {
                sig.required.insert(key.clone(), BTreeSet::new());
                continue;
            };
            let inner = Flat::of(bundle, &prop.loc)?;
            if let Some(values) = &inner.values
                && !values.iter().any(Value::is_null)
            {
                sig.tags.insert(key.clone(), values.clone());
            }
            // Shallow on purpose: a type is enough here.
            let inner = Self::of(bundle, &inner, depth + 1)?;
            sig.required.insert(key.clone(), if inner.null { BTreeSet::new() } else { inner.kinds });
        }
        if let Some(key) = &flat.discriminator
            && let (Some(prop), false) = (flat.props.get(key), sig.tags.contains_key(key))
            && let Some(values) = Flat::of(bundle, &prop.loc)?.values
        {
            sig.tags.insert(key.clone(), values);
        }
        for union in &flat.unions {
            sig.narrow(Self::of_union(bundle, flat, union, depth)?);
        }
        Ok(sig)
    }

    /// What all arms of the union at `union` have in common.
    fn of_union(bundle: &Bundle, parent: &Flat, union: &Loc, depth: u32) -> Result<Self> {
        let arms = bundle.get(union).as_array().map_or(0, Vec::len);
        let mut common: Option<Self> = None;
        for index in 0..arms {
            let mut flat = parent.clone();
            flat.unions.clear();
            flat.merge(bundle, &union.at(&[&index.to_string()]))?;
            let sig = Self::of(bundle, &flat, depth + 1)?;
            common = Some(match common {
                None => sig,
                Some(before) => before.or(&sig),
            });
        }
        Ok(common.unwrap_or_default())
    }

    fn or(mut self, other: &Self) -> Self {
        self.kinds = if self.kinds.is_empty() || other.kinds.is_empty() {
            BTreeSet::new()
        } else {
            self.kinds.union(&other.kinds).copied().collect()
        };
        self.tags = std::mem::take(&mut self.tags)
            .into_iter()
            .filter_map(|(key, mut values)| {
                for value in other.tags.get(&key)? {
                    if !values.contains(value) {
                        values.push(value.clone());
                    }
                }
                Some((key, values))
            })
            .collect();
        self.required = std::mem::take(&mut self.required)
            .into_iter()
            .filter_map(|(key, kinds)| {
                Some((key.clone(), kinds.union(other.required.get(&key)?).copied().collect()))
            })
            .collect();
        self.forbidden = self.forbidden.intersection(&other.forbidden).cloned().collect();
        self.items = self.items.union(&other.items).copied().collect();
        self.strings = match (self.strings, &other.strings) {
            (Some(mut mine), Some(theirs)) => {
                mine.extend(theirs.iter().cloned());
                Some(mine)
            }
            _ => None,
        };
        self.null |= other.null;
        self
    }

    fn narrow(&mut self, union: Self) {
        if self.kinds.is_empty() {
            self.kinds = union.kinds;
        }
        for (key, values) in union.tags {
            self.tags.insert(key, values);
        }
        for (key, kinds) in union.required {
            self.required.entry(key).or_insert(kinds);
        }
        self.forbidden.extend(union.forbidden);
        if self.strings.is_none() {
            self.strings = union.strings;
        }
        if self.items.is_empty() {
            self.items = union.items;
        }
        self.null |= union.null;
    }

    /// Only strings fit.
    pub fn is_text(&self) -> bool {
        self.only("Text")
    }

    /// Only objects fit.
    pub fn is_object(&self) -> bool {
        self.only("Object")
    }

    /// Only values of `kind` fit.
    pub fn only(&self, kind: &str) -> bool {
        self.kinds.len() == 1 && self.kinds.contains(kind)
    }
}

/// The runtime's name of a JSON type; none for null.
pub fn kind_of(kind: &str) -> Option<&'static str> {
    match kind {
        "string" => Some("Text"),
        "number" => Some("Number"),
        "integer" => Some("Integer"),
        "boolean" => Some("Bool"),
        "array" => Some("List"),
        "object" => Some("Object"),
        _ => None,
    }
}

fn value_kind(value: &Value) -> Option<&'static str> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some("Bool"),
        Value::Number(number) => Some(if number.is_f64() { "Number" } else { "Integer" }),
        Value::String(_) => Some("Text"),
        Value::Array(_) => Some("List"),
        Value::Object(_) => Some("Object"),
    }
}

/// The tag that tells all of `sigs` apart, the declared one first.
pub fn tag(sigs: &[&Sig], declared: Option<&str>) -> Option<String> {
    let first = sigs.first()?;
    let sound = |key: &str| {
        let mut seen: Vec<&Value> = Vec::new();
        for sig in sigs {
            let Some(values) = sig.tags.get(key) else { return false };
            if values.is_empty() || values.iter().any(|value| seen.contains(&value)) {
                return false;
            }
            seen.extend(values);
        }
        seen.iter().all(|value| value.is_string()) || seen.iter().all(|value| value.is_boolean())
    };
    if let Some(declared) = declared.filter(|key| sound(key)) {
        return Some(declared.to_owned());
    }
    let single = |key: &&String| sigs.iter().all(|sig| sig.tags[*key].len() == 1);
    let sound: Vec<&String> = first.tags.keys().filter(|key| sound(key)).collect();
    sound.iter().find(|key| single(key)).or(sound.first()).map(|key| (*key).clone())
}

/// Conditions per arm, and the order in which arms are tried.
pub fn tests(sigs: &[Sig]) -> (Vec<Vec<Test>>, Vec<usize>) {
    let mut tests: Vec<Vec<Test>> = Vec::new();
    for (index, sig) in sigs.iter().enumerate() {
        let rivals: Vec<&Sig> = sigs
            .iter()
            .enumerate()
            .filter(|(other, rival)| {
                *other != index
                    && (rival.kinds.is_empty()
                        || sig.kinds.is_empty()
                        || !rival.kinds.is_disjoint(&sig.kinds))
            })
            .map(|(_, rival)| rival)
            .collect();
        let mut own = Vec::new();
        if let [kind] = sig.kinds.iter().copied().collect::<Vec<_>>()[..] {
            own.push(Test::Is(kind));
        }
        if !rivals.is_empty() {
            if sig.only("List")
                && let [kind] = sig.items.iter().copied().collect::<Vec<_>>()[..]
            {
                own.push(Test::Items(kind));
            }
            own.extend(object_tests(sig, &rivals));
        }
        tests.push(own);
    }
    let mut order: Vec<usize> = (0..sigs.len()).collect();
    let weight = |index: &usize| {
        let count = |pick: fn(&Test) -> bool| tests[*index].iter().filter(|test| pick(test)).count();
        let tags = count(|test| matches!(test, Test::Text(..) | Test::Flag(..) | Test::Whole(..)));
        let keys = count(|test| matches!(test, Test::Has(_) | Test::HasKind(..) | Test::Items(_)));
        let not = count(|test| matches!(test, Test::Not(_)));
        let kind = KINDS.iter().position(|kind| sigs[*index].only(kind)).unwrap_or(KINDS.len());
        (std::cmp::Reverse((tags, keys, not)), kind)
    };
    order.sort_by_key(weight);
    (tests, order)
}

fn object_tests(sig: &Sig, rivals: &[&Sig]) -> Vec<Test> {
    let mut own = Vec::new();
    for (key, values) in &sig.tags {
        if rivals.iter().all(|rival| rival.tags.get(key) == Some(values)) {
            continue;
        }
        if let Some(texts) =
            values.iter().map(|value| value.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        {
            own.push(Test::Text(key.clone(), texts));
        } else if let [Value::Bool(flag)] = values[..] {
            own.push(Test::Flag(key.clone(), flag));
        } else if let [Value::Number(number)] = &values[..] {
            own.extend(number.as_i64().map(|whole| Test::Whole(key.clone(), whole)));
        }
    }
    for (key, kinds) in &sig.required {
        if sig.tags.contains_key(key) || rivals.iter().all(|rival| rival.required.get(key) == Some(kinds)) {
            continue;
        }
        let clash = rivals.iter().any(|rival| rival.required.get(key).is_some_and(|other| other != kinds));
        match kinds.iter().copied().collect::<Vec<_>>()[..] {
            [kind] if clash => own.push(Test::HasKind(key.clone(), kind)),
            _ => own.push(Test::Has(key.clone())),
        }
    }
    let telling = |key: &&String| !rivals.iter().all(|rival| rival.forbidden.contains(*key));
    own.extend(sig.forbidden.iter().filter(telling).map(|key| Test::Not(key.clone())));
    own
}
