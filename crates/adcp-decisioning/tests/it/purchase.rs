//! Orders that buy a proposal: once, and never half.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use adcp_core::{AdcpError, ProposalState, TaskRef};
use adcp_decisioning::{Interactive, JobHandle, JobHandler, Offer};
use adcp_types::ErrorCode;
use adcp_types::media_buy::CreateMediaBuySuccess;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::market::{
    LineItem, Market, WhenNamed, booking, field, firm, from, offering, owner, plain_find, proposal, purchase,
    terms,
};
use crate::seller::{code, order};

const COMMITTED: Option<ProposalState> = Some(ProposalState::Committed);
const CONSUMING: Option<ProposalState> = Some(ProposalState::Consuming);
const CONSUMED: Option<ProposalState> = Some(ProposalState::Consumed);

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

/// Books what it is given; an order that asks for it fails for good.
struct Book;

impl JobHandler for Book {
    const KIND: &'static str = "book";
    type Input = (LineItem, Value);
    type Output = CreateMediaBuySuccess;

    async fn run(
        &self,
        _: JobHandle,
        (line, request): (LineItem, Value),
    ) -> Result<CreateMediaBuySuccess, AdcpError> {
        assert_eq!(line.template, 1);
        if request["ext"]["fails"] == true {
            return Err(AdcpError::new(ErrorCode::POLICY_VIOLATION, "not on this site"));
        }
        Ok(booking("mb_1", &request))
    }
}

#[tokio::test]
async fn a_job_buys_its_proposal_or_gives_it_back() {
    let market = Market::new().buying(|ctx, request| async move {
        let line: LineItem = ctx.recipe("tv")?.unwrap();
        Ok(ctx.handoff_to_job::<Book>((line, request)).into())
    });
    let stand = market.build(|agent| agent.proposals(terms()).job(Book)).committed().await;
    let mut ask = purchase("one", "p1");
    ask["ext"] = json!({ "fails": true });
    let reply = stand.ask("create_media_buy", ask).await;
    assert_eq!(stand.ended(&reply).await["error"]["code"], "POLICY_VIOLATION");
    assert_eq!(stand.state("p1").await, COMMITTED);
    let reply = stand.buy("two", "p1").await;
    assert_eq!(stand.ended(&reply).await["status"], "completed");
    assert_eq!(stand.state("p1").await, CONSUMED);
    assert_eq!(stand.of_buy("mb_1").await.unwrap().packages["pkg_1"], "web");
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
    stand.agent.desk().complete(&task_of(&reply), &booking("mb_7", &Value::Null)).await.unwrap();
    assert_eq!(stand.state("p1").await, CONSUMED);
    assert_eq!(stand.of_buy("mb_7").await.unwrap().key.id.as_str(), "p1");
}

fn task_of(reply: &adcp_decisioning::Reply) -> TaskRef {
    TaskRef::new(adcp_core::TaskId::new(reply.body["task_id"].as_str().unwrap()), owner())
}

