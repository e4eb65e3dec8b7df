//! Jobs whose process died, shut down, or lost its hold: begun again, and ended once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adcp_core::{AdcpError, ListTasks, Outcome, Registry, Scope, TaskRegistry as _, TaskStatus, TenantId};
use adcp_decisioning::{DEFAULT_JOB_POLL_INTERVAL, DEFAULT_LEASE};
use tokio::sync::Notify;

use crate::flaky::Flaky;
use crate::reviews::{Process, Review, Store, attempts, attempts_of, failure, living, seller, transient};
use crate::scripted::{bought, building, buy, poll};
use crate::seller::{call, code, order};

#[test]
fn a_job_whose_process_died_is_done_by_another() {
    let (store, begun) = (Store::new(), Arc::new(Notify::new()));
    let first = Process::start();
    let dying = store.agent(Review::stuck(&begun));
    first.die_after(async {
        buy(&dying).await;
        begun.notified().await;
    });
    drop(dying);

    living(async {
        let store = store.ticking();
        let keys = Arc::new(Mutex::new(Vec::new()));
        let tells = Arc::clone(&keys);
        let second = store.agent(Review::new(move |job, _| {
            tells.lock().unwrap().push((job.key().to_owned(), job.attempt()));
            std::future::ready(bought())
        }));
        let begun = tokio::time::Instant::now();
        second.start();
        let record = store.ended().await;
        assert_eq!((record.status, attempts_of(&record)), (TaskStatus::Completed, 2));
        assert_eq!(*keys.lock().unwrap(), [(record.id.to_string(), 2)]);
        let bound = DEFAULT_LEASE + DEFAULT_JOB_POLL_INTERVAL + Duration::from_secs(1);
        assert!(begun.elapsed() <= bound, "{:?}", begun.elapsed());
        second.drain(Duration::ZERO).await;
    });
}

