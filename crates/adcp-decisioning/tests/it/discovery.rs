//! Finding products and signals: modes, guards, and the time a seller may take.

use std::sync::atomic::Ordering;
use std::time::Duration;

use adcp_decisioning::ProposalTerms;
use adcp_types::media_buy::GetProductsResponse;
use adcp_types::signals::GetSignalsResponse;
use serde_json::{Value, json};

use crate::market::{Market, Stand, WhenNamed, field, from, offering, proposal, terms};
use crate::seller::code;
use crate::webhook::Post;

const NOTHING: (usize, usize, bool) = (0, 0, false);

fn hook() -> Value {
    json!({ "url": "https://buyer.example/hook", "operation_id": "op_1" })
}

/// A brief and a wholesale request of each discovery tool, with the field of its mode.
fn tools() -> [(&'static str, &'static str, Value, Value); 2] {
    [
        (
            "get_products",
            "buying_mode",
            json!({ "buying_mode": "brief", "brief": "spring" }),
            json!({ "buying_mode": "wholesale" }),
        ),
        (
            "get_signals",
            "discovery_mode",
            json!({ "discovery_mode": "brief", "signal_spec": "gardeners" }),
            json!({ "discovery_mode": "wholesale" }),
        ),
    ]
}

/// A market that hands off whatever it is asked to find.
fn handing_off() -> Market {
    Market::new()
        .finding(|ctx, _| async move {
            Ok(ctx.handoff_to_task(|_| async { Ok(offering(&[proposal("p1")])) }).into())
        })
        .signalling(|ctx, _| async move {
            Ok(ctx
                .handoff_to_task(|_| async {
                    Ok(from::<GetSignalsResponse>(json!({ "signals": [], "cache_scope": "account" })))
                })
                .into())
        })
}

fn calls(stand: &Stand) -> usize {
    stand.counts.finds.load(Ordering::SeqCst) + stand.counts.signals.load(Ordering::SeqCst)
}

fn refused(reply: &adcp_decisioning::Reply, at: &str) {
    assert_eq!((code(reply), field(reply)), ("INVALID_REQUEST", at), "{:?}", reply.body);
    assert_eq!(reply.body["adcp_error"]["recovery"], "correctable");
}

#[tokio::test]
async fn guard_a_a_wholesale_read_takes_no_callback_and_nobody_is_asked() {
    for (tool, _, _, wholesale) in tools() {
        // Also one that is empty, and so no callback at all.
        for config in [hook(), json!({}), Value::Null] {
            let stand = handing_off().open(terms());
            let mut ask = wholesale.clone();
            ask["push_notification_config"] = config;
            refused(&stand.ask(tool, ask).await, "push_notification_config");
            assert_eq!((calls(&stand), stand.traces().await), (0, NOTHING), "{tool}");
        }
    }
}

#[tokio::test]
async fn guard_b_a_wholesale_read_that_is_handed_off_leaves_nothing_behind() {
    for (tool, mode, _, wholesale) in tools() {
        let stand = handing_off().open(terms());
        refused(&stand.ask(tool, wholesale).await, mode);
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert_eq!((calls(&stand), stand.traces().await), (1, NOTHING), "{tool}");
    }
}

#[tokio::test]
async fn guard_b_holds_for_work_that_another_system_would_carry() {
    let enqueued = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (one, two) = (std::sync::Arc::clone(&enqueued), std::sync::Arc::clone(&enqueued));
    let stand = Market::new()
        .finding(move |ctx, _| {
            let enqueued = std::sync::Arc::clone(&one);
            async move {
                Ok(ctx
                    .handoff_to_workflow(move |_| async move {
                        enqueued.fetch_add(1, Ordering::SeqCst);
                        Ok(())
                    })
                    .into())
            }
        })
        .signalling(move |ctx, _| {
            let enqueued = std::sync::Arc::clone(&two);
            async move {
                Ok(ctx
                    .handoff_to_workflow(move |_| async move {
                        enqueued.fetch_add(1, Ordering::SeqCst);
                        Ok(())
                    })
                    .into())
            }
        })
        .open(terms());
    for (tool, mode, _, wholesale) in tools() {
        refused(&stand.ask(tool, wholesale).await, mode);
    }
    assert_eq!((enqueued.load(Ordering::SeqCst), stand.traces().await), (0, NOTHING));
}

