//! Makes types of schema positions.

mod unions;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;
use serde_json::Value;

use super::bundle::{Bundle, Loc};
use super::flat::Flat;
use super::lock::Lock;
use super::model::{Arm, Choice, EnumDef, Field, Kind, StructDef, Ty, TypeDef, UnionDef};
use super::overrides::Overrides;
use super::sig;
use super::words::{constant, pascal, pascal_keeping_case, singular, snake};

/// Fields of the two envelopes, which response types leave to the envelope.
pub const ENVELOPE_FIELDS: [&str; 13] = [
    "adcp_error",
    "adcp_major_version",
    "adcp_version",
    "context",
    "context_id",
    "governance_context",
    "message",
    "payload",
    "push_notification_config",
    "replayed",
    "status",
    "task_id",
    "timestamp",
];

/// The work in progress.
pub struct Lower<'a> {
    bundle: &'a Bundle,
    lock: &'a Lock,
    overrides: &'a Overrides,
    /// Files that answer a tool call.
    responses: BTreeSet<String>,
    /// All types made so far.
    pub types: Vec<TypeDef>,
    done: HashMap<Loc, Ty>,
    /// The type of each file.
    pub roots: BTreeMap<String, Ty>,
    shared: HashMap<(String, String, String), usize>,
    /// What a person has to settle.
    pub problems: Vec<String>,
}

impl<'a> Lower<'a> {
    /// Nothing lowered yet.
    pub fn new(
        bundle: &'a Bundle,
        lock: &'a Lock,
        overrides: &'a Overrides,
        responses: BTreeSet<String>,
    ) -> Self {
        Self {
            bundle,
            lock,
            overrides,
            responses,
            types: Vec::new(),
            done: HashMap::new(),
            roots: BTreeMap::new(),
            shared: HashMap::new(),
            problems: Vec::new(),
        }
    }

    /// Lowers every file.
    ///
    /// # Errors
    ///
    /// When a reference leads nowhere.
    pub fn all(&mut self) -> Result<()> {
        for file in self.bundle.files.keys() {
            self.root(file)?;
            // Definitions nobody in this file uses still get their types: other tools name them.
            for keyword in ["definitions", "$defs"] {
                let names: Vec<String> = self.bundle.files[file]
                    .get(keyword)
                    .and_then(Value::as_object)
                    .map(|map| map.keys().cloned().collect())
                    .unwrap_or_default();
                for name in names {
                    self.place(&Loc::root(file).at(&[keyword, &name]))?;
                }
            }
        }
        Ok(())
    }

    fn root(&mut self, file: &str) -> Result<Ty> {
        if let Some(ty) = self.roots.get(file) {
            return Ok(ty.clone());
        }
        let loc = Loc::root(file);
        let name = root_name(file);
        if self.overrides.is_opaque(file) {
            let id = self.push(&loc, vec![name], true, Kind::Alias(Ty::Object));
            let _ = id;
            self.roots.insert(file.to_owned(), Ty::Object);
            return Ok(Ty::Object);
        }
        let ty = self.lower(file, &loc, std::slice::from_ref(&name))?;
        let own = matches!(ty, Ty::Named(id) if self.types[id].loc == loc);
        if !own {
            self.push(&loc, vec![name], true, Kind::Alias(ty.clone()));
        }
        self.roots.insert(file.to_owned(), ty.clone());
        Ok(ty)
    }

    /// The type of a position some reference leads to.
    fn place(&mut self, loc: &Loc) -> Result<Ty> {
        if loc.ptr.is_empty() {
            return self.root(&loc.file);
        }
        if let Some(ty) = self.done.get(loc) {
            return Ok(ty.clone());
        }
        let tokens = loc.tokens();
        let segs = segments_of(&tokens);
        self.lower(&loc.file, loc, &segs)
    }

    fn push(&mut self, loc: &Loc, segs: Vec<String>, root: bool, kind: Kind) -> usize {
        self.types.push(TypeDef {
            loc: loc.clone(),
            at: loc.clone(),
            name: String::new(),
            segs,
            root,
            root_arm: false,
            kind,
        });
        self.types.len() - 1
    }

