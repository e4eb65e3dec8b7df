//! The registry on Postgres, on the server that the task of this bench started.

use std::sync::Arc;

use adcp_core::{LeaseToken, Registry, TaskRegistry as _};
use adcp_registry_postgres::{PostgresConfig, PostgresRegistry};
use anyhow::Context;
use deadpool_postgres::tokio_postgres::{Client, NoTls, connect};

use super::{Plan, floor, list, outbox, rate, work};

const SCHEMA: &str = "adcp_bench";
const CLIENTS: usize = 16;
const ROUNDS: usize = 3;
/// Workers that claim and record at once.
const WORKERS: usize = 4;
/// What the registry should reach at least, as a part of the floor.
const GOAL: f64 = 0.8;

pub(super) async fn run(url: &str, plan: Plan) -> anyhow::Result<()> {
    let (client, connection) = connect(url, NoTls).await.context("the server cannot be reached")?;
    let connection = tokio::spawn(connection);
    client.batch_execute(&format!("DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")).await?;
    let config = PostgresConfig::new(url).with_schema(SCHEMA).with_pool_size(CLIENTS);
    PostgresRegistry::migrate(&config).await?;
    let registry = Arc::new(PostgresRegistry::connect(config).await?);
    let version: String = client.query_one("SHOW server_version", &[]).await?.get(0);
    println!("postgres {version}, fsync on, {CLIENTS} connections");
    pairs(url, &client, &registry, plan).await?;
    lists(&client, &registry, plan).await?;
    deliveries(&client, &registry, plan).await?;
    client.batch_execute(&format!("DROP SCHEMA {SCHEMA} CASCADE")).await?;
    connection.abort();
    Ok(())
}

/// Issue and finish, beside `pgbench` with the same statements.
async fn pairs(
    url: &str,
    client: &Client,
    registry: &Arc<PostgresRegistry>,
    plan: Plan,
) -> anyhow::Result<()> {
    registry.issue(work::task("open", LeaseToken::random()?)).await?;
    work::issue_and_finish(&**registry, "ended").await?;
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), floor::script(client, SCHEMA, "open", "ended").await?)?;
    let program = std::env::var("ADCP_BENCH_PGBENCH").unwrap_or_else(|_| "pgbench".to_owned());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (url, path) = (url.to_owned(), file.path().to_owned());
        let (program, seconds) = (program.clone(), plan.seconds);
        let bench = move || floor::run(&program, &url, &path, CLIENTS, seconds);
        let floor = tokio::task::spawn_blocking(bench).await??;
        let registry: Arc<dyn Registry> = Arc::clone(registry) as _;
        let rate = rate::of(CLIENTS, plan.seconds, move |number| {
            let registry = Arc::clone(&registry);
            async move { work::issue_and_finish(&*registry, &format!("task_{round}_{number:016}")).await }
        });
        let rate = rate.await?;
        // The first round warms up the server and does not count.
        if round > 0 {
            theirs.push(floor);
            ours.push(rate);
        }
    }
    let (ours, theirs) = (rate::median(ours), rate::median(theirs));
    rate::print("postgres, issue and finish", ours, "pgbench, the same statements", theirs, Some(GOAL));
    Ok(())
}

/// The first page of a list, over a small table and over a large one.
async fn lists(client: &Client, registry: &Arc<PostgresRegistry>, plan: Plan) -> anyhow::Result<()> {
    let mut pages = Vec::new();
    for rows in [plan.rows.0, plan.rows.1] {
        client.batch_execute(&format!("TRUNCATE {SCHEMA}.tasks")).await?;
        work::issue_and_finish(&**registry, "ended").await?;
        client.batch_execute(&copies(client, rows).await?).await?;
        client.batch_execute(&format!("VACUUM ANALYZE {SCHEMA}.tasks")).await?;
        pages.push(list::first_pages(&**registry).await?);
    }
    list::print("postgres", plan.rows, &pages);
    Ok(())
}

