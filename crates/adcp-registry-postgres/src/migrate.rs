//! The schema of the database: numbered steps, each taken once, each remembered with its checksum.
//!
//! Replicas of two versions run side by side, so a step that adds (expand) says that the version before it may go on
//! serving, and a step that takes away (contract) follows a version later and says that it may not.

use std::time::Duration;

use deadpool_postgres::Pool;
use deadpool_postgres::tokio_postgres::error::SqlState;
use deadpool_postgres::tokio_postgres::types::Type;
use deadpool_postgres::tokio_postgres::{Client, Error};
use sha2::{Digest, Sha256};

use crate::error::OpenError;

/// One step. A released one is never edited.
pub(crate) struct Step {
    number: u32,
    /// The oldest schema whose version still serves once this step is taken.
    serves: u32,
    text: &'static str,
}

/// The steps, in order.
const STEPS: [Step; 7] = [
    Step { number: 1, serves: 1, text: include_str!("../migrations/0001_first.sql") },
    Step { number: 2, serves: 1, text: include_str!("../migrations/0002_lists.sql") },
    Step { number: 3, serves: 1, text: include_str!("../migrations/0003_jobs.sql") },
    Step { number: 4, serves: 1, text: include_str!("../migrations/0004_ages.sql") },
    Step { number: 5, serves: 1, text: include_str!("../migrations/0005_deliveries.sql") },
    Step { number: 6, serves: 1, text: include_str!("../migrations/0006_bodies.sql") },
    Step { number: 7, serves: 1, text: include_str!("../migrations/0007_documents.sql") },
];

/// Tries at what two processes may both find missing and make.
const TRIES: usize = 5;

/// Tries at a step whose table somebody holds, such as a long report or a backup: for some two minutes.
const GIVE_UP_AFTER: usize = 80;

/// The pause between them, in which those who queued behind the step get their turn.
const PAUSE: Duration = Duration::from_millis(500);

/// Where it stands which steps were taken. Row 0 is no step: who locks it migrates.
const LEDGER: &str = "CREATE TABLE IF NOT EXISTS {schema}.adcp_migrations (
    number   BIGINT PRIMARY KEY,
    serves   BIGINT NOT NULL,
    checksum TEXT COLLATE \"C\" NOT NULL
)";
const LOCK_ROW: &str = "INSERT INTO {schema}.adcp_migrations (number, serves, checksum) VALUES (0, 0, '') ON CONFLICT (number) DO NOTHING";
const LOCK: &str = "SELECT number FROM {schema}.adcp_migrations WHERE number = 0 FOR UPDATE";

/// The schema of this version.
pub(crate) fn needed() -> u32 {
    STEPS.last().map_or(0, |step| step.number)
}

/// Whether this version may serve on what is there.
pub(crate) async fn inspect(client: &Client, schema: &str) -> Result<(), OpenError> {
    let taken = taken(client, schema).await.map_err(OpenError::of)?;
    check(&STEPS, &taken)?;
    if is_whole(client, schema).await.map_err(OpenError::of)? {
        Ok(())
    } else {
        Err(OpenError::Unknown(needed()))
    }
}

/// Whether every table is there that the steps make: a schema can lose some to other hands.
async fn is_whole(client: &Client, schema: &str) -> Result<bool, Error> {
    let made = |step: &'static Step| step.text.split("CREATE TABLE {schema}.").skip(1);
    let name = |text: &str| text.split([' ', '(']).next().unwrap_or_default().to_owned();
    let tables: Vec<String> =
        STEPS.iter().flat_map(made).map(|text| format!("{schema}.{}", name(text))).collect();
    let sql = "SELECT count(*) FROM unnest($1) AS name WHERE to_regclass(name) IS NULL";
    let rows = client.query_typed(sql, &[(&tables, Type::TEXT_ARRAY)]).await?;
    Ok(rows.first().is_some_and(|row| row.get::<_, i64>(0) == 0))
}

/// A step as the database remembers it.
struct Taken {
    number: u32,
    serves: u32,
    checksum: String,
}

fn check(steps: &[Step], taken: &[Taken]) -> Result<(), OpenError> {
    let needed = steps.last().map_or(0, |step| step.number);
    for (at, found) in taken.iter().enumerate() {
        let fits = match steps.get(at) {
            Some(step) => step.number == found.number && checksum(step.text) == found.checksum,
            // A newer version's step, that leaves this one be.
            None => found.serves <= needed,
        };
        if !fits {
            return Err(OpenError::Unknown(found.number));
        }
    }
    let found = taken.last().map_or(0, |last| last.number);
    if found < needed { Err(OpenError::Outdated { found, needed }) } else { Ok(()) }
}

