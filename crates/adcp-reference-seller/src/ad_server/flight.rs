//! The time an order or a line runs.

use jiff::Timestamp;
use rust_decimal::Decimal;

/// From `start`, up to but not including `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flight {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

impl Flight {
    /// A flight that ends after it starts, or nothing.
    pub(crate) fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (end > start).then_some(Self { start, end })
    }

    /// The part of the flight that lies before `now`, from 0 to 1, cut to twelve digits.
    pub(crate) fn elapsed(&self, now: Timestamp) -> Decimal {
        if now <= self.start {
            return Decimal::ZERO;
        }
        if now >= self.end {
            return Decimal::ONE;
        }
        let (past, whole) = (micros(self.start, now), micros(self.start, self.end));
        (Decimal::from(past) / Decimal::from(whole)).trunc_with_scale(12)
    }

    /// Days in the flight, with fractions.
    pub(crate) fn days(&self) -> Decimal {
        Decimal::from(micros(self.start, self.end)) / Decimal::from(86_400_000_000_i64)
    }

    /// Moves a flight that has begun so that it begins now; one that is over keeps its length.
    pub(crate) fn not_before(self, now: Timestamp) -> Self {
        if self.start >= now {
            return self;
        }
        if self.end > now {
            return Self { start: now, ..self };
        }
        let length = self.end.duration_since(self.start);
        Self { start: now, end: now.saturating_add(length).unwrap_or(Timestamp::MAX) }
    }
}

fn micros(from: Timestamp, to: Timestamp) -> i64 {
    to.as_microsecond() - from.as_microsecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn june() -> Flight {
        Flight::new(at("2026-06-01T00:00:00Z"), at("2026-06-11T00:00:00Z")).unwrap()
    }

    #[test]
    fn elapsed_stays_between_zero_and_one() {
        for (now, expected) in [
            ("2026-05-01T00:00:00Z", "0"),
            ("2026-06-01T00:00:00Z", "0"),
            ("2026-06-06T00:00:00Z", "0.5"),
            ("2026-06-11T00:00:00Z", "1"),
            ("2027-01-01T00:00:00Z", "1"),
        ] {
            assert_eq!(june().elapsed(at(now)), expected.parse().unwrap(), "{now}");
        }
        assert_eq!(june().days(), Decimal::TEN);
    }

    #[test]
    fn a_past_flight_keeps_its_length() {
        let now = at("2026-11-20T12:00:00Z");
        let moved = june().not_before(now);
        assert_eq!((moved.start, moved.days()), (now, Decimal::TEN));
        let running = june().not_before(at("2026-06-03T00:00:00Z"));
        assert_eq!((running.start, running.end), (at("2026-06-03T00:00:00Z"), june().end));
        assert_eq!(june().not_before(at("2026-01-01T00:00:00Z")), june());
    }
}
