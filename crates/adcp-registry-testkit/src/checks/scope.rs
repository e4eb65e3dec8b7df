//! Who sees what: nobody anything of somebody else.

use adcp_core::{
    CallKey, Claim, ClaimCall, Effects, FinishTask, IssueTask, KeepDrafts, ListEvents, ListTasks, Outcome,
    Pause, PauseTask, Progress, ProposalId, ProposalKey, ProposalState, RegistryError, ReportProgress,
    ReserveProposal, Reserved, Scope, TaskFilter,
};

use crate::Harness;
use crate::world::{
    DAY, Must, TTL, World, backing, bought, firm_offer, offer, offers, refused, registration,
};

/// Another account, no account, another principal and another tenant read a task as absent.
pub async fn get_hides_other_accounts_and_principals(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("t")).await;
    let without_account = world.task_of(&world.owner(None, "agent_1"), "bare");
    world.issue(without_account).await;
    assert!(world.shown("t").await);
    for stranger in world.strangers() {
        let found = world.registry.get(&world.id("t"), &stranger.scope()).await.must();
        assert_eq!(found, None, "{stranger:?} sees a task of somebody else");
    }
    for account in [Some("acct_1"), Some("")] {
        let scope = world.owner(account, "agent_1").scope();
        let found = world.registry.get(&world.id("bare"), &scope).await.must();
        assert_eq!(found, None, "no account is a place of its own, not a wildcard");
    }
}

/// Whoever may not read a task cannot write it either, and is told that there is none.
pub async fn writes_refuse_other_accounts_and_principals(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("t").enqueuing(DAY)).await;
    let before = world.read("t").await;
    for stranger in world.strangers() {
        let (id, scope) = (world.id("t"), stranger.scope());
        let finish = FinishTask::new(id.clone(), scope.clone(), bought("mb_1"));
        refused!(world.registry.finish(finish).await, RegistryError::UnknownTask(_));
        let report = ReportProgress::new(id.clone(), scope.clone(), Progress::percent(1.0));
        refused!(world.registry.report(report).await, RegistryError::UnknownTask(_));
        let pause = PauseTask::new(id, scope.clone(), Pause::Input(Default::default()));
        refused!(world.registry.pause(pause).await, RegistryError::UnknownTask(_));
        let mut confirm = world.confirm("t");
        confirm.scope = scope.clone();
        refused!(world.registry.confirm(confirm).await, RegistryError::UnknownTask(_));
        let mut discard = world.discard("t");
        discard.scope = scope;
        refused!(world.registry.discard(discard).await, RegistryError::UnknownTask(_));
    }
    assert_eq!(world.read("t").await, before);
}

/// A list holds and counts nothing of anybody else, also when it asks for their ids.
pub async fn list_hides_other_accounts_and_principals(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("t")).await;
    for stranger in world.strangers() {
        let mut list = ListTasks::new(stranger.scope());
        for ids in [vec![], vec![world.id("t")]] {
            list.filter = TaskFilter::default();
            list.filter.ids = ids;
            let page = world.registry.list(list.clone()).await.must();
            assert_eq!(
                (page.tasks, page.totals),
                (vec![], Some(vec![])),
                "{stranger:?} sees somebody else's tasks"
            );
        }
    }
}

/// Events are read within a scope too.
pub async fn events_hide_other_accounts_and_principals(harness: &dyn Harness) {
    let world = World::new(harness);
    world.issue(world.task("t").with_effects(Effects::none().with_notify(Some(registration())))).await;
    world.finish("t", bought("mb_1")).await.must();
    for stranger in world.strangers() {
        for req in
            [ListEvents::new(stranger.scope()), ListEvents::new(stranger.scope()).of_task(world.id("t"))]
        {
            assert_eq!(
                world.registry.events(req).await.must(),
                [],
                "{stranger:?} sees somebody else's event"
            );
        }
    }
    let mine = world.registry.events(ListEvents::new(world.buyer().scope())).await.must();
    assert_eq!(mine.len(), 1);
}

/// An owner without an account has tasks and events as any other.
pub async fn an_owner_needs_no_account(harness: &dyn Harness) {
    let world = World::new(harness);
    let owner = world.owner(None, "agent_1");
    let (id, scope) = (world.id("t"), owner.scope());
    let effects = Effects::none().with_notify(Some(registration()));
    world.issue(world.task_of(&owner, "t").with_effects(effects)).await;
    let report = ReportProgress::new(id.clone(), scope.clone(), Progress::percent(1.0));
    world.registry.report(report).await.must();
    world.registry.finish(FinishTask::new(id.clone(), scope.clone(), bought("mb_1"))).await.must();
    let task = world.registry.get(&id, &scope).await.must().must();
    assert_eq!(task.owner, owner);
    assert_eq!(world.registry.list(ListTasks::new(scope.clone())).await.must().tasks, [task]);
    let events = world.registry.events(ListEvents::new(scope)).await.must();
    assert_eq!(events.into_iter().map(|event| event.owner).collect::<Vec<_>>(), [owner]);
}

/// A principal who names no account sees its tasks of every account, and only its own.
pub async fn a_principal_sees_its_tasks_of_every_account(harness: &dyn Harness) {
    let world = World::new(harness);
    let owners = [Some("acct_1"), Some("acct_2"), None].map(|account| world.owner(account, "agent_1"));
    for (number, owner) in owners.iter().enumerate() {
        world.issue(world.task_of(owner, &format!("t{number}"))).await;
    }
    world.issue(world.task_of(&world.owner(Some("acct_1"), "agent_2"), "other")).await;
    let scope = Scope::Principal { tenant: world.tenant.clone(), principal: world.buyer().principal };
    let page = world.registry.list(ListTasks::new(scope.clone())).await.must();
    assert_eq!(page.tasks.len(), 3);
    for number in 0..3 {
        let id = world.id(&format!("t{number}"));
        assert!(world.registry.get(&id, &scope).await.must().is_some());
    }
    assert_eq!(world.registry.get(&world.id("other"), &scope).await.must(), None);
}

