//! What only a registry in memory has: bounds, and what makes room below them.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{
    AccountId, Backing, CallKey, CallStore, Claim, ClaimCall, DeleteDocument, DeliveryOutbox, DocumentKey,
    DocumentScope, Documents as _, Effect, Effects, Event, Expect, ExpireDeliveries, FinishTask, Forget,
    IssueTask, KeepDrafts, ListEvents, ManualClock, Outcome, Owner, Principal, ProposalId, ProposalKey,
    ProposalStore, PublishEvents, PutDocument, Registration, Registry, RegistryError, ReserveProposal,
    Reserved, Retention, Scope, SettleCall, Settlement, TaskId, TaskRecord, TaskRegistry, TenantId,
    Timestamp,
};
use adcp_registry_memory::{MemoryLimits, MemoryRegistry};
use adcp_types::json::JsonObject;
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3600);
const START: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn owner(principal: &str) -> Owner {
    Owner::new(TenantId::single(), Some(AccountId::new(format!("of {principal}"))), Principal::new(principal))
}

fn registry(limits: MemoryLimits) -> (MemoryRegistry, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(START));
    (MemoryRegistry::volatile().with_clock(clock.clone()).with_limits(limits), clock)
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        other => panic!("not an object: {other}"),
    }
}

fn task(principal: &str, id: &str) -> IssueTask {
    IssueTask::new(TaskId::new(id), owner(principal), "create_media_buy", "create_media_buy", "media-buy")
}

fn canceled(principal: &str, id: &str) -> FinishTask {
    FinishTask::new(TaskId::new(id), owner(principal).scope(), Outcome::Canceled("late".into()))
}

fn claim(principal: &str, key: &str) -> ClaimCall {
    ClaimCall::new(CallKey::new(owner(principal), key), "create_media_buy", [1; 32], HOUR)
}

fn proposals(ids: &[&str]) -> Outcome {
    let proposals: Vec<_> = ids.iter().map(|id| json!({ "proposal_id": id, "allocations": [] })).collect();
    Outcome::Completed(object(json!({ "proposals": proposals })))
}

/// Offers that are firm at once for an hour, and kept as drafts for an hour otherwise.
fn offers(principal: &str, ids: &[&str], firm: bool, now: Timestamp) -> Vec<Effect> {
    let keep = KeepDrafts::new(HOUR).committing_for(firm.then_some(HOUR));
    let effects = Effects::none().with_drafts(keep);
    effects.on_ledger(&owner(principal), &proposals(ids), &Backing::default(), now)
}

fn call(effects: Vec<Effect>) -> SettleCall {
    SettleCall::new(None, Settlement::Replied(JsonObject::new())).applying(effects)
}

fn hourly() -> Forget {
    Forget::new(Retention::new().with_tasks(HOUR))
}

fn full<T: std::fmt::Debug>(result: Result<T, RegistryError>) -> &'static str {
    match result {
        Err(RegistryError::Full { what }) => what,
        other => panic!("expected a bound, got {other:?}"),
    }
}

#[tokio::test]
async fn keys_are_refused_at_the_bound_and_time_makes_room() {
    let (registry, clock) = registry(MemoryLimits::new().with_max_calls(2));
    let first = async |buyer| match registry.claim_call(claim(buyer, "1")).await.unwrap() {
        Claim::First(ticket) => ticket,
        other => panic!("{other:?}"),
    };
    let replied = Settlement::Replied(JsonObject::new());
    registry.settle_call(SettleCall::new(first("p").await, replied)).await.unwrap();
    first("q").await;
    assert_eq!(full(registry.claim_call(claim("r", "1")).await), "idempotency keys");
    clock.advance(HOUR * 2);
    first("r").await;
    clock.advance(HOUR * 2);
    assert_eq!(
        full(registry.claim_call(claim("s", "1")).await),
        "idempotency keys",
        "nobody knows of two calls"
    );
}

#[tokio::test]
async fn replies_are_bounded_by_their_bytes() {
    let (registry, clock) = registry(MemoryLimits::new().with_max_reply_bytes(100));
    let reply = Settlement::Replied(object(json!({ "text": "x".repeat(150) })));
    let Claim::First(ticket) = registry.claim_call(claim("p", "1")).await.unwrap() else { panic!() };
    registry.settle_call(SettleCall::new(ticket, reply)).await.unwrap();
    assert!(matches!(registry.claim_call(claim("p", "1")).await.unwrap(), Claim::Replay(_)));
    assert_eq!(full(registry.claim_call(claim("q", "2")).await), "recorded replies");
    clock.advance(HOUR * 2);
    assert!(matches!(registry.claim_call(claim("q", "2")).await.unwrap(), Claim::First(_)));
}

