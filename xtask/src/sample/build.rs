//! Constructs one instance from what its schemas ask for.

use std::collections::BTreeSet;

use adcp_schemas::Bundle;
use serde_json::{Map, Value, json};

use super::goal::Goal;
use super::plan::Plan;
use super::text::{Dice, matching};
use super::{Arm, Spot, Stuck, Texts};

/// Deepest instance that is built.
const MAX_DEPTH: usize = 40;

/// Texts that formats and patterns are tried with before anything is made up.
const TEXTS: &[&str] = &[
    "2026-03-01T12:00:00Z",
    "2026-03-01",
    "https://example.com/path",
    "example.com",
    "buyer@example.com",
    "123e4567-e89b-12d3-a456-426614174000",
    "https://example.com/{id}",
    "P1D",
    "/path",
];

pub(super) struct Builder<'a> {
    pub(super) bundle: &'a Bundle,
    pub(super) texts: &'a Texts,
    pub(super) plan: &'a Plan,
    /// Arms that went into the instance.
    pub(super) arms: Vec<Arm>,
    /// Makes the items of a list differ.
    salt: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(bundle: &'a Bundle, texts: &'a Texts, plan: &'a Plan) -> Self {
        Self { bundle, texts, plan, arms: Vec::new(), salt: 0 }
    }

    /// An instance for all these schemas at once.
    pub(super) fn build(&mut self, spots: &[Spot], place: &str, depth: usize) -> Result<Value, Stuck> {
        if depth > MAX_DEPTH {
            return Err(Stuck(format!("too deep at {place}")));
        }
        let mut goal = Goal::default();
        for spot in spots {
            goal.add(self.texts, spot, self.plan, 0)?;
        }
        self.settle(goal, place, depth)
    }

    /// Constructs, looks which conditions hold, adds what they ask for, and again.
    fn settle(&mut self, mut goal: Goal, place: &str, depth: usize) -> Result<Value, Stuck> {
        let mut applied = BTreeSet::new();
        loop {
            let mark = self.arms.len();
            let value = self.construct(&goal, place, depth)?;
            let mut changed = false;
            for spot in goal.conditions.clone() {
                let holds = self.bundle.inspect(&spot.down("if").to_string(), &value).is_ok();
                let branch = spot.down(if holds { "then" } else { "else" });
                if self.texts.has(&branch) && applied.insert(branch.to_string()) {
                    goal.add(self.texts, &branch, self.plan, 0)?;
                    changed = true;
                }
            }
            if !changed {
                let own = goal.arms.iter();
                self.arms.extend(own.map(|(union, index)| Arm {
                    place: place.to_owned(),
                    union: union.clone(),
                    index: *index,
                }));
                return Ok(value);
            }
            self.arms.truncate(mark);
        }
    }

    fn construct(&mut self, goal: &Goal, place: &str, depth: usize) -> Result<Value, Stuck> {
        if let Some(values) = goal.candidates() {
            return self.pick(goal, &values, place);
        }
        match self.kind(goal).as_str() {
            "object" => self.object(goal, place, depth),
            "array" => self.array(goal, place, depth),
            "string" => self.string(goal, place),
            "number" => Ok(self.number(goal, false)),
            "integer" => Ok(self.number(goal, true)),
            "boolean" => Ok(Value::Bool(self.salt.is_multiple_of(2))),
            "null" => Ok(Value::Null),
            _ => Ok(json!({ "anything": [1.5, "goes"] })),
        }
    }

    fn pick(&self, goal: &Goal, values: &[Value], place: &str) -> Result<Value, Stuck> {
        if let Some((wanted, index)) = &self.plan.value
            && let Some((_, all)) = goal.choices.iter().find(|(spot, _)| spot == wanted)
        {
            let value = all.get(*index).filter(|value| values.contains(value));
            return value.cloned().ok_or_else(|| Stuck(format!("value {index} of {wanted} is ruled out")));
        }
        let allowed = |value: &&Value| goal.types.as_ref().is_none_or(|types| fits_types(types, value));
        let values: Vec<&Value> = values.iter().filter(allowed).collect();
        let turn = usize::try_from(self.plan.attempt).unwrap_or(0) + self.salt;
        let value = values.get(turn % values.len().max(1));
        value.map(|value| (*value).clone()).ok_or_else(|| Stuck(format!("no value fits at {place}")))
    }

    /// The type to build, by the route, by what is allowed, or by what is asked for.
    fn kind(&self, goal: &Goal) -> String {
        const ORDER: &[&str] = &["object", "array", "string", "number", "integer", "boolean", "null"];
        let has = |keywords: &[&str]| keywords.iter().any(|keyword| goal.limits.contains_key(keyword));
        let asks_object = !(goal.fields.is_empty()
            && goal.required.is_empty()
            && goal.others.is_empty()
            && goal.patterned.is_empty());
        let Some(types) = &goal.types else {
            let guess = if asks_object || has(&["minProperties"]) {
                "object"
            } else if !goal.items.is_empty() || has(&["minItems"]) {
                "array"
            } else if has(&["pattern", "format", "minLength", "maxLength"]) {
                "string"
            } else if has(&["minimum", "maximum", "exclusiveMinimum"]) {
                "number"
            } else {
                "anything"
            };
            return guess.to_owned();
        };
        let wanted = self.plan.kind.as_ref().filter(|(place, _)| goal.kinds.contains(place));
        let wanted = wanted.map(|(_, name)| name).filter(|name| types.contains(*name));
        if let Some(name) = wanted {
            return name.clone();
        }
        let first = ORDER.iter().find(|name| types.contains(**name));
        first.map(|name| (*name).to_owned()).unwrap_or_default()
    }

    fn object(&mut self, goal: &Goal, place: &str, depth: usize) -> Result<Value, Stuck> {
        let full = self.plan.full > depth;
        let mut object = Map::new();
        for name in self.field_names(goal, place, full) {
            let must = goal.required.contains(&name) || self.plan.adds(place, &name);
            let inner = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
            let spots = goal.fields.get(&name).unwrap_or(&goal.others);
            let mark = self.arms.len();
            match self.build(spots, &inner, depth + 1) {
                Ok(value) => drop(object.insert(name, value)),
                Err(stuck) if must || spots.iter().any(|spot| self.plan.visits(spot)) => return Err(stuck),
                Err(_) => self.arms.truncate(mark),
            }
        }
        self.other_fields(goal, place, depth, &mut object)?;
        Ok(Value::Object(object))
    }

    /// Names of the fields to fill in.
    fn field_names(&self, goal: &Goal, place: &str, full: bool) -> BTreeSet<String> {
        let wanted = |name: &String, spots: &Vec<Spot>| {
            full || self.plan.adds(place, name) || spots.iter().any(|spot| self.plan.visits(spot))
        };
        let optional = goal.fields.iter().filter(|(name, spots)| wanted(name, spots)).map(|(name, _)| name);
        let mut names: BTreeSet<String> = optional
            .chain(self.plan.added.get(place).into_iter().flatten())
            .filter(|name| goal.allows(name) && !self.plan.omits(place, name))
            .cloned()
            .collect();
        names.extend(goal.required.iter().cloned());
        let least = limit(goal, "minProperties").unwrap_or(0);
        let mut spare = goal.fields.keys().filter(|name| goal.allows(name) && !self.plan.omits(place, name));
        while names.len() < least {
            let Some(name) = spare.next() else { break };
            names.insert(name.clone());
        }
        let mut before = 0;
        while before != names.len() {
            before = names.len();
            for (name, needs) in &goal.dependencies {
                if names.contains(name) {
                    names.extend(needs.iter().cloned());
                }
            }
        }
        if let Some(most) = limit(goal, "maxProperties") {
            let spare: Vec<String> = names
                .iter()
                .filter(|name| !goal.required.contains(*name))
                .filter(|name| {
                    !goal.fields.get(*name).into_iter().flatten().any(|spot| self.plan.visits(spot))
                })
                .cloned()
                .collect();
            for name in spare {
                if names.len() > most {
                    names.remove(&name);
                }
            }
        }
        names
    }

    /// Fields whose names the schema leaves open.
    fn other_fields(
        &mut self,
        goal: &Goal,
        place: &str,
        depth: usize,
        object: &mut Map<String, Value>,
    ) -> Result<(), Stuck> {
        let full = self.plan.full > depth;
        let least = limit(goal, "minProperties").unwrap_or(0);
        let most = limit(goal, "maxProperties").unwrap_or(usize::MAX);
        for (pattern, spot) in &goal.patterned {
            let needed = object.len() < least || full || self.plan.visits(spot);
            if needed && object.len() < most {
                let name = matching(pattern, &mut Dice::of(pattern, self.plan.seed));
                let name = if name.is_empty() { "key".to_owned() } else { name };
                let value = self.build(std::slice::from_ref(spot), &format!("{place}/{name}"), depth + 1)?;
                object.insert(name, value);
            }
        }
        let visited = goal.others.iter().any(|spot| self.plan.visits(spot));
        let wanted = if (full || visited) && !goal.others.is_empty() { object.len() + 1 } else { 0 };
        let wanted = wanted.max(least);
        let mut turn = 0;
        while object.len() < wanted.min(most) && turn < 20 {
            let name = self.name(goal, turn, place)?;
            turn += 1;
            if goal.allows(&name) && !goal.fields.contains_key(&name) && !self.plan.omits(place, &name) {
                let value = self.build(&goal.others, &format!("{place}/{name}"), depth + 1)?;
                object.insert(name, value);
            }
        }
        Ok(())
    }

    /// A field name the schema has not thought of.
    fn name(&mut self, goal: &Goal, turn: usize, place: &str) -> Result<String, Stuck> {
        if goal.names.is_empty() {
            return Ok(format!("key_{turn}"));
        }
        let before = std::mem::replace(&mut self.salt, turn);
        let mut names = Goal { types: Some(BTreeSet::from(["string".to_owned()])), ..Goal::default() };
        for spot in &goal.names {
            names.add(self.texts, spot, self.plan, 0)?;
        }
        let name = self.construct(&names, place, MAX_DEPTH);
        self.salt = before;
        Ok(name?.as_str().unwrap_or_default().to_owned())
    }

    fn array(&mut self, goal: &Goal, place: &str, depth: usize) -> Result<Value, Stuck> {
        let least = limit(goal, "minItems").unwrap_or(0);
        let most = limit(goal, "maxItems").unwrap_or(usize::MAX);
        let visited = goal.items.iter().any(|spot| self.plan.visits(spot));
        let wanted = self.plan.full > depth || visited;
        // The item a route leads to stands before those that `contains` asks for.
        let free = usize::from(visited && !goal.contains.is_empty());
        let count = least.max(goal.contains.len() + free).max(usize::from(wanted)).min(most);
        let before = self.salt;
        let mut items = Vec::new();
        for index in 0..count {
            let mut spots = goal.items.clone();
            spots.extend(index.checked_sub(free).and_then(|index| goal.contains.get(index)).cloned());
            self.salt = before + index;
            items.push(self.item(&spots, &format!("{place}/{index}"), depth, index < free || free == 0)?);
        }
        self.salt = before;
        Ok(Value::Array(items))
    }

    /// An item; only a `routed` one has to take the value the plan is about.
    fn item(&mut self, spots: &[Spot], place: &str, depth: usize, routed: bool) -> Result<Value, Stuck> {
        if routed {
            return self.build(spots, place, depth + 1);
        }
        let plain = Plan { value: None, route: BTreeSet::new(), ..self.plan.clone() };
        let mut builder = Builder { plan: &plain, arms: Vec::new(), ..*self };
        let value = builder.build(spots, place, depth + 1)?;
        let arms = builder.arms;
        self.arms.extend(arms);
        Ok(value)
    }

    fn string(&self, goal: &Goal, place: &str) -> Result<Value, Stuck> {
        let least = limit(goal, "minLength").unwrap_or(0);
        let most = limit(goal, "maxLength").unwrap_or(usize::MAX);
        let patterns: Vec<&str> = words(goal, "pattern").collect();
        let formats: Vec<&str> = words(goal, "format").collect();
        if patterns.is_empty() && formats.is_empty() {
            let stem = place.rsplit('/').find(|token| token.parse::<usize>().is_err()).unwrap_or("text");
            let mut text = format!("{stem}-{}", self.salt);
            while text.chars().count() < least {
                text.push('x');
            }
            return Ok(Value::String(text.chars().take(most).collect()));
        }
        let check = self.texts.check(&patterns, &formats, least, most)?;
        let dated = format!("2026-03-01T12:00:{:02}Z", self.salt % 60);
        let addressed = format!("https://example.com/{}", self.salt);
        let ready = [dated, addressed].into_iter().chain(TEXTS.iter().map(|text| (*text).to_owned()));
        let made = (0..400_u64).flat_map(|turn| {
            let seed = self.plan.seed + turn + u64::try_from(self.salt).unwrap_or(0) * 1000;
            patterns.iter().map(move |pattern| matching(pattern, &mut Dice::of(pattern, seed)))
        });
        let padded = (0..8_u64).map(|turn| format!("https://example.com/{}", "p".repeat(1 << turn)));
        let mut candidates: Box<dyn Iterator<Item = String>> = if formats.is_empty() {
            Box::new(made.chain(ready))
        } else {
            Box::new(ready.chain(padded).chain(made))
        };
        let found = candidates.find_map(|text| {
            let text = Value::String(text);
            check.is_valid(&text).then_some(text)
        });
        found.ok_or_else(|| Stuck(format!("no text for {patterns:?} {formats:?} at {place}")))
    }

    fn number(&self, goal: &Goal, whole: bool) -> Value {
        let bound = |keyword: &str| goal.limits.get(keyword).into_iter().flatten().filter_map(Value::as_f64);
        let step = bound("multipleOf").fold(0.0, f64::max);
        let unit = if step > 0.0 {
            step
        } else if whole {
            1.0
        } else {
            0.001
        };
        let low = bound("minimum").chain(bound("exclusiveMinimum").map(|b| b + unit)).reduce(f64::max);
        let high = bound("maximum").chain(bound("exclusiveMaximum").map(|b| b - unit)).reduce(f64::min);
        let shift = f64::from(u32::try_from(self.salt).unwrap_or(0));
        let mut value = low.unwrap_or_else(|| high.unwrap_or(1.0).min(1.0));
        value += shift * if whole || step > 0.0 { unit } else { 1.0 };
        if self.plan.full > 0 && !whole && step == 0.0 {
            value += 0.25;
        }
        value = high.map_or(value, |high| value.min(high));
        if step > 0.0 {
            value = (value / step).round() * step;
        }
        if value.fract() == 0.0 && value.abs() < 9e15 {
            #[expect(clippy::cast_possible_truncation, reason = "a whole number within the range")]
            let integer = value as i64;
            return json!(integer);
        }
        json!(value)
    }
}

fn limit(goal: &Goal, keyword: &'static str) -> Option<usize> {
    let values = goal.limits.get(keyword)?.iter().filter_map(Value::as_u64);
    let value = if keyword.starts_with("min") { values.max() } else { values.min() };
    usize::try_from(value?).ok()
}

fn words<'g>(goal: &'g Goal, keyword: &'static str) -> impl Iterator<Item = &'g str> {
    goal.limits.get(keyword).into_iter().flatten().filter_map(Value::as_str)
}

fn fits_types(types: &BTreeSet<String>, value: &Value) -> bool {
    types.iter().any(|name| match name.as_str() {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "object" => value.is_object(),
        _ => value.is_array(),
    })
}
