//! A look at a database that changes nothing, for people who ask what is wrong.

use std::time::{Duration, Instant};

use adcp_core::stored::Sealer;
use adcp_core::{Clock, RegistryError, SystemClock, Timestamp};
use deadpool_postgres::Pool;
use deadpool_postgres::tokio_postgres::types::{ToSql, Type};
use deadpool_postgres::tokio_postgres::{Client, Row};

use crate::config::PostgresConfig;
use crate::database::{self, Database};
use crate::error::{Fail, OpenError};
use crate::unit::{Tx, Unit};
use crate::{migrate, row};

/// Rows whose credentials are tried.
const MOST: u32 = 100;

/// How long counting rows may take.
const COUNTING: Duration = Duration::from_secs(120);

/// What was found in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Examination {
    /// Its schema.
    pub schema: Schema,
    /// The server, and how it is set for this role.
    pub server: Server,
    /// How transactions of the registry run there; `None` where they cannot write, as on a standby.
    pub writes: Option<Writes>,
    /// Connections that the server has, and lets this role have.
    pub connections: Connections,
    /// How far the clock of the server is ahead of this machine's, less what asking it took.
    pub ahead: Skew,
    /// Tables of the schema that this role may not read and write, with what it lacks.
    pub forbidden: Vec<String>,
    /// What the rows say, for a database of the current schema whose tables may be read.
    pub rows: Option<Rows>,
}

/// What the schema of a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "each case is told to a person in words of its own")]
pub enum Schema {
    /// There is none.
    Empty,
    /// The one that this version works with, by number, or one that a newer version lets it work with.
    Current(u32),
    /// An older one: it has to be migrated.
    Outdated {
        /// What the database has.
        found: u32,
        /// What is needed.
        needed: u32,
    },
    /// One of a newer version, or of other hands.
    Unknown(u32),
}

/// A server, and what it is set to for this role.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Server {
    /// What it calls its version.
    pub version: String,
    /// The first number of that.
    pub major: u32,
    /// Whether it only follows another.
    pub is_standby: bool,
    /// `fsync`: whether it writes to disk before it says so.
    pub fsync: String,
    /// `full_page_writes`: whether a page that a crash cut in two can be mended.
    pub full_page_writes: String,
    /// `synchronous_commit` of this role.
    pub synchronous_commit: String,
    /// `autovacuum`.
    pub autovacuum: String,
    /// How texts are kept, such as `UTF8`.
    pub encoding: String,
    /// The shortest of the role's `statement_timeout`, `lock_timeout` and `transaction_timeout`, with its name.
    pub shortest_timeout: Option<(String, Duration)>,
    /// `default_transaction_isolation` of this role.
    pub isolation: String,
    /// Whether the connection to it is encrypted.
    pub is_encrypted: bool,
    /// Whether it is on this machine.
    pub is_local: bool,
    /// Whether something in between hands its connections from one client to the next.
    pub is_pooled: bool,
}

/// How a transaction of the registry runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Writes {
    /// `synchronous_commit` in it.
    pub synchronous_commit: String,
    /// Its isolation.
    pub isolation: String,
    /// Its `statement_timeout`.
    pub statement_timeout: String,
}

/// Connections of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connections {
    /// How many this role may have at once here, whoever asks for them.
    pub allowed: u32,
    /// How many are in use, by everybody.
    pub used: u32,
    /// How many one process of the registry may open.
    pub pool: u32,
}

/// By how much one clock is ahead of another. It lies between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skew {
    /// At least, in microseconds.
    pub least: i64,
    /// At most, in microseconds.
    pub most: i64,
}

impl Skew {
    /// How far the clocks are apart at least.
    #[must_use]
    pub fn apart(self) -> Duration {
        let micros = if self.least > 0 { self.least } else { (-self.most).max(0) };
        Duration::from_micros(micros.unsigned_abs())
    }
}

/// What the rows of a database say.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rows {
    /// Tasks that have not ended.
    pub open: u64,
    /// Those of them whose time is over.
    pub overdue: u64,
    /// Idempotency keys that were fenced: nobody knows how their calls ended.
    pub fenced: u64,
    /// Events that are still to be delivered.
    pub events: u64,
    /// By how much the newest row is ahead of the clock that wrote it, for a clock that was set back.
    pub from_the_future: Option<Duration>,
    /// Whether credentials are kept.
    pub sealed: bool,
    /// Whether some are kept that the sealer at hand cannot open.
    pub unopened: bool,
}

