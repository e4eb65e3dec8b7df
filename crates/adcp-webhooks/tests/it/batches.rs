//! How many events a worker claims and records at once.

use crate::receiver::{OK, Receiver, Step::Read};
use crate::stage::Stage;
use crate::watched::Point;

#[tokio::test]
async fn a_claim_takes_a_hundred_at_most_and_as_many_as_have_a_place() {
    let stage = Stage::new();
    let receiver = Receiver::plain(&[&[Read, OK]]).await;
    let keys = stage.publish_many(&receiver.url(), 130).await;
    // Nothing is over before everything is claimed.
    stage.registry.hold_at(Point::BeforeRecord);
    let _worker = stage.start(stage.builder().concurrency(300, 300));
    receiver.has_got(130).await;
    assert_eq!(stage.registry.claimed_at_once(), [100, 30]);
    stage.registry.let_go();
    for key in &keys {
        stage.delivered(key).await;
    }
}

#[tokio::test]
async fn what_comes_while_others_are_recorded_is_recorded_together() {
    let stage = Stage::new();
    let receiver = Receiver::plain(&[&[Read, OK]]).await;
    stage.registry.hold_at(Point::BeforeRecord);
    let _worker = stage.start(stage.builder().concurrency(300, 300));
    let mut keys = vec![stage.publish(&receiver.url()).await];
    stage.registry.held().await;
    // One after the other: when the last one arrives, all but a few were answered long ago.
    for number in 2..=150 {
        keys.push(stage.publish(&receiver.url()).await);
        receiver.has_got(number).await;
    }
    stage.registry.let_go();
    for key in &keys {
        stage.delivered(key).await;
    }
    let batches = stage.registry.recorded_at_once();
    assert_eq!((batches.iter().sum::<usize>(), batches.iter().max()), (150, Some(&100)), "{batches:?}");
    assert_eq!(batches[0], 1, "the first waits for nobody");
}
