//! One unit of work in one transaction, and what it works with.

use std::sync::atomic::AtomicBool;

use adcp_core::Timestamp;
use deadpool_postgres::tokio_postgres::{Client, Row};

use crate::database::Shared;
use crate::error::Fail;
use crate::statement::{Statement, Typed, Values, nowhere};

/// What happens together: a request of the seam that knows its own transaction. It may run more than once.
pub(crate) trait Unit: Sync {
    type Done: Send;

    /// The method of the seam.
    const OP: &'static str;

    /// Whether running it again after it took effect unseen comes to the same. Without this, a lost answer to a
    /// commit is an error.
    fn repeatable(&self) -> bool {
        false
    }

    /// A commit was sent and no answer came: the next try may find its own work.
    fn unanswered(&self) {}

    fn run(&self, tx: &Tx<'_>) -> impl Future<Output = Result<Self::Done, Fail>> + Send;
}

/// An open transaction.
pub(crate) struct Tx<'a> {
    client: &'a Client,
    pub(crate) shared: &'a Shared,
    /// When it began, by the registry's clock.
    pub(crate) now: Timestamp,
    /// Whether it queued an event.
    pub(crate) queued: AtomicBool,
}

impl<'a> Tx<'a> {
    pub(crate) const fn new(client: &'a Client, shared: &'a Shared, now: Timestamp) -> Self {
        Self { client, shared, now, queued: AtomicBool::new(false) }
    }

    /// Reads rows. Statements are sent unnamed and typed, so that nothing of them stays in the session.
    pub(crate) async fn rows(&self, statement: &Statement, values: Values<'_>) -> Result<Vec<Row>, Fail> {
        if nowhere(values) {
            return Ok(Vec::new());
        }
        self.query(&statement.text, &statement.typed(values)).await
    }

    /// Reads one row, where there is at most one.
    pub(crate) async fn row(&self, statement: &Statement, values: Values<'_>) -> Result<Option<Row>, Fail> {
        Ok(self.rows(statement, values).await?.pop())
    }

    /// Reads rows by a text that was put together.
    pub(crate) async fn query(&self, text: &str, values: &[Typed<'_>]) -> Result<Vec<Row>, Fail> {
        Ok(self.client.query_typed(text, values).await?)
    }

    /// Writes, and says how many rows.
    pub(crate) async fn execute(&self, statement: &Statement, values: Values<'_>) -> Result<u64, Fail> {
        Ok(self.client.execute_typed(&statement.text, &statement.typed(values)).await?)
    }
}