pub(crate) async fn examine(config: &PostgresConfig) -> Result<Examination, OpenError> {
    let schema = config.quoted_schema()?;
    let pool = database::pool(config)?;
    let is_pooled = is_pooled(&pool).await?;
    let client = pool.get().await.map_err(OpenError::of_pool)?;
    let found = match migrate::inspect(&client, &schema).await {
        Ok(()) => Schema::Current(migrate::needed()),
        Err(OpenError::Outdated { found: 0, .. }) => Schema::Empty,
        Err(OpenError::Outdated { found, needed }) => Schema::Outdated { found, needed },
        Err(OpenError::Unknown(number)) => Schema::Unknown(number),
        Err(error) => return Err(error),
    };
    let ahead = skew(&client).await?;
    let facts = one(&client, include_str!("sql/examine_server.sql"), &[]).await?;
    let (server, connections) = read_facts(&facts, is_pooled, config).map_err(of_fail)?;
    let forbidden = forbidden(&client, config).await?;
    drop(client);
    let database = Database::new(pool.clone(), config.clone())?;
    // Counting reads whole tables, which nobody else waits for.
    let patient = Database::new(pool, config.clone().with_statement_timeout(COUNTING))?;
    let of = |error: RegistryError| OpenError::Unavailable(Box::new(error));
    let writes = if server.is_standby { None } else { Some(database.write(&Look).await.map_err(of)?) };
    let rows = match found {
        Schema::Current(_) if forbidden.is_empty() => {
            Some(patient.read(&Count { schema }).await.map_err(of)?)
        }
        _ => None,
    };
    Ok(Examination { schema: found, server, writes, connections, ahead, forbidden, rows })
}

fn of_fail(fail: Fail) -> OpenError {
    OpenError::Unavailable(Box::new(fail.of("examine")))
}

async fn one(client: &Client, sql: &str, values: &[(&(dyn ToSql + Sync), Type)]) -> Result<Row, OpenError> {
    let rows = client.query_typed(sql, values).await.map_err(OpenError::of)?;
    rows.into_iter().next().ok_or_else(|| OpenError::Unavailable("a question had no answer".into()))
}

/// A process of the server that is older than the connection to it served somebody else before.
async fn is_pooled(pool: &Pool) -> Result<bool, OpenError> {
    let first = pool.get().await.map_err(OpenError::of_pool)?;
    let now = one(&first, "SELECT clock_timestamp()::text", &[]).await?;
    let now: String = now.try_get(0).map_err(OpenError::of)?;
    // Ended here, not given back to our own pool: the next connection is a new one for whoever is in between, too.
    drop(deadpool_postgres::Object::take(first));
    let second = pool.get().await.map_err(OpenError::of_pool)?;
    let sql =
        "SELECT backend_start < $1::text::timestamptz FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    let older = one(&second, sql, &[(&now, Type::TEXT)]).await?;
    Ok(older.try_get::<_, Option<bool>>(0).map_err(OpenError::of)?.unwrap_or(false))
}

async fn skew(client: &Client) -> Result<Skew, OpenError> {
    let (clock, begun) = (SystemClock::new(), Instant::now());
    let before = clock.now().as_micros();
    let found = one(client, include_str!("sql/clock.sql"), &[]).await?;
    let took = i64::try_from(begun.elapsed().as_micros()).unwrap_or(i64::MAX);
    let theirs: i64 = found.try_get("now").map_err(OpenError::of)?;
    // They looked at their clock somewhere between our question and their answer.
    Ok(Skew { least: theirs - before - took, most: theirs - before })
}

fn read_facts(facts: &Row, is_pooled: bool, config: &PostgresConfig) -> Result<(Server, Connections), Fail> {
    let text = |name: &str| Ok::<_, Fail>(row::get::<Option<String>>(facts, name)?.unwrap_or_default());
    let number = |name: &str| {
        let found = row::get::<Option<i64>>(facts, name)?;
        Ok::<_, Fail>(found.and_then(|found| u32::try_from(found).ok()))
    };
    let mut shortest_timeout: Option<(String, Duration)> = None;
    for name in ["statement_timeout", "lock_timeout", "transaction_timeout"] {
        let limit = number(name)?.filter(|limit| *limit > 0).map(|limit| Duration::from_millis(limit.into()));
        if let Some(limit) = limit
            && shortest_timeout.as_ref().is_none_or(|(_, shortest)| limit < *shortest)
        {
            shortest_timeout = Some((name.to_owned(), limit));
        }
    }
    let server = Server {
        version: text("version")?,
        major: number("number")?.unwrap_or_default() / 10_000,
        is_standby: row::get(facts, "is_standby")?,
        fsync: text("fsync")?,
        full_page_writes: text("full_page_writes")?,
        synchronous_commit: text("synchronous_commit")?,
        autovacuum: text("autovacuum")?,
        encoding: text("encoding")?,
        shortest_timeout,
        isolation: text("isolation")?,
        is_encrypted: row::get(facts, "is_encrypted")?,
        is_local: row::get(facts, "is_local")?,
        is_pooled,
    };
    // A limit of -1 is none.
    let limits = ["of_server", "of_role", "of_database"].map(number);
    let mut allowed = u32::MAX;
    for limit in limits {
        allowed = allowed.min(limit?.unwrap_or(u32::MAX));
    }
    let pool = u32::try_from(config.pool_size).unwrap_or(u32::MAX);
    Ok((server, Connections { allowed, used: number("used")?.unwrap_or_default(), pool }))
}

