//! The errors sellers raise: complete, in the schemas' words, and saying nothing about what belongs to others.

use std::collections::BTreeSet;
use std::time::Duration;

use adcp_core::AdcpError;
use adcp_schemas::validator;
use adcp_types::{ErrorCode, Recovery};
use serde_json::{Value, json};

/// Every constructor, with the code it is for.
fn all() -> Vec<(AdcpError, ErrorCode)> {
    use ErrorCode as C;
    let field = "packages[1].x";
    let available = vec![json!({ "action": "resume", "mode": "self_serve" })];
    vec![
        (AdcpError::invalid_request(field, "expected a number"), C::INVALID_REQUEST),
        (AdcpError::validation_error(field, "the end is before the start"), C::VALIDATION_ERROR),
        (AdcpError::unsupported_feature(field), C::UNSUPPORTED_FEATURE),
        (AdcpError::reference_not_found(field), C::REFERENCE_NOT_FOUND),
        (AdcpError::unavailable(), C::SERVICE_UNAVAILABLE),
        (AdcpError::rate_limited(Duration::from_secs(2)), C::RATE_LIMITED),
        (AdcpError::configuration_error(), C::CONFIGURATION_ERROR),
        (AdcpError::conflict(3, 4), C::CONFLICT),
        (AdcpError::invalid_state("media_buy_id", "the media buy is completed"), C::INVALID_STATE),
        (AdcpError::auth_missing(), C::AUTH_MISSING),
        (AdcpError::auth_invalid(), C::AUTH_INVALID),
        (
            AdcpError::authorization_required(Some("https://seller.example/connect")),
            C::AUTHORIZATION_REQUIRED,
        ),
        (AdcpError::authorization_required(None), C::AUTHORIZATION_REQUIRED),
        (AdcpError::permission_denied(), C::PERMISSION_DENIED),
        (AdcpError::sandbox_only(), C::PERMISSION_DENIED),
        (AdcpError::scope_insufficient(), C::SCOPE_INSUFFICIENT),
        (AdcpError::read_only_scope(), C::READ_ONLY_SCOPE),
        (AdcpError::field_not_permitted(field), C::FIELD_NOT_PERMITTED),
        (AdcpError::agent_suspended(), C::AGENT_SUSPENDED),
        (AdcpError::agent_blocked(), C::AGENT_BLOCKED),
        (AdcpError::credential_in_args("ext.token"), C::CREDENTIAL_IN_ARGS),
        (AdcpError::account_not_found(), C::ACCOUNT_NOT_FOUND),
        (AdcpError::account_setup_required(Some("https://seller.example/setup")), C::ACCOUNT_SETUP_REQUIRED),
        (AdcpError::account_ambiguous(), C::ACCOUNT_AMBIGUOUS),
        (AdcpError::account_payment_required(), C::ACCOUNT_PAYMENT_REQUIRED),
        (AdcpError::account_suspended(), C::ACCOUNT_SUSPENDED),
        (AdcpError::billing_not_supported(field, &["operator", "agent"]), C::BILLING_NOT_SUPPORTED),
        (AdcpError::billing_not_supported(field, &[]), C::BILLING_NOT_SUPPORTED),
        (
            AdcpError::billing_not_permitted_for_agent(field, "agent", Some("operator")),
            C::BILLING_NOT_PERMITTED_FOR_AGENT,
        ),
        (AdcpError::billing_out_of_band(), C::BILLING_OUT_OF_BAND),
        (AdcpError::payment_terms_not_supported(field), C::PAYMENT_TERMS_NOT_SUPPORTED),
        (AdcpError::brand_required(), C::BRAND_REQUIRED),
        (AdcpError::unsupported_provisioning(field), C::UNSUPPORTED_PROVISIONING),
        (AdcpError::budget_too_low(field, 500, "USD"), C::BUDGET_TOO_LOW),
        (AdcpError::budget_exceeded(field, "the packages cost more than the total"), C::BUDGET_EXCEEDED),
        (AdcpError::budget_exhausted(), C::BUDGET_EXHAUSTED),
        (AdcpError::product_not_found(field), C::PRODUCT_NOT_FOUND),
        (AdcpError::product_unavailable(field), C::PRODUCT_UNAVAILABLE),
        (AdcpError::product_expired(field), C::PRODUCT_EXPIRED),
        (AdcpError::policy_violation(field, &["no gambling"]), C::POLICY_VIOLATION),
        (AdcpError::compliance_unsatisfied(field), C::COMPLIANCE_UNSATISFIED),
        (AdcpError::media_buy_not_found(), C::MEDIA_BUY_NOT_FOUND),
        (AdcpError::package_not_found(field), C::PACKAGE_NOT_FOUND),
        (AdcpError::not_cancellable("the media buy was canceled before"), C::NOT_CANCELLABLE),
        (AdcpError::action_not_allowed("paused", "pause", "wrong_status", available), C::ACTION_NOT_ALLOWED),
        (AdcpError::requote_required(field, "budget"), C::REQUOTE_REQUIRED),
        (AdcpError::terms_rejected(field, "viewability", json!({ "min": 0.5 })), C::TERMS_REJECTED),
        (AdcpError::creative_deadline_exceeded(field), C::CREATIVE_DEADLINE_EXCEEDED),
        (AdcpError::proposal_not_found("proposal_id"), C::PROPOSAL_NOT_FOUND),
        (AdcpError::proposal_expired("proposal_id"), C::PROPOSAL_EXPIRED),
        (AdcpError::proposal_not_committed("proposal_id"), C::PROPOSAL_NOT_COMMITTED),
        (AdcpError::multi_finalize_unsupported("refine[1].proposal_id"), C::MULTI_FINALIZE_UNSUPPORTED),
        (AdcpError::io_required(), C::IO_REQUIRED),
        (AdcpError::creative_not_found(field), C::CREATIVE_NOT_FOUND),
        (AdcpError::creative_rejected(field, &["blurred"]), C::CREATIVE_REJECTED),
        (AdcpError::creative_value_not_allowed(field, vec![json!("Buy")]), C::CREATIVE_VALUE_NOT_ALLOWED),
        (AdcpError::creative_inaccessible(field), C::CREATIVE_INACCESSIBLE),
        (AdcpError::format_not_supported("target_format_id"), C::FORMAT_NOT_SUPPORTED),
        (AdcpError::provenance_required(field), C::PROVENANCE_REQUIRED),
        (AdcpError::signal_not_found(field), C::SIGNAL_NOT_FOUND),
        (AdcpError::signal_targeting_incompatible(field), C::SIGNAL_TARGETING_INCOMPATIBLE),
        (AdcpError::audience_too_small(field, 1000), C::AUDIENCE_TOO_SMALL),
        (AdcpError::plan_not_found("plan_id"), C::PLAN_NOT_FOUND),
        (AdcpError::governance_denied("over the monthly plan"), C::GOVERNANCE_DENIED),
        (AdcpError::governance_unavailable(), C::GOVERNANCE_UNAVAILABLE),
        (AdcpError::campaign_suspended(), C::CAMPAIGN_SUSPENDED),
        (AdcpError::session_not_found(), C::SESSION_NOT_FOUND),
        (AdcpError::session_terminated(), C::SESSION_TERMINATED),
    ]
}

