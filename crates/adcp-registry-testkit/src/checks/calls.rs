//! Idempotency keys: one first caller, one recorded answer, no second run.

use std::time::Duration;

use adcp_core::{
    CallKey, Claim, ClaimCall, Effects, ProposalState, RegistryError, Resolution, ResolveCall, SettleCall,
    Settlement, Ticket,
};
use serde_json::json;

use crate::Harness;
use crate::world::{
    DAY, MINUTE, Must, TTL, World, about, bought, commits, object, offer, offers, outcomes, refused,
};

/// A task and the recorded reply of its call are there at once.
pub async fn issue_records_the_reply_with_the_task(harness: &dyn Harness) {
    let world = World::new(harness);
    let ticket = world.first("key").await;
    let reply = object(json!({ "status": "submitted", "task_id": "t" }));
    world.issue(world.task("t").settling(ticket, reply.clone())).await;
    assert!(world.shown("t").await);
    assert_eq!(world.replay("key").await, reply);
    world.finish("t", bought("mb_1")).await.must();
    assert_eq!(world.replay("key").await, reply, "the end of a task does not change what was answered");
}

/// A task whose claim is lost is not issued, and takes over no reservation.
pub async fn issue_with_a_stale_ticket_writes_nothing(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let (hold, ticket) = (world.reserve("p").await.must(), world.first("key").await);
    let reply = object(json!({ "media_buy_id": "mb_1" }));
    world.settle(ticket.clone(), Settlement::Replied(reply.clone())).await.must();
    let before = world.proposal("p").await;
    let task = world.task("t").with_effects(Effects::none().with_purchase(hold));
    let task = task.settling(ticket, object(json!({ "task_id": "t" })));
    refused!(world.registry.issue(task).await, RegistryError::StaleTicket);
    assert_eq!(world.find("t").await, None);
    assert_eq!(world.proposal("p").await, before);
    assert_eq!(world.replay("key").await, reply);
}

/// A task whose reservation is lost is not issued, and no reply is recorded for its call.
pub async fn issue_with_a_lost_hold_writes_nothing(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let (hold, ticket) = (world.reserve("p").await.must(), world.first("key").await);
    world.pass(MINUTE).await;
    let winner = world.reserve("p").await.must();
    let task = world.task("t").with_effects(Effects::none().with_purchase(hold));
    let task = task.settling(ticket.clone(), object(json!({ "task_id": "t" })));
    refused!(world.registry.issue(task).await, RegistryError::Proposal(_));
    assert_eq!(world.find("t").await, None);
    assert!(world.is_in_flight("key").await);
    world.settle(ticket, Settlement::Released).await.must();
    world.apply(vec![world.consume(&winner, "mb_1")]).await.must();
}

/// A task that is refused for its id records no reply and moves no reservation.
pub async fn issue_with_a_known_id_writes_nothing(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let (hold, ticket) = (world.reserve("p").await.must(), world.first("key").await);
    world.issue(world.task("t")).await;
    let before = world.proposal("p").await;
    let task = world.task("t").with_effects(Effects::none().with_purchase(hold));
    let task = task.settling(ticket, object(json!({ "task_id": "t" })));
    refused!(world.registry.issue(task).await, RegistryError::DuplicateTask(_));
    assert_eq!(world.proposal("p").await, before);
    assert!(world.is_in_flight("key").await);
}

/// While the first call runs a repeat is told so; afterwards it gets the recorded reply, value by value.
pub async fn a_repeat_gets_the_recorded_reply(harness: &dyn Harness) {
    let world = World::new(harness);
    let ticket = world.first("key").await;
    assert_eq!(ticket.key, world.key("key"));
    assert!(world.is_in_flight("key").await);
    let reply = object(json!({ "n": 0.1, "big": 9_007_199_254_740_993_u64, "\u{e9}": ["\u{1f600}", null] }));
    world.settle(ticket, Settlement::Replied(reply.clone())).await.must();
    for _ in 0..2 {
        assert_eq!(world.replay("key").await, reply);
    }
}

/// A key that was used for another request is a conflict, whatever became of that request.
pub async fn another_request_under_the_key_conflicts(harness: &dyn Harness) {
    let world = World::new(harness);
    let other = || {
        let mut claim = world.call("key");
        claim.hash = [2; 32];
        world.registry.claim_call(claim)
    };
    let ticket = world.first("key").await;
    assert!(matches!(other().await.must(), Claim::Conflict));
    world.settle(ticket, Settlement::Replied(object(json!({})))).await.must();
    assert!(matches!(other().await.must(), Claim::Conflict));
    assert_eq!(world.replay("key").await, object(json!({})));
}

/// A key whose call failed without effect is free, also for another request.
pub async fn a_released_key_is_free(harness: &dyn Harness) {
    let world = World::new(harness);
    let ticket = world.first("key").await;
    world.settle(ticket, Settlement::Released).await.must();
    let mut claim = world.call("key");
    claim.hash = [2; 32];
    assert!(matches!(world.registry.claim_call(claim).await.must(), Claim::First(_)));
}

