//! The connections, and how a unit of work becomes one transaction, or several tries of one.

use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use adcp_core::{RegistryError, Signal, Timestamp, fault, random_bytes};
use deadpool_postgres::tokio_postgres::{Config, Row, SimpleQueryMessage};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use futures_util::future::join3;

use crate::config::{Isolation, PostgresConfig};
use crate::error::{Fail, OpenError};
use crate::statement::{Statement, Statements, Values, nowhere};
use crate::tls::Tls;
use crate::unit::{Tx, Unit};

/// How long an open transaction may wait for its process before the database undoes it.
const IDLE_LIMIT: Duration = Duration::from_secs(10);

/// The clock of the database, in microseconds since 1970.
const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// The pool, and what every transaction works with.
pub(crate) struct Database {
    pub(crate) pool: Pool,
    pub(crate) shared: Shared,
    /// Rung after events were queued.
    pub(crate) signal: Signal,
    begin_write: String,
    begin_read: String,
}

/// What every transaction works with.
pub(crate) struct Shared {
    pub(crate) sql: Statements,
    pub(crate) config: PostgresConfig,
}

impl Database {
    pub(crate) fn new(pool: Pool, config: PostgresConfig) -> Result<Self, OpenError> {
        let sql = Statements::new(&config)?;
        let level = match config.isolation {
            Isolation::ReadCommitted => "READ COMMITTED",
            Isolation::Serializable => "SERIALIZABLE",
        };
        // Settings hold for one transaction: the next one on this connection may be a stranger's.
        let statement = config.statement_timeout.as_millis().max(1);
        let timeouts = format!(
            "set_config('statement_timeout', '{statement}', true), \
             set_config('idle_in_transaction_session_timeout', '{}', true)",
            IDLE_LIMIT.as_millis()
        );
        // Whatever a role's default is: what was answered is on disk.
        let durable = "CASE current_setting('synchronous_commit') WHEN 'off' \
                       THEN set_config('synchronous_commit', 'on', true) END";
        let begin_write =
            format!("BEGIN ISOLATION LEVEL {level} READ WRITE; SELECT {NOW}, {timeouts}, {durable}");
        let begin_read = format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT {NOW}, {timeouts}");
        Ok(Self { pool, shared: Shared { sql, config }, signal: Signal::new(), begin_write, begin_read })
    }

    /// Does a unit of work in one transaction, on disk when this returns. An error leaves nothing behind.
    pub(crate) async fn write<U: Unit>(&self, unit: &U) -> Result<U::Done, RegistryError> {
        let mut tries = 0;
        loop {
            let fail = match self.once(unit, &self.begin_write).await {
                Ok(done) => return Ok(done),
                Err(fail) => fail,
            };
            if fail.is_uncertain() {
                unit.unanswered();
            }
            tries += 1;
            self.again(U::OP, fail, tries, unit.repeatable()).await?;
        }
    }

    /// Does a unit of reading on one snapshot.
    pub(crate) async fn read<U: Unit>(&self, unit: &U) -> Result<U::Done, RegistryError> {
        let mut tries = 0;
        loop {
            let fail = match self.once(unit, &self.begin_read).await {
                Ok(done) => return Ok(done),
                Err(fail) => fail,
            };
            tries += 1;
            self.again(U::OP, fail, tries, true).await?;
        }
    }

    /// Reads by one statement, in one round trip.
    pub(crate) async fn rows(
        &self,
        op: &'static str,
        statement: &Statement,
        values: Values<'_>,
    ) -> Result<Vec<Row>, RegistryError> {
        if nowhere(values) {
            return Ok(Vec::new());
        }
        let mut tries = 0;
        loop {
            let fail = match self.rows_once(statement, values).await {
                Ok(rows) => return Ok(rows),
                Err(fail) => fail,
            };
            tries += 1;
            self.again(op, fail, tries, true).await?;
        }
    }

    async fn once<U: Unit>(&self, unit: &U, begin: &str) -> Result<U::Done, Fail> {
        let open = Open { client: Some(self.pool.get().await?) };
        let begun = open.client().simple_query(begin).await?;
        let now = self.instant(&begun)?;
        let tx = Tx::new(open.client(), &self.shared, now);
        match unit.run(&tx).await {
            Ok(done) => {
                fault::point("before-commit");
                let queued = tx.queued.load(Ordering::Relaxed);
                open.commit().await?;
                fault::point("after-commit");
                if queued {
                    self.signal.ring();
                }
                Ok(done)
            }
            Err(fail) => {
                open.roll_back().await;
                Err(fail)
            }
        }
    }

