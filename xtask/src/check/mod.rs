//! Runs what CI runs, and the test suite.
//!
//! Every compiling step uses the whole workspace with all features, so that what one step
//! has built the next one finds: checks share their metadata, and tests compile once.

pub mod crash;
pub mod postgres;
pub mod servers;

use std::{
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use postgres::Server;

/// One thing that must hold.
struct Step {
    name: &'static str,
    action: Action,
}

enum Action {
    /// A cargo command, and variables it runs with.
    Cargo { args: &'static [&'static str], vars: &'static [(&'static str, &'static str)] },
    /// Another task of this program.
    Task { run: fn(&[String]) -> anyhow::Result<()>, args: &'static [&'static str] },
}

const TEST: &[&str] = &["test", "--workspace", "--all-features", "--locked", "--no-fail-fast"];

const STEPS: &[Step] = &[
    Step { name: "format", action: Action::Cargo { args: &["fmt", "--all", "--check"], vars: &[] } },
    Step { name: "tidy", action: Action::Task { run: crate::tidy::run, args: &[] } },
    Step { name: "bundle", action: Action::Task { run: crate::schemas::run, args: &["embed", "--check"] } },
    Step { name: "codegen", action: Action::Task { run: crate::codegen::run, args: &["--check"] } },
    Step { name: "api", action: Action::Task { run: crate::release::run, args: &["--check"] } },
    Step {
        name: "clippy",
        action: Action::Cargo {
            args: &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--all-features",
                "--locked",
                "--",
                "-D",
                "warnings",
            ],
            vars: &[],
        },
    },
    Step {
        name: "docs",
        action: Action::Cargo {
            args: &["doc", "--workspace", "--no-deps", "--all-features", "--locked"],
            vars: &[("RUSTDOCFLAGS", "-D warnings")],
        },
    },
];

/// The tests that wait for a server. Others that are ignored are in no target of this name.
const TEST_IGNORED: &[&str] = &[
    "test",
    "--workspace",
    "--all-features",
    "--locked",
    "--no-fail-fast",
    "--test",
    "it",
    "--",
    "--ignored",
];

const TESTS: Step = Step { name: "test", action: Action::Task { run: test, args: &[] } };

/// How to get what the Postgres checks need.
const GET_POSTGRES: &str = "install PostgreSQL 13 or newer (on Debian: `apt-get install postgresql`), or name a server \
                            that tests may use in ADCP_TEST_POSTGRES_URL";

/// Runs `test [--require-postgres] [arguments of cargo test]` or `ci [--skip-tests]`.
///
/// # Errors
///
/// When a step fails; the steps after it run all the same, so that one run shows every fault.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let (command, rest) = args.split_first().context("name `test` or `ci`")?;
    match command.as_str() {
        "test" => test(rest),
        "ci" => match rest.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => all(&STEPS.iter().chain([&TESTS]).collect::<Vec<_>>()),
            ["--skip-tests"] => all(&STEPS.iter().collect::<Vec<_>>()),
            _ => bail!("`ci` takes `--skip-tests` and nothing else"),
        },
        other => bail!("neither `test` nor `ci`: `{other}`"),
    }
}

/// All tests, or with arguments those that cargo is asked for, with a server beside them where there can be one.
fn test(args: &[String]) -> anyhow::Result<()> {
    let required = args.iter().any(|arg| arg == "--require-postgres");
    let asked: Vec<&str> =
        args.iter().map(String::as_str).filter(|arg| *arg != "--require-postgres").collect();
    let server = postgres::server()?;
    let (vars, version) = match &server {
        Server::Started(cluster) => {
            (vec![(postgres::VARIABLE, cluster.url.as_str())], cluster.version.as_str())
        }
        Server::Given => (Vec::new(), "the server named by ADCP_TEST_POSTGRES_URL"),
        Server::Absent(why) if required => bail!("Postgres is required, but {why}: {GET_POSTGRES}"),
        Server::Absent(_) => (Vec::new(), ""),
    };
    // Whoever names packages does not wait for the others to be built.
    let some = asked.iter().any(|arg| matches!(*arg, "-p" | "--package"));
    let all: Vec<&str> = TEST.iter().copied().filter(|arg| !some || *arg != "--workspace").collect();
    let mut done = cargo(&[&all[..], &asked].concat(), &vars);
    match &server {
        Server::Absent(why) => {
            eprintln!(
                "\nNOT RUN: the checks of the Postgres registry, for {why}. To run them, {GET_POSTGRES}."
            );
        }
        _ if asked.is_empty() => {
            eprintln!("\n== the tests that wait for a server, on {version} ==");
            done = done.and(cargo(TEST_IGNORED, &vars));
        }
        _ => {}
    }
    if asked.is_empty() { done.and(crash::bounded(required)) } else { done }
}

fn all(steps: &[&Step]) -> anyhow::Result<()> {
    let mut summary = Vec::new();
    let mut failed = Vec::new();
    for step in steps {
        eprintln!("\n== {} ==", step.name);
        let start = Instant::now();
        let outcome = step.run();
        if let Err(error) = &outcome {
            eprintln!("{}: {error:#}", step.name);
            failed.push(step.name);
        }
        summary.push((step.name, start.elapsed(), outcome.is_ok()));
    }
    eprintln!("\n{}", table(&summary));
    if failed.is_empty() { Ok(()) } else { bail!("failed: {}", failed.join(", ")) }
}

impl Step {
    fn run(&self) -> anyhow::Result<()> {
        match &self.action {
            Action::Cargo { args, vars } => cargo(args, vars),
            Action::Task { run, args } => run(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>()),
        }
    }
}

fn cargo(args: &[&str], vars: &[(&str, &str)]) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(crate::root()).args(args).envs(vars.iter().copied());
    let status = command.status().context("cannot run cargo")?;
    if !status.success() {
        bail!("`cargo {}` failed", args.join(" "));
    }
    Ok(())
}

fn table(summary: &[(&str, Duration, bool)]) -> String {
    let line = |(name, took, ok): &(&str, Duration, bool)| {
        format!("{name:<8} {:>7.1} s  {}", took.as_secs_f64(), if *ok { "ok" } else { "FAILED" })
    };
    let total: Duration = summary.iter().map(|(_, took, _)| *took).sum();
    let all = summary.iter().all(|(_, _, ok)| *ok);
    summary.iter().chain([&("total", total, all)]).map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_has_a_line_for_each_step_and_a_total() {
        let text =
            table(&[("format", Duration::from_millis(1_250), true), ("tidy", Duration::from_secs(2), false)]);
        assert_eq!(text, "format       1.2 s  ok\ntidy         2.0 s  FAILED\ntotal        3.2 s  FAILED");
    }

    #[test]
    fn every_compiling_step_sees_the_same_features() {
        let steps = STEPS.iter().filter_map(|step| match &step.action {
            Action::Cargo { args, .. } if args[0] != "fmt" => Some(*args),
            _ => None,
        });
        for args in steps.chain([TEST, TEST_IGNORED]) {
            for flag in ["--workspace", "--all-features", "--locked"] {
                assert!(args.contains(&flag), "{args:?} lacks {flag}");
            }
        }
    }

    #[test]
    fn unknown_arguments_are_refused() {
        let run = |args: &[&str]| run(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>());
        assert!(run(&["ci", "--fast"]).is_err());
        assert!(run(&[]).is_err());
    }
}