#[tokio::test]
async fn a_task_that_is_ended_badly_from_outside_releases_too() {
    let market = Market::new().buying(|ctx, request| async move {
        if request["ext"]["later"] == true {
            return Ok(ctx.handoff_to_workflow(|_: TaskRef| async { Ok(()) }).into());
        }
        Ok(booking("mb_1", &request).into())
    });
    let stand = market.open(terms()).committed().await;
    let desk = stand.agent.desk();
    for (at, key) in ["fail", "reject", "cancel"].into_iter().enumerate() {
        let mut ask = purchase(key, "p1");
        ask["ext"] = json!({ "later": true });
        let reply = stand.ask("create_media_buy", ask).await;
        let task = task_of(&reply);
        assert_eq!(stand.state("p1").await, CONSUMING, "{key}");
        match at {
            0 => desk.fail(&task, AdcpError::unavailable()).await,
            1 => desk.reject(&task, AdcpError::new(ErrorCode::POLICY_VIOLATION, "no")).await,
            _ => desk.cancel(&task, "no longer wanted").await,
        }
        .unwrap();
        assert_eq!(stand.state("p1").await, COMMITTED, "{key}");
    }
    assert_eq!(code(&stand.buy("retry", "p1").await), "none");
    assert_eq!(stand.state("p1").await, CONSUMED);
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

#[tokio::test]
async fn a_draft_that_was_offered_without_an_account_is_its_principals_to_finalize_and_buy() {
    let stand = Market::new().build(|builder| builder.proposals(terms()).accounts(WhenNamed));
    stand.brief().await;
    assert_eq!(stand.state("p1").await, None, "it is kept with the principal, not with an account");
    let finalize = |who: &str| {
        json!({
            "buying_mode": "refine", "account": { "account_id": who },
            "refine": [{ "scope": "proposal", "action": "finalize", "proposal_id": "p1" }],
        })
    };
    let foreign = stand.ask_as("nova", "get_products", finalize("nova")).await;
    assert_eq!(code(&foreign), "PROPOSAL_NOT_FOUND");
    let reply = stand.ask("get_products", finalize("acme")).await;
    assert_eq!(code(&reply), "none", "{:?}", reply.body);
    assert_eq!(code(&stand.buy("one", "p1").await), "none");
    // The order is the account's, and so is the way back to its proposal.
    assert_eq!(stand.of_buy("mb_1").await.unwrap().state, ProposalState::Consumed);
    assert_eq!(code(&stand.buy("two", "p1").await), "PROPOSAL_NOT_COMMITTED");
}

#[tokio::test]
async fn a_draft_of_a_principal_is_refined_from_an_account_and_keeps_what_is_not_repeated() {
    for handed_off in [false, true] {
        let market = Market::new().finding(move |ctx, request| async move {
            if request["buying_mode"] == "brief" {
                return Ok(plain_find(&request).into());
            }
            // Neither refining nor finalizing shows the products again.
            let finalizes = request["refine"][0]["action"] == "finalize";
            let again = if finalizes { firm("p1") } else { proposal("p1") };
            let offer =
                Offer::new(from(json!({ "products": [], "proposals": [again], "cache_scope": "account" })));
            Ok(if handed_off { ctx.handoff_to_task(async move |_| Ok(offer)).into() } else { offer.into() })
        });
        let stand = market.build(|builder| builder.proposals(terms()).accounts(WhenNamed));
        stand.brief().await;
        for entry in [
            json!({ "scope": "proposal", "proposal_id": "p1", "ask": "more tv" }),
            json!({ "scope": "proposal", "proposal_id": "p1", "action": "finalize" }),
        ] {
            let ask =
                json!({ "buying_mode": "refine", "account": { "account_id": "acme" }, "refine": [entry] });
            let reply = stand.ask("get_products", ask).await;
            assert_eq!(code(&reply), "none", "{:?}", reply.body);
            if handed_off {
                assert_eq!(stand.ended(&reply).await["status"], "completed");
            }
        }
        assert_eq!(stand.state("p1").await, None, "it stays with its principal");
        let reply = stand.buy("one", "p1").await;
        assert_eq!(code(&reply), "none", "{:?}", reply.body);
        assert_eq!(stand.of_buy("mb_1").await.unwrap().recipes.len(), 2);
    }
}

/// What a handoff holds; it panics when it is dropped.
struct Brittle;

impl Drop for Brittle {
    fn drop(&mut self) {
        panic!("the adopter's own fault");
    }
}

#[tokio::test]
async fn a_handoff_that_finds_no_place_gives_the_key_and_the_proposal_back_whatever_it_holds() {
    let market = Market::new().buying(|ctx, _| async move {
        let held = Brittle;
        Ok(ctx
            .handoff_to_task(async move |_| {
                let _held = &held;
                std::future::pending().await
            })
            .into())
    });
    let stand = market.build(|builder| builder.proposals(terms()).background_tasks(1)).committed().await;
    let first = stand.ask("create_media_buy", order("first-0123456789abcdef")).await;
    assert_eq!(first.body["status"], "submitted", "{:?}", first.body);
    for _ in 0..2 {
        let reply = stand.buy("one", "p1").await;
        assert_eq!(code(&reply), "SERVICE_UNAVAILABLE", "the key is free: {:?}", reply.body);
        assert_eq!(stand.state("p1").await, COMMITTED);
    }
}
