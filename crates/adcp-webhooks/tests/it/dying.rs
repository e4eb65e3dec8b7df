//! Workers that die between claiming, sending and recording: nothing is lost, and little is sent twice.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{Background as _, Recorded, Registry};
use tokio::runtime::{Builder, Runtime};

use crate::receiver::{OK, Receiver, Step};
use crate::stage::Stage;
use crate::store::{Store, on_every_registry};
use crate::watched::Point;
use Step::{Gate, Read};

on_every_registry! {
    a_worker_that_dies_after_it_claimed_has_sent_nothing,
    a_worker_that_dies_while_it_sends_is_repeated,
    a_worker_that_dies_before_it_records_is_repeated,
    a_worker_that_dies_after_it_recorded_is_not_repeated,
    a_claim_that_waited_is_lengthened_before_it_is_sent,
    a_claim_that_was_lost_meanwhile_is_not_sent,
}

/// A process of its own, as far as that goes: all of it ends at once.
fn process() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// A worker dies, another one comes. Returns how often the event was sent.
async fn die(store: Store, at: Option<Point>, script: &[&[Step]]) -> usize {
    let stage = Stage::over(store).await;
    let receiver = Receiver::plain(script).await;
    let key = stage.publish(&receiver.url()).await;
    if let Some(point) = at {
        stage.registry.hold_at(point);
    }
    let process = process();
    let door = stage.door();
    let registry = process.spawn(async move { door.open().await }).await.unwrap();
    let registry = Arc::new(stage.registry.beside(registry));
    let worker = stage.builder().build().unwrap();
    {
        let _within = process.enter();
        worker.start(Arc::clone(&registry) as Arc<dyn Registry>);
    }
    match at {
        Some(_) => stage.registry.held().await,
        None => receiver.has_got(1).await,
    }
    process.shutdown_background();

    let other = stage.start(stage.builder());
    stage.advance(Duration::from_secs(600));
    other.wake();
    stage.delivered(&key).await;
    let got = receiver.got();
    let body = stage.detail(&key).await.body.unwrap();
    assert!(got.iter().all(|got| got.body == body.as_bytes()), "the same bytes");
    let mut nonces: Vec<_> = got.iter().map(crate::receiver::Got::nonce).collect();
    nonces.dedup();
    assert_eq!(nonces.len(), got.len(), "a nonce of its own");
    got.len()
}

async fn a_worker_that_dies_after_it_claimed_has_sent_nothing(store: Store) {
    assert_eq!(die(store, Some(Point::AfterClaim), &[&[Read, OK]]).await, 1);
}

async fn a_worker_that_dies_while_it_sends_is_repeated(store: Store) {
    assert_eq!(die(store, None, &[&[Read, Gate, OK], &[Read, OK]]).await, 2);
}

async fn a_worker_that_dies_before_it_records_is_repeated(store: Store) {
    assert_eq!(die(store, Some(Point::BeforeRecord), &[&[Read, OK]]).await, 2);
}

async fn a_worker_that_dies_after_it_recorded_is_not_repeated(store: Store) {
    assert_eq!(die(store, Some(Point::AfterRecord), &[&[Read, OK]]).await, 1);
}

/// A worker hears late what it claimed: by so much on its own clock, and on the registry's.
async fn hear_late(
    store: Store,
    own: Duration,
    of_registry: Duration,
) -> (Stage, adcp_core::EventKey, Receiver) {
    let stage = Stage::over(store).await;
    let receiver = Receiver::plain(&[&[Read, OK]]).await;
    let key = stage.publish(&receiver.url()).await;
    stage.registry.hold_at(Point::AfterClaim);
    let worker = stage.start(stage.builder());
    stage.registry.held().await;
    tokio::time::pause();
    tokio::time::advance(own).await;
    tokio::time::resume();
    stage.advance(of_registry);
    stage.registry.let_go();
    let mut steps = stage.registry.steps();
    let renewed = async {
        while stage.registry.renewed().is_empty() {
            steps.changed().await.unwrap();
        }
    };
    tokio::time::timeout(crate::stage::BOUND, renewed).await.unwrap();
    worker.drain(crate::stage::BOUND).await;
    (stage, key, receiver)
}

async fn a_claim_that_waited_is_lengthened_before_it_is_sent(store: Store) {
    let late = Duration::from_secs(40);
    let (stage, key, receiver) = hear_late(store, late, late).await;
    assert_eq!(stage.registry.renewed(), [Recorded::Written]);
    stage.delivered(&key).await;
    assert_eq!(receiver.accepted(), 1);
}

async fn a_claim_that_was_lost_meanwhile_is_not_sent(store: Store) {
    let (stage, key, receiver) = hear_late(store, Duration::from_secs(61), Duration::from_secs(61)).await;
    assert_eq!(stage.registry.renewed(), [Recorded::Lost]);
    assert_eq!(receiver.accepted(), 0);
    let _other = stage.start(stage.builder());
    stage.delivered(&key).await;
    assert_eq!(receiver.accepted(), 1);
}
