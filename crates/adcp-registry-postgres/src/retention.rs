//! What goes when it is over for long enough, and how much is there that is not.

use std::time::Duration;

use adcp_core::{Ages, Backlog, DeliveryState, Forget, Forgotten, MOST_COUNTED, RegistryError, Timestamp};

use crate::database::Database;
use crate::error::Fail;
use crate::row;
use crate::statement::{Statement, Values};
use crate::unit::{Tx, Unit};

/// Each kind in a transaction of its own, so that nobody waits long for its rows.
pub(crate) async fn forget(database: &Database, req: Forget) -> Result<Forgotten, RegistryError> {
    let limit = i64::try_from(req.limit).unwrap_or(i64::MAX);
    let sql = &database.shared.sql;
    let mut gone = Forgotten::default();
    let kept = req.retention;
    gone.tasks = database.write(&ForgetRows { statement: &sql.tasks_forget, age: kept.tasks, limit }).await?;
    for (state, body, whole) in kept.of_events() {
        gone.bodies += database.write(&ForgetBodies { state, age: body, limit }).await?;
        gone.events += database.write(&ForgetEvents { state, age: whole, limit }).await?;
    }
    let idle = ForgetRows { statement: &sql.endpoints_forget, age: kept.delivered, limit };
    database.write(&idle).await?;
    gone.calls =
        database.write(&ForgetRows { statement: &sql.calls_forget, age: Duration::ZERO, limit }).await?;
    gone.proposals =
        database.write(&ForgetRows { statement: &sql.proposals_forget, age: Duration::ZERO, limit }).await?;
    Ok(gone)
}

/// Rows that were over so long ago.
struct ForgetRows<'a> {
    statement: &'a Statement,
    age: Duration,
    limit: i64,
}

impl Unit for ForgetRows<'_> {
    type Done = usize;
    const OP: &'static str = "forget";

    /// A second time forgets more, which is as well.
    fn repeatable(&self) -> bool {
        true
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<usize, Fail> {
        let horizon = tx.now.before(self.age).as_micros();
        let gone = tx.execute(self.statement, &[("horizon", &horizon), ("limit", &self.limit)]).await?;
        Ok(usize::try_from(gone).unwrap_or(usize::MAX))
    }
}

/// Bodies of events that were settled long ago, with their credentials.
struct ForgetBodies {
    state: DeliveryState,
    age: Duration,
    limit: i64,
}

impl Unit for ForgetBodies {
    type Done = usize;
    const OP: &'static str = "forget";

    fn repeatable(&self) -> bool {
        true
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<usize, Fail> {
        let horizon = tx.now.before(self.age).as_micros();
        let values: Values<'_> =
            &[("state", &self.state.as_str()), ("horizon", &horizon), ("limit", &self.limit)];
        let gone = tx.execute(&tx.shared.sql.bodies_forget, values).await?;
        Ok(usize::try_from(gone).unwrap_or(usize::MAX))
    }
}

/// Events whose bodies were forgotten long ago, with their attempts.
struct ForgetEvents {
    state: DeliveryState,
    age: Duration,
    limit: i64,
}

impl Unit for ForgetEvents {
    type Done = usize;
    const OP: &'static str = "forget";

    fn repeatable(&self) -> bool {
        true
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<usize, Fail> {
        let sql = &tx.shared.sql;
        let horizon = tx.now.before(self.age).as_micros();
        let values: Values<'_> =
            &[("state", &self.state.as_str()), ("horizon", &horizon), ("limit", &self.limit)];
        let gone = tx.rows(&sql.events_forget, values).await?;
        if !gone.is_empty() {
            let column = |name: &str| {
                gone.iter().map(|row| row::get::<String>(row, name)).collect::<Result<Vec<_>, _>>()
            };
            let (tenants, keys) = (column("tenant")?, column("key")?);
            tx.execute(&sql.attempts_forget, &[("tenants", &tenants), ("keys", &keys)]).await?;
        }
        Ok(gone.len())
    }
}

pub(crate) struct ReadAges;

impl Unit for ReadAges {
    type Done = Ages;
    const OP: &'static str = "ages";

    async fn run(&self, tx: &Tx<'_>) -> Result<Ages, Fail> {
        let most = i64::try_from(MOST_COUNTED).unwrap_or(i64::MAX);
        let values: [(&str, &dyn crate::statement::Value); 2] =
            [("now", &tx.now.as_micros()), ("most", &most)];
        let found = tx.row(&tx.shared.sql.ages, &values).await?;
        let row = found.ok_or(RegistryError::Corrupt { what: "ages", source: "no row".into() })?;
        let since = |name: &str| -> Result<Option<Duration>, Fail> {
            Ok(row::get::<Option<i64>>(&row, name)?.map(|at| tx.now.since(Timestamp::from_micros(at))))
        };
        let backlog = |count: &str, oldest: &str| -> Result<Backlog, Fail> {
            let count: i64 = row::get(&row, count)?;
            Ok(Backlog::new(usize::try_from(count).unwrap_or_default(), since(oldest)?))
        };
        let mut ages = Ages::default();
        ages.open_tasks = backlog("open", "open_since")?;
        ages.overdue_tasks = backlog("overdue", "overdue_since")?;
        ages.unresolved_calls = backlog("unresolved", "unresolved_since")?;
        ages.undelivered_events = backlog("events", "events_since")?;
        ages.dead_letters = backlog("dead", "dead_since")?;
        ages.oldest_ended_task = since("ended_since")?;
        ages.forgettable_calls = since("calls_since")?.unwrap_or_default();
        ages.forgettable_proposals = since("proposals_since")?.unwrap_or_default();
        Ok(ages)
    }
}
