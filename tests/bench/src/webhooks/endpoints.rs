//! How long events wait from queue to arrival when some endpoints never answer, beside a run in which all do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use adcp_core::{Background as _, Registry};
use anyhow::ensure;

use super::event::{Hook, queue};
use super::outbox::Kind;
use super::peer::Peer;
use super::{Plan, now_micros, throughput};
use crate::registry::{rate, work};

const ENDPOINTS: usize = 1_000;
/// Of these, so many accept connections, read requests and never answer.
const DEAD: usize = 10;
/// Events that each of those has waiting from the beginning: more than may be in flight to it.
const BACKLOG: usize = 20;
/// Events that are queued per second.
const RATE: usize = 400;
const TICK: Duration = Duration::from_millis(20);
const GOAL: f64 = 2.0;
/// Longer than events wait once nothing more is queued.
const BOUND: Duration = Duration::from_secs(60);

/// What half of the others waited at most, and 99 of 100, in milliseconds.
struct Waited {
    median: f64,
    p99: f64,
}

pub(super) async fn run(kind: Kind, plan: &Plan) -> anyhow::Result<()> {
    let peer = Peer::start(ENDPOINTS)?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..plan.rounds.min(3) {
        for (dead, figures) in [(0, &mut without), (DEAD, &mut with)] {
            let Some(outbox) = kind.open().await? else { return Ok(()) };
            peer.hang(dead)?;
            figures.push(phase(&outbox.registry, &peer, plan.steady).await?);
        }
    }
    let of = |figures: &[Waited], pick: fn(&Waited) -> f64| rate::median(figures.iter().map(pick).collect());
    let (ours, theirs) = (of(&with, |waited| waited.p99), of(&without, |waited| waited.p99));
    println!(
        "{}, from queue to arrival at {} endpoints, {RATE} events/s for {} s: p99 {ours:.1} ms (median {:.1}) beside \
         {DEAD} that never answer, p99 {theirs:.1} ms (median {:.1}) without, ratio {:.2} (goal at most {GOAL:.2}); \
         medians of {} rounds",
        kind.name(),
        ENDPOINTS - DEAD,
        plan.steady.as_secs(),
        of(&with, |waited| waited.median),
        of(&without, |waited| waited.median),
        ours / theirs,
        with.len()
    );
    Ok(())
}

/// Queues at a steady rate beside a worker as it is by default, and says how long the events of the others waited.
async fn phase(registry: &Arc<dyn Registry>, peer: &Peer, steady: Duration) -> anyhow::Result<Waited> {
    let (backlog, each) = (DEAD * BACKLOG, RATE * TICK.as_millis() as usize / 1_000);
    let ticks = usize::try_from(steady.as_millis() / TICK.as_millis())?;
    // Neighbours in time are not neighbours in place.
    let port = |number: usize| if number < backlog { number % DEAD } else { number * 7_919 % ENDPOINTS };
    let hook = |number: usize| Hook::new(number, peer.ports[port(number)]);
    let hooks = (0..backlog + ticks * each).map(hook).collect::<Result<Vec<_>, _>>()?;
    peer.begin(hooks.len())?;
    queue(&**registry, &work::owner(), &hooks[..backlog]).await?;
    let worker = throughput::worker()?.build()?;
    worker.start(Arc::clone(registry));
    let mut queued = vec![0; backlog];
    let mut time = tokio::time::interval(TICK);
    for some in hooks[backlog..].chunks(each) {
        time.tick().await;
        queued.extend(vec![now_micros(); some.len()]);
        queue(&**registry, &work::owner(), some).await?;
    }
    let others = |number: &usize| *number >= backlog && port(*number) >= DEAD;
    let begun = Instant::now();
    let mut waited = loop {
        let times = peer.times()?;
        let arrived = (0..hooks.len()).filter(others).filter(|number| times[*number] != 0);
        let waited: Vec<f64> = arrived.map(|number| (times[number] - queued[number]) as f64 / 1e3).collect();
        if waited.len() == (0..hooks.len()).filter(others).count() {
            break waited;
        }
        ensure!(begun.elapsed() < BOUND, "events that nothing keeps did not arrive");
        tokio::time::sleep(TICK).await;
    };
    worker.drain(Duration::from_secs(2)).await;
    waited.sort_unstable_by(f64::total_cmp);
    Ok(Waited { median: waited[waited.len() / 2], p99: waited[waited.len() * 99 / 100] })
}
