//! Lost connections, lost answers, lost races: what is tried again, and what is not.

use std::time::Duration;

use adcp_core::{
    CallKey, CallStore, Claim, ClaimCall, DeliveryOutbox, Effects, FinishTask, Finished, ListEvents, Outcome,
    Progress, Registration, RegistryError, ReportProgress, TaskId, TaskRegistry, TaskStatus,
};
use adcp_registry_postgres::PostgresRegistry;
use deadpool_postgres::tokio_postgres::Client;

use crate::fixture::{Schema, connection, issue, name, owner, url};
use crate::proxy::{Fault, Proxy};

fn id(name: &str) -> TaskId {
    TaskId::new(name)
}

fn end(name: &str) -> FinishTask {
    FinishTask::new(id(name), owner().scope(), Outcome::Canceled("enough".into()))
}

fn report(name: &str) -> ReportProgress {
    ReportProgress::new(id(name), owner().scope(), Progress::percent(10.0))
}

async fn issue_notifying(registry: &PostgresRegistry, name: &str) {
    let to = Registration::new("https://buyer.example/hook", "op-1").unwrap();
    registry.issue(issue(name).with_effects(Effects::none().with_notify(Some(to)))).await.unwrap();
}

async fn events(registry: &PostgresRegistry) -> usize {
    registry.events(ListEvents::new(owner().scope())).await.unwrap().len()
}

fn is_uncertain<T: std::fmt::Debug>(result: Result<T, RegistryError>) {
    match result {
        Err(RegistryError::Unavailable { source, .. }) => {
            assert!(source.to_string().contains("not known"), "{source}");
        }
        other => panic!("expected that nobody knows, got {other:?}"),
    }
}

/// An address whose connections can be told from others.
fn named() -> (String, String) {
    let (url, name) = (url(), name());
    let sign = if url.contains('?') { '&' } else { '?' };
    (format!("{url}{sign}application_name={name}"), name)
}

async fn terminate(client: &Client, name: &str) -> usize {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
    client.query(sql, &[&name]).await.unwrap().len()
}

