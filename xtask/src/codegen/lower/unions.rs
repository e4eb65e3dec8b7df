//! Makes types of unions: which arms are there, what they are called, and how they are told apart.

use anyhow::Result;
use serde_json::Value;

use super::{Lower, root_name};
use crate::codegen::arms::{self, ArmHint};
use crate::codegen::bundle::Loc;
use crate::codegen::flat::Flat;
use crate::codegen::model::{Arm, Choice, Kind, Ty, UnionDef};
use crate::codegen::sig::{self, Sig};
use crate::codegen::words::{self, pascal};

/// A string arm: its place, its known values, its format.
type TextArm = (Loc, Option<Vec<String>>, Option<String>);

impl Lower<'_> {
    pub(super) fn union_asserts(&self, union: &Loc, base: &Flat) -> bool {
        let count = self.bundle.get(union).as_array().map_or(0, Vec::len);
        if let Some(tag) = &base.discriminator {
            let tagged = (0..count).all(|index| {
                let arm = union.at(&[&index.to_string()]);
                Flat::of(self.bundle, &arm).is_ok_and(|flat| {
                    flat.props.get(tag).is_some_and(|prop| self.bundle.get(&prop.loc).get("const").is_some())
                })
            });
            if tagged {
                return false;
            }
        }
        (base.is_object() || base.types.is_some())
            && (0..count).all(|index| self.asserts(&union.at(&[&index.to_string()]), base, false))
            && (base.is_object() || (0..count).all(|index| !self.says_type(&union.at(&[&index.to_string()]))))
    }

    fn says_type(&self, loc: &Loc) -> bool {
        self.bundle.get(loc).get("type").is_some()
    }

    pub(super) fn lower_union(
        &mut self,
        mut base: Flat,
        unions: &[Loc],
        loc: &Loc,
        segs: &[String],
        null: &mut bool,
    ) -> Result<Ty> {
        // With several unions side by side, one decides; the fields of the others become optional.
        let main = unions
            .iter()
            .find(|union| {
                base.discriminator.is_some()
                    && union.ptr.rsplit_once('/').is_some_and(|(parent, _)| {
                        self.bundle
                            .get(&Loc { file: union.file.clone(), ptr: parent.to_owned() })
                            .get("discriminator")
                            .is_some()
                    })
            })
            .unwrap_or(&unions[0])
            .clone();
        for union in unions.iter().filter(|union| **union != main) {
            let count = self.bundle.get(union).as_array().map_or(0, Vec::len);
            for index in 0..count {
                let arm = Flat::of(self.bundle, &union.at(&[&index.to_string()]))?;
                for (name, prop) in arm.props {
                    base.props.entry(name).or_insert(prop);
                }
            }
        }
        let body = base.props.values().any(|prop| !prop.envelope) || base.enveloped;
        let count = self.bundle.get(&main).as_array().map_or(0, Vec::len);
        let mut hints: Vec<ArmHint> = Vec::new();
        let mut flats: Vec<Flat> = Vec::new();
        let mut sigs: Vec<Sig> = Vec::new();
        let mut texts: Vec<TextArm> = Vec::new();
        for index in 0..count {
            let at = main.at(&[&index.to_string()]);
            let mut flat = base.clone();
            flat.merge(self.bundle, &at)?;
            let sig = Sig::of(self.bundle, &flat, 0)?;
            if sig.kinds.is_empty() && sig.null {
                *null = true;
                continue;
            }
            if sig.is_text() {
                texts.push((at, sig.strings.clone(), flat.format.clone()));
                continue;
            }
            let repeated = ["Bool", "Integer", "Number"]
                .iter()
                .any(|kind| sig.only(kind) && sigs.iter().any(|known| known.only(kind)));
            if repeated {
                continue;
            }
            hints.push(ArmHint {
                id: identity(loc, &at),
                loc: at.clone(),
                title: self.lock.title(self.bundle, &at),
                stem: self.reference(&at)?.map(|target| stem_of(&target)),
                required: flat.required.clone(),
            });
            flats.push(flat);
            sigs.push(sig);
        }
        let text = self.text_arm(&texts);
        if sigs.is_empty() {
            return Ok(match text {
                Some((values, other)) if !values.is_empty() => self.vocabulary(&values, other, loc, segs),
                _ => Ty::Text,
            });
        }
        if let (1, None) = (sigs.len(), &text) {
            let at = hints[0].loc.clone();
            if !body {
                return self.lower(&loc.file, &at, segs);
            }
            let flat = flats.remove(0);
            return self.lower_flat(flat, loc, segs);
        }
        if let Some(index) = (0..sigs.len()).find(|index| sigs[*index].only("Integer"))
            && sigs.iter().any(|sig| sig.only("Number"))
        {
            sigs.remove(index);
            flats.remove(index);
            hints.remove(index);
        }
        let id = self.push(loc, segs.to_vec(), loc.ptr.is_empty(), Kind::Pending);
        self.done.insert(loc.clone(), Ty::Named(id));
        if let Some((values, _)) = &text {
            let mut sig = Sig { strings: Some(values.clone()), ..Sig::default() };
            sig.kinds.insert("Text");
            sigs.push(sig);
            hints.push(ArmHint {
                id: identity(loc, &texts[0].0),
                loc: texts[0].0.clone(),
                title: None,
                stem: None,
                required: Vec::new(),
            });
        }
        let refs: Vec<&Sig> = sigs.iter().collect();
        let tag = if text.is_none() && sigs.iter().all(Sig::is_object) {
            sig::tag(&refs, base.discriminator.as_deref())
        } else {
            None
        };
        let (tests, order) = sig::tests(&sigs);
        let parent = segs.last().cloned().unwrap_or_default();
        let variants = match arms::names(
            &parent,
            &hints,
            &sigs,
            tag.as_deref(),
            base.discriminator.as_deref(),
            |hint| self.named_arm(hint),
        ) {
            Ok(variants) => variants,
            Err(unnamed) => {
                for at in unnamed {
                    self.problems.push(format!("{}: no name for this arm; settle with `\"{}\" = \"Name\"` in [arms] of overrides.toml", at.key(), at.key()));
                }
                hints.iter().map(|_| "Unnamed".to_owned()).collect()
            }
        };
        let mut out = Vec::new();
        for (index, hint) in hints.iter().enumerate() {
            let mut inner = segs.to_vec();
            let own = match &hint.title {
                Some(title) if words::words(title).len() > 1 => pascal(title),
                _ if matches!(variants[index].as_str(), "Success" | "Error") => {
                    format!("{}{}", parent.strip_suffix("Response").unwrap_or(&parent), variants[index])
                }
                _ => format!("{}{}", parent, variants[index]),
            };
            if let Some(last) = inner.last_mut() {
                *last = own;
            }
            let ty = if index >= flats.len() {
                let (values, other) = text.clone().unwrap_or_default();
                let whole = match &texts[..] {
                    [(at, ..)] => self.reference(at)?,
                    _ => None,
                };
                match whole {
                    Some(target) => self.place(&target)?,
                    None if values.is_empty() => Ty::Text,
                    None => self.vocabulary(&values, other, &hint.id, &inner),
                }
            } else {
                let whole = match self.reference(&hint.loc)? {
                    Some(target) => {
                        let known = Flat::of(self.bundle, &target)?;
                        base.props.iter().all(|(name, prop)| prop.envelope || known.props.contains_key(name))
                            && !base.enveloped
                    }
                    None => !body,
                };
                if whole {
                    self.lower(&loc.file, &hint.loc, &inner)?
                } else {
                    {
                        let ty = self.lower_flat(flats[index].clone(), &hint.id, &inner)?;
                        if let Ty::Named(made) = ty
                            && self.types[made].loc == hint.id
                        {
                            self.types[made].at = hint.loc.clone();
                        }
                        ty
                    }
                }
            };
            if let (Ty::Named(arm), true) = (&ty, loc.ptr.is_empty()) {
                self.types[*arm].root_arm |= self.types[*arm].loc == hint.id;
            }
            let tags = tag.as_ref().and_then(|key| sigs[index].tags.get(key)).cloned().unwrap_or_default();
            out.push(Arm {
                variant: variants[index].clone(),
                ty,
                boxed: false,
                loc: hint.id.clone(),
                tests: tests[index].clone(),
                tags,
                order: order.iter().position(|at| *at == index).unwrap_or_default(),
            });
        }
        let choice = match tag {
            Some(key) if out.iter().all(|arm| arm.tags.iter().all(Value::is_boolean)) => Choice::Flag(key),
            Some(key) => Choice::Tag(key),
            None => Choice::Tests,
        };
        self.types[id].kind = Kind::Union(UnionDef { arms: out, choice });
        Ok(Ty::Named(id))
    }

    fn named_arm(&self, hint: &ArmHint) -> Option<String> {
        self.overrides
            .arm(&hint.id)
            .or_else(|| self.lock.arm(&hint.id))
            .or_else(|| self.overrides.arm(&hint.loc))
    }

    /// All string arms together: their known values, and the name of the arm for other strings.
    fn text_arm(&self, texts: &[TextArm]) -> Option<(Vec<String>, &'static str)> {
        if texts.is_empty() {
            return None;
        }
        let mut values: Vec<String> = Vec::new();
        let mut other = "Unrecognized";
        for (_, strings, format) in texts {
            match strings {
                Some(strings) => {
                    for value in strings {
                        if !values.contains(value) {
                            values.push(value.clone());
                        }
                    }
                }
                None => other = if format.as_deref() == Some("date-time") { "DateTime" } else { other },
            }
        }
        Some((values, other))
    }
}

/// What an arm at `at` is known by in the type at `owner`: its place, unless it came in through a reference.
fn identity(owner: &Loc, at: &Loc) -> Loc {
    if at.file == owner.file && at.ptr.starts_with(&owner.ptr) {
        return at.clone();
    }
    let tail: Vec<&str> = at.ptr.rsplitn(3, '/').collect();
    let (index, keyword) = (tail[0], tail.get(1).copied().unwrap_or("oneOf"));
    Loc { file: owner.file.clone(), ptr: format!("{}/{keyword}/{index}", owner.ptr) }
}

fn stem_of(target: &Loc) -> String {
    if target.ptr.is_empty() {
        root_name(&target.file)
    } else {
        target.tokens().last().map(|last| pascal(last)).unwrap_or_default()
    }
}
