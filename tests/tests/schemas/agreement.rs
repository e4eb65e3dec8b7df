//! The compiled validators and the walk that explains refusals are of one opinion.

use crate::json::{SAMPLES, no_complaints, spoilt, spread};

#[test]
fn what_is_refused_can_be_explained_and_nothing_else() {
    let results = spread(&SAMPLES, |sampler, (path, made)| {
        let bundle = sampler.bundle();
        let validator = bundle.validator(path).expect("the bundle compiles");
        let mut complaints = Vec::new();
        let mut refused = 0;
        let valid = made.samples.iter().take(12).map(|sample| sample.instance.clone());
        for instance in valid.chain(spoilt(&made.samples, 3)) {
            let (compiled, walked) = (validator.is_valid(&instance), bundle.inspect(path, &instance));
            refused += usize::from(!compiled);
            if compiled != walked.is_ok() {
                complaints.push(format!("{path}: {instance} is valid: {compiled}; but {walked:?}"));
            }
        }
        Some((refused, complaints))
    });
    let refused: usize = results.iter().map(|(refused, _)| refused).sum();
    no_complaints(results.into_iter().flat_map(|(_, complaints)| complaints));
    assert!(refused > 5_000, "only {refused} instances were refused");
}
