//! What an event costs to claim and to record, as the queue grows.

use super::outbox::Kind;
use super::{Plan, cpu_seconds};
use crate::registry::{outbox, rate};

/// Who claims and records at once.
const WORKERS: usize = 2;
/// Of each size.
const ROUNDS: usize = 3;

pub(super) async fn run(kind: Kind, plan: &Plan) -> anyhow::Result<()> {
    let Some(mut queue) = kind.open().await? else { return Ok(()) };
    let (mut costs, mut processor) = (Vec::new(), Vec::new());
    for size in plan.sizes {
        queue.queue(size).await?;
        // What is measured first pays for caches that are cold, whatever the size.
        let whole = 100 * WORKERS;
        let share = (size as usize / (ROUNDS + 2)).min(plan.claims) / whole * whole;
        outbox::drain(&queue.registry, WORKERS, share).await?;
        let mut figures = Vec::with_capacity(ROUNDS);
        let before = cpu_seconds()?;
        for _ in 0..ROUNDS {
            figures.push(1e6 / outbox::drain(&queue.registry, WORKERS, share).await?);
        }
        processor.push((cpu_seconds()? - before) * 1e6 / (ROUNDS * share) as f64);
        costs.push(rate::median(figures));
    }
    let [few, _, many] = costs[..] else { return Ok(()) };
    let listed = plan.sizes.iter().zip(&costs).zip(&processor);
    let listed: Vec<String> = listed
        .map(|((size, cost), processor)| format!("{cost:.1} us ({processor:.1} of this process) of {size}"))
        .collect();
    println!(
        "{}, claim and record of one event, in batches of 100 by {WORKERS} workers: {}, ratio {:.2} (goal: flat)",
        kind.name(),
        listed.join(", "),
        many / few
    );
    Ok(())
}
