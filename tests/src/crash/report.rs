//! Runs what was asked for, and says what came of it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::runtime::Runtime;
use tokio::time::Instant;

use super::check::{self, Deliveries};
use super::history::{About, History, Said};
use super::options::Options;
use super::plan::{POINTS, Pace};
use super::replica::Replica;
use super::run::{Outcome, Run};
use super::server::Server;
use super::store::Store;

/// Buyers at once.
const BUYERS: usize = 5;

/// Violations that are shown with their history; the others are named.
const SHOWN: usize = 5;

/// Runs the suite as its command line says.
#[must_use]
pub fn main() -> ExitCode {
    let done = Options::parse(std::env::args().skip(1)).and_then(|options| {
        let runtime = Runtime::new().context("cannot start")?;
        // The server outlives what uses it, and its keeper must not wait inside the runtime.
        let server = options.postgres.then(Server::start).transpose()?.map(Arc::new);
        runtime.block_on(all(&options, server.as_ref()))
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("crash: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Every round of both registries at once; whether every promise was kept.
async fn all(options: &Options, server: Option<&Arc<Server>>) -> anyhow::Result<bool> {
    println!("crash suite, seed {}; logs in {}", options.seed, options.folder.display());
    if let Some(server) = server {
        println!("on {}", server.version);
    }
    let sqlite = async { if options.sqlite { rounds(options, None).await } else { Ok(true) } };
    let postgres = async {
        match server {
            Some(server) => rounds(options, Some(server)).await,
            None => Ok(true),
        }
    };
    let (sqlite, postgres) = tokio::join!(sqlite, postgres);
    let good = sqlite? && postgres?;
    if good {
        let _ = std::fs::remove_dir_all(&options.folder);
        println!("every promise was kept");
    } else {
        println!("\nA PROMISE WAS BROKEN. Logs stay in {}", options.folder.display());
        println!("The same schedule again: cargo xtask crash --seed {}", options.seed);
    }
    Ok(good)
}

/// One bounded round, or rounds until the time is over. The first broken promise is the last.
async fn rounds(options: &Options, server: Option<&Arc<Server>>) -> anyhow::Result<bool> {
    let begun = Instant::now();
    for round in 0.. {
        for (pace, wanted) in [(Pace::Fast, options.fast), (Pace::Default, options.default)] {
            // At the pace of the defaults most of the time is waiting: every fourth round is enough.
            if !wanted || (pace == Pace::Default && options.fast && round % 4 != 0) {
                continue;
            }
            let run = one(options, server, pace, round).await?;
            print!("{}: replicas {}, buyers {}\n{}", run.name, run.replicas, run.buyers, run.schedule());
            let outcome = run.run().await.with_context(|| {
                format!("{} with seed {}: see {}", run.name, run.seed, run.folder.display())
            })?;
            if !judge(&run, &outcome) {
                return Ok(false);
            }
            let _ = std::fs::remove_dir_all(&run.folder);
        }
        if options.time.is_none_or(|time| begun.elapsed() >= time) {
            break;
        }
    }
    Ok(true)
}

async fn one(options: &Options, server: Option<&Arc<Server>>, pace: Pace, round: u64) -> anyhow::Result<Run> {
    let kind = if server.is_some() { "postgres" } else { "sqlite" };
    let name = format!("{kind}-{}-{round}", pace.name());
    let folder = options.folder.join(&name);
    std::fs::create_dir_all(&folder)?;
    let store = match server {
        Some(server) => Store::Postgres(server.database(&name.replace('-', "_")).await?),
        None => Store::Sqlite(folder.join("registry.db")),
    };
    Ok(Run {
        name,
        seed: options.seed.wrapping_add(round),
        adcp: options.adcp.clone(),
        folder,
        store,
        server: server.cloned(),
        pace,
        replicas: if server.is_some() { 2 } else { 1 },
        buyers: BUYERS,
    })
}

/// Prints what came of a run; whether everything was as it should be.
fn judge(run: &Run, outcome: &Outcome) -> bool {
    let missed: Vec<&str> = match run.pace {
        Pace::Fast => {
            POINTS.iter().filter(|name| !outcome.ended.iter().any(|ended| ended == *name)).copied().collect()
        }
        Pace::Default => Vec::new(),
    };
    println!("{}: {} in {:.0} s", run.name, summary(&outcome.history), outcome.took.as_secs_f64());
    let last = outcome.history.crashes.iter().map(|crash| crash.at).max().unwrap_or_default();
    // Those that began later have nothing to do with it, and of the others that were enqueued nobody was told.
    let hit =
        outcome.history.tables.tasks.iter().filter(|task| task.created_at <= last && task.open_to_buyer);
    let ends = hit.filter_map(|task| task.ended_at);
    let latest = ends.max().map_or(0, |end| end - last).max(0);
    println!(
        "{}: {} ends at points, {} snapshots; the latest task ended {:.1} s after the last crash (allowed: {} s)",
        run.name,
        outcome.ended.len(),
        outcome.snapshots,
        Duration::from_micros(latest.unsigned_abs()).as_secs_f64(),
        run.pace.within().as_secs()
    );
    println!("{}: {}", run.name, deliveries(&outcome.history, run.pace));
    if !missed.is_empty() {
        println!("{}: POINTS THAT NO PROCESS ENDED AT: {}", run.name, missed.join(", "));
    }
    for (at, violation) in outcome.violations.iter().enumerate() {
        println!(
            "\n{}: {} BROKEN by {}: {}",
            run.name, violation.promise, violation.subject, violation.words
        );
        if at < SHOWN {
            for line in outcome.history.about(&violation.subject) {
                println!("{line}");
            }
        }
    }
    let good = missed.is_empty() && outcome.violations.is_empty();
    if !good {
        println!(
            "\n{}: seed {}; see history.log, runs.log and {} in {}",
            run.name,
            run.seed,
            Replica::log(std::path::Path::new(""), 0).display(),
            run.folder.display()
        );
    }
    good
}

/// What became of webhooks.
fn deliveries(history: &History, pace: Pace) -> String {
    let Deliveries { events, arrivals, failed, dead, again, lost, ends, longest, latest } =
        check::count_deliveries(history);
    let seconds = |micros: i64| Duration::from_micros(micros.unsigned_abs()).as_secs_f64();
    let limits = pace.limits().delivery;
    format!(
        "{events} webhooks, {dead} of them dead letters, came {arrivals} times: {failed} failed as planned, {again} came \
         again after they were taken; {lost} claims were lost, {ends} processes ended between claim and record; the \
         longest took {:.1} s, and {:.1} s after what was broken last (allowed: {:.0} s, and {:.1} s for each failure)",
        seconds(longest),
        seconds(latest),
        seconds(limits.within(0)),
        seconds(limits.each)
    )
}

/// What happened, in numbers.
fn summary(history: &History) -> String {
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for heard in &history.heard {
        if let About::Order { .. } = heard.about {
            let word = match &heard.said {
                Said::Submitted(_) => "submitted",
                Said::Completed(_) => "completed",
                Said::Refused(code) => code,
                Said::Silent(_) => "no answer",
                Said::Status { .. } => continue,
            };
            *codes.entry(word).or_default() += 1;
        }
    }
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    for task in &history.tables.tasks {
        *ends.entry(&task.status).or_default() += 1;
    }
    let words = |counts: BTreeMap<&str, usize>| {
        counts.into_iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
    };
    format!(
        "{} orders ({}), tasks {}, {} events, {} crashes, {} keys resolved",
        history.orders.len(),
        words(codes),
        words(ends),
        history.tables.events.len(),
        history.crashes.len(),
        history.resolved.len()
    )
}
