//! Updates of a media buy: what is offered is accepted, and nothing else is.

#![allow(clippy::needless_pass_by_value, reason = "the cases read better without borrows")]

use adcp_core::{AdcpError, Timestamp};
use adcp_decisioning::lifecycle::{
    BuyState, MEDIA_BUY, PackageState, Revision, assert_open, assert_transition, available_actions,
    candidates, valid_actions,
};
use adcp_schemas::validator;
use adcp_types::core::ProductAllowedAction;
use adcp_types::enums::{MediaBuyActionMode, MediaBuyStatus, MediaBuyValidAction};
use adcp_types::json::{FromJson, JsonObject, ToJson};
use adcp_types::media_buy::UpdateMediaBuyRequest;
use proptest::prelude::*;
use serde_json::{Value, json};

const START: &str = "2026-06-01T00:00:00Z";
const END: &str = "2026-07-01T00:00:00Z";

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn request(fields: Value) -> UpdateMediaBuyRequest {
    let mut all = json!({
        "account": { "account_id": "acc_1" },
        "media_buy_id": "mb_1",
        "idempotency_key": "key-0123456789abcdef",
    });
    let fields: JsonObject = fields.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(fields);
    UpdateMediaBuyRequest::from_json(all).unwrap()
}

fn allowed(entries: Value) -> Vec<ProductAllowedAction> {
    entries
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| ProductAllowedAction::from_json(entry.clone()).unwrap())
        .collect()
}

fn package(id: &str, budget: f64) -> PackageState {
    PackageState::new(id)
        .with_budget(budget)
        .with_flight(at(START), at(END))
        .with_pacing("even")
        .with_targeting(json!({ "geo_countries": ["DE"], "frequency_cap": { "max_impressions": 3 } }))
        .with_assignments(vec![
            json!({ "creative_id": "c_1" }),
            json!({ "creative_id": "c_2", "weight": 40 }),
        ])
}

fn buy(status: &str) -> BuyState {
    BuyState::new(status, Revision::new(7))
        .with_flight(at(START), at(END))
        .with_package(package("p_1", 100.0))
        .with_package(package("p_2", 50.0))
}

/// The changes of a request as `action field`.
fn changes(buy: &BuyState, fields: Value) -> Vec<String> {
    buy.changes(&request(fields)).iter().map(|change| format!("{} {}", change.action, change.field)).collect()
}

fn of_package(fields: Value) -> Value {
    let mut update = json!({ "package_id": "p_1" });
    update.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({ "packages": [update] })
}

fn refused(buy: &BuyState, fields: Value) -> AdcpError {
    buy.assert_update(&request(fields)).unwrap_err()
}

#[test]
fn a_request_is_read_as_actions() {
    let active = buy("active");
    for (fields, want) in [
        (json!({ "paused": true }), "pause paused"),
        (json!({ "end_time": "2026-07-02T00:00:00Z" }), "extend_flight end_time"),
        (json!({ "end_time": "2026-06-30T00:00:00Z" }), "shorten_flight end_time"),
        (json!({ "start_time": "2026-06-02T00:00:00Z" }), "update_flight_dates start_time"),
        (of_package(json!({ "budget": 120 })), "increase_budget packages[0].budget"),
        (of_package(json!({ "budget": 80 })), "decrease_budget packages[0].budget"),
        (of_package(json!({ "end_time": "2026-07-02T00:00:00Z" })), "extend_flight packages[0].end_time"),
        (of_package(json!({ "pacing": "asap" })), "update_pacing packages[0].pacing"),
        (of_package(json!({ "paused": true })), "pause packages[0].paused"),
        (of_package(json!({ "canceled": true, "budget": 1 })), "remove_packages packages[0].canceled"),
        (of_package(json!({ "bid_price": 2 })), "update_packages packages[0].bid_price"),
        (
            of_package(json!({ "keyword_targets_add": [{ "keyword": "tea", "match_type": "broad" }] })),
            "update_targeting packages[0].keyword_targets_add",
        ),
        (
            of_package(
                json!({ "targeting_overlay": { "geo_countries": ["FR"], "frequency_cap": { "max_impressions": 3 } } }),
            ),
            "update_targeting packages[0].targeting_overlay",
        ),
        (
            of_package(
                json!({ "targeting_overlay": { "geo_countries": ["DE"], "frequency_cap": { "max_impressions": 5 } } }),
            ),
            "update_frequency_caps packages[0].targeting_overlay.frequency_cap",
        ),
        (
            of_package(json!({ "creative_assignments": [{ "creative_id": "c_1" }] })),
            "remove_creative packages[0].creative_assignments",
        ),
        (
            of_package(
                json!({ "creative_assignments": [{ "creative_id": "c_1" }, { "creative_id": "c_3" }] }),
            ),
            "update_creative_assignments packages[0].creative_assignments",
        ),
        (
            of_package(json!({ "creatives": [{ "creative_id": "c_1", "name": "x", "assets": {} }] })),
            "replace_creative packages[0].creatives",
        ),
    ] {
        assert_eq!(changes(&active, fields.clone()), [want], "{fields}");
    }
}

