//! Decides what is held in a box: what is larger than 24 words, and whatever was boxed before.

use std::collections::BTreeMap;

use super::lock::Lock;
use super::model::{Kind, Ty, TypeDef};

const THRESHOLD: u32 = 24;

/// Sets `boxed` on fields and arms, smallest types first.
pub fn settle(types: &mut [TypeDef], lock: &Lock) {
    let mut known: BTreeMap<usize, u32> = BTreeMap::new();
    for id in 0..types.len() {
        measure(id, types, lock, &mut known, &mut Vec::new());
    }
}

fn measure(
    id: usize,
    types: &mut [TypeDef],
    lock: &Lock,
    known: &mut BTreeMap<usize, u32>,
    open: &mut Vec<usize>,
) -> u32 {
    if let Some(size) = known.get(&id) {
        return *size;
    }
    if open.contains(&id) {
        // A type within itself: whoever asks must box it.
        return u32::MAX;
    }
    open.push(id);
    let parts: Vec<(String, Ty)> = match &types[id].kind {
        Kind::Struct(inner) => {
            inner.fields.iter().map(|field| (field_key(types, id, &field.wire), field.ty.clone())).collect()
        }
        Kind::Union(inner) => inner.arms.iter().map(|arm| (arm.loc.key(), arm.ty.clone())).collect(),
        Kind::Alias(ty) => vec![(String::new(), ty.clone())],
        Kind::Same(other) => vec![(String::new(), Ty::Named(*other))],
        Kind::Enum(_) | Kind::Pending => Vec::new(),
    };
    let mut sizes = Vec::new();
    let mut boxes = Vec::new();
    for (key, ty) in &parts {
        let size = words(ty, types, lock, known, open);
        let direct = match ty {
            Ty::Nullable(inner) => &**inner,
            other => other,
        };
        let boxed = match lock.boxed.get(key).map(String::as_str) {
            _ if !matches!(direct, Ty::Named(_)) => false,
            _ if size == u32::MAX => true,
            Some(held) => held == "boxed",
            None => size > THRESHOLD,
        };
        boxes.push(boxed);
        sizes.push(if boxed { 1 } else { size });
    }
    open.pop();
    let size = match &mut types[id].kind {
        Kind::Struct(inner) => {
            for (field, boxed) in inner.fields.iter_mut().zip(boxes) {
                field.boxed = boxed;
            }
            sizes.iter().fold(3, |sum: u32, size| sum.saturating_add(*size))
        }
        Kind::Union(inner) => {
            for (arm, boxed) in inner.arms.iter_mut().zip(boxes) {
                arm.boxed = boxed;
            }
            sizes.into_iter().max().unwrap_or(0).max(4).saturating_add(1)
        }
        Kind::Enum(_) => 3,
        _ => sizes.first().copied().unwrap_or(1),
    };
    known.insert(id, size);
    size
}

fn words(
    ty: &Ty,
    types: &mut [TypeDef],
    lock: &Lock,
    known: &mut BTreeMap<usize, u32>,
    open: &mut Vec<usize>,
) -> u32 {
    match ty {
        Ty::Text | Ty::List(_) | Ty::Map(_) | Ty::Object => 3,
        Ty::Number | Ty::Integer => 2,
        Ty::Bool => 1,
        Ty::Any => 4,
        Ty::Nullable(inner) | Ty::Loose(inner) => words(inner, types, lock, known, open).saturating_add(1),
        Ty::Named(id) => measure(*id, types, lock, known, open),
    }
}

/// The key of a field in the lock: the struct's place and the field's wire name.
pub fn field_key(types: &[TypeDef], id: usize, wire: &str) -> String {
    format!("{} {wire}", types[id].loc.key())
}