/// A key whose outcome nobody knows stays closed.
pub async fn a_fenced_key_never_runs_again(harness: &dyn Harness) {
    let world = World::new(harness);
    let ticket = world.first("key").await;
    world.settle(ticket, Settlement::Fenced).await.must();
    for _ in 0..3 {
        assert!(world.is_in_flight("key").await);
        world.pass(TTL / 4).await;
    }
    world.pass(TTL / 4).await;
    assert!(matches!(world.claim("key").await, Claim::Expired));
}

/// A ticket that was used, made up, or overtaken by a later holder settles nothing and writes nothing.
pub async fn a_stale_ticket_is_refused(harness: &dyn Harness) {
    let world = World::new(harness);
    let now = world.now().await;
    let settle = async |ticket: &Ticket| {
        let replied = Settlement::Replied(object(json!({ "late": true })));
        let effects = offers(&world.buyer(), &offer(&["p"], "offered"), now);
        let late = SettleCall::new(ticket.clone(), replied).applying(effects);
        refused!(world.registry.settle_call(late).await, RegistryError::StaleTicket);
        for settlement in [Settlement::Released, Settlement::Fenced] {
            refused!(world.settle(ticket.clone(), settlement).await, RegistryError::StaleTicket);
        }
    };
    let used = world.first("used").await;
    world.settle(used.clone(), Settlement::Replied(object(json!({})))).await.must();
    settle(&used).await;
    assert_eq!(world.replay("used").await, object(json!({})));

    let fenced = world.first("fenced").await;
    world.settle(fenced.clone(), Settlement::Fenced).await.must();
    settle(&fenced).await;
    assert!(world.is_in_flight("fenced").await);

    let overtaken = world.first("overtaken").await;
    world.settle(overtaken.clone(), Settlement::Released).await.must();
    let holder = world.first("overtaken").await;
    assert_ne!(holder.token, overtaken.token, "each claim has a token of its own");
    settle(&overtaken).await;
    assert!(world.is_in_flight("overtaken").await);
    world.settle(holder, Settlement::Released).await.must();
    settle(&overtaken).await;

    world.first("guessed").await;
    settle(&Ticket::new(world.key("guessed"), [0; 16])).await;
    settle(&Ticket::new(world.key("never claimed"), [0; 16])).await;
    assert_eq!(world.proposal("p").await, None, "an effect of a refused settlement was written");
}

/// A key whose time is over answers so, whatever became of its call.
pub async fn expired_keys_answer_expired(harness: &dyn Harness) {
    let world = World::new(harness);
    let replied = world.first("replied").await;
    world.settle(replied, Settlement::Replied(object(json!({})))).await.must();
    let fenced = world.first("fenced").await;
    world.settle(fenced, Settlement::Fenced).await.must();
    world.first("running").await;
    world.pass(TTL - MINUTE).await;
    world.replay("replied").await;
    world.pass(MINUTE).await;
    for name in ["replied", "fenced", "running"] {
        let claim = world.claim(name).await;
        assert!(matches!(claim, Claim::Expired), "{name}: {claim:?}");
    }
    world.pass(TTL - MINUTE).await;
    for name in ["replied", "fenced", "running"] {
        let claim = world.claim(name).await;
        assert!(matches!(claim, Claim::Expired), "{name} is forgotten too early: {claim:?}");
    }
}

/// A call that took longer than its key is replayed still settles: its effects are not lost.
pub async fn a_late_settlement_still_counts(harness: &dyn Harness) {
    let world = World::new(harness);
    let ticket = world.first("key").await;
    world.pass(TTL).await;
    let effects = offers(&world.buyer(), &offer(&["p"], "offered"), world.now().await);
    let settle = SettleCall::new(ticket, Settlement::Replied(object(json!({})))).applying(effects);
    world.registry.settle_call(settle).await.must();
    assert_eq!(world.state("p").await, ProposalState::Draft);
    assert!(matches!(world.claim("key").await, Claim::Expired));
}

/// When an effect is refused, the claim stays with its holder and no other effect is written.
pub async fn a_refused_effect_settles_nothing(harness: &dyn Harness) {
    let world = World::new(harness);
    let ticket = world.first("key").await;
    let now = world.now().await;
    let mut effects = offers(&world.buyer(), &offer(&["kept"], "offered"), now);
    effects.extend(commits(&world.buyer(), &["unknown"], now.after(DAY), now));
    let replied = Settlement::Replied(object(json!({})));
    let settle = SettleCall::new(ticket.clone(), replied.clone()).applying(effects);
    refused!(world.registry.settle_call(settle).await, RegistryError::Proposal(_));
    assert_eq!(world.proposal("kept").await, None);
    assert!(world.is_in_flight("key").await);
    world.settle(ticket, replied).await.must();
}

/// A call without a key writes its effects all the same.
pub async fn a_call_without_a_key_writes_its_effects(harness: &dyn Harness) {
    let world = World::new(harness);
    world.draft(&["p"]).await;
    assert_eq!(world.state("p").await, ProposalState::Draft);
    assert_eq!(world.registry.unresolved_calls(&world.tenant, 10).await.must(), []);
}

