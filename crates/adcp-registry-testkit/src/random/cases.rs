//! How many random cases are tried, and which.

use std::fmt::Debug;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// How many random cases a check tries, and from which seed. The same seed makes the same cases on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cases {
    /// How many. The check of that name alone tries a few dozen.
    pub count: u32,
    /// Where they begin: case n of a seed is the first case of seed + n.
    pub seed: u64,
}

impl Cases {
    /// So many cases, from seed 0.
    #[must_use]
    pub const fn new(count: u32) -> Self {
        Self { count, seed: 0 }
    }

    /// Begins elsewhere, to try other cases or to repeat the one that a failure names.
    #[must_use]
    pub const fn from_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The seed of each case.
    pub(super) fn seeds(self) -> impl Iterator<Item = u64> {
        (0..u64::from(self.count)).map(move |number| self.seed.wrapping_add(number))
    }

    /// Tries `check` on values of `strategy`. The first that fails is made as small as it can be.
    pub(super) async fn explore<S: Strategy>(
        self,
        strategy: S,
        check: impl AsyncFn(&S::Value) -> Result<(), String>,
    ) {
        for seed in self.seeds() {
            let mut runner = TestRunner::new_with_rng(Config::default(), rng(seed));
            let mut tree = strategy.new_tree(&mut runner).expect("strategies here filter nothing");
            let mut smallest = tree.current();
            let Err(mut why) = check(&smallest).await else { continue };
            let mut failed = true;
            for _ in 0..400 {
                let moved = if failed { tree.simplify() } else { tree.complicate() };
                if !moved {
                    break;
                }
                let value = tree.current();
                let result = check(&value).await;
                failed = result.is_err();
                if let Err(error) = result {
                    (smallest, why) = (value, error);
                }
            }
            panic!("{why}\nseed {seed}, made smaller: {smallest:#?}");
        }
    }
}

fn rng(seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

/// Small numbers for workers that run at once, where a sequence cannot be made smaller anyway.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From zero to below `sides`.
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or(0) % sides
    }
}

/// Says what differs, and after which step.
pub(super) fn agree<T: PartialEq + Debug>(
    step: &impl Debug,
    what: &str,
    found: &T,
    want: &T,
) -> Result<(), String> {
    if found == want {
        return Ok(());
    }
    Err(format!("after {step:?}: {what} is {found:?}, the model says {want:?}"))
}