#[tokio::test]
async fn retention_makes_room_but_open_tasks_stay() {
    let (registry, clock) = registry(MemoryLimits::new().with_max_tasks(2));
    registry.issue(task("p", "open")).await.unwrap();
    registry.issue(task("q", "ended")).await.unwrap();
    registry.finish(canceled("q", "ended")).await.unwrap();
    assert_eq!(full(registry.issue(task("r", "x")).await), "tasks");
    clock.advance(HOUR);
    assert_eq!(registry.forget(hourly()).await.unwrap().tasks, 1);
    registry.issue(task("r", "x")).await.unwrap();
    clock.advance(HOUR * 100);
    assert_eq!(registry.forget(hourly()).await.unwrap().tasks, 0);
    assert_eq!(full(registry.issue(task("r", "y")).await), "tasks");
    assert!(registry.get(&TaskId::new("open"), &owner("p").scope()).await.unwrap().is_some());
}

#[tokio::test]
async fn contexts_are_bounded_by_their_bytes() {
    let (registry, clock) = registry(MemoryLimits::new().with_max_context_bytes(300));
    let big = |buyer: &str, id: &str| {
        task(buyer, id).with_context(Some(object(json!({ "text": "x".repeat(120) }))))
    };
    registry.issue(big("p", "t1")).await.unwrap();
    assert_eq!(
        full(
            registry
                .issue(big("q", "t2").with_context(Some(object(json!({ "text": "x".repeat(200) })))))
                .await
        ),
        "contexts"
    );
    registry.issue(task("q", "bare")).await.unwrap();
    registry.finish(canceled("p", "t1")).await.unwrap();
    clock.advance(HOUR);
    registry.forget(hourly()).await.unwrap();
    registry.issue(big("q", "t2")).await.unwrap();
}

#[tokio::test]
async fn forgotten_drafts_do_not_keep_a_task_from_ending() {
    let (registry, clock) = registry(MemoryLimits::new().with_max_proposals(2));
    registry.settle_call(call(offers("p", &["1"], false, START))).await.unwrap();
    registry.settle_call(call(offers("q", &["1"], false, START))).await.unwrap();
    let keeps = Effects::none().with_drafts(KeepDrafts::new(HOUR));
    registry.issue(task("r", "t").with_effects(keeps)).await.unwrap();
    let end = FinishTask::new(TaskId::new("t"), owner("r").scope(), proposals(&["1"]));
    assert_eq!(full(registry.finish(end.clone()).await), "proposals");
    clock.advance(HOUR);
    registry.finish(end).await.unwrap();
}

#[tokio::test]
async fn an_order_that_bought_twice_outlives_the_first_proposal() {
    let (registry, clock) = registry(MemoryLimits::new());
    for id in ["first", "second"] {
        let now = if id == "first" { START } else { START.after(HOUR) };
        registry.settle_call(call(offers("p", &[id], true, now))).await.unwrap();
        let key = ProposalKey::of(&owner("p"), ProposalId::new(id));
        let Reserved::Held { hold, .. } = registry.reserve(ReserveProposal::new(key)).await.unwrap() else {
            panic!("cannot be reserved")
        };
        let bought = Outcome::Completed(object(json!({ "media_buy_id": "mb" })));
        let effects = Effects::none().with_purchase(hold);
        let effects = effects.on_ledger(&owner("p"), &bought, &Backing::default(), now);
        registry.settle_call(call(effects)).await.unwrap();
        clock.advance(HOUR);
    }
    // A week after the first expired it is forgotten, and the second is not.
    clock.advance(Duration::from_secs(7 * 24 * 3600) - HOUR);
    let gone = ProposalKey::of(&owner("p"), ProposalId::new("first"));
    assert_eq!(registry.proposal(&gone).await.unwrap(), None);
    let found = registry.proposal_of_buy(&owner("p"), "mb").await.unwrap().unwrap();
    assert_eq!(found.key.id, ProposalId::new("second"));
}

