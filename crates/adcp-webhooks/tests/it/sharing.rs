//! Workers that share endpoints, and endpoints that share workers.

use std::time::Duration;

use adcp_core::{BreakerState, DeliveryState, TenantId};

use crate::receiver::{BUSY, OK, Receiver, Step};
use crate::stage::{BOUND, Stage};
use crate::store::{Store, on_every_registry};
use Step::{Gate, Read, Stall};

/// Lets every worker look again, and waits until each has found nothing.
async fn look_again(stage: &Stage, webhooks: &[&adcp_webhooks::Webhooks]) {
    for worker in webhooks {
        let mut empty = stage.registry.empty_claims();
        let before = *empty.borrow_and_update();
        worker.wake();
        tokio::time::timeout(BOUND, empty.wait_for(|count| *count > before)).await.unwrap().unwrap();
    }
}

on_every_registry! {
    no_more_is_in_flight_to_an_endpoint_than_it_may,
    no_more_is_in_flight_than_there_are_places,
    a_breaker_is_shared_and_looks_once,
    a_dead_endpoint_does_not_stop_the_others,
    tenants_take_turns_whatever_they_have,
}

async fn no_more_is_in_flight_to_an_endpoint_than_it_may(store: Store) {
    let stage = Stage::over(store).await;
    let receiver = Receiver::plain(&[&[Read, Gate, OK]]).await;
    let keys = stage.publish_many(&receiver.url(), 10).await;
    let first = stage.start(stage.builder().concurrency(100, 3));
    let (second, _beside) = stage.start_beside(stage.builder().concurrency(100, 3)).await;
    receiver.has_got(3).await;
    look_again(&stage, &[&first, &second]).await;
    assert_eq!(receiver.accepted(), 3, "two workers, and three in flight");
    receiver.open(1);
    receiver.has_got(4).await;
    look_again(&stage, &[&first, &second]).await;
    assert_eq!(receiver.accepted(), 4);
    receiver.open(9);
    for key in &keys {
        stage.delivered(key).await;
    }
    assert_eq!(receiver.accepted(), 10);
}

async fn no_more_is_in_flight_than_there_are_places(store: Store) {
    let stage = Stage::over(store).await;
    let receiver = Receiver::plain(&[&[Read, Gate, OK]]).await;
    let keys = stage.publish_many(&receiver.url(), 6).await;
    let worker = stage.start(stage.builder().concurrency(2, 10));
    for arrived in 1..=6 {
        receiver.has_got(arrived.max(2)).await;
        let sending = |state: DeliveryState| state == DeliveryState::Sending;
        let mut flying = 0;
        for key in &keys {
            flying += usize::from(sending(stage.detail(key).await.record.state));
        }
        assert!(flying <= 2, "what is claimed has a place: {flying}");
        receiver.open(1);
    }
    for key in &keys {
        stage.delivered(key).await;
    }
    drop(worker);
}

async fn a_breaker_is_shared_and_looks_once(store: Store) {
    let stage = Stage::over(store).await;
    let busy: &[Step] = &[Read, BUSY];
    let receiver = Receiver::plain(&[busy, busy, busy, busy, busy, &[Read, Gate, OK], &[Read, OK]]).await;
    let keys = stage.publish_many(&receiver.url(), 20).await;
    let first = stage.start(stage.builder().concurrency(100, 1));
    let (second, _beside) = stage.start_beside(stage.builder().concurrency(100, 1)).await;
    let mut steps = stage.registry.steps();
    let opened = async {
        while stage.endpoint().await.is_none_or(|endpoint| endpoint.breaker.state != BreakerState::Open) {
            steps.changed().await.unwrap();
        }
    };
    tokio::time::timeout(BOUND, opened).await.unwrap();
    look_again(&stage, &[&first, &second]).await;
    assert_eq!(receiver.accepted(), 5, "both leave it in peace");
    let breaker = stage.endpoint().await.unwrap().breaker;
    stage.advance(Duration::from_secs(30));
    first.wake();
    second.wake();
    receiver.has_got(6).await;
    look_again(&stage, &[&first, &second]).await;
    assert_eq!(receiver.accepted(), 6, "one of them looks");
    assert_eq!(breaker.openings, 1);
    receiver.open(1);
    for key in &keys {
        stage.delivered(key).await;
    }
    // Five that failed were sent again, and nothing else twice.
    assert_eq!(receiver.accepted(), 25);
    assert_eq!(stage.endpoint().await.unwrap().breaker.state, BreakerState::Closed);
}

async fn a_dead_endpoint_does_not_stop_the_others(store: Store) {
    let stage = Stage::over(store).await;
    let dead = Receiver::plain(&[&[Read, Stall]]).await;
    let well = Receiver::plain(&[&[Read, OK]]).await;
    let stuck = stage.publish_many(&dead.url(), 50).await;
    let keys = stage.publish_many(&well.url(), 100).await;
    let _worker = stage.start(stage.builder().concurrency(20, 5));
    for key in &keys {
        stage.delivered(key).await;
    }
    assert_eq!(well.got().len(), 100);
    assert_eq!(dead.accepted(), 5, "the dead one has its share and no more");
    for key in &stuck {
        assert_eq!(stage.detail(key).await.attempts.len(), 0, "and none of that is over");
    }
}

async fn tenants_take_turns_whatever_they_have(store: Store) {
    let stage = Stage::over(store).await;
    let script: &[Step] = &[Read, Gate, OK];
    let (large, small) = (Receiver::plain(&[script]).await, Receiver::plain(&[script]).await);
    for _ in 0..40 {
        stage.publish_at(TenantId::new("large"), &large.url(), None).await;
    }
    for _ in 0..4 {
        stage.publish_at(TenantId::new("small"), &small.url(), None).await;
    }
    let _worker = stage.start(stage.builder().concurrency(4, 10));
    large.has_got(2).await;
    small.has_got(2).await;
    assert_eq!((large.accepted(), small.accepted()), (2, 2), "half of the places each");
}
