//! When an endpoint is left in peace. Pure steps; the state is kept by the store, shared by everybody who sends.

use std::time::Duration;

use crate::{Health, LeaseToken, Timestamp};

/// Where the breaker of an endpoint stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "a backend must keep each")]
pub enum BreakerState {
    /// Events are sent.
    #[default]
    Closed,
    /// Nothing is sent for a while.
    Open,
    /// One event is being sent, to see.
    HalfOpen,
}

impl BreakerState {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Closed, Self::Open, Self::HalfOpen].into_iter().find(|state| state.as_str() == text)
    }
}

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerPolicy {
    /// Attempts that fail one after another before it opens. Default 5.
    pub failures: u32,
    /// How long it is open the first time; each time that follows at once, twice as long. Default 30 seconds.
    pub pause: Duration,
    /// How long it is open at most. Default 10 minutes.
    pub longest: Duration,
}

impl BreakerPolicy {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self { failures: 5, pause: Duration::from_secs(30), longest: Duration::from_secs(600) }
    }

    /// Sets how many failures open it.
    #[must_use]
    pub const fn with_failures(mut self, failures: u32) -> Self {
        self.failures = failures;
        self
    }

    /// Sets how long it is open, at first and at most.
    #[must_use]
    pub const fn with_pause(mut self, pause: Duration, longest: Duration) -> Self {
        self.pause = pause;
        self.longest = longest;
        self
    }

    /// How long it stays open the `opening`th time in a row, from 1.
    #[must_use]
    pub fn pause(&self, opening: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(opening.saturating_sub(1));
        self.pause.saturating_mul(doubled).min(self.longest.max(self.pause))
    }
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// The breaker of one endpoint of one tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a backend must keep every field")]
pub struct Breaker {
    /// Where it stands.
    pub state: BreakerState,
    /// Attempts that failed since one did not.
    pub failures: u32,
    /// How often it opened since it was closed.
    pub openings: u32,
    /// Nothing is sent before: the end of the pause, or of the lease of whoever looks.
    pub until: Option<Timestamp>,
    /// The claim of whoever looks.
    pub probe: Option<LeaseToken>,
}

/// What a breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a claim treats each in its own way")]
pub enum Admission {
    /// Everything.
    All,
    /// One event, to see.
    Probe,
    /// Nothing before an instant.
    Nothing(Timestamp),
}

impl Breaker {
    /// What is let through now.
    #[must_use]
    pub fn admits(&self, now: Timestamp) -> Admission {
        match (self.state, self.until) {
            (BreakerState::Closed, _) => Admission::All,
            (_, Some(until)) if until > now => Admission::Nothing(until),
            _ => Admission::Probe,
        }
    }

    /// A claim looks, for so long at most: when it is never heard of again, the next one may.
    #[must_use]
    pub fn probed(self, token: LeaseToken, lease: Duration, now: Timestamp) -> Self {
        Self { state: BreakerState::HalfOpen, until: Some(now.after(lease)), probe: Some(token), ..self }
    }

    /// After a claim was lengthened: whoever looks has as long.
    #[must_use]
    pub fn renewed(self, token: LeaseToken, lease: Duration, now: Timestamp) -> Self {
        if self.is_looking(token) { self.probed(token, lease, now) } else { self }
    }

    /// After what a claim on its endpoint came to.
    #[must_use]
    pub fn after(self, token: LeaseToken, health: Health, policy: &BreakerPolicy, now: Timestamp) -> Self {
        let failures = self.failures.saturating_add(1);
        let open = |openings: u32| Self {
            state: BreakerState::Open,
            failures,
            openings,
            until: Some(now.after(policy.pause(openings))),
            probe: None,
        };
        match (health, self.state) {
            (Health::Well, _) => Self::default(),
            (Health::Ill, BreakerState::Closed) if failures >= policy.failures => open(1),
            (Health::Ill, BreakerState::HalfOpen) if self.is_looking(token) => {
                open(self.openings.saturating_add(1))
            }
            (Health::Ill, _) => Self { failures, ..self },
            // Nobody looked after all.
            (Health::Unasked, _) if self.is_looking(token) => {
                Self { state: BreakerState::Open, until: Some(now), probe: None, ..self }
            }
            (Health::Unasked, _) => self,
        }
    }

