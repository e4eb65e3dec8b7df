//! Settles the names of types, one file at a time.

use std::collections::{BTreeMap, BTreeSet};

use super::lock::Lock;
use super::model::TypeDef;

const RESERVED: [&str; 26] = [
    "String",
    "Vec",
    "Option",
    "Box",
    "Some",
    "None",
    "Ok",
    "Err",
    "Result",
    "Value",
    "BTreeMap",
    "JsonObject",
    "FromJson",
    "ToJson",
    "DecodeError",
    "Dec",
    "Enc",
    "Nullable",
    "Loose",
    "Test",
    "Kind",
    "Self",
    "Default",
    "Clone",
    "Debug",
    "From",
];

/// Gives every type its name: the lock's, else the shortest ending of its path that is unique in its file.
pub fn settle(types: &mut [TypeDef], lock: &Lock, problems: &mut Vec<String>) {
    let mut files: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (id, def) in types.iter().enumerate() {
        files.entry(def.loc.file.clone()).or_default().push(id);
    }
    for (file, ids) in files {
        settle_file(&file, &ids, types, lock, problems);
    }
}

fn settle_file(file: &str, ids: &[usize], types: &mut [TypeDef], lock: &Lock, problems: &mut Vec<String>) {
    let mut taken: BTreeSet<String> = RESERVED.iter().map(|name| (*name).to_owned()).collect();
    let mut open: Vec<usize> = Vec::new();
    for &id in ids {
        let settled =
            if types[id].root { types[id].segs.first() } else { lock.types.get(&types[id].loc.key()) };
        match settled.cloned() {
            Some(name) if taken.insert(name.clone()) => types[id].name = name,
            _ => open.push(id),
        }
    }
    let mut depth: BTreeMap<usize, usize> = open.iter().map(|id| (*id, 1)).collect();
    loop {
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for &id in &open {
            by_name.entry(suffix(&types[id].segs, depth[&id])).or_default().push(id);
        }
        let mut moved = false;
        for (name, rivals) in &by_name {
            if rivals.len() > 1 || taken.contains(name) {
                for id in rivals {
                    if depth[id] < types[*id].segs.len() {
                        *depth.entry(*id).or_default() += 1;
                        moved = true;
                    }
                }
            }
        }
        if !moved {
            for (name, rivals) in by_name {
                for (index, id) in rivals.iter().enumerate() {
                    if index == 0 && !taken.contains(&name) {
                        types[*id].name.clone_from(&name);
                        taken.insert(name.clone());
                        continue;
                    }
                    let with_item = format!("{name}Item");
                    if taken.insert(with_item.clone()) {
                        types[*id].name = with_item;
                    } else {
                        problems.push(format!(
                            "{file}#{}: no unique name (`{name}` is taken)",
                            types[*id].loc.ptr
                        ));
                    }
                }
            }
            break;
        }
    }
}

fn suffix(segs: &[String], depth: usize) -> String {
    segs[segs.len().saturating_sub(depth)..].concat()
}
