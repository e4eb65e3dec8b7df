//! Deliveries of a database: what the version before queued, what cannot be opened, and answers that were lost.

use std::time::Duration;

use adcp_core::{
    AccountId, AttemptClass, AttemptReport, BreakerPolicy, CallbackAuth, ClaimDeliveries, DeadReason,
    DeliveryFilter, DeliveryOutbox, DeliveryState, EventKey, ListDeliveries, Owner, Principal, Publication,
    PublishEvents, Published, RecordAttempt, RecordAttempts, Recorded, Redeliver, Redelivered, Scope, Secret,
    Subject, TenantId, Verdict,
};
use adcp_registry_postgres::{PostgresConfig, PostgresRegistry};

use crate::fixture::{Schema, connection, url};
use crate::proxy::{Fault, Proxy};

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

async fn keys(registry: &PostgresRegistry) -> Vec<String> {
    let claimed = registry.claim_deliveries(ClaimDeliveries::new()).await.unwrap();
    let mut keys: Vec<_> = claimed.deliveries.into_iter().map(|found| found.event.key.to_string()).collect();
    keys.sort_unstable();
    keys
}

/// A schema as the first version left it, with an event in it.
async fn first_version() -> Schema {
    let schema = Schema::new();
    let (client, name) = (connection().await, &schema.0);
    let first = include_str!("../../migrations/0001_first.sql");
    let sum = adcp_core::hex(&<sha2::Sha256 as sha2::Digest>::digest(first.as_bytes()));
    let sql = format!(
        "CREATE SCHEMA {name};
        CREATE TABLE {name}.adcp_migrations (
            number BIGINT PRIMARY KEY, serves BIGINT NOT NULL, checksum TEXT COLLATE \"C\" NOT NULL
        );
        INSERT INTO {name}.adcp_migrations VALUES (0, 0, ''), (1, 1, '{sum}');
        {}",
        first.replace("{schema}", name)
    );
    client.batch_execute(&sql).await.unwrap();
    queue_as_before(&schema, "old").await;
    schema
}

