//! Instants on the wire, and the clock they come from.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// An instant in UTC, to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that is not an RFC 3339 timestamp with an offset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an RFC 3339 timestamp with an offset, such as `2026-05-01T12:00:00Z`")]
pub struct BadTimestamp;

/// Years 0001 to 9999, which RFC 3339 can write.
const RANGE: (i64, i64) = (-62_135_596_800_000_000, 253_402_207_200_000_000);

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00Z; years outside 1–9999 are clamped.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        if micros < RANGE.0 {
            Self(RANGE.0)
        } else if micros > RANGE.1 {
            Self(RANGE.1)
        } else {
            Self(micros)
        }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 text. Digits past the microsecond are cut, and so are the last hours of the year 9999, by which
    /// people write "never".
    ///
    /// # Errors
    ///
    /// [`BadTimestamp`], also when the offset is missing: a naive time names no instant.
    pub fn parse(text: &str) -> Result<Self, BadTimestamp> {
        match text.parse::<jiff::Timestamp>() {
            Ok(instant) => Ok(Self::from_micros(instant.as_microsecond())),
            Err(_) if is_never(text) => Ok(Self(RANGE.1)),
            Err(_) => Err(BadTimestamp),
        }
    }

    /// The instant `by` later.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// The instant `by` earlier.
    #[must_use]
    pub fn before(self, by: Duration) -> Self {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_sub(micros))
    }

    /// Time passed since `earlier`, or zero if that lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Whether this is an instant of the year 9999 that is too late to be counted.
fn is_never(text: &str) -> bool {
    jiff::fmt::temporal::Pieces::parse(text).is_ok_and(|pieces| {
        pieces.date().year() == 9999 && pieces.time().is_some() && pieces.offset().is_some()
    })
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => fmt::Display::fmt(&instant, f),
            Err(_) => Err(fmt::Error),
        }
    }
}

/// Where instants come from, outside a registry (which has a clock of its own).
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl SystemClock {
    /// The machine's clock.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
    }
}

/// A clock that stands until it is moved. For tests.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock standing at `now`.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.0))
    }

    /// Moves the clock ahead.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3339_in_and_out() {
        let cases = [
            ("2026-05-01T12:00:00Z", "2026-05-01T12:00:00Z"),
            ("2026-05-01T12:30:00.25+02:00", "2026-05-01T10:30:00.25Z"),
        ];
        for (text, want) in cases {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), want);
        }
        for never in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999-12:00"] {
            let last = Timestamp::parse(never).unwrap();
            assert_eq!(last, Timestamp::from_micros(i64::MAX), "{never}");
            assert_eq!(Timestamp::parse(&last.to_string()), Ok(last));
        }
        for text in ["2026-05-01", "2026-05-01T12:00:00", "9999-12-31", "9999-12-31T23:59:59", "asap", ""] {
            assert_eq!(Timestamp::parse(text), Err(BadTimestamp), "{text}");
        }
    }

    #[test]
    fn arithmetic_saturates() {
        let t = Timestamp::from_micros(i64::MAX).after(Duration::MAX);
        assert!(t.to_string().starts_with("9999-"), "{t}");
        let t = Timestamp::from_micros(i64::MIN).before(Duration::MAX);
        assert!(t.to_string().starts_with("0001-"), "{t}");
        assert_eq!(t.since(Timestamp::from_micros(0)), Duration::ZERO);
    }
}
