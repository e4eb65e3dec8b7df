//! Deliveries per second of the worker as it is, beside hyper alone.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adcp_core::{Background as _, Registry};
use adcp_egress::Egress;
use adcp_signing::{Algorithm, KeyUse, LocalSigner};
use adcp_webhooks::{Webhooks, WebhooksBuilder};
use anyhow::ensure;

use super::event::{Hook, queue};
use super::outbox::Kind;
use super::peer::{Peer, Report};
use super::{Load, Plan, cpu_seconds, floor};
use crate::registry::{rate, work};

/// Milliseconds before a receiver answers that is not on this machine.
const DISTANCE: u64 = 100;
/// Longer than a round takes.
const BOUND: Duration = Duration::from_secs(300);

/// How long one round took, and how much processor time of the sender and of the receiver.
#[derive(Debug, Clone, Copy)]
struct Took {
    wall: f64,
    sender: f64,
    receiver: f64,
}

/// A worker that reaches loopback, and signs with Ed25519.
pub(super) fn worker() -> anyhow::Result<WebhooksBuilder> {
    let key = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "bench-1")?;
    let egress = Egress::builder().allow_loopback_http().build()?;
    Ok(Webhooks::builder().signer(key).egress(egress))
}

pub(super) async fn run(kind: Kind, plan: &Plan) -> anyhow::Result<()> {
    let Some(outbox) = kind.open().await? else { return Ok(()) };
    let peer = Peer::start(plan.load.endpoints)?;
    measure(kind, plan, &outbox.registry, &peer, 0).await?;
    peer.distance(DISTANCE)?;
    measure(kind, plan, &outbox.registry, &peer, DISTANCE).await
}

async fn measure(
    kind: Kind,
    plan: &Plan,
    registry: &Arc<dyn Registry>,
    peer: &Peer,
    distance: u64,
) -> anyhow::Result<()> {
    let load = plan.load;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    // The first round warms up and does not count.
    for round in 0..=plan.rounds {
        let hooks = hooks(plan.events, peer)?;
        peer.begin(hooks.len())?;
        let bare = timed(peer, floor::post(&hooks, &peer.ports, load)).await?;
        check(&hooks, &peer.report()?, false)?;
        queue(&**registry, &work::owner(), &hooks).await?;
        peer.begin(hooks.len())?;
        let delivered = timed(peer, deliver(registry, peer, hooks.len(), load)).await?;
        check(&hooks, &peer.report()?, true)?;
        if round > 0 {
            theirs.push(bare);
            ours.push(delivered);
        }
    }
    print(kind, plan, distance, &ours, &theirs);
    Ok(())
}

fn hooks(events: usize, peer: &Peer) -> anyhow::Result<Arc<Vec<Hook>>> {
    let hook = |number: usize| Hook::new(number, peer.ports[number % peer.ports.len()]);
    Ok(Arc::new((0..events).map(hook).collect::<Result<_, _>>()?))
}

async fn timed(peer: &Peer, work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<Took> {
    let (begun, sender, receiver) = (Instant::now(), cpu_seconds()?, peer.cpu_seconds()?);
    work.await?;
    Ok(Took {
        wall: begun.elapsed().as_secs_f64(),
        sender: cpu_seconds()? - sender,
        receiver: peer.cpu_seconds()? - receiver,
    })
}

/// Starts a worker, and is over when every event has arrived and is recorded.
async fn deliver(registry: &Arc<dyn Registry>, peer: &Peer, events: usize, load: Load) -> anyhow::Result<()> {
    let worker = worker()?.concurrency(load.concurrency, u32::try_from(load.per_endpoint())?).build()?;
    let begun = Instant::now();
    worker.start(Arc::clone(registry));
    while peer.requests()? < events as u64 {
        ensure!(begun.elapsed() < BOUND, "only {} of {events} events arrived", peer.requests()?);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    worker.drain(BOUND).await;
    let left = registry.ages().await?.undelivered_events.count;
    ensure!(left == 0, "{left} events arrived and were not recorded");
    Ok(())
}

/// Every event came exactly once, with its whole body, and signed or not.
fn check(hooks: &[Hook], came: &Report, signed: bool) -> anyhow::Result<()> {
    let events = hooks.len() as u64;
    let bytes = hooks.iter().map(|hook| hook.body.len() as u64).sum();
    let signed = if signed { events } else { 0 };
    let want = Report { distinct: events, requests: events, signed, bytes };
    ensure!(*came == want, "{events} events were sent, and this came: {came:?}");
    Ok(())
}

fn print(kind: Kind, plan: &Plan, distance: u64, ours: &[Took], theirs: &[Took]) {
    let Load { endpoints, concurrency } = plan.load;
    let per_second =
        |took: &[Took]| rate::median(took.iter().map(|took| plan.events as f64 / took.wall).collect());
    let each = |took: &[Took], of: fn(&Took) -> f64| {
        rate::median(took.iter().map(|took| of(took) * 1e6 / plan.events as f64).collect())
    };
    let sender = |took: &[Took]| each(took, |took| took.sender);
    let both = |took: &[Took]| each(took, |took| took.sender + took.receiver);
    let goal =
        kind.goal().filter(|_| distance == 0).map_or_else(String::new, |goal| format!(" (goal {goal:.2})"));
    let ratios =
        rate::median(ours.iter().zip(theirs).map(|(ours, theirs)| theirs.wall / ours.wall).collect());
    println!(
        "{}, signed deliveries: {:.0}/s, bare hyper client {:.0}/s, ratio {ratios:.2}{goal}; {} events to {endpoints} \
         endpoints of {} that answer after {distance} ms, {concurrency} at once, every one arrived once; \
         processor time of the sender {:.0} and {:.0} us each, with the receiver's {:.0} and {:.0}; \
         median of {} rounds",
        kind.name(),
        per_second(ours),
        per_second(theirs),
        plan.events,
        Ipv4Addr::LOCALHOST,
        sender(ours),
        sender(theirs),
        both(ours),
        both(theirs),
        plan.rounds
    );
}
