//! How many events a worker claims and records at once.

use std::time::Duration;

use adcp_core::{Background as _, ClaimDeliveries, DeadReason, DeliveryOutbox as _, DeliveryState};
use adcp_webhooks::Schedule;

use crate::receiver::{BUSY, OK, Receiver, Step::Read};
use crate::stage::{BOUND, Stage};
use crate::watched::Point;

/// The most that one claim takes, and one call records.
const MOST: usize = 250;

#[tokio::test]
async fn a_claim_takes_so_many_at_most_and_as_many_as_have_a_place() {
    let stage = Stage::new();
    let receiver = Receiver::plain(&[&[Read, OK]]).await;
    let keys = stage.publish_many(&receiver.url(), MOST + 30).await;
    // Nothing is over before everything is claimed.
    stage.registry.hold_at(Point::BeforeRecord);
    let _worker = stage.start(stage.builder().concurrency(400, 400));
    receiver.has_got(MOST + 30).await;
    assert_eq!(stage.registry.claimed_at_once(), [MOST, 30]);
    stage.registry.let_go();
    for key in &keys {
        stage.delivered(key).await;
    }
    assert_eq!(stage.registry.renewed(), [], "what is sent at once needs no more time");
}

#[tokio::test]
async fn what_comes_while_others_are_recorded_is_recorded_together() {
    let stage = Stage::new();
    let receiver = Receiver::plain(&[&[Read, OK]]).await;
    stage.registry.hold_at(Point::BeforeRecord);
    let _worker = stage.start(stage.builder().concurrency(400, 400));
    let mut keys = vec![stage.publish(&receiver.url()).await];
    stage.registry.held().await;
    // One after the other: when the last one arrives, all but a few were answered long ago.
    for number in 2..=MOST + 50 {
        keys.push(stage.publish(&receiver.url()).await);
        receiver.has_got(number).await;
    }
    stage.registry.let_go();
    for key in &keys {
        stage.delivered(key).await;
    }
    let batches = stage.registry.recorded_at_once();
    assert_eq!(
        (batches.iter().sum::<usize>(), batches.iter().max()),
        (MOST + 50, Some(&MOST)),
        "{batches:?}"
    );
    assert_eq!(batches[0], 1, "the first waits for nobody");
}

#[tokio::test]
async fn one_that_cannot_be_recorded_holds_up_no_other_and_is_sent_again() {
    let stage = Stage::new();
    let receiver = Receiver::plain(&[&[Read, OK]]).await;
    stage.registry.hold_at(Point::BeforeRecord);
    let worker = stage.start(stage.builder());
    let first = stage.publish(&receiver.url()).await;
    stage.registry.held().await;
    let spoiled = stage.publish(&receiver.url()).await;
    receiver.has_got(2).await;
    let others = stage.publish_many(&receiver.url(), 6).await;
    receiver.has_got(8).await;
    stage.registry.spoil(Some(&spoiled));
    stage.registry.let_go();
    for key in others.iter().chain([&first]) {
        stage.delivered(key).await;
    }
    let batches = stage.registry.recorded_at_once();
    assert!(batches.iter().any(|batch| *batch > 1), "it was among others: {batches:?}");
    let left = stage.detail(&spoiled).await;
    assert_eq!((left.record.state, left.attempts.len()), (DeliveryState::Sending, 0));

    // By itself it is tried once, and then left to the end of its claim.
    let before = batches.len();
    stage.advance(Duration::from_secs(60));
    worker.wake();
    let mut steps = stage.registry.steps();
    let tried = steps.wait_for(|_| stage.registry.recorded_at_once().len() > before);
    tokio::time::timeout(BOUND, tried).await.unwrap().unwrap();
    let last = stage.publish(&receiver.url()).await;
    stage.delivered(&last).await;
    assert_eq!(stage.registry.recorded_at_once()[before..], [1, 1]);
    stage.registry.spoil(None);
    stage.advance(Duration::from_secs(60));
    worker.wake();
    let detail = stage.delivered(&spoiled).await;
    assert_eq!((detail.record.attempts, detail.attempts.len()), (3, 1), "claims count");
}

