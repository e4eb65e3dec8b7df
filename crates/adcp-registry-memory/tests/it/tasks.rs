//! Tasks: one end, hidden from others, listed in stable pages.

use std::time::Duration;

use adcp_core::{
    AdcpError, CallKey, CallStore, Claim, ClaimCall, FinishTask, Finished, IssueTask, ListTasks, Outcome,
    Progress, RegistryError, ReportProgress, Scope, TaskCursor, TaskId, TaskRegistry, TaskStatus, TenantId,
};
use adcp_registry_memory::MemoryLimits;
use serde_json::json;

use crate::{object, owner, registry};

fn issue(account: &str, id: &str) -> IssueTask {
    IssueTask::new(TaskId::new(id), owner(account), "create_media_buy", "create_media_buy", "media-buy")
}

fn finish(account: &str, id: &str, outcome: Outcome) -> FinishTask {
    FinishTask::new(TaskId::new(id), owner(account).scope(), outcome)
}

fn done(id: &str) -> Outcome {
    Outcome::Completed(object(json!({ "media_buy_id": id })))
}

#[tokio::test]
async fn the_first_end_wins() {
    let (registry, _) = registry(MemoryLimits::new());
    registry.issue(issue("a", "t")).await.unwrap();
    registry
        .report(ReportProgress::new(TaskId::new("t"), owner("a").scope(), Progress::percent(40.0)))
        .await
        .unwrap();
    assert_eq!(registry.finish(finish("a", "t", done("mb"))).await.unwrap(), Finished::Now);
    assert_eq!(registry.finish(finish("a", "t", done("mb"))).await.unwrap(), Finished::Before);
    let other = registry.finish(finish("a", "t", Outcome::Failed(AdcpError::unavailable()))).await;
    assert!(matches!(other, Err(RegistryError::AlreadyEnded(_))));
    let late = ReportProgress::new(TaskId::new("t"), owner("a").scope(), Progress::percent(50.0));
    assert!(matches!(registry.report(late).await, Err(RegistryError::AlreadyEnded(_))));
    let task = registry.get(&TaskId::new("t"), &owner("a").scope()).await.unwrap().unwrap();
    let statuses: Vec<_> = task.history.iter().map(|t| t.status).collect();
    assert_eq!(statuses, [TaskStatus::Submitted, TaskStatus::Working, TaskStatus::Completed]);
}

#[tokio::test]
async fn a_foreign_task_reads_as_absent() {
    let (registry, _) = registry(MemoryLimits::new());
    registry.issue(issue("a", "t")).await.unwrap();
    assert_eq!(registry.get(&TaskId::new("t"), &owner("b").scope()).await.unwrap(), None);
    let foreign = registry.finish(finish("b", "t", done("mb"))).await;
    assert!(matches!(foreign, Err(RegistryError::UnknownTask(_))));
    assert!(registry.list(ListTasks::new(owner("b").scope())).await.unwrap().tasks.is_empty());
    let operator = Scope::Operator { tenant: TenantId::single() };
    assert!(registry.get(&TaskId::new("t"), &operator).await.unwrap().is_some());
}

#[tokio::test]
async fn the_task_and_its_recorded_reply_commit_together() {
    let (registry, _) = registry(MemoryLimits::new());
    let key = CallKey::new(owner("a"), "k");
    let claim = || ClaimCall::new(key.clone(), "create_media_buy", [1; 32], Duration::from_secs(3600));
    let Claim::First(ticket) = registry.claim_call(claim()).await.unwrap() else { panic!("not first") };
    let reply = object(json!({ "status": "submitted", "task_id": "t" }));
    registry.issue(issue("a", "t").settling(ticket.clone(), reply.clone())).await.unwrap();
    assert!(matches!(registry.claim_call(claim()).await.unwrap(), Claim::Replay(found) if found == reply));
    let stale = registry.issue(issue("a", "t2").settling(ticket, reply)).await;
    assert!(matches!(stale, Err(RegistryError::StaleTicket)));
    assert_eq!(registry.get(&TaskId::new("t2"), &owner("a").scope()).await.unwrap(), None);
}

#[tokio::test]
async fn pages_stay_put_while_tasks_are_added() {
    let (registry, clock) = registry(MemoryLimits::new());
    for i in 0..5 {
        registry.issue(issue("a", &format!("t{i}"))).await.unwrap();
        clock.advance(Duration::from_secs(1));
    }
    let mut ask = ListTasks::new(owner("a").scope());
    ask.limit = 2;
    let mut seen = Vec::new();
    loop {
        let page = registry.list(ask.clone()).await.unwrap();
        seen.extend(page.tasks.iter().map(|t| t.id.to_string()));
        let last = page.tasks.last().unwrap();
        ask.after = Some(TaskCursor::new(ask.order.key(last), last.id.clone()));
        registry.issue(issue("a", &format!("new{}", seen.len()))).await.unwrap();
        if !page.has_more {
            break;
        }
    }
    assert_eq!(seen, ["t4", "t3", "t2", "t1", "t0"]);
}

#[tokio::test]
async fn retention_makes_room_but_open_tasks_stay() {
    let limits = MemoryLimits::new().with_max_tasks(2).with_task_retention(Duration::from_secs(60));
    let (registry, clock) = registry(limits);
    registry.issue(issue("a", "open")).await.unwrap();
    registry.issue(issue("a", "ended")).await.unwrap();
    registry.finish(finish("a", "ended", done("mb"))).await.unwrap();
    assert!(matches!(registry.issue(issue("a", "x")).await, Err(RegistryError::Full { .. })));
    clock.advance(Duration::from_secs(61));
    registry.issue(issue("a", "x")).await.unwrap();
    assert_eq!(registry.get(&TaskId::new("ended"), &owner("a").scope()).await.unwrap(), None);
    clock.advance(Duration::from_secs(3600));
    assert!(matches!(registry.issue(issue("a", "y")).await, Err(RegistryError::Full { .. })));
}
