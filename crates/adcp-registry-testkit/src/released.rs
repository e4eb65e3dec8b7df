//! What the rows of a released version come to for this one. The registries keep such rows as test data.

use std::collections::BTreeMap;

use adcp_core::{
    AccountId, CallKey, Claim, ClaimCall, ClaimDeliveries, ConfirmTask, EndOverdue, FinishTask, LeaseToken,
    ListEvents, ListTasks, Outcome, Owner, Principal, ProposalId, ProposalKey, ProposalState, Registry,
    RenewLease, Resolution, ResolveCall, Scope, TaskId, TaskPhase, TaskRecord, TaskStatus, TenantId,
};
use adcp_types::json::JsonObject;
use serde_json::{Value, json};

use crate::world::{DAY, HOUR, LineItem, Must, backing, bought, firm_offer, object, offer, refused};

/// The tasks of `acme` in the rows of schema 1, and how they stand.
const TASKS: [(&str, TaskStatus); 16] = [
    ("t_submitted", TaskStatus::Submitted),
    ("t_enqueuing", TaskStatus::Submitted),
    ("t_working", TaskStatus::Working),
    ("t_paused", TaskStatus::InputRequired),
    ("t_leased", TaskStatus::Submitted),
    ("t_overdue", TaskStatus::Submitted),
    ("t_sealed", TaskStatus::Submitted),
    ("t_drafts", TaskStatus::Submitted),
    ("t_finalizes", TaskStatus::Submitted),
    ("t_buys", TaskStatus::Submitted),
    ("t_bought", TaskStatus::Completed),
    ("t_completed", TaskStatus::Completed),
    ("t_failed", TaskStatus::Failed),
    ("t_canceled", TaskStatus::Canceled),
    ("t_rejected", TaskStatus::Rejected),
    ("t_replied", TaskStatus::Submitted),
];

fn owner() -> Owner {
    Owner::new(TenantId::new("default"), Some(AccountId::new("acme")), Principal::new("agency"))
}

fn operator() -> Scope {
    Scope::Operator { tenant: TenantId::new("default") }
}

fn proposal(id: &str) -> ProposalKey {
    ProposalKey::of(&owner(), ProposalId::new(id))
}

fn claim(key: &str) -> ClaimCall {
    ClaimCall::new(CallKey::new(owner(), key), "create_media_buy", [1; 32], HOUR)
}

async fn read(registry: &dyn Registry, id: &str) -> TaskRecord {
    registry.get(&TaskId::new(id), &operator()).await.must().must()
}

/// Every row is read as it was written. Nothing is changed.
pub async fn rows_of_schema_1_are_read(registry: &dyn Registry) {
    for (id, status) in TASKS {
        let task = read(registry, id).await;
        assert_eq!((task.status, &task.owner), (status, &owner()), "{id}");
        let context = object(json!({ "trace": id, "a": [1.5, null, "\u{1f600}"] }));
        assert_eq!(task.context, Some(context), "{id}");
        assert_eq!(task.history.first().map(|first| first.status), Some(TaskStatus::Submitted), "{id}");
        assert_eq!(task.history.last().map(|last| last.status), Some(status), "{id}");
        assert_eq!(task.ended_at.is_some(), status.is_terminal(), "{id}");
        let shown = registry.get(&task.id, &owner().scope()).await.must();
        assert_eq!(shown.is_some(), id != "t_enqueuing", "{id}");
    }
    let working = read(registry, "t_working").await.progress.must();
    assert_eq!((working.percentage, working.current_step.as_deref()), (Some(40.0), Some("booking")));
    assert_eq!(read(registry, "t_paused").await.question.must()["question"], "go on?");
    assert_eq!(read(registry, "t_leased").await.lease.must().token, LeaseToken::stored([9; 16]));
    assert_eq!(read(registry, "t_enqueuing").await.phase, TaskPhase::Enqueuing);
    let to = read(registry, "t_sealed").await.effects.notify.must();
    assert_eq!(to.token.must().expose(), "token of the buyer");
    assert_eq!(to.authentication.must().credentials.expose(), "credentials of the buyer");
    assert_eq!(read(registry, "t_buys").await.effects.purchase.must().key, proposal("p_held"));
    assert_eq!(read(registry, "t_bought").await.outcome, Some(bought("mb_1")));
    let canceled = Outcome::Canceled("no longer wanted".into());
    assert_eq!(read(registry, "t_canceled").await.outcome, Some(canceled));

    let mut listed = ListTasks::new(owner().scope());
    listed.limit = 1000;
    listed.filter.ids = TASKS.iter().map(|(id, _)| TaskId::new(*id)).collect();
    assert_eq!(registry.list(listed).await.must().tasks.len(), TASKS.len() - 1, "but for the hidden one");
    let other = Scope::Operator { tenant: TenantId::new("other") };
    assert!(registry.get(&TaskId::new("t_elsewhere"), &other).await.must().is_some());

    for (id, state) in [
        ("p_draft", ProposalState::Draft),
        ("p_refined", ProposalState::Draft),
        ("p_finalized", ProposalState::Draft),
        ("p_firm", ProposalState::Committed),
        ("p_released", ProposalState::Committed),
        ("p_held", ProposalState::Consuming),
        ("p_bought", ProposalState::Consumed),
    ] {
        let found = registry.proposal(&proposal(id)).await.must().must();
        assert_eq!(found.state, state, "{id}");
        assert_eq!(found.payload["proposal_id"], id);
        let recipe = found.recipes.get("prod_1").must().read::<LineItem>().must();
        assert_eq!(recipe, LineItem { template: 7 }, "{id}");
    }
    let sold = registry.proposal_of_buy(&owner(), "mb_1").await.must().must();
    assert_eq!(sold.key, proposal("p_bought"));
    let told = events(registry).await;
    assert_eq!(told.len(), 5, "{told:?}");
    assert_eq!(told["t_bought"]["token"], "token of the buyer");

    for (key, reply) in [("k_replied", json!("mb_9")), ("k_with_task", Value::Null)] {
        match registry.claim_call(claim(key)).await.must() {
            Claim::Replay(found) => assert_eq!(found.get("media_buy_id").unwrap_or(&Value::Null), &reply),
            other => panic!("{key}: {other:?}"),
        }
    }
    for key in ["k_running", "k_fenced"] {
        assert!(matches!(registry.claim_call(claim(key)).await.must(), Claim::InFlight), "{key}");
    }
    let mut unresolved = registry.unresolved_calls(&TenantId::new("default"), 100).await.must();
    // Others may be at work meanwhile.
    unresolved.retain(|call| call.key.key.starts_with("k_"));
    assert_eq!(unresolved.len(), 3, "{unresolved:?}");
}