#[test]
fn several_budgets_with_the_same_sum_are_a_reallocation() {
    let both = |a: f64, b: f64| json!({ "packages": [{ "package_id": "p_1", "budget": a }, { "package_id": "p_2", "budget": b }] });
    let active = buy("active");
    assert_eq!(
        changes(&active, both(99.9, 50.1)),
        ["reallocate_budget packages[0].budget", "reallocate_budget packages[1].budget"]
    );
    assert_eq!(
        changes(&active, both(99.0, 50.1)),
        ["decrease_budget packages[0].budget", "increase_budget packages[1].budget"]
    );
    let unknown = BuyState::new("active", Revision::FIRST)
        .with_package(PackageState::new("p_1"))
        .with_package(package("p_2", 50.0));
    assert_eq!(
        changes(&unknown, both(99.0, 51.0)),
        ["update_budget packages[0].budget", "increase_budget packages[1].budget"]
    );
}

#[test]
fn what_is_only_repeated_is_no_change() {
    let same = json!({
        "paused": false,
        "start_time": "2026-06-01T02:00:00+02:00",
        "end_time": END,
        "reporting_webhook": { "url": "https://buyer.example/r", "authentication": { "schemes": ["Bearer"], "credentials": "x".repeat(32) }, "reporting_frequency": "daily" },
        "packages": [{
            "package_id": "p_1",
            "budget": 100,
            "paused": false,
            "start_time": START,
            "end_time": END,
            "pacing": "even",
            "targeting_overlay": { "frequency_cap": { "max_impressions": 3 }, "geo_countries": ["DE"] },
            "creative_assignments": [{ "creative_id": "c_2", "weight": 40 }, { "creative_id": "c_1" }],
        }],
    });
    assert_eq!(changes(&buy("active"), same), [""; 0]);
    assert_eq!(changes(&buy("active"), json!({ "start_time": "asap" })), [""; 0]);
    assert_eq!(
        changes(&buy("pending_start"), json!({ "start_time": "asap" })),
        ["update_flight_dates start_time"]
    );
    assert_eq!(changes(&buy("paused"), json!({ "paused": true })), [""; 0]);
}

#[test]
fn a_cancellation_wins_over_everything_beside_it() {
    let fields =
        json!({ "canceled": true, "paused": true, "packages": [{ "package_id": "nope", "budget": 1 }] });
    assert_eq!(changes(&buy("active"), fields.clone()), ["cancel canceled"]);
    assert!(buy("active").assert_update(&request(fields)).is_ok());
}

