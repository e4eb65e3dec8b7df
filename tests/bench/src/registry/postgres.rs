//! The registry on Postgres, on the server that the task of this bench started.

use std::sync::Arc;

use adcp_core::{LeaseToken, Registry, TaskRegistry as _};
use adcp_registry_postgres::{PostgresConfig, PostgresRegistry};
use anyhow::Context;
use deadpool_postgres::tokio_postgres::{Client, NoTls, connect};

use super::{Plan, floor, list, rate, work};

const SCHEMA: &str = "adcp_bench";
const CLIENTS: usize = 16;
const ROUNDS: usize = 3;
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

/// A statement that copies the one row so often, each with an id and an instant of its own.
async fn copies(client: &Client, rows: u32) -> anyhow::Result<String> {
    let sql = "SELECT column_name::text FROM information_schema.columns \
               WHERE table_schema = $1 AND table_name = 'tasks' ORDER BY ordinal_position";
    let columns = client.query(sql, &[&SCHEMA]).await?;
    let names: Vec<String> = columns.iter().map(|row| row.get(0)).collect();
    let values: Vec<String> = names.iter().map(|name| list::copied(name, "lpad(n::text, 8, '0')")).collect();
    Ok(format!(
        "INSERT INTO {SCHEMA}.tasks ({}) SELECT {} FROM {SCHEMA}.tasks, generate_series(2, {rows}) AS n",
        names.join(", "),
        values.join(", ")
    ))
}
