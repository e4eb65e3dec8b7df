//! Proposals, from the first draft to the order that bought one.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use adcp_core::{AdcpError, ProposalState, TaskRef};
use adcp_decisioning::{Finalizing, Interactive, ProposalTerms};
use adcp_types::ErrorCode;
use adcp_types::media_buy::CreateMediaBuySuccess;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::market::{
    LineItem, Market, booking, field, firm, from, offering, plain_find, proposal, purchase, recipe, terms,
};
use crate::seller::code;

const DRAFT: Option<ProposalState> = Some(ProposalState::Draft);
const COMMITTED: Option<ProposalState> = Some(ProposalState::Committed);
const CONSUMING: Option<ProposalState> = Some(ProposalState::Consuming);
const CONSUMED: Option<ProposalState> = Some(ProposalState::Consumed);

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
async fn handoff_create_media_buy_happy_path_consumes_and_hydrates_the_reverse_index() {
    let go = Arc::new(Notify::new());
    let gate = Arc::clone(&go);
    let market = Market::new().buying(move |ctx, request| {
        let gate = Arc::clone(&gate);
        async move {
            let line: LineItem = ctx.recipe("tv")?.unwrap();
            Ok(ctx
                .handoff_to_task(move |_| async move {
                    gate.notified().await;
                    assert_eq!(line.template, 1);
                    Ok(booking("mb_1", &request))
                })
                .into())
        }
    });
    let stand = market.open(terms()).committed().await;
    let reply = stand.buy("one", "p1").await;
    assert_eq!(stand.state("p1").await, CONSUMING);
    go.notify_one();
    let task = stand.ended(&reply).await;
    assert_eq!(task["status"], "completed", "{task}");
    assert_eq!(stand.state("p1").await, CONSUMED);
    let bought = stand.of_buy("mb_1").await.unwrap();
    assert_eq!(bought.key.id.as_str(), "p1");
    assert_eq!(bought.packages["pkg_1"], "web");
    // What the buyer left out was derived.
    assert_eq!(
        stand.seen()["packages"],
        json!([
            { "product_id": "tv", "pricing_option_id": "tv_cpm", "budget": 600 },
            { "product_id": "web", "pricing_option_id": "web_cpm", "budget": 400 },
        ])
    );
    let again = stand.buy("two", "p1").await;
    assert_eq!((code(&again), field(&again)), ("PROPOSAL_NOT_COMMITTED", "proposal_id"));
}

#[tokio::test]
async fn workflow_create_media_buy_consumes_when_it_is_completed() {
    let market = Market::new()
        .buying(|ctx, _| async move { Ok(ctx.handoff_to_workflow(|_: TaskRef| async { Ok(()) }).into()) });
    let stand = market.open(terms()).committed().await;
    let reply = stand.buy("one", "p1").await;
    assert_eq!(reply.body["status"], "submitted", "{:?}", reply.body);
    assert_eq!(stand.state("p1").await, CONSUMING);
    // The task keeps the proposal, however long it takes.
    stand.later(20);
    let rival = stand.buy("two", "p1").await;
    assert_eq!(code(&rival), "PROPOSAL_NOT_COMMITTED");
}

#[tokio::test]
async fn a_workflow_that_is_not_enqueued_leaves_no_task_and_the_retry_succeeds() {
    let market = Market::new().buying(|ctx, request| async move {
        if request["ext"]["fails"] == true {
            let full = || AdcpError::unavailable();
            return Ok(ctx.handoff_to_workflow(move |_: TaskRef| async move { Err(full()) }).into());
        }
        Ok(booking("mb_1", &request).into())
    });
    let stand = market.open(terms()).committed().await;
    let mut ask = purchase("one", "p1");
    ask["ext"] = json!({ "fails": true });
    assert_eq!(code(&stand.ask("create_media_buy", ask).await), "SERVICE_UNAVAILABLE");
    assert_eq!(stand.state("p1").await, COMMITTED);
    assert_eq!(stand.traces().await.0, 0);
    assert_eq!(code(&stand.buy("two", "p1").await), "none");
    assert_eq!(stand.state("p1").await, CONSUMED);
}

/// How a purchase can come to nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Failure {
    Error,
    Panic,
    Invalid,
    Question,
    TaskError,
    TaskPanic,
    TaskInvalid,
}

