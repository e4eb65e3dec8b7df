//! A registry with a clock that stands, events in it, and a console with several operators.

use std::sync::Arc;
use std::time::Duration;

use adcp_console::{Access, Console, Operator, Operators};
use adcp_core::{
    AttemptClass, AttemptReport, CallbackAuth, ClaimDeliveries, DeadReason, DeliveryDetail,
    DeliveryOutbox as _, EventKey, ManualClock, Owner, Principal, Publication, PublishEvents, RecordAttempt,
    RecordAttempts, Recorded, Registry, Scope, Secret, TenantId, Timestamp, Verdict,
};
use adcp_registry_memory::MemoryRegistry;
use bytes::Bytes;
use http::{HeaderMap, Request};
use serde_json::Value;

pub(crate) const WRITER: &str = "token-of-the-writer";
pub(crate) const READER: &str = "token-of-the-reader";
/// Of tenant `a` only.
pub(crate) const OF_A: &str = "token-of-ada-at-a-only";
/// Of the tenants `a` and `b`.
pub(crate) const OF_BOTH: &str = "token-of-ben-at-a-and-b";

/// What no answer may hold.
pub(crate) const BUYERS_TOKEN: &str = "token-of-the-buyer-0123456789";
pub(crate) const CREDENTIALS: &str = "credentials-of-the-buyer-0123456789";
pub(crate) const IN_QUERY: &str = "query-of-the-buyer";
pub(crate) const IN_PATH: &str = "path-of-the-buyer";

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn operators() -> Operators {
    let of = |name: &str, tenants: &[&str]| {
        Operator::new(name, Access::Write).of_tenants(tenants.iter().map(|tenant| TenantId::new(*tenant)))
    };
    Operators::new()
        .with_token("wilma", &Secret::new(WRITER), Access::Write)
        .and_then(|known| known.with_token("rita", &Secret::new(READER), Access::Read))
        .and_then(|known| known.with_operator(of("ada", &["a"]), &Secret::new(OF_A)))
        .and_then(|known| known.with_operator(of("ben", &["a", "b"]), &Secret::new(OF_BOTH)))
        .unwrap()
}

#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) registry: Arc<MemoryRegistry>,
    pub(crate) console: Console,
}

/// An answer with its body as JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Expects a problem, and gives its body.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(self.body["status"], status);
        assert!(self.body["detail"].is_string() && self.body["title"].is_string());
        self.body
    }

    /// Expects success, and gives the body.
    #[track_caller]
    pub(crate) fn done(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        self.body
    }
}

pub(crate) async fn ask(console: &Console, method: &str, target: &str, token: Option<&str>) -> Answer {
    ask_with(console, method, target, token, "").await
}

pub(crate) async fn ask_with(
    console: &Console,
    method: &str,
    target: &str,
    token: Option<&str>,
    body: &str,
) -> Answer {
    let mut request = Request::builder().method(method).uri(target);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Bytes::from(body.to_owned())).unwrap();
    let (head, body) = console.answer(request).await.into_parts();
    let text = String::from_utf8(body.to_vec()).unwrap();
    for secret in [BUYERS_TOKEN, CREDENTIALS, IN_QUERY, IN_PATH, WRITER, READER, OF_A, OF_BOTH] {
        assert!(!text.contains(secret), "{text}");
    }
    Answer { status: head.status.as_u16(), headers: head.headers, body: serde_json::from_str(&text).unwrap() }
}

impl Stage {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-21T08:00:00Z").unwrap()));
        let registry = Arc::new(MemoryRegistry::volatile().with_clock(Arc::clone(&clock) as _));
        let console = Console::new(Arc::clone(&registry) as Arc<dyn Registry>, operators());
        Self { clock, registry, console }
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        ask(&self.console, "GET", target, Some(READER)).await
    }

    pub(crate) async fn post(&self, target: &str) -> Answer {
        ask(&self.console, "POST", target, Some(WRITER)).await
    }

    /// The ids on a page.
    pub(crate) async fn ids(&self, target: &str) -> Vec<String> {
        let page = self.get(target).await.done(200);
        let rows = page["deliveries"].as_array().unwrap();
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) async fn publish(&self, tenant: &str, key: &str, url: &str) {
        self.registry.publish(PublishEvents::new(vec![event(tenant, key, url)])).await.unwrap();
    }

    /// Tries what is due, with this outcome, and says how much that was.
    pub(crate) async fn attempt(&self, class: AttemptClass, verdict: Verdict) -> usize {
        let claimed =
            self.registry.claim_deliveries(ClaimDeliveries::new().with_per_endpoint(1000)).await.unwrap();
        let report = AttemptReport::new(class, Duration::from_secs(1), Duration::from_millis(250))
            .with_http_status(410)
            .with_peer("203.0.113.7:443")
            .with_answer("nothing here");
        let records: Vec<_> = claimed
            .deliveries
            .iter()
            .map(|claimed| RecordAttempt::new(claimed.hold(), Some(report.clone()), verdict))
            .collect();
        let amount = records.len();
        let recorded = self.registry.record_attempts(RecordAttempts::new(records)).await.unwrap();
        assert_eq!(recorded, vec![Recorded::Written; amount]);
        amount
    }

    /// Queues an event of the single tenant and gives it up.
    pub(crate) async fn kill(&self, key: &str, url: &str) {
        self.kill_at("default", key, url).await;
    }

    /// The same for many at once.
    pub(crate) async fn kill_all(&self, keys: &[String], url: &str) {
        let events = keys.iter().map(|key| event("default", key, url)).collect();
        self.registry.publish(PublishEvents::new(events)).await.unwrap();
        while self.attempt(AttemptClass::Gone, Verdict::Dead(DeadReason::Gone)).await > 0 {}
    }

    pub(crate) async fn kill_at(&self, tenant: &str, key: &str, url: &str) {
        self.publish(tenant, key, url).await;
        self.attempt(AttemptClass::Gone, Verdict::Dead(DeadReason::Gone)).await;
    }

    pub(crate) async fn detail(&self, tenant: &str, key: &str) -> DeliveryDetail {
        let scope = Scope::Operator { tenant: TenantId::new(tenant) };
        self.registry.delivery(&EventKey::stored(key), &scope).await.unwrap().unwrap()
    }
}

fn event(tenant: &str, key: &str, url: &str) -> Publication {
    let body = serde_json::json!({ "idempotency_key": key, "token": BUYERS_TOKEN }).to_string();
    let owner = Owner::new(TenantId::new(tenant), None, Principal::new("buyer"));
    Publication::new(EventKey::stored(key), owner, "scheduled", url, body)
        .about(format!("order of {key}"))
        .with_authentication(Some(CallbackAuth::new("Bearer", Secret::new(CREDENTIALS))))
}

/// An address with a secret in it.
pub(crate) fn url(receiver: &str) -> String {
    format!("https://{receiver}.example/{IN_PATH}?key={IN_QUERY}")
}
