//! Builds and starts the crash suite of `tests/`.

use std::process::Command;

use anyhow::{Context, bail};

use super::{cargo, postgres};

/// The replicas with their fault points, and the suite.
const BUILD: &[&str] = &[
    "build",
    "--locked",
    "--package",
    "adcp-cli",
    "--package",
    "adcp-tests",
    "--features",
    "adcp-cli/__fault-points",
    "--bin",
    "adcp",
    "--bin",
    "crash",
];

/// Runs `crash [--minutes N] [--seed N] [--registry sqlite|postgres|both]`, or one bounded round.
///
/// # Errors
///
/// When it cannot be run, or a promise was broken.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    cargo(BUILD, &[])?;
    start(args)
}

fn start(args: &[String]) -> anyhow::Result<()> {
    let suite = crate::target_dir(&crate::root())?.join("debug/crash");
    let status = Command::new(&suite).args(args).status().context("cannot run the crash suite")?;
    if !status.success() {
        bail!("the crash suite failed");
    }
    Ok(())
}

/// One bounded round as a part of the tests: of both registries, or where there can be no server, of SQLite.
///
/// The suite restarts its server, so it never uses one that somebody named.
pub(super) fn bounded(required: bool) -> anyhow::Result<()> {
    eprintln!("\n== the crash suite ==");
    let absent = postgres::no_own_server()?;
    let registry = if absent.is_some() { "sqlite" } else { "both" };
    // The tests had the same binaries built: nothing is left to compile, and a build of its own would compile anew
    // what the tests use with more features.
    let built = cargo(&[super::TEST, &["--no-run"]].concat(), &[]);
    let done = built.and_then(|()| start(&["--registry".to_owned(), registry.to_owned()]));
    match absent {
        Some(why) if required => done.and(Err(anyhow::anyhow!("Postgres is required, but {why}"))),
        Some(why) => {
            eprintln!(
                "\nNOT RUN: the crash suite on Postgres, for {why}. To run it, install PostgreSQL 13 or newer (on \
                 Debian: `apt-get install postgresql`); it starts a server of its own."
            );
            done
        }
        None => done,
    }
}
