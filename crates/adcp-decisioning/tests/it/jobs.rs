//! Jobs: done by whoever is there, ended once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adcp_core::{AdcpError, IssueTask, JobOrder, TaskId, TaskRegistry as _, TaskStatus};
use adcp_decisioning::{BuildError, DEFAULT_JOB_POLL_INTERVAL, JobHandle, JobHandler};
use adcp_types::ErrorCode;
use adcp_types::media_buy::CreateMediaBuySuccess;
use serde_json::json;
use tokio::sync::Notify;

use crate::reviews::{Made, Order, Review, Store, attempts_of, failure, seller, transient};
use crate::scripted::{Scripted, bought, buy, poll, task_of};
use crate::seller::{call, code, order};

#[tokio::test(start_paused = true)]
async fn a_job_is_done_and_the_buyer_reads_its_answer() {
    let store = Store::new();
    let seen = Arc::new(Mutex::new(None));
    let tells = Arc::clone(&seen);
    let agent = store.agent(Review::new(move |job, order| {
        let key = job.key().to_owned();
        *tells.lock().unwrap() = Some((order, key, job.attempt(), job.is_last_attempt()));
        async move {
            job.progress(adcp_core::Progress::percent(40.0)).await;
            bought()
        }
    }));
    let reply = buy(&agent).await;
    let mut names: Vec<_> = reply.body.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["adcp_version", "context", "status", "task_id"], "as any other handoff");
    let task = task_of(&reply);
    let record = store.ended().await;
    assert_eq!(record.status, TaskStatus::Completed);
    let polled = poll(&agent, &task).await;
    assert_eq!(polled["result"]["media_buy_id"], "mb_1");
    let statuses: Vec<_> =
        polled["history"].as_array().unwrap().iter().map(|e| &e["data"]["status"]).collect();
    assert_eq!(statuses, ["submitted", "working", "completed"]);
    let seen = seen.lock().unwrap().take();
    assert_eq!(seen, Some((Order { number: 7 }, task.id.to_string(), 1, false)));
    assert_eq!(
        buy(&agent).await.body["task_id"],
        reply.body["task_id"],
        "a repeat is answered, not done again"
    );
    assert_eq!(store.tasks().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_may_go_better_later_is_tried_again_after_a_wait() {
    let store = Store::new().ticking();
    let starts = Arc::new(Mutex::new(Vec::new()));
    let tells = Arc::clone(&starts);
    let agent = store.agent(Review::new(move |job, _| {
        tells.lock().unwrap().push(tokio::time::Instant::now());
        async move {
            match job.attempt() {
                1 => Err(transient().with_retry_after(Duration::from_secs(60))),
                2 => panic!("out of luck"),
                _ => bought(),
            }
        }
    }));
    buy(&agent).await;
    let record = store.ended().await;
    assert_eq!((record.status, attempts_of(&record)), (TaskStatus::Completed, 3));
    let starts = starts.lock().unwrap().clone();
    let waits: Vec<_> = starts.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    assert!((60..=66).contains(&waits[0]), "the error asked for a minute: {waits:?}");
    assert!((5..=16).contains(&waits[1]), "from five seconds to ten, and a poll: {waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_ends_the_task_when_it_is_for_good_or_the_last() {
    type Case = (fn() -> Made, u32, ErrorCode);
    let policy = || Err(AdcpError::new(ErrorCode::POLICY_VIOLATION, "not on this site"));
    let invalid = || Ok(crate::seller::invalid());
    let cases: [Case; 3] = [
        (policy, 1, ErrorCode::POLICY_VIOLATION),
        (invalid, 1, ErrorCode::SERVICE_UNAVAILABLE),
        (|| Err(transient().with_field("the last word")), 3, ErrorCode::SERVICE_UNAVAILABLE),
    ];
    for (run, attempts, want) in cases {
        let store = Store::new().ticking();
        let agent = store.agent(Review::new(move |_, _| std::future::ready(run())));
        buy(&agent).await;
        let record = store.ended().await;
        assert_eq!((failure(&record).code(), attempts_of(&record)), (&want, attempts));
        if attempts == 3 {
            assert_eq!(failure(&record).field(), Some("the last word"), "its own error, not ours");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_kind_without_a_handler_is_refused_before_anything_is_written() {
    let store = Store::new();
    let agent = store.building(&seller()).build().unwrap();
    for _ in 0..2 {
        let reply = buy(&agent).await;
        assert_eq!(code(&reply), "CONFIGURATION_ERROR", "and the key is free again");
    }
    assert!(store.tasks().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_replica_without_the_handler_leaves_a_job_to_those_with_it() {
    let (store, begun) = (Store::new(), Arc::new(Notify::new()));
    let first = store.agent(Review::stuck(&begun));
    buy(&first).await;
    begun.notified().await;
    first.drain(Duration::ZERO).await;
    struct Other;
    impl JobHandler for Other {
        const KIND: &'static str = "other";
        type Input = ();
        type Output = CreateMediaBuySuccess;
        async fn run(&self, _: JobHandle, (): ()) -> Made {
            panic!("nobody ordered this")
        }
    }
    let without = store.building(&seller()).job(Other).build().unwrap();
    without.start();
    tokio::time::sleep(DEFAULT_JOB_POLL_INTERVAL * 10).await;
    let waiting = store.tasks().await.remove(0);
    assert_eq!((waiting.status, waiting.lease, attempts_of(&waiting)), (TaskStatus::Submitted, None, 0));
    let with = store.agent(Review::new(|_, _| async { bought() }));
    with.start();
    assert_eq!(store.ended().await.status, TaskStatus::Completed);
}

#[tokio::test(start_paused = true)]
async fn an_input_of_another_version_ends_as_failed_naming_the_kind() {
    let store = Store::new().ticking();
    let runs = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&runs);
    let agent = store.agent(Review::new(move |_, _| {
        counts.fetch_add(1, Ordering::SeqCst);
        async { bought() }
    }));
    let owner = task_of(&buy(&agent).await).owner;
    store.ended().await;
    let issue =
        IssueTask::new(TaskId::new("old"), owner, "create_media_buy", "create_media_buy", "media-buy");
    let order = JobOrder::new("review", json!({ "order_number": "7" }));
    store.registry.issue(issue.as_job(order)).await.unwrap();
    let record = store.until(|task| task.id.as_str() == "old" && task.outcome.is_some()).await;
    let error = failure(&record);
    assert_eq!((error.code(), attempts_of(&record)), (&ErrorCode::CONFIGURATION_ERROR, 1));
    assert!(format!("{:?}", error.details()).contains("review"), "{error:?}");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn no_more_jobs_run_at_once_than_there_is_room_for() {
    let store = Store::new();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counts, keeps) = (Arc::clone(&now), Arc::clone(&most));
    let review = Review::new(move |_, _| {
        let (now, most) = (Arc::clone(&counts), Arc::clone(&keeps));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(1)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            bought()
        }
    });
    let agent = store.building(&seller()).job(review).job_slots(2).build().unwrap();
    let begun = tokio::time::Instant::now();
    for number in 0..7 {
        let reply =
            call(&agent, "acme", "create_media_buy", order(&format!("key-0123456789abcde{number}"))).await;
        assert_eq!(reply.body["status"], "submitted");
    }
    loop {
        if store.tasks().await.iter().all(|task| task.status == TaskStatus::Completed) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
    assert!(
        begun.elapsed() < DEFAULT_JOB_POLL_INTERVAL,
        "free places are filled at once: {:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_job_that_somebody_else_ended_is_told_to_stop() {
    let (store, begun, stopped) = (Store::new(), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begins, stops) = (Arc::clone(&begun), Arc::clone(&stopped));
    let agent = store.agent(Review::new(move |job, _| {
        let (begun, stopped) = (Arc::clone(&begins), Arc::clone(&stops));
        async move {
            begun.notify_one();
            job.cancelled().await;
            stopped.notify_one();
            Err(transient())
        }
    }));
    let task = task_of(&buy(&agent).await);
    begun.notified().await;
    agent.desk().cancel(&task, "no longer wanted").await.unwrap();
    stopped.notified().await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let record = store.ended().await;
    assert_eq!((record.status, attempts_of(&record)), (TaskStatus::Canceled, 1));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_bounds_waits_and_attempts_together() {
    let store = Store::new().ticking();
    let seller = Scripted::buying(|ctx| {
        let handoff = ctx.handoff_to_job::<Review>(Order { number: 7 });
        Ok(handoff.with_deadline(Duration::from_secs(90)).with_max_attempts(100).into())
    });
    let review = Review::new(|job, _| async move {
        if job.attempt() < 3 {
            return Err(transient().with_retry_after(Duration::from_secs(30)));
        }
        std::future::pending().await
    });
    let agent = store.building(&seller).job(review).build().unwrap();
    let begun = tokio::time::Instant::now();
    buy(&agent).await;
    let record = store.ended().await;
    assert_eq!((failure(&record), attempts_of(&record)), (&AdcpError::overdue(), 3));
    assert!((90..=91).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[test]
fn what_could_never_work_is_refused_when_the_agent_is_built() {
    struct Nameless;
    impl JobHandler for Nameless {
        const KIND: &'static str = "";
        type Input = ();
        type Output = CreateMediaBuySuccess;
        async fn run(&self, _: JobHandle, (): ()) -> Made {
            bought()
        }
    }
    let (store, review) = (Store::new(), || Review::new(|_, _| async { bought() }));
    let second = Duration::from_secs(1);
    let errors = store
        .building(&seller())
        .job(review())
        .job(review())
        .job(Nameless)
        .job_slots(0)
        .job_poll_interval(Duration::ZERO)
        .job_waits(second * 2, second)
        .build()
        .unwrap_err();
    let want = [
        BuildError::JobTwice("review"),
        BuildError::JobWithoutKind,
        BuildError::NoJobSlots,
        BuildError::JobPollInterval(Duration::ZERO),
        BuildError::JobWait { first: second * 2, longest: second },
    ];
    for fault in want {
        assert!(errors.iter().any(|found| *found == fault), "{fault:?} is not in {errors:?}");
    }
}
