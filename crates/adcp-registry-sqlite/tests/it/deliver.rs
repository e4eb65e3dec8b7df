//! Deliveries of a file: what the version before queued, what cannot be opened, and the same bytes after a restart.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{
    AccountId, AttemptClass, AttemptReport, CallbackAuth, ClaimDeliveries, DeadReason, DeliveryFilter,
    DeliveryOutbox, DeliveryState, EventKey, ListDeliveries, Owner, Principal, Publication, PublishEvents,
    RecordAttempt, RecordAttempts, Recorded, Redeliver, Redelivered, Scope, Secret, Subject, TenantId,
    Verdict,
};
use adcp_registry_sqlite::{SqliteConfig, SqliteRegistry};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::fixture::Mirror;

fn file() -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    (folder, path)
}

fn open(path: &std::path::Path) -> SqliteRegistry {
    SqliteRegistry::open(SqliteConfig::new(path).with_sealer(Arc::new(Mirror))).unwrap()
}

fn event(name: &str) -> Publication {
    let owner = Owner::new(TenantId::single(), Some(AccountId::new("acme")), Principal::new("agency"));
    let url = format!("https://{name}.example/hook");
    Publication::new(
        EventKey::stored(name),
        owner,
        "scheduled",
        url,
        format!("{{\"n\": 1.50, \"of\":\"{name}\"}}"),
    )
}

fn operator() -> Scope {
    Scope::Operator { tenant: TenantId::single() }
}

async fn claim(registry: &SqliteRegistry) -> Vec<(String, String)> {
    let claimed = registry.claim_deliveries(ClaimDeliveries::new()).await.unwrap();
    claimed.deliveries.into_iter().map(|found| (found.event.key.to_string(), found.event.body)).collect()
}

/// A file as the first version left it, with an event in it.
fn first_version(path: &std::path::Path) -> Connection {
    let old = Connection::open(path).unwrap();
    let first = include_str!("../../migrations/0001_first.sql");
    old.execute_batch(first).unwrap();
    old.execute_batch(
        "CREATE TABLE adcp_migrations (number INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT",
    )
    .unwrap();
    let sum = adcp_core::hex(&<sha2::Sha256 as sha2::Digest>::digest(first.as_bytes()));
    old.execute("INSERT INTO adcp_migrations VALUES (1, ?1)", [sum]).unwrap();
    queue_as_before(&old, "old");
    old
}

/// As the first version queues.
fn queue_as_before(connection: &Connection, key: &str) {
    let insert = "INSERT INTO events (tenant, key, account, principal, task, task_type, status, url, scheme, \
                  sealed_credentials, body, sealed_body, queued_at) \
                  VALUES ('default', ?1, '=acme', 'agency', 'task_1', 'create_media_buy', 'completed', \
                  'https://buyer.example/hook', NULL, NULL, '{\"old\": 1}', 0, 1)";
    connection.execute(insert, [key]).unwrap();
}

#[tokio::test]
async fn what_the_version_before_queued_is_due_at_once_also_beside_this_one() {
    let (_folder, path) = file();
    let old = first_version(&path);
    SqliteRegistry::migrate(&SqliteConfig::new(&path)).unwrap();
    queue_as_before(&old, "beside");
    let registry = open(&path);
    let claimed = registry.claim_deliveries(ClaimDeliveries::new()).await.unwrap().deliveries;
    assert_eq!(claimed.len(), 2);
    for found in &claimed {
        assert_eq!(found.endpoint.as_str(), "https://buyer.example");
        assert_eq!((found.attempt, found.event.body.as_str()), (1, "{\"old\": 1}"));
        assert!(matches!(&found.event.subject, Subject::Ended { task, .. } if task.as_str() == "task_1"));
    }
    let record = RecordAttempt::new(claimed[0].hold(), None, Verdict::Delivered);
    let done = registry.record_attempts(RecordAttempts::new(vec![record])).await.unwrap();
    assert_eq!(done, [Recorded::Written]);
}