/// Claims and records, of few events and of many, beside the same done by two statements for each batch.
async fn deliveries(client: &Client, registry: &Arc<PostgresRegistry>, plan: Plan) -> anyhow::Result<()> {
    let (mut rates, mut floors) = (Vec::new(), Vec::new());
    for rows in [plan.rows.0, plan.rows.1] {
        queue(client, SCHEMA, &**registry, rows).await?;
        let shared: Arc<dyn Registry> = Arc::clone(registry) as _;
        rates.push(outbox::drain(&shared, WORKERS, plan.events / 2).await?);
        floors.push(bare(client, plan.events / 2).await?);
    }
    outbox::print("postgres", plan.rows, &rates);
    let what = format!("postgres, claim and record of {} events, {WORKERS} workers", plan.rows.1);
    rate::print(&what, rates[1], "one bare connection, two statements a batch", floors[1], None);
    Ok(())
}

/// Forgets all events, and queues so many.
pub(crate) async fn queue(
    client: &Client,
    schema: &str,
    registry: &dyn Registry,
    rows: u32,
) -> anyhow::Result<()> {
    client.batch_execute(&format!("TRUNCATE {schema}.events, {schema}.attempts")).await?;
    outbox::seed(registry).await?;
    let names = columns(client, schema, "events").await?;
    let values: Vec<String> =
        names.iter().map(|name| outbox::copied(name, "lpad(n::text, 8, '0')")).collect();
    let sql = format!(
        "INSERT INTO {schema}.events ({}) SELECT {} FROM {schema}.events, generate_series(2, {}) AS n",
        names.join(", "),
        values.join(", "),
        rows as usize / outbox::ENDPOINTS
    );
    client.batch_execute(&sql).await?;
    client.batch_execute(&format!("VACUUM ANALYZE {schema}.events")).await?;
    Ok(())
}

/// Claims events in batches and marks them delivered, with nothing else of what an outbox is for.
async fn bare(client: &Client, events: usize) -> anyhow::Result<f64> {
    let claim = format!(
        "UPDATE {SCHEMA}.events SET state = 'sending', due_at = due_at + 60000000 WHERE (tenant, key) IN (\
         SELECT tenant, key FROM {SCHEMA}.events WHERE due_at IS NOT NULL AND state = 'pending' LIMIT 100 \
         FOR UPDATE SKIP LOCKED) RETURNING key, body"
    );
    let record = format!(
        "UPDATE {SCHEMA}.events SET state = 'delivered', due_at = NULL, settled_at = 1 WHERE key = ANY($1) AND tenant <> ''"
    );
    let (begun, mut done) = (std::time::Instant::now(), 0);
    while done < events {
        let keys: Vec<String> = client.query(&claim, &[]).await?.iter().map(|row| row.get(0)).collect();
        done += keys.len();
        client.execute(&record, &[&keys]).await?;
    }
    Ok(done as f64 / begun.elapsed().as_secs_f64())
}

/// A statement that copies the one row so often, each with an id and an instant of its own.
async fn copies(client: &Client, rows: u32) -> anyhow::Result<String> {
    let names = columns(client, SCHEMA, "tasks").await?;
    let values: Vec<String> = names.iter().map(|name| list::copied(name, "lpad(n::text, 8, '0')")).collect();
    Ok(format!(
        "INSERT INTO {SCHEMA}.tasks ({}) SELECT {} FROM {SCHEMA}.tasks, generate_series(2, {rows}) AS n",
        names.join(", "),
        values.join(", ")
    ))
}

async fn columns(client: &Client, schema: &str, table: &str) -> anyhow::Result<Vec<String>> {
    let sql = "SELECT column_name::text FROM information_schema.columns \
               WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position";
    let columns = client.query(sql, &[&schema, &table]).await?;
    Ok(columns.iter().map(|row| row.get(0)).collect())
}
