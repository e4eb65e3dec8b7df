//! The registry in a file, beside the same statements on a bare connection.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adcp_core::{Registry, TenantId};
use adcp_registry_sqlite::{SqliteConfig, SqliteRegistry};
use rusqlite::{Connection, TransactionBehavior, named_params};

use super::{Plan, list, outbox, rate, work};

const CALLERS: usize = 4;
const ROUNDS: usize = 3;

pub(super) async fn run(plan: Plan) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("registry.db");
    let registry = Arc::new(SqliteRegistry::open(SqliteConfig::new(&path))?);
    work::issue_and_finish(&*registry, "ended").await?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let path = path.clone();
        theirs.push(tokio::task::spawn_blocking(move || bare(&path, round, plan.seconds)).await??);
        let registry: Arc<dyn Registry> = Arc::clone(&registry) as _;
        let rate = rate::of(CALLERS, plan.seconds, move |number| {
            let registry = Arc::clone(&registry);
            async move { work::issue_and_finish(&*registry, &format!("task_{round}_{number:016}")).await }
        });
        ours.push(rate.await?);
    }
    let (ours, theirs) = (rate::median(ours), rate::median(theirs));
    rate::print(
        "sqlite, issue and finish, 4 callers",
        ours,
        "one bare connection, the same writes",
        theirs,
        None,
    );
    let mut pages = Vec::new();
    for rows in [plan.rows.0, plan.rows.1] {
        let writer = Connection::open(&path)?;
        writer.busy_timeout(Duration::from_secs(60))?;
        writer.execute_batch("DELETE FROM tasks")?;
        work::issue_and_finish(&*registry, "ended").await?;
        writer.execute_batch(&copies(&writer, rows)?)?;
        pages.push(list::first_pages(&*registry).await?);
    }
    list::print("sqlite", plan.rows, &pages);
    deliveries(&path, &registry, plan).await
}

/// Claims and records, of few events and of many.
async fn deliveries(path: &Path, registry: &Arc<SqliteRegistry>, plan: Plan) -> anyhow::Result<()> {
    let mut rates = Vec::new();
    for rows in [plan.rows.0, plan.rows.1] {
        queue(path, &**registry, rows).await?;
        let registry: Arc<dyn Registry> = Arc::clone(registry) as _;
        rates.push(outbox::drain(&registry, 2, plan.events).await?);
    }
    outbox::print("sqlite", plan.rows, &rates);
    Ok(())
}

/// Forgets all events, and queues so many.
pub(crate) async fn queue(path: &Path, registry: &dyn Registry, rows: u32) -> anyhow::Result<()> {
    let writer = Connection::open(path)?;
    writer.busy_timeout(Duration::from_secs(60))?;
    writer.execute_batch("DELETE FROM events; DELETE FROM attempts")?;
    outbox::seed(registry).await?;
    let names: Vec<String> = names(&writer, "events")?.into_iter().filter(|name| name != "number").collect();
    let values: Vec<String> = names.iter().map(|name| outbox::copied(name, "printf('%08d', n)")).collect();
    writer.execute_batch(&format!(
        "WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < {}) \
         INSERT INTO events ({}) SELECT {} FROM numbers, events",
        rows as usize / outbox::ENDPOINTS,
        names.join(", "),
        values.join(", ")
    ))?;
    Ok(())
}

/// Copies the row of an ended task as new, reads it, and changes it: two transactions, each on disk.
fn bare(path: &std::path::Path, round: usize, seconds: u32) -> anyhow::Result<f64> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.execute_batch("PRAGMA synchronous = FULL")?;
    let names = names(&connection, "tasks")?;
    let values: Vec<&str> =
        names.iter().map(|name| if name == "id" { ":id" } else { name.as_str() }).collect();
    let tenant = TenantId::single();
    let insert = format!(
        "INSERT INTO tasks ({}) SELECT {} FROM tasks WHERE tenant = '{}' AND id = 'ended'",
        names.join(", "),
        values.join(", "),
        tenant.as_str()
    );
    let (begun, mut done) = (Instant::now(), 0_u32);
    while begun.elapsed() < Duration::from_secs(u64::from(seconds)) {
        let id = format!("bare_{round}_{done:016}");
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.prepare_cached(&insert)?.execute(named_params! { ":id": id })?;
        transaction.commit()?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (outcome, history): (Option<String>, String) = transaction
            .prepare_cached("SELECT * FROM tasks WHERE tenant = ?1 AND id = ?2")?
            .query_row([tenant.as_str(), &id], |row| Ok((row.get("outcome")?, row.get("history")?)))?;
        let update = "UPDATE tasks SET status = status, updated_at = updated_at + 1, ended_at = ended_at + 1, \
                      outcome = ?3, history = ?4 WHERE tenant = ?1 AND id = ?2";
        transaction.prepare_cached(update)?.execute((tenant.as_str(), &id, outcome, history))?;
        transaction.commit()?;
        done += 1;
    }
    Ok(f64::from(done) / begun.elapsed().as_secs_f64())
}

fn names(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    statement.query_map([table], |row| row.get(0))?.collect()
}

/// A statement that copies the one row so often, each with an id and an instant of its own.
fn copies(connection: &Connection, rows: u32) -> rusqlite::Result<String> {
    let names = names(connection, "tasks")?;
    let values: Vec<String> = names.iter().map(|name| list::copied(name, "printf('%08d', n)")).collect();
    Ok(format!(
        "WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows}) \
         INSERT INTO tasks ({}) SELECT {} FROM numbers, tasks WHERE id = 'ended'",
        names.join(", "),
        values.join(", ")
    ))
}
