//! The registry: one file behind the seam.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::stored::Sealer;
use adcp_core::{Capabilities, Registry, RegistryError, Signal, Timestamp};

use crate::config::SqliteConfig;
use crate::database::Database;
use crate::error::OpenError;
use crate::examine::{self, Examination};
use crate::{calls, proposals, tasks};

/// A registry in one SQLite file. What it accepted is on disk before it says so.
#[derive(Debug)]
pub struct SqliteRegistry {
    pub(crate) database: Database,
    pub(crate) config: SqliteConfig,
    /// Rung after events were queued.
    pub(crate) signal: Signal,
}

/// What one round of forgetting removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forgotten {
    /// Ended tasks past their retention, with their events.
    pub tasks: usize,
    /// Idempotency keys whose time is over twice.
    pub calls: usize,
    /// Proposals that nobody can buy or change any more.
    pub proposals: usize,
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

    /// Forgets what its retention allows, at most `limit` rows of each table. Call it every minute or so, or let
    /// [`Retention`](crate::Retention) do it.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unavailable`] when the file could not be written.
    pub async fn forget(&self, limit: u32) -> Result<Forgotten, RegistryError> {
        let (now, retention, limit) = (self.now(), self.config.task_retention, i64::from(limit));
        self.database
            .write("forget", move |tx| {
                Ok(Forgotten {
                    tasks: tasks::forget(tx, now, retention, limit)?,
                    calls: calls::forget(tx, now, limit)?,
                    proposals: proposals::forget(tx, now, limit)?,
                })
            })
            .await
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

impl Registry for SqliteRegistry {
    fn capabilities(&self) -> Capabilities {
        Capabilities::durable().keeping_credentials(self.config.sealer.has_key())
    }
}

/// Retention as an instant before which what ended may go.
pub(crate) fn horizon(now: Timestamp, retention: Duration) -> i64 {
    now.before(retention).as_micros()
}
