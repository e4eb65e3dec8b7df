//! Deliveries: claimed for a time, recorded by whoever holds the claim, counted when they are claimed.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use adcp_core::{
    AttemptClass, AttemptReport, CallbackAuth, DeadReason, DeliveryState, Effects, Endpoint,
    ExpireDeliveries, ListEvents, MAX_ANSWER, MAX_ATTEMPTS_KEPT, Published, RecordAttempt, Recorded,
    RenewDeliveries, Secret, Subject, Verdict,
};

use crate::Harness;
use crate::post::{again, delivered, names, report};
use crate::world::{HOUR, MINUTE, Must, World, about, bought, registration};

/// Whoever claims an event gets it as it was queued, with what proves the claim.
pub async fn a_queued_event_is_claimed_whole(harness: &dyn Harness) {
    let world = World::new(harness);
    let auth = CallbackAuth::new("Bearer", Secret::new("s3cr3t".repeat(8)));
    let to = registration().with_token(Some(Secret::new("t0k3n"))).with_authentication(Some(auth));
    world.issue(world.task("t").with_effects(Effects::none().with_notify(Some(to)))).await;
    assert_eq!(world.claim_events().await, [], "nothing is queued before the end");
    world.finish("t", bought("mb_1")).await.must();
    world.pass(MINUTE).await;
    let claimed = world.claim_event().await;
    assert_eq!(claimed.event, world.events().await[0]);
    assert_eq!(claimed.endpoint, Endpoint::of("https://buyer.example/"));
    assert_eq!((claimed.attempt, claimed.number, claimed.probe), (1, 1, false));
    assert!(claimed.waited >= MINUTE && claimed.waited < HOUR, "{:?}", claimed.waited);
    let shown = format!("{claimed:?}");
    assert!(!shown.contains("s3cr3t") && !shown.contains("t0k3n"), "{shown}");
    let record = world.registry.delivery(&claimed.event.key, &world.operator()).await.must().must().record;
    assert_eq!(
        (record.state, record.attempts, record.scheme.as_deref()),
        (DeliveryState::Sending, 1, Some("Bearer"))
    );
    about(record.due_at, world.now().await.after(MINUTE));
}

/// A published event is kept, read and claimed as any other.
pub async fn a_published_event_is_delivered_like_any_other(harness: &dyn Harness) {
    let world = World::new(harness);
    let sent = world.publication("a", "one").with_secret_body();
    assert_eq!(world.publish_all(vec![sent.clone()]).await, [Published::Queued]);
    let claimed = world.claim_event().await;
    let want = sent.event(claimed.event.queued_at);
    assert_eq!(claimed.event, want);
    about(claimed.event.queued_at, world.now().await);
    let Subject::Notification { kind, about, subscriber } = &claimed.event.subject else {
        panic!("a task's")
    };
    assert_eq!(
        (kind.as_str(), about.as_deref(), subscriber.as_deref()),
        ("scheduled", Some("mb_1"), Some("sub_1"))
    );
    let read = world.registry.events(ListEvents::new(world.buyer().scope())).await.must();
    assert_eq!(read, [want]);
    assert_eq!(world.record(vec![delivered(&claimed)]).await, [Recorded::Written]);
    assert_eq!(world.stands("a").await, DeliveryState::Delivered);
    assert_eq!(world.claim_events().await, []);
}

/// Publishing the same key again changes nothing, also when the rest of it differs; several are queued at once.
pub async fn publishing_again_changes_nothing(harness: &dyn Harness) {
    let world = World::new(harness);
    let first = world.publication("a", "one");
    world.publish_all(vec![first.clone()]).await;
    let mut other = world.publication("a", "two");
    other.body = "{}".to_owned();
    let published = world.publish_all(vec![other, world.publication("b", "two"), first.clone()]).await;
    assert_eq!(published, [Published::Known, Published::Queued, Published::Known]);
    let claimed = world.claim_events().await;
    assert_eq!(names(&claimed), ["whk_a", "whk_b"]);
    let a = claimed.iter().find(|claimed| claimed.event.key == first.key).must();
    assert_eq!((&a.event.body, &a.event.url), (&first.body, &first.url));
    // Keys are a matter of one tenant.
    let mut owner = world.buyer();
    owner.tenant = world.neighbour();
    let abroad = world.publication_of(&owner, "a", "one");
    assert_eq!(world.publish_all(vec![abroad]).await, [Published::Queued]);
    // A delivered key stays known.
    assert_eq!(world.record(vec![delivered(a)]).await, [Recorded::Written]);
    assert_eq!(world.publish_all(vec![first]).await, [Published::Known]);
}

