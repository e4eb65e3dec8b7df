//! Everything that several schemas ask of one instance, gathered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::plan::Plan;
use super::text::Dice;
use super::{Spot, Stuck, Texts};

/// What one instance has to be.
#[derive(Debug, Clone, Default)]
pub(super) struct Goal {
    /// Types that every schema allows; `None` while nobody has said.
    pub(super) types: Option<BTreeSet<String>>,
    /// Places that allow several types.
    pub(super) kinds: BTreeSet<String>,
    /// Constants it has to equal.
    pub(super) constants: Vec<Value>,
    /// Enumerations it has to be in, with their places.
    pub(super) choices: Vec<(String, Vec<Value>)>,
    /// Schemas per field.
    pub(super) fields: BTreeMap<String, Vec<Spot>>,
    /// Schemas per pattern of field names.
    pub(super) patterned: Vec<(String, Spot)>,
    /// Schemas for other fields.
    pub(super) others: Vec<Spot>,
    /// Schemas for field names.
    pub(super) names: Vec<Spot>,
    /// What closed schemas know: field names.
    pub(super) closed: Vec<BTreeSet<String>>,
    /// Fields that must be there.
    pub(super) required: BTreeSet<String>,
    /// Fields that must not.
    pub(super) forbidden: BTreeSet<String>,
    /// Fields that bring others.
    pub(super) dependencies: Vec<(String, Vec<String>)>,
    /// Schemas of items.
    pub(super) items: Vec<Spot>,
    /// Schemas that one item has to fit.
    pub(super) contains: Vec<Spot>,
    /// Plain keywords with a number or a text, per keyword.
    pub(super) limits: BTreeMap<&'static str, Vec<Value>>,
    /// Schemas with an `if`.
    pub(super) conditions: Vec<Spot>,
    /// Arms chosen so far: place of the union, index.
    pub(super) arms: Vec<(String, usize)>,
}

/// Keywords that are only collected.
const LIMITS: &[&str] = &[
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "uniqueItems",
];