    /// The type at `loc`, as named by a type of the file `owner`: a part of another file is named by that file's own parts.
    fn lower(&mut self, owner: &str, loc: &Loc, segs: &[String]) -> Result<Ty> {
        if let Some(ty) = self.done.get(loc) {
            return Ok(ty.clone());
        }
        let schema = self.bundle.get(loc);
        if schema.as_object().is_none_or(serde_json::Map::is_empty) {
            return Ok(Ty::Any);
        }
        let here = (owner != loc.file).then(|| {
            let mut here = vec![root_name(&loc.file)];
            here.extend(segments_of(&loc.tokens()));
            here
        });
        let segs = here.as_deref().unwrap_or(segs);
        let ty = match self.reference(loc)? {
            Some(target) => self.place(&target)?,
            None => {
                let shape = (
                    loc.file.clone(),
                    segs.last().cloned().unwrap_or_default(),
                    canonical(schema, false).to_string(),
                );
                match self.shared.get(&shape) {
                    Some(id) if !loc.ptr.is_empty() => Ty::Named(*id),
                    _ => {
                        let flat = Flat::of(self.bundle, loc)?;
                        let ty = self.lower_flat(flat, loc, segs)?;
                        if let Ty::Named(id) = ty
                            && self.types[id].loc == *loc
                            && !loc.ptr.is_empty()
                        {
                            self.shared.insert(shape, id);
                        }
                        ty
                    }
                }
            }
        };
        self.done.insert(loc.clone(), ty.clone());
        Ok(ty)
    }