/// A claimed event is nobody else's until its lease ends, and claimable by itself then: whoever claimed it may be gone.
pub async fn a_claimed_event_is_claimable_when_its_lease_ends(harness: &dyn Harness) {
    let world = World::new(harness);
    world.publish("a", "one").await;
    let first = world.claim_event().await;
    assert_eq!(world.claim_events().await, []);
    world.pass(MINUTE / 2).await;
    assert_eq!(world.claim_events().await, []);
    world.pass(MINUTE / 2).await;
    let second = world.claim_event().await;
    assert_ne!(first.token, second.token);
    assert_eq!((second.event, second.attempt), (first.event, 2));
}

/// A claim whose lease ended is neither recorded nor renewed, also when nobody took the event since.
pub async fn a_claim_that_ran_out_is_neither_recorded_nor_renewed(harness: &dyn Harness) {
    let world = World::new(harness);
    world.publish("a", "one").await;
    let claimed = world.claim_event().await;
    world.pass(MINUTE).await;
    let before = world.detail("a").await;
    assert_eq!(world.record(vec![delivered(&claimed)]).await, [Recorded::Lost]);
    let renewal = RenewDeliveries::new(vec![claimed.hold()], HOUR);
    assert_eq!(world.registry.renew_deliveries(renewal).await.must(), [Recorded::Lost]);
    assert_eq!(world.detail("a").await, before, "nothing is written");
    assert_eq!(before.attempts, []);
    assert_eq!(world.claim_event().await.attempt, 2);
}

/// The token of an earlier claim records nothing for a later one.
pub async fn a_token_of_an_earlier_claim_records_nothing(harness: &dyn Harness) {
    let world = World::new(harness);
    world.publish("a", "one").await;
    let first = world.claim_event().await;
    world.pass(MINUTE).await;
    let second = world.claim_event().await;
    assert_eq!(world.record(vec![delivered(&first)]).await, [Recorded::Lost]);
    let renewal = RenewDeliveries::new(vec![first.hold(), second.hold()], MINUTE);
    let renewed = world.registry.renew_deliveries(renewal).await.must();
    assert_eq!(renewed, [Recorded::Lost, Recorded::Written]);
    assert_eq!(world.stands("a").await, DeliveryState::Sending);
    assert_eq!(world.record(vec![delivered(&second)]).await, [Recorded::Written]);
}

/// A claim is recorded once, also when one batch names it twice.
pub async fn a_claim_is_recorded_once(harness: &dyn Harness) {
    let world = World::new(harness);
    world.publish("a", "one").await;
    let claimed = world.claim_event().await;
    let twice = vec![delivered(&claimed), again(&claimed, AttemptClass::Timeout)];
    assert_eq!(world.record(twice).await, [Recorded::Written, Recorded::Lost]);
    assert_eq!(world.record(vec![delivered(&claimed)]).await, [Recorded::Lost]);
    let detail = world.detail("a").await;
    assert_eq!((detail.record.state, detail.attempts.len()), (DeliveryState::Delivered, 1));
}

/// What no longer holds in a batch does not keep the rest from being recorded.
pub async fn a_batch_records_what_still_holds(harness: &dyn Harness) {
    let world = World::new(harness);
    for name in ["a", "b", "c"] {
        world.publish(name, name).await;
    }
    let mut claimed = world.claim_events().await;
    claimed.sort_by_key(|claimed| claimed.event.key.clone());
    assert_eq!(world.record(vec![again(&claimed[1], AttemptClass::ServerError)]).await, [Recorded::Written]);
    let mut stranger = delivered(&claimed[0]);
    stranger.hold.tenant = world.neighbour();
    let batch = vec![delivered(&claimed[0]), delivered(&claimed[1]), stranger, delivered(&claimed[2])];
    let want = [Recorded::Written, Recorded::Lost, Recorded::Lost, Recorded::Written];
    assert_eq!(world.record(batch).await, want);
    assert_eq!(world.stands("b").await, DeliveryState::Waiting);
    assert_eq!(world.stands("c").await, DeliveryState::Delivered);
    assert_eq!(world.record(vec![]).await, []);
}

/// A claim that is renewed lasts from then on.
pub async fn a_renewed_claim_lasts(harness: &dyn Harness) {
    let world = World::new(harness);
    world.publish("a", "one").await;
    let claimed = world.claim_event().await;
    world.pass(MINUTE / 2).await;
    let renewal = RenewDeliveries::new(vec![claimed.hold()], HOUR);
    assert_eq!(world.registry.renew_deliveries(renewal).await.must(), [Recorded::Written]);
    world.pass(HOUR - MINUTE).await;
    assert_eq!(world.claim_events().await, []);
    assert_eq!(world.record(vec![delivered(&claimed)]).await, [Recorded::Written]);
}

