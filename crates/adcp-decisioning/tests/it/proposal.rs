//! Proposals, from the first draft to the order that bought one.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use adcp_core::{Backing, ProposalState, TaskRef};
use adcp_decisioning::{Finalizing, ProposalTerms, TaskDesk};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::market::{
    LineItem, Market, field, firm, from, offering, owner, plain_find, proposal, recipe, terms,
};
use crate::scripted::task_of;
use crate::seller::code;

const DRAFT: Option<ProposalState> = Some(ProposalState::Draft);
const HOUR: Duration = Duration::from_secs(3600);
const COMMITTED: Option<ProposalState> = Some(ProposalState::Committed);

#[tokio::test]
async fn drafts_of_an_answer_at_once_are_kept_with_recipes_and_prices() {
    let stand = Market::new().open(terms());
    let reply = stand.brief().await;
    assert_eq!(code(&reply), "none", "{:?}", reply.body);
    let record = stand.record("p1").await.unwrap();
    assert_eq!(record.state, ProposalState::Draft);
    assert_eq!(record.recipes["web"].read::<LineItem>().unwrap().template, 2);
    assert_eq!(record.products.len(), 2);
    // The only price of a product is its allocation's price.
    assert_eq!(record.payload["allocations"][1]["pricing_option_id"], "web_cpm");
    stand.later(25);
    assert_eq!(stand.state("p1").await, None, "a draft that nobody finalizes is forgotten");
}

#[tokio::test]
async fn drafts_of_a_handed_off_brief_are_kept_when_the_task_ends() {
    let go = Arc::new(Notify::new());
    let gate = Arc::clone(&go);
    let market = Market::new().finding(move |ctx, request| {
        let gate = Arc::clone(&gate);
        async move {
            Ok(ctx
                .handoff_to_task(move |_| async move {
                    gate.notified().await;
                    Ok(plain_find(&request))
                })
                .into())
        }
    });
    let stand = market.open(terms());
    let reply = stand.brief().await;
    assert_eq!(stand.state("p1").await, None);
    go.notify_one();
    let task = stand.ended(&reply).await;
    assert_eq!(task["status"], "completed", "{task}");
    assert_eq!(task["task_type"], "get_products");
    assert_eq!(stand.state("p1").await, DRAFT);
    assert!(stand.record("p1").await.unwrap().recipes.contains_key("tv"));
}

#[tokio::test]
async fn an_answer_calls_a_draft_a_draft() {
    let statuses = |answer: &Value| -> Vec<Value> {
        let proposals = answer["proposals"].as_array().unwrap();
        proposals.iter().map(|proposal| proposal["proposal_status"].clone()).collect()
    };
    for handed_off in [false, true] {
        for (terms, unsaid) in
            [(terms(), json!("draft")), (ProposalTerms::new().committing_for(HOUR), Value::Null)]
        {
            let market = Market::new().finding(move |ctx, _| async move {
                let offer = offering(&[proposal("p1"), firm("p2")]);
                if handed_off {
                    return Ok(ctx.handoff_to_task(move |_| async move { Ok(offer) }).into());
                }
                Ok(offer.into())
            });
            let stand = market.open(terms);
            let reply = stand.brief().await;
            let answer = if handed_off {
                stand.ended(&reply).await["result"].clone()
            } else {
                Value::Object(reply.body)
            };
            assert_eq!(statuses(&answer), [unsaid, json!("committed")], "{answer}");
        }
    }
}

