//! What the delivery of webhooks does per second, beside a bare client of the same receiver.

mod endpoints;
mod event;
mod floor;
mod growth;
mod outbox;
mod peer;
pub(crate) mod receiver;
mod signing;
mod throughput;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use outbox::Kind;

/// How events are spread and how many are under way.
#[derive(Debug, Clone, Copy)]
struct Load {
    /// Ports of the receiver.
    endpoints: usize,
    /// Events in flight, from the worker as from the bare client.
    concurrency: usize,
}

impl Load {
    const fn per_endpoint(self) -> usize {
        self.concurrency / self.endpoints
    }
}

#[derive(Debug)]
struct Plan {
    load: Load,
    /// Of one round.
    events: usize,
    rounds: usize,
    /// How long a figure is measured that has no rounds.
    seconds: u32,
    /// Events that are queued when the cost of one is measured.
    sizes: [u32; 3],
    /// Events that are claimed and recorded for one such figure.
    claims: usize,
    /// How long a steady load lasts.
    steady: Duration,
}

/// Runs the bench: `[--quick] [--only PART]`. The server is the one that `ADCP_TEST_POSTGRES_URL` names.
pub(crate) fn run(args: &[&str]) -> anyhow::Result<()> {
    let load = Load { endpoints: 50, concurrency: 500 };
    let sizes = [10_000, 100_000, 1_000_000];
    let mut plan = Plan {
        load,
        events: 40_000,
        rounds: 5,
        seconds: 3,
        sizes,
        claims: 8_000,
        steady: Duration::from_secs(15),
    };
    let mut only = None;
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "--quick" => {
                let sizes = [4_000, 20_000, 100_000];
                plan = Plan {
                    events: 10_000,
                    rounds: 3,
                    seconds: 1,
                    sizes,
                    claims: 2_000,
                    steady: Duration::from_secs(5),
                    ..plan
                };
            }
            "--only" => only = Some(*args.next().context(USAGE)?),
            _ => anyhow::bail!(USAGE),
        }
    }
    let known = ["memory", "sqlite", "postgres", "signing", "growth", "endpoints"];
    anyhow::ensure!(only.is_none_or(|only| known.contains(&only)), USAGE);
    let is_asked = |part: &str| only.is_none_or(|only| only == part);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    println!("load of this machine before: {}", std::fs::read_to_string("/proc/loadavg")?.trim());
    runtime.block_on(async {
        if is_asked("signing") {
            signing::run(&plan).await?;
        }
        for kind in Kind::ALL {
            if is_asked(kind.name()) {
                throughput::run(kind, &plan).await?;
            }
        }
        for kind in Kind::ALL {
            if is_asked("endpoints") {
                endpoints::run(kind, &plan).await?;
            }
        }
        for kind in Kind::ALL {
            if is_asked("growth") {
                growth::run(kind, &plan).await?;
            }
        }
        Ok(())
    })
}

const USAGE: &str = "say `bench webhooks [--quick] [--only memory|sqlite|postgres|signing|growth|endpoints]`";

/// Now, in a way that two processes of one machine share.
fn now_micros() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_micros()).unwrap_or(i64::MAX)
}

/// Processor time that this process has used.
fn cpu_seconds() -> anyhow::Result<f64> {
    cpu_seconds_of("self")
}

fn cpu_seconds_of(process: &str) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field is a name, which may have spaces, in brackets.
    let (_, rest) = stat.rsplit_once(')').context("not what /proc should say")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    let (user, system) = ticks(11).zip(ticks(12)).context("not what /proc should say")?;
    Ok((user + system) / 100.0)
}
