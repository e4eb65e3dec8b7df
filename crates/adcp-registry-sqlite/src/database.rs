//! The connections: one that writes, a few that read beside it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use adcp_core::{RegistryError, fault};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use tokio::sync::Semaphore;

use crate::config::SqliteConfig;
use crate::error::{Fail, OpenError};
use crate::migrate::{self, Found};

/// The open file.
#[derive(Debug)]
pub(crate) struct Database {
    writer: Arc<Mutex<Connection>>,
    readers: Arc<Mutex<Vec<Connection>>>,
    /// As many permits as there are readers, so that a reader that was waited for is there.
    free: Arc<Semaphore>,
}

impl Database {
    pub(crate) fn open(config: &SqliteConfig) -> Result<Self, OpenError> {
        make_private(config)?;
        let found = found(config)?;
        if let Found::Older(found) = found {
            return Err(OpenError::Outdated { found, needed: migrate::NEEDED });
        }
        let mut writer = connect(config)?;
        if found == Found::Empty {
            migrate::migrate(&mut writer).map_err(|error| unopened(config, error))?;
        }
        let readers = (0..config.readers.max(1)).map(|_| connect(config)).collect::<Result<Vec<_>, _>>()?;
        let free = Arc::new(Semaphore::new(readers.len()));
        Ok(Self { writer: Arc::new(Mutex::new(writer)), readers: Arc::new(Mutex::new(readers)), free })
    }

    /// Takes the steps that an older file lacks.
    pub(crate) fn migrate(config: &SqliteConfig) -> Result<(), OpenError> {
        make_private(config)?;
        found(config)?;
        let mut writer = connect(config)?;
        patiently(config, || migrate::migrate(&mut writer)).map_err(|error| unopened(config, error))
    }

    /// Does `work` in one transaction, on disk when this returns. An error leaves nothing behind.
    ///
    /// The work is finished also when the returned future is dropped.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        op: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fail> + Send + 'static,
    ) -> Result<T, RegistryError> {
        let writer = Arc::clone(&self.writer);
        run(op, move || {
            let mut connection = writer.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            fault::point("before-commit");
            transaction.commit()?;
            fault::point("after-commit");
            Ok(done)
        })
        .await
    }

    /// Does `work` on one snapshot of the file.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        op: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fail> + Send + 'static,
    ) -> Result<T, RegistryError> {
        let permit = Arc::clone(&self.free)
            .acquire_owned()
            .await
            .map_err(|source| RegistryError::Unavailable { op, source: Box::new(source) })?;
        let readers = Arc::clone(&self.readers);
        run(op, move || {
            let taken = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = taken.expect("a permit stands for a connection");
            let done = snapshot(&mut connection, work);
            readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            drop(permit);
            done
        })
        .await
    }
}

fn snapshot<T>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Fail>,
) -> Result<T, Fail> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
    work(&transaction)
}

async fn run<T: Send + 'static>(
    op: &'static str,
    work: impl FnOnce() -> Result<T, Fail> + Send + 'static,
) -> Result<T, RegistryError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|fail| fail.of(op)),
        Err(source) => Err(RegistryError::Unavailable { op, source: Box::new(source) }),
    }
}

/// A new file is readable by its owner only, before anything is in it.
fn make_private(config: &SqliteConfig) -> Result<(), OpenError> {
    let unopened =
        |source: std::io::Error| OpenError::Unopened { path: config.path.clone(), source: Box::new(source) };
    // Opening a pipe would wait for somebody at its other end.
    if std::fs::metadata(&config.path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        return Err(unopened(std::io::Error::other("it is neither a file nor a folder")));
    }
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&config.path).map(drop).map_err(unopened)
}

/// What the file holds, before anything in it is changed: a file of somebody else's stays as it is.
fn found(config: &SqliteConfig) -> Result<Found, OpenError> {
    let looking = || migrate::inspect(&plain(config)?);
    match patiently(config, looking).map_err(|error| unopened(config, error))? {
        Found::Unknown(found) => Err(OpenError::Unknown(found)),
        found => Ok(found),
    }
}

/// A connection that has changed nothing about the file.
pub(crate) fn plain(config: &SqliteConfig) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&config.path, flags)?;
    connection.busy_timeout(config.busy_timeout)?;
    Ok(connection)
}

pub(crate) fn connect(config: &SqliteConfig) -> Result<Connection, OpenError> {
    patiently(config, || configured(config)).map_err(|error| unopened(config, error))
}

fn configured(config: &SqliteConfig) -> rusqlite::Result<Connection> {
    let connection = plain(config)?;
    // A committed transaction is on disk: the promise that no accepted task is lost rests on these two.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// Tries again while others hold the file. Turning a new file to WAL does not wait by itself as statements do, so two
/// processes that start at once would see each other as an error.
fn patiently<T>(config: &SqliteConfig, mut work: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let begun = Instant::now();
    loop {
        match work() {
            Err(error) if is_busy(&error) && begun.elapsed() < config.busy_timeout => {
                // A transaction does wait: when it can begin, whoever was in the way is done.
                match plain(config)?.execute_batch("BEGIN EXCLUSIVE; ROLLBACK") {
                    Err(error) if !is_busy(&error) => return Err(error),
                    _ => {}
                }
            }
            done => return done,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
    )
}

pub(crate) fn unopened(config: &SqliteConfig, error: rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            OpenError::Damaged(config.path.clone())
        }
        _ => OpenError::Unopened { path: config.path.clone(), source: Box::new(error) },
    }
}
