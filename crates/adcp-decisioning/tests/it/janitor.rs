//! What an agent forgets by itself, and how it goes on when the store does not let it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use adcp_core::{
    Clock, DEFAULT_TASK_RETENTION, IssueTask, ManualClock, Owner, Principal, Registry, Retention, TaskId,
    TaskRegistry as _, TaskStatus, TenantId, Timestamp,
};
use adcp_decisioning::DEFAULT_RETENTION_INTERVAL;
use adcp_registry_memory::MemoryRegistry;
use tokio::sync::Notify;

use crate::flaky::Flaky;
use crate::scripted::{Scripted, all_tasks, bought, building, buy};

const HOUR: Duration = Duration::from_secs(3600);

fn clocked() -> (Arc<MemoryRegistry>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_770_000_000_000_000)));
    (Arc::new(MemoryRegistry::volatile().with_clock(Arc::clone(&clock) as Arc<dyn Clock>)), clock)
}

/// Every order becomes a task that ends when it is told to, one at a time.
fn waiting() -> (Scripted, Arc<Notify>) {
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
    (seller, release)
}

async fn statuses(registry: &MemoryRegistry) -> Vec<TaskStatus> {
    all_tasks(registry).await.iter().map(|task| task.status).collect()
}

#[tokio::test(start_paused = true)]
async fn an_agent_forgets_ended_tasks_and_keeps_open_ones() {
    let (registry, clock) = clocked();
    let (seller, release) = waiting();
    let agent = building(&seller, registry.clone()).build().unwrap();
    buy(&agent).await;
    release.notify_one();
    while statuses(&registry).await != [TaskStatus::Completed] {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let owner = Owner::new(TenantId::single(), None, Principal::new("carried elsewhere"));
    let open =
        IssueTask::new(TaskId::new("open"), owner, "create_media_buy", "create_media_buy", "media-buy");
    registry.issue(open).await.unwrap();
    let day = Duration::from_secs(24 * 3600);
    clock.advance(DEFAULT_TASK_RETENTION - day);
    tokio::time::sleep(2 * DEFAULT_RETENTION_INTERVAL).await;
    assert_eq!(all_tasks(&registry).await.len(), 2, "too early");
    clock.advance(day);
    tokio::time::sleep(2 * DEFAULT_RETENTION_INTERVAL).await;
    let left = all_tasks(&registry).await;
    assert_eq!(left.iter().map(|task| task.id.as_str()).collect::<Vec<_>>(), ["open"]);
    assert_eq!(registry.ages().await.unwrap().forgettable_calls, Duration::ZERO, "keys went, too");
}

#[tokio::test(start_paused = true)]
async fn retention_is_the_sellers_to_set() {
    let (registry, clock) = clocked();
    let (seller, release) = waiting();
    let agent = building(&seller, registry.clone())
        .retention(Retention::new().with_tasks(HOUR))
        .retention_interval(Duration::from_secs(5))
        .build()
        .unwrap();
    buy(&agent).await;
    release.notify_one();
    while statuses(&registry).await != [TaskStatus::Completed] {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    clock.advance(HOUR);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(all_tasks(&registry).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_asked_again_later_and_the_agent_stays_healthy() {
    let flaky = Flaky::new();
    let (seller, _) = waiting();
    let agent = building(&seller, flaky.clone() as Arc<dyn Registry>).build().unwrap();
    flaky.batches.store(2, Ordering::SeqCst);
    agent.start();
    tokio::time::sleep(DEFAULT_RETENTION_INTERVAL * 5 / 2).await;
    assert_eq!(flaky.forgets.load(Ordering::SeqCst), 3, "once a minute, whether it works or not");
    assert!(agent.health().ok);
    agent.drain(Duration::from_secs(1)).await;
    tokio::time::sleep(10 * DEFAULT_RETENTION_INTERVAL).await;
    assert_eq!(flaky.forgets.load(Ordering::SeqCst), 3, "a drained agent forgets nothing more");
    drop(agent);
    assert_eq!(Arc::strong_count(&flaky), 1, "nothing that was stopped holds the registry");
}