    async fn rows_once(&self, statement: &Statement, values: Values<'_>) -> Result<Vec<Row>, Fail> {
        let client = self.pool.get().await?;
        let typed = statement.typed(values);
        // All three are sent when they are first polled, in this order, so a future that is dropped leaves no
        // transaction open.
        let (begun, rows, ended) = join3(
            client.batch_execute(&self.begin_read),
            client.query_typed(&statement.text, &typed),
            client.batch_execute("COMMIT"),
        )
        .await;
        begun?;
        let rows = rows?;
        ended?;
        Ok(rows)
    }

    /// Waits before the next try, or gives up.
    async fn again(
        &self,
        op: &'static str,
        fail: Fail,
        tries: u32,
        repeatable: bool,
    ) -> Result<(), RegistryError> {
        if tries >= self.shared.config.attempts || !fail.allows_another_try(repeatable) {
            return Err(fail.of(op));
        }
        tracing::debug!(op, tries, ?fail, "a transaction is tried again");
        // Between nothing and a bound that doubles: those who lost against each other do not meet again.
        let bound = 4_u64 << tries.min(6);
        let drawn = u64::from(random_bytes::<1>().map_or(128, |[byte]| byte));
        tokio::time::sleep(Duration::from_millis(bound * drawn / 256)).await;
        Ok(())
    }

    /// The time by which a transaction works, read when it began.
    fn instant(&self, begun: &[SimpleQueryMessage]) -> Result<Timestamp, Fail> {
        let row = begun.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse::<i64>().ok(),
            _ => None,
        });
        let unread = || RegistryError::Corrupt { what: "clock", source: "it is no number".into() };
        Ok(self.shared.at(row.ok_or_else(unread)?))
    }
}

impl Shared {
    /// The registry's time at an instant of the database.
    pub(crate) fn at(&self, micros: i64) -> Timestamp {
        Timestamp::from_micros(micros.saturating_add(self.config.offset.micros()))
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

/// A connection with an open transaction, which does not stay open when its work is dropped halfway.
struct Open {
    client: Option<Object>,
}

impl Open {
    fn client(&self) -> &deadpool_postgres::tokio_postgres::Client {
        self.client.as_ref().expect("the connection is there until the transaction ends")
    }

    async fn commit(mut self) -> Result<(), Fail> {
        let ended = self.client().batch_execute("COMMIT").await;
        if ended.is_ok() {
            drop(self.client.take());
        }
        ended.map_err(Fail::Commit)
    }

    async fn roll_back(mut self) {
        if self.client().batch_execute("ROLLBACK").await.is_ok() {
            drop(self.client.take());
        }
    }
}

impl Drop for Open {
    /// Undoes what was left open before anybody else gets the connection.
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if !client.is_closed() => {
                runtime.spawn(async move {
                    if client.batch_execute("ROLLBACK").await.is_err() {
                        drop(Object::take(client));
                    }
                });
            }
            _ => drop(Object::take(client)),
        }
    }
}

/// The pool of a registry that was given an address.
pub(crate) fn pool(config: &PostgresConfig) -> Result<Pool, OpenError> {
    let url = config.url.as_ref().ok_or(OpenError::BadUrl(None))?;
    let mut target: Config = url.expose().parse().map_err(|error| OpenError::of_url(url.expose(), error))?;
    if target.get_connect_timeout().is_none() {
        target.connect_timeout(config.pool_timeout);
    }
    if target.get_tcp_user_timeout().is_none() {
        // A peer that vanished is noticed by what is not acknowledged, long before the system's own hours.
        target.tcp_user_timeout(config.statement_timeout.saturating_mul(2));
        target.keepalives_idle(Duration::from_secs(30));
    }
    if target.get_application_name().is_none() {
        target.application_name("adcp");
    }
    let tls = Tls::new(config, target.get_ssl_mode())?;
    // Nothing of a session is used, so nothing needs to be checked or reset between users.
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    Pool::builder(Manager::from_config(target, tls, recycling))
        .max_size(config.pool_size.max(1))
        .wait_timeout(Some(config.pool_timeout))
        .create_timeout(Some(config.pool_timeout))
        .recycle_timeout(Some(config.pool_timeout))
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| OpenError::Unavailable(Box::new(error)))
}