    /// Where a position leads when it is a reference and otherwise only assertions.
    fn reference(&self, loc: &Loc) -> Result<Option<Loc>> {
        let Some(map) = self.bundle.get(loc).as_object() else { return Ok(None) };
        const STRUCTURE: [&str; 9] = [
            "properties",
            "items",
            "enum",
            "const",
            "oneOf",
            "anyOf",
            "additionalProperties",
            "patternProperties",
            "discriminator",
        ];
        let mut target = None;
        let mut rest: Vec<Loc> = Vec::new();
        if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
            target = Some(self.bundle.resolve(&loc.file, reference)?);
        }
        if let Some(parts) = map.get("allOf").and_then(Value::as_array) {
            for index in 0..parts.len() {
                let part = loc.at(&["allOf", &index.to_string()]);
                match self.reference(&part)? {
                    Some(_) if target.is_some() => return Ok(None),
                    Some(found) => target = Some(found),
                    None => rest.push(part),
                }
            }
        }
        let Some(target) = target else { return Ok(None) };
        let base = Flat::of(self.bundle, &target)?;
        if STRUCTURE.iter().any(|key| map.contains_key(*key)) && !self.asserts(loc, &base, true) {
            return Ok(None);
        }
        for part in rest {
            if !self.asserts(&part, &base, false) {
                return Ok(None);
            }
        }
        Ok(Some(target))
    }

    /// Whether a schema only restricts what `base` already describes.
    fn asserts(&self, loc: &Loc, base: &Flat, own: bool) -> bool {
        let Some(map) = self.bundle.get(loc).as_object() else { return true };
        for (key, value) in map {
            let fine = match key.as_str() {
                "$ref" | "allOf" if own => true,
                "$ref" | "items" | "enum" | "const" | "patternProperties" | "discriminator" => false,
                "type" => match (super::flat::types(Some(value)), &base.types) {
                    (Some(kinds), Some(known)) => kinds.is_superset(known) || kinds.is_subset(known),
                    (Some(kinds), None) => kinds.contains("object") && base.is_object(),
                    (None, _) => true,
                },
                "properties" => value.as_object().is_some_and(|props| {
                    props.iter().all(|(name, prop)| {
                        base.props.contains_key(name) || base.forbidden.contains(name) || prop.is_boolean()
                    })
                }),
                "additionalProperties" => value.is_boolean(),
                "allOf" | "oneOf" | "anyOf" => {
                    let count = value.as_array().map_or(0, Vec::len);
                    (0..count).all(|index| self.asserts(&loc.at(&[key, &index.to_string()]), base, false))
                }
                _ => true,
            };
            if !fine {
                return false;
            }
        }
        true
    }

    fn lower_flat(&mut self, mut flat: Flat, loc: &Loc, segs: &[String]) -> Result<Ty> {
        let mut null = false;
        if let Some(types) = &mut flat.types {
            null |= types.remove("null") && !types.is_empty();
        }
        if let Some(values) = &mut flat.values {
            let before = values.len();
            values.retain(|value| !value.is_null());
            null |= values.len() != before && !values.is_empty();
        }
        let ty = self.lower_value(flat, loc, segs, &mut null)?;
        Ok(match ty {
            Ty::Any | Ty::Nullable(_) => ty,
            ty if null => Ty::Nullable(Box::new(ty)),
            ty => ty,
        })
    }

    fn lower_value(&mut self, mut flat: Flat, loc: &Loc, segs: &[String], null: &mut bool) -> Result<Ty> {
        let unions = std::mem::take(&mut flat.unions);
        let mut structural: Vec<Loc> = Vec::new();
        for union in unions {
            if !self.union_asserts(&union, &flat) {
                structural.push(union);
            }
        }
        if !structural.is_empty() {
            return self.lower_union(flat, &structural, loc, segs, null);
        }
        if let Some(values) = &flat.values
            && values.iter().all(Value::is_string)
        {
            let values: Vec<String> = values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            return Ok(self.vocabulary(&values, "Unrecognized", loc, segs));
        }
        let types: Vec<String> = flat.types.clone().unwrap_or_default().into_iter().collect();
        match types.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => {
                if !flat.props.is_empty() || !flat.patterns.is_empty() {
                    return self.object(&flat, loc, segs);
                }
                if let Some(items) = flat.items.clone() {
                    return self.list(&loc.file, &items, segs);
                }
                if let Some(first) = flat.values.as_ref().and_then(|values| values.first()) {
                    return Ok(match first {
                        Value::Bool(_) => Ty::Bool,
                        Value::Number(number) if number.is_f64() => Ty::Number,
                        Value::Number(_) => Ty::Integer,
                        _ => Ty::Any,
                    });
                }
                Ok(if flat.format.is_some() || self.bundle.get(loc).get("pattern").is_some() {
                    Ty::Text
                } else {
                    Ty::Any
                })
            }
            ["string"] => Ok(Ty::Text),
            ["number"] | ["integer", "number"] => Ok(Ty::Number),
            ["integer"] => Ok(Ty::Integer),
            ["boolean"] => Ok(Ty::Bool),
            ["array"] => match flat.items.clone() {
                Some(items) => self.list(&loc.file, &items, segs),
                None => Ok(Ty::List(Box::new(Ty::Any))),
            },
            ["object"] => self.object(&flat, loc, segs),
            ["null"] => Ok(Ty::Any),
            _ => self.by_type(&flat, &types, loc, segs),
        }
    }

    fn list(&mut self, owner: &str, items: &Loc, segs: &[String]) -> Result<Ty> {
        let mut segs = segs.to_vec();
        if let Some(last) = segs.last_mut() {
            *last = singular(last);
        }
        let mut inner = self.lower(owner, items, &segs)?;
        // A list of lists or of bare scalars keeps what it is; nulls among items are `Option`.
        if let Ty::Nullable(item) = inner {
            inner = Ty::Nullable(item);
        }
        Ok(Ty::List(Box::new(inner)))
    }

    /// A scalar of several JSON types.
    fn by_type(&mut self, flat: &Flat, types: &[String], loc: &Loc, segs: &[String]) -> Result<Ty> {
        let both = types.iter().any(|kind| kind == "number");
        let id = self.push(loc, segs.to_vec(), loc.ptr.is_empty(), Kind::Pending);
        let mut arms = Vec::new();
        for kind in types {
            if kind == "integer" && both {
                continue;
            }
            let Some(test) = sig::kind_of(kind) else { continue };
            let mut one = flat.clone();
            one.types = Some(BTreeSet::from([kind.clone()]));
            let mut segs = segs.to_vec();
            if let Some(last) = segs.last_mut() {
                last.push_str(test);
            }
            let ty = self.lower_flat(one, loc, &segs)?;
            arms.push(Arm {
                variant: test.to_owned(),
                ty,
                boxed: false,
                loc: loc.clone(),
                tests: vec![super::model::Test::Is(test)],
                tags: Vec::new(),
                order: arms.len(),
            });
        }
        self.types[id].kind = Kind::Union(UnionDef { arms, choice: Choice::Tests });
        Ok(Ty::Named(id))
    }

    fn object(&mut self, flat: &Flat, loc: &Loc, segs: &[String]) -> Result<Ty> {
        let visible =
            flat.props.values().any(|prop| !prop.envelope) || (flat.enveloped && loc.ptr.is_empty());
        if visible || (!flat.props.is_empty() && loc.ptr.is_empty()) {
            return self.structure(flat, loc, segs);
        }
        let inner = flat.additional.clone().map(|at| (at, false)).or_else(|| {
            let [pattern] = &flat.patterns[..] else { return None };
            Some((pattern.clone(), !flat.closed))
        });
        let Some((at, open)) = inner else { return Ok(Ty::Object) };
        let mut segs = segs.to_vec();
        if let Some(last) = segs.last_mut() {
            *last = singular(last);
        }
        let inner = self.lower(&loc.file, &at, &segs)?;
        let loose = open && !self.takes_anything(&inner);
        Ok(Ty::Map(Box::new(if loose { Ty::Loose(Box::new(inner)) } else { inner })))
    }

    fn takes_anything(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Any)
    }

    fn structure(&mut self, flat: &Flat, loc: &Loc, segs: &[String]) -> Result<Ty> {
        let id = self.push(loc, segs.to_vec(), loc.ptr.is_empty(), Kind::Pending);
        self.done.insert(loc.clone(), Ty::Named(id));
        let answers = flat.enveloped
            || self.responses.contains(&loc.file) && (loc.ptr.is_empty() || is_root_arm(&loc.ptr));
        let is_envelope = loc.file.ends_with("-envelope.json");
        // An arm that fixes the status is a message about a task: its own fields stay.
        let asynchronous = flat.props.get("status").is_some_and(|prop| {
            !prop.envelope && flat.requires("status") && self.bundle.get(&prop.loc).get("const").is_some()
        });
        let mut fields = Vec::new();
        let mut consts = Vec::new();
        let mut idents: BTreeMap<String, String> = BTreeMap::new();
        for (wire, prop) in &flat.props {
            if flat.forbidden.contains(wire)
                && !flat.requires(wire)
                && self
                    .bundle
                    .get(&prop.loc)
                    .as_object()
                    .is_some_and(|map| map.contains_key("not") && map.len() == 1)
            {
                continue;
            }
            let required = flat.requires(wire) || (is_envelope && flat.envelope_required.contains(wire));
            if answers
                && !is_envelope
                && ENVELOPE_FIELDS.contains(&wire.as_str())
                && (prop.envelope || !(required || asynchronous))
            {
                continue;
            }
            if let (true, Some(value)) = (required, self.bundle.get(&prop.loc).get("const"))
                && (value.is_string() || value.is_boolean() || value.is_i64())
            {
                consts.push((wire.clone(), value.clone()));
                continue;
            }
            let mut inner = segs.to_vec();
            inner.push(pascal(wire));
            let ty = self.lower(&loc.file, &prop.loc, &inner)?;
            let mut ident = snake(wire);
            if ident == "extra" {
                ident.push('_');
            }
            if let Some(other) = idents.insert(ident.clone(), wire.clone()) {
                ident = format!("{}_", pascal_to_snake_distinct(wire, &other));
            }
            fields.push(Field {
                wire: wire.clone(),
                ident,
                ty,
                required,
                boxed: false,
                loc: prop.loc.clone(),
            });
        }
        let stored = |wire: &str| fields.iter().any(|field: &Field| field.required && field.wire == wire);
        let mut order: Vec<String> = Vec::new();
        let frozen = self.lock.new.get(&loc.key()).map(String::as_str).unwrap_or_default();
        let envelope = flat.envelope_required.iter().map(String::as_str);
        for wire in frozen.split(' ').chain(flat.required.iter().map(String::as_str)).chain(envelope) {
            if stored(wire) && !order.iter().any(|known| known == wire) {
                order.push(wire.to_owned());
            }
        }
        self.types[id].kind = Kind::Struct(StructDef { order, fields, consts, closed: flat.closed });
        Ok(Ty::Named(id))
    }

    fn vocabulary(&mut self, values: &[String], other: &str, loc: &Loc, segs: &[String]) -> Ty {
        let shape =
            (loc.file.clone(), segs.last().cloned().unwrap_or_default(), format!("enum {other} {values:?}"));
        if let (Some(id), false) = (self.shared.get(&shape), loc.ptr.is_empty()) {
            return Ty::Named(*id);
        }
        let id = self.push(loc, segs.to_vec(), loc.ptr.is_empty(), Kind::Pending);
        self.shared.insert(shape, id);
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        let mut names: Vec<String> = values.iter().map(|value| enum_variant(value)).collect();
        for name in &names {
            *taken.entry(name.to_ascii_lowercase()).or_default() += 1;
        }
        for (name, value) in names.iter_mut().zip(values) {
            if taken[&name.to_ascii_lowercase()] > 1 {
                *name = pascal_keeping_case(value);
            }
            if *name == other || name == "Self" {
                name.push_str("Value");
            }
        }
        let unique: BTreeSet<&String> = names.iter().collect();
        if unique.len() != names.len() {
            self.problems
                .push(format!("{}: two values make the same variant name; settle with [arms]", loc.key()));
        }
        let values = names.into_iter().zip(values.iter().cloned()).collect();
        self.types[id].kind = Kind::Enum(EnumDef { values, other: other.to_owned() });
        Ty::Named(id)
    }
}

