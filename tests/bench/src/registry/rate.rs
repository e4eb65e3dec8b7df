//! Rates and latencies.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Calls per second of `clients` loops that each wait for their last call.
pub(super) async fn of<F, Fut>(clients: usize, seconds: u32, call: F) -> anyhow::Result<f64>
where
    F: Fn(u64) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = anyhow::Result<()>> + Send,
{
    let next = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    // Each loop looks at the time itself: calls that never wait would keep a timer from firing.
    let end = begun + Duration::from_secs(u64::from(seconds));
    let loops: Vec<_> = (0..clients)
        .map(|_| {
            let (call, next) = (call.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                let mut done = 0_u64;
                while Instant::now() < end {
                    call(next.fetch_add(1, Ordering::Relaxed)).await?;
                    done += 1;
                }
                anyhow::Ok(done)
            })
        })
        .collect();
    let mut done = 0;
    for each in loops {
        done += each.await??;
    }
    Ok(done as f64 / begun.elapsed().as_secs_f64())
}

/// The middle of several figures.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// A figure, its floor, and what part of it was reached.
pub(super) fn print(what: &str, ours: f64, floor_name: &str, floor: f64, goal: Option<f64>) {
    let goal = goal.map_or_else(String::new, |goal| format!(" (goal {goal:.2})"));
    println!("{what}: {ours:.0}/s, {floor_name} {floor:.0}/s, ratio {:.2}{goal}", ours / floor);
}
