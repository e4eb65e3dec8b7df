//! The ledger of proposals: drafts, firm offers, reservations and purchases.

use std::time::Duration;

use adcp_core::{
    Effect, Effects, FinishTask, Hold, KeepDrafts, Outcome, ProposalRefusal, ProposalState, RegistryError,
    ReserveProposal, Reserved, SettleCall, Settlement, TaskStatus,
};
use serde_json::json;

use crate::Harness;
use crate::world::{
    DAY, HOUR, LineItem, MINUTE, Must, World, backing, bought, commits, firm_offer, object, offer, offers,
    outcomes, refused, registration,
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
    assert_eq!(world.proposal("p").await.must().created_at, world.now().await);
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

/// Only a firm proposal whose time is not over is reserved; every other is refused with its own reason.
pub async fn only_firm_proposals_are_reserved(harness: &dyn Harness) {
    let world = World::new(harness);
    world.draft(&["draft"]).await;
    world.firm(&["held", "bought", "firm"]).await;
    world.reserve("held").await.must();
    let hold = world.reserve("bought").await.must();
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
    let reasons = [
        ("unknown", ProposalRefusal::Unknown),
        ("draft", ProposalRefusal::Draft),
        ("held", ProposalRefusal::Consuming),
        ("bought", ProposalRefusal::Consumed),
    ];
    for (name, reason) in reasons {
        let before = world.proposal(name).await;
        assert_eq!(world.reserve(name).await, Err(reason), "{name}");
        assert_eq!(world.proposal(name).await, before, "{name}");
    }
    let Reserved::Held { hold, proposal } =
        world.registry.reserve(ReserveProposal::new(world.proposal_key("firm"))).await.must()
    else {
        panic!("a firm proposal cannot be reserved")
    };
    assert_eq!((&proposal.key, proposal.state), (&hold.key, ProposalState::Consuming));
    assert_eq!(proposal.hold, Some(hold.token));
    assert_eq!(world.proposal("firm").await, Some(*proposal));
}

/// After its expiry a proposal is bought only within the grace that the purchase asks for.
pub async fn expired_proposals_are_bought_within_grace_only(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let reserve = async |grace: Duration| {
        let req = ReserveProposal::new(world.proposal_key("p")).with_lease(MINUTE).with_grace(grace);
        world.registry.reserve(req).await.must()
    };
    world.pass(DAY + MINUTE).await;
    for grace in [Duration::ZERO, MINUTE / 2] {
        let refused = reserve(grace).await;
        assert!(matches!(refused, Reserved::Refused(ProposalRefusal::Expired)), "{refused:?}");
    }
    assert!(matches!(reserve(HOUR).await, Reserved::Held { .. }));
}

/// A purchase under way outlives the expiry of its proposal.
pub async fn a_hold_outlives_the_expiry(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    world.pass(DAY - MINUTE / 2).await;
    let hold = world.reserve("p").await.must();
    world.pass(MINUTE / 2 + MINUTE / 4).await;
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
    assert_eq!(world.state("p").await, ProposalState::Consumed);
}

/// A reservation that is given back frees the proposal at once.
pub async fn a_released_proposal_can_be_bought(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    assert_eq!(world.reserve("p").await, Err(ProposalRefusal::Consuming));
    world.apply(vec![Effect::Release { hold: hold.clone() }]).await.must();
    let proposal = world.proposal("p").await.must();
    assert_eq!((proposal.state, proposal.hold), (ProposalState::Committed, None));
    let next = world.reserve("p").await.must();
    assert_ne!(next.token, hold.token, "each hold has a token of its own");
}

/// A hold whose time is over can be taken by the next purchase.
pub async fn a_hold_that_expires_can_be_taken(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let stale = world.reserve("p").await.must();
    world.pass(MINUTE - Duration::from_secs(1)).await;
    assert_eq!(world.reserve("p").await, Err(ProposalRefusal::Consuming));
    world.pass(Duration::from_secs(1)).await;
    let hold = world.reserve("p").await.must();
    assert_ne!(hold.token, stale.token);
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
}

/// A hold that somebody else took buys nothing, gives nothing back and is not renewed.
pub async fn a_hold_that_was_taken_is_lost(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let (lost, ticket) = (world.reserve("p").await.must(), world.first("key").await);
    world.pass(MINUTE).await;
    let hold = world.reserve("p").await.must();
    let before = world.proposal("p").await;
    let settle = SettleCall::new(ticket, Settlement::Replied(object(json!({}))));
    let settle = settle.applying(vec![world.consume(&lost, "mb_lost")]);
    refused!(world.registry.settle_call(settle).await, RegistryError::Proposal(ProposalRefusal::HoldLost));
    assert!(world.is_in_flight("key").await, "a reply was recorded for a purchase that did not happen");
    let renewal = world.registry.renew_hold(&lost, HOUR).await;
    refused!(renewal, RegistryError::Proposal(ProposalRefusal::HoldLost));
    world.apply(vec![Effect::Release { hold: lost }]).await.must();
    assert_eq!(world.proposal("p").await, before, "a lost hold changed somebody else's purchase");
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
    assert_eq!(world.registry.proposal_of_buy(&world.buyer(), "mb_lost").await.must(), None);
}

/// A renewed hold lasts from the renewal on.
pub async fn a_renewed_hold_lasts(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    for _ in 0..5 {
        world.pass(MINUTE / 2).await;
        world.registry.renew_hold(&hold, MINUTE).await.must();
    }
    world.pass(MINUTE - Duration::from_secs(1)).await;
    assert_eq!(world.reserve("p").await, Err(ProposalRefusal::Consuming));
    world.pass(Duration::from_secs(1)).await;
    world.reserve("p").await.must();
}

/// A hold whose time is over is not renewed, and no task takes it over.
pub async fn a_hold_whose_time_is_over_is_not_renewed(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    world.pass(MINUTE).await;
    let renewal = world.registry.renew_hold(&hold, HOUR).await;
    refused!(renewal, RegistryError::Proposal(ProposalRefusal::HoldLost));
    let task = world.task("t").with_effects(Effects::none().with_purchase(hold));
    refused!(world.registry.issue(task).await, RegistryError::Proposal(ProposalRefusal::HoldLost));
    assert_eq!(world.find("t").await, None);
    world.reserve("p").await.must();
}

/// An order that was placed in time is recorded late, as long as nobody else took the proposal.
pub async fn a_late_purchase_counts_when_nobody_took_it(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    world.pass(HOUR).await;
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
    assert_eq!(world.state("p").await, ProposalState::Consumed);
}

/// Holds that are unknown, or given back already, are not renewed and buy nothing; giving back is harmless.
pub async fn a_hold_of_nothing_is_refused(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p", "q"]).await;
    let given_back = world.reserve("p").await.must();
    world.apply(vec![Effect::Release { hold: given_back.clone() }]).await.must();
    let guessed = Hold::new(world.proposal_key("q"), [0; 16]);
    let unknown = Hold::new(world.proposal_key("unknown"), [0; 16]);
    for hold in [given_back, guessed, unknown] {
        refused!(world.registry.renew_hold(&hold, HOUR).await, RegistryError::Proposal(_));
        refused!(world.apply(vec![world.consume(&hold, "mb_1")]).await, RegistryError::Proposal(_));
        world.apply(vec![Effect::Release { hold }]).await.must();
    }
    for name in ["p", "q"] {
        assert_eq!(world.state(name).await, ProposalState::Committed);
    }
    assert_eq!(world.proposal("unknown").await, None);
}

/// A task keeps the hold it was issued with until it ends, however long that takes.
pub async fn a_task_keeps_its_hold(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    world.issue(world.task("t").with_effects(Effects::none().with_purchase(hold))).await;
    for _ in 0..3 {
        world.pass(DAY * 30).await;
        assert_eq!(world.reserve("p").await, Err(ProposalRefusal::Consuming));
    }
    world.finish("t", bought("mb_1")).await.must();
    assert_eq!(world.state("p").await, ProposalState::Consumed);
}

/// A renewal that comes after a task took the hold over does not give the hold a time.
pub async fn a_late_renewal_leaves_the_hold_to_its_task(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    world.issue(world.task("t").with_effects(Effects::none().with_purchase(hold.clone()))).await;
    let before = world.proposal("p").await;
    world.registry.renew_hold(&hold, MINUTE).await.must();
    assert_eq!(world.proposal("p").await, before);
    world.pass(HOUR).await;
    assert_eq!(world.reserve("p").await, Err(ProposalRefusal::Consuming));
}

/// A hold that one task keeps is not for another.
pub async fn a_hold_belongs_to_one_task(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let effects = Effects::none().with_purchase(world.reserve("p").await.must());
    world.issue(world.task("t").with_effects(effects.clone())).await;
    let second = world.registry.issue(world.task("second").with_effects(effects)).await;
    refused!(second, RegistryError::Proposal(ProposalRefusal::HoldLost));
    assert_eq!(world.find("second").await, None);
    world.finish("t", bought("mb_1")).await.must();
    assert_eq!(world.state("p").await, ProposalState::Consumed);
}

/// A task that ends well buys what it reserved; any other end, or one without an order, gives it back.
pub async fn a_purchase_ends_with_its_task(harness: &dyn Harness) {
    let world = World::new(harness);
    let mut ends = outcomes();
    ends.push(Outcome::Completed(object(json!({ "note": "nothing was ordered" }))));
    for (number, outcome) in ends.into_iter().enumerate() {
        let (proposal, task) = (format!("p{number}"), format!("t{number}"));
        world.firm(&[&proposal]).await;
        let hold = world.reserve(&proposal).await.must();
        world.issue(world.task(&task).with_effects(Effects::none().with_purchase(hold))).await;
        world.finish(&task, outcome.clone()).await.must();
        let record = world.proposal(&proposal).await.must();
        if number == 0 {
            assert_eq!((record.state, record.buyer), (ProposalState::Consumed, Some(world.buyer())));
        } else {
            assert_eq!(record.state, ProposalState::Committed, "after {outcome:?}");
            world.reserve(&proposal).await.must();
        }
    }
}

/// What ends with a task is written once, also when the task is ended again.
pub async fn ending_applies_effects_once(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["bought", "back"]).await;
    for (task, proposal, outcome) in
        [("t1", "bought", bought("mb_1")), ("t2", "back", Outcome::Canceled("late".into()))]
    {
        let hold = world.reserve(proposal).await.must();
        let effects = Effects::none().with_purchase(hold).with_notify(Some(registration()));
        world.issue(world.task(task).with_effects(effects)).await;
        world.finish(task, outcome.clone()).await.must();
    }
    // Somebody else buys what was given back; a second end of the first task must not undo that.
    let next = world.reserve("back").await.must();
    let before = (world.proposal("bought").await, world.proposal("back").await, world.events().await);
    world.pass(MINUTE).await;
    world.finish("t1", bought("mb_1")).await.must();
    world.finish("t2", Outcome::Canceled("late".into())).await.must();
    refused!(world.finish("t2", bought("mb_2")).await, RegistryError::AlreadyEnded(_));
    let after = (world.proposal("bought").await, world.proposal("back").await, world.events().await);
    assert_eq!(after, before);
    world.apply(vec![world.consume(&next, "mb_3")]).await.must();
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

/// The proposal behind an order is found by the order's id, once it is bought.
pub async fn consumed_is_found_by_order(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p", "q"]).await;
    let find = async |order: &str| world.registry.proposal_of_buy(&world.buyer(), order).await.must();
    let hold = world.reserve("p").await.must();
    assert_eq!(find("mb_1").await, None);
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
    let found = find("mb_1").await.must();
    assert_eq!(found, world.proposal("p").await.must());
    assert_eq!((found.state, found.media_buy_id.as_deref()), (ProposalState::Consumed, Some("mb_1")));
    assert_eq!((found.hold, found.held_until), (None, None));
    assert_eq!(find("mb_2").await, None);
    world.pass(HOUR).await;
    assert_eq!(find("mb_1").await, Some(found));
}

/// An order that bought several proposals leads to the latest.
pub async fn the_latest_purchase_of_an_order_is_found(harness: &dyn Harness) {
    let world = World::new(harness);
    for name in ["p", "q"] {
        world.pass(MINUTE).await;
        world.firm(&[name]).await;
        let hold = world.reserve(name).await.must();
        world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
        let found = world.registry.proposal_of_buy(&world.buyer(), "mb_1").await.must();
        assert_eq!(found.map(|proposal| proposal.key), Some(world.proposal_key(name)));
    }
}

/// The same order again changes nothing, another order is refused, and nothing gives a purchase back.
pub async fn a_proposal_is_bought_once(harness: &dyn Harness) {
    let world = World::new(harness);
    world.firm(&["p"]).await;
    let hold = world.reserve("p").await.must();
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
    let before = world.proposal("p").await;
    world.pass(MINUTE).await;
    world.apply(vec![world.consume(&hold, "mb_1")]).await.must();
    let other = world.apply(vec![world.consume(&hold, "mb_2")]).await;
    refused!(other, RegistryError::Proposal(ProposalRefusal::Consumed));
    world.apply(vec![Effect::Release { hold: hold.clone() }]).await.must();
    refused!(world.registry.renew_hold(&hold, HOUR).await, RegistryError::Proposal(_));
    assert_eq!(world.proposal("p").await, before);
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
