//! Unions land in an arm that accepts the value, and every arm is landed in.

use std::collections::{BTreeMap, BTreeSet};

use adcp_types::by_schema::{ARMS, arm};

use crate::json::{no_complaints, spread};

#[test]
fn samples_land_in_an_arm_that_accepts_them_and_every_arm_is_reached() {
    let mut places: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (union, place, name) in ARMS {
        places.entry((*union, *name)).or_default().push(*place);
    }
    let unions: BTreeSet<&str> = ARMS.iter().map(|(union, _, _)| *union).collect();
    let unions: Vec<&str> = unions.into_iter().collect();
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
            if candidates.into_iter().any(|place| sampler.bundle().inspect(place, value).is_ok()) {
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
