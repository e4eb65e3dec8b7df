//! Shutting down: nothing new is begun, what is under way is finished, and the rest is others' at once.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{Background as _, DeliveryOutbox as _, DeliveryState, Recorded, Registry};

use crate::receiver::{OK, Receiver, Step};
use crate::stage::{BOUND, Stage};
use crate::store::{Store, on_every_registry};
use Step::{Gate, Read, Stall};

on_every_registry! {
    what_is_under_way_is_finished_and_nothing_else_begun,
    what_is_not_finished_in_time_is_others_at_once,
    a_claim_that_was_lost_writes_nothing,
    a_worker_ends_with_its_last_handle_and_with_its_registry,
}

async fn what_is_under_way_is_finished_and_nothing_else_begun(store: Store) {
    let stage = Stage::over(store).await;
    let receiver = Receiver::plain(&[&[Read, Gate, OK]]).await;
    let keys = stage.publish_many(&receiver.url(), 5).await;
    let worker = stage.start(stage.builder().concurrency(100, 2));
    receiver.has_got(2).await;
    let draining = tokio::spawn({
        let worker = worker.clone();
        async move { worker.drain(BOUND).await }
    });
    tokio::task::yield_now().await;
    receiver.open(5);
    tokio::time::timeout(BOUND, draining).await.unwrap().unwrap();
    let mut states = Vec::new();
    for key in &keys {
        states.push(stage.detail(key).await.record.state);
    }
    let count = |state| states.iter().filter(|found| **found == state).count();
    assert_eq!((count(DeliveryState::Delivered), count(DeliveryState::Pending)), (2, 3), "{states:?}");
    assert_eq!(receiver.accepted(), 2);
    assert!(worker.is_healthy());
}

async fn what_is_not_finished_in_time_is_others_at_once(store: Store) {
    let stage = Stage::over(store).await;
    let receiver = Receiver::plain(&[&[Read, Stall], &[Read, OK]]).await;
    let key = stage.publish(&receiver.url()).await;
    let worker = stage.start(stage.builder());
    receiver.has_got(1).await;
    worker.drain(Duration::from_secs(2)).await;
    let left = stage.detail(&key).await;
    assert_eq!((left.record.state, left.record.attempts), (DeliveryState::Waiting, 0), "it does not count");
    // The clock stands: nobody waited for a lease.
    let _other = stage.start_beside(stage.builder()).await;
    let detail = stage.delivered(&key).await;
    assert_eq!((detail.record.attempts, receiver.accepted()), (1, 2));
}

async fn a_claim_that_was_lost_writes_nothing(store: Store) {
    let stage = Stage::over(store).await;
    let receiver = Receiver::plain(&[&[Read, Gate, crate::receiver::BUSY], &[Read, OK]]).await;
    let key = stage.publish(&receiver.url()).await;
    let slow = stage.start(stage.builder());
    receiver.has_got(1).await;
    // Longer than any lease.
    stage.advance(Duration::from_secs(600));
    let (quick, _beside) = stage.start_beside(stage.builder()).await;
    stage.delivered(&key).await;
    receiver.open(1);
    slow.drain(BOUND).await;
    quick.drain(BOUND).await;
    assert_eq!(stage.registry.recorded(), [Recorded::Written, Recorded::Lost]);
    let detail = stage.detail(&key).await;
    assert_eq!((detail.record.state, detail.attempts.len()), (DeliveryState::Delivered, 1));
}

async fn a_worker_ends_with_its_last_handle_and_with_its_registry(store: Store) {
    let stage = Stage::over(store).await;
    let receiver = Receiver::plain(&[&[Read, OK]]).await;
    let worker = stage.start(stage.builder());
    drop(worker);
    let key = stage.publish(&receiver.url()).await;
    let other = stage.start(stage.builder());
    stage.delivered(&key).await;
    let Stage { registry, .. } = stage;
    let weak = Arc::downgrade(&registry);
    let outlives = registry.changes();
    drop(registry as Arc<dyn Registry>);
    other.wake();
    other.drain(BOUND).await;
    assert!(weak.upgrade().is_none(), "a worker does not keep its registry");
    drop(outlives);
}
