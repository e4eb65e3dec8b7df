//! Tasks whose process died, and tasks whose process only seemed to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adcp_core::{
    AdcpError, Clock, EndOverdue, ManualClock, Outcome, Registry, TaskRecord, TaskRegistry as _, TaskStatus,
    Timestamp,
};
use adcp_decisioning::{DEFAULT_LEASE, Ended};
use adcp_registry_memory::MemoryRegistry;
use tokio::sync::Notify;

use crate::flaky::Flaky;
use crate::scripted::{Scripted, all_tasks, bought, building, buy, poll, task_of};

fn clocked() -> (Arc<MemoryRegistry>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_770_000_000_000_000)));
    (Arc::new(MemoryRegistry::volatile().with_clock(Arc::clone(&clock) as Arc<dyn Clock>)), clock)
}

/// Waits until the rescuer of an agent has looked again.
async fn until(registry: &MemoryRegistry, done: impl Fn(&TaskRecord) -> bool) -> TaskRecord {
    loop {
        if let Some(task) = all_tasks(registry).await.into_iter().find(&done) {
            return task;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[test]
fn the_task_of_a_process_that_died_ends_as_failed_once_another_looks() {
    let (registry, clock) = clocked();
    let hooked = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&hooked);
    let seller = Scripted::buying(move |ctx| {
        let seen = Arc::clone(&seen);
        let handoff = ctx.handoff_to_task(|_| std::future::pending()).on_failure(move |_| {
            seen.store(true, Ordering::SeqCst);
            async { Ok(()) }
        });
        Ok(handoff.into())
    });

    // A runtime that is torn down in the middle is as much of a crash as one process can have.
    let dying = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let first = building(&seller, registry.clone()).build().unwrap();
    let task = dying.block_on(async { task_of(&buy(&first).await) });
    dying.shutdown_background();
    drop(first);

    let living =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    living.block_on(async {
        let second = building(&seller, registry.clone()).build().unwrap();
        second.start();
        assert_eq!(poll(&second, &task).await["status"], "submitted", "its lease has not run out");
        clock.advance(DEFAULT_LEASE);
        let record = until(&registry, |task| task.outcome.is_some()).await;
        assert_eq!(record.outcome, Some(Outcome::Failed(AdcpError::orphaned())));
        let polled = poll(&second, &task).await;
        assert_eq!(
            (&polled["status"], &polled["error"]["code"]),
            (&"failed".into(), &"SERVICE_UNAVAILABLE".into())
        );
    });
    assert!(!hooked.load(Ordering::SeqCst), "a process that is gone runs no hook");
}

#[tokio::test(start_paused = true)]
async fn a_function_that_takes_longer_than_its_lease_keeps_its_task() {
    let (registry, clock) = clocked();
    let release = Arc::new(Notify::new());
    let waits = Arc::clone(&release);
    let seller = Scripted::buying(move |ctx| {
        let release = Arc::clone(&waits);
        Ok(ctx
            .handoff_to_task(move |_| async move {
                release.notified().await;
                bought()
            })
            .into())
    });
    let agent = building(&seller, registry.clone()).build().unwrap();
    let task = task_of(&buy(&agent).await);
    for _ in 0..20 {
        // Both clocks go on: the store's, which decides, and the runtime's, on which the function keeps its hold.
        clock.advance(DEFAULT_LEASE / 2);
        tokio::time::sleep(DEFAULT_LEASE / 2).await;
    }
    assert_eq!(registry.end_overdue(EndOverdue::everywhere()).await.unwrap(), []);
    release.notify_one();
    until(&registry, |task| task.status == TaskStatus::Completed).await;
    assert_eq!(poll(&agent, &task).await["status"], "completed");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_a_moment_loses_nobody_the_task() {
    let flaky = Flaky::new();
    let release = Arc::new(Notify::new());
    let waits = Arc::clone(&release);
    let seller = Scripted::buying(move |ctx| {
        let release = Arc::clone(&waits);
        Ok(ctx
            .handoff_to_task(move |task| async move {
                release.notified().await;
                assert!(!task.is_cancelled(), "a renewal that failed is no lost lease");
                bought()
            })
            .into())
    });
    let agent = building(&seller, flaky.clone() as Arc<dyn Registry>).build().unwrap();
    buy(&agent).await;
    flaky.renewals.store(2, Ordering::SeqCst);
    tokio::time::sleep(DEFAULT_LEASE).await;
    assert_eq!(flaky.renewals.load(Ordering::SeqCst), 0, "two renewals failed, the third came through");
    release.notify_one();
    until(&flaky.inner, |task| task.status == TaskStatus::Completed).await;
}

#[tokio::test(start_paused = true)]
async fn who_lost_the_task_is_told_to_stop_and_cannot_end_it() {
    let (registry, clock) = clocked();
    let (stopped, told) = (Arc::new(Notify::new()), Arc::new(std::sync::Mutex::new(None)));
    let (stops, tells) = (Arc::clone(&stopped), Arc::clone(&told));
    let seller = Scripted::buying(move |ctx| {
        let (stopped, told) = (Arc::clone(&stops), Arc::clone(&tells));
        let handoff = ctx
            .handoff_to_task(move |task| async move {
                task.cancelled().await;
                stopped.notify_one();
                bought()
            })
            .on_failure(move |ended| {
                *told.lock().unwrap() = Some(ended);
                async { Ok(()) }
            });
        Ok(handoff.into())
    });
    let agent =
        building(&seller, registry.clone()).rescue_interval(Duration::from_secs(3600)).build().unwrap();
    let task = task_of(&buy(&agent).await);
    // The process was stopped for so long that another replica took the task for abandoned.
    clock.advance(DEFAULT_LEASE);
    registry.end_overdue(EndOverdue::everywhere()).await.unwrap();
    stopped.notified().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(poll(&agent, &task).await["status"], "failed");
    let told = told.lock().unwrap().take();
    assert!(matches!(told, Some(Ended::Elsewhere(Some(Outcome::Failed(_))))), "{told:?}");
}
