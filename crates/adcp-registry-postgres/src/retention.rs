//! What goes when it is over for long enough, and how much is there that is not.

use std::time::Duration;

use adcp_core::{Ages, Backlog, Forget, Forgotten, MOST_COUNTED, RegistryError, Timestamp};

use crate::database::Database;
use crate::error::Fail;
use crate::row;
use crate::statement::Statement;
use crate::unit::{Tx, Unit};

/// Each kind in a transaction of its own, so that nobody waits long for its rows.
pub(crate) async fn forget(database: &Database, req: Forget) -> Result<Forgotten, RegistryError> {
    let limit = i64::try_from(req.limit).unwrap_or(i64::MAX);
    let sql = &database.shared.sql;
    let mut gone = Forgotten::default();
    gone.tasks = database.write(&ForgetTasks { retention: req.retention.tasks, limit }).await?;
    gone.calls = database.write(&ForgetRows { statement: &sql.calls_forget, limit }).await?;
    gone.proposals = database.write(&ForgetRows { statement: &sql.proposals_forget, limit }).await?;
    Ok(gone)
}

/// Tasks that ended long ago, with their events.
struct ForgetTasks {
    retention: Duration,
    limit: i64,
}

impl Unit for ForgetTasks {
    type Done = usize;
    const OP: &'static str = "forget";

    /// A second time forgets more, which is as well.
    fn repeatable(&self) -> bool {
        true
    }

    async fn run(&self, tx: &Tx<'_>) -> Result<usize, Fail> {
        let sql = &tx.shared.sql;
        let horizon = tx.now.before(self.retention).as_micros();
        let gone = tx.rows(&sql.tasks_forget, &[("horizon", &horizon), ("limit", &self.limit)]).await?;
        if !gone.is_empty() {
            let column = |name: &str| {
                gone.iter().map(|row| row::get::<String>(row, name)).collect::<Result<Vec<_>, _>>()
            };
            let (tenants, tasks) = (column("tenant")?, column("id")?);
            tx.execute(&sql.events_forget, &[("tenants", &tenants), ("tasks", &tasks)]).await?;
        }
        Ok(gone.len())
    }
}

/// Rows that carry the instant after which they may go.
struct ForgetRows<'a> {
    statement: &'a Statement,
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
        let gone =
            tx.execute(self.statement, &[("now", &tx.now.as_micros()), ("limit", &self.limit)]).await?;
        Ok(usize::try_from(gone).unwrap_or(usize::MAX))
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
        ages.oldest_ended_task = since("ended_since")?;
        ages.forgettable_calls = since("calls_since")?.unwrap_or_default();
        ages.forgettable_proposals = since("proposals_since")?.unwrap_or_default();
        Ok(ages)
    }
}