/// Whole calls are at fault here, not a field of their request.
const WITHOUT_FIELD: [ErrorCode; 10] = [
    ErrorCode::SERVICE_UNAVAILABLE,
    ErrorCode::RATE_LIMITED,
    ErrorCode::CONFIGURATION_ERROR,
    ErrorCode::AUTH_MISSING,
    ErrorCode::AUTH_INVALID,
    ErrorCode::PERMISSION_DENIED,
    ErrorCode::SCOPE_INSUFFICIENT,
    ErrorCode::READ_ONLY_SCOPE,
    ErrorCode::AGENT_SUSPENDED,
    ErrorCode::AGENT_BLOCKED,
];

#[test]
fn every_constructor_fills_its_error() {
    let schema = validator("core/error.json").unwrap();
    for (error, code) in all() {
        assert_eq!(error.code(), &code);
        assert_eq!(Some(error.recovery()), code.recovery(), "{code}: recovery comes from the enum");
        assert!(error.suggestion().is_some(), "{code}");
        assert!(error.field().is_some() || WITHOUT_FIELD.contains(&code), "{code}");
        let wire = Value::Object(error.to_json());
        schema.validate(&wire).unwrap_or_else(|found| panic!("{code}: {found:?}"));
        assert_eq!(wire["recovery"], error.recovery().as_str());
        let message = error.message();
        assert!(!message.ends_with('.') && !message.starts_with(char::is_uppercase), "{message}");
    }
}

