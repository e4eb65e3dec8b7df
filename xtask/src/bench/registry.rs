//! The registries, and the delivery of webhooks, beside floors that do the same without us, on a throw-away Postgres.

use std::process::Command;

use anyhow::{Context, ensure};

use crate::check::postgres::{self, Server};

/// Builds the program of the benches, starts a server for it, and runs a part of it with the arguments given.
pub(super) fn run(part: &str, args: &[&str]) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = crate::root();
    let built = Command::new(cargo)
        .current_dir(&root)
        .args(["build", "--release", "--locked", "--package", "adcp-bench"])
        .status()
        .context("cannot run cargo")?;
    ensure!(built.success(), "`cargo build --release --package adcp-bench` failed");
    let mut bench = Command::new(crate::target_dir(&root)?.join("release/adcp-bench"));
    bench.arg(part).args(args);
    let server = postgres::server()?;
    match &server {
        Server::Given => {}
        Server::Started(cluster) => {
            bench.env(postgres::VARIABLE, &cluster.url).env("ADCP_BENCH_PGBENCH", cluster.program("pgbench"));
        }
        Server::Absent(why) => eprintln!("no Postgres, so its part is left out: {why}"),
    }
    let done = bench.status().context("cannot run the bench")?;
    ensure!(done.success(), "the bench failed");
    Ok(())
}
