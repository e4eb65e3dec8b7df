//! The registry: one file behind the seam.

use std::sync::Arc;

use adcp_core::stored::Sealer;
use adcp_core::{Ages, Capabilities, Forget, Forgotten, Registry, RegistryError, Signal, Timestamp};
use async_trait::async_trait;

use crate::config::SqliteConfig;
use crate::database::Database;
use crate::error::OpenError;
use crate::examine::{self, Examination};
use crate::retention;

/// A registry in one SQLite file. What it accepted is on disk before it says so.
#[derive(Debug)]
pub struct SqliteRegistry {
    pub(crate) database: Database,
    pub(crate) config: SqliteConfig,
    /// Rung after events were queued.
    pub(crate) signal: Signal,
}

impl SqliteRegistry {
    /// Opens the file. A file that is not there or empty is set up; an older one must be migrated first.
    ///
    /// Blocks for some milliseconds: call it before the runtime has work to do, or on a blocking thread.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the file is damaged, unknown, older than this version, or cannot be opened. Nothing was
    /// changed then.
    pub fn open(config: SqliteConfig) -> Result<Self, OpenError> {
        Ok(Self { database: Database::open(&config)?, config, signal: Signal::new() })
    }

    /// Brings the file to the schema of this version. Doing it again changes nothing.
    ///
    /// # Errors
    ///
    /// As [`Self::open`]; an older schema is none.
    pub fn migrate(config: &SqliteConfig) -> Result<(), OpenError> {
        Database::migrate(config)
    }

    /// The schema of this version, for people who apply it themselves.
    #[must_use]
    pub fn plan() -> String {
        crate::migrate::STEPS.iter().map(|(number, text)| format!("-- Step {number}\n{text}\n")).collect()
    }

    /// Looks at the file and changes nothing: not its schema, not a row, and it makes no file.
    ///
    /// Blocks while it reads the whole file.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when there is no file, it cannot be opened, or it is no SQLite database.
    pub fn examine(config: &SqliteConfig) -> Result<Examination, OpenError> {
        examine::examine(config)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.config.clock.now()
    }

    /// Tells whoever sends events that some were queued.
    pub(crate) fn tell(&self, queued: bool) {
        if queued {
            self.signal.ring();
        }
    }

    pub(crate) fn sealer(&self) -> Arc<dyn Sealer> {
        Arc::clone(&self.config.sealer)
    }
}

#[async_trait]
impl Registry for SqliteRegistry {
    fn capabilities(&self) -> Capabilities {
        Capabilities::durable().keeping_credentials(self.config.sealer.has_key())
    }

    async fn forget(&self, req: Forget) -> Result<Forgotten, RegistryError> {
        retention::forget(self, req).await
    }

    async fn ages(&self) -> Result<Ages, RegistryError> {
        let now = self.now();
        self.database.read("ages", move |tx| retention::ages(tx, now)).await
    }
}
