//! The schema of the file: numbered steps, each taken once, each remembered with its checksum.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use sha2::{Digest, Sha256};

/// The steps, in order. A released step is never edited.
pub(crate) const STEPS: [(u32, &str); 7] = [
    (1, include_str!("../migrations/0001_first.sql")),
    (2, include_str!("../migrations/0002_lists.sql")),
    (3, include_str!("../migrations/0003_jobs.sql")),
    (4, include_str!("../migrations/0004_deliveries.sql")),
    (5, include_str!("../migrations/0005_ages.sql")),
    (6, include_str!("../migrations/0006_bodies.sql")),
    (7, include_str!("../migrations/0007_documents.sql")),
];

/// The schema this version works with.
pub(crate) const NEEDED: u32 = STEPS[STEPS.len() - 1].0;

/// What the schema of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing is in the file.
    Empty,
    /// The one this version works with.
    Current,
    Older(u32),
    /// A number or a checksum that this version does not know.
    Unknown(u32),
}

const LEDGER: &str = "CREATE TABLE IF NOT EXISTS adcp_migrations (
    number INTEGER PRIMARY KEY, checksum TEXT NOT NULL
) STRICT";

pub(crate) fn inspect(connection: &Connection) -> rusqlite::Result<Found> {
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(Found::Empty);
    }
    let known: Option<i64> = connection
        .query_row(
            "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'adcp_migrations'",
            [],
            |row| row.get(0),
        )
        .optional()?;
    if known.is_none() {
        return Ok(Found::Unknown(0));
    }
    let mut statement = connection.prepare("SELECT number, checksum FROM adcp_migrations ORDER BY number")?;
    let taken: Vec<(u32, String)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (at, (number, sum)) in taken.iter().enumerate() {
        let same = STEPS.get(at).is_some_and(|(known, text)| known == number && checksum(text) == *sum);
        if !same {
            return Ok(Found::Unknown(*number));
        }
    }
    match taken.last() {
        Some((number, _)) if *number == NEEDED => {
            Ok(if is_whole(connection)? { Found::Current } else { Found::Unknown(*number) })
        }
        Some((number, _)) => Ok(Found::Older(*number)),
        None => Ok(Found::Older(0)),
    }
}

/// Whether every table and index is there that the steps make: a file can lose some to other hands.
fn is_whole(connection: &Connection) -> rusqlite::Result<bool> {
    let mut fresh = Connection::open_in_memory()?;
    migrate(&mut fresh)?;
    let (there, wanted) = (names(connection)?, names(&fresh)?);
    Ok(wanted.is_subset(&there))
}

fn names(connection: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    let mut statement =
        connection.prepare("SELECT name FROM sqlite_schema WHERE type IN ('table', 'index')")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// Takes the steps that are missing, all in one transaction. Two processes that start at once take them once.
pub(crate) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(LEDGER)?;
    for (number, text) in STEPS {
        let taken: Option<i64> = transaction
            .query_row("SELECT 1 FROM adcp_migrations WHERE number = ?1", [number], |row| row.get(0))
            .optional()?;
        if taken.is_none() {
            transaction.execute_batch(text)?;
            transaction.execute(
                "INSERT INTO adcp_migrations (number, checksum) VALUES (?1, ?2)",
                (number, checksum(text)),
            )?;
        }
    }
    transaction.commit()
}

fn checksum(text: &str) -> String {
    adcp_core::hex(&Sha256::digest(text.as_bytes()))
}
