//! Proposals that are offered, and become firm.

use adcp_core::{
    Backing, Effects, FinishTask, KeepDrafts, Outcome, ProposalRefusal, ProposalState, RegistryError,
    TaskStatus,
};

use crate::Harness;
use crate::world::{
    DAY, HOUR, LineItem, MINUTE, Must, World, about, backing, commits, firm_offer, offer, offers, refused,
    registration,
};

/// A draft is kept whole: its payload with prices, its products, and what only the seller may see.
pub async fn a_draft_is_kept_whole(harness: &dyn Harness) {
    let world = World::new(harness);
    world.draft(&["p", "q"]).await;
    let draft = world.proposal("p").await.must();
    assert_eq!((draft.key, draft.state), (world.proposal_key("p"), ProposalState::Draft));
    assert_eq!(draft.payload["name"], "offered p");
    assert_eq!(draft.payload["allocations"][0]["pricing_option_id"], "cpm");
    assert_eq!(draft.products["prod_1"]["pricing_options"][0]["pricing_option_id"], "cpm");
    let recipe = &draft.recipes["prod_1"];
    assert_eq!((recipe.kind(), recipe.version()), ("line_item", 2));
    assert_eq!(recipe.read::<LineItem>().must(), LineItem { template: 7 });
    assert_eq!((draft.expires_at, draft.media_buy_id, draft.buyer, draft.hold), (None, None, None, None));
    assert_eq!(world.state("q").await, ProposalState::Draft);
}

/// An offer of the same proposal replaces the draft.
pub async fn a_draft_is_replaced_by_a_newer_one(harness: &dyn Harness) {
    let world = World::new(harness);
    world.draft(&["p"]).await;
    let first = world.proposal("p").await.must();
    world.pass(MINUTE).await;
    let effects = Effects::none().with_drafts(KeepDrafts::new(DAY));
    let newer = Outcome::Completed(offer(&["p"], "refined"));
    let effects = effects.on_ledger(&world.buyer(), &newer, &backing(9), world.now().await);
    world.apply(effects).await.must();
    let second = world.proposal("p").await.must();
    assert_eq!(second.payload["name"], "refined p");
    assert_eq!(second.recipes["prod_1"].read::<LineItem>().must(), LineItem { template: 9 });
    assert_eq!(second.created_at, first.created_at);
}

/// A draft that nobody finalizes is forgotten once its time is over, and its id is new again.
pub async fn a_draft_is_forgotten_after_its_time(harness: &dyn Harness) {
    let world = World::new(harness);
    world.draft(&["p"]).await;
    world.pass(DAY - MINUTE).await;
    assert_eq!(world.state("p").await, ProposalState::Draft);
    world.pass(MINUTE).await;
    assert_eq!(world.proposal("p").await, None);
    assert_eq!(world.reserve("p").await, Err(ProposalRefusal::Unknown));
    let now = world.now().await;
    let commit = world.apply(commits(&world.buyer(), &["p"], now.after(DAY), now)).await;
    refused!(commit, RegistryError::Proposal(ProposalRefusal::Unknown));
    world.draft(&["p"]).await;
    about(world.proposal("p").await.must().created_at, world.now().await);
}

/// A draft is there for the task that refines it or makes it firm, however long the seller's people take.
pub async fn a_draft_waits_for_the_task_that_changes_it(harness: &dyn Harness) {
    let world = World::new(harness);
    world.draft(&["refined", "finalized", "forgotten"]).await;
    let refines =
        Effects::none().with_drafts(KeepDrafts::new(DAY)).with_refines(vec![world.proposal_key("refined")]);
    let finalizes = Effects::none().with_finalizes(vec![world.proposal_key("finalized")]);
    world.issue(world.task("refine").with_effects(refines)).await;
    world.issue(world.task("finalize").with_effects(finalizes)).await;
    world.pass(DAY * 5).await;
    assert_eq!(world.proposal("forgotten").await, None);
    let until = world.now().await.after(DAY);
    world.finish("refine", Outcome::Completed(offer(&["refined"], "refined"))).await.must();
    world.finish("finalize", Outcome::Completed(firm_offer(&["finalized"], until))).await.must();
    for (name, state) in [("refined", ProposalState::Draft), ("finalized", ProposalState::Committed)] {
        let record = world.proposal(name).await.must();
        assert_eq!((record.state, record.recipes.len()), (state, 1), "{name} keeps what was behind it");
    }
    // Nobody waits for it any more, so it is a draft like others.
    world.pass(DAY).await;
    assert_eq!(world.proposal("refined").await, None);
}

/// What is firm, being bought or bought stays as it is when it is offered again.
pub async fn firm_proposals_are_not_redrafted(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["committed", "consuming", "consumed"]).await;
    world.reserve("consuming").await.must();
    let hold = world.reserve("consumed").await.must();
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
    for name in ["committed", "consuming", "consumed"] {
        let before = world.proposal(name).await;
        world.draft(&[name]).await;
        world.firm(&[name]).await;
        assert_eq!(world.proposal(name).await, before, "{name}");
    }
}

/// An offer that is firm at once can be bought without being finalized.
pub async fn an_offer_can_be_firm_at_once(harness: &dyn Harness) {
    let world = World::new(harness);
    let now = world.now().await;
    let until = now.after(HOUR);
    world.apply(offers(&world.buyer(), &firm_offer(&["p"], until), now)).await.must();
    let firm = world.proposal("p").await.must();
    assert_eq!((firm.state, firm.expires_at), (ProposalState::Committed, Some(until)));
    world.reserve("p").await.must();
}

