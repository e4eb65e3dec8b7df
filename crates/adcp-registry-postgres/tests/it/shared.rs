//! What a shared database shows: one truth for many, an adopter's own transaction, nothing readable, nothing forever.

use adcp_core::{
    DeliveryOutbox, DocumentKey, DocumentScope, Documents, Effects, Expect, FinishTask, Finished, JobOrder,
    ListEvents, ListTasks, Outcome, PutDocument, Registration, Registry, RegistryError, Secret, TaskFilter,
    TaskId, TaskRegistry, TaskStatus,
};
use adcp_registry_postgres::{PostgresConfig, PostgresRegistry};
use deadpool_postgres::tokio_postgres::NoTls;
use deadpool_postgres::{Manager, Pool};

use crate::fixture::{Schema, connection, issue, owner, url};

fn notifying(id: &str) -> adcp_core::IssueTask {
    let to = Registration::new("https://buyer.example/hook", "op-1").unwrap();
    let to = to.with_token(Some(Secret::new("the token of the buyer")));
    issue(id).with_effects(Effects::none().with_notify(Some(to)))
}

fn end(id: &str) -> FinishTask {
    FinishTask::new(TaskId::new(id), owner().scope(), Outcome::Canceled("enough".into()))
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn a_pool_of_the_adopters_is_as_good() {
    let schema = Schema::migrated().await;
    let pool = Pool::builder(Manager::new(url().parse().unwrap(), NoTls)).max_size(2).build().unwrap();
    let config = PostgresConfig::pooled().with_schema(&schema.0);
    PostgresRegistry::migrate_pool(&pool, &config).await.unwrap();
    let registry = PostgresRegistry::from_pool(pool, config).await.unwrap();
    let beside = PostgresRegistry::connect(schema.config()).await.unwrap();
    registry.issue(issue("task_1")).await.unwrap();
    assert!(beside.get(&TaskId::new("task_1"), &owner().scope()).await.unwrap().is_some());
    assert!(registry.capabilities().durable && registry.capabilities().cross_process);
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn an_end_commits_with_the_writes_of_its_adopter_or_not_at_all() {
    let schema = Schema::migrated().await;
    let registry = PostgresRegistry::connect(schema.config()).await.unwrap();
    registry.issue(notifying("task_1")).await.unwrap();
    let mut client = connection().await;
    client.batch_execute(&format!("CREATE TABLE {}.orders (id TEXT)", schema.0)).await.unwrap();
    let order = format!("INSERT INTO {}.orders VALUES ('mb_1')", schema.0);
    let state = async || {
        let task = registry.get(&TaskId::new("task_1"), &owner().scope()).await.unwrap().unwrap();
        let events = registry.events(ListEvents::new(owner().scope())).await.unwrap().len();
        (task.status, events)
    };

    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute(&order).await.unwrap();
    assert_eq!(registry.finish_in(&transaction, end("task_1")).await.unwrap(), Finished::Now);
    assert_eq!(state().await, (TaskStatus::Submitted, 0), "nobody sees it before the commit");
    transaction.rollback().await.unwrap();
    assert_eq!(state().await, (TaskStatus::Submitted, 0));

    let transaction = client.transaction().await.unwrap();
    transaction.batch_execute(&order).await.unwrap();
    registry.finish_in(&transaction, end("task_1")).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(state().await, (TaskStatus::Canceled, 1));
    let sql = format!("SELECT count(*) FROM {}.orders", schema.0);
    assert_eq!(client.query_one(&sql, &[]).await.unwrap().get::<_, i64>(0), 1);

    let transaction = client.transaction().await.unwrap();
    assert_eq!(registry.finish_in(&transaction, end("task_1")).await.unwrap(), Finished::Before);
    let unknown = registry.finish_in(&transaction, end("task_2")).await;
    assert!(matches!(unknown, Err(RegistryError::UnknownTask(_))), "{unknown:?}");
    transaction.rollback().await.unwrap();
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn no_credential_stands_readable_in_a_table() {
    let schema = Schema::migrated().await;
    let registry = PostgresRegistry::connect(schema.config()).await.unwrap();
    let order = JobOrder::new("review", "the secret of the adopter".into());
    registry.issue(notifying("task_1").as_job(order)).await.unwrap();
    registry.finish(end("task_1")).await.unwrap();
    let event = registry.events(ListEvents::new(owner().scope())).await.unwrap().remove(0);
    assert!(event.body.contains("the token of the buyer"));
    let sql = format!(
        "SELECT (SELECT string_agg(t::text, '') FROM {0}.tasks t) || (SELECT string_agg(e::text, '') FROM {0}.events e)",
        schema.0
    );
    let rows: String = connection().await.query_one(&sql, &[]).await.unwrap().get(0);
    assert!(rows.contains("task_1") && !rows.contains("the token of the buyer"), "{rows}");
    assert!(rows.contains("review") && !rows.contains("the secret of the adopter"), "{rows}");

    let config = PostgresConfig::new(url()).with_schema(&schema.0);
    let keyless = PostgresRegistry::connect(config).await.unwrap();
    let refused = keyless.issue(notifying("task_2")).await;
    assert!(matches!(refused, Err(RegistryError::Unavailable { op: "issue", .. })), "{refused:?}");
    assert_eq!(registry.get(&TaskId::new("task_2"), &owner().scope()).await.unwrap(), None);
    assert!(registry.capabilities().keeps_credentials && !keyless.capabilities().keeps_credentials);
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn a_secret_document_stands_readable_in_no_table() {
    let schema = Schema::migrated().await;
    let registry = PostgresRegistry::connect(schema.config()).await.unwrap();
    let key = |id: &str| DocumentKey::new(DocumentScope::Caller(owner()), "webhook", id).unwrap();
    let put = |id: &str| {
        let body = serde_json::json!({ "credentials": "the secret of the buyer" });
        PutDocument::new(key(id), body, Expect::Absent)
    };
    registry.put_document(put("sealed").sealed()).await.unwrap();
    let rows = async || -> String {
        let sql = format!("SELECT string_agg(d::text, '') FROM {}.documents d", schema.0);
        connection().await.query_one(&sql, &[]).await.unwrap().get(0)
    };
    assert!(rows().await.contains("webhook") && !rows().await.contains("the secret of the buyer"));
    registry.put_document(put("open")).await.unwrap();
    assert!(rows().await.contains("the secret of the buyer"), "the test would see it");

    let keyless = PostgresRegistry::connect(PostgresConfig::new(url()).with_schema(&schema.0)).await.unwrap();
    let refused = keyless.put_document(put("another").sealed()).await;
    assert!(matches!(refused, Err(RegistryError::Unavailable { op: "put_document", .. })), "{refused:?}");
    assert_eq!(registry.document(&key("another")).await.unwrap(), None);
    assert!(keyless.document(&key("sealed")).await.is_err());
}

/// Postgres keeps no NUL in text, and buyers may send one wherever they name something.
#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn names_with_a_nul_are_absent_and_no_fault() {
    let schema = Schema::migrated().await;
    let registry = PostgresRegistry::connect(schema.config()).await.unwrap();
    registry.issue(issue("task_1")).await.unwrap();
    let nul = TaskId::new("task_1\0");
    assert_eq!(registry.get(&nul, &owner().scope()).await.unwrap(), None);
    let refused = registry.finish(end("task_1\0")).await;
    assert!(matches!(refused, Err(RegistryError::UnknownTask(_))), "{refused:?}");
    let mut filter = TaskFilter::default();
    filter.ids = vec![nul, TaskId::new("task_1")];
    let list = async |filter: TaskFilter| {
        let mut list = ListTasks::new(owner().scope());
        list.filter = filter;
        registry.list(list).await.unwrap().tasks.len()
    };
    assert_eq!(list(filter).await, 1);
    let mut filter = TaskFilter::default();
    filter.context_contains = Some("\0".into());
    assert_eq!(list(filter).await, 0);
}
