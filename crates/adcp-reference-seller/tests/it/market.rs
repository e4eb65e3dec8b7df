//! A seller, a clock and some buyers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use adcp_core::{Clock, ManualClock, Principal, Registry, Timestamp};
use adcp_decisioning::{Agent, AgentBuilder, Call, Caller, Reply, Tokens};
use adcp_egress::Egress;
use adcp_reference_seller::{ReferenceSeller, SellerConfig};
use adcp_registry_memory::MemoryRegistry;
use adcp_signing::{Algorithm, KeyUse, LocalSigner};
use adcp_webhooks::Webhooks;
use serde_json::{Value, json};

/// Where the seller says it is.
pub(crate) const URL: &str = "https://seller.example/mcp";
/// Now, when a test begins.
pub(crate) const NOW: &str = "2027-01-01T00:00:00Z";

pub(crate) struct Market {
    pub(crate) agent: Agent,
    clock: Arc<ManualClock>,
    keys: AtomicU64,
}

pub(crate) fn config() -> SellerConfig {
    SellerConfig::new(URL)
        .with_sandbox(true)
        .with_review_threshold(20_000)
        .with_review_delay(Duration::from_secs(2))
}

impl Market {
    pub(crate) fn open() -> Self {
        Self::of(config())
    }

    pub(crate) fn of(config: SellerConfig) -> Self {
        Self::with(|registry| adcp_reference_seller::builder(config, registry, Tokens::new()))
    }

    /// One that sends notifications, also to this machine.
    pub(crate) fn notifying(config: SellerConfig) -> Self {
        let key = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "hooks-1").unwrap();
        let egress = Egress::builder().allow_loopback_http().build().unwrap();
        let webhooks = Webhooks::builder().signer(key).egress(egress).build().unwrap();
        Self::with(|registry| adcp_reference_seller::notifying(config, registry, Tokens::new(), webhooks))
    }

    fn with(seller: impl FnOnce(Arc<dyn Registry>) -> AgentBuilder<ReferenceSeller>) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::parse(NOW).unwrap()));
        let time = Arc::clone(&clock) as Arc<dyn Clock>;
        let registry = MemoryRegistry::volatile().with_clock(Arc::clone(&time));
        let agent = seller(Arc::new(registry)).clock(time).build().unwrap();
        Self { agent, clock, keys: AtomicU64::new(0) }
    }

    pub(crate) fn pass(&self, days: u64) {
        self.clock.advance(Duration::from_secs(days * 86_400));
    }

    /// Calls a tool as `who`; changing tools get a fresh idempotency key.
    pub(crate) async fn call(&self, who: &str, tool: &str, mut arguments: Value) -> Reply {
        if adcp_types::tools::find(tool).unwrap().mutating {
            let key = self.keys.fetch_add(1, Ordering::Relaxed);
            arguments["idempotency_key"] = json!(format!("key-of-a-test-{key:08}"));
        }
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        self.agent.call(Call::new(tool, arguments).by(Caller::new(Principal::new(who)))).await
    }

    /// Calls a tool as `acme` and expects it to succeed.
    pub(crate) async fn ok(&self, tool: &str, arguments: Value) -> Value {
        self.ok_as("acme", tool, arguments).await
    }

    pub(crate) async fn ok_as(&self, who: &str, tool: &str, arguments: Value) -> Value {
        let reply = self.call(who, tool, arguments).await;
        let body = Value::Object(reply.body);
        assert!(!reply.failed, "{tool}: {body:#}");
        body
    }

    /// Calls a tool as `acme` and expects this error code, at this field.
    pub(crate) async fn refused(&self, tool: &str, arguments: Value, code: &str, field: &str) -> Value {
        let reply = self.call("acme", tool, arguments).await;
        let body = Value::Object(reply.body);
        assert!(reply.failed, "{tool}: {body:#}");
        assert_eq!(body["adcp_error"]["code"], code, "{body:#}");
        assert_eq!(body["adcp_error"]["field"], field, "{body:#}");
        body
    }
}

/// The account that most tests buy on.
pub(crate) fn account() -> Value {
    json!({ "brand": { "domain": "acmeoutdoor.example" }, "operator": "pinnacle-agency.example", "sandbox": true })
}

pub(crate) fn package(product: &str, price: &str, budget: f64) -> Value {
    json!({ "product_id": product, "pricing_option_id": price, "budget": budget })
}

/// A package that is confirmed at once.
pub(crate) fn display(budget: f64) -> Value {
    package("harbor_news_display", "cpm_usd_fixed", budget)
}

/// Ten days, from tomorrow on.
pub(crate) fn buy(packages: Value) -> Value {
    json!({
        "account": account(), "brand": { "domain": "acmeoutdoor.example" },
        "start_time": "2027-01-02T00:00:00Z", "end_time": "2027-01-12T00:00:00Z", "packages": packages,
        "context": { "correlation_id": "c-1" }
    })
}

pub(crate) fn with(mut value: Value, changes: Value) -> Value {
    for (key, change) in changes.as_object().unwrap() {
        value[key] = change.clone();
    }
    value
}

pub(crate) fn banner(id: &str) -> Value {
    json!({
        "creative_id": id, "name": format!("Banner {id}"),
        "format_id": { "agent_url": URL, "id": "display_300x250" },
        "assets": { "banner_image": { "asset_type": "image", "url": "https://cdn.example/b.png", "width": 300, "height": 250 } }
    })
}

pub(crate) fn ids(rows: &Value, key: &str) -> Vec<String> {
    rows.as_array().unwrap().iter().map(|row| row[key].as_str().unwrap().to_owned()).collect()
}