#[test]
fn refusals_come_in_the_order_of_the_protocol() {
    let twice = refused(&buy("canceled"), json!({ "canceled": true, "revision": 1 }));
    assert_eq!((twice.code().as_str(), twice.field()), ("NOT_CANCELLABLE", Some("canceled")));
    for (status, fields) in [
        ("canceled", json!({ "paused": true })),
        ("completed", json!({ "canceled": true })),
        ("rejected", json!({ "revision": 1 })),
        ("unheard_of", json!({ "paused": true })),
    ] {
        assert_eq!(refused(&buy(status), fields).code().as_str(), "INVALID_STATE", "{status}");
    }
    let stale = refused(&buy("active"), json!({ "revision": 6, "packages": [{ "package_id": "nope" }] }));
    assert_eq!(stale.code().as_str(), "CONFLICT");
    let unknown =
        refused(&buy("active"), json!({ "packages": [{ "package_id": "p_1" }, { "package_id": "nope" }] }));
    assert_eq!(
        (unknown.code().as_str(), unknown.field()),
        ("PACKAGE_NOT_FOUND", Some("packages[1].package_id"))
    );

    let ended =
        BuyState::new("active", Revision::FIRST).with_package(package("p_1", 9.0).with_canceled(true));
    let changed = refused(&ended, of_package(json!({ "budget": 10 })));
    assert_eq!((changed.code().as_str(), changed.field()), ("INVALID_STATE", Some("packages[0].package_id")));
    let again = refused(&ended, of_package(json!({ "canceled": true })));
    assert_eq!((again.code().as_str(), again.field()), ("NOT_CANCELLABLE", Some("packages[0].canceled")));
}

/// Spec: `error-details/action-not-allowed.json`; the cases are those of the suite's own product.
#[test]
fn an_action_that_is_not_available_is_refused_with_what_is() {
    let product = allowed(json!([
        { "action": "increase_budget", "modes": ["self_serve"] },
        { "action": "decrease_budget", "modes": ["self_serve"], "allowed_statuses": ["paused"] },
        { "action": "extend_flight", "modes": ["requires_approval"], "sla": { "response_max": "PT24H" } },
        { "action": "cancel", "modes": ["requires_approval"] },
    ]));
    let buy = BuyState::new("active", Revision::FIRST)
        .with_flight(at(START), at(END))
        .with_package(package("p_1", 100.0).with_allowed(product));
    assert!(buy.assert_update(&request(of_package(json!({ "budget": 120 })))).is_ok());
    for (fields, action, field, reason, recovery) in [
        (
            json!({ "end_time": "2026-08-01T00:00:00Z" }),
            "extend_flight",
            "end_time",
            "mode_mismatch",
            "correctable",
        ),
        (json!({ "canceled": true }), "cancel", "canceled", "mode_mismatch", "correctable"),
        (
            of_package(json!({ "budget": 80 })),
            "decrease_budget",
            "packages[0].budget",
            "wrong_status",
            "correctable",
        ),
        (json!({ "paused": true }), "pause", "paused", "not_supported_on_product", "terminal"),
    ] {
        let error = refused(&buy, fields);
        assert_eq!((error.code().as_str(), error.field()), ("ACTION_NOT_ALLOWED", Some(field)));
        assert_eq!(error.recovery().as_str(), recovery, "{reason}");
        let details = Value::Object(error.details().unwrap().clone());
        validator("error-details/action-not-allowed.json").unwrap().validate(&details).unwrap();
        let available = json!([
            { "action": "increase_budget", "mode": "self_serve" },
            { "action": "extend_flight", "mode": "requires_approval", "sla": { "response_max": "PT24H" } },
            { "action": "cancel", "mode": "requires_approval" },
        ]);
        let want =
            json!({ "attempted_action": action, "reason": reason, "currently_available_actions": available });
        assert_eq!(details, want);
    }
    let more = refused(
        &buy,
        json!({ "new_packages": [{ "product_id": "x", "budget": 1, "pricing_option_id": "y" }] }),
    );
    assert_eq!((more.code().as_str(), more.field()), ("UNSUPPORTED_FEATURE", Some("new_packages")));
}

