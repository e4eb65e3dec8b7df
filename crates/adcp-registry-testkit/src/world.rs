//! A corner of the store that belongs to one check: its own tenant, its buyers, and short words for what they do.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::{
    AccountId, AdcpError, Backing, CallKey, Claim, ClaimCall, ConfirmTask, DiscardTask, Effect, Effects,
    Event, FinishTask, Finished, Hold, IssueTask, KeepDrafts, ListEvents, Outcome, Owner, Pause, PauseTask,
    Principal, Progress, ProposalId, ProposalKey, ProposalRecord, ProposalRefusal, ProposalState, Recipe,
    RecipeKind, Registration, Registry, RegistryError, ReportProgress, ReserveProposal, Reserved, Scope,
    SettleCall, Settlement, TaskId, TaskRecord, TenantId, Ticket, Timestamp, hex, random_bytes,
};
use adcp_types::ErrorCode;
use adcp_types::json::JsonObject;
use serde_json::{Value, json};

use crate::Harness;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long claims of the checks are replayed.
pub(crate) const TTL: Duration = HOUR;

/// Whether two instants are the same as far as a clock that goes on by itself can tell.
#[track_caller]
pub(crate) fn about(found: impl Into<Option<Timestamp>>, want: Timestamp) {
    let found = found.into().must();
    let apart = found.since(want).max(want.since(found));
    assert!(apart < MINUTE / 4, "expected about {want}, got {found}");
}

/// Gives the value or ends the check with what came instead.
pub(crate) trait Must<T> {
    #[track_caller]
    fn must(self) -> T;
}

impl<T, E: Debug> Must<T> for Result<T, E> {
    fn must(self) -> T {
        match self {
            Ok(value) => value,
            Err(error) => panic!("expected success, got {error:?}"),
        }
    }
}

impl<T> Must<T> for Option<T> {
    fn must(self) -> T {
        match self {
            Some(value) => value,
            None => panic!("expected something, got nothing"),
        }
    }
}

/// Ends the check unless the call was refused as expected.
macro_rules! refused {
    ($result:expr, $pattern:pat) => {
        match $result {
            Err($pattern) => {}
            other => panic!("expected {}, got {other:?}", stringify!($pattern)),
        }
    };
}
pub(crate) use refused;

pub(crate) struct World<'a> {
    harness: &'a dyn Harness,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) tenant: TenantId,
}

impl<'a> World<'a> {
    pub(crate) fn new(harness: &'a dyn Harness) -> Self {
        let tenant = format!("tenant_{}", hex(&random_bytes::<8>().must()));
        Self { harness, registry: harness.registry(), tenant: TenantId::new(tenant) }
    }

    /// Another instance on the same store where the backend has several.
    pub(crate) fn instance(&self) -> Arc<dyn Registry> {
        self.harness.registry()
    }

    pub(crate) async fn pass(&self, by: Duration) {
        self.harness.advance(by).await;
    }

    /// The time by the registry's clock, read off a task of nobody.
    pub(crate) async fn now(&self) -> Timestamp {
        let nobody = Owner::new(TenantId::new("clock"), None, Principal::new("clock"));
        let task = IssueTask::new(TaskId::random().must(), nobody, "clock", "clock", "clock");
        self.registry.issue(task).await.must().created_at
    }

    // Who acts.

    pub(crate) fn owner(&self, account: Option<&str>, principal: &str) -> Owner {
        Owner::new(self.tenant.clone(), account.map(AccountId::new), Principal::new(principal))
    }

    pub(crate) fn buyer(&self) -> Owner {
        self.owner(Some("acct_1"), "agent_1")
    }

    /// Everybody whom nothing of the buyer concerns.
    pub(crate) fn strangers(&self) -> Vec<Owner> {
        let abroad = TenantId::new(format!("{}_other", self.tenant));
        vec![
            self.owner(Some("acct_2"), "agent_1"),
            self.owner(None, "agent_1"),
            self.owner(Some("acct_1"), "agent_2"),
            Owner::new(abroad, Some(AccountId::new("acct_1")), Principal::new("agent_1")),
        ]
    }

    pub(crate) fn operator(&self) -> Scope {
        Scope::Operator { tenant: self.tenant.clone() }
    }

    // Tasks of the buyer.