    fn is_looking(&self, token: LeaseToken) -> bool {
        self.state == BreakerState::HalfOpen && self.probe == Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

    fn seconds(after: u64) -> Timestamp {
        NOW.after(Duration::from_secs(after))
    }

    #[test]
    fn it_opens_looks_once_and_closes() {
        let policy = BreakerPolicy::new();
        let (one, two) = (LeaseToken::stored([1; 16]), LeaseToken::stored([2; 16]));
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            breaker = breaker.after(one, Health::Ill, &policy, NOW);
            assert_eq!(breaker.admits(NOW), Admission::All);
        }
        breaker = breaker.after(one, Health::Ill, &policy, NOW);
        assert_eq!(breaker.admits(NOW), Admission::Nothing(seconds(30)));
        assert_eq!(breaker.admits(seconds(30)), Admission::Probe);
        // What was under way when it opened does not lengthen the pause.
        assert_eq!(breaker.after(one, Health::Ill, &policy, seconds(10)).until, Some(seconds(30)));
        let looking = breaker.probed(two, Duration::from_secs(60), seconds(30));
        assert_eq!(looking.admits(seconds(31)), Admission::Nothing(seconds(90)));
        assert_eq!(looking.admits(seconds(90)), Admission::Probe, "whoever looked is gone");
        assert_eq!(looking.renewed(two, Duration::from_secs(60), seconds(40)).until, Some(seconds(100)));
        assert_eq!(looking.renewed(one, Duration::from_secs(60), seconds(40)), looking);
        for late in [Health::Ill, Health::Unasked] {
            assert_eq!(looking.after(one, late, &policy, seconds(31)).state, BreakerState::HalfOpen);
        }
        let again = looking.after(two, Health::Ill, &policy, seconds(31));
        assert_eq!(again.admits(seconds(31)), Admission::Nothing(seconds(91)));
        assert_eq!(again.after(two, Health::Well, &policy, seconds(91)), Breaker::default());
        let unasked = looking.after(two, Health::Unasked, &policy, seconds(31));
        assert_eq!(unasked.admits(seconds(31)), Admission::Probe);
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let policy = BreakerPolicy::new();
        let pauses: Vec<_> = [1, 2, 3, 5, 6, 400].map(|opening| policy.pause(opening).as_secs()).to_vec();
        assert_eq!(pauses, [30, 60, 120, 480, 600, 600]);
    }

    #[test]
    fn failures_count_in_a_row_and_a_policy_may_ask_for_one() {
        let token = LeaseToken::stored([1; 16]);
        let policy = BreakerPolicy::new().with_failures(2);
        let ill = |breaker: Breaker| breaker.after(token, Health::Ill, &policy, NOW);
        let well = ill(Breaker::default()).after(token, Health::Well, &policy, NOW);
        assert_eq!((well.failures, ill(well).state), (0, BreakerState::Closed));
        let open = ill(ill(well));
        assert_eq!((open.state, open.failures, open.openings), (BreakerState::Open, 2, 1));
        // What says nothing of the endpoint changes nothing.
        assert_eq!(ill(well).after(token, Health::Unasked, &policy, NOW), ill(well));
        assert_eq!(open.after(token, Health::Unasked, &policy, NOW), open);
        // What was under way counts as well, and opens nothing anew.
        let late = ill(open);
        assert_eq!((late.failures, late.openings, late.until), (3, 1, open.until));
        let strict = BreakerPolicy::new().with_failures(1);
        assert_eq!(Breaker::default().after(token, Health::Ill, &strict, NOW).state, BreakerState::Open);
        // It is open before the end of the pause, and not at it.
        let end = open.until.unwrap();
        assert_eq!(open.admits(end.before(Duration::from_micros(1))), Admission::Nothing(end));
        assert_eq!(open.admits(end), Admission::Probe);
    }

    #[test]
    fn each_look_that_fails_doubles_the_pause_and_one_that_was_not_made_does_not() {
        let policy = BreakerPolicy::new().with_failures(1);
        let token = LeaseToken::stored([1; 16]);
        let mut breaker = Breaker::default().after(token, Health::Ill, &policy, NOW);
        let mut pauses = Vec::new();
        for turn in 0..6 {
            let until = breaker.until.unwrap();
            pauses.push(until.since(NOW).as_secs());
            let looking = breaker.probed(token, Duration::from_secs(60), NOW);
            if turn == 2 {
                let unasked = looking.after(token, Health::Unasked, &policy, NOW);
                assert_eq!((unasked.state, unasked.openings), (BreakerState::Open, breaker.openings));
                assert_eq!((unasked.until, unasked.probe), (Some(NOW), None));
            }
            breaker = looking.after(token, Health::Ill, &policy, NOW);
            assert_eq!((breaker.state, breaker.probe), (BreakerState::Open, None));
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 600]);
        let odd = BreakerPolicy::new().with_pause(Duration::from_secs(50), Duration::from_secs(7));
        assert_eq!([1, 2, 9].map(|opening| odd.pause(opening).as_secs()), [50, 50, 50]);
    }

    #[test]
    fn words_read_back() {
        for state in [BreakerState::Closed, BreakerState::Open, BreakerState::HalfOpen] {
            assert_eq!(BreakerState::parse(state.as_str()), Some(state));
        }
        assert_eq!(BreakerState::parse("ajar"), None);
    }
}
