//! Replicas of the released version go on while the schema is brought up to date, and beside those of this one.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use adcp_core::{
    ClaimDeliveries, DeliveryOutbox, FinishTask, Finished, ListTasks, Outcome, Scope, TaskId, TaskRegistry,
    TaskStatus, TenantId,
};
use adcp_registry_postgres::{OpenError, PostgresRegistry};
use adcp_registry_testkit::released;
use deadpool_postgres::tokio_postgres::Client;
use deadpool_postgres::tokio_postgres::error::SqlState;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::fixture::{Schema, connection, issue};

const TASK_INSERT: &str = include_str!("released/statements_1/task_insert.sql");
const TASK_LOCK: &str = include_str!("released/statements_1/task_lock.sql");
const TASK_UPDATE: &str = include_str!("released/statements_1/task_update.sql");
const CALL_CLAIM: &str = include_str!("released/statements_1/call_claim.sql");
const CALL_SETTLE: &str = include_str!("released/statements_1/call_settle.sql");
const EVENT_QUEUE: &str = include_str!("released/statements_1/event_queue.sql");

/// How every write of the released version began.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT \
                     set_config('statement_timeout', '5000', true), \
                     set_config('idle_in_transaction_session_timeout', '10000', true)";

/// A database as the version of schema 1 left it.
async fn schema_1() -> Schema {
    let schema = Schema::new();
    let client = connection().await;
    for text in [include_str!("released/schema_1.sql"), include_str!("released/rows_1.sql")] {
        client.batch_execute(&text.replace("{schema}", &schema.0)).await.unwrap();
    }
    schema
}

/// A replica of that version: it issues, claims, ends and queues by its own statements until it is stopped.
struct Old {
    running: JoinHandle<usize>,
    stop: Arc<AtomicBool>,
    /// Rounds that are done.
    done: watch::Receiver<usize>,
}

impl Old {
    fn start(schema: &Schema, number: usize) -> Self {
        let (sender, done) = watch::channel(0);
        let stop = Arc::new(AtomicBool::new(false));
        let (schema, stopped) = (schema.0.clone(), Arc::clone(&stop));
        let running = tokio::spawn(async move {
            let client = connection().await;
            let mut round = 0;
            while !stopped.load(Ordering::Relaxed) {
                write(&client, &schema, &format!("{number}_{round}")).await;
                round += 1;
                sender.send_replace(round);
            }
            round
        });
        Self { running, stop, done }
    }

    /// Waits for so many more rounds.
    async fn go_on(&mut self, rounds: usize) {
        let from = *self.done.borrow();
        self.done.wait_for(|done| *done >= from + rounds).await.unwrap();
    }

    /// How many rounds were done, none of them in vain.
    async fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.running.await.unwrap()
    }
}

/// One round: a call becomes a task, which ends with an event.
async fn write(client: &Client, schema: &str, name: &str) {
    let (id, key, token) = (format!("'old_{name}'"), format!("'key_{name}'"), format!("'\\x{:032x}'", 7));
    let call = [
        ("tenant", "'default'"),
        ("account", "'=acme'"),
        ("principal", "'agency'"),
        ("session", "''"),
        ("key", &key),
        ("tool", "'create_media_buy'"),
        ("hash", "'\\x01'"),
        ("token", &token),
        ("claimed_at", "1795276866000000"),
        ("expires_at", "4948876866000000"),
        ("forget_at", "8102476866000000"),
        ("state", "'replied'"),
        ("reply", "'{}'"),
    ];
    let task = [
        ("tenant", "'default'"),
        ("id", &id),
        ("account", "'=acme'"),
        ("principal", "'agency'"),
        ("tool", "'create_media_buy'"),
        ("task_type", "'create_media_buy'"),
        ("protocol", "'media-buy'"),
        ("phase", "'open'"),
        ("status", "'submitted'"),
        ("created_at", "1795276866000000"),
        ("updated_at", "1795276866000000"),
        ("deadline", "NULL"),
        ("lease_token", "NULL"),
        ("lease_until", "NULL"),
        ("due_at", "NULL"),
        ("context", "NULL"),
        ("effects", "'{}'"),
        ("has_webhook", "false"),
        ("history", "'[{\"at\":1795276866000000,\"status\":\"submitted\"}]'"),
    ];
    let mut ended = task.to_vec();
    ended.retain(|(name, _)| *name != "status");
    ended.extend([
        ("status", "'canceled'"),
        ("ended_at", "1795276867000000"),
        ("progress", "NULL"),
        ("question", "NULL"),
        ("outcome", "'{\"canceled\":\"enough\"}'"),
    ]);
    let event = [
        ("tenant", "'default'"),
        ("key", &format!("'whk_{name}'")),
        ("account", "'=acme'"),
        ("principal", "'agency'"),
        ("task", &id),
        ("task_type", "'create_media_buy'"),
        ("status", "'canceled'"),
        ("url", "'https://buyer.example/hook'"),
        ("scheme", "NULL"),
        ("sealed_credentials", "NULL"),
        ("body", &format!("'{{\"task_id\":\"old_{name}\"}}'")),
        ("sealed_body", "false"),
        ("queued_at", "1795276867000000"),
    ];
    unit(client, schema, &[(CALL_CLAIM, &call)]).await;
    // Every third task stays open, for this version to end.
    unit(client, schema, &[(CALL_SETTLE, &call), (TASK_INSERT, &task)]).await;
    if !name.ends_with(['0', '3', '6', '9']) {
        unit(client, schema, &[(TASK_LOCK, &task), (EVENT_QUEUE, &event), (TASK_UPDATE, &ended)]).await;
    }
}

