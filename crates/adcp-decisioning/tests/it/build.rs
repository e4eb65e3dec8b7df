//! Contradictions are found when an agent is built, all of them at once and in words that say what to do.

use std::time::Duration;

use adcp_decisioning::{AgentBuilder, BuildError};
use adcp_types::enums::{BillingParty, Specialism};
use adcp_types::json::FromJson;
use adcp_types::protocol::GetAdcpCapabilitiesResponse;
use serde_json::{Value, json};

use crate::everything::{Everything, bare};

type Builder = AgentBuilder<Everything>;
type Mount = fn(Builder) -> Builder;
type Capabilities = GetAdcpCapabilitiesResponse;

/// Declares `claims`, as JSON, beside the required fields.
fn declare(claims: &Value) -> impl FnOnce(Capabilities) -> Capabilities {
    let mut whole = json!({
        "adcp": { "major_versions": [3], "idempotency": { "supported": false } },
        "supported_protocols": [],
    });
    for (name, claim) in claims.as_object().unwrap() {
        whole[name] = claim.clone();
    }
    move |_| Capabilities::from_json(whole).unwrap()
}

/// The faults of an agent with these tools and claims.
fn faults(mount: Mount, claims: &Value) -> Vec<String> {
    match mount(bare().0).capabilities(declare(claims)).build() {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn every_contradiction_has_its_own_words() {
    let sales: Mount = |it| it.sales();
    let cases: &[(Mount, Value, &[&str])] = &[
        (sales, json!({}), &[]),
        (|it| it, json!({}), &["nothing is mounted; call `.sales()` or another group of tools"]),
        (
            |it| it.list_accounts(),
            json!({}),
            &[
                "what is mounted opens no protocol of AdCP; mount a group that does, such as `.sales()`, or declare \
               `supported_protocols` in `.capabilities(…)`",
            ],
        ),
        (
            |it| it.sales().sales(),
            json!({}),
            &[
                "the tool `create_media_buy` is mounted twice",
                "the tool `get_media_buy_delivery` is mounted twice",
                "the tool `get_media_buys` is mounted twice",
                "the tool `get_products` is mounted twice",
                "the tool `provide_performance_feedback` is mounted twice",
                "the tool `update_media_buy` is mounted twice",
                "the tool `list_creative_formats` is mounted twice",
            ],
        ),
        // Protocols and blocks.
        (
            sales,
            json!({ "supported_protocols": ["signals", "measurement"] }),
            &["`supported_protocols` contains `signals`, but no mounted tool belongs to it"],
        ),
        (
            sales,
            json!({ "signals": { "discovery_modes": ["brief"] } }),
            &["the capabilities declare `signals`, but what is mounted does not offer that protocol"],
        ),
        (|it| it.creative_features(), json!({ "supported_protocols": ["creative"] }), &[]),
        (
            |it| it.creative_features(),
            json!({
                "supported_protocols": ["governance"],
                "governance": { "creative_features": [{ "feature_id": "f", "type": "binary" }] },
            }),
            &[],
        ),
        // Specialisms.
        (|it| it.signals(), json!({ "specialisms": ["signal-owned"] }), &[]),
        (
            |it| it.signals(),
            json!({ "specialisms": ["signal-marketplace"] }),
            &[
                "the specialism `signal-marketplace` is claimed without `activate_signal` (mount `.activate_signals()`)",
            ],
        ),
        (
            sales,
            json!({ "specialisms": ["sales-catalog-driven"] }),
            &[
                "the specialism `sales-catalog-driven` is claimed without `list_creatives` (mount `.creative_library()`), \
                 `sync_catalogs` (mount `.catalogs()`), `sync_creatives` (mount `.creative_library()`), \
                 `sync_governance` (mount `.sync_governance()`)",
            ],
        ),
        (
            |it| it.brand_identity(),
            json!({ "specialisms": ["brand-rights"] }),
            &[
                "the specialism `brand-rights` is claimed without `acquire_rights` (mount `.brand_rights()`), \
                 `get_rights` (mount `.brand_rights()`)",
            ],
        ),
        (
            sales,
            json!({ "specialisms": ["sales-guarantied"] }),
            &["`sales-guarantied` is no specialism; did you mean `sales-guaranteed`?"],
        ),
        (
            sales,
            json!({ "specialisms": ["sales_guaranteed"] }),
            &["`sales_guaranteed` is no specialism; did you mean `sales-guaranteed`?"],
        ),
        (sales, json!({ "specialisms": ["quantum-bidding"] }), &["`quantum-bidding` is no specialism"]),
        (
            sales,
            json!({ "specialisms": ["signed-requests"] }),
            &["the specialism `signed-requests` is declared, but `request_signing.supported` is not true"],
        ),
        // Capabilities and the tools they oblige to.
        (
            sales,
            json!({ "media_buy": { "audience_targeting": {
                "supported_identifier_types": ["hashed_email"], "minimum_audience_size": 100,
            } } }),
            &["the capability `media_buy.audience_targeting` needs `sync_audiences` (mount `.audiences()`)"],
        ),
        (
            sales,
            json!({ "media_buy": { "conversion_tracking": { "multi_source_event_dedup": true } } }),
            &["the capability `media_buy.conversion_tracking` needs \
                 `log_event` (mount `.conversion_events()`), `sync_event_sources` (mount `.conversion_events()`)"],
        ),
        (
            sales,
            json!({ "creative": { "has_creative_library": true, "supports_transformers": true } }),
            &[
                "the capability `creative.has_creative_library` needs \
                 `list_creatives` (mount `.creative_library()`)",
                "the capability `creative.supports_transformers` needs \
                 `list_transformers` (mount `.list_transformers()`)",
            ],
        ),
        (sales, json!({ "creative": { "has_creative_library": false } }), &[]),
        (
            sales,
            json!({ "account": { "supported_billing": ["operator"], "account_financials": true } }),
            &["the capability `account.account_financials` needs \
                 `get_account_financials` (mount `.account_financials()`)"],
        ),
        (
            sales,
            json!({ "request_signing": { "supported": true, "required_for": ["create_media_buy", "sync_plans"] } }),
            &["the capability `request_signing.required_for` needs `sync_plans` (mount `.governance()`)"],
        ),
        (
            sales,
            json!({
                "media_buy": { "buying_modes": ["brief"] },
                "wholesale_feed_webhooks": { "supported": true, "event_types": ["product.created"] },
            }),
            &[
                "`wholesale_feed_webhooks.event_types` with `product.*` is declared, but \
                 `media_buy.buying_modes` does not contain `wholesale`",
                "`wholesale_feed_webhooks.supported` is declared, but `webhook_signing.supported` is not true; \
                 `.deliver_with(…)` says it for you",
            ],
        ),
        // Webhooks.
        (
            sales,
            json!({ "media_buy": { "reporting_delivery_methods": ["webhook"] } }),
            &["`media_buy.reporting_delivery_methods` with `webhook` is declared, but \
                 `webhook_signing.supported` is not true; `.deliver_with(…)` says it for you"],
        ),
        (
            sales,
            json!({
                "media_buy": { "reporting_delivery_methods": ["webhook"] },
                "webhook_signing": { "supported": true, "algorithms": ["ed25519"] },
            }),
            &[],
        ),
        (
            sales,
            json!({ "identity": { "key_origins": {
                "governance_signing": "https://keys.example/", "webhook_signing": "https://keys.example",
            } } }),
            &[
                "`identity.key_origins.governance_signing` is declared, but `webhook_signing` has the same origin; \
                 the keys of governance need one of their own",
            ],
        ),
        // The compliance controller.
        (
            sales,
            json!({ "compliance_testing": { "scenarios": ["seed_product"] } }),
            &["the capability `compliance_testing` needs \
                 `comply_test_controller` (mount `.compliance_controller()`)"],
        ),
        (
            |it| it.sales().compliance_controller(),
            json!({}),
            &[
                "`.compliance_controller()` is mounted, but `compliance_testing.scenarios` does not say what it plays",
            ],
        ),
        // What only the schema knows.
        (
            sales,
            json!({ "account": { "supported_billing": [] } }),
            &["the capabilities are not valid at `/account/supported_billing`: expected at least 1 item"],
        ),
        (
            sales,
            json!({ "identity": { "brand_json_url": "http://example.com/brand.json" } }),
            &[
                "the capabilities are not valid at `/identity/brand_json_url`: expected text that matches `^https://`",
            ],
        ),
    ];
    for (mount, claims, want) in cases {
        assert_eq!(faults(*mount, claims), *want, "{claims}");
    }
}

#[test]
fn every_fault_is_reported_at_once() {
    let errors = adcp_decisioning::Agent::builder(Everything::default())
        .sales()
        .also_serve("tomorrow")
        .lease(Duration::from_millis(1))
        .enqueue_lease(Duration::ZERO)
        .rescue_interval(Duration::from_nanos(1))
        .retention_interval(Duration::from_millis(999))
        .background_tasks(0)
        .capabilities(|known| {
            known
                .with_specialisms(vec![Specialism::SignalOwned, Specialism::from("audience-sink")])
                .with_account(
                    adcp_types::protocol::get_adcp_capabilities_response::Account::new(vec![
                        BillingParty::Agent,
                    ])
                    .with_account_financials(true),
                )
        })
        .build()
        .unwrap_err();
    let found: Vec<&BuildError> = errors.iter().collect();
    assert!(
        matches!(
            found[..],
            [
                BuildError::Lease(_),
                BuildError::EnqueueLease(_),
                BuildError::RescueInterval(_),
                BuildError::RetentionInterval(_),
                BuildError::NoBackgroundTasks,
                BuildError::BadRelease(_),
                BuildError::Missing("authenticator"),
                BuildError::Missing("accounts"),
                BuildError::Missing("registry"),
                BuildError::SpecialismTools { .. },
                BuildError::UnknownSpecialism { did_you_mean: Some("audience-sync"), .. },
                BuildError::CapabilityTools { .. },
            ]
        ),
        "{errors}"
    );
    let words = errors.to_string();
    assert!(found.iter().all(|fault| words.contains(&fault.to_string())), "{words}");
}
