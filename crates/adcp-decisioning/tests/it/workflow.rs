//! Work that another system carries: from the hand-over to the answer, and every way it can go wrong.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adcp_core::{
    AdcpError, ManualClock, Outcome, Registry, TaskPhase, TaskRef, TaskRegistry as _, TenantId, Timestamp,
};
use adcp_decisioning::{Agent, TaskDesk};
use adcp_registry_memory::MemoryRegistry;
use adcp_types::ErrorCode;
use serde_json::json;

use crate::flaky::Flaky;
use crate::scripted::{Scripted, all_tasks, bought, building, buy, poll, scripted, task_of};
use crate::seller::{booked, call, code};

type Hand = fn() -> Result<(), AdcpError>;

/// Refuses the first hand-over in the given way and takes the others.
fn failing_once(
    fail: Hand,
) -> impl Fn(&adcp_decisioning::Ctx) -> Result<crate::scripted::Bought, AdcpError> + Send + Sync {
    let handed = Arc::new(AtomicUsize::new(0));
    move |ctx| {
        let handed = Arc::clone(&handed);
        Ok(ctx
            .handoff_to_workflow(async move |_| match handed.fetch_add(1, Ordering::SeqCst) {
                0 => fail(),
                _ => Ok(()),
            })
            .into())
    }
}

#[tokio::test]
async fn workflow_enqueue_failure_leaves_no_task() {
    let cases: [(Hand, &str); 2] = [
        (|| Err(AdcpError::new(ErrorCode::RATE_LIMITED, "the queue is full")), "RATE_LIMITED"),
        (|| panic!("connection to queue.internal refused"), "SERVICE_UNAVAILABLE"),
    ];
    for (fail, want) in cases {
        let (agent, registry) = scripted(failing_once(fail));
        let refused = buy(&agent).await;
        assert_eq!(code(&refused), want);
        let text = format!("{:?}", refused.body);
        assert!(!text.contains("internal") && !text.contains("task_id"), "{text}");
        if want == "SERVICE_UNAVAILABLE" {
            assert!(refused.body["adcp_error"]["details"]["correlation_id"].is_string());
        }
        assert!(all_tasks(&registry).await.is_empty(), "{want}: a task was left");
        let again = buy(&agent).await;
        assert_eq!(poll(&agent, &task_of(&again)).await["status"], "submitted", "the key is free again");
    }
}

#[tokio::test]
async fn the_three_answers_look_alike() {
    let seen = |reply: &adcp_decisioning::Reply| {
        let mut body = reply.body.clone();
        assert!(body.remove("task_id").is_some_and(|id| id.as_str().unwrap().len() > 32));
        body
    };
    let (by_task, _) = scripted(|ctx| Ok(ctx.handoff_to_task(async move |_| bought()).into()));
    let (by_workflow, _) = scripted(|ctx| Ok(ctx.handoff_to_workflow(async move |_| Ok(())).into()));
    let task = buy(&by_task).await;
    let workflow = buy(&by_workflow).await;
    let fields: Vec<_> = workflow.body.keys().collect();
    assert_eq!(fields, ["adcp_version", "context", "status", "task_id"]);
    assert_eq!(seen(&task), seen(&workflow));
    for (agent, first) in [(&by_task, &task), (&by_workflow, &workflow)] {
        let again = buy(agent).await;
        assert_eq!(again.body["task_id"], first.body["task_id"]);
        let mut replay = seen(&again);
        assert_eq!(replay.remove("replayed"), Some(true.into()));
        assert_eq!(replay, seen(first));
    }
}

#[tokio::test]
async fn nobody_sees_the_task_before_it_was_handed_over() {
    let registry = Arc::new(MemoryRegistry::volatile());
    let inside = registry.clone();
    let seen = Arc::new(Mutex::new(None));
    let told = Arc::clone(&seen);
    let seller = Scripted::buying(move |ctx| {
        let (registry, told) = (inside.clone(), Arc::clone(&told));
        Ok(ctx
            .handoff_to_workflow(async move |task: TaskRef| {
                let buyer = registry.get(&task.id, &task.scope()).await.unwrap();
                let seller = TaskDesk::new(registry).read(&task).await.unwrap();
                *told.lock().unwrap() = Some((buyer, seller.phase));
                Ok(())
            })
            .into())
    });
    let agent = building(&seller, registry.clone()).build().unwrap();
    let task = task_of(&buy(&agent).await);
    assert_eq!(*seen.lock().unwrap(), Some((None, TaskPhase::Enqueuing)));
    assert_eq!(poll(&agent, &task).await["status"], "submitted");
}

