//! The schema: made once, by whoever comes first, and never served when it is another.

use adcp_core::{TaskId, TaskRegistry};
use adcp_registry_postgres::{OpenError, PostgresConfig, PostgresRegistry};

use crate::fixture::{Schema, connection, issue, owner, url};

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn a_registry_does_not_serve_before_it_is_migrated() {
    let schema = Schema::new();
    let refused = PostgresRegistry::connect(schema.config()).await;
    assert!(matches!(refused, Err(OpenError::Outdated { found: 0, .. })), "{refused:?}");
    let there = "SELECT count(*) FROM pg_namespace WHERE nspname = $1";
    let made: i64 = connection().await.query_one(there, &[&schema.0]).await.unwrap().get(0);
    assert_eq!(made, 0, "nothing is made by looking");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a Postgres server"]
async fn migrating_again_changes_nothing_also_at_once() {
    for _ in 0..4 {
        let schema = Schema::new();
        let migrations: Vec<_> = (0..6)
            .map(|_| {
                let config = schema.config();
                tokio::spawn(async move { PostgresRegistry::migrate(&config).await })
            })
            .collect();
        for migration in migrations {
            migration.await.unwrap().unwrap();
        }
        PostgresRegistry::migrate(&schema.config()).await.unwrap();
        let sql = format!("SELECT count(*) FROM {}.adcp_migrations WHERE number > 0", schema.0);
        let taken: i64 = connection().await.query_one(&sql, &[]).await.unwrap().get(0);
        assert_eq!(usize::try_from(taken).unwrap(), steps(&schema));
        PostgresRegistry::connect(schema.config()).await.unwrap();
    }
}

/// How many steps there are, as the plan tells.
fn steps(schema: &Schema) -> usize {
    PostgresRegistry::plan(&schema.config()).unwrap().matches("-- Step ").count()
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn the_plan_makes_what_migrating_makes() {
    let schema = Schema::new();
    let plan = PostgresRegistry::plan(&schema.config()).unwrap();
    connection().await.batch_execute(&plan).await.unwrap();
    let registry = PostgresRegistry::connect(schema.config()).await.unwrap();
    registry.issue(issue("task_1")).await.unwrap();
    PostgresRegistry::migrate(&schema.config()).await.unwrap();
    assert!(registry.get(&TaskId::new("task_1"), &owner().scope()).await.unwrap().is_some());
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn a_schema_of_other_hands_is_not_served() {
    let schema = Schema::migrated().await;
    let ledger = format!("{}.adcp_migrations", schema.0);
    let client = connection().await;
    let next = u32::try_from(steps(&schema) + 1).unwrap();
    let newer = format!("INSERT INTO {ledger} (number, serves, checksum) VALUES ({next}, {next}, 'x')");
    client.batch_execute(&newer).await.unwrap();
    for refused in [
        PostgresRegistry::connect(schema.config()).await.map(drop),
        PostgresRegistry::migrate(&schema.config()).await,
    ] {
        assert!(matches!(refused, Err(OpenError::Unknown(found)) if found == next), "{refused:?}");
    }
    // The next version only added something, and says so: this one goes on beside it.
    client.batch_execute(&format!("UPDATE {ledger} SET serves = 1 WHERE number = {next}")).await.unwrap();
    PostgresRegistry::connect(schema.config()).await.unwrap();
    client.batch_execute(&format!("UPDATE {ledger} SET checksum = 'x' WHERE number = 1")).await.unwrap();
    let refused = PostgresRegistry::connect(schema.config()).await;
    assert!(matches!(refused, Err(OpenError::Unknown(1))), "{refused:?}");
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn a_schema_that_lost_a_table_is_not_served() {
    let schema = Schema::migrated().await;
    connection().await.batch_execute(&format!("DROP TABLE {}.endpoints", schema.0)).await.unwrap();
    let refused = PostgresRegistry::connect(schema.config()).await;
    assert!(matches!(refused, Err(OpenError::Unknown(_))), "{refused:?}");
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn what_cannot_be_used_is_refused_in_words() {
    let refused = PostgresRegistry::connect(PostgresConfig::new("not an address")).await;
    assert!(matches!(refused, Err(OpenError::BadUrl(Some(_)))), "{refused:?}");
    let refused = PostgresRegistry::connect(PostgresConfig::pooled()).await;
    assert!(matches!(refused, Err(OpenError::BadUrl(None))), "{refused:?}");
    let refused = PostgresRegistry::connect(PostgresConfig::new(url()).with_schema("a; DROP")).await;
    assert!(matches!(refused, Err(OpenError::BadSchema(_))), "{refused:?}");
    let config = PostgresConfig::new(url()).with_root_certificates("no certificate");
    let refused = PostgresRegistry::connect(config).await;
    assert!(matches!(refused, Err(OpenError::BadCertificates(_))), "{refused:?}");
    let nobody = PostgresConfig::new("postgres://adcp@127.0.0.1:1/adcp?sslmode=disable");
    let refused = PostgresRegistry::connect(nobody).await;
    assert!(matches!(refused, Err(OpenError::Unavailable(_))), "{refused:?}");
}
