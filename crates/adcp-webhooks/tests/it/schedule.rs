//! What holds of schedules whatever they are.

use std::time::Duration;

use adcp_webhooks::Schedule;
use proptest::prelude::*;

/// From nothing to longer than anybody lives, and the longest there is.
fn time() -> impl Strategy<Value = Duration> {
    prop_oneof![
        4 => (0_u64..100_000).prop_map(Duration::from_millis),
        2 => any::<u64>().prop_map(Duration::from_nanos),
        1 => (any::<u64>(), 0_u32..1_000_000_000).prop_map(|(secs, nanos)| Duration::new(secs, nanos)),
        1 => prop::sample::select(vec![Duration::ZERO, Duration::from_nanos(1), Duration::MAX]),
    ]
}

/// A part of 1, and what a caller could take for one.
fn part() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => 0.0..=1.0,
        1 => prop::sample::select(vec![0.0, 1.0, -1.0, 2.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE]),
    ]
}

/// The time in which an event is tried, without what is kept back for the last attempt.
fn tried_for(schedule: &Schedule) -> Duration {
    let horizon = schedule.horizon();
    horizon - Duration::from_secs(60).min(horizon / 20)
}

/// Whether two times are the same but for the rounding of a product.
fn about(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 + one.abs() * 1e-12
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_wait_is_its_base_give_or_take_the_jitter(
        base in time(), waited in time(), horizon in time(), jitter in 0.0..=1.0, spread in part(),
    ) {
        let schedule = Schedule::of([base]).with_horizon(horizon).with_jitter(jitter);
        let Some(left) = tried_for(&schedule).checked_sub(waited).filter(|left| !left.is_zero()) else {
            prop_assert_eq!(schedule.next(1, waited, None, spread), None);
            return Ok(());
        };
        let wait = schedule.next(1, waited, None, spread).unwrap();
        prop_assert!(wait <= left, "{wait:?} of {left:?}");
        prop_assert!(wait <= base.saturating_mul(2));
        if wait < left && !spread.is_nan() {
            let base = base.as_secs_f64();
            let (least, most) = (base * (1.0 - jitter), base * (1.0 + jitter));
            let found = wait.as_secs_f64();
            prop_assert!(found >= least || about(found, least), "{found} is less than {least}");
            prop_assert!(found <= most || about(found, most), "{found} is more than {most}");
            // The spread is where it lies between them.
            let want = least + (most - least) * spread.clamp(0.0, 1.0);
            prop_assert!((found - want).abs() <= 1e-9 + most * 1e-9, "{found} is not {want}");
        }
    }

    #[test]
    fn a_wish_is_heard_from_once_to_twice_the_wait_and_then_spread(
        base in time(), asked in time(), waited in time(), jitter in 0.0..=1.0, spread in 0.0..=1.0,
    ) {
        let schedule = Schedule::of([base]).with_horizon(Duration::MAX).with_jitter(jitter);
        let left = tried_for(&schedule).saturating_sub(waited);
        let next = |spread| schedule.next(1, waited, Some(asked), spread);
        let twice = base.saturating_mul(2);
        let heard = if asked < base { base } else { asked.min(twice) };
        prop_assert_eq!(next(0.0), (!left.is_zero()).then(|| heard.min(left)));
        let Some(wait) = next(spread) else { return Ok(()) };
        prop_assert!(wait >= heard.min(left), "{wait:?} is sooner than {heard:?}");
        if wait < left {
            let most = heard.as_secs_f64() * (1.0 + jitter);
            let found = wait.as_secs_f64();
            prop_assert!(found <= most || about(found, most), "{found} is more than {most}");
            prop_assert!(heard >= twice || wait <= twice, "{wait:?} is more than {twice:?}");
        }
    }

    #[test]
    fn an_event_is_tried_so_often_and_so_long_and_no_more(
        waits in prop::collection::vec(time(), 0..8), horizon in time(), jitter in part(),
        turns in prop::collection::vec((prop::option::of(time()), part(), time()), 8),
    ) {
        let schedule = Schedule::of(waits.clone()).with_horizon(horizon).with_jitter(jitter);
        prop_assert_eq!(schedule.attempts() as usize, waits.len() + 1);
        let (mut waited, mut attempts) = (Duration::ZERO, 1);
        for (asked, spread, sending) in turns {
            let Some(wait) = schedule.next(attempts, waited, asked, spread) else { break };
            // Now the wait, which leaves time for the attempt that follows it.
            prop_assert!(waited.checked_add(wait).is_some_and(|end| end <= tried_for(&schedule)));
            attempts += 1;
            waited = (waited + wait).saturating_add(sending / 1_000);
        }
        prop_assert!(attempts <= schedule.attempts());
        for attempt in [0, schedule.attempts(), schedule.attempts() + 1, u32::MAX] {
            prop_assert_eq!(schedule.next(attempt, Duration::ZERO, None, 0.5), None);
        }
    }

    #[test]
    fn whoever_waited_longer_waits_no_longer(
        waits in prop::collection::vec(time(), 1..4), horizon in time(), jitter in part(), spread in part(),
        asked in prop::option::of(time()), one in time(), other in time(), attempt in 1_u32..4,
    ) {
        let schedule = Schedule::of(waits).with_horizon(horizon).with_jitter(jitter);
        let next = |waited| schedule.next(attempt, waited, asked, spread);
        // Given up comes after every wait, and stays.
        prop_assert!(next(one.max(other)).unwrap_or_default() <= next(one.min(other)).unwrap_or_default());
        prop_assert!(next(one.min(other)).is_some() || next(one.max(other)).is_none());
    }
}

#[test]
fn the_usual_schedule_spends_about_a_day_whatever_chance_says() {
    for spread in 0..=100 {
        let schedule = Schedule::new();
        let (mut waited, mut attempts) = (Duration::ZERO, 1);
        while let Some(wait) = schedule.next(attempts, waited, None, f64::from(spread) / 100.0) {
            waited += wait;
            attempts += 1;
        }
        let hours = waited.as_secs_f64() / 3_600.0;
        assert!((18.9..24.0).contains(&hours), "{spread}: {hours}");
        assert_eq!(attempts, schedule.attempts(), "{spread}");
    }
}
