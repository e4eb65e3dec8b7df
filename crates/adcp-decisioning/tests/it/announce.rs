//! What capabilities say of notifications follows from what delivers them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use adcp_core::DeliveryTerms;
use adcp_decisioning::AgentBuilder;
use adcp_registry_memory::MemoryRegistry;
use adcp_types::protocol::get_adcp_capabilities_response::{Identity, KeyOrigins, WebhookSigning};
use serde_json::{Value, json};

use crate::flaky::Flaky;
use crate::scripted::{Scripted, bought, building};
use crate::seller::call;
use crate::webhook::Post;

const HOUR: Duration = Duration::from_secs(3600);
const BRAND: &str = "https://ads.example.com/.well-known/brand.json";
const KEYS: &str = "https://keys.example.com:8443/.well-known/jwks.json";

fn with(terms: DeliveryTerms) -> AgentBuilder<Scripted> {
    let seller = Scripted::buying(|_| Ok(bought()?.into()));
    building(&seller, Arc::new(MemoryRegistry::volatile())).deliver_with(Post::telling(terms))
}

fn day() -> DeliveryTerms {
    DeliveryTerms::new(24 * HOUR).with_algorithm("ed25519").with_hmac()
}

/// What the agent says, which the schema of capabilities accepts.
async fn told(builder: AgentBuilder<Scripted>) -> Value {
    let agent = builder.build().unwrap();
    let reply = call(&agent, "acme", "get_adcp_capabilities", json!({})).await;
    let body = Value::Object(reply.body);
    let schema = adcp_schemas::validator("protocol/get-adcp-capabilities-response.json").unwrap();
    schema.validate(&body).unwrap_or_else(|violations| panic!("{violations}: {body}"));
    body
}

fn faults(builder: AgentBuilder<Scripted>) -> Vec<String> {
    builder.build().unwrap_err().iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn an_agent_that_delivers_says_how() {
    for (terms, want) in [
        (
            day(),
            json!({
                "supported": true, "profile": "adcp/webhook-signing/v1", "algorithms": ["ed25519"],
                "legacy_hmac_fallback": true, "delivery_retry_horizon_seconds": 86_400,
            }),
        ),
        (
            DeliveryTerms::new(100 * HOUR).with_algorithm("ecdsa-p256-sha256"),
            json!({
                "supported": true, "profile": "adcp/webhook-signing/v1", "algorithms": ["ecdsa-p256-sha256"],
                "legacy_hmac_fallback": false, "delivery_retry_horizon_seconds": 360_000,
            }),
        ),
        // Tried for an hour: a receiver that remembers for a day has seen the last of it.
        (
            DeliveryTerms::new(HOUR),
            json!({
                "supported": false, "legacy_hmac_fallback": false, "delivery_retry_horizon_seconds": 86_400,
            }),
        ),
    ] {
        assert_eq!(told(with(terms)).await["webhook_signing"], want);
    }
}

#[tokio::test]
async fn an_agent_that_does_not_deliver_says_nothing() {
    let seller = Scripted::buying(|_| Ok(bought()?.into()));
    let body = told(building(&seller, Arc::new(MemoryRegistry::volatile()))).await;
    assert_eq!((body.get("webhook_signing"), body.get("identity")), (None, None));
}

#[tokio::test]
async fn credentials_that_are_not_kept_are_not_offered() {
    let seller = Scripted::buying(|_| Ok(bought()?.into()));
    let keyless = Flaky::new();
    keyless.keyless.store(true, Ordering::SeqCst);
    let body = told(building(&seller, keyless).deliver_with(Post::telling(day()))).await;
    assert_eq!(body["webhook_signing"]["legacy_hmac_fallback"], false);
}

#[tokio::test]
async fn what_is_declared_beside_it_stays_and_what_contradicts_it_is_refused() {
    let declaring = |signing: Value| {
        let signing: WebhookSigning = adcp_types::json::FromJson::from_json(signing).unwrap();
        with(day()).capabilities(|known| known.with_webhook_signing(signing))
    };
    let body =
        told(declaring(json!({ "supported": true, "algorithms": ["ecdsa-p256-sha256", "ed25519"], "x": 1 })))
            .await;
    let signing = &body["webhook_signing"];
    assert_eq!(signing["algorithms"], json!(["ecdsa-p256-sha256", "ed25519"]));
    assert_eq!((&signing["x"], &signing["legacy_hmac_fallback"]), (&json!(1), &json!(true)));
    for (claim, want) in [
        (
            json!({ "supported": false }),
            "`webhook_signing.supported` as false is declared, but it is true by what `.deliver_with(…)` mounts",
        ),
        (
            json!({ "supported": true, "algorithms": ["ecdsa-p256-sha256"] }),
            "`webhook_signing.algorithms` without `ed25519` is declared, but `.deliver_with(…)` signs with it",
        ),
        (
            json!({ "supported": true, "legacy_hmac_fallback": false }),
            "`webhook_signing.legacy_hmac_fallback` as false is declared, but it is true by `.deliver_with(…)` and \
             what the registry keeps",
        ),
        (
            json!({ "supported": true, "delivery_retry_horizon_seconds": 90_000 }),
            "`webhook_signing.delivery_retry_horizon_seconds` as 90000 is declared, but it is 86400 by the schedule \
             of `.deliver_with(…)`",
        ),
    ] {
        assert_eq!(faults(declaring(claim.clone())), [want], "{claim}");
    }
    let long = with(DeliveryTerms::new(169 * HOUR).with_algorithm("ed25519"));
    assert!(faults(long)[0].contains("for seven days at most"));
    let strange = faults(with(DeliveryTerms::new(HOUR).with_algorithm("rsa-sha1")));
    assert!(strange[0].contains("`/webhook_signing/algorithms/0`"), "{strange:?}");
}

#[tokio::test]
async fn an_agent_says_where_its_keys_are() {
    let body = told(with(day()).published_at(BRAND, KEYS)).await;
    let want = json!({
        "brand_json_url": BRAND, "key_origins": { "webhook_signing": "https://keys.example.com:8443" },
    });
    assert_eq!(body["identity"], want);

    // Nothing is signed: there is a document, and no key of this kind.
    let body = told(with(DeliveryTerms::new(24 * HOUR)).published_at(BRAND, KEYS)).await;
    assert_eq!(body["identity"], json!({ "brand_json_url": BRAND }));

    let declaring = |identity: Identity| {
        with(day()).published_at(BRAND, KEYS).capabilities(|known| known.with_identity(identity))
    };
    let elsewhere = Identity::new().with_brand_json_url("https://example.com/brand.json");
    assert_eq!(
        faults(declaring(elsewhere)),
        [format!(
            "`identity.brand_json_url` as \"https://example.com/brand.json\" is declared, but it is \"{BRAND}\" by \
             `.published_at(…)`"
        )]
    );
    let elsewhere = KeyOrigins::new().with_webhook_signing("https://ads.example.com");
    let words = faults(declaring(Identity::new().with_key_origins(elsewhere)));
    assert!(words[0].starts_with("`identity.key_origins.webhook_signing` as"), "{words:?}");
    let plain = faults(with(day()).published_at("http://localhost/brand.json", "http://localhost/jwks.json"));
    assert_eq!(plain.len(), 2, "{plain:?}");
    assert!(plain.iter().all(|fault| fault.contains("https")), "{plain:?}");
}
