//! Random choices that a seed repeats.

/// A stream of numbers that depends on its seed only (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Another stream, which does not depend on how far this one is.
    pub(crate) fn stream(seed: u64, name: &str) -> Self {
        // FNV-1a: names that differ lead to streams that do.
        let mixed = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self::new(seed ^ mixed)
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.draw() % (high - low + 1)
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.draw() % 100 < percent
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let at = usize::try_from(self.draw() % (last as u64 + 1)).unwrap_or(0);
            items.swap(last, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_choices_and_streams_differ() {
        let first = |name: &str| Dice::stream(7, name).draw();
        assert_eq!(first("buyer-1"), first("buyer-1"));
        assert_ne!(first("buyer-1"), first("buyer-2"));
        let mut items: Vec<u8> = (0..20).collect();
        Dice::new(1).shuffle(&mut items);
        assert_ne!(items, (0..20).collect::<Vec<u8>>());
    }
}