/// The seller's own people see everything of one tenant and nothing of another.
pub async fn an_operator_sees_one_tenant(harness: &dyn Harness) {
    let (here, there) = (World::new(harness), World::new(harness));
    for owner in [here.buyer(), here.owner(None, "agent_2")] {
        here.issue(here.task_of(&owner, &format!("t-{}", owner.principal))).await;
    }
    there.issue(there.task("t")).await;
    assert_eq!(here.registry.list(ListTasks::new(here.operator())).await.must().tasks.len(), 2);
    assert_eq!(here.registry.get(&there.id("t"), &here.operator()).await.must(), None);
    let finish = FinishTask::new(here.id("t-agent_1"), here.operator(), Outcome::Canceled("by hand".into()));
    here.registry.finish(finish).await.must();
    let foreign = FinishTask::new(there.id("t"), here.operator(), bought("mb_1"));
    refused!(here.registry.finish(foreign).await, RegistryError::UnknownTask(_));
}

/// The same key of another owner, or in another conversation, is another key.
pub async fn keys_of_others_are_apart(harness: &dyn Harness) {
    let world = World::new(harness);
    world.first("key").await;
    let mut keys: Vec<_> =
        world.strangers().into_iter().map(|stranger| CallKey::new(stranger, "key")).collect();
    keys.push(world.key("key").with_session(Some("s_1".into())));
    keys.push(world.key("key").with_session(Some("s_2".into())));
    keys.push(world.key("key").with_session(Some(String::new())));
    for key in keys {
        let claim = ClaimCall::new(key.clone(), "create_media_buy", [2; 32], TTL);
        let claim = world.registry.claim_call(claim).await.must();
        assert!(matches!(claim, Claim::First(_)), "{key:?}: {claim:?}");
    }
    assert!(world.is_in_flight("key").await);
}

/// The same proposal id of another account is another proposal.
pub async fn drafts_of_one_account_do_not_touch_another(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let before = world.proposal("p").await.must();
    let now = world.now().await;
    let others = [
        world.owner(Some("acct_2"), "agent_1"),
        world.owner(None, "agent_1"),
        world.owner(None, "agent_2"),
        world.owner(Some(""), "agent_1"),
    ];
    for other in &others {
        let key = ProposalKey::of(other, ProposalId::new("p"));
        assert_eq!(
            world.registry.proposal(&key).await.must(),
            None,
            "{other:?} sees somebody else's proposal"
        );
        let reserved = world.registry.reserve(ReserveProposal::new(key.clone())).await.must();
        assert!(matches!(reserved, Reserved::Refused(_)), "{other:?} reserves somebody else's proposal");
        world.apply(offers(other, &offer(&["p"], "offered"), now)).await.must();
        let theirs = world.registry.proposal(&key).await.must().must();
        assert_eq!((theirs.state, theirs.key), (ProposalState::Draft, key));
    }
    assert_eq!(world.proposal("p").await.must(), before);
    let colleague = world.owner(Some("acct_1"), "agent_2");
    let key = ProposalKey::of(&colleague, ProposalId::new("p"));
    assert_eq!(world.registry.proposal(&key).await.must(), Some(before), "an account shares its proposals");
}

/// An order leads only its owner to the proposal that it bought, also where no account tells owners apart.
pub async fn orders_of_others_are_apart(harness: &dyn Harness) {
    let world = World::new(harness);
    let now = world.now().await;
    let owners = [world.buyer(), world.owner(None, "agent_1"), world.owner(None, "agent_2")];
    for owner in &owners {
        world.apply(offers(owner, &firm_offer(&["p"], now.after(DAY)), now)).await.must();
        let found = world.registry.proposal_of_buy(owner, "mb_1").await.must();
        assert_eq!(found, None, "{owner:?} finds the order of somebody else");
        let key = ProposalKey::of(owner, ProposalId::new("p"));
        let Reserved::Held { hold, .. } =
            world.registry.reserve(ReserveProposal::new(key.clone())).await.must()
        else {
            panic!("a firm proposal of {owner:?} cannot be reserved")
        };
        let effects = Effects::none().with_purchase(hold);
        let bought = effects.on_ledger(owner, &bought("mb_1"), &backing(7), now);
        world.apply(bought).await.must();
    }
    for owner in &owners {
        let found = world.registry.proposal_of_buy(owner, "mb_1").await.must().must();
        assert_eq!(found.key, ProposalKey::of(owner, ProposalId::new("p")));
    }
}

/// Drafts that a task brings belong to its owner, whoever ends it.
pub async fn drafts_belong_to_the_owner_of_the_task(harness: &dyn Harness) {
    let world = World::new(harness);
    let task = IssueTask::new(world.id("t"), world.buyer(), "get_products", "get_products", "media-buy");
    world.issue(task.with_effects(Effects::none().with_drafts(KeepDrafts::new(DAY)))).await;
    let end = FinishTask::new(world.id("t"), world.operator(), Outcome::Completed(offer(&["p"], "offered")));
    world.registry.finish(end.with_backing(backing(7))).await.must();
    assert_eq!(world.state("p").await, ProposalState::Draft);
}
