//! The registry: one schema of a database behind the seam.

use adcp_core::{Ages, Capabilities, FinishTask, Finished, Forget, Forgotten, Registry, RegistryError};
use async_trait::async_trait;
use deadpool_postgres::{Pool, tokio_postgres};

use crate::config::PostgresConfig;
use crate::database::{self, Database};
use crate::error::{Fail, OpenError};
use crate::examine::Examination;
use crate::unit::{Tx, Unit};
use crate::{examine, migrate, retention, row};

/// A registry on PostgreSQL, for any number of processes. What it accepted is on disk before it says so.
#[derive(Debug)]
pub struct PostgresRegistry {
    pub(crate) database: Database,
}

impl PostgresRegistry {
    /// Opens the registry of a database, on a pool of its own. The schema must be there: see [`Self::migrate`].
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the configuration is not usable, the database cannot be asked, or its schema is missing,
    /// older than this version or unknown to it. Nothing was changed then.
    pub async fn connect(config: PostgresConfig) -> Result<Self, OpenError> {
        Self::from_pool(database::pool(&config)?, config).await
    }

    /// Opens a registry on a pool of the adopter's, for [`PostgresConfig::pooled`]. It leaves nothing in a session,
    /// so the pool may be shared and lead through a proxy that hands each transaction to another connection.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`].
    pub async fn from_pool(pool: Pool, config: PostgresConfig) -> Result<Self, OpenError> {
        let schema = config.quoted_schema()?;
        let client = pool.get().await.map_err(OpenError::of_pool)?;
        migrate::inspect(&client, &schema).await?;
        warn_of_weak_durability(&client).await.map_err(OpenError::of)?;
        drop(client);
        Ok(Self { database: Database::new(pool, config)? })
    }

    /// Looks at a database without changing it: its schema, how it is set, and what its rows say.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`]; a schema that is missing, older or unknown is told and no error.
    pub async fn examine(config: &PostgresConfig) -> Result<Examination, OpenError> {
        examine::examine(config).await
    }

    /// Brings the schema to this version's. Doing it again changes nothing, also when several processes do it at once.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`]; a missing or older schema is none.
    pub async fn migrate(config: &PostgresConfig) -> Result<(), OpenError> {
        Self::migrate_pool(&database::pool(config)?, config).await
    }

    /// As [`Self::migrate`], on a pool of the adopter's.
    ///
    /// # Errors
    ///
    /// As [`Self::migrate`].
    pub async fn migrate_pool(pool: &Pool, config: &PostgresConfig) -> Result<(), OpenError> {
        migrate::migrate(pool, &config.quoted_schema()?).await
    }

    /// The statements that make an empty database one that this version serves on, for people who apply them
    /// themselves. A registry then finds the schema as if [`Self::migrate`] had made it.
    ///
    /// # Errors
    ///
    /// [`OpenError::BadSchema`].
    pub fn plan(config: &PostgresConfig) -> Result<String, OpenError> {
        Ok(migrate::plan(&config.quoted_schema()?))
    }

    /// Ends a task as [`finish`](adcp_core::TaskRegistry::finish) does, in a transaction of the adopter's: their own
    /// writes and the end happen together or not at all. Nothing is tried again here.
    ///
    /// The transaction must be in the registry's database. After an error roll it back: a part of the end may
    /// stand in it. What is on disk after its commit is as its own `synchronous_commit` says.
    ///
    /// The outcome is written as it is given: unlike a desk, the registry knows no schemas, so an answer that the tool
    /// could not have given reaches the buyer.
    ///
    /// ```no_run
    /// use adcp_core::{FinishTask, Outcome, TaskRef};
    /// use adcp_registry_postgres::{PostgresConfig, PostgresRegistry};
    /// use deadpool_postgres::Pool;
    ///
    /// /// Books an order and completes its task: both or neither.
    /// async fn book(pool: &Pool, task: &TaskRef, answer: Outcome) -> Result<(), Box<dyn std::error::Error>> {
    ///     // Once, where the program begins.
    ///     let registry = PostgresRegistry::from_pool(pool.clone(), PostgresConfig::pooled()).await?;
    ///
    ///     let mut client = pool.get().await?;
    ///     let transaction = client.transaction().await?;
    ///     transaction.execute("INSERT INTO orders (task) VALUES ($1)", &[&task.id.as_str()]).await?;
    ///     let end = FinishTask::new(task.id.clone(), task.owner.scope(), answer);
    ///     registry.finish_in(&transaction, end).await?;
    ///     transaction.commit().await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As `finish`.
    pub async fn finish_in(
        &self,
        transaction: &tokio_postgres::Transaction<'_>,
        req: FinishTask,
    ) -> Result<Finished, RegistryError> {
        let client = transaction.client();
        let fail = |fail: Fail| fail.of(FinishTask::OP);
        let shared = &self.database.shared;
        let clock =
            client.query_typed(&shared.sql.clock.text, &[]).await.map_err(|error| fail(error.into()))?;
        let row = clock.first().ok_or(RegistryError::Corrupt { what: "clock", source: "no row".into() })?;
        let now = shared.at(row::get(row, "now").map_err(fail)?);
        req.run(&Tx::new(client, shared, now)).await.map_err(fail)
    }
}

#[async_trait]
impl Registry for PostgresRegistry {
    fn capabilities(&self) -> Capabilities {
        Capabilities::shared().keeping_credentials(self.database.shared.config.sealer.has_key())
    }

    async fn forget(&self, req: Forget) -> Result<Forgotten, RegistryError> {
        retention::forget(&self.database, req).await
    }

    async fn ages(&self) -> Result<Ages, RegistryError> {
        self.database.read(&retention::ReadAges).await
    }
}

/// A server that does not write to disk keeps no promise of ours, and cannot be told to from here.
async fn warn_of_weak_durability(client: &tokio_postgres::Client) -> Result<(), tokio_postgres::Error> {
    for name in ["fsync", "full_page_writes"] {
        let sql = format!("SELECT current_setting('{name}', true)");
        let rows = client.query_typed(&sql, &[]).await?;
        if rows.first().and_then(|row| row.get::<_, Option<&str>>(0)) == Some("off") {
            tracing::warn!(setting = name, "the database may lose what it acknowledged: its setting is off");
        }
    }
    Ok(())
}