#[tokio::test]
async fn every_failure_releases_the_proposal_and_the_buyers_retry_succeeds() {
    use Failure::{Error, Invalid, Panic, Question, TaskError, TaskInvalid, TaskPanic};
    for failure in [Error, Panic, Invalid, Question, TaskError, TaskPanic, TaskInvalid] {
        let market = Market::new().buying(move |ctx, request| async move {
            if request["ext"]["fails"] != true {
                return Ok(booking("mb_1", &request).into());
            }
            let invalid = || {
                let mut answer = booking("mb_0", &Value::Null);
                answer.confirmed_at = Some("yesterday".into());
                answer
            };
            let refusal = || AdcpError::new(ErrorCode::POLICY_VIOLATION, "no").with_suggestion("ask another");
            match failure {
                Error => Err(refusal()),
                Panic => panic!("the adopter's own fault"),
                Invalid => Ok(invalid().into()),
                Question => Ok(Interactive::NeedsInput(from(json!({ "reason": "APPROVAL_REQUIRED" })))),
                TaskError => Ok(ctx.handoff_to_task(move |_| async move { Err(refusal()) }).into()),
                TaskPanic => {
                    let panics =
                        async |_| -> Result<CreateMediaBuySuccess, AdcpError> { panic!("own fault") };
                    Ok(ctx.handoff_to_task(panics).into())
                }
                TaskInvalid => Ok(ctx.handoff_to_task(move |_| async move { Ok(invalid()) }).into()),
            }
        });
        let stand = market.open(terms()).committed().await;
        let mut ask = purchase("one", "p1");
        ask["ext"] = json!({ "fails": true });
        let reply = stand.ask("create_media_buy", ask).await;
        if reply.body["status"] == "submitted" {
            assert_eq!(stand.ended(&reply).await["status"], "failed", "{failure:?}");
        } else {
            assert_ne!(reply.body["status"], "completed", "{failure:?}");
        }
        assert_eq!(stand.state("p1").await, COMMITTED, "{failure:?}");
        let retry = stand.buy("two", "p1").await;
        assert_eq!(code(&retry), "none", "{failure:?}: {:?}", retry.body);
        assert_eq!(stand.state("p1").await, CONSUMED, "{failure:?}");
        assert_eq!(stand.of_buy("mb_1").await.unwrap().key.id.as_str(), "p1", "{failure:?}");
    }
}

#[tokio::test]
async fn of_two_buyers_at_once_one_wins() {
    let go = Arc::new(Notify::new());
    let gate = Arc::clone(&go);
    let market = Market::new().buying(move |_, request| {
        let gate = Arc::clone(&gate);
        async move {
            gate.notified().await;
            Ok(booking("mb_1", &request).into())
        }
    });
    let stand = market.open(terms()).committed().await;
    let loser = async {
        while stand.counts.buys.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let reply = stand.buy("two", "p1").await;
        go.notify_one();
        reply
    };
    let (winner, loser) = tokio::join!(stand.buy("one", "p1"), loser);
    assert_eq!(code(&winner), "none", "{:?}", winner.body);
    assert_eq!((code(&loser), field(&loser)), ("PROPOSAL_NOT_COMMITTED", "proposal_id"));
    assert_eq!(stand.counts.buys.load(Ordering::SeqCst), 1);
    assert_eq!(stand.state("p1").await, CONSUMED);
}

#[tokio::test]
async fn a_proposal_that_cannot_be_bought_says_why() {
    let stand = Market::new().open(terms().with_grace(Duration::from_secs(3600)));
    stand.brief().await;
    for (id, want) in [("nowhere", "PROPOSAL_NOT_FOUND"), ("p1", "PROPOSAL_NOT_COMMITTED")] {
        let reply = stand.buy(id, id).await;
        assert_eq!((code(&reply), field(&reply)), (want, "proposal_id"));
        assert_eq!(reply.body["adcp_error"]["recovery"], "correctable");
    }
    stand.finalize(&["p1"]).await;
    // It expires after a day, and there is an hour of grace.
    stand.later(26);
    let reply = stand.buy("late", "p1").await;
    assert_eq!((code(&reply), field(&reply)), ("PROPOSAL_EXPIRED", "proposal_id"));
    assert_eq!(reply.body["adcp_error"]["recovery"], "correctable");
    assert_eq!(stand.counts.buys.load(Ordering::SeqCst), 0);

    let stand = Market::new().open(terms().with_grace(Duration::from_secs(3600))).committed().await;
    stand.later(24);
    stand.clock.advance(Duration::from_secs(1800));
    assert_eq!(code(&stand.buy("within", "p1").await), "none", "half an hour late is within the grace");
}