/// An attempt counts when it is claimed: work that kills its worker each time is counted all the same.
pub async fn attempts_count_at_the_claim(harness: &dyn Harness) {
    let world = World::new(harness);
    world.publish("a", "one").await;
    for attempt in 1..=3 {
        let claimed = world.claim_event().await;
        assert_eq!((claimed.attempt, claimed.number), (attempt, attempt));
        world.pass(MINUTE).await;
    }
    let claimed = world.claim_event().await;
    world.record_one(&claimed, AttemptClass::Timeout, Verdict::Again { after: MINUTE }).await;
    let detail = world.detail("a").await;
    assert_eq!(detail.record.attempts, 4);
    assert_eq!(detail.attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [4]);
}

/// An event that is to be tried again is due after the time that was asked for, with the same bytes and key.
pub async fn what_is_due_later_is_claimed_later(harness: &dyn Harness) {
    let world = World::new(harness);
    world.publish("a", "one").await;
    let mut claimed = world.claim_event().await;
    let first = claimed.event.clone();
    for attempt in 2..=5 {
        world.record_one(&claimed, AttemptClass::ServerError, Verdict::Again { after: HOUR }).await;
        assert_eq!(world.stands("a").await, DeliveryState::Waiting);
        let none = world.registry.claim_deliveries(world.claiming()).await.must();
        assert_eq!(none.deliveries, []);
        let wait = none.next_due.must();
        assert!(wait <= HOUR && wait > HOUR - MINUTE, "{wait:?}");
        world.pass(HOUR).await;
        claimed = world.claim_event().await;
        assert_eq!((claimed.attempt, &claimed.event), (attempt, &first));
    }
    assert!(claimed.waited >= HOUR * 4 && claimed.waited < HOUR * 5, "{:?}", claimed.waited);
}

/// An event that was not tried after all is due again, and no attempt is counted.
pub async fn a_deferred_event_counts_no_attempt(harness: &dyn Harness) {
    let world = World::new(harness);
    world.publish("a", "one").await;
    let claimed = world.claim_event().await;
    let deferred = RecordAttempt::new(claimed.hold(), None, Verdict::Deferred { after: MINUTE });
    assert_eq!(world.record(vec![deferred]).await, [Recorded::Written]);
    assert_eq!(world.claim_events().await, []);
    world.pass(MINUTE).await;
    let claimed = world.claim_event().await;
    assert_eq!((claimed.attempt, claimed.number), (1, 1));
}

/// Of each attempt it is kept what it came to, when and how long, and as much of the answer as there is room for.
pub async fn attempts_are_kept_with_what_was_said(harness: &dyn Harness) {
    let world = World::new(harness);
    world.publish("a", "one").await;
    let claimed = world.claim_event().await;
    let full = AttemptReport::new(AttemptClass::ServerError, MINUTE / 2, Duration::from_millis(1234))
        .with_http_status(503)
        .with_peer("192.0.2.1:443")
        .with_detail("busy \u{e9}\0")
        .with_answer("x".repeat(MAX_ANSWER * 2));
    let now = world.now().await;
    let record = RecordAttempt::new(claimed.hold(), Some(full.clone()), Verdict::Again { after: MINUTE });
    assert_eq!(world.record(vec![record]).await, [Recorded::Written]);
    world.pass(MINUTE).await;
    let claimed = world.claim_event().await;
    assert_eq!(world.record(vec![delivered(&claimed)]).await, [Recorded::Written]);
    let detail = world.detail("a").await;
    let [first, second] = detail.attempts.as_slice() else { panic!("two attempts: {:?}", detail.attempts) };
    about(first.started_at, now.before(MINUTE / 2));
    assert_eq!(*first, full.kept(1, first.started_at.after(full.ago)));
    assert_eq!(first.answer.as_ref().map(String::len), Some(MAX_ANSWER));
    assert_eq!((second.number, second.class, second.http_status), (2, AttemptClass::Delivered, None));
    assert_eq!((detail.record.state, detail.record.due_at), (DeliveryState::Delivered, None));
    about(detail.record.settled_at, world.now().await);
    assert_eq!(detail.body, Some(claimed.event.body));
}