#[tokio::test]
async fn events_of_calls_are_bounded_and_forgotten() {
    let limits = MemoryLimits::new().with_max_tasks(3);
    let (registry, clock) = registry(limits);
    let to = Registration::new("https://buyer.example/hook", "op").unwrap();
    let elsewhere = TaskRecord::submitted(task("p", "elsewhere"), START);
    let fresh = || Registration::new("https://buyer.example/hook", "op").unwrap();
    let now = || adcp_core::Clock::now(&*clock);
    let event = || Event::ending(&elsewhere, &Outcome::Canceled("late".into()), &fresh(), now());
    let queue = |number: usize| call((0..number).map(|_| Effect::Queue(event())).collect());
    registry.settle_call(queue(2)).await.unwrap();
    assert_eq!(full(registry.settle_call(queue(2)).await), "events");
    let operator = || ListEvents::new(Scope::Operator { tenant: TenantId::single() });
    assert_eq!(registry.events(operator()).await.unwrap().len(), 2);
    clock.advance(HOUR);
    let forget = Forget::new(Retention::new().with_dead_letters(HOUR));
    assert_eq!(registry.forget(forget).await.unwrap().events, 0, "nobody gave them up");
    registry.expire_deliveries(ExpireDeliveries::new(HOUR)).await.unwrap();
    clock.advance(HOUR);
    assert_eq!(registry.forget(forget).await.unwrap().bodies, 2);
    clock.advance(HOUR);
    assert_eq!(registry.forget(forget).await.unwrap().events, 2);
    assert_eq!(registry.events(operator()).await.unwrap(), []);
    registry.settle_call(queue(3)).await.unwrap();
    // The end of a task is never refused for a bound.
    registry.issue(task("p", "t").with_effects(Effects::none().with_notify(Some(to.clone())))).await.unwrap();
    registry.finish(canceled("p", "t")).await.unwrap();
    assert_eq!(registry.events(operator()).await.unwrap().len(), 4);
    // Nor is a call that queues nothing.
    registry.publish(PublishEvents::new(Vec::new())).await.unwrap();
}

/// Once a table is half full, whoever holds a tenth of it gets no more; everybody else does.
#[tokio::test]
async fn one_buyer_does_not_fill_the_store_for_all() {
    let limits = MemoryLimits::new().with_max_tasks(20).with_max_calls(20).with_max_proposals(20);
    let (registry, _) = registry(limits);
    let now = START;
    let take = async |buyer: &str, number: usize| {
        let id = format!("{buyer}{number}");
        let issued = registry.issue(task(buyer, &id)).await.map(drop);
        let claimed = registry.claim_call(claim(buyer, &id)).await.map(drop);
        let offered = registry.settle_call(call(offers(buyer, &[&id], false, now))).await;
        [issued, claimed, offered]
    };
    for number in 0..10 {
        assert!(take("greedy", number).await.iter().all(Result::is_ok), "{number}");
    }
    let whats = take("greedy", 10).await.map(full);
    assert_eq!(whats, ["tasks", "idempotency keys", "proposals"]);
    for buyer in ["a", "b", "c", "d", "e"] {
        for number in 0..2 {
            assert!(take(buyer, number).await.iter().all(Result::is_ok), "{buyer} {number}");
        }
    }
    assert_eq!(take("late", 0).await.map(full), whats);
    // What the greedy one has is still its own to change.
    let again = registry.settle_call(call(offers("greedy", &["greedy0"], false, now))).await;
    again.unwrap();
    registry.finish(canceled("greedy", "greedy0")).await.unwrap();
}

#[tokio::test]
async fn documents_are_bounded_in_number_and_bytes_and_one_scope_does_not_take_all() {
    let limits = MemoryLimits::new().with_max_documents(20).with_max_document_bytes(1000);
    let (registry, _) = registry(limits);
    let put = async |buyer: &str, id: &str, bytes: usize| {
        let key = DocumentKey::new(DocumentScope::Caller(owner(buyer)), "hook", id).unwrap();
        registry.put_document(PutDocument::new(key, json!("x".repeat(bytes)), Expect::Any)).await
    };
    for number in 0..10 {
        put("greedy", &format!("{number}"), 10).await.unwrap();
    }
    assert_eq!(full(put("greedy", "more", 10).await), "documents");
    put("modest", "one", 10).await.unwrap();
    // What is there may be replaced, also by more, as long as the bytes last.
    put("greedy", "3", 20).await.unwrap();
    assert_eq!(full(put("modest", "one", 900).await), "bytes of documents");
    let gone = DocumentKey::new(DocumentScope::Caller(owner("greedy")), "hook", "3").unwrap();
    registry.delete_document(DeleteDocument::new(gone, Expect::Any)).await.unwrap();
    put("modest", "two", 10).await.unwrap();
}
