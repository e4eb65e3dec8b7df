//! A schema of its own for each test, on the server that `ADCP_TEST_POSTGRES_URL` names.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::stored::{SealError, Sealer};
use adcp_core::{AccountId, IssueTask, Owner, Principal, Registry, TaskId, TenantId, hex, random_bytes};
use adcp_registry_postgres::{ClockOffset, PostgresConfig, PostgresRegistry};
use adcp_registry_testkit::Harness;
use deadpool_postgres::tokio_postgres::{self, Client, NoTls};

/// Turns text round: enough to see what is sealed.
#[derive(Debug)]
pub(crate) struct Mirror;

impl Sealer for Mirror {
    fn has_key(&self) -> bool {
        true
    }

    fn seal(&self, plain: &str, bound_to: &str) -> Result<String, SealError> {
        Ok(format!("{bound_to}|{}", plain.chars().rev().collect::<String>()))
    }

    fn open(&self, sealed: &str, bound_to: &str) -> Result<String, SealError> {
        let (bound, text) = sealed.split_once('|').ok_or(SealError::Forged)?;
        if bound == bound_to { Ok(text.chars().rev().collect()) } else { Err(SealError::Forged) }
    }
}

#[allow(clippy::disallowed_methods, reason = "tests are told of their server by the environment")]
pub(crate) fn url() -> String {
    std::env::var("ADCP_TEST_POSTGRES_URL")
        .expect("ADCP_TEST_POSTGRES_URL names a server that tests may use; `cargo xtask test` starts one")
}

/// Where registries find it: the same, or a pooler before it.
#[allow(clippy::disallowed_methods, reason = "tests are told of their server by the environment")]
fn pooled_url() -> String {
    std::env::var("ADCP_TEST_POSTGRES_POOLED_URL").unwrap_or_else(|_| url())
}

/// A connection beside the registry's.
pub(crate) async fn connection() -> Client {
    connect(&url()).await
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A name that no other test uses.
pub(crate) fn name() -> String {
    format!("test_{}", hex(&random_bytes::<8>().unwrap()))
}

/// A schema that goes with its test.
pub(crate) struct Schema(pub(crate) String);

impl Schema {
    /// A name for a schema; nothing is made yet.
    pub(crate) fn new() -> Self {
        Self(name())
    }

    pub(crate) fn config(&self) -> PostgresConfig {
        self.config_at(pooled_url())
    }

    pub(crate) fn config_at(&self, url: String) -> PostgresConfig {
        PostgresConfig::new(url).with_schema(&self.0).with_pool_size(4).with_sealer(Arc::new(Mirror))
    }

    pub(crate) async fn migrated() -> Self {
        let schema = Self::new();
        PostgresRegistry::migrate(&schema.config()).await.unwrap();
        schema
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let sql = format!(
            "SET client_min_messages = error; SET lock_timeout = '5s'; DROP SCHEMA IF EXISTS {} CASCADE",
            self.0
        );
        let dropping = async move { connection().await.batch_execute(&sql).await };
        // A runtime does not wait inside another one.
        let thread = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(dropping)
        });
        let _ = thread.join();
    }
}

/// Two instances on one schema, on pools of their own, whose clocks are moved together.
pub(crate) struct Shared {
    instances: Vec<Arc<PostgresRegistry>>,
    next: std::sync::atomic::AtomicUsize,
    offset: ClockOffset,
    schema: Schema,
}

impl Shared {
    pub(crate) async fn new(configure: impl Fn(PostgresConfig) -> PostgresConfig) -> Self {
        Self::at(&pooled_url(), configure).await
    }

    /// On the server behind this address, which may be a proxy's.
    pub(crate) async fn at(url: &str, configure: impl Fn(PostgresConfig) -> PostgresConfig) -> Self {
        let schema = Schema::migrated().await;
        let offset = ClockOffset::new();
        let mut instances = Vec::new();
        for _ in 0..2 {
            let config = configure(schema.config_at(url.to_owned())).with_clock_offset(offset.clone());
            instances.push(Arc::new(PostgresRegistry::connect(config).await.unwrap()));
        }
        Self { instances, next: std::sync::atomic::AtomicUsize::new(0), offset, schema }
    }
}

#[async_trait::async_trait]
impl Harness for Shared {
    fn registry(&self) -> Arc<dyn Registry> {
        let turn = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let instance = &self.instances[turn % self.instances.len()];
        Arc::clone(instance) as Arc<dyn Registry>
    }

    async fn advance(&self, by: Duration) {
        self.offset.advance(by);
    }

    /// By triggers that the database fires at the commit.
    async fn fail_commits(&self, fail: bool) -> bool {
        let schema = &self.schema.0;
        let mut sql = format!(
            "CREATE OR REPLACE FUNCTION {schema}.fault() RETURNS trigger LANGUAGE plpgsql \
             AS $$ BEGIN RAISE EXCEPTION 'a fault of the test'; END $$;"
        );
        for table in ["tasks", "calls", "proposals", "events"] {
            sql.push_str(&if fail {
                format!(
                    "CREATE CONSTRAINT TRIGGER fault AFTER INSERT OR UPDATE ON {schema}.{table} \
                     DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {schema}.fault();"
                )
            } else {
                format!("DROP TRIGGER fault ON {schema}.{table};")
            });
        }
        connection().await.batch_execute(&sql).await.unwrap();
        true
    }
}

pub(crate) fn owner() -> Owner {
    Owner::new(TenantId::single(), Some(AccountId::new("acme")), Principal::new("agency"))
}

pub(crate) fn issue(id: &str) -> IssueTask {
    IssueTask::new(TaskId::new(id), owner(), "create_media_buy", "create_media_buy", "media-buy")
}