/// A transaction as the released version did it, which tried again only what the database itself had undone.
async fn unit(client: &Client, schema: &str, statements: &[(&str, &[(&str, &str)])]) {
    let texts: Vec<String> = statements.iter().map(|(text, values)| filled(text, schema, values)).collect();
    for _ in 0..8 {
        let done = async {
            client.batch_execute(BEGIN).await?;
            for text in &texts {
                client.batch_execute(text).await?;
            }
            client.batch_execute("COMMIT").await
        };
        let Err(error) = done.await else { return };
        client.batch_execute("ROLLBACK").await.unwrap();
        let undone = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
        assert!(
            error.code().is_some_and(|code| undone.contains(code)),
            "a write of the old version: {error:?}"
        );
    }
    panic!("a write of the old version was undone every time");
}

/// A statement with its values written in, the longest names first.
fn filled(text: &str, schema: &str, values: &[(&str, &str)]) -> String {
    let mut values = values.to_vec();
    values.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    let mut text = text.replace("{schema}", schema);
    for (name, value) in values {
        text = text.replace(&format!(":{name}"), value);
    }
    text
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn rows_of_schema_1_are_read_and_ended_by_this_version() {
    let schema = schema_1().await;
    let refused = PostgresRegistry::connect(schema.config()).await.map(drop);
    assert!(matches!(refused, Err(OpenError::Outdated { found: 1, .. })), "{refused:?}");
    PostgresRegistry::migrate(&schema.config()).await.unwrap();
    let registry = PostgresRegistry::connect(schema.config()).await.unwrap();
    released::rows_of_schema_1_are_read(&registry).await;
    released::events_of_schema_1_are_claimed(&registry).await;
    released::rows_of_schema_1_are_ended(&registry).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a Postgres server"]
async fn a_database_of_schema_1_is_migrated_while_its_replicas_write() {
    let schema = schema_1().await;
    let mut old: Vec<Old> = (0..3).map(|number| Old::start(&schema, number)).collect();
    for replica in &mut old {
        replica.go_on(5).await;
    }
    let migrations: Vec<_> = (0..2)
        .map(|_| {
            let config = schema.config();
            tokio::spawn(async move { PostgresRegistry::migrate(&config).await })
        })
        .collect();
    for migration in migrations {
        migration.await.unwrap().unwrap();
    }
    // This version begins at once, beside the old one: it ends what that leaves open, and writes its own.
    let new = PostgresRegistry::connect(schema.config()).await.unwrap();
    released::rows_of_schema_1_are_read(&new).await;
    let issued = AtomicUsize::new(0);
    let beside = async {
        while old.iter().any(|replica| *replica.done.borrow() < 60) {
            let number = issued.fetch_add(1, Ordering::Relaxed);
            new.issue(issue(&format!("new_{number}"))).await.unwrap();
            end_open(&new).await;
        }
    };
    beside.await;
    released::rows_of_schema_1_are_ended(&new).await;
    let mut written = BTreeSet::new();
    for (number, replica) in old.into_iter().enumerate() {
        written.extend((0..replica.stop().await).map(|round| format!("old_{number}_{round}")));
    }
    end_open(&new).await;

    let client = connection().await;
    let found = client.query(&format!("SELECT id, status FROM {}.tasks", schema.0), &[]).await.unwrap();
    let found: BTreeSet<String> = found
        .iter()
        .map(|row| {
            let (id, status): (String, String) = (row.get(0), row.get(1));
            assert!(
                TaskStatus::parse(&status).unwrap().is_terminal() || id == "t_elsewhere",
                "{id}: {status}"
            );
            id
        })
        .collect();
    let lost: Vec<_> = written.difference(&found).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let new_ones = found.iter().filter(|id| id.starts_with("new_")).count();
    assert_eq!(new_ones, issued.into_inner());
    let told = format!("SELECT count(*) FROM {}.events WHERE key LIKE 'whk\\_%\\_%'", schema.0);
    let told: i64 = client.query_one(&told, &[]).await.unwrap().get(0);
    let ends = written.iter().filter(|id| !id.ends_with(['0', '3', '6', '9'])).count();
    assert_eq!(usize::try_from(told).unwrap(), ends);
    // What they queued, before the migration and since, is there to be delivered.
    let mut claim = ClaimDeliveries::new();
    (claim.limit, claim.per_endpoint) = (100_000, 100_000);
    let of_old = |body: &str| body.contains("\"old_");
    let mut claimed = 0;
    // Rows without an endpoint are given theirs a batch at a time.
    loop {
        let some = new.claim_deliveries(claim.clone()).await.unwrap();
        assert!(some.dead.is_empty(), "{:?}", some.dead);
        claimed += some.deliveries.iter().filter(|claimed| of_old(&claimed.event.body)).count();
        claim.after = some.cursor;
        if !some.more {
            break;
        }
    }
    assert_eq!(claimed, ends);
    let calls =
        format!("SELECT count(*) FROM {}.calls WHERE key LIKE 'key\\_%' AND state = 'replied'", schema.0);
    let calls: i64 = client.query_one(&calls, &[]).await.unwrap().get(0);
    assert_eq!(usize::try_from(calls).unwrap(), written.len());
}

/// Ends every task that the old version left open, and those of this one.
async fn end_open(registry: &PostgresRegistry) {
    let operator = || Scope::Operator { tenant: TenantId::single() };
    let mut open = ListTasks::new(operator());
    open.filter.statuses = vec![TaskStatus::Submitted];
    open.limit = 1000;
    for task in registry.list(open).await.unwrap().tasks {
        let id = task.id.as_str();
        // Every third of the old ones; the others are ended by their own.
        let left = id.starts_with("old_") && id.ends_with(['0', '3', '6', '9']);
        if left || id.starts_with("new_") {
            let end = FinishTask::new(TaskId::new(id), operator(), Outcome::Canceled("taken over".into()));
            assert_eq!(registry.finish(end).await.unwrap(), Finished::Now);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a Postgres server"]
async fn whoever_reads_for_long_holds_up_the_migration_and_not_the_writers_behind_it() {
    let schema = schema_1().await;
    let reader = connection().await;
    reader.batch_execute(&format!("BEGIN; SELECT count(*) FROM {}.tasks", schema.0)).await.unwrap();
    let mut old = Old::start(&schema, 0);
    old.go_on(5).await;
    let config = schema.config();
    let migration = tokio::spawn(async move { PostgresRegistry::migrate(&config).await });
    let client = connection().await;
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock' \
                 AND relation = ($1 || '.tasks')::regclass";
    // It is seen to wait, gives way to the writers behind it, and waits again.
    for _ in 0..2 {
        while client.query_one(waits, &[&schema.0]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
        old.go_on(20).await;
    }
    assert!(!migration.is_finished());
    reader.batch_execute("COMMIT").await.unwrap();
    migration.await.unwrap().unwrap();
    old.go_on(5).await;
    old.stop().await;
    PostgresRegistry::connect(schema.config()).await.unwrap();
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn the_version_of_schema_1_may_go_on_beside_every_step_since() {
    let schema = schema_1().await;
    let sums = format!(
        "SELECT number, serves, checksum FROM {}.adcp_migrations WHERE number > 0 ORDER BY number",
        schema.0
    );
    let client = connection().await;
    let before = client.query(&sums, &[]).await.unwrap();
    PostgresRegistry::migrate(&schema.config()).await.unwrap();
    let after = client.query(&sums, &[]).await.unwrap();
    assert_eq!(before[0].get::<_, String>(2), after[0].get::<_, String>(2), "step 1 is what was released");
    for step in &after {
        // What that version looks at before it serves: steps it does not know must say that it may.
        assert!(
            step.get::<_, i64>(1) <= 1,
            "step {} ends upgrades from schema 1 without a pause",
            step.get::<_, i64>(0)
        );
    }
}