#[test]
fn a_job_that_kills_its_process_every_time_ends_as_failed() {
    let (store, begun) = (Store::new(), Arc::new(Notify::new()));
    for round in 1..=3 {
        let dying = store.agent(Review::stuck(&begun));
        let process = Process::start();
        process.die_after(async {
            if round == 1 {
                buy(&dying).await;
            }
            dying.start();
            begun.notified().await;
        });
        store.clock.advance(DEFAULT_LEASE);
    }
    living(async {
        let store = store.ticking();
        let last = store.agent(Review::new(|_, _| async { panic!("no attempt is left") }));
        last.start();
        let record = store.ended().await;
        assert_eq!((failure(&record), attempts_of(&record)), (&AdcpError::given_up(), 3));
        let task = record.reference();
        let polled = poll(&last, &task).await;
        assert_eq!(
            (&polled["status"], &polled["error"]["code"]),
            (&"failed".into(), &"SERVICE_UNAVAILABLE".into())
        );
    });
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_gives_its_jobs_to_another_replica_at_once() {
    let (store, begun) = (Store::new(), Arc::new(Notify::new()));
    let first = store.agent(Review::stuck(&begun));
    buy(&first).await;
    begun.notified().await;
    let second = store.agent(Review::new(|job, _| async move {
        assert_eq!(job.attempt(), 1, "an attempt that a shutdown cut short does not count");
        bought()
    }));
    second.start();
    tokio::time::sleep(DEFAULT_JOB_POLL_INTERVAL * 2).await;
    assert_eq!(store.tasks().await[0].status, TaskStatus::Submitted, "the first one holds it");
    let begun = tokio::time::Instant::now();
    first.drain(Duration::from_secs(20)).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(20), "it is given its time");
    assert_eq!(store.ended().await.status, TaskStatus::Completed);
    assert!(begun.elapsed() < Duration::from_secs(20) + DEFAULT_JOB_POLL_INTERVAL * 2);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_listens_can_hand_over_before_the_time_is_up() {
    let (store, begun) = (Store::new(), Arc::new(Notify::new()));
    let tells = Arc::clone(&begun);
    let first = store.agent(Review::new(move |job, _| {
        tells.notify_one();
        async move {
            job.cancelled().await;
            Err(transient())
        }
    }));
    buy(&first).await;
    begun.notified().await;
    let started = tokio::time::Instant::now();
    first.drain(Duration::from_secs(20)).await;
    assert_eq!(started.elapsed(), Duration::ZERO);
    let second = store.agent(Review::new(|_, _| async { bought() }));
    second.start();
    let record = store.ended().await;
    assert_eq!((record.status, attempts_of(&record)), (TaskStatus::Completed, 1));
    let late = call(&first, "acme", "create_media_buy", order("key-0123456789abcde2")).await;
    assert_eq!(code(&late), "SERVICE_UNAVAILABLE", "a replica that shuts down takes nothing new");
}

#[tokio::test(start_paused = true)]
async fn what_may_run_once_only_is_not_handed_over() {
    let (store, begun) = (Store::new(), Arc::new(Notify::new()));
    let agent = store.building(&attempts(1)).job(Review::stuck(&begun)).build().unwrap();
    buy(&agent).await;
    begun.notified().await;
    agent.drain(Duration::ZERO).await;
    let record = store.ended().await;
    assert_eq!((failure(&record), attempts_of(&record)), (&AdcpError::unavailable(), 1));
}

#[tokio::test(start_paused = true)]
async fn who_stood_still_for_too_long_is_told_to_stop_and_not_heard() {
    let (store, begun, stopped) = (Store::new(), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begins, stops) = (Arc::clone(&begun), Arc::clone(&stopped));
    let first = store.agent(Review::new(move |job, _| {
        let (begun, stopped) = (Arc::clone(&begins), Arc::clone(&stops));
        async move {
            begun.notify_one();
            job.cancelled().await;
            stopped.notify_one();
            let mut late = bought()?;
            late.media_buy_id = "mb_late".into();
            Ok(late)
        }
    }));
    buy(&first).await;
    begun.notified().await;
    // The process stands still while the store's time goes on, and another replica looks.
    store.clock.advance(DEFAULT_LEASE);
    let release = Arc::new(Notify::new());
    let waits = Arc::clone(&release);
    let second = store.agent(Review::new(move |job, _| {
        let release = Arc::clone(&waits);
        async move {
            assert_eq!(job.attempt(), 2);
            release.notified().await;
            bought()
        }
    }));
    second.start();
    store.until(|task| attempts_of(task) == 2).await;
    stopped.notified().await;
    assert_eq!(store.tasks().await[0].status, TaskStatus::Submitted, "its result was not heard");
    release.notify_one();
    let record = store.ended().await;
    let Some(Outcome::Completed(body)) = &record.outcome else { panic!("{record:?}") };
    assert_eq!(body["media_buy_id"], "mb_1");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_a_moment_costs_no_attempt() {
    let flaky = Flaky::new();
    let release = Arc::new(Notify::new());
    let waits = Arc::clone(&release);
    let review = Review::new(move |job, _| {
        let release = Arc::clone(&waits);
        async move {
            release.notified().await;
            assert!(!job.is_cancelled(), "a renewal that failed is no lost lease");
            bought()
        }
    });
    flaky.claims.store(1, Ordering::SeqCst);
    let agent = building(&seller(), flaky.clone() as Arc<dyn Registry>).job(review).build().unwrap();
    buy(&agent).await;
    flaky.renewals.store(2, Ordering::SeqCst);
    tokio::time::sleep(DEFAULT_LEASE * 3).await;
    assert_eq!(flaky.renewals.load(Ordering::SeqCst), 0);
    flaky.finishes.store(3, Ordering::SeqCst);
    release.notify_one();
    let scope = Scope::Operator { tenant: TenantId::single() };
    let task = loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let task = flaky.inner.list(ListTasks::new(scope.clone())).await.unwrap().tasks.remove(0);
        if task.outcome.is_some() {
            break task;
        }
    };
    assert_eq!((task.status, attempts_of(&task)), (TaskStatus::Completed, 1));
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_never_comes_through_stops_the_work() {
    let flaky = Flaky::new();
    let stopped = Arc::new(Notify::new());
    let stops = Arc::clone(&stopped);
    let review = Review::new(move |job, _| {
        let stopped = Arc::clone(&stops);
        async move {
            job.cancelled().await;
            stopped.notify_one();
            bought()
        }
    });
    let agent = building(&seller(), flaky.clone() as Arc<dyn Registry>).job(review).build().unwrap();
    flaky.renewals.store(usize::MAX, Ordering::SeqCst);
    let begun = tokio::time::Instant::now();
    buy(&agent).await;
    stopped.notified().await;
    assert!((DEFAULT_LEASE..DEFAULT_LEASE * 2).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_took_longer_than_its_lease_begins_nothing() {
    let store = Store::new().ticking();
    let slow = Flaky::over(Arc::clone(&store.registry));
    slow.late_claims.store(1, Ordering::SeqCst);
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let review = || {
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        Review::new(move |_, _| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(20)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                bought()
            }
        })
    };
    let first = building(&seller(), slow).job(review()).build().unwrap();
    buy(&first).await;
    let second = store.agent(review());
    second.start();
    let record = store.ended().await;
    assert_eq!((record.status, attempts_of(&record)), (TaskStatus::Completed, 2));
    assert_eq!(most.load(Ordering::SeqCst), 1, "whoever claimed it in time does it alone");
}
