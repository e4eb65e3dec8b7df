//! The state graphs: their codes, their shape, the diagrams drawn from them.

use std::collections::BTreeSet;
use std::path::Path;

use adcp_core::{AdcpError, ProposalState};
use adcp_decisioning::lifecycle::{
    ACCOUNT, AUDIENCE, Actor, CATALOG_ITEM, CREATIVE, Lifecycle, MEDIA_BUY, PACKAGE, PROPOSAL, Revision,
    SI_SESSION, all, assert_assignable, assert_open, assert_transition, assert_transition_by,
};
use adcp_schemas::{raw, validator};
use proptest::prelude::*;
use serde_json::{Value, json};

fn code(checked: Result<(), AdcpError>) -> String {
    checked.map_or_else(|error| error.code().to_string(), |()| "ok".to_owned())
}

fn values(schema: &str) -> BTreeSet<String> {
    let schema: Value = serde_json::from_str(raw(schema).unwrap()).unwrap();
    schema["enum"].as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

/// Spec: protocol: what storyboards ask of transitions, and the codes they expect.
#[test]
fn each_refusal_has_its_code() {
    let cases: [(&Lifecycle, &str, &str, &str); 34] = [
        (&MEDIA_BUY, "pending_creatives", "pending_start", "ok"),
        (&MEDIA_BUY, "pending_creatives", "active", "ok"),
        (&MEDIA_BUY, "pending_start", "active", "ok"),
        (&MEDIA_BUY, "pending_start", "paused", "INVALID_STATE"),
        (&MEDIA_BUY, "pending_start", "rejected", "ok"),
        (&MEDIA_BUY, "active", "rejected", "INVALID_STATE"),
        (&MEDIA_BUY, "active", "active", "ok"),
        (&MEDIA_BUY, "paused", "completed", "ok"),
        (&MEDIA_BUY, "canceled", "canceled", "NOT_CANCELLABLE"),
        (&MEDIA_BUY, "canceled", "paused", "INVALID_STATE"),
        (&MEDIA_BUY, "completed", "canceled", "INVALID_STATE"),
        (&MEDIA_BUY, "rejected", "canceled", "INVALID_STATE"),
        (&MEDIA_BUY, "held_by_aliens", "active", "INVALID_STATE"),
        (&MEDIA_BUY, "canceled", "", "INVALID_STATE"),
        (&PACKAGE, "active", "paused", "ok"),
        (&PACKAGE, "canceled", "active", "INVALID_STATE"),
        (&PACKAGE, "canceled", "canceled", "NOT_CANCELLABLE"),
        (&CREATIVE, "archived", "processing", "INVALID_STATE"),
        (&CREATIVE, "rejected", "approved", "INVALID_STATE"),
        (&CREATIVE, "rejected", "processing", "ok"),
        (&CREATIVE, "approved", "suspended", "ok"),
        (&ACCOUNT, "suspended", "active", "ok"),
        (&ACCOUNT, "suspended", "payment_required", "INVALID_STATE"),
        (&ACCOUNT, "closed", "active", "ACCOUNT_NOT_FOUND"),
        (&PROPOSAL, "draft", "consuming", "PROPOSAL_NOT_COMMITTED"),
        (&PROPOSAL, "consuming", "consuming", "PROPOSAL_NOT_COMMITTED"),
        (&PROPOSAL, "consumed", "consuming", "PROPOSAL_NOT_COMMITTED"),
        (&PROPOSAL, "expired", "consuming", "PROPOSAL_EXPIRED"),
        (&PROPOSAL, "consuming", "committed", "ok"),
        (&PROPOSAL, "committed", "draft", "INVALID_STATE"),
        (&AUDIENCE, "suspended", "ready", "ok"),
        (&CATALOG_ITEM, "rejected", "approved", "INVALID_STATE"),
        (&SI_SESSION, "terminated", "terminated", "SESSION_TERMINATED"),
        (&SI_SESSION, "complete", "active", "SESSION_TERMINATED"),
    ];
    for (lifecycle, from, to, want) in cases {
        assert_eq!(
            code(assert_transition(lifecycle, from, to)),
            want,
            "{}: {from} -> {to}",
            lifecycle.name()
        );
    }
}

#[test]
fn a_refusal_names_both_statuses_and_is_a_valid_error() {
    let schema = validator("core/error.json").unwrap();
    for lifecycle in all() {
        for from in lifecycle.states() {
            for to in lifecycle.states() {
                let Err(error) = assert_transition(lifecycle, from.name, to.name) else { continue };
                let wire = Value::Object(error.to_json());
                assert!(schema.is_valid(&wire), "{wire}");
                assert_eq!(wire["details"], json!({ "from_state": from.name, "to_state": to.name }));
                assert!(error.field().is_some() && error.suggestion().is_some(), "{wire}");
            }
        }
    }
    let odd = assert_transition(&MEDIA_BUY, &"x\n".repeat(500), "active").unwrap_err();
    assert_eq!(odd.details().unwrap()["from_state"], "x".repeat(64));
}

#[test]
fn the_statuses_are_those_of_the_schemas() {
    for (lifecycle, schema) in [
        (&MEDIA_BUY, "enums/media-buy-status.json"),
        (&CREATIVE, "enums/creative-status.json"),
        (&ACCOUNT, "enums/account-status.json"),
        (&PROPOSAL, "enums/proposal-status.json"),
        (&AUDIENCE, "enums/audience-status.json"),
        (&CATALOG_ITEM, "enums/catalog-item-status.json"),
        (&SI_SESSION, "enums/si-session-status.json"),
    ] {
        let names =
            lifecycle.states().iter().filter(|state| state.on_wire).map(|state| state.name.to_owned());
        assert_eq!(names.collect::<BTreeSet<_>>(), values(schema), "{schema}");
    }
    assert!(PACKAGE.states().iter().all(|state| !state.on_wire));
    // The ledger keeps four of them; that a proposal has expired is told by the clock.
    let kept = ProposalState::ALL.map(ProposalState::as_str);
    let named = PROPOSAL.states().iter().map(|state| state.name).filter(|name| *name != "expired");
    assert_eq!(named.collect::<Vec<_>>(), kept);
}

#[test]
fn every_graph_is_whole() {
    for lifecycle in all() {
        let name = lifecycle.name();
        let mut reached: BTreeSet<&str> =
            lifecycle.states().iter().filter(|state| state.first).map(|state| state.name).collect();
        for _ in lifecycle.states() {
            let next =
                lifecycle.edges().iter().filter(|edge| reached.contains(edge.from)).map(|edge| edge.to);
            reached.extend(next.collect::<Vec<_>>());
        }
        for state in lifecycle.states() {
            assert!(reached.contains(state.name), "{name}: nothing leads to {}", state.name);
            let leads_on = lifecycle.edges().iter().any(|edge| edge.from == state.name);
            assert_eq!(leads_on, !state.terminal, "{name}: {}", state.name);
        }
        let pairs: BTreeSet<_> = lifecycle.edges().iter().map(|edge| (edge.from, edge.to)).collect();
        assert_eq!(pairs.len(), lifecycle.edges().len(), "{name}: an edge stands twice");
        for edge in lifecycle.edges() {
            assert!(lifecycle.state(edge.from).is_some() && lifecycle.state(edge.to).is_some(), "{edge:?}");
            assert!(
                edge.from != edge.to && !edge.by.is_empty() && !edge.when.contains([':', ';']),
                "{edge:?}"
            );
        }
    }
}

#[test]
fn some_transitions_are_not_the_buyers_to_make() {
    let by = |actor| assert_transition_by(&MEDIA_BUY, "pending_start", "rejected", actor);
    assert_eq!(code(by(Actor::Buyer)), "INVALID_STATE");
    assert_eq!(code(by(Actor::Seller)), "ok");
    assert_eq!(code(assert_transition_by(&MEDIA_BUY, "active", "canceled", Actor::Buyer)), "ok");
    assert_eq!(
        code(assert_transition_by(&MEDIA_BUY, "canceled", "canceled", Actor::Seller)),
        "NOT_CANCELLABLE"
    );
    assert_eq!(code(assert_transition_by(&MEDIA_BUY, "active", "active", Actor::Buyer)), "ok");
}

#[test]
fn what_has_ended_takes_no_changes() {
    for (lifecycle, status, want) in [
        (&MEDIA_BUY, "active", "ok"),
        (&MEDIA_BUY, "canceled", "INVALID_STATE"),
        (&MEDIA_BUY, "completed", "INVALID_STATE"),
        (&MEDIA_BUY, "unheard_of", "INVALID_STATE"),
        (&ACCOUNT, "suspended", "ok"),
        (&ACCOUNT, "rejected", "ACCOUNT_NOT_FOUND"),
        (&PROPOSAL, "expired", "PROPOSAL_EXPIRED"),
        (&PROPOSAL, "consumed", "INVALID_STATE"),
        (&SI_SESSION, "complete", "SESSION_TERMINATED"),
    ] {
        assert_eq!(code(assert_open(lifecycle, status)), want, "{}: {status}", lifecycle.name());
    }
}

#[test]
fn a_rejected_creative_is_not_assigned() {
    let field = "packages[0].creative_assignments[1].creative_id";
    for status in values("enums/creative-status.json") {
        let want = match status.as_str() {
            "rejected" => "CREATIVE_REJECTED",
            "archived" => "INVALID_STATE",
            _ => "ok",
        };
        let checked = assert_assignable(&status, field);
        if let Err(error) = &checked {
            assert_eq!(error.field(), Some(field));
        }
        assert_eq!(code(checked), want, "{status}");
    }
    assert_eq!(code(assert_assignable("unheard_of", field)), "INVALID_STATE");
}

#[test]
fn a_revision_moves_only_for_those_who_have_seen_it() {
    let revision = Revision::new(4);
    assert_eq!(revision.next_if(None).unwrap(), Revision::new(5));
    assert_eq!(revision.next_if(Some(4)).unwrap().get(), 5);
    assert_eq!((Revision::default().get(), Revision::new(0).get()), (1, 1));
    for seen in [3, 5, 0, -4, i64::MAX] {
        let error = revision.next_if(Some(seen)).unwrap_err();
        assert_eq!((error.code().as_str(), error.field()), ("CONFLICT", Some("revision")));
        let details = Value::Object(error.details().unwrap().clone());
        assert_eq!(details, json!({ "expected_version": seen, "current_version": 4 }));
        assert!(validator("error-details/conflict.json").unwrap().is_valid(&details));
    }
}

/// The page shows what the tables say. When it does not, the test writes the page that would.
#[test]
fn the_page_is_in_step_with_the_tables() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lifecycles.md");
    let text = std::fs::read_to_string(page).unwrap();
    let mut fresh = String::new();
    let (mut diagrams, mut inside, mut heading) = (all().into_iter(), false, "");
    for line in text.lines() {
        heading = line.strip_prefix("## ").unwrap_or(heading);
        if line == "```" {
            inside = false;
        }
        if !inside {
            fresh.push_str(line);
            fresh.push('\n');
        }
        if line == "```mermaid" {
            inside = true;
            let lifecycle = diagrams.next().expect("one diagram for each lifecycle");
            assert!(heading.to_lowercase().ends_with(lifecycle.name()), "{heading}: {}", lifecycle.name());
            fresh.push_str(&lifecycle.to_mermaid());
        }
    }
    assert!(diagrams.next().is_none(), "a lifecycle has no diagram");
    if fresh != text {
        let better = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lifecycles.md");
        std::fs::write(&better, fresh).unwrap();
        panic!("docs/lifecycles.md is out of step; take {}", better.display());
    }
}

proptest! {
    #[test]
    fn no_path_leaves_a_terminal_state(kind in 0..8_usize, steps in prop::collection::vec(any::<prop::sample::Index>(), 1..40)) {
        let lifecycle = all()[kind];
        let states = lifecycle.states();
        let mut at = steps[0].get(states).name;
        let mut ended = lifecycle.is_terminal(at);
        for step in steps {
            let to = step.get(states).name;
            if assert_transition(lifecycle, at, to).is_ok() {
                prop_assert!(!ended || at == to, "{} went from {at} to {to}", lifecycle.name());
                at = to;
            } else {
                prop_assert!(lifecycle.edge(at, to).is_none());
            }
            ended |= lifecycle.is_terminal(at);
        }
    }

    #[test]
    fn no_text_makes_a_check_panic(kind in 0..8_usize, from in ".*", to in ".*") {
        let lifecycle = all()[kind];
        if lifecycle.state(&from).is_none() {
            prop_assert_eq!(code(assert_transition(lifecycle, &from, &to)), "INVALID_STATE");
            prop_assert_eq!(code(assert_open(lifecycle, &from)), "INVALID_STATE");
        }
    }
}