#[tokio::test]
async fn a_trimmed_answer_keeps_whole_products() {
    let market = Market::new().finding(|_, _| async {
        let mut page: Value =
            json!({ "products": [], "cache_scope": "account", "proposals": [proposal("p1")] });
        // The first page shows television; the site is on the next.
        let mut shelf = crate::market::shelf();
        let rest: adcp_types::core::Product = from(shelf.pop().unwrap());
        page["products"] = shelf.into();
        Ok(offering_of(page).with_whole_products([rest]).into())
    });
    let stand = market.open(terms());
    let ask = json!({ "buying_mode": "brief", "brief": "spring", "fields": ["product_id", "name"] });
    let reply = stand.ask("get_products", ask).await;
    assert_eq!(code(&reply), "none", "{:?}", reply.body);
    let shown = &reply.body["products"];
    assert_eq!(shown.as_array().unwrap().len(), 1);
    assert!(shown[0].get("channels").is_none() && shown[0].get("pricing_options").is_some(), "{shown}");
    let record = stand.record("p1").await.unwrap();
    assert_eq!(record.products["tv"]["channels"], json!(["ctv"]));
    assert_eq!(record.payload["allocations"][1]["pricing_option_id"], "web_cpm");
}

fn offering_of(answer: Value) -> adcp_decisioning::Offer {
    adcp_decisioning::Offer::new(from(answer)).with_recipe("tv", recipe(1))
}

#[tokio::test]
async fn a_refined_draft_is_replaced_and_keeps_what_is_not_repeated() {
    let market = Market::new().finding(|ctx, request| async move {
        if request["buying_mode"] == "brief" {
            return Ok(plain_find(&request).into());
        }
        let known = ctx.proposal("p1").unwrap();
        assert_eq!(known.state, ProposalState::Draft);
        assert_eq!(ctx.recipe::<LineItem>("tv")?.unwrap().template, 1);
        let mut refined = proposal("p1");
        refined["allocations"][0]["allocation_percentage"] = 70.into();
        refined["allocations"][1]["allocation_percentage"] = 30.into();
        let answer = json!({ "products": [], "proposals": [refined], "cache_scope": "account" });
        Ok(adcp_decisioning::Offer::new(from(answer)).with_recipe("web", recipe(9)).into())
    });
    let stand = market.open(terms());
    stand.brief().await;
    let reply = stand.refine(json!([{ "scope": "proposal", "proposal_id": "p1", "ask": "more tv" }])).await;
    assert_eq!(code(&reply), "none", "{:?}", reply.body);
    let record = stand.record("p1").await.unwrap();
    assert_eq!(record.payload["allocations"][0]["allocation_percentage"], 70);
    assert_eq!(record.recipes["tv"].read::<LineItem>().unwrap().template, 1);
    assert_eq!(record.recipes["web"].read::<LineItem>().unwrap().template, 9);
    assert_eq!(record.products["web"]["pricing_options"][0]["pricing_option_id"], "web_cpm");
}

#[tokio::test]
async fn finalize_at_once_and_handed_off_makes_drafts_firm() {
    for handed_off in [false, true] {
        let market = Market::new().finding(move |ctx, request| async move {
            let offer = plain_find(&request);
            if handed_off && request["buying_mode"] == "refine" {
                return Ok(ctx.handoff_to_task(move |_| async move { Ok(offer) }).into());
            }
            Ok(offer.into())
        });
        let stand = market.open(terms());
        stand.brief().await;
        let reply = stand.finalize(&["p1"]).await;
        let answer =
            if handed_off { stand.ended(&reply).await["result"].clone() } else { Value::Object(reply.body) };
        assert_eq!(answer["proposals"][0]["proposal_status"], "committed", "{answer}");
        assert_eq!(
            answer["refinement_applied"],
            json!([{ "scope": "proposal", "proposal_id": "p1", "status": "applied" }])
        );
        let record = stand.record("p1").await.unwrap();
        assert_eq!(record.state, ProposalState::Committed);
        assert_eq!(record.expires_at.unwrap().to_string(), "2026-05-02T00:00:00Z");
    }
}

