//! Workers that die between claiming, sending and recording: nothing is lost, and little is sent twice.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{Background as _, Recorded, Registry};
use tokio::runtime::{Builder, Runtime};

use crate::receiver::{OK, Receiver, Step};
use crate::stage::Stage;
use crate::watched::Point;
use Step::{Gate, Read};

/// A process of its own, as far as that goes: all of it ends at once.
fn process() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// A worker dies, another one comes. Returns how often the event was sent.
async fn die(at: Option<Point>, script: &[&[Step]]) -> usize {
    let stage = Stage::new();
    let receiver = Receiver::plain(script).await;
    let key = stage.publish(&receiver.url()).await;
    if let Some(point) = at {
        stage.registry.hold_at(point);
    }
    let process = process();
    let worker = stage.builder().build().unwrap();
    {
        let _within = process.enter();
        worker.start(Arc::clone(&stage.registry) as Arc<dyn Registry>);
    }
    match at {
        Some(_) => stage.registry.held().await,
        None => receiver.has_got(1).await,
    }
    process.shutdown_background();

    let other = stage.start(stage.builder());
    stage.clock.advance(Duration::from_secs(600));
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

#[tokio::test]
async fn a_worker_that_dies_after_it_claimed_has_sent_nothing() {
    assert_eq!(die(Some(Point::AfterClaim), &[&[Read, OK]]).await, 1);
}

#[tokio::test]
async fn a_worker_that_dies_while_it_sends_is_repeated() {
    assert_eq!(die(None, &[&[Read, Gate, OK], &[Read, OK]]).await, 2);
}

#[tokio::test]
async fn a_worker_that_dies_before_it_records_is_repeated() {
    assert_eq!(die(Some(Point::BeforeRecord), &[&[Read, OK]]).await, 2);
}

#[tokio::test]
async fn a_worker_that_dies_after_it_recorded_is_not_repeated() {
    assert_eq!(die(Some(Point::AfterRecord), &[&[Read, OK]]).await, 1);
}

/// A worker hears late what it claimed: by so much on its own clock, and on the registry's.
async fn hear_late(own: Duration, of_registry: Duration) -> (Stage, adcp_core::EventKey, Receiver) {
    let stage = Stage::new();
    let receiver = Receiver::plain(&[&[Read, OK]]).await;
    let key = stage.publish(&receiver.url()).await;
    stage.registry.hold_at(Point::AfterClaim);
    let worker = stage.start(stage.builder());
    stage.registry.held().await;
    tokio::time::pause();
    tokio::time::advance(own).await;
    tokio::time::resume();
    stage.clock.advance(of_registry);
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

#[tokio::test]
async fn a_claim_that_waited_is_lengthened_before_it_is_sent() {
    let late = Duration::from_secs(40);
    let (stage, key, receiver) = hear_late(late, late).await;
    assert_eq!(stage.registry.renewed(), [Recorded::Written]);
    stage.delivered(&key).await;
    assert_eq!(receiver.accepted(), 1);
}

#[tokio::test]
async fn a_claim_that_was_lost_meanwhile_is_not_sent() {
    let (stage, key, receiver) = hear_late(Duration::from_secs(61), Duration::from_secs(61)).await;
    assert_eq!(stage.registry.renewed(), [Recorded::Lost]);
    assert_eq!(receiver.accepted(), 0);
    let _other = stage.start(stage.builder());
    stage.delivered(&key).await;
    assert_eq!(receiver.accepted(), 1);
}
