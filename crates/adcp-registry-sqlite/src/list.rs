//! Pages of tasks: the filter and the order become one statement.

use std::fmt::Write as _;

use adcp_core::stored::{self, Sealer};
use adcp_core::{ListTasks, TaskFilter, TaskOrder, TaskPage, TaskStatus};
use rusqlite::types::Value;
use rusqlite::{Transaction, params_from_iter};

use crate::error::Fail;
use crate::row::{self, Bounds};

/// A condition under construction, with the values it binds.
pub(crate) struct Condition {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Condition {
    pub(crate) fn and(&mut self, sql: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        let _ = write!(self.sql, " AND {}", sql.replace('?', &format!("?{}", self.values.len())));
    }

    pub(crate) fn and_any(&mut self, column: &str, values: impl IntoIterator<Item = String>) {
        let mut places = Vec::new();
        for value in values {
            self.values.push(Value::Text(value));
            places.push(format!("?{}", self.values.len()));
        }
        if !places.is_empty() {
            let _ = write!(self.sql, " AND {column} IN ({})", places.join(", "));
        }
    }
}

pub(crate) fn page(tx: &Transaction<'_>, req: &ListTasks, sealer: &dyn Sealer) -> Result<TaskPage, Fail> {
    let bounds = Bounds::of(&req.scope);
    let mut wanted = Condition { sql: "tenant = ?1".to_owned(), values: vec![Value::Text(bounds.tenant)] };
    if let Some(principal) = bounds.principal {
        wanted.and("principal = ?", principal);
        wanted.and("phase = ?", row::write_phase(adcp_core::TaskPhase::Open).to_owned());
    }
    if let Some(account) = bounds.account {
        wanted.and("account = ?", account);
    }
    narrow(&mut wanted, &req.filter);
    let totals = totals(tx, &wanted)?;

    let column = stored::order_column(req.order);
    if let Some(cursor) = &req.after {
        let sign = if req.descending { '<' } else { '>' };
        let key = match req.order {
            TaskOrder::CreatedAt | TaskOrder::UpdatedAt => Value::Integer(stored::order_instant(&cursor.key)),
            _ => Value::Text(cursor.key.clone()),
        };
        wanted.values.push(key);
        wanted.values.push(Value::Text(cursor.id.as_str().to_owned()));
        let at = wanted.values.len();
        let _ = write!(wanted.sql, " AND ({column}, id) {sign} (?{}, ?{at})", at - 1);
    }
    let direction = if req.descending { "DESC" } else { "ASC" };
    let limit = req.limit.max(1);
    let sql = format!(
        "SELECT * FROM tasks WHERE {} ORDER BY {column} {direction}, id {direction} LIMIT {}",
        wanted.sql,
        limit.saturating_add(1)
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(&wanted.values))?;
    let mut tasks = Vec::new();
    while let Some(found) = rows.next()? {
        tasks.push(row::shown_task(found, sealer)?);
    }
    let has_more = tasks.len() > limit;
    tasks.truncate(limit);
    Ok(TaskPage::new(tasks, has_more).counting(totals))
}

fn narrow(wanted: &mut Condition, filter: &TaskFilter) {
    wanted.and_any("status", filter.statuses.iter().map(|status| status.as_str().to_owned()));
    wanted.and_any("task_type", filter.task_types.iter().cloned());
    wanted.and_any("protocol", filter.protocols.iter().cloned());
    wanted.and_any("id", filter.ids.iter().map(|id| id.as_str().to_owned()));
    for (sql, at) in [
        ("created_at > ?", filter.created_after),
        ("created_at < ?", filter.created_before),
        ("updated_at > ?", filter.updated_after),
        ("updated_at < ?", filter.updated_before),
    ] {
        if let Some(at) = at {
            wanted.and(sql, at.as_micros());
        }
    }
    if let Some(text) = &filter.context_contains {
        wanted.and("context IS NOT NULL AND instr(context, ?) > 0", text.clone());
    }
    if let Some(has) = filter.has_webhook {
        wanted.and("(json_type(effects, '$.notify') IS NOT NULL) = ?", i64::from(has));
    }
}

fn totals(tx: &Transaction<'_>, wanted: &Condition) -> Result<Vec<(String, TaskStatus, u64)>, Fail> {
    // One more than is counted shows that there are too many.
    let sql = format!(
        "SELECT protocol, status, count(*) FROM (SELECT protocol, status FROM tasks WHERE {} LIMIT {}) \
         GROUP BY protocol, status ORDER BY protocol, status",
        wanted.sql,
        ListTasks::MAX_COUNTED + 1
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(&wanted.values))?;
    let mut totals = Vec::new();
    while let Some(found) = rows.next()? {
        let status: String = found.get(1)?;
        let Some(status) = TaskStatus::parse(&status) else { continue };
        let count: i64 = found.get(2)?;
        totals.push((found.get(0)?, status, count.unsigned_abs()));
    }
    Ok(totals)
}