/// As the first version queues.
async fn queue_as_before(schema: &Schema, key: &str) {
    let insert = format!(
        "INSERT INTO {}.events (tenant, key, account, principal, task, task_type, status, url, scheme, \
         sealed_credentials, body, sealed_body, queued_at) \
         VALUES ('default', $1, '=acme', 'agency', 'task_1', 'create_media_buy', 'completed', \
         'https://buyer.example/hook', NULL, NULL, '{{\"old\": 1}}', false, 1)",
        schema.0
    );
    connection().await.execute(&insert, &[&key]).await.unwrap();
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn what_the_version_before_queued_is_due_at_once_also_beside_this_one() {
    let schema = first_version().await;
    PostgresRegistry::migrate(&schema.config()).await.unwrap();
    queue_as_before(&schema, "beside").await;
    let registry = PostgresRegistry::connect(schema.config()).await.unwrap();
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
#[ignore = "needs a Postgres server"]
async fn an_event_that_cannot_be_read_stops_nobody_but_itself() {
    let schema = Schema::migrated().await;
    let registry = PostgresRegistry::connect(schema.config()).await.unwrap();
    let auth = CallbackAuth::new("Bearer", Secret::new("s".repeat(32)));
    let sealed = event("sealed").with_authentication(Some(auth));
    let events = vec![sealed, event("body").with_secret_body(), event("broken"), event("good")];
    registry.publish(PublishEvents::new(events)).await.unwrap();
    let by_hand = format!("UPDATE {}.events SET redeliveries = '{{' WHERE key = 'broken'", schema.0);
    connection().await.batch_execute(&by_hand).await.unwrap();
    // The key that sealed it is not at hand.
    let keyless = PostgresConfig::new(url()).with_schema(&schema.0);
    let keyless = PostgresRegistry::connect(keyless).await.unwrap();
    let claimed = keyless.claim_deliveries(ClaimDeliveries::new()).await.unwrap();
    let keys_of: Vec<_> = claimed.deliveries.iter().map(|found| found.event.key.as_str()).collect();
    assert_eq!(keys_of, ["good"]);
    let mut dead: Vec<_> = claimed.dead.iter().map(|(_, key, reason)| (key.as_str(), *reason)).collect();
    dead.sort_unstable_by_key(|(key, _)| *key);
    let unsealable = DeadReason::Unsealable;
    assert_eq!(dead, [("body", unsealable), ("broken", DeadReason::Corrupt), ("sealed", unsealable)]);

    let page = keyless.deliveries(ListDeliveries::new(operator())).await.unwrap();
    assert_eq!(page.unreadable, [EventKey::stored("broken")]);
    let shown: Vec<_> = page.deliveries.iter().map(|found| (found.key.as_str(), found.state)).collect();
    let dead = DeliveryState::Dead;
    assert_eq!(shown, [("sealed", dead), ("good", DeliveryState::Sending), ("body", dead)]);
    let detail = keyless.delivery(&EventKey::stored("body"), &operator()).await.unwrap().unwrap();
    assert_eq!(detail.body, None);

    // With the key they are sent again.
    let again = Redeliver::matching(TenantId::single(), DeliveryFilter::new(), "operator");
    let done: Vec<_> = registry.redeliver(again).await.unwrap().into_iter().map(|(_, done)| done).collect();
    assert_eq!(done, [Redelivered::Queued, Redelivered::Unreadable, Redelivered::Queued]);
    assert_eq!(keys(&registry).await, ["body", "sealed"]);
}

/// Whoever is not answered does not know what happened; the next try finds its own work, and does it once.
#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn lost_answers_and_lost_commits_claim_and_record_once() {
    for fault in [Fault::LoseAnswer, Fault::LoseCommit, Fault::Conflict] {
        let schema = Schema::migrated().await;
        let proxy = Proxy::start(0).await;
        let registry = PostgresRegistry::connect(schema.config_at(proxy.url.clone())).await.unwrap();
        proxy.next([fault]);
        let events = vec![event("a"), event("b")];
        registry.publish(PublishEvents::new(events.clone())).await.unwrap();
        let again = registry.publish(PublishEvents::new(events)).await.unwrap();
        assert_eq!(again, [Published::Known; 2], "{fault:?}");
        proxy.next([fault]);
        let claimed = registry.claim_deliveries(ClaimDeliveries::new()).await.unwrap().deliveries;
        assert_eq!(claimed.len(), 2, "{fault:?}");
        assert!(claimed.iter().all(|found| found.attempt == 1), "{fault:?}: {claimed:?}");
        assert_eq!(keys(&registry).await, Vec::<String>::new());
        proxy.next([fault]);
        let report = AttemptReport::new(AttemptClass::Timeout, Duration::ZERO, Duration::ZERO);
        let records = claimed.iter().map(|found| {
            RecordAttempt::new(found.hold(), Some(report.clone()), Verdict::Again { after: Duration::ZERO })
        });
        let policy = BreakerPolicy::new().with_failures(2);
        let req = RecordAttempts::new(records.collect()).with_breaker(policy);
        let done = registry.record_attempts(req.clone()).await.unwrap();
        assert_eq!(done, [Recorded::Written; 2], "{fault:?}");
        assert_eq!(registry.record_attempts(req).await.unwrap(), [Recorded::Lost; 2], "{fault:?}");
        for name in ["a", "b"] {
            let detail = registry.delivery(&EventKey::stored(name), &operator()).await.unwrap().unwrap();
            assert_eq!((detail.record.attempts, detail.attempts.len()), (1, 1), "{fault:?}");
        }
        // One failure of each endpoint was counted, not two: nobody is left in peace.
        assert_eq!(keys(&registry).await, ["a", "b"], "{fault:?}");
    }
}