fn enum_variant(value: &str) -> String {
    let special = match value {
        "<" => "Less",
        "<=" => "LessOrEqual",
        ">" => "Greater",
        ">=" => "GreaterOrEqual",
        "=" | "==" => "Equal",
        "!=" => "NotEqual",
        "*" => "Any",
        "" => "Empty",
        _ => "",
    };
    if !special.is_empty() {
        return special.to_owned();
    }
    let name = if value.chars().any(|char| char.is_ascii_lowercase()) {
        pascal(value)
    } else {
        pascal(&constant_words(value))
    };
    if name.is_empty() { "Symbol".to_owned() } else { name }
}

fn constant_words(value: &str) -> String {
    if value.contains(['_', '-', ' ', '.']) { value.to_ascii_lowercase() } else { value.to_owned() }
}

fn pascal_to_snake_distinct(wire: &str, _other: &str) -> String {
    constant(wire).to_ascii_lowercase()
}

/// The type name of a file: its stem, without the words that only say the arm is asynchronous.
pub fn root_name(file: &str) -> String {
    let stem = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".json");
    pascal(&stem.replace("-async-response-", "-").replace("-async-response", ""))
}

fn is_root_arm(ptr: &str) -> bool {
    let tokens: Vec<&str> = ptr.split('/').skip(1).collect();
    tokens.len().is_multiple_of(2)
        && tokens.chunks(2).all(|pair| matches!(pair[0], "oneOf" | "anyOf" | "allOf"))
}

fn segments_of(tokens: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut names = false;
    for token in tokens {
        if names {
            out.push(pascal(token));
            names = false;
        } else if matches!(token.as_str(), "properties" | "definitions" | "$defs") {
            names = true;
        } else if (token == "items" || token == "additionalProperties")
            && let Some(last) = out.last_mut()
        {
            *last = singular(last);
        }
    }
    if out.is_empty() {
        out.push("Part".to_owned());
    }
    out
}

/// The schema without prose, to compare shapes.
pub fn canonical(value: &Value, names: bool) -> Value {
    const PROSE: [&str; 8] = [
        "title",
        "description",
        "examples",
        "$comment",
        "enumDescriptions",
        "notes",
        "errorMessage",
        "deprecated",
    ];
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| names || !PROSE.contains(&key.as_str()))
            .map(|(key, value)| {
                let inner = !names
                    && matches!(key.as_str(), "properties" | "definitions" | "$defs" | "patternProperties");
                (key.clone(), canonical(value, inner))
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(|item| canonical(item, false)).collect(),
        other => other.clone(),
    }
}
