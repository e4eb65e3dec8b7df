//! Seconds since 1970, and the window in which a signature is valid.

use std::fmt;
use std::time::Duration;

/// How far two clocks may differ.
pub(crate) const SKEW: i64 = 60;

/// The longest a signature may be valid.
pub(crate) const MAX_LIFETIME: i64 = 300;

/// An instant, in whole seconds since 1970-01-01T00:00:00Z. The caller's clock makes it; this crate reads none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

impl UnixTime {
    /// From seconds since 1970.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs)
    }

    /// From microseconds since 1970, cutting the fraction.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros.div_euclid(1_000_000))
    }

    /// Seconds since 1970.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0
    }

    /// The instant `by` later, whole seconds only.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_secs()).unwrap_or(i64::MAX)))
    }

    /// Time from here until `later`, or zero if that has passed.
    #[must_use]
    pub fn until(self, later: Self) -> Duration {
        Duration::from_secs(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0))
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Why a window does not hold the present.
pub(crate) fn check_window(created: UnixTime, expires: UnixTime, now: UnixTime) -> Result<(), &'static str> {
    let (created, expires, now) = (created.0, expires.0, now.0);
    if expires <= created {
        return Err("expires is not after created");
    }
    if expires.saturating_sub(created) > MAX_LIFETIME {
        return Err("the signature is valid for longer than 300 s");
    }
    if created > now.saturating_add(SKEW) {
        return Err("created lies in the future");
    }
    if expires < now.saturating_sub(SKEW) {
        return Err("the signature has expired");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_800_000_000;

    fn check(created: i64, expires: i64) -> bool {
        check_window(UnixTime(created), UnixTime(expires), UnixTime(NOW)).is_ok()
    }

    #[test]
    fn the_edges_of_the_window() {
        let cases = [
            ((0, 300), true),
            ((0, 301), false),
            ((0, 0), false),
            ((0, -1), false),
            ((0, 1), true),
            ((60, 61), true),
            ((61, 62), false),
            ((-360, -60), true),
            ((-361, -61), false),
            ((-100, -60), true),
        ];
        for ((created, expires), valid) in cases {
            assert_eq!(check(NOW + created, NOW + expires), valid, "{created} {expires}");
        }
        assert!(!check(i64::MIN, i64::MAX));
        assert!(!check(i64::MAX, i64::MIN));
    }

    #[test]
    fn instants_are_whole_seconds() {
        assert_eq!(UnixTime::from_micros(1_999_999), UnixTime(1));
        assert_eq!(UnixTime::from_micros(-1), UnixTime(-1));
        assert_eq!(UnixTime(10).after(Duration::from_millis(2_900)), UnixTime(12));
        assert_eq!(UnixTime(1).after(Duration::MAX), UnixTime(i64::MAX));
        assert_eq!(UnixTime(10).until(UnixTime(4)), Duration::ZERO);
        assert_eq!(UnixTime(4).until(UnixTime(10)), Duration::from_secs(6));
        assert_eq!(UnixTime(7).to_string(), "7");
    }

    proptest! {
        #[test]
        fn a_window_is_valid_exactly_by_the_four_rules(
            created in -1_000_i64..1_000, lifetime in -400_i64..400, now in -1_000_i64..1_000,
        ) {
            let expires = created + lifetime;
            let valid = lifetime > 0 && lifetime <= 300 && created - now <= 60 && now - expires <= 60;
            let found = check_window(UnixTime(created), UnixTime(expires), UnixTime(now)).is_ok();
            prop_assert_eq!(found, valid);
        }

        #[test]
        fn no_instant_overflows(created: i64, expires: i64, now: i64) {
            let _ = check_window(UnixTime(created), UnixTime(expires), UnixTime(now));
            let _ = UnixTime(now).until(UnixTime(expires));
        }
    }
}