#[tokio::test]
async fn bytes_and_key_are_the_same_after_a_restart_and_a_redelivery() {
    let (_folder, path) = file();
    let sent = event("a").with_secret_body();
    let want = vec![("a".to_owned(), sent.body.clone())];
    let first = {
        let registry = open(&path);
        registry.publish(PublishEvents::new(vec![sent.clone()])).await.unwrap();
        let mut claimed = registry.claim_deliveries(ClaimDeliveries::new()).await.unwrap().deliveries;
        claimed.pop().unwrap()
    };
    assert_eq!(first.event.body, sent.body);
    let registry = open(&path);
    let report =
        AttemptReport::new(AttemptClass::Gone, Duration::ZERO, Duration::ZERO).with_answer("no more");
    let record = RecordAttempt::new(first.hold(), Some(report), Verdict::Dead(DeadReason::Gone));
    let done = registry.record_attempts(RecordAttempts::new(vec![record])).await.unwrap();
    assert_eq!(done, [Recorded::Written], "a claim outlives the process");
    drop(registry);
    let registry = open(&path);
    let again = Redeliver::one(TenantId::single(), first.event.key.clone(), "operator");
    let done = registry.redeliver(again).await.unwrap();
    assert_eq!(done, [(first.event.key.clone(), Redelivered::Queued)]);
    assert_eq!(claim(&registry).await, want);
    let detail = registry.delivery(&first.event.key, &operator()).await.unwrap().unwrap();
    assert_eq!(detail.attempts[0].answer.as_deref(), Some("no more"));
}

#[tokio::test]
async fn an_event_that_cannot_be_read_stops_nobody_but_itself() {
    let (_folder, path) = file();
    {
        let registry = open(&path);
        let auth = CallbackAuth::new("Bearer", Secret::new("s".repeat(32)));
        let sealed = event("sealed").with_authentication(Some(auth));
        let body = event("body").with_secret_body();
        let events = vec![sealed, body, event("broken"), event("good")];
        registry.publish(PublishEvents::new(events)).await.unwrap();
    }
    let by_hand = Connection::open(&path).unwrap();
    by_hand.execute("UPDATE events SET redeliveries = '{' WHERE key = 'broken'", []).unwrap();
    // The key that sealed it is not at hand.
    let registry = SqliteRegistry::open(SqliteConfig::new(&path)).unwrap();
    let claimed = registry.claim_deliveries(ClaimDeliveries::new()).await.unwrap();
    let keys: Vec<_> = claimed.deliveries.iter().map(|found| found.event.key.as_str()).collect();
    assert_eq!(keys, ["good"]);
    let mut dead: Vec<_> = claimed.dead.iter().map(|(_, key, reason)| (key.as_str(), *reason)).collect();
    dead.sort_unstable_by_key(|(key, _)| *key);
    let unsealable = DeadReason::Unsealable;
    assert_eq!(dead, [("body", unsealable), ("broken", DeadReason::Corrupt), ("sealed", unsealable)]);

    let page = registry.deliveries(ListDeliveries::new(operator())).await.unwrap();
    assert_eq!(page.unreadable, [EventKey::stored("broken")]);
    let shown: Vec<_> = page.deliveries.iter().map(|found| (found.key.as_str(), found.state)).collect();
    let dead = DeliveryState::Dead;
    assert_eq!(shown, [("sealed", dead), ("good", DeliveryState::Sending), ("body", dead)]);
    let detail = registry.delivery(&EventKey::stored("body"), &operator()).await.unwrap().unwrap();
    assert_eq!(detail.body, None);

    // With the key they are sent again.
    drop(registry);
    let registry = open(&path);
    let again = Redeliver::matching(TenantId::single(), DeliveryFilter::new(), "operator");
    let done: Vec<_> = registry.redeliver(again).await.unwrap().into_iter().map(|(_, done)| done).collect();
    assert_eq!(done, [Redelivered::Queued, Redelivered::Unreadable, Redelivered::Queued]);
    let mut keys: Vec<_> = claim(&registry).await.into_iter().map(|(key, _)| key).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["body", "sealed"]);
}

#[tokio::test]
async fn no_secret_of_an_event_stands_readable_in_the_file() {
    let (_folder, path) = file();
    let registry = open(&path);
    let secret = "the secret of the buyer";
    let auth = CallbackAuth::new("Bearer", Secret::new(secret));
    let mut sealed = event("a").with_authentication(Some(auth)).with_secret_body();
    sealed.body = format!("{{\"token\":\"{secret}\"}}");
    registry.publish(PublishEvents::new(vec![sealed])).await.unwrap();
    drop(registry);
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}