/// An agent whose other system ends the task while it is handed over, and then answers this.
fn quick(answer: Hand) -> Agent {
    let registry = Arc::new(MemoryRegistry::volatile());
    let desk = TaskDesk::new(registry.clone());
    let seller = Scripted::buying(move |ctx| {
        let desk = desk.clone();
        Ok(ctx
            .handoff_to_workflow(async move |task: TaskRef| {
                desk.complete(&task, &booked()).await.unwrap();
                answer()
            })
            .into())
    });
    building(&seller, registry).build().unwrap()
}

#[tokio::test]
async fn an_end_that_comes_before_the_answer_is_kept() {
    let cases: [Hand; 3] =
        [|| Ok(()), || Err(AdcpError::unavailable()), || panic!("after it had handed the work over")];
    for answer in cases {
        let agent = quick(answer);
        let reply = buy(&agent).await;
        let polled = poll(&agent, &task_of(&reply)).await;
        assert_eq!(
            (&polled["status"], &polled["result"]["media_buy_id"]),
            (&"completed".into(), &"mb_1".into())
        );
        assert_eq!(buy(&agent).await.body["task_id"], reply.body["task_id"], "the answer was recorded");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hand_over_that_hangs_is_taken_back_when_its_lease_ends() {
    let registry = Arc::new(MemoryRegistry::volatile());
    let seller = Scripted::buying(|ctx| {
        Ok(ctx.handoff_to_workflow(async move |_| std::future::pending().await).into())
    });
    let agent = building(&seller, registry.clone()).enqueue_lease(Duration::from_secs(5)).build().unwrap();
    let begun = tokio::time::Instant::now();
    assert_eq!(code(&buy(&agent).await), "SERVICE_UNAVAILABLE");
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
    assert!(all_tasks(&registry).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_workflow_that_takes_too_long_ends_as_failed_without_anybody_asking() {
    let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-05-01T00:00:00Z").unwrap()));
    let registry = Arc::new(MemoryRegistry::volatile().with_clock(clock.clone()));
    let seller = Scripted::buying(|ctx| {
        let week = Duration::from_secs(7 * 24 * 3600);
        Ok(ctx.handoff_to_workflow(async move |_| Ok(())).with_deadline(week).into())
    });
    let agent = building(&seller, registry).build().unwrap();
    let task = task_of(&buy(&agent).await);
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert_eq!(poll(&agent, &task).await["status"], "submitted");
    clock.advance(Duration::from_secs(7 * 24 * 3600));
    while poll(&agent, &task).await["status"] == "submitted" {
        tokio::time::advance(Duration::from_secs(3600)).await;
    }
    let polled = poll(&agent, &task).await;
    assert_eq!(
        (&polled["status"], &polled["error"]["code"]),
        (&"failed".into(), &"SERVICE_UNAVAILABLE".into())
    );
    let late = agent.desk().complete(&task, &booked()).await.unwrap_err();
    assert!(matches!(late, adcp_decisioning::DeskError::AlreadyEnded(_)), "{late}");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_a_moment_is_asked_again() {
    let registry = Flaky::new();
    registry.confirms.store(3, Ordering::SeqCst);
    registry.discards.store(3, Ordering::SeqCst);
    let seller = Scripted::buying(failing_once(|| Err(AdcpError::unavailable())));
    let agent = building(&seller, registry.clone()).build().unwrap();
    assert_eq!(code(&buy(&agent).await), "SERVICE_UNAVAILABLE");
    assert!(all_tasks(&registry.inner).await.is_empty());
    assert_eq!(poll(&agent, &task_of(&buy(&agent).await)).await["status"], "submitted");
}

#[tokio::test(start_paused = true)]
async fn work_that_was_handed_over_is_never_handed_over_twice() {
    let registry = Flaky::new();
    registry.confirms.store(usize::MAX, Ordering::SeqCst);
    let seller = Scripted::buying(|ctx| Ok(ctx.handoff_to_workflow(async move |_| Ok(())).into()));
    let agent = building(&seller, registry.clone() as Arc<dyn Registry>).build().unwrap();
    assert_eq!(code(&buy(&agent).await), "SERVICE_UNAVAILABLE");
    registry.confirms.store(0, Ordering::SeqCst);
    assert_eq!(code(&buy(&agent).await), "IDEMPOTENCY_IN_FLIGHT");
    assert_eq!(seller.calls(), 1);
    let left = all_tasks(&registry.inner).await;
    assert_eq!((left.len(), left[0].phase), (1, TaskPhase::Enqueuing));
    assert!(left[0].deadline.is_some(), "it ends as failed by itself");
}

#[tokio::test]
async fn after_a_drain_nothing_is_handed_over() {
    let (agent, registry) = scripted(|_ctx| -> Result<crate::scripted::Bought, AdcpError> {
        Ok(_ctx.handoff_to_workflow(async move |_| panic!("handed over after the end")).into())
    });
    agent.drain(Duration::ZERO).await;
    let refused = buy(&agent).await;
    assert_eq!(code(&refused), "SERVICE_UNAVAILABLE");
    assert!(refused.body["adcp_error"]["retry_after"].as_u64().is_some());
    assert!(all_tasks(&registry).await.is_empty());
}

#[tokio::test]
async fn a_drain_leaves_workflows_alone() {
    let (agent, _) = scripted(|ctx| Ok(ctx.handoff_to_workflow(async move |_| Ok(())).into()));
    let task = task_of(&buy(&agent).await);
    agent.drain(Duration::ZERO).await;
    assert_eq!(poll(&agent, &task).await["status"], "submitted");
    agent.desk().complete(&task, &booked()).await.unwrap();
    assert_eq!(poll(&agent, &task).await["status"], "completed");
}

#[tokio::test]
async fn a_read_at_once_is_refused_before_anything_is_handed_over() {
    let registry = Arc::new(MemoryRegistry::volatile());
    let seller = Scripted::buying(|_| Ok(booked().into())).finding(
        |ctx| Ok(ctx.handoff_to_workflow(async move |_| panic!("handed over")).into()),
        |_| Ok(crate::scripted::signals().into()),
    );
    let agent = building(&seller, registry.clone()).build().unwrap();
    let reply = call(&agent, "acme", "get_products", json!({ "buying_mode": "wholesale" })).await;
    assert_eq!(
        (code(&reply), &reply.body["adcp_error"]["field"]),
        ("INVALID_REQUEST", &"buying_mode".into())
    );
    assert!(all_tasks(&registry).await.is_empty());
}

#[tokio::test]
async fn a_rescuer_ends_what_a_dead_process_left_half_handed_over() {
    let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-05-01T00:00:00Z").unwrap()));
    let registry = Arc::new(MemoryRegistry::volatile().with_clock(clock.clone()));
    let owner = adcp_core::Owner::new(TenantId::single(), None, adcp_core::Principal::new("acme"));
    let id = adcp_core::TaskId::random().unwrap();
    let issue = adcp_core::IssueTask::new(id, owner, "create_media_buy", "create_media_buy", "media-buy");
    let left = registry.issue(issue.enqueuing(Duration::from_secs(60))).await.unwrap();
    let desk = TaskDesk::new(registry);
    assert!(desk.end_overdue(&TenantId::single()).await.unwrap().is_empty());
    clock.advance(Duration::from_secs(61));
    assert_eq!(desk.end_overdue(&TenantId::single()).await.unwrap(), [left.reference()]);
    let record = desk.read(&left.reference()).await.unwrap();
    assert_eq!(record.outcome, Some(Outcome::Failed(AdcpError::overdue())));
}