#[tokio::test]
async fn several_drafts_become_firm_together_or_not_at_all() {
    let market = Market::new().finding(|_, request| async move {
        Ok(match request["refine"].as_array().map(Vec::len) {
            None => offering(&[proposal("p1"), proposal("p2")]),
            // The seller forgot the second.
            Some(2) if request["ext"]["forget"] == true => offering(&[firm("p1")]),
            Some(_) => plain_find(&request),
        }
        .into())
    });
    let stand = market.open(terms());
    stand.brief().await;
    let entry = |id| json!({ "scope": "proposal", "action": "finalize", "proposal_id": id });
    let ask = json!({
        "buying_mode": "refine", "refine": [entry("p1"), entry("p2")], "ext": { "forget": true },
    });
    let reply = stand.ask("get_products", ask).await;
    assert_eq!(code(&reply), "SERVICE_UNAVAILABLE");
    assert_eq!((stand.state("p1").await, stand.state("p2").await), (DRAFT, DRAFT));
    let reply = stand.finalize(&["p1", "p2"]).await;
    assert_eq!(code(&reply), "none", "{:?}", reply.body);
    assert_eq!((stand.state("p1").await, stand.state("p2").await), (COMMITTED, COMMITTED));
    assert_eq!(reply.body["refinement_applied"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn finalizing_stands_alone_and_within_what_the_seller_does() {
    let finalize = |id| json!({ "scope": "proposal", "action": "finalize", "proposal_id": id });
    let cases = [
        (
            Finalizing::Several,
            json!([finalize("p1"), { "scope": "request", "ask": "more" }]),
            "INVALID_REQUEST",
            "refine[1]",
        ),
        (
            Finalizing::Several,
            json!([{ "scope": "proposal", "proposal_id": "p2" }, finalize("p1")]),
            "INVALID_REQUEST",
            "refine[0]",
        ),
        (
            Finalizing::Several,
            json!([finalize("p1"), finalize("p1")]),
            "INVALID_REQUEST",
            "refine[1].proposal_id",
        ),
        (
            Finalizing::One,
            json!([finalize("p1"), finalize("p2")]),
            "MULTI_FINALIZE_UNSUPPORTED",
            "refine[1].action",
        ),
        (Finalizing::Never, json!([finalize("p1")]), "UNSUPPORTED_FEATURE", "refine[0].action"),
        (
            Finalizing::Several,
            json!([finalize("p1"), finalize("nowhere")]),
            "PROPOSAL_NOT_FOUND",
            "refine[1].proposal_id",
        ),
    ];
    for (finalizing, entries, want, at) in cases {
        let stand = Market::new().open(ProposalTerms::new().with_finalizing(finalizing));
        stand.brief().await;
        let reply = stand.refine(entries.clone()).await;
        assert_eq!((code(&reply), field(&reply)), (want, at), "{entries}");
        assert_eq!(reply.body["adcp_error"]["recovery"], "correctable", "{entries}");
        assert_eq!(stand.counts.finds.load(Ordering::SeqCst), 1, "{entries}: the seller is not asked");
        assert_eq!(stand.state("p1").await, DRAFT, "{entries}");
    }
}

#[tokio::test]
async fn a_seller_that_cannot_commit_may_say_so() {
    let market = Market::new().finding(|_, request| async move {
        if request["buying_mode"] == "brief" {
            return Ok(plain_find(&request).into());
        }
        let unable =
            json!([{ "scope": "proposal", "proposal_id": "p1", "status": "unable", "notes": "sold" }]);
        Ok(offering_of(json!({ "products": [], "cache_scope": "account", "refinement_applied": unable }))
            .into())
    });
    let stand = market.open(terms());
    stand.brief().await;
    let reply = stand.finalize(&["p1"]).await;
    assert_eq!(code(&reply), "none", "{:?}", reply.body);
    assert_eq!(stand.state("p1").await, DRAFT);
}

#[tokio::test]
async fn a_refinement_of_what_cannot_be_refined_is_a_buyers_error() {
    let refine = |id| json!([{ "scope": "proposal", "proposal_id": id, "ask": "cheaper" }]);
    let omit = |id| json!([{ "scope": "proposal", "proposal_id": id, "action": "omit" }]);
    let finalize = |id| json!([{ "scope": "proposal", "proposal_id": id, "action": "finalize" }]);
    let check = async |stand: &crate::market::Stand, entries: Value, want: &str| {
        let reply = stand.refine(entries.clone()).await;
        assert_eq!(code(&reply), want, "{entries}");
        if reply.failed {
            assert_eq!(field(&reply), "refine[0].proposal_id", "{entries}");
            assert_eq!(reply.body["adcp_error"]["recovery"], "correctable", "{entries}");
        }
    };
    let stand = Market::new().open(terms()).committed().await;
    for entries in [refine("nowhere"), omit("nowhere"), finalize("nowhere")] {
        check(&stand, entries, "PROPOSAL_NOT_FOUND").await;
    }
    check(&stand, refine("p1"), "INVALID_STATE").await;
    check(&stand, finalize("p1"), "PROPOSAL_NOT_COMMITTED").await;
    check(&stand, omit("p1"), "none").await;
    let foreign = json!({ "buying_mode": "refine", "refine": refine("p1") });
    assert_eq!(code(&stand.ask_as("nova", "get_products", foreign).await), "PROPOSAL_NOT_FOUND");

    assert_eq!(code(&stand.buy("one", "p1").await), "none");
    check(&stand, refine("p1"), "INVALID_STATE").await;
    check(&stand, finalize("p1"), "PROPOSAL_NOT_COMMITTED").await;

    let stand = Market::new().open(terms()).committed().await;
    stand.later(25);
    for entries in [refine("p1"), finalize("p1")] {
        check(&stand, entries, "PROPOSAL_EXPIRED").await;
    }
    assert_eq!(stand.state("p1").await, COMMITTED);
}

#[tokio::test]
async fn auto_commit_makes_an_offer_firm_at_once() {
    let day = Duration::from_secs(24 * 3600);
    let stand = Market::new().open(ProposalTerms::new().committing_for(day));
    stand.brief().await;
    assert_eq!(stand.state("p1").await, COMMITTED);
    // A refinement is allowed there: its answer is another proposal.
    let reply = stand.refine(json!([{ "scope": "proposal", "proposal_id": "p1", "ask": "cheaper" }])).await;
    assert_eq!(code(&reply), "none", "{:?}", reply.body);
    assert_eq!(code(&stand.buy("one", "p1").await), "none");
}

#[tokio::test]
async fn a_workflow_finalizes_when_its_answer_comes_with_every_firm_proposal() {
    let market = Market::new().finding(|ctx, request| async move {
        if request["buying_mode"] == "brief" {
            return Ok(plain_find(&request).into());
        }
        Ok(ctx.handoff_to_workflow(|_: TaskRef| async { Ok(()) }).into())
    });
    let stand = market.open(terms());
    stand.brief().await;
    let reply = stand.finalize(&["p1"]).await;
    assert_eq!(reply.body["status"], "submitted", "{:?}", reply.body);
    let task = TaskRef::new(adcp_core::TaskId::new(reply.body["task_id"].as_str().unwrap()), owner());
    let desk = stand.agent.desk();
    // An answer without the firm proposal is refused, and the task stays open for a right one.
    assert!(desk.complete(&task, &offering(&[]).response).await.is_err());
    assert_eq!(stand.state("p1").await, DRAFT);
    let answer = offering(&[firm("p1")]);
    desk.complete_with(&task, &answer.response, Backing::default()).await.unwrap();
    let record = stand.record("p1").await.unwrap();
    assert_eq!(record.state, ProposalState::Committed);
    assert!(record.recipes.contains_key("tv"), "what the draft had behind it stays");
    let polled = stand.ended(&reply).await;
    assert_eq!(polled["result"]["refinement_applied"][0]["status"], "applied", "{polled}");
}

#[tokio::test]
async fn of_two_finalizations_at_once_the_second_is_told() {
    let go = Arc::new(Notify::new());
    let gate = Arc::clone(&go);
    let market = Market::new().finding(move |_, request| {
        let gate = Arc::clone(&gate);
        async move {
            let mut offer = plain_find(&request);
            if request["ext"]["slow"] == true {
                gate.notified().await;
                let proposals = offer.response.proposals.as_mut().unwrap();
                proposals[0].expires_at = Some("2026-05-09T00:00:00Z".into());
            }
            Ok(offer.into())
        }
    });
    let stand = market.open(terms());
    stand.brief().await;
    let slow = json!({
        "buying_mode": "refine", "ext": { "slow": true },
        "refine": [{ "scope": "proposal", "action": "finalize", "proposal_id": "p1" }],
    });
    let quick = async {
        while stand.counts.finds.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
        let reply = stand.finalize(&["p1"]).await;
        go.notify_one();
        reply
    };
    let (slow, quick) = tokio::join!(stand.ask("get_products", slow), quick);
    assert_eq!(code(&quick), "none", "{:?}", quick.body);
    assert_eq!((code(&slow), field(&slow)), ("PROPOSAL_NOT_COMMITTED", "refine"));
    assert_eq!(stand.record("p1").await.unwrap().expires_at.unwrap().to_string(), "2026-05-02T00:00:00Z");
}

#[tokio::test]
async fn a_proposal_that_is_offered_firm_is_bought_as_it_was_first_offered() {
    let market = Market::new().finding(|_, request| async move {
        let mut offered = firm("p1");
        if request["ext"]["again"] == true {
            offered["allocations"][0]["allocation_percentage"] = 10.into();
            offered["allocations"][1]["allocation_percentage"] = 90.into();
        }
        Ok(offering(&[offered]).into())
    });
    let stand = market.open(ProposalTerms::new());
    stand.brief().await;
    assert_eq!(stand.state("p1").await, COMMITTED);
    let again = json!({ "buying_mode": "brief", "brief": "spring", "ext": { "again": true } });
    assert_eq!(code(&stand.ask("get_products", again).await), "none");
    assert_eq!(code(&stand.buy("one", "p1").await), "none");
    assert_eq!(stand.seen()["packages"][0]["budget"], 600);
}

#[tokio::test]
async fn without_terms_a_sellers_proposals_are_its_own() {
    let stand = Market::new().build(|builder| builder);
    assert!(stand.brief().await.body.contains_key("proposals"));
    assert_eq!(stand.state("p1").await, None);
    assert_eq!(code(&stand.finalize(&["p1"]).await), "none");
    assert_eq!(code(&stand.buy("one", "p1").await), "none");
    assert!(stand.seen().get("packages").is_none());
}

#[tokio::test]
async fn a_person_may_take_longer_to_make_a_draft_firm_than_drafts_are_kept() {
    let market = Market::new().finding(|ctx, request| async move {
        Ok(match request["buying_mode"].as_str() {
            Some("refine") => ctx.handoff_to_workflow(async move |_| Ok(())).into(),
            _ => plain_find(&request).into(),
        })
    });
    let stand = market.open(terms());
    stand.brief().await;
    let task = task_of(&stand.finalize(&["p1"]).await);
    stand.later(24 * 5);
    let mut late = firm("p1");
    late["expires_at"] = "2026-05-20T00:00:00Z".into();
    let answer = json!({ "products": [], "proposals": [late], "cache_scope": "account" });
    let answer: adcp_types::media_buy::GetProductsResponse = from(answer);
    TaskDesk::new(stand.registry.clone()).complete(&task, &answer).await.unwrap();
    assert_eq!(stand.state("p1").await, COMMITTED);
    let reply = stand.buy("one", "p1").await;
    assert_eq!(code(&reply), "none", "{:?}", reply.body);
}