/// Waits until as many connections of this name as that wait for a lock.
async fn until_waiting(client: &Client, name: &str, many: i64) {
    let sql =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'";
    while client.query_one(sql, &[&name]).await.unwrap().get::<_, i64>(0) != many {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn killed_connections_are_replaced_unnoticed() {
    let schema = Schema::migrated().await;
    let (url, name) = named();
    let registry = PostgresRegistry::connect(schema.config_at(url)).await.unwrap();
    let client = connection().await;
    for round in 0..5 {
        let task = format!("task_{round}");
        registry.issue(issue(&task)).await.unwrap();
        assert!(terminate(&client, &name).await > 0);
        assert!(registry.get(&id(&task), &owner().scope()).await.unwrap().is_some());
        terminate(&client, &name).await;
        registry.report(report(&task)).await.unwrap();
        terminate(&client, &name).await;
        registry.finish(end(&task)).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn a_connection_killed_in_the_middle_is_tried_again_and_writes_once() {
    let schema = Schema::migrated().await;
    let (url, name) = named();
    let registry = std::sync::Arc::new(PostgresRegistry::connect(schema.config_at(url)).await.unwrap());
    issue_notifying(&registry, "task_1").await;
    let (mut holder, client) = (connection().await, connection().await);
    let held = holder.transaction().await.unwrap();
    held.batch_execute(&format!("SELECT id FROM {}.tasks FOR UPDATE", schema.0)).await.unwrap();
    let ending = {
        let registry = std::sync::Arc::clone(&registry);
        tokio::spawn(async move { registry.finish(end("task_1")).await })
    };
    until_waiting(&client, &name, 1).await;
    terminate(&client, &name).await;
    until_waiting(&client, &name, 0).await;
    held.rollback().await.unwrap();
    assert_eq!(ending.await.unwrap().unwrap(), Finished::Now);
    assert_eq!(events(&registry).await, 1);
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn work_that_is_dropped_halfway_leaves_no_transaction_open() {
    let schema = Schema::migrated().await;
    let (url, name) = named();
    let registry = PostgresRegistry::connect(schema.config_at(url).with_pool_size(1)).await.unwrap();
    registry.issue(issue("task_1")).await.unwrap();
    let (mut holder, client) = (connection().await, connection().await);
    let held = holder.transaction().await.unwrap();
    held.batch_execute(&format!("SELECT id FROM {}.tasks FOR UPDATE", schema.0)).await.unwrap();
    tokio::select! {
        done = registry.finish(end("task_1")) => panic!("the row is locked: {done:?}"),
        () = until_waiting(&client, &name, 1) => {}
    }
    held.rollback().await.unwrap();
    // The one connection of the pool is free again, and what it had begun is undone.
    let task = registry.get(&id("task_1"), &owner().scope()).await.unwrap().unwrap();
    assert_eq!(task.status, TaskStatus::Submitted);
    assert_eq!(registry.finish(end("task_1")).await.unwrap(), Finished::Now);
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn a_statement_that_takes_too_long_is_given_up() {
    let schema = Schema::migrated().await;
    let config = schema.config().with_statement_timeout(Duration::from_millis(100));
    let registry = PostgresRegistry::connect(config).await.unwrap();
    registry.issue(issue("task_1")).await.unwrap();
    let mut holder = connection().await;
    let held = holder.transaction().await.unwrap();
    held.batch_execute(&format!("SELECT id FROM {}.tasks FOR UPDATE", schema.0)).await.unwrap();
    let given_up = registry.report(report("task_1")).await;
    assert!(matches!(given_up, Err(RegistryError::Unavailable { op: "report", .. })), "{given_up:?}");
    held.rollback().await.unwrap();
    registry.report(report("task_1")).await.unwrap();
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn a_lost_race_at_the_commit_is_run_again() {
    let (schema, proxy) = (Schema::migrated().await, Proxy::start(0).await);
    let registry = PostgresRegistry::connect(schema.config_at(proxy.url.clone())).await.unwrap();
    proxy.next([Fault::Conflict; 3]);
    issue_notifying(&registry, "task_1").await;
    proxy.next([Fault::Conflict; 3]);
    registry.report(report("task_1")).await.unwrap();
    proxy.next([Fault::Conflict; 3]);
    assert_eq!(registry.finish(end("task_1")).await.unwrap(), Finished::Now);
    let task = registry.get(&id("task_1"), &owner().scope()).await.unwrap().unwrap();
    assert_eq!((task.history.len(), events(&registry).await), (3, 1));
    proxy.next([Fault::Conflict; 8]);
    let given_up = registry.issue(issue("task_2")).await;
    assert!(matches!(given_up, Err(RegistryError::Unavailable { op: "issue", .. })), "{given_up:?}");
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn a_commit_whose_answer_is_lost_is_repeated_only_where_twice_is_once() {
    let (schema, proxy) = (Schema::migrated().await, Proxy::start(0).await);
    let registry = PostgresRegistry::connect(schema.config_at(proxy.url.clone())).await.unwrap();
    issue_notifying(&registry, "task_1").await;

    proxy.next([Fault::LoseAnswer]);
    is_uncertain(registry.issue(issue("task_2")).await.map(drop));
    assert!(registry.get(&id("task_2"), &owner().scope()).await.unwrap().is_some(), "it did happen");

    proxy.next([Fault::LoseAnswer]);
    is_uncertain(registry.report(report("task_1")).await);
    let task = registry.get(&id("task_1"), &owner().scope()).await.unwrap().unwrap();
    assert_eq!(task.history.len(), 2, "the report stands there once");

    proxy.next([Fault::LoseAnswer]);
    assert_eq!(registry.finish(end("task_1")).await.unwrap(), Finished::Before);
    assert_eq!(events(&registry).await, 1);

    proxy.next([Fault::LoseAnswer]);
    let claim = || {
        ClaimCall::new(CallKey::new(owner(), "key_1"), "create_media_buy", [1; 32], Duration::from_secs(60))
    };
    let first = registry.claim_call(claim()).await.unwrap();
    assert!(matches!(first, Claim::First(_)), "its own claim, not another's: {first:?}");
    assert!(matches!(registry.claim_call(claim()).await.unwrap(), Claim::InFlight));
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn a_commit_that_is_lost_before_it_counts_is_repeated_only_where_twice_is_once() {
    let (schema, proxy) = (Schema::migrated().await, Proxy::start(0).await);
    let registry = PostgresRegistry::connect(schema.config_at(proxy.url.clone())).await.unwrap();
    issue_notifying(&registry, "task_1").await;

    proxy.next([Fault::LoseCommit]);
    is_uncertain(registry.issue(issue("task_2")).await.map(drop));
    assert_eq!(registry.get(&id("task_2"), &owner().scope()).await.unwrap(), None, "it did not happen");

    proxy.next([Fault::LoseCommit]);
    assert_eq!(registry.finish(end("task_1")).await.unwrap(), Finished::Now);
    assert_eq!(events(&registry).await, 1);
}

/// What was answered is on disk, also where the role's default is not to wait for that.
#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn writes_wait_for_the_disk_whatever_the_default_is() {
    let schema = Schema::migrated().await;
    let client = connection().await;
    client
        .batch_execute(&format!(
            "CREATE TABLE {0}.seen (setting TEXT);
             CREATE FUNCTION {0}.look() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN INSERT INTO {0}.seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$;
             CREATE TRIGGER look BEFORE INSERT ON {0}.tasks FOR EACH ROW EXECUTE FUNCTION {0}.look();",
            schema.0
        ))
        .await
        .unwrap();
    let url = url();
    let sign = if url.contains('?') { '&' } else { '?' };
    for (default, want) in [("off", "on"), ("on", "on"), ("remote_apply", "remote_apply")] {
        let url = format!("{url}{sign}options=-csynchronous_commit%3D{default}");
        let registry = PostgresRegistry::connect(schema.config_at(url)).await.unwrap();
        registry.issue(issue(default)).await.unwrap();
        let seen =
            client.query(&format!("DELETE FROM {}.seen RETURNING setting", schema.0), &[]).await.unwrap();
        assert_eq!(seen.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>(), [want]);
    }
}
