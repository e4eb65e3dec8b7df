//! The registry in memory: operations per second, bytes per task, and whether memory stays bounded.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use adcp_core::{Forget, LeaseToken, ManualClock, Registry, Retention, TaskRecord, Timestamp};
use adcp_registry_memory::{MemoryLimits, MemoryRegistry};

use super::{Plan, outbox, rate, work};

/// Enough for whatever a run issues.
const ROOM: usize = 10_000_000;

pub(super) async fn run(plan: Plan) -> anyhow::Result<()> {
    // First, in a process that has used no memory yet: what others give back stays with the allocator.
    bounded(plan).await?;
    bytes_per_task().await?;
    throughput(plan).await?;
    deliveries(plan).await
}

/// A registry without bounds that a run would meet.
fn roomy() -> MemoryRegistry {
    let limits = MemoryLimits::new().with_max_tasks(ROOM).with_max_context_bytes(usize::MAX);
    MemoryRegistry::volatile().with_limits(limits)
}

/// Issue and finish, beside a map behind a lock that is given the same records.
async fn throughput(plan: Plan) -> anyhow::Result<()> {
    let registry: Arc<dyn Registry> = Arc::new(roomy());
    let ours = rate::of(2, plan.seconds, move |number| {
        let registry = Arc::clone(&registry);
        async move { work::issue_and_finish(&*registry, &format!("task_{number:016}")).await }
    });
    let ours = ours.await?;
    let map: Arc<Mutex<HashMap<String, TaskRecord>>> = Arc::default();
    let floor = rate::of(2, plan.seconds, move |number| {
        let map = Arc::clone(&map);
        async move { bare(&map, &format!("task_{number:016}")) }
    });
    let floor = floor.await?;
    rate::print("memory, issue and finish, 2 callers", ours, "a map behind a lock", floor, None);
    Ok(())
}

/// The least there is to do: make the same records, keep them, and change them.
fn bare(map: &Mutex<HashMap<String, TaskRecord>>, id: &str) -> anyhow::Result<()> {
    let token = LeaseToken::random()?;
    let task = TaskRecord::submitted(work::task(id, token), Timestamp::from_micros(0));
    map.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), task);
    let end = work::end(id, token);
    if let Some(task) = map.lock().unwrap_or_else(PoisonError::into_inner).get_mut(id) {
        task.finish(end.outcome, Timestamp::from_micros(1))?;
    }
    Ok(())
}

/// Claims and records, of few events and of ten times as many.
async fn deliveries(plan: Plan) -> anyhow::Result<()> {
    let mut rates = Vec::new();
    let sizes = (plan.rows.0, plan.rows.0 * 10);
    for rows in [sizes.0, sizes.1] {
        let registry: Arc<dyn Registry> = Arc::new(roomy());
        for _ in 0..rows as usize / outbox::ENDPOINTS {
            outbox::seed(&*registry).await?;
        }
        rates.push(outbox::drain(&registry, 2, plan.events.min(sizes.0 as usize)).await?);
    }
    outbox::print("memory", sizes, &rates);
    Ok(())
}

async fn bytes_per_task() -> anyhow::Result<()> {
    const TASKS: u32 = 100_000;
    let registry = roomy();
    let before = resident()?;
    for number in 0..TASKS - 1 {
        work::issue_and_finish(&registry, &format!("task_{number:016}")).await?;
    }
    let grown = resident()?.saturating_sub(before);
    println!(
        "memory, ended tasks with context and answer: {} bytes each, of {TASKS}",
        grown / u64::from(TASKS)
    );
    Ok(())
}

/// Many more tasks than are kept at once, with time passing: what retention lets go is given back.
async fn bounded(plan: Plan) -> anyhow::Result<()> {
    let kept = plan.tasks / 20;
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(0)));
    let registry = roomy().with_clock(Arc::clone(&clock) as _);
    let mut marks = Vec::new();
    let begun = Instant::now();
    for number in 0..plan.tasks {
        work::issue_and_finish(&registry, &format!("task_{number:016}")).await?;
        // Tasks are kept for seven days: so many are there at once.
        clock.advance(Duration::from_secs(7 * 24 * 3600) / kept);
        if number % 100 == 0 {
            registry.forget(Forget::new(Retention::default())).await?;
        }
        if (number + 1) % (plan.tasks / 5) == 0 {
            marks.push(format!("{:.0}", resident()? as f64 / 1e6));
        }
    }
    println!(
        "memory, {} tasks of which about {kept} are kept at once: resident MB at each fifth {} ({:.0} s)",
        plan.tasks,
        marks.join(", "),
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Resident memory of this process in bytes.
fn resident() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? * 1024)
}
