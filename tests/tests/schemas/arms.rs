//! Unions land in an arm that accepts the value, and every arm is landed in.

use std::collections::{BTreeMap, BTreeSet};

use adcp_schemas::{Bundle, Inspection};
use adcp_types::by_schema::{ARMS, arm};
use xtask::sample::Sample;

use crate::json::{no_complaints, spread};

/// Unions of objects that require nothing: what surrounds them decides, here the sibling `asset_type`.
const DECIDED_OUTSIDE: &[&str] = &["core/requirements/asset-requirements.json"];

/// Whether the arm at `place` accepts the sample.
///
/// Where a union from another file is merged with what stands around it, the arms are named by where they are
/// used; the schema of the arm is then the one of that index in the union the sample was made from.
fn accepts(bundle: &Bundle, place: &str, sample: &Sample) -> bool {
    match bundle.inspect(place, &sample.instance) {
        Ok(()) => true,
        Err(Inspection::NoSchema(_)) => {
            let Some((union, index)) = place.rsplit_once('/') else { return false };
            let keyword = union.rsplit('/').next().unwrap_or_default();
            let mut merged =
                sample.arms.iter().filter(|arm| arm.place.is_empty() && arm.union.ends_with(keyword));
            merged.any(|arm| bundle.inspect(&format!("{}/{index}", arm.union), &sample.instance).is_ok())
        }
        Err(_) => false,
    }
}

#[test]
fn samples_land_in_an_arm_that_accepts_them_and_every_arm_is_reached() {
    let mut places: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (union, place, name) in ARMS {
        places.entry((*union, *name)).or_default().push(*place);
    }
    let unions: BTreeSet<&str> = ARMS.iter().map(|(union, _, _)| *union).collect();
    let unions: Vec<&str> = unions.into_iter().filter(|union| !DECIDED_OUTSIDE.contains(union)).collect();
    let results = spread(&unions, |sampler, union| {
        let mut complaints = Vec::new();
        let mut landed = BTreeSet::new();
        for sample in sampler.samples(union).expect("a union is a schema").samples {
            let value = &sample.instance;
            // Whether a field may be null is the field's business, not the union's.
            if value.is_null() {
                continue;
            }
            let name = arm(union, value);
            let candidates = name.and_then(|name| places.get(&(*union, name))).into_iter().flatten();
            if candidates.into_iter().any(|place| accepts(sampler.bundle(), place, &sample)) {
                landed.extend(name);
            } else {
                complaints.push(format!("{union} ({}): {value} lands in {name:?}", sample.label));
            }
        }
        let own = ARMS.iter().filter(|(of, _, name)| of == union && !landed.contains(name));
        complaints.extend(own.map(|(_, place, name)| format!("{union}: nothing lands in {name}, {place}")));
        Some(complaints)
    });
    no_complaints(results.into_iter().flatten());
}
