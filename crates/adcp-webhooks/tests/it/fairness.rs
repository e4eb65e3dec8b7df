//! Endpoints that hang, and tenants who have many of those, keep nobody else waiting.

use adcp_core::{DeliveryFilter, DeliveryOutbox as _, DeliveryState, ListDeliveries, Scope, TenantId};

use crate::receiver::{OK, Receiver, Step};
use crate::stage::{BOUND, Stage};
use Step::{Gate, Read, Stall};

/// So many receivers that read and never answer.
async fn hanging(amount: usize) -> Vec<Receiver> {
    let mut receivers = Vec::with_capacity(amount);
    for _ in 0..amount {
        receivers.push(Receiver::plain(&[&[Read, Stall]]).await);
    }
    receivers
}

fn accepted(receivers: &[Receiver]) -> usize {
    receivers.iter().map(Receiver::accepted).sum()
}

/// Waits until so many events of a tenant are in this state.
async fn are(stage: &Stage, tenant: &TenantId, state: DeliveryState, amount: usize) {
    let mut steps = stage.registry.steps();
    let req = ListDeliveries::new(Scope::Operator { tenant: tenant.clone() })
        .matching(DeliveryFilter::new().in_state(state))
        .with_limit(100);
    let waiting = async {
        while stage.registry.deliveries(req.clone()).await.unwrap().deliveries.len() < amount {
            steps.changed().await.unwrap();
        }
    };
    let waited = tokio::time::timeout(BOUND, waiting).await;
    assert!(waited.is_ok(), "never {amount} of {tenant} in {state:?}");
}

#[tokio::test]
async fn endpoints_that_hang_keep_no_other_waiting() {
    let stage = Stage::new();
    let dead = hanging(10).await;
    let mut well = Vec::new();
    for _ in 0..40 {
        well.push(Receiver::plain(&[&[Read, OK]]).await);
    }
    let mut stuck = Vec::new();
    for receiver in &dead {
        stuck.extend(stage.publish_many(&receiver.url(), 5).await);
    }
    let _worker = stage.start(stage.builder().concurrency(40, 2));
    for receiver in &dead {
        receiver.has_got(2).await;
    }
    let mut keys = Vec::new();
    for receiver in &well {
        keys.extend(stage.publish_many(&receiver.url(), 5).await);
    }
    for key in &keys {
        stage.delivered(key).await;
    }
    assert_eq!(accepted(&well), keys.len());
    assert_eq!(accepted(&dead), 20, "the dead ones have their share and no more");
    for key in &stuck {
        assert_eq!(stage.detail(key).await.attempts.len(), 0, "and none of that is over");
    }
}

#[tokio::test]
async fn a_tenant_whose_endpoints_hang_keeps_no_other_waiting() {
    let stage = Stage::new();
    let dead = hanging(60).await;
    let well = Receiver::plain(&[&[Read, OK]]).await;
    let (large, small) = (TenantId::new("large"), TenantId::new("small"));
    for receiver in &dead {
        stage.publish_at(large.clone(), &receiver.url(), None).await;
    }
    let worker = stage.start(stage.builder().concurrency(50, 1));
    are(&stage, &large, DeliveryState::Sending, 40).await;
    for arrived in 1..=3 {
        stage.publish_at(small.clone(), &well.url(), None).await;
        are(&stage, &small, DeliveryState::Delivered, arrived).await;
    }
    are(&stage, &large, DeliveryState::Sending, 40).await;
    are(&stage, &large, DeliveryState::Pending, 20).await;
    assert!(accepted(&dead) <= 40, "four fifths of the places hang");
    drop(worker);
}

#[tokio::test]
async fn every_tenant_leaves_a_part_of_what_others_left() {
    let stage = Stage::new();
    let well = Receiver::plain(&[&[Read, OK]]).await;
    let mut held = Vec::new();
    let worker = stage.start(stage.builder().concurrency(50, 1));
    for (name, share) in [("one", 40), ("two", 8)] {
        let dead = hanging(50).await;
        let tenant = TenantId::new(name);
        for receiver in &dead {
            stage.publish_at(tenant.clone(), &receiver.url(), None).await;
        }
        are(&stage, &tenant, DeliveryState::Sending, share).await;
        held.push((dead, share));
    }
    let third = TenantId::new("three");
    stage.publish_at(third.clone(), &well.url(), None).await;
    are(&stage, &third, DeliveryState::Delivered, 1).await;
    for (dead, share) in &held {
        assert!(accepted(dead) <= *share);
    }
    drop(worker);
}

#[tokio::test]
async fn a_tenant_goes_on_as_soon_as_its_places_are_free() {
    let stage = Stage::new();
    let receiver = Receiver::plain(&[&[Read, Gate, OK]]).await;
    let keys = stage.publish_many(&receiver.url(), 20).await;
    // Nobody looks by chance: a place that comes free is what wakes the worker.
    let worker = stage.start(stage.builder().concurrency(10, 100));
    receiver.has_got(8).await;
    assert_eq!(receiver.accepted(), 8);
    receiver.open(keys.len());
    for key in &keys {
        stage.delivered(key).await;
    }
    drop(worker);
}

#[tokio::test]
async fn who_is_alone_has_all_places() {
    let stage = Stage::new();
    for builder in [stage.builder().of_tenants([TenantId::single()]), stage.builder().tenant_share(100)] {
        let receiver = Receiver::plain(&[&[Read, Gate, OK]]).await;
        let keys = stage.publish_many(&receiver.url(), 10).await;
        let worker = stage.start(builder.concurrency(10, 100));
        receiver.has_got(10).await;
        receiver.open(10);
        for key in &keys {
            stage.delivered(key).await;
        }
        drop(worker);
    }
}