/// Finalizing makes a draft firm until an instant. The same again changes nothing, anything else is refused.
pub async fn a_commit_makes_a_draft_firm(harness: &dyn Harness) {
    let world = World::new(harness);
    world.draft(&["p"]).await;
    let now = world.now().await;
    let commit = |until| world.apply(commits(&world.buyer(), &["p"], until, now));
    commit(now.after(HOUR)).await.must();
    let firm = world.proposal("p").await.must();
    assert_eq!((firm.state, firm.expires_at), (ProposalState::Committed, Some(now.after(HOUR))));
    assert_eq!(firm.payload["name"], "committed p");
    assert_eq!(firm.recipes["prod_1"].read::<LineItem>().must(), LineItem { template: 8 });
    world.pass(MINUTE).await;
    commit(now.after(HOUR)).await.must();
    assert_eq!(world.proposal("p").await.must(), firm);
    refused!(commit(now.after(DAY)).await, RegistryError::Proposal(ProposalRefusal::Committed));
    let hold = world.reserve("p").await.must();
    refused!(commit(now.after(HOUR)).await, RegistryError::Proposal(ProposalRefusal::Consuming));
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
    refused!(commit(now.after(HOUR)).await, RegistryError::Proposal(ProposalRefusal::Consumed));
    let unknown = world.apply(commits(&world.buyer(), &["unknown"], now.after(HOUR), now)).await;
    refused!(unknown, RegistryError::Proposal(ProposalRefusal::Unknown));
}

/// Of several proposals that become firm in one step, all do or none.
pub async fn commit_of_several_is_all_or_nothing(harness: &dyn Harness) {
    let world = World::new(harness);
    world.draft(&["a", "b"]).await;
    world.firm(&["firm"]).await;
    let now = world.now().await;
    let names = ["a", "b", "firm"];
    for bad in ["firm", "unknown"] {
        for ids in [["a", "b", bad], ["a", bad, "b"], [bad, "a", "b"]] {
            let refusal = world.apply(commits(&world.buyer(), &ids, now.after(HOUR), now)).await;
            refused!(refusal, RegistryError::Proposal(_));
            for (name, state) in
                names.iter().zip([ProposalState::Draft, ProposalState::Draft, ProposalState::Committed])
            {
                assert_eq!(world.state(name).await, state, "{name} after a refused commit of {ids:?}");
            }
        }
    }
    world.apply(commits(&world.buyer(), &["a", "b"], now.after(HOUR), now)).await.must();
    for name in ["a", "b"] {
        assert_eq!(world.state(name).await, ProposalState::Committed);
    }
}

/// A task that finalizes makes its proposals firm when it ends well, and leaves them drafts otherwise.
pub async fn a_finalization_ends_with_its_task(harness: &dyn Harness) {
    let world = World::new(harness);
    world.draft(&["a", "b"]).await;
    let until = world.now().await.after(DAY);
    let finalizes = || Effects::none().with_finalizes(vec![world.proposal_key("a"), world.proposal_key("b")]);
    world.issue(world.task("failed").with_effects(finalizes())).await;
    world.finish("failed", Outcome::Canceled("no".into())).await.must();
    assert_eq!(world.state("a").await, ProposalState::Draft);
    world.issue(world.task("done").with_effects(finalizes())).await;
    let end = Outcome::Completed(firm_offer(&["a", "b"], until));
    let end = FinishTask::new(world.id("done"), world.buyer().scope(), end).with_backing(backing(8));
    world.registry.finish(end).await.must();
    for name in ["a", "b"] {
        let record = world.proposal(name).await.must();
        assert_eq!((record.state, record.expires_at), (ProposalState::Committed, Some(until)));
    }
}

/// An end whose effects the ledger refuses does not happen; the task can still end otherwise.
pub async fn an_end_that_the_ledger_refuses_writes_nothing(harness: &dyn Harness) {
    let world = World::new(harness);
    world.draft(&["a"]).await;
    let now = world.now().await;
    let effects = Effects::none()
        .with_finalizes(vec![world.proposal_key("a"), world.proposal_key("unknown")])
        .with_notify(Some(registration()));
    world.issue(world.task("t").with_effects(effects)).await;
    let before = world.read("t").await;
    let good = Outcome::Completed(firm_offer(&["a", "unknown"], now.after(DAY)));
    refused!(world.finish("t", good).await, RegistryError::Proposal(ProposalRefusal::Unknown));
    assert_eq!(world.read("t").await, before);
    assert_eq!(world.state("a").await, ProposalState::Draft);
    assert_eq!(world.events().await, []);
    world.finish("t", Outcome::Canceled("cannot be firm".into())).await.must();
    assert_eq!(world.read("t").await.status, TaskStatus::Canceled);
    assert_eq!(world.events().await.len(), 1);
}

/// What a newer draft does not repeat about a product that it still allocates to, it keeps.
pub async fn a_newer_draft_keeps_what_it_leaves_out(harness: &dyn Harness) {
    let world = World::new(harness);
    world.draft(&["p"]).await;
    let first = world.proposal("p").await.must();
    let mut newer = offer(&["p"], "refined");
    newer.remove("products");
    let effects = Effects::none().with_drafts(KeepDrafts::new(DAY));
    let newer = Outcome::Completed(newer);
    let effects = effects.on_ledger(&world.buyer(), &newer, &Backing::default(), world.now().await);
    world.apply(effects).await.must();
    let second = world.proposal("p").await.must();
    assert_eq!(second.payload["name"], "refined p");
    assert_eq!((second.products, second.recipes), (first.products, first.recipes));
}