#[tokio::test]
async fn an_insertion_order_that_wants_a_signature_is_accepted_or_the_proposal_stays() {
    let market = Market::new().finding(|_, request| async move {
        let mut firm = firm("p1");
        firm["insertion_order"] = json!({ "io_id": "io_1", "requires_signature": true });
        Ok(if request["buying_mode"] == "brief" { plain_find(&request) } else { offering(&[firm]) }.into())
    });
    let stand = market.open(terms()).committed().await;
    let reply = stand.buy("one", "p1").await;
    assert_eq!((code(&reply), field(&reply)), ("IO_REQUIRED", "io_acceptance"));
    let accepted = |key, io: &str| {
        let mut ask = purchase(key, "p1");
        ask["io_acceptance"] =
            json!({ "io_id": io, "accepted_at": "2026-05-01T00:00:00Z", "signatory": "A. Buyer" });
        ask
    };
    let reply = stand.ask("create_media_buy", accepted("two", "io_2")).await;
    assert_eq!((code(&reply), field(&reply)), ("INVALID_REQUEST", "io_acceptance.io_id"));
    assert_eq!(stand.state("p1").await, COMMITTED);
    let reply = stand.ask("create_media_buy", accepted("six", "io_1")).await;
    assert_eq!(code(&reply), "none", "{:?}", reply.body);
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

#[tokio::test(start_paused = true)]
async fn a_hold_is_renewed_while_the_method_runs() {
    let go = Arc::new(Notify::new());
    let gate = Arc::clone(&go);
    let market = Market::new().buying(move |_, request| {
        let gate = Arc::clone(&gate);
        async move {
            gate.notified().await;
            Ok(booking("mb_1", &request).into())
        }
    });
    let stand = Arc::new(market.open(terms().with_hold(Duration::from_secs(60))).committed().await);
    let buying = tokio::spawn({
        let stand = Arc::clone(&stand);
        async move { stand.buy("one", "p1").await }
    });
    // Four leases pass, a third at a time, on the runtime's clock and on the registry's.
    for _ in 0..12 {
        tokio::time::sleep(Duration::from_secs(20)).await;
        stand.clock.advance(Duration::from_secs(20));
        tokio::task::yield_now().await;
        assert_eq!(code(&stand.buy("two", "p1").await), "PROPOSAL_NOT_COMMITTED");
    }
    go.notify_one();
    let reply = buying.await.unwrap();
    assert_eq!(code(&reply), "none", "{:?}", reply.body);
    assert_eq!(stand.state("p1").await, CONSUMED);
}

#[tokio::test]
async fn an_update_and_a_report_find_the_recipes_of_the_order() {
    let market = Market::new().changing(|ctx, request| async move {
        let line: Option<LineItem> = ctx.recipe("tv")?;
        let template = line.map_or(0, |line| line.template);
        Ok(from::<adcp_types::media_buy::UpdateMediaBuySuccess>(
            json!({ "media_buy_id": request["media_buy_id"], "revision": template + 5 }),
        )
        .into())
    });
    let stand = market.open(terms()).committed().await;
    assert_eq!(code(&stand.buy("one", "p1").await), "none");
    for (order, revision) in [("mb_1", 6), ("mb_9", 5)] {
        let ask = json!({
            "idempotency_key": format!("{order}-0123456789abcdef"), "account": { "account_id": "acme" },
            "media_buy_id": order, "paused": true,
        });
        let reply = stand.ask("update_media_buy", ask).await;
        assert_eq!(reply.body["revision"], revision, "{:?}", reply.body);
        let ask = json!({ "account": { "account_id": "acme" }, "media_buy_ids": [order] });
        let reply = stand.ask("get_media_buy_delivery", ask).await;
        assert_eq!(reply.body["adcp_error"]["details"]["template"], revision - 5, "{:?}", reply.body);
    }
}