    /// Ids are unique in the whole store, so a tenant's carry its name.
    pub(crate) fn id(&self, name: &str) -> TaskId {
        TaskId::new(format!("{name}-{}", self.tenant))
    }

    pub(crate) fn task(&self, name: &str) -> IssueTask {
        self.task_of(&self.buyer(), name)
    }

    pub(crate) fn task_of(&self, owner: &Owner, name: &str) -> IssueTask {
        IssueTask::new(self.id(name), owner.clone(), "create_media_buy", "create_media_buy", "media-buy")
    }

    pub(crate) async fn issue(&self, task: IssueTask) -> TaskRecord {
        self.registry.issue(task).await.must()
    }

    /// As the operator sees it.
    pub(crate) async fn find(&self, name: &str) -> Option<TaskRecord> {
        self.registry.get(&self.id(name), &self.operator()).await.must()
    }

    pub(crate) async fn read(&self, name: &str) -> TaskRecord {
        self.find(name).await.must()
    }

    pub(crate) async fn shown(&self, name: &str) -> bool {
        self.registry.get(&self.id(name), &self.buyer().scope()).await.must().is_some()
    }

    pub(crate) async fn finish(&self, name: &str, outcome: Outcome) -> Result<Finished, RegistryError> {
        self.registry.finish(FinishTask::new(self.id(name), self.buyer().scope(), outcome)).await
    }

    pub(crate) async fn report(&self, name: &str, percent: f64) -> Result<(), RegistryError> {
        let progress = Progress::percent(percent).with_step("step").with_extra("rows", 3);
        self.registry.report(ReportProgress::new(self.id(name), self.buyer().scope(), progress)).await
    }

    pub(crate) async fn pause(&self, name: &str, pause: Pause) -> Result<(), RegistryError> {
        self.registry.pause(PauseTask::new(self.id(name), self.buyer().scope(), pause)).await
    }

    pub(crate) fn confirm(&self, name: &str) -> ConfirmTask {
        ConfirmTask::new(self.id(name), self.buyer().scope())
    }

    pub(crate) fn discard(&self, name: &str) -> DiscardTask {
        DiscardTask::new(self.id(name), self.buyer().scope())
    }

    pub(crate) async fn events(&self) -> Vec<Event> {
        self.registry.events(ListEvents::new(self.operator())).await.must()
    }

    // Calls of the buyer.

    pub(crate) fn key(&self, name: &str) -> CallKey {
        CallKey::new(self.buyer(), name)
    }

    pub(crate) fn call(&self, name: &str) -> ClaimCall {
        ClaimCall::new(self.key(name), "create_media_buy", [1; 32], TTL)
    }

    pub(crate) async fn claim(&self, name: &str) -> Claim {
        self.registry.claim_call(self.call(name)).await.must()
    }

    pub(crate) async fn first(&self, name: &str) -> Ticket {
        match self.claim(name).await {
            Claim::First(ticket) => ticket,
            other => panic!("expected to be first with key `{name}`, got {other:?}"),
        }
    }

    pub(crate) async fn replay(&self, name: &str) -> JsonObject {
        match self.claim(name).await {
            Claim::Replay(reply) => reply,
            other => panic!("expected a recorded reply under key `{name}`, got {other:?}"),
        }
    }

    pub(crate) async fn is_in_flight(&self, name: &str) -> bool {
        matches!(self.claim(name).await, Claim::InFlight)
    }

    pub(crate) async fn settle(&self, ticket: Ticket, settlement: Settlement) -> Result<(), RegistryError> {
        self.registry.settle_call(SettleCall::new(ticket, settlement)).await
    }

    /// Writes effects by a call without a key.
    pub(crate) async fn apply(&self, effects: Vec<Effect>) -> Result<(), RegistryError> {
        let settlement = Settlement::Replied(JsonObject::new());
        self.registry.settle_call(SettleCall::new(None, settlement).applying(effects)).await
    }

    // Proposals of the buyer.

    pub(crate) fn proposal_key(&self, id: &str) -> ProposalKey {
        ProposalKey::of(&self.buyer(), ProposalId::new(id))
    }

    pub(crate) async fn proposal(&self, id: &str) -> Option<ProposalRecord> {
        self.registry.proposal(&self.proposal_key(id)).await.must()
    }

