//! The registries that the worker is tested over: one in memory, one in a file, one on a server.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::stored::KeyRing;
use adcp_core::{Clock, ManualClock, Registry, SystemClock, Timestamp, hex, random_bytes};
use adcp_registry_memory::MemoryRegistry;
use adcp_registry_postgres::{ClockOffset, PostgresConfig, PostgresRegistry};
use adcp_registry_sqlite::{SqliteConfig, SqliteRegistry};
use deadpool_postgres::tokio_postgres::{self, NoTls};
use tempfile::TempDir;

/// Makes a test over every registry of each of these functions. Those on a server are ignored until asked for:
/// `cargo xtask test` starts one.
macro_rules! on_every_registry {
    ($($test:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::store::Store::Memory).await;
            })+
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::store::Store::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            #[ignore = "needs a Postgres server"]
            async fn $test() {
                super::$test($crate::store::Store::Postgres).await;
            })+
        }
    };
}
pub(crate) use on_every_registry;

/// Which registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Memory,
    Sqlite,
    Postgres,
}

impl Store {
    /// How far the store's clock may be ahead of the test's, which stands while a database's goes on.
    pub(crate) const fn lead(self) -> Duration {
        match self {
            Self::Memory | Self::Sqlite => Duration::ZERO,
            Self::Postgres => Duration::from_secs(20),
        }
    }
}

/// A store of its own for one test, which goes with it.
#[derive(Debug)]
pub(crate) struct Ground {
    clock: Arc<ManualClock>,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    /// All of it is in the one instance.
    Memory(Arc<MemoryRegistry>),
    Sqlite(Arc<TempDir>),
    Postgres(Arc<Schema>),
}

/// Opens more instances, also from within another runtime.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    clock: Arc<ManualClock>,
    place: Place,
}

impl Ground {
    pub(crate) fn in_memory() -> (Self, Arc<dyn Registry>) {
        let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-21T08:00:00Z").unwrap()));
        let registry = MemoryRegistry::volatile().with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
        let registry = Arc::new(registry);
        (Self { clock, place: Place::Memory(Arc::clone(&registry)) }, registry)
    }

    pub(crate) async fn new(store: Store) -> Self {
        let (memory, _) = Self::in_memory();
        match store {
            Store::Memory => memory,
            Store::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                Self { place: Place::Sqlite(Arc::new(folder)), ..memory }
            }
            // Its clock goes on, so that the other one starts at the same time and stays a little behind.
            Store::Postgres => {
                let clock = Arc::new(ManualClock::at(SystemClock::new().now()));
                Self { clock, place: Place::Postgres(Arc::new(Schema::migrated().await)) }
            }
        }
    }

    /// The clock of everything but a database.
    pub(crate) fn clock(&self) -> Arc<ManualClock> {
        Arc::clone(&self.clock)
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        if let Place::Postgres(schema) = &self.place {
            schema.offset.advance(by);
        }
    }

    /// Closes the connections of instances that were [opened for it](Door::open_as_victim).
    pub(crate) async fn cut_off_victims(&self) {
        if let Place::Postgres(schema) = &self.place {
            let victim = schema.victim();
            let sql = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{victim}'"
            );
            beside(&sql).await.unwrap();
        }
    }

    pub(crate) fn door(&self) -> Door {
        Door { clock: Arc::clone(&self.clock), place: self.place.clone() }
    }
}

impl Door {
    /// An instance as another process would open it. The one in memory is always the same.
    pub(crate) async fn open(&self) -> Arc<dyn Registry> {
        self.open_at(None).await
    }

    /// One that is going to end without closing anything.
    pub(crate) async fn open_as_victim(&self) -> Arc<dyn Registry> {
        let Place::Postgres(schema) = &self.place else { return self.open().await };
        let url = url();
        let joint = if url.contains('?') { '&' } else { '?' };
        self.open_at(Some(format!("{url}{joint}application_name={}", schema.victim()))).await
    }

    async fn open_at(&self, server: Option<String>) -> Arc<dyn Registry> {
        let sealer = Arc::new(KeyRing::new("test", [7; 32]).unwrap());
        match &self.place {
            Place::Memory(registry) => Arc::clone(registry) as Arc<dyn Registry>,
            Place::Sqlite(folder) => {
                let config = SqliteConfig::new(folder.path().join("registry.db"));
                let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
                Arc::new(SqliteRegistry::open(config.with_clock(clock).with_sealer(sealer)).unwrap())
            }
            Place::Postgres(schema) => {
                let config = schema.config(server.unwrap_or_else(url)).with_sealer(sealer);
                Arc::new(PostgresRegistry::connect(config).await.unwrap())
            }
        }
    }
}

/// A schema that goes with its test.
#[derive(Debug)]
struct Schema {
    name: String,
    offset: ClockOffset,
}

#[allow(clippy::disallowed_methods, reason = "tests are told of their server by the environment")]
fn url() -> String {
    std::env::var("ADCP_TEST_POSTGRES_URL")
        .expect("ADCP_TEST_POSTGRES_URL names a server that tests may use; `cargo xtask test` starts one")
}

impl Schema {
    async fn migrated() -> Self {
        let name = format!("test_{}", hex(&random_bytes::<8>().unwrap()));
        let schema = Self { name, offset: ClockOffset::new() };
        PostgresRegistry::migrate(&schema.config(url())).await.unwrap();
        schema
    }

    /// How its victims call themselves.
    fn victim(&self) -> String {
        format!("{}_victim", self.name)
    }

    fn config(&self, server: String) -> PostgresConfig {
        PostgresConfig::new(server)
            .with_schema(&self.name)
            .with_pool_size(4)
            .with_clock_offset(self.offset.clone())
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let name = self.name.clone();
        // A runtime does not wait inside another one.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let sql = format!(
                "SET client_min_messages = error; SET lock_timeout = '5s'; DROP SCHEMA IF EXISTS {name} CASCADE"
            );
            let _ = runtime.block_on(beside(&sql));
        });
        let _ = thread.join();
    }
}

/// Does it on a connection beside the registries'.
async fn beside(sql: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(&url(), NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute(sql).await
}