async fn forbidden(client: &Client, config: &PostgresConfig) -> Result<Vec<String>, OpenError> {
    let sql = include_str!("sql/examine_privileges.sql");
    let rows = client.query_typed(sql, &[(&config.schema, Type::TEXT)]).await.map_err(OpenError::of)?;
    rows.iter().map(|row| row.try_get::<_, String>(0).map_err(OpenError::of)).collect()
}

/// How a transaction of the registry's own runs.
struct Look;

impl Unit for Look {
    type Done = Writes;
    const OP: &'static str = "examine";

    fn repeatable(&self) -> bool {
        true
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Writes, Fail> {
        let sql = "SELECT current_setting('synchronous_commit') AS synchronous_commit, \
                   current_setting('transaction_isolation') AS isolation, \
                   current_setting('statement_timeout') AS statement_timeout";
        let rows = tx.query(sql, &[]).await?;
        let found = rows.first().ok_or(Fail::Overtaken)?;
        Ok(Writes {
            synchronous_commit: row::get(found, "synchronous_commit")?,
            isolation: row::get(found, "isolation")?,
            statement_timeout: row::get(found, "statement_timeout")?,
        })
    }
}

/// What the rows say.
struct Count {
    schema: String,
}

impl Unit for Count {
    type Done = Rows;
    const OP: &'static str = "examine";

    fn repeatable(&self) -> bool {
        true
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<Rows, Fail> {
        let sealer = &*tx.shared.config.sealer;
        let now = tx.now.as_micros();
        let ask = |text: &str| text.replace("{schema}", &self.schema);
        let counts = tx.query(&ask(include_str!("sql/examine_rows.sql")), &[(&now, Type::INT8)]).await?;
        let counts = counts.first().ok_or(Fail::Overtaken)?;
        let count = |name: &str| Ok::<_, Fail>(row::get::<i64>(counts, name)?.unsigned_abs());
        let newest = row::get::<Option<i64>>(counts, "newest")?.map(Timestamp::from_micros);
        let tasks = format!(
            "SELECT * FROM {}.tasks WHERE has_webhook ORDER BY created_at DESC LIMIT {MOST}",
            self.schema
        );
        let events = format!("SELECT * FROM {}.events ORDER BY queued_at DESC LIMIT {MOST}", self.schema);
        let (tasks, events) = (tx.query(&tasks, &[]).await?, tx.query(&events, &[]).await?);
        let (mut sealed, mut unopened) = (false, false);
        for (kept, opened) in tasks
            .iter()
            .map(|found| task(found, sealer))
            .chain(events.iter().map(|found| event(found, sealer)))
        {
            sealed |= kept;
            unopened |= kept && !opened;
        }
        Ok(Rows {
            open: count("open")?,
            overdue: count("overdue")?,
            fenced: count("fenced")?,
            events: count("events")?,
            from_the_future: newest.map(|newest| newest.since(tx.now)).filter(|ahead| !ahead.is_zero()),
            sealed,
            unopened,
        })
    }
}

/// Whether credentials are kept, and were opened.
fn task(found: &Row, sealer: &dyn Sealer) -> (bool, bool) {
    match row::shown_task(found, sealer) {
        Ok(task) => task.effects.notify.map_or((false, true), |to| {
            (to.unopened || to.token.is_some() || to.authentication.is_some(), !to.unopened)
        }),
        Err(_) => (false, true),
    }
}

fn event(found: &Row, sealer: &dyn Sealer) -> (bool, bool) {
    match row::event(found, sealer) {
        Ok(event) => (event.authentication.is_some(), true),
        Err(Fail::Seal(_)) => (true, false),
        Err(_) => (false, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_as_far_apart_as_is_certain() {
        for (least, most, apart) in [(-5, 5, 0), (3, 9, 3), (-9, -4, 4), (0, 7, 0)] {
            assert_eq!(Skew { least, most }.apart(), Duration::from_micros(apart), "{least} to {most}");
        }
    }
}