    pub(crate) async fn state(&self, id: &str) -> ProposalState {
        self.proposal(id).await.must().state
    }

    /// Offers drafts to the buyer.
    pub(crate) async fn draft(&self, ids: &[&str]) {
        let effects = offers(&self.buyer(), &offer(ids, "offered"), self.now().await);
        self.apply(effects).await.must();
    }

    /// Offers the buyer what can be bought at once, for a day.
    pub(crate) async fn firm(&self, ids: &[&str]) {
        let now = self.now().await;
        let effects = offers(&self.buyer(), &firm_offer(ids, now.after(DAY)), now);
        self.apply(effects).await.must();
    }

    pub(crate) async fn reserve(&self, id: &str) -> Result<Hold, ProposalRefusal> {
        let req = ReserveProposal::new(self.proposal_key(id)).with_lease(MINUTE);
        match self.registry.reserve(req).await.must() {
            Reserved::Held { hold, .. } => Ok(hold),
            Reserved::Refused(refusal) => Err(refusal),
        }
    }

    pub(crate) fn consume(&self, hold: &Hold, order: &str) -> Effect {
        Effect::Consume {
            hold: hold.clone(),
            buyer: self.buyer(),
            media_buy_id: order.to_owned(),
            packages: BTreeMap::new(),
        }
    }
}

pub(crate) fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        other => panic!("not an object: {other}"),
    }
}

pub(crate) fn bought(order: &str) -> Outcome {
    Outcome::Completed(object(json!({ "media_buy_id": order, "packages": [] })))
}

/// One of each kind.
pub(crate) fn outcomes() -> Vec<Outcome> {
    vec![
        bought("mb_1"),
        Outcome::Failed(AdcpError::unavailable()),
        Outcome::Canceled("no longer wanted".into()),
        Outcome::Rejected(AdcpError::new(ErrorCode::POLICY_VIOLATION, "not on this site")),
    ]
}

pub(crate) fn registration() -> Registration {
    Registration::new("https://buyer.example/hook", "op_1").must()
}

/// The body of an answer that offers proposals.
pub(crate) fn offer(ids: &[&str], status: &str) -> JsonObject {
    let proposal = |id: &&str| {
        json!({
            "proposal_id": id,
            "name": format!("{status} {id}"),
            "proposal_status": if status == "committed" { "committed" } else { "draft" },
            "allocations": [{ "product_id": "prod_1", "allocation_percentage": 100 }],
        })
    };
    object(json!({
        "products": [{ "product_id": "prod_1", "pricing_options": [{ "pricing_option_id": "cpm" }] }],
        "proposals": ids.iter().map(proposal).collect::<Vec<_>>(),
    }))
}

/// The same with proposals that are firm until an instant.
pub(crate) fn firm_offer(ids: &[&str], until: Timestamp) -> JsonObject {
    let mut body = offer(ids, "committed");
    for proposal in body.get_mut("proposals").and_then(Value::as_array_mut).into_iter().flatten() {
        proposal["expires_at"] = until.to_string().into();
    }
    body
}

/// What an answer with proposals writes when a call or task ends with it.
pub(crate) fn offers(owner: &Owner, body: &JsonObject, now: Timestamp) -> Vec<Effect> {
    let effects = Effects::none().with_drafts(KeepDrafts::new(DAY));
    effects.on_ledger(owner, &Outcome::Completed(body.clone()), &backing(7), now)
}

/// What an answer writes that makes drafts firm until an instant.
pub(crate) fn commits(owner: &Owner, ids: &[&str], until: Timestamp, now: Timestamp) -> Vec<Effect> {
    let drafts = ids.iter().map(|id| ProposalKey::of(owner, ProposalId::new(*id))).collect();
    let effects = Effects::none().with_finalizes(drafts);
    effects.on_ledger(owner, &Outcome::Completed(firm_offer(ids, until)), &backing(8), now)
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct LineItem {
    pub(crate) template: u64,
}

impl RecipeKind for LineItem {
    const KIND: &'static str = "line_item";
    const VERSION: u32 = 2;
}

pub(crate) fn backing(template: u64) -> Backing {
    let recipe = Recipe::new(&LineItem { template }).must();
    Backing::new(BTreeMap::from([("prod_1".to_owned(), recipe)]), BTreeMap::new())
}