async fn taken(client: &Client, schema: &str) -> Result<Vec<Taken>, Error> {
    let ledger = format!("{schema}.adcp_migrations");
    let there = client.query_typed("SELECT to_regclass($1) IS NOT NULL", &[(&ledger, Type::TEXT)]).await?;
    if !there.first().is_some_and(|row| row.get(0)) {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT number, serves, checksum FROM {ledger} WHERE number > 0 ORDER BY number");
    let small = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    let rows = client.query_typed(&sql, &[]).await?;
    let read = |row: &deadpool_postgres::tokio_postgres::Row| {
        Ok(Taken {
            number: small(row.try_get(0)?),
            serves: small(row.try_get(1)?),
            checksum: row.try_get(2)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Takes the steps that are missing. Processes that start at once take each of them once.
pub(crate) async fn migrate(pool: &Pool, schema: &str) -> Result<(), OpenError> {
    let client = pool.get().await.map_err(OpenError::of_pool)?;
    match inspect(&client, schema).await {
        Err(OpenError::Outdated { .. }) => {}
        other => return other,
    }
    prepare(&client, schema).await.map_err(OpenError::of)?;
    for step in &STEPS {
        take_patiently(&client, schema, step).await.map_err(OpenError::of)?;
    }
    inspect(&client, schema).await
}

/// Takes a step, again and again while others hold what it locks.
async fn take_patiently(client: &Client, schema: &str, step: &Step) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        tries += 1;
        let Err(error) = take(client, schema, step).await else { return Ok(()) };
        // Whatever is left of the transaction must not stay in a connection that others use.
        let _ = client.batch_execute("ROLLBACK").await;
        if tries == GIVE_UP_AFTER || !is_held_up(&error) {
            return Err(error);
        }
        tracing::info!(step = step.number, tries, "others hold what a step of the schema locks; tried again");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Makes the schema and the ledger. What another process makes at the same moment is there at the next try.
async fn prepare(client: &Client, schema: &str) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        tries += 1;
        match make(client, schema).await {
            Err(error) if tries < TRIES && is_there_already(&error) => {}
            done => return done,
        }
    }
}

async fn make(client: &Client, schema: &str) -> Result<(), Error> {
    let name = schema.trim_matches('"');
    let known = client
        .query_typed(
            "SELECT 1 FROM information_schema.schemata WHERE schema_name = $1",
            &[(&name, Type::TEXT)],
        )
        .await?;
    // Asked first: a role that may not make schemas can still use one that was made for it.
    if known.is_empty() {
        client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {schema}")).await?;
    }
    client.batch_execute(&LEDGER.replace("{schema}", schema)).await?;
    client.batch_execute(&LOCK_ROW.replace("{schema}", schema)).await
}

fn is_there_already(error: &Error) -> bool {
    let raced = [
        &SqlState::UNIQUE_VIOLATION,
        &SqlState::DUPLICATE_SCHEMA,
        &SqlState::DUPLICATE_TABLE,
        &SqlState::DUPLICATE_OBJECT,
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::T_R_DEADLOCK_DETECTED,
    ];
    error.code().is_some_and(|code| raced.contains(&code))
}

/// Others hold a lock, and would have been held up by waiting longer.
fn is_held_up(error: &Error) -> bool {
    let held_up = [&SqlState::LOCK_NOT_AVAILABLE, &SqlState::T_R_DEADLOCK_DETECTED];
    error.code().is_some_and(|code| held_up.contains(&code))
}

/// Takes one step unless it was taken, in a transaction of its own.
async fn take(client: &Client, schema: &str, step: &Step) -> Result<(), Error> {
    client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
    client.batch_execute(&LOCK.replace("{schema}", schema)).await?;
    // Everybody who comes after us waits behind us, and gives up long after we do.
    client.batch_execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '1s'").await?;
    if !taken(client, schema).await?.iter().any(|known| known.number == step.number) {
        client.batch_execute(&step.sql(schema)).await?;
    }
    client.batch_execute("COMMIT").await
}

impl Step {
    /// What it does, and the note that it was done.
    fn sql(&self, schema: &str) -> String {
        format!(
            "{}\nINSERT INTO {schema}.adcp_migrations (number, serves, checksum) VALUES ({}, {}, '{}');\n",
            self.text.replace("{schema}", schema),
            self.number,
            self.serves,
            checksum(self.text)
        )
    }
}

/// Everything that makes an empty database one that this version serves on.
pub(crate) fn plan(schema: &str) -> String {
    let mut plan = format!("CREATE SCHEMA IF NOT EXISTS {schema};\n");
    for text in [LEDGER, LOCK_ROW] {
        plan.push_str(&text.replace("{schema}", schema));
        plan.push_str(";\n");
    }
    for step in &STEPS {
        plan.push_str(&format!("\n-- Step {}\n{}", step.number, step.sql(schema)));
    }
    plan
}

fn checksum(text: &str) -> String {
    adcp_core::hex(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: u32, serves: u32) -> Step {
        Step { number, serves, text: "SELECT 1" }
    }

    fn taken(number: u32, serves: u32) -> Taken {
        Taken { number, serves, checksum: checksum("SELECT 1") }
    }

    #[test]
    fn a_version_serves_beside_the_next_one_but_not_past_a_contraction() {
        let known = [step(1, 1), step(2, 1)];
        let expanded = [taken(1, 1), taken(2, 1), taken(3, 2)];
        assert!(check(&known, &expanded).is_ok());
        let contracted = [taken(1, 1), taken(2, 1), taken(3, 2), taken(4, 3)];
        assert!(matches!(check(&known, &contracted), Err(OpenError::Unknown(4))));
    }

    #[test]
    fn what_is_missing_or_different_is_not_served() {
        let known = [step(1, 1), step(2, 1)];
        assert!(matches!(check(&known, &[]), Err(OpenError::Outdated { found: 0, needed: 2 })));
        assert!(matches!(check(&known, &[taken(1, 1)]), Err(OpenError::Outdated { found: 1, needed: 2 })));
        let mut edited = taken(1, 1);
        edited.checksum = checksum("SELECT 2");
        assert!(matches!(check(&known, &[edited, taken(2, 1)]), Err(OpenError::Unknown(1))));
        assert!(matches!(check(&known, &[taken(2, 1)]), Err(OpenError::Unknown(2))));
    }

    #[test]
    fn the_steps_are_numbered_from_one() {
        let mut serves = 1;
        for (at, step) in STEPS.iter().enumerate() {
            assert_eq!(step.number as usize, at + 1);
            // What adds keeps what served before, several steps back; what takes away does not bring it back.
            assert!((serves..=step.number).contains(&step.serves));
            serves = step.serves;
        }
    }
}