/// Keys without a known outcome are listed, oldest first, until an operator settles them.
pub async fn unresolved_calls_are_listed_and_resolved(harness: &dyn Harness) {
    let world = World::new(harness);
    let running = world.first("running").await;
    world.pass(MINUTE).await;
    let fenced = world.first("fenced").await;
    world.settle(fenced, Settlement::Fenced).await.must();
    world.pass(MINUTE).await;
    for (name, settlement) in
        [("replied", Settlement::Replied(object(json!({})))), ("released", Settlement::Released)]
    {
        let ticket = world.first(name).await;
        world.settle(ticket, settlement).await.must();
    }
    let stranger = CallKey::new(world.strangers().pop().must(), "elsewhere");
    let elsewhere = ClaimCall::new(stranger, "create_media_buy", [1; 32], TTL);
    world.registry.claim_call(elsewhere).await.must();
    let list = async |limit| world.registry.unresolved_calls(&world.tenant, limit).await.must();
    let found = list(10).await;
    let seen: Vec<_> = found.iter().map(|call| (call.key.clone(), call.tool.as_str(), call.fenced)).collect();
    let want =
        [(world.key("running"), "create_media_buy", false), (world.key("fenced"), "create_media_buy", true)];
    assert_eq!(seen, want);
    about(found[1].since, found[0].since.after(MINUTE));
    assert_eq!(list(1).await, found[..1]);
    let resolve = async |name: &str, resolution| {
        world.registry.resolve_call(ResolveCall::new(world.key(name), resolution)).await.must()
    };
    for name in ["replied", "released", "never claimed"] {
        assert!(!resolve(name, Resolution::Succeeded).await, "{name} is not unresolved");
    }
    assert!(resolve("fenced", Resolution::Succeeded).await);
    assert!(matches!(world.claim("fenced").await, Claim::Expired));
    assert!(!resolve("fenced", Resolution::Released).await, "settled twice");
    assert!(resolve("running", Resolution::Released).await);
    assert_eq!(list(10).await, []);
    let later = world.first("running").await;
    assert_ne!(later.token, running.token);
}

/// Keys stay listed when their time is over, whoever they belong to, and can be settled then.
pub async fn unresolved_calls_outlive_their_time(harness: &dyn Harness) {
    let world = World::new(harness);
    let bare = CallKey::new(world.owner(None, "agent_1"), "key");
    let keys = [
        world.key("key"),
        world.key("key").with_session(Some("s".into())),
        bare.clone(),
        bare.with_session(Some("s".into())),
    ];
    for key in &keys {
        let claim = ClaimCall::new(key.clone(), "si_send_message", [1; 32], TTL);
        assert!(matches!(world.registry.claim_call(claim).await.must(), Claim::First(_)), "{key:?}");
        world.pass(Duration::from_secs(1)).await;
    }
    world.pass(TTL).await;
    for (place, key) in keys.iter().enumerate() {
        let listed = world.registry.unresolved_calls(&world.tenant, 10).await.must();
        let listed: Vec<_> = listed.into_iter().map(|call| call.key).collect();
        assert_eq!(listed, keys[place..]);
        let resolve = ResolveCall::new(key.clone(), Resolution::Released);
        assert!(world.registry.resolve_call(resolve).await.must(), "{key:?}");
        let again = ClaimCall::new(key.clone(), "si_send_message", [2; 32], TTL);
        let claim = world.registry.claim_call(again).await.must();
        let Claim::First(ticket) = claim else { panic!("a released key is {claim:?}") };
        world.settle(ticket, Settlement::Replied(object(json!({})))).await.must();
    }
}

/// Once an operator settled a key, the call that held it settles nothing any more.
pub async fn a_resolved_key_refuses_its_late_holder(harness: &dyn Harness) {
    let world = World::new(harness);
    for (name, resolution) in [("succeeded", Resolution::Succeeded), ("released", Resolution::Released)] {
        let ticket = world.first(name).await;
        assert!(world.registry.resolve_call(ResolveCall::new(world.key(name), resolution)).await.must());
        let late = Settlement::Replied(object(json!({ "late": true })));
        refused!(world.settle(ticket, late).await, RegistryError::StaleTicket);
    }
    assert!(matches!(world.claim("succeeded").await, Claim::Expired));
    world.first("released").await;
}

/// A recorded reply says nothing of how the task ends, and ends do not touch keys.
pub async fn ends_of_tasks_leave_keys_alone(harness: &dyn Harness) {
    let world = World::new(harness);
    for (number, outcome) in outcomes().into_iter().enumerate() {
        let name = format!("t{number}");
        let ticket = world.first(&name).await;
        let reply = object(json!({ "task_id": name }));
        world.issue(world.task(&name).settling(ticket, reply.clone())).await;
        world.finish(&name, outcome).await.must();
        assert_eq!(world.replay(&name).await, reply);
    }
    assert_eq!(world.registry.unresolved_calls(&world.tenant, 10).await.must(), []);
}