#[test]
fn a_coarser_name_in_the_products_list_is_enough() {
    let lenient = allowed(
        json!([{ "action": "update_budget", "modes": ["conditional_self_serve", "requires_approval"] }]),
    );
    let buy =
        BuyState::new("active", Revision::FIRST).with_package(package("p_1", 100.0).with_allowed(lenient));
    assert!(buy.assert_update(&request(of_package(json!({ "budget": 80 })))).is_ok());
    assert_eq!(refused(&buy, of_package(json!({ "pacing": "asap" }))).code().as_str(), "ACTION_NOT_ALLOWED");
    let names = |action: MediaBuyValidAction| {
        candidates(&action).iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        names(MediaBuyValidAction::RemoveCreative),
        ["remove_creative", "sync_creatives", "update_packages"]
    );
    assert_eq!(names(MediaBuyValidAction::from("invented_later")), ["invented_later"]);
}

#[test]
fn the_products_of_all_packages_have_a_say_in_the_whole() {
    let free = allowed(json!([
        { "action": "pause", "modes": ["self_serve"] },
        { "action": "increase_budget", "modes": ["self_serve"] },
    ]));
    let strict = allowed(json!([{ "action": "increase_budget", "modes": ["requires_approval"] }]));
    let buy = BuyState::new("active", Revision::FIRST)
        .with_package(package("p_1", 1.0).with_allowed(free))
        .with_package(package("p_2", 1.0).with_allowed(strict));
    let offered: Vec<Value> = buy.available_actions().iter().map(ToJson::to_json).collect();
    assert_eq!(offered, [json!({ "action": "increase_budget", "mode": "requires_approval" })]);
    assert!(valid_actions(&buy.available_actions()).is_empty());
    // A package is its own product's business; the whole is everybody's.
    assert!(buy.assert_update(&request(of_package(json!({ "budget": 2, "paused": true })))).is_ok());
    let whole = refused(&buy, json!({ "paused": true }));
    assert_eq!(whole.details().unwrap()["reason"], "not_supported_on_buy");
}

#[test]
fn a_held_package_can_be_resumed_while_the_others_run() {
    let held = buy("active").with_package(package("p_3", 5.0).with_paused(true));
    let names = valid_actions(&held.available_actions());
    assert!(names.contains(&MediaBuyValidAction::Resume) && names.contains(&MediaBuyValidAction::Pause));
    assert!(!valid_actions(&buy("active").available_actions()).contains(&MediaBuyValidAction::Resume));
    let resume = json!({ "packages": [{ "package_id": "p_3", "paused": false }] });
    assert!(held.assert_update(&request(resume)).is_ok());
}

fn status() -> impl Strategy<Value = String> {
    let known = MediaBuyStatus::VALUES.iter().copied().chain(["invented_later"]).collect::<Vec<_>>();
    prop::sample::select(known).prop_map(str::to_owned)
}

fn rules() -> impl Strategy<Value = Option<Vec<ProductAllowedAction>>> {
    let modes = prop::sample::subsequence(MediaBuyActionMode::VALUES, 1..=3);
    let statuses = prop::option::of(prop::sample::subsequence(MediaBuyStatus::VALUES, 1..=7));
    let entry = (prop::sample::select(MediaBuyValidAction::VALUES), modes, statuses).prop_map(
        |(action, modes, statuses)| {
            let mut entry =
                ProductAllowedAction::new(action.into(), modes.into_iter().map(Into::into).collect());
            entry.allowed_statuses = statuses.map(|all| all.into_iter().map(Into::into).collect());
            entry
        },
    );
    prop::option::of(prop::collection::vec(entry, 0..8))
}