#[tokio::test]
async fn guard_c_what_comes_later_belongs_to_an_account() {
    let open = || {
        handing_off()
            .build(|builder| builder.proposals(terms()).accounts(WhenNamed).deliver_with(Post::default()))
    };
    for (tool, _, brief, _) in tools() {
        let stand = open();
        let mut ask = brief.clone();
        ask["push_notification_config"] = hook();
        refused(&stand.ask(tool, ask).await, "account");
        assert_eq!((calls(&stand), stand.traces().await), (0, NOTHING), "{tool}");
        // Without a callback it is the handoff that needs one.
        refused(&stand.ask(tool, brief).await, "account");
        assert_eq!((calls(&stand), stand.traces().await), (1, NOTHING), "{tool}");
    }
}

#[tokio::test]
async fn refine_and_finalize_notify_like_any_task_and_say_nothing_of_recipes() {
    use adcp_core::DeliveryOutbox as _;
    let market = Market::new().finding(|ctx, request| async move {
        if request["buying_mode"] == "brief" {
            return Ok(crate::market::plain_find(&request).into());
        }
        Ok(ctx
            .handoff_to_task(move |_| async move {
                if request["ext"]["fails"] == true {
                    return Err(adcp_core::AdcpError::unavailable());
                }
                Ok(crate::market::plain_find(&request))
            })
            .into())
    });
    let stand = market.build(|builder| builder.proposals(terms()).deliver_with(Post::default()));
    stand.brief().await;
    let cases =
        [("include", true, "failed"), ("include", false, "completed"), ("finalize", false, "completed")];
    for (at, (action, fails, status)) in cases.into_iter().enumerate() {
        let ask = json!({
            "buying_mode": "refine", "ext": { "fails": fails }, "push_notification_config": hook(),
            "refine": [{ "scope": "proposal", "proposal_id": "p1", "action": action }],
        });
        let reply = stand.ask("get_products", ask).await;
        stand.ended(&reply).await;
        let scope = adcp_core::Scope::Operator { tenant: adcp_core::TenantId::single() };
        let events = stand.registry.events(adcp_core::ListEvents::new(scope)).await.unwrap();
        assert_eq!(events.len(), at + 1, "{action}");
        let body: Value = serde_json::from_str(&events[at].body).unwrap();
        assert_eq!(
            (&body["task_type"], &body["status"]),
            (&json!("get_products"), &json!(status)),
            "{action}"
        );
        assert!(!events[at].body.contains(crate::market::SECRET), "{action}");
    }
    assert_eq!(stand.state("p1").await, Some(adcp_core::ProposalState::Committed));
}

#[tokio::test]
async fn guard_d_a_task_written_by_hand_is_caught() {
    for name in ["status", "task_id"] {
        let stand = Market::new()
            .finding(move |_, _| async move {
                let mut answer: GetProductsResponse =
                    from(json!({ "products": [], "cache_scope": "public", "proposals": [proposal("p1")] }));
                answer.extra.insert(name.into(), "submitted".into());
                Ok(answer.into())
            })
            .signalling(move |_, _| async move {
                let mut answer: GetSignalsResponse = from(json!({ "signals": [], "cache_scope": "public" }));
                answer.extra.insert(name.into(), "submitted".into());
                Ok(answer.into())
            })
            .open(terms());
        for (tool, _, brief, _) in tools() {
            let reply = stand.ask(tool, brief).await;
            refused(&reply, "none");
            assert!(reply.body["adcp_error"]["message"].as_str().unwrap().contains("handoff_to_task"));
        }
        assert_eq!((calls(&stand), stand.traces().await), (2, NOTHING), "{name}");
    }
}

#[tokio::test]
async fn a_mode_takes_what_belongs_to_it() {
    let entry = json!([{ "scope": "request", "ask": "cheaper" }]);
    let cases = [
        (json!({ "buying_mode": "wholesale", "brief": "spring" }), "brief"),
        (json!({ "buying_mode": "refine", "brief": "spring", "refine": entry }), "brief"),
        (json!({ "buying_mode": "refine" }), "refine"),
        (json!({ "buying_mode": "refine", "refine": [] }), "refine"),
        (json!({ "buying_mode": "refine", "refine": null }), "refine"),
    ];
    let stand = Market::new().open(terms());
    for (ask, at) in cases {
        refused(&stand.ask("get_products", ask).await, at);
    }
    assert_eq!((calls(&stand), stand.traces().await), (0, NOTHING));
}

