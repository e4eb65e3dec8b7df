//! What the registries do per second, beside floors that do the same without us.

mod floor;
mod list;
mod memory;
pub(crate) mod outbox;
pub(crate) mod postgres;
pub(crate) mod rate;
pub(crate) mod sqlite;
pub(crate) mod work;

use anyhow::Context;

/// How long each figure is measured, and how much is laid out for the lists.
#[derive(Clone, Copy)]
struct Plan {
    seconds: u32,
    /// Rows of the small table and of the large one.
    rows: (u32, u32),
    /// Events that are claimed and recorded at each size.
    events: usize,
    /// Tasks that go through the memory registry.
    tasks: u32,
}

/// Runs the bench: `[--seconds N] [--quick]`. The server is the one that `ADCP_TEST_POSTGRES_URL` names.
pub(crate) fn run(args: &[&str]) -> anyhow::Result<()> {
    let mut plan = Plan { seconds: 5, rows: (10_000, 1_000_000), events: 8_000, tasks: 1_000_000 };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "--quick" => plan = Plan { seconds: 1, rows: (2_000, 20_000), events: 1_600, tasks: 50_000 },
            "--seconds" => {
                let seconds = args.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
                plan.seconds = seconds.context("--seconds takes a whole number")?;
            }
            other => anyhow::bail!("unknown argument `{other}`: `bench registry [--seconds N] [--quick]`"),
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        memory::run(plan).await?;
        sqlite::run(plan).await?;
        match std::env::var("ADCP_TEST_POSTGRES_URL") {
            Ok(url) => postgres::run(&url, plan).await,
            Err(_) => {
                println!("postgres: not measured, no server is named");
                Ok(())
            }
        }
    })
}
