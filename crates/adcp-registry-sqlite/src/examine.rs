//! A look at a file that changes nothing, for people who ask what is wrong.

use adcp_core::Timestamp;
use adcp_core::stored::Sealer;
use rusqlite::Connection;

use crate::config::SqliteConfig;
use crate::database::{connect, plain, unopened};
use crate::error::{Fail, OpenError};
use crate::migrate::{self, Found};
use crate::row;

/// Faults of the file that are reported, and rows whose credentials are tried.
const MOST: u32 = 100;

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Examination {
    /// Its schema.
    pub schema: Schema,
    /// Pages that do not hold what they should, in SQLite's words; empty for a sound file.
    pub faults: Vec<String>,
    /// What SQLite calls the `journal_mode` of the file: `wal` when it is as this registry leaves it.
    pub journal_mode: String,
    /// What the rows say, for a file of the current schema.
    pub rows: Option<Rows>,
}

/// What the schema of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "each case is told to a person in words of its own")]
pub enum Schema {
    /// Nothing is in the file.
    Empty,
    /// The one that this version works with, by number.
    Current(u32),
    /// An older one: it has to be migrated.
    Outdated {
        /// What the file has.
        found: u32,
        /// What is needed.
        needed: u32,
    },
    /// One of a newer version, or of other hands; 0 when it never was a registry.
    Unknown(u32),
}

/// What the rows of a file say.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rows {
    /// What SQLite calls `synchronous`, on a connection of this registry: 2 is `FULL`.
    pub synchronous: i64,
    /// Tasks that have not ended.
    pub open: u64,
    /// Those of them whose time is over.
    pub overdue: u64,
    /// Idempotency keys that were fenced: nobody knows how their calls ended.
    pub fenced: u64,
    /// Events that are still to be delivered.
    pub events: u64,
    /// When the newest row was written, by the clock of the writer.
    pub newest: Option<Timestamp>,
    /// Bytes that wait in the file beside the file, the `-wal`, to be moved into it.
    pub waiting: u64,
    /// Whether credentials are kept.
    pub sealed: bool,
    /// Whether some are kept that the sealer at hand cannot open.
    pub unopened: bool,
}

pub(crate) fn examine(config: &SqliteConfig) -> Result<Examination, OpenError> {
    let waiting = waiting(config);
    let looked = || -> rusqlite::Result<(Found, Vec<String>, String)> {
        let connection = plain(config)?;
        let found = migrate::inspect(&connection)?;
        let journal_mode = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        Ok((found, faults(&connection)?, journal_mode))
    };
    let (found, faults, journal_mode) = looked().map_err(|error| unopened(config, error))?;
    let schema = match found {
        Found::Empty => Schema::Empty,
        Found::Current => Schema::Current(migrate::NEEDED),
        Found::Older(found) => Schema::Outdated { found, needed: migrate::NEEDED },
        Found::Unknown(found) => Schema::Unknown(found),
    };
    let rows = match found {
        Found::Current if faults.is_empty() => {
            Some(rows(&connect(config)?, config, waiting).map_err(|error| unopened(config, error))?)
        }
        _ => None,
    };
    Ok(Examination { schema, faults, journal_mode, rows })
}

fn faults(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA quick_check({MOST})"))?;
    let found: rusqlite::Result<Vec<String>> = statement.query_map([], |row| row.get(0))?.collect();
    Ok(found?.into_iter().filter(|words| words != "ok").collect())
}

/// What waits beside the file. Looked at before a connection of ours, at its end, moves it into the file.
fn waiting(config: &SqliteConfig) -> u64 {
    let mut beside = config.path.clone().into_os_string();
    beside.push("-wal");
    std::fs::metadata(beside).map_or(0, |found| found.len())
}

fn rows(connection: &Connection, config: &SqliteConfig, waiting: u64) -> rusqlite::Result<Rows> {
    let now = config.clock.now().as_micros();
    let count = |sql: &str| -> rusqlite::Result<u64> {
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
    };
    let newest: Option<i64> = connection.query_row(
        "SELECT max(at) FROM (SELECT max(updated_at) AS at FROM tasks UNION ALL SELECT max(claimed_at) FROM calls)",
        [],
        |row| row.get(0),
    )?;
    let (sealed, unopened) = credentials(connection, &*config.sealer)?;
    Ok(Rows {
        synchronous: connection.pragma_query_value(None, "synchronous", |row| row.get(0))?,
        open: count("SELECT count(*) FROM tasks WHERE ended_at IS NULL")?,
        overdue: connection
            .query_row("SELECT count(*) FROM tasks WHERE due_at <= ?1", [now], |row| row.get::<_, i64>(0))?
            .unsigned_abs(),
        fenced: count("SELECT count(*) FROM calls WHERE state = 'fenced'")?,
        events: count("SELECT count(*) FROM events WHERE due_at IS NOT NULL")?,
        newest: newest.map(Timestamp::from_micros),
        waiting,
        sealed,
        unopened,
    })
}

/// Whether credentials are kept, and whether some of the newest were not opened.
fn credentials(connection: &Connection, sealer: &dyn Sealer) -> rusqlite::Result<(bool, bool)> {
    let (mut sealed, mut unopened) = (false, false);
    let mut statement = connection.prepare(&format!(
        "SELECT * FROM tasks WHERE has_webhook = 1 ORDER BY created_at DESC LIMIT {MOST}"
    ))?;
    let mut tasks = statement.query([])?;
    while let Some(found) = tasks.next()? {
        let Ok(task) = row::shown_task(found, sealer) else { continue };
        let Some(to) = task.effects.notify else { continue };
        sealed |= to.unopened || to.token.is_some() || to.authentication.is_some();
        unopened |= to.unopened;
    }
    let mut statement =
        connection.prepare(&format!("SELECT * FROM events ORDER BY number DESC LIMIT {MOST}"))?;
    let mut events = statement.query([])?;
    while let Some(found) = events.next()? {
        match row::event(found, sealer) {
            Ok(event) => sealed |= event.authentication.is_some(),
            Err(Fail::Seal(_)) => (sealed, unopened) = (true, true),
            Err(_) => {}
        }
    }
    Ok((sealed, unopened))
}