/// The bodies of queued events, by the task they tell of.
async fn events(registry: &dyn Registry) -> BTreeMap<String, JsonObject> {
    let mut req = ListEvents::new(operator());
    req.limit = 10_000;
    let found = registry.events(req).await.must();
    let body = |body: &str| serde_json::from_str::<JsonObject>(body).must();
    let ours = found.iter().map(|event| body(&event.body)).filter_map(|body| {
        let id = body.get("task_id").and_then(Value::as_str)?.to_owned();
        TASKS.iter().any(|(known, _)| *known == id).then_some((id, body))
    });
    ours.collect()
}

/// What was queued is claimed for delivery, as it was queued. To be called once, before the ending.
pub async fn events_of_schema_1_are_claimed(registry: &dyn Registry) {
    let claimed = registry.claim_deliveries(ClaimDeliveries::new()).await.must();
    assert!(claimed.dead.is_empty(), "{:?}", claimed.dead);
    let events: Vec<_> = claimed.deliveries.iter().map(|claimed| &claimed.event).collect();
    assert_eq!(events.len(), 5, "{events:?}");
    for event in events {
        let body: JsonObject = serde_json::from_str(&event.body).must();
        let sealed = body["task_id"] == "t_bought";
        assert_eq!(event.authentication.is_some(), sealed, "{event:?}");
        assert_eq!(body["idempotency_key"], event.key.as_str());
    }
}

/// Every row is taken up and ended as one of this version's own. To be called once, after the reading.
pub async fn rows_of_schema_1_are_ended(registry: &dyn Registry) {
    let lease = RenewLease::new(TaskId::new("t_leased"), owner().scope(), LeaseToken::stored([9; 16]), HOUR);
    registry.renew_lease(lease).await.must();
    registry.confirm(ConfirmTask::new(TaskId::new("t_enqueuing"), owner().scope())).await.must();
    let overdue = registry.end_overdue(EndOverdue::everywhere()).await.must();
    assert!(overdue.iter().any(|task| task.id.as_str() == "t_overdue"), "{overdue:?}");
    let until = read(registry, "t_submitted").await.created_at.after(DAY * 365 * 50);
    for (id, status) in TASKS {
        let outcome = match id {
            "t_overdue" => continue,
            "t_buys" => bought("mb_3"),
            "t_drafts" => Outcome::Completed(offer(&["p_refined"], "refined")),
            "t_finalizes" => Outcome::Completed(firm_offer(&["p_finalized"], until)),
            _ => Outcome::Canceled("upgraded".into()),
        };
        let end = FinishTask::new(TaskId::new(id), owner().scope(), outcome).with_backing(backing(9));
        let end = if id == "t_leased" { end.under(Some(LeaseToken::stored([9; 16]))) } else { end };
        let ended = registry.finish(end).await;
        if status.is_terminal() {
            refused!(ended, adcp_core::RegistryError::AlreadyEnded(_));
        } else {
            ended.must();
        }
    }
    for (id, _) in TASKS {
        let task = read(registry, id).await;
        assert!(task.status.is_terminal() && task.ended_at.is_some(), "{id}: {task:?}");
    }
    for (id, state) in [
        ("p_held", ProposalState::Consumed),
        ("p_refined", ProposalState::Draft),
        ("p_finalized", ProposalState::Committed),
    ] {
        assert_eq!(registry.proposal(&proposal(id)).await.must().must().state, state, "{id}");
    }
    let told = events(registry).await;
    assert_eq!(told.len(), 8, "{told:?}");
    for id in ["t_sealed", "t_buys"] {
        assert_eq!(told[id]["token"], "token of the buyer", "{id}");
    }
    for key in ["k_running", "k_fenced"] {
        let resolve = ResolveCall::new(CallKey::new(owner(), key), Resolution::Released);
        assert!(registry.resolve_call(resolve).await.must(), "{key}");
        assert!(matches!(registry.claim_call(claim(key)).await.must(), Claim::First(_)), "{key}");
    }
}