#[tokio::test]
async fn a_worker_that_finds_nothing_where_more_may_be_takes_a_rest() {
    let stage = Stage::new();
    stage.registry.promise_more();
    let worker = stage.start(stage.builder());
    let mut empty = stage.registry.empty_claims();
    let looked = empty.wait_for(|count| *count >= 16);
    tokio::time::timeout(BOUND, looked).await.unwrap().unwrap();
    worker.drain(BOUND).await;
    assert_eq!(*empty.borrow(), 16, "and not again before there is a reason to");
}

#[tokio::test]
async fn what_waited_too_long_is_given_up_in_batches_until_nothing_is_left() {
    let stage = Stage::new();
    let receiver = Receiver::plain(&[&[Read, OK]]).await;
    let keys = stage.publish_many(&receiver.url(), 501).await;
    stage.advance(Duration::from_secs(24 * 60 * 60));
    let worker = stage.start(stage.builder());
    let last = stage.until(keys.last().unwrap(), |detail| detail.record.settled_at.is_some()).await;
    assert_eq!((last.record.reason, last.record.attempts), (Some(DeadReason::Exhausted), 0));
    // Two calls of at most 500; and none for every event that comes afterwards.
    for _ in 0..3 {
        let key = stage.publish(&receiver.url()).await;
        stage.delivered(&key).await;
    }
    let mut expiries = stage.registry.expiries();
    assert_eq!(*expiries.borrow_and_update(), 2);
    worker.wake();
    let called = expiries.wait_for(|calls| *calls > 2);
    assert_eq!(
        *tokio::time::timeout(BOUND, called).await.unwrap().unwrap(),
        3,
        "but when somebody asks for it"
    );
}

#[tokio::test]
async fn an_event_whose_claims_come_to_no_end_is_sent_no_oftener_than_others() {
    for lost in [2, 3] {
        let stage = Stage::new();
        let receiver = Receiver::plain(&[&[Read, OK]]).await;
        let key = stage.publish(&receiver.url()).await;
        // Whoever claims it is never heard of again.
        for _ in 0..lost {
            let claimed = stage.registry.claim_deliveries(ClaimDeliveries::new()).await.unwrap();
            assert_eq!(claimed.deliveries.len(), 1);
            stage.advance(Duration::from_secs(60));
        }
        let _worker = stage.start(stage.builder());
        let end = stage.until(&key, |detail| detail.record.settled_at.is_some()).await.record;
        let sent = lost < 3;
        assert_eq!((end.state == DeliveryState::Delivered, receiver.accepted()), (sent, usize::from(sent)));
        assert_eq!(end.reason, (!sent).then_some(DeadReason::Exhausted));
    }
}

#[tokio::test]
async fn what_failed_together_is_not_tried_again_together() {
    let stage = Stage::new();
    let receiver = Receiver::plain(&[&[Read, BUSY]]).await;
    let keys = stage.publish_many(&receiver.url(), 40).await;
    let wait = Duration::from_secs(1_000);
    let _worker = stage.start(stage.builder().schedule(Schedule::of([wait])).concurrency(100, 100));
    let mut after = Vec::new();
    for key in &keys {
        let waiting = stage.until(key, |detail| detail.record.state == DeliveryState::Waiting).await.record;
        after.push(waiting.due_at.unwrap().since(waiting.queued_at));
    }
    let bounds = Duration::from_secs(800)..=Duration::from_secs(1_200);
    assert!(after.iter().all(|after| bounds.contains(after)), "{after:?}");
    // All on one side, or two at once: less likely than anything else that goes wrong.
    let sooner = after.iter().filter(|after| **after < wait).count();
    assert!((1..40).contains(&sooner), "{after:?}");
    after.sort_unstable();
    after.dedup();
    assert!(after.len() > 30, "{after:?}");
}
