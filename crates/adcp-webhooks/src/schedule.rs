//! When an event is tried again. Values in, a value out; the registry has the clock.

use std::time::Duration;

use adcp_core::{DeadReason, Verdict, random_bytes};

use crate::classify::Step;

/// Waits between attempts, and how long an event is tried at all.
///
/// ```
/// use std::time::Duration;
/// use adcp_webhooks::Schedule;
///
/// let schedule = Schedule::new();
/// assert_eq!(schedule.attempts(), 11);
/// assert_eq!(schedule.horizon(), Duration::from_secs(24 * 60 * 60));
/// let short = Schedule::of([Duration::from_secs(1), Duration::from_secs(60)]);
/// assert_eq!((short.attempts(), short.horizon()), (3, Duration::from_secs(24 * 60 * 60)));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    waits: Vec<Duration>,
    horizon: Duration,
    jitter: f64,
}

/// The last attempt ends before its time is over.
const MARGIN: Duration = Duration::from_secs(60);

impl Schedule {
    /// Now, then after 5 s, 30 s, 2 m, 10 m, 30 m, 1 h, 2 h, 4 h, 8 h and 8 h, each give or take a fifth; 24 hours at most.
    #[must_use]
    pub fn new() -> Self {
        const HOUR: u64 = 3_600;
        let waits = [5, 30, 120, 600, 1_800, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 8 * HOUR];
        Self::of(waits.map(Duration::from_secs))
    }

    /// Waits of your own, each counted from the end of the attempt before.
    #[must_use]
    pub fn of(waits: impl IntoIterator<Item = Duration>) -> Self {
        let day = Duration::from_secs(24 * 60 * 60);
        Self { waits: waits.into_iter().collect(), horizon: day, jitter: 0.2 }
    }

    /// Sets how long after it was queued or redelivered an event is tried at most. Receivers must remember keys at least
    /// as long; capabilities tell them, who are asked for seven days at most.
    #[must_use]
    pub const fn with_horizon(mut self, horizon: Duration) -> Self {
        self.horizon = horizon;
        self
    }

    /// Sets by which part of itself a wait is longer or shorter, from 0 to 1. Default 0.2.
    #[must_use]
    pub const fn with_jitter(mut self, part: f64) -> Self {
        self.jitter = if part.is_nan() { 0.0 } else { part.clamp(0.0, 1.0) };
        self
    }

    /// How often an event is tried at most.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        u32::try_from(self.waits.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// How long an event is tried at most.
    #[must_use]
    pub const fn horizon(&self) -> Duration {
        self.horizon
    }

    /// The wait after attempt number `attempt`, counted from 1, of an event that has waited for `waited` in all. The
    /// receiver may have asked for a wait: it is heard from once to twice what the schedule says, and then made longer by
    /// up to the jitter, past twice only where it asked for that much. `spread` is a random part of 1. `None` when the
    /// event is given up.
    #[must_use]
    pub fn next(
        &self,
        attempt: u32,
        waited: Duration,
        asked: Option<Duration>,
        spread: f64,
    ) -> Option<Duration> {
        let base = *self.waits.get(usize::try_from(attempt.checked_sub(1)?).ok()?)?;
        let (twice, spread) = (base.saturating_mul(2), spread.clamp(0.0, 1.0));
        let wait = match asked {
            Some(asked) => {
                let heard = asked.clamp(base, twice);
                let extra = scaled(heard, self.jitter);
                // Not sooner than asked, and not all at once. Only where twice the wait is not enough anyway, it is more.
                let extra = if heard < twice { extra.min(twice.saturating_sub(heard)) } else { extra };
                heard.saturating_add(scaled(extra, spread).min(extra))
            }
            None => scaled(base, 2.0_f64.mul_add(self.jitter * spread, 1.0 - self.jitter)).min(twice),
        };
        let left = self.horizon.saturating_sub(MARGIN.min(self.horizon / 20)).checked_sub(waited)?;
        (!left.is_zero()).then(|| wait.min(left))
    }
}

impl Schedule {
    /// What follows attempt number `attempt` of an event that has waited for `waited` in all.
    pub(crate) fn verdict(&self, step: Step, attempt: u32, waited: Duration) -> Verdict {
        match step {
            Step::Delivered => Verdict::Delivered,
            Step::GiveUp(reason) => Verdict::Dead(reason),
            Step::Again(wished) => self
                .next(attempt, waited, wished, spread())
                .map_or(Verdict::Dead(DeadReason::Exhausted), |after| Verdict::Again { after }),
        }
    }
}

/// So many times a wait; the product of long waits is rounded, also upwards.
fn scaled(wait: Duration, times: f64) -> Duration {
    Duration::try_from_secs_f64(wait.as_secs_f64() * times).unwrap_or(Duration::MAX)
}

/// A random part of 1.
fn spread() -> f64 {
    // Without randomness everything is retried at the same time, and is retried.
    random_bytes::<4>().map_or(0.5, |bytes| f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX))
}

impl Default for Schedule {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    fn short() -> Schedule {
        Schedule::of([secs(5)])
    }

