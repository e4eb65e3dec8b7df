//! Every schema: what is sampled from it decodes, encodes to the same JSON, and stays valid.

use adcp_schemas::MANIFEST;
use adcp_types::by_schema::PATHS;

use crate::json::{SAMPLES, check, no_complaints, spread};

#[test]
fn every_schema_has_a_type() {
    let with_type = |path: &&str| *path == MANIFEST || PATHS.contains(path);
    let without: Vec<&str> = adcp_schemas::paths().filter(|path| !with_type(path)).collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn the_sampler_reaches_nearly_every_choice() {
    let without: Vec<&str> =
        SAMPLES.iter().filter(|(_, made)| made.samples.is_empty()).map(|(path, _)| *path).collect();
    assert!(without.is_empty(), "{without:?}");
    let missed: Vec<_> = SAMPLES.iter().flat_map(|(_, made)| &made.missed).collect();
    assert!(missed.len() <= 12, "{missed:#?}");
}

#[test]
fn samples_come_back_as_they_were_and_stay_valid() {
    let results = spread(&SAMPLES, |sampler, (path, made)| {
        let validator = sampler.bundle().validator(path).expect("the bundle compiles");
        let mut complaints = Vec::new();
        for sample in &made.samples {
            let strange = sampler.with_unknown_fields(&validator, &sample.instance);
            for instance in [&sample.instance, &strange] {
                match check(path, instance) {
                    Ok(encoded) if validator.is_valid(&encoded) => {}
                    Ok(encoded) => {
                        complaints.push(format!("{path} ({}): {encoded} is not valid", sample.label))
                    }
                    Err(why) => complaints.push(format!("({}) {why}", sample.label)),
                }
            }
        }
        Some((made.samples.len() * 2, complaints))
    });
    let checked: usize = results.iter().map(|(count, _)| count).sum();
    no_complaints(results.into_iter().flat_map(|(_, complaints)| complaints));
    assert!(checked > 8_000, "only {checked} instances were checked");
}
