//! A key that is gone: what it sealed is not told, everything else goes on.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::stored::KeyRing;
use adcp_core::{
    CallbackAuth, Effects, EndOverdue, FinishTask, IssueTask, ListTasks, Outcome, Registration,
    RegistryError, Secret, TaskId, TaskRecord, TaskRegistry, TaskStatus,
};
use adcp_registry_postgres::{ClockOffset, PostgresRegistry};

use crate::fixture::{Schema, issue, owner};

const MINUTE: Duration = Duration::from_secs(60);

fn notifying(id: &str) -> IssueTask {
    let to = Registration::new("https://buyer.example/hook", "op-1").unwrap();
    let to = to.with_token(Some(Secret::new("the token of the buyer")));
    let to = to.with_authentication(Some(CallbackAuth::new("Bearer", Secret::new("credentials"))));
    issue(id).with_effects(Effects::none().with_notify(Some(to))).with_deadline(Some(MINUTE))
}

fn unopened(task: &TaskRecord) -> bool {
    task.effects
        .notify
        .as_ref()
        .is_some_and(|to| to.unopened && to.token.is_none() && to.authentication.is_none())
}

async fn open(schema: &Schema, offset: &ClockOffset, key: u8) -> PostgresRegistry {
    let ring = KeyRing::new(format!("k{key}"), [key; 32]).unwrap();
    let config = schema.config().with_sealer(Arc::new(ring)).with_clock_offset(offset.clone());
    PostgresRegistry::connect(config).await.unwrap()
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn a_list_needs_no_key_and_says_what_was_not_opened() {
    let (schema, offset) = (Schema::migrated().await, ClockOffset::new());
    let with_key = |n: u8| open(&schema, &offset, n);
    let before = with_key(1).await;
    before.issue(notifying("sealed")).await.unwrap();
    let after = with_key(2).await;
    after.issue(notifying("resealed")).await.unwrap();
    after.issue(issue("plain")).await.unwrap();
    let page = after.list(ListTasks::new(owner().scope())).await.unwrap();
    let mut found: Vec<_> = page.tasks.iter().map(|task| (task.id.as_str(), unopened(task))).collect();
    found.sort_unstable();
    assert_eq!(found, [("plain", false), ("resealed", false), ("sealed", true)]);
    assert!(page.tasks.iter().all(|task| task.has_webhook() == (task.id.as_str() != "plain")));
    let shown = after.get(&TaskId::new("sealed"), &owner().scope()).await.unwrap().unwrap();
    assert!(unopened(&shown), "{shown:?}");

    // Its event could not hold what the buyer asked for, so it does not end.
    let end = || FinishTask::new(TaskId::new("sealed"), owner().scope(), Outcome::Canceled("enough".into()));
    let refused = after.finish(end()).await;
    assert!(matches!(refused, Err(RegistryError::Corrupt { .. })), "{refused:?}");
    before.finish(end()).await.unwrap();
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn what_cannot_be_opened_stops_nobody_elses_end() {
    let (schema, offset) = (Schema::migrated().await, ClockOffset::new());
    let with_key = |n: u8| open(&schema, &offset, n);
    let before = with_key(1).await;
    for number in 0..5 {
        before.issue(notifying(&format!("sealed_{number}"))).await.unwrap();
    }
    let after = with_key(2).await;
    for number in 0..3 {
        after.issue(notifying(&format!("resealed_{number}"))).await.unwrap();
    }
    offset.advance(MINUTE * 2);
    for ends in [2, 1, 0] {
        let ended = after.end_overdue(EndOverdue::everywhere().with_limit(2)).await.unwrap();
        assert_eq!(ended.len(), ends);
        assert!(ended.iter().all(|task| task.id.as_str().starts_with("resealed") && !unopened(task)));
    }
    let ended = before.end_overdue(EndOverdue::everywhere()).await.unwrap();
    assert_eq!(ended.iter().filter(|task| task.status == TaskStatus::Failed).count(), 5);
}