    /// Waits of an event whose every attempt fails at once.
    fn waits(schedule: &Schedule, asked: Option<Duration>, spread: f64) -> Vec<u64> {
        let (mut waited, mut waits) = (Duration::ZERO, Vec::new());
        for attempt in 1.. {
            let Some(wait) = schedule.next(attempt, waited, asked, spread) else { break };
            waited += wait;
            waits.push(wait.as_secs());
        }
        assert!(waited < schedule.horizon());
        waits
    }

    #[test]
    fn a_day_of_attempts_and_never_a_second_more() {
        let schedule = Schedule::new();
        let usual = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800];
        assert_eq!(waits(&schedule, None, 0.5), usual);
        assert_eq!(waits(&schedule, Some(Duration::ZERO), 0.0)[..9], usual[..9]);
        assert_eq!(waits(&schedule, None, 0.0)[..4], [4, 24, 96, 480]);
        let late = waits(&schedule, None, 1.0);
        assert_eq!((late.len(), late.iter().sum::<u64>()), (10, 86_340));
        let patient = waits(&schedule, Some(Duration::MAX), 0.0);
        assert_eq!(patient[..3], [10, 60, 240]);
        assert_eq!(patient.iter().sum::<u64>(), 86_340);
    }

    #[test]
    fn a_wish_of_the_receiver_is_heard_within_bounds() {
        let schedule = Schedule::new();
        for (asked, soonest, latest) in [
            (0, 30, 36),
            (29, 30, 36),
            (31, 31, 37),
            (55, 55, 60),
            (60, 60, 72),
            (61, 60, 72),
            (u64::MAX, 60, 72),
        ] {
            let wait = |spread| schedule.next(2, secs(5), Some(secs(asked)), spread).unwrap();
            assert_eq!((wait(0.0).as_secs(), wait(1.0).as_secs()), (soonest, latest), "{asked}");
            assert!(wait(0.0) < wait(0.5) && wait(0.5) < wait(1.0), "{asked}: not all come together");
            let exact = schedule.clone().with_jitter(0.0).next(2, secs(5), Some(secs(asked)), 0.9);
            assert_eq!(exact, Some(secs(soonest)), "{asked}");
        }
        assert_eq!(schedule.next(10, Duration::ZERO, Some(Duration::MAX), 1.0), Some(secs(69_120)));
    }

    #[test]
    fn an_event_that_waited_too_long_is_given_up() {
        let schedule = Schedule::new();
        let day = schedule.horizon();
        assert_eq!(schedule.next(1, day - secs(61), None, 0.5), Some(secs(1)));
        for waited in [day - secs(60), day, Duration::MAX] {
            assert_eq!(schedule.next(1, waited, None, 0.5), None);
        }
        for attempt in [0, 11, u32::MAX] {
            assert_eq!(schedule.next(attempt, Duration::ZERO, None, 0.5), None);
        }
        let odd = Schedule::of([Duration::MAX]).with_horizon(Duration::MAX);
        for (asked, spread) in [(Some(Duration::MAX), 0.5), (None, 1.0), (None, f64::NAN)] {
            assert!(odd.next(1, Duration::ZERO, asked, spread).is_some());
        }
        assert_eq!(short().with_jitter(f64::NAN).next(1, Duration::ZERO, None, 0.9), Some(secs(5)));
    }

    #[test]
    fn a_long_wait_is_not_rounded_out_of_its_bounds() {
        let long = Duration::from_millis(7_971_691_643_692_605);
        let schedule = Schedule::of([long]).with_horizon(Duration::MAX).with_jitter(1.0);
        assert!(schedule.next(1, Duration::ZERO, None, 1.0).is_some_and(|wait| wait <= long * 2));
    }

    proptest! {
        #[test]
        fn no_wait_reaches_past_the_horizon_or_out_of_its_bounds(
            waits in proptest::collection::vec(0_u64..=u64::MAX, 0..6),
            horizon: u64, waited: u64, asked: Option<u64>,
            attempt: u32, spread: f64, jitter: f64,
        ) {
            let schedule = Schedule::of(waits.iter().map(|wait| Duration::from_millis(*wait)))
                .with_horizon(Duration::from_millis(horizon))
                .with_jitter(jitter);
            let attempt = attempt % 8;
            let waited = Duration::from_millis(waited);
            let found = schedule.next(attempt, waited, asked.map(Duration::from_secs), spread);
            let base = attempt.checked_sub(1).and_then(|at| waits.get(at as usize));
            let Some(wait) = found else {
                prop_assert!(base.is_none() || waited + secs(60) >= schedule.horizon() || waited + schedule.horizon() / 20 >= schedule.horizon());
                return Ok(());
            };
            let base = Duration::from_millis(*base.unwrap());
            let twice = base.saturating_mul(2);
            let most = match asked {
                // As long as anybody is heard, and then the spread.
                Some(asked) if secs(asked) >= twice => twice.saturating_mul(2),
                _ => twice,
            };
            prop_assert!(wait <= most);
            prop_assert!(waited + wait < schedule.horizon().max(Duration::from_nanos(1)));
        }
    }
}