/// However often an event is tried, no more attempts are kept than have room, the latest among them.
pub async fn attempts_of_one_event_are_bounded(harness: &dyn Harness) {
    let world = World::new(harness);
    world.publish("a", "one").await;
    let tries = MAX_ATTEMPTS_KEPT + 3;
    for _ in 0..tries {
        let claimed = world.claim_event().await;
        world
            .record_one(&claimed, AttemptClass::Unauthorized, Verdict::Again { after: Duration::ZERO })
            .await;
    }
    let detail = world.detail("a").await;
    assert!(detail.attempts.len() <= MAX_ATTEMPTS_KEPT as usize, "{}", detail.attempts.len());
    assert!(detail.attempts.is_sorted_by_key(|attempt| attempt.number));
    assert_eq!(detail.attempts.last().map(|attempt| attempt.number), Some(tries));
    assert_eq!(detail.record.attempts, tries);
}

/// What was given up is kept as a dead letter with its reason, and claimed by nobody.
pub async fn a_dead_letter_keeps_its_reason(harness: &dyn Harness) {
    let world = World::new(harness);
    let reasons = [
        DeadReason::Exhausted,
        DeadReason::Gone,
        DeadReason::Refused,
        DeadReason::SignatureRejected,
        DeadReason::Redirected,
        DeadReason::ForbiddenAddress,
        DeadReason::Unsealable,
    ];
    for reason in reasons {
        world.publish(reason.as_str(), "one").await;
        let claimed = world.claim_event().await;
        world.record_one(&claimed, AttemptClass::Refused, Verdict::Dead(reason)).await;
        let record = world.detail(reason.as_str()).await.record;
        assert_eq!((record.state, record.reason, record.due_at), (DeliveryState::Dead, Some(reason), None));
        about(record.settled_at, world.now().await);
    }
    world.pass(HOUR * 48).await;
    assert_eq!(world.claim_events().await, []);
}

/// What waited too long is given up, unless somebody is sending it.
pub async fn what_waited_too_long_is_given_up(harness: &dyn Harness) {
    let world = World::new(harness);
    for name in ["sending", "waiting", "late"] {
        world.publish(name, name).await;
    }
    let claimed = world.claim_events().await;
    let waiting = claimed.iter().find(|claimed| claimed.event.key == world.event_key("waiting")).must();
    world.record_one(waiting, AttemptClass::Timeout, Verdict::Again { after: HOUR * 9 }).await;
    let sending = claimed.iter().find(|claimed| claimed.event.key == world.event_key("sending")).must();
    let renewal = RenewDeliveries::new(vec![sending.hold()], HOUR * 9);
    world.registry.renew_deliveries(renewal).await.must();
    world.pass(HOUR).await;
    world.publish("new", "one").await;
    let expire = |horizon| ExpireDeliveries::new(horizon).of_tenants([world.tenant.clone()]);
    assert_eq!(world.registry.expire_deliveries(expire(HOUR * 2)).await.must(), 0);
    assert_eq!(world.registry.expire_deliveries(expire(HOUR).with_limit(1)).await.must(), 1);
    assert_eq!(world.registry.expire_deliveries(expire(HOUR)).await.must(), 1);
    assert_eq!(world.registry.expire_deliveries(expire(HOUR)).await.must(), 0);
    for name in ["waiting", "late"] {
        let record = world.detail(name).await.record;
        assert_eq!(
            (record.state, record.reason),
            (DeliveryState::Dead, Some(DeadReason::Exhausted)),
            "{name}"
        );
    }
    assert_eq!(world.stands("sending").await, DeliveryState::Sending);
    assert_eq!(world.record(vec![delivered(sending)]).await, [Recorded::Written]);
    assert_eq!(names(&world.claim_events().await), ["whk_new"]);
}

/// Whoever waits in this process hears of what is queued in it: by publishing, by the end of a task.
pub async fn what_is_queued_is_heard_of(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("t").with_effects(Effects::none().with_notify(Some(registration())))).await;
    let mut changes = world.registry.changes();
    world.publish("a", "one").await;
    assert!(rang(changes.next()), "publishing was not heard");
    world.finish("t", bought("mb_1")).await.must();
    assert!(rang(changes.next()), "the end of a task was not heard");
    let claimed = world.claim_events().await;
    world
        .record(
            claimed
                .iter()
                .map(|claimed| {
                    let attempt = Some(report(AttemptClass::Gone));
                    RecordAttempt::new(claimed.hold(), attempt, Verdict::Dead(DeadReason::Gone))
                })
                .collect(),
        )
        .await;
}

fn rang(next: impl Future<Output = ()>) -> bool {
    pin!(next).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}