impl Goal {
    /// Adds what the schema at `spot` asks for, through references, parts and the arms the plan picks.
    pub(super) fn add(&mut self, texts: &Texts, spot: &Spot, plan: &Plan, depth: usize) -> Result<(), Stuck> {
        if depth > 60 {
            return Err(Stuck(format!("{spot} goes round in circles")));
        }
        let document = texts.file(&spot.file)?;
        let schema = match document.pointer(&spot.pointer) {
            Some(Value::Object(schema)) => schema,
            Some(Value::Bool(true)) => return Ok(()),
            _ => return Err(Stuck(format!("nothing fits {spot}"))),
        };
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return self.add(texts, &spot.follow(reference), plan, depth + 1);
        }
        self.add_values(schema, spot);
        self.add_object(schema, spot);
        self.add_array(schema, spot);
        for keyword in LIMITS {
            if let Some(limit) = schema.get(*keyword) {
                self.limits.entry(keyword).or_default().push(limit.clone());
            }
        }
        if schema.contains_key("if") {
            self.conditions.push(spot.clone());
        }
        if let Some(ruled_out) = schema.get("not") {
            self.rule_out(ruled_out);
        }
        for index in 0..list(schema, "allOf").len() {
            self.add(texts, &spot.down("allOf").down(&index.to_string()), plan, depth + 1)?;
        }
        for keyword in ["oneOf", "anyOf"] {
            let arms = list(schema, keyword);
            if !arms.is_empty() {
                self.choose_arm(texts, &spot.down(keyword), arms, plan, depth)?;
            }
        }
        Ok(())
    }

    fn add_values(&mut self, schema: &Map<String, Value>, spot: &Spot) {
        if let Some(types) = schema.get("type") {
            let named: BTreeSet<String> = match types {
                Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                one => one.as_str().map(str::to_owned).into_iter().collect(),
            };
            if named.len() > 1 {
                self.kinds.insert(spot.to_string());
            }
            self.types = Some(match self.types.take() {
                None => named,
                Some(old) => shared_types(&old, &named),
            });
        }
        self.constants.extend(schema.get("const").cloned());
        let values = list(schema, "enum");
        if !values.is_empty() {
            self.choices.push((spot.to_string(), values.to_vec()));
        }
    }

    fn add_object(&mut self, schema: &Map<String, Value>, spot: &Spot) {
        let fields = schema.get("properties").and_then(Value::as_object);
        for (name, field) in fields.into_iter().flatten() {
            if field == &Value::Bool(false) {
                self.forbidden.insert(name.clone());
            } else {
                self.fields.entry(name.clone()).or_default().push(spot.down("properties").down(name));
            }
        }
        let patterned = schema.get("patternProperties").and_then(Value::as_object);
        for pattern in patterned.into_iter().flat_map(Map::keys) {
            self.patterned.push((pattern.clone(), spot.down("patternProperties").down(pattern)));
        }
        match schema.get("additionalProperties") {
            Some(Value::Bool(false)) if patterned.is_none() => {
                self.closed.push(fields.into_iter().flat_map(Map::keys).cloned().collect());
            }
            Some(Value::Object(_)) => self.others.push(spot.down("additionalProperties")),
            _ => {}
        }
        if schema.contains_key("propertyNames") {
            self.names.push(spot.down("propertyNames"));
        }
        self.required.extend(names(schema.get("required")));
        for (name, needs) in schema.get("dependencies").and_then(Value::as_object).into_iter().flatten() {
            self.dependencies.push((name.clone(), names(Some(needs)).collect()));
        }
    }

    fn add_array(&mut self, schema: &Map<String, Value>, spot: &Spot) {
        if schema.get("items").is_some_and(Value::is_object) {
            self.items.push(spot.down("items"));
        }
        if schema.contains_key("contains") {
            self.contains.push(spot.down("contains"));
        }
    }

    /// Forbids a field where a negated schema does little but require some.
    fn rule_out(&mut self, schema: &Value) {
        let Value::Object(schema) = schema else { return };
        for arm in list(schema, "anyOf") {
            self.rule_out(arm);
        }
        let required: Vec<String> = names(schema.get("required")).collect();
        if schema.contains_key("required") && !schema.contains_key("properties") {
            let free = required.iter().rev().find(|name| !self.required.contains(*name));
            self.forbidden.extend(free.cloned());
        }
    }

    fn choose_arm(
        &mut self,
        texts: &Texts,
        union: &Spot,
        arms: &[Value],
        plan: &Plan,
        depth: usize,
    ) -> Result<(), Stuck> {
        let place = union.to_string();
        let routed = (0..arms.len()).find(|index| plan.visits(&union.down(&index.to_string())));
        let first = match plan.attempt {
            0 => 0,
            attempt => Dice::of(&place, attempt).below(arms.len()),
        };
        let order: Vec<usize> = match routed {
            Some(index) => vec![index],
            None => (0..arms.len()).map(|step| (first + step) % arms.len()).collect(),
        };
        let mut last = None;
        for index in order {
            let mut tried = self.clone();
            match tried.add(texts, &union.down(&index.to_string()), plan, depth + 1) {
                Ok(()) if tried.is_possible(plan) => {
                    if union.pointer.ends_with("/oneOf") {
                        tried.forbid_other_arms(arms, index);
                    }
                    tried.arms.push((place, index));
                    *self = tried;
                    return Ok(());
                }
                Ok(()) => last = Some(Stuck(format!("arm {index} of {union} contradicts the rest"))),
                Err(stuck) => last = Some(stuck),
            }
        }
        Err(last.unwrap_or_else(|| Stuck(format!("{union} has no arms"))))
    }

    /// Of arms that only require fields, keeps the others from fitting as well.
    fn forbid_other_arms(&mut self, arms: &[Value], chosen: usize) {
        let idle = |arm: &Value| {
            arm.as_object().is_some_and(|arm| arm.keys().all(|key| key == "required" || key == "not"))
        };
        if !arms.iter().all(idle) {
            return;
        }
        for (_, arm) in arms.iter().enumerate().filter(|(index, _)| *index != chosen) {
            let free = names(arm.get("required")).find(|name| !self.required.contains(name));
            self.forbidden.extend(free);
        }
    }

    fn is_possible(&self, plan: &Plan) -> bool {
        let types = self.types.as_ref().is_none_or(|types| !types.is_empty());
        let constants = self.constants.windows(2).all(|pair| pair[0] == pair[1]);
        let required = self.required.iter().all(|name| {
            !self.forbidden.contains(name) && self.closed.iter().all(|known| known.contains(name))
        });
        let candidates = self.candidates();
        let wanted = plan.value.as_ref().and_then(|(place, index)| {
            let (_, all) = self.choices.iter().find(|(spot, _)| spot == place)?;
            all.get(*index)
        });
        let possible = candidates.is_none_or(|values| match wanted {
            Some(wanted) => values.contains(wanted),
            None => !values.is_empty(),
        });
        types && constants && required && possible
    }

    /// The values that all constants and enumerations leave; `None` when there are none of either.
    pub(super) fn candidates(&self) -> Option<Vec<Value>> {
        let mut sets = self.choices.iter().map(|(_, values)| values.clone());
        let mut left = match (self.constants.first(), sets.next()) {
            (Some(constant), first) => {
                let fits = first.is_none_or(|values| values.contains(constant));
                if fits { vec![constant.clone()] } else { Vec::new() }
            }
            (None, Some(first)) => first,
            (None, None) => return None,
        };
        for values in sets {
            left.retain(|value| values.contains(value));
        }
        Some(left)
    }

    /// Whether any closed schema would refuse the field.
    pub(super) fn allows(&self, name: &str) -> bool {
        !self.forbidden.contains(name) && self.closed.iter().all(|known| known.contains(name))
    }
}

fn shared_types(old: &BTreeSet<String>, new: &BTreeSet<String>) -> BTreeSet<String> {
    let fits = |one: &String, other: &BTreeSet<String>| {
        other.contains(one) || (one == "integer" && other.contains("number"))
    };
    let left = old.iter().filter(|one| fits(one, new));
    let right = new.iter().filter(|one| fits(one, old));
    left.chain(right).cloned().collect()
}

fn list<'a>(schema: &'a Map<String, Value>, keyword: &str) -> &'a [Value] {
    schema.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn names(list: Option<&Value>) -> impl Iterator<Item = String> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned)
}

/// A file of the bundle as JSON, shared.
pub(super) type Document = Arc<Value>;
