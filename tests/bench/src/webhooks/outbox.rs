//! The outboxes that are measured, each behind the same trait.

use std::sync::Arc;

use adcp_core::Registry;
use adcp_registry_memory::{MemoryLimits, MemoryRegistry};
use adcp_registry_postgres::{PostgresConfig, PostgresRegistry};
use adcp_registry_sqlite::{SqliteConfig, SqliteRegistry};
use anyhow::Context;
use deadpool_postgres::tokio_postgres::{Client, NoTls, connect};
use tempfile::TempDir;

use crate::registry::{outbox, postgres, sqlite};

const SCHEMA: &str = "adcp_bench_webhooks";
const CONNECTIONS: usize = 16;
const FILE: &str = "registry.db";

/// An outbox with nothing in it.
pub(super) struct Outbox {
    pub(super) registry: Arc<dyn Registry>,
    store: Store,
}

/// Where it is kept.
enum Store {
    Memory,
    Sqlite(TempDir),
    Postgres(Client),
}

impl Outbox {
    /// Forgets what was in it, and queues so many events for 100 endpoints.
    pub(super) async fn queue(&mut self, rows: u32) -> anyhow::Result<()> {
        match &self.store {
            Store::Memory => {
                self.registry = memory();
                for _ in 0..rows as usize / outbox::ENDPOINTS {
                    outbox::seed(&*self.registry).await?;
                }
                Ok(())
            }
            Store::Sqlite(folder) => sqlite::queue(&folder.path().join(FILE), &*self.registry, rows).await,
            Store::Postgres(client) => postgres::queue(client, SCHEMA, &*self.registry, rows).await,
        }
    }
}

fn memory() -> Arc<dyn Registry> {
    let limits = MemoryLimits::new().with_max_tasks(10_000_000);
    Arc::new(MemoryRegistry::volatile().with_limits(limits))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Memory,
    Sqlite,
    Postgres,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Memory, Self::Sqlite, Self::Postgres];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// What deliveries should reach at least, as a part of the floor.
    pub(super) const fn goal(self) -> Option<f64> {
        match self {
            Self::Memory => Some(0.7),
            Self::Sqlite => None,
            Self::Postgres => Some(0.5),
        }
    }

    /// A new one; none when no server is named.
    pub(super) async fn open(self) -> anyhow::Result<Option<Outbox>> {
        Ok(match self {
            Self::Memory => Some(Outbox { registry: memory(), store: Store::Memory }),
            Self::Sqlite => {
                let folder = tempfile::tempdir()?;
                let registry = SqliteRegistry::open(SqliteConfig::new(folder.path().join(FILE)))?;
                Some(Outbox { registry: Arc::new(registry), store: Store::Sqlite(folder) })
            }
            Self::Postgres => {
                let Ok(url) = std::env::var("ADCP_TEST_POSTGRES_URL") else {
                    println!("postgres: not measured, no server is named");
                    return Ok(None);
                };
                let (client, connection) =
                    connect(&url, NoTls).await.context("the server cannot be reached")?;
                tokio::spawn(connection);
                client.batch_execute(&format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")).await?;
                let config = PostgresConfig::new(url).with_schema(SCHEMA).with_pool_size(CONNECTIONS);
                PostgresRegistry::migrate(&config).await?;
                let registry = Arc::new(PostgresRegistry::connect(config).await?);
                Some(Outbox { registry, store: Store::Postgres(client) })
            }
        })
    }
}