#[tokio::test]
async fn a_signal_request_without_a_mode_has_a_brief() {
    let stand = Market::new().open(terms());
    let reply = stand.ask("get_signals", json!({ "signal_spec": "gardeners" })).await;
    assert_eq!(code(&reply), "none", "{:?}", reply.body);
    assert_eq!(stand.seen()["discovery_mode"], "brief");
}

#[tokio::test]
async fn a_wholesale_answer_says_what_is_incomplete_and_offers_no_proposals() {
    let incomplete = json!([{ "scope": "pricing", "description": "rates are being loaded" }]);
    let said = incomplete.clone();
    let market = Market::new().finding(move |_, _| {
        let said = said.clone();
        async move {
            let answer = json!({
                "products": [], "cache_scope": "public", "incomplete": said, "proposals": [proposal("p1")],
            });
            Ok(from::<GetProductsResponse>(answer).into())
        }
    });
    let stand = market.open(terms());
    let reply = stand.ask("get_products", json!({ "buying_mode": "wholesale" })).await;
    assert_eq!(reply.body["incomplete"], incomplete, "{:?}", reply.body);
    assert!(!reply.body.contains_key("proposals"));
    assert_eq!(stand.traces().await, NOTHING);
}

#[tokio::test(start_paused = true)]
async fn a_time_budget_bounds_the_method() {
    let market = Market::new().finding(|_, _| async {
        tokio::time::sleep(Duration::from_secs(90)).await;
        Ok(offering(&[proposal("p1")]).into())
    });
    let stand = market.open(terms());
    let ask = |interval: u64, unit: &str| {
        json!({
            "buying_mode": "brief", "brief": "spring", "time_budget": { "interval": interval, "unit": unit },
        })
    };
    for (interval, unit) in [(5, "seconds"), (1, "minutes")] {
        let reply = stand.ask("get_products", ask(interval, unit)).await;
        assert_eq!(code(&reply), "none", "{:?}", reply.body);
        assert_eq!(reply.body["products"], json!([]));
        assert_eq!(reply.body["incomplete"][0]["scope"], "products");
        assert_eq!(stand.traces().await, NOTHING);
    }
    for (interval, unit) in [(2, "minutes"), (1, "campaign")] {
        let reply = stand.ask("get_products", ask(interval, unit)).await;
        assert!(!reply.body.contains_key("incomplete"), "{:?}", reply.body);
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_budget_does_not_bound_a_task() {
    let market = Market::new().finding(|ctx, _| async move {
        Ok(ctx
            .handoff_to_task(|_| async {
                tokio::time::sleep(Duration::from_secs(90)).await;
                Ok(offering(&[proposal("p1")]))
            })
            .into())
    });
    let stand = market.open(terms());
    let ask = json!({
        "buying_mode": "brief", "brief": "spring", "time_budget": { "interval": 5, "unit": "seconds" },
    });
    let reply = stand.ask("get_products", ask).await;
    assert_eq!(reply.body["status"], "submitted", "{:?}", reply.body);
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(stand.ended(&reply).await["status"], "completed");
    assert!(stand.record("p1").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_finalization_that_takes_too_long_commits_nothing() {
    let market = Market::new().finding(|_, request| async move {
        if request["buying_mode"] == "refine" {
            tokio::time::sleep(Duration::from_secs(90)).await;
        }
        Ok(crate::market::plain_find(&request).into())
    });
    let stand = market.open(terms());
    stand.brief().await;
    let ask = json!({
        "buying_mode": "refine", "time_budget": { "interval": 5, "unit": "seconds" },
        "refine": [{ "scope": "proposal", "action": "finalize", "proposal_id": "p1" }],
    });
    let reply = stand.ask("get_products", ask).await;
    assert_eq!(reply.body["refinement_applied"][0]["status"], "unable", "{:?}", reply.body);
    assert_eq!(stand.state("p1").await, Some(adcp_core::ProposalState::Draft));
}

#[tokio::test]
async fn a_sellers_faulty_proposals_never_reach_a_buyer() {
    use adcp_core::Overlap;
    use adcp_decisioning::Offer;
    let whole = |proposal: Value| json!({ "products": crate::market::shelf(), "proposals": [proposal], "cache_scope": "account" });
    let mut short = proposal("p1");
    short["allocations"][0]["allocation_percentage"] = 50.into();
    let mut unseen = proposal("p1");
    unseen["allocations"][0]["product_id"] = "radio".into();
    let narrow = |overlap| crate::market::narrow(overlap);
    let cases: Vec<(&str, Offer)> = vec![
        ("90 % is no whole", Offer::new(from(whole(short)))),
        ("nobody saw that product", Offer::new(from(whole(unseen)))),
        (
            "the product has no such pricing model",
            Offer::new(from(whole(proposal("p1"))))
                .with_recipe("tv", narrow(Overlap::unlimited().with_pricing_models(["cpm", "cpc"]))),
        ),
        (
            "the product is not delivered that way",
            Offer::new(from(whole(proposal("p1"))))
                .with_recipe("tv", narrow(Overlap::unlimited().with_delivery_types(["non_guaranteed"]))),
        ),
        (
            "no outcome for an entry that was never made",
            Offer::new(from(json!({ "products": [], "cache_scope": "account", "refinement_applied": [
                { "scope": "request", "status": "applied" },
            ] }))),
        ),
    ];
    for (why, offer) in cases {
        let market = Market::new().finding(move |_, _| {
            let offer = offer.clone();
            async move { Ok(offer.into()) }
        });
        let stand = market.open(terms());
        let reply = stand.brief().await;
        assert_eq!(code(&reply), "SERVICE_UNAVAILABLE", "{why}: {:?}", reply.body);
        assert!(reply.body["adcp_error"]["details"]["correlation_id"].is_string(), "{why}");
        assert_eq!(stand.traces().await, NOTHING, "{why}");
    }
}

#[tokio::test]
async fn terms_say_what_capabilities_say_and_contradictions_are_refused() {
    use crate::everything::{bare, declared, mounted};
    use adcp_decisioning::Finalizing;
    use adcp_types::enums::Specialism;
    use adcp_types::protocol::get_adcp_capabilities_response::MediaBuy;
    let stand = Market::new().open(terms());
    let reply = stand.ask("get_adcp_capabilities", json!({})).await;
    assert_eq!(reply.body["media_buy"]["supports_proposals"], true);
    let stand = Market::new().build(|builder| builder);
    let reply = stand.ask("get_adcp_capabilities", json!({})).await;
    assert_eq!(reply.body["media_buy"]["supports_proposals"], false);

    let says = |says: bool| {
        move |known: adcp_types::protocol::GetAdcpCapabilitiesResponse| {
            declared(known).with_media_buy(MediaBuy::new().with_supports_proposals(says))
        }
    };
    let day = Duration::from_secs(86_400);
    let full = || mounted(bare().0).capabilities(declared);
    let cases = [
        (mounted(bare().0).capabilities(says(true)), "no `.proposals(…)`"),
        (mounted(bare().0).capabilities(says(false)).proposals(terms()), "`.proposals(…)` keeps them"),
        (full().proposals(terms().committing_for(day)), "`with_finalizing` offers"),
        (
            full().proposals(ProposalTerms::new().committing_for(Duration::ZERO)),
            "the time to commit for is zero",
        ),
        (
            full().proposals(ProposalTerms::new().keeping_drafts_for(Duration::ZERO)),
            "the time to keep drafts is zero",
        ),
        (full().proposals(ProposalTerms::new().with_hold(Duration::ZERO)), "the hold of a purchase is zero"),
        (
            full().proposals(ProposalTerms::new().with_hold(Duration::from_nanos(2))),
            "the lease of 2ns is shorter than a second",
        ),
        (
            full().proposals(ProposalTerms::new().with_grace(Duration::from_secs(8 * 24 * 3600))),
            "an expired proposal is remembered for seven days",
        ),
        (bare().0.signals().proposals(terms()), "needs `get_products` (mount `.sales()`)"),
        (
            mounted(bare().0)
                .capabilities(|known| declared(known).with_specialisms(vec![Specialism::SalesGuaranteed]))
                .proposals(ProposalTerms::new().committing_for(day)),
            "`sales-guaranteed`",
        ),
    ];
    for (builder, part) in cases {
        let errors = builder.build().unwrap_err();
        assert!(errors.to_string().contains(part), "{part} is missing in: {errors}");
    }
    assert!(full().proposals(terms().with_finalizing(Finalizing::One)).build().is_ok());
}