/// A request that does nothing but this to an active-looking buy, if one request can.
fn doing(action: &MediaBuyValidAction) -> Option<Value> {
    use MediaBuyValidAction as A;
    Some(match action {
        A::Pause => json!({ "paused": true }),
        A::Cancel => json!({ "canceled": true }),
        A::ExtendFlight => json!({ "end_time": "2027-01-01T00:00:00Z" }),
        A::ShortenFlight => json!({ "end_time": "2026-06-02T00:00:00Z" }),
        A::UpdateFlightDates => json!({ "start_time": "2026-06-02T00:00:00Z" }),
        A::IncreaseBudget => of_package(json!({ "budget": 101 })),
        A::DecreaseBudget => of_package(json!({ "budget": 99 })),
        A::UpdatePacing => of_package(json!({ "pacing": "asap" })),
        A::UpdateTargeting => {
            of_package(json!({ "targeting_overlay": { "frequency_cap": { "max_impressions": 3 } } }))
        }
        A::UpdateCreativeAssignments => {
            of_package(json!({ "creative_assignments": [{ "creative_id": "new" }] }))
        }
        A::RemoveCreative => of_package(json!({ "creative_assignments": [] })),
        A::RemovePackages => of_package(json!({ "canceled": true })),
        A::UpdatePackages => of_package(json!({ "bid_price": 1 })),
        _ => return None,
    })
}

proptest! {
    #[test]
    fn what_is_available_is_accepted_by_the_graph_and_the_rest_is_refused(status in status()) {
        let available = available_actions(&status, None);
        for name in MediaBuyValidAction::VALUES {
            let to = match *name {
                "pause" => Some("paused"),
                "resume" => Some("active"),
                "cancel" => Some("canceled"),
                _ => None,
            };
            let accepted = match to {
                Some(to) => status != to && assert_transition(&MEDIA_BUY, &status, to).is_ok(),
                None => assert_open(&MEDIA_BUY, &status).is_ok(),
            };
            let offered = available.iter().any(|entry| entry.action.as_str() == *name);
            prop_assert_eq!(offered, accepted, "{} while {}", name, status);
        }
    }

    #[test]
    fn offers_are_valid_and_only_what_the_product_lists(status in status(), rules in rules()) {
        let schema = validator("core/media-buy-available-action.json").unwrap();
        for offer in available_actions(&status, rules.as_deref()) {
            prop_assert!(schema.is_valid(&offer.to_json()));
            prop_assert!(!MEDIA_BUY.is_terminal(&status));
            if let Some(rules) = &rules {
                prop_assert!(rules.iter().any(|rule| rule.action == offer.action && rule.modes.contains(&offer.mode)));
            }
        }
    }

    #[test]
    fn an_update_is_accepted_exactly_when_its_action_is_offered(status in status(), rules in rules()) {
        let mut only = package("p_1", 100.0);
        only.allowed.clone_from(&rules);
        let buy = BuyState::new(status.clone(), Revision::FIRST).with_flight(at(START), at(END)).with_package(only);
        let direct = valid_actions(&buy.available_actions());
        for name in MediaBuyValidAction::VALUES {
            let action = MediaBuyValidAction::from(*name);
            let Some(fields) = doing(&action) else { continue };
            let request = request(fields);
            let made = buy.changes(&request);
            if made.is_empty() {
                prop_assert!(action == MediaBuyValidAction::Pause && status == "paused");
                continue;
            }
            prop_assert_eq!(&made[0].action, &action);
            let possible = available_actions(&status, None).iter().any(|entry| entry.action == action);
            let offered = possible && candidates(&action).iter().any(|name| direct.contains(name));
            match buy.assert_update(&request) {
                Ok(accepted) => {
                    prop_assert!(offered, "{} while {}", name, status);
                    prop_assert_eq!(accepted, made);
                }
                Err(error) => {
                    prop_assert!(!offered, "{}", error);
                    let known = MEDIA_BUY.state(&status).is_some();
                    let want = match (status.as_str(), *name) {
                        ("canceled", "cancel") => "NOT_CANCELLABLE",
                        (status, _) if !known || MEDIA_BUY.is_terminal(status) => "INVALID_STATE",
                        _ => "ACTION_NOT_ALLOWED",
                    };
                    prop_assert_eq!(error.code().as_str(), want);
                }
            }
        }
    }
}
