//! Pages of tasks: the filter and the order become one statement.

use std::fmt::Write as _;

use adcp_core::stored;
use adcp_core::{ListTasks, TaskFilter, TaskOrder, TaskPage, TaskPhase, TaskStatus};

use crate::error::Fail;
use crate::row::{self, Bounds};
use crate::statement::{Typed, Value};
use crate::unit::{Tx, Unit};

impl Unit for ListTasks {
    type Done = TaskPage;
    const OP: &'static str = "list";

    async fn run(&self, tx: &Tx<'_>) -> Result<TaskPage, Fail> {
        let wanted = Condition::of(self);
        let tasks = tx.shared.sql.tasks.as_str();
        let totals = totals(tx, tasks, &wanted).await?;
        page(tx, self, tasks, wanted, totals).await
    }
}

/// A condition under construction, with the values it binds.
pub(crate) struct Condition {
    pub(crate) sql: String,
    values: Vec<Box<dyn Value + Send>>,
    /// Whether a text is asked for that no row can hold.
    pub(crate) nowhere: bool,
}

impl Condition {
    /// The rows of one tenant.
    pub(crate) fn in_tenant(tenant: String) -> Self {
        let mut wanted = Self { sql: "tenant = $1".to_owned(), values: Vec::new(), nowhere: false };
        wanted.bind(tenant);
        wanted
    }

    /// The rows that a list is about.
    fn of(req: &ListTasks) -> Self {
        let bounds = Bounds::of(&req.scope);
        let mut wanted = Self::in_tenant(bounds.tenant);
        if let Some(principal) = bounds.principal {
            wanted.and("principal = ?", principal);
            wanted.and("phase = ?", row::write_phase(TaskPhase::Open).to_owned());
        }
        if let Some(account) = bounds.account {
            wanted.and("account = ?", account);
        }
        wanted.narrow(&req.filter);
        wanted
    }

    fn narrow(&mut self, filter: &TaskFilter) {
        self.and_any("status", filter.statuses.iter().map(|status| status.as_str()));
        self.and_any("task_type", filter.task_types.iter().map(String::as_str));
        self.and_any("protocol", filter.protocols.iter().map(String::as_str));
        self.and_any("id", filter.ids.iter().map(|id| id.as_str()));
        for (sql, at) in [
            ("created_at > ?", filter.created_after),
            ("created_at < ?", filter.created_before),
            ("updated_at > ?", filter.updated_after),
            ("updated_at < ?", filter.updated_before),
        ] {
            if let Some(at) = at {
                self.and(sql, at.as_micros());
            }
        }
        if let Some(text) = &filter.context_contains {
            self.and("strpos(context, ?) > 0", text.clone());
        }
        if let Some(has) = filter.has_webhook {
            self.and("has_webhook = ?", has);
        }
    }

    /// Binds a value, and gives its place in the text.
    pub(crate) fn bind(&mut self, value: impl Value + Send + 'static) -> String {
        self.nowhere |= value.is_nowhere();
        self.values.push(Box::new(value));
        format!("${}", self.values.len())
    }

    pub(crate) fn and(&mut self, sql: &str, value: impl Value + Send + 'static) {
        let place = self.bind(value);
        let _ = write!(self.sql, " AND {}", sql.replace('?', &place));
    }

    pub(crate) fn and_any<'a>(&mut self, column: &str, values: impl Iterator<Item = &'a str>) {
        let asked: Vec<String> = values.map(str::to_owned).collect();
        if asked.is_empty() {
            return;
        }
        let possible: Vec<String> = asked.into_iter().filter(|text| !text.is_nowhere()).collect();
        self.and(&format!("{column} = ANY (?)"), possible);
    }

    pub(crate) fn typed(&self) -> Vec<Typed<'_>> {
        self.values.iter().map(|value| value.typed()).collect()
    }
}

async fn page(
    tx: &Tx<'_>,
    req: &ListTasks,
    table: &str,
    mut wanted: Condition,
    totals: Vec<(String, TaskStatus, u64)>,
) -> Result<TaskPage, Fail> {
    let column = stored::order_column(req.order);
    if let Some(cursor) = &req.after {
        let sign = if req.descending { '<' } else { '>' };
        let key = match req.order {
            TaskOrder::CreatedAt | TaskOrder::UpdatedAt => wanted.bind(stored::order_instant(&cursor.key)),
            _ => wanted.bind(cursor.key.clone()),
        };
        let id = wanted.bind(cursor.id.as_str().to_owned());
        let _ = write!(wanted.sql, " AND ({column}, id) {sign} ({key}, {id})");
    }
    if wanted.nowhere {
        return Ok(TaskPage::new(Vec::new(), false).counting(totals));
    }
    let direction = if req.descending { "DESC" } else { "ASC" };
    let limit = req.limit.max(1);
    let sql = format!(
        "SELECT * FROM {table} WHERE {} ORDER BY {column} {direction}, id {direction} LIMIT {}",
        wanted.sql,
        limit.saturating_add(1)
    );
    let rows = tx.query(&sql, &wanted.typed()).await?;
    let has_more = rows.len() > limit;
    let shown = rows.iter().take(limit);
    let tasks =
        shown.map(|found| row::shown_task(found, &*tx.shared.config.sealer)).collect::<Result<_, _>>()?;
    Ok(TaskPage::new(tasks, has_more).counting(totals))
}

async fn totals(
    tx: &Tx<'_>,
    table: &str,
    wanted: &Condition,
) -> Result<Vec<(String, TaskStatus, u64)>, Fail> {
    if wanted.nowhere {
        return Ok(Vec::new());
    }
    // One more than is counted shows that there are too many.
    let sql = format!(
        "SELECT protocol, status, count(*) AS matches \
         FROM (SELECT protocol, status FROM {table} WHERE {} LIMIT {}) AS counted \
         GROUP BY protocol, status ORDER BY protocol, status",
        wanted.sql,
        ListTasks::MAX_COUNTED + 1
    );
    let mut totals = Vec::new();
    for found in tx.query(&sql, &wanted.typed()).await? {
        let Some(status) = TaskStatus::parse(row::get(&found, "status")?) else { continue };
        let matches: i64 = row::get(&found, "matches")?;
        totals.push((row::get(&found, "protocol")?, status, matches.unsigned_abs()));
    }
    Ok(totals)
}
