//! The floor under the Postgres registry: `pgbench` running the same statements with values of the same size.

use std::process::Command;

use anyhow::{Context, ensure};
use deadpool_postgres::tokio_postgres::Client;

/// The statements of issuing and of ending a task, as the registry sends them.
const INSERT: &str = include_str!("../../../../crates/adcp-registry-postgres/src/sql/task_insert.sql");
const LOCK: &str = include_str!("../../../../crates/adcp-registry-postgres/src/sql/task_lock.sql");
const UPDATE: &str = include_str!("../../../../crates/adcp-registry-postgres/src/sql/task_update.sql");

/// What begins each transaction: one message to the server, as the registry's is.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE \\; \
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, \
    set_config('statement_timeout', '5000', true), \
    set_config('idle_in_transaction_session_timeout', '10000', true), \
    CASE current_setting('synchronous_commit') WHEN 'off' \
    THEN set_config('synchronous_commit', 'on', true) END;";

/// The script that issues and ends a task, with the values of two tasks of the registry's own: one that is open, and one
/// that has ended.
pub(super) async fn script(client: &Client, schema: &str, open: &str, ended: &str) -> anyhow::Result<String> {
    let issue = fill(client, schema, INSERT, open).await?;
    let lock = fill(client, schema, LOCK, ended).await?;
    let update = fill(client, schema, UPDATE, ended).await?;
    Ok(format!(
        "\\set n random(1, 1000000000000000)\n{BEGIN}\n{issue};\nCOMMIT;\n{BEGIN}\n{lock};\n{update};\nCOMMIT;\n"
    ))
}

/// A statement with the values that a row holds in place of its names, and an id of its own for each run.
async fn fill(client: &Client, schema: &str, source: &str, id: &str) -> anyhow::Result<String> {
    let mut sql = String::new();
    let mut rest = source.trim_end();
    while let Some(at) = rest.find(':') {
        sql.push_str(&rest[..at]);
        let name_and_rest = &rest[at + 1..];
        let end =
            name_and_rest.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(name_and_rest.len());
        let (name, after) = name_and_rest.split_at(end);
        sql.push_str(&value(client, schema, name, id).await?);
        rest = after;
    }
    sql.push_str(rest);
    Ok(sql.replace("{schema}", schema).replace('\n', " "))
}

/// What a column of that row holds, as a literal.
async fn value(client: &Client, schema: &str, column: &str, id: &str) -> anyhow::Result<String> {
    if column == "id" {
        return Ok("'bench_:n'".to_owned());
    }
    let sql = format!("SELECT quote_nullable({column}) FROM {schema}.tasks WHERE id = $1");
    let row = client.query_one(&sql, &[&id]).await.with_context(|| format!("no task {id}"))?;
    let literal: String = row.get(0);
    // pgbench reads a colon before a letter as one of its own names.
    Ok(literal.replace(':', "' || chr(58) || '"))
}

/// Runs a script with this many clients, and returns its transactions per second.
pub(super) fn run(
    program: &str,
    url: &str,
    script: &std::path::Path,
    clients: usize,
    seconds: u32,
) -> anyhow::Result<f64> {
    let out = Command::new(program)
        .args(["--no-vacuum", "--protocol=simple", "--jobs=1", "--client", &clients.to_string()])
        .args(["--time", &seconds.to_string(), "--file"])
        .arg(script)
        .arg(url)
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    let report = String::from_utf8_lossy(&out.stdout);
    ensure!(out.status.success(), "pgbench failed: {}", String::from_utf8_lossy(&out.stderr));
    ensure!(report.contains("number of failed transactions: 0"), "pgbench saw failures:\n{report}");
    let rate = report.lines().find_map(|line| line.strip_prefix("tps = "));
    let rate = rate.and_then(|rest| rest.split(' ').next()).and_then(|rate| rate.parse().ok());
    rate.with_context(|| format!("pgbench gave no rate:\n{report}"))
}