#[test]
fn details_are_what_their_schema_asks_for() {
    let files: BTreeSet<&str> =
        adcp_schemas::paths().filter(|path| path.starts_with("error-details/")).collect();
    let mut checked = BTreeSet::new();
    for (error, code) in all() {
        let file = match &code {
            code if *code == ErrorCode::PERMISSION_DENIED => {
                "error-details/agent-permission-denied.json".to_owned()
            }
            code => format!("error-details/{}.json", code.as_str().to_ascii_lowercase().replace('_', "-")),
        };
        let (Some(file), Some(details)) = (files.get(file.as_str()), error.details()) else { continue };
        let found = validator(file).unwrap().validate(&Value::Object(details.clone()));
        found.unwrap_or_else(|found| panic!("{code}: {found:?}"));
        checked.insert(*file);
    }
    // What is left has details that a version, a wait or a cache fills in.
    let left: Vec<&str> = files.difference(&checked).copied().collect();
    assert_eq!(
        left,
        [
            "error-details/rate-limited.json",
            "error-details/stale-response.json",
            "error-details/vendor-error-codes.json",
            "error-details/version-unsupported.json",
        ]
    );
}

#[test]
fn nothing_more_is_said_about_agents_who_are_not_welcome() {
    for error in [AdcpError::agent_suspended(), AdcpError::agent_blocked(), AdcpError::permission_denied()] {
        assert_eq!(error.details(), None);
        assert_eq!(error.field(), None);
    }
}

/// Spec: `manifest.json`, `error_codes`.
#[test]
fn recovery_follows_the_manifest_unless_it_is_overridden() {
    let manifest: Value = serde_json::from_str(adcp_schemas::raw(adcp_schemas::MANIFEST).unwrap()).unwrap();
    let codes = manifest["error_codes"].as_object().unwrap();
    assert_eq!(codes.len(), 92);
    for (code, row) in codes {
        let error = AdcpError::new(ErrorCode::new(code.clone()), "x");
        assert_eq!(error.recovery().as_str(), row["recovery"], "{code}");
        assert_eq!(error.with_recovery(Recovery::Terminal).to_json()["recovery"], "terminal");
    }
    let foreign = AdcpError::new(ErrorCode::new("X_ACME_ODD"), "x");
    assert_eq!(foreign.recovery(), Recovery::Transient);
    assert_eq!(foreign.to_json()["code"], "X_ACME_ODD");
}

#[test]
fn an_action_that_the_product_never_offers_is_terminal() {
    let refused = |reason| AdcpError::action_not_allowed("paused", "pause", reason, Vec::new()).recovery();
    assert_eq!(refused("not_supported_on_product"), Recovery::Terminal);
    assert_eq!(refused("mode_mismatch"), Recovery::Correctable);
}

#[test]
fn an_amount_is_shown_as_people_write_it() {
    for (minimum, shown) in [(json!(500.0), "500 USD"), (json!(0.5), "0.5 USD"), (json!(1000), "1000 USD")] {
        let error = AdcpError::budget_too_low("budget", minimum.clone(), "USD");
        assert!(error.message().ends_with(shown), "{error}");
        assert_eq!(error.details().unwrap()["minimum_budget"], minimum);
    }
}

#[test]
fn a_wait_is_always_sent_with_a_limit() {
    for (wait, want) in [(Duration::ZERO, 1), (Duration::from_millis(1500), 2), (Duration::MAX, 3600)] {
        assert_eq!(AdcpError::rate_limited(wait).to_json()["retry_after"], want);
    }
}
