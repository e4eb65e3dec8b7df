//! A registry, a clock that stands, a key, and workers over them.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{
    Background as _, BreakerState, CallbackAuth, Clock as _, DeliveryDetail, DeliveryOutbox as _,
    DeliveryState, EndpointRecord, EventKey, ListEndpoints, ManualClock, Owner, Principal, Publication,
    PublishEvents, Registry, Scope, Secret, TenantId,
};
use adcp_egress::{Egress, Limits};
use adcp_signing::{
    Algorithm, DEFAULT_WEBHOOK_NONCES, Jwks, KeyUse, LocalSigner, MemoryReplayStore, Message, UnixTime,
    Verifier,
};
use adcp_webhooks::{Schedule, Webhooks, WebhooksBuilder};

use crate::receiver::Got;
use crate::store::{Door, Ground, Store};
use crate::watched::Watched;

/// Longer than any test waits.
pub(crate) const BOUND: Duration = Duration::from_secs(20);

/// The token that bodies carry.
pub(crate) const TOKEN: &str = "token-of-the-buyer-0123456789";

#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) registry: Arc<Watched>,
    pub(crate) key: LocalSigner,
    // Last: the store goes after what uses it.
    ground: Ground,
}

impl Stage {
    /// Over memory, for what does not depend on the store.
    pub(crate) fn new() -> Self {
        let (ground, registry) = Ground::in_memory();
        Self::assemble(ground, registry)
    }

    pub(crate) async fn over(store: Store) -> Self {
        let ground = Ground::new(store).await;
        let registry = ground.door().open().await;
        Self::assemble(ground, registry)
    }

    fn assemble(ground: Ground, registry: Arc<dyn Registry>) -> Self {
        let key = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "hooks-1").unwrap();
        Self { clock: ground.clock(), registry: Arc::new(Watched::new(registry)), key, ground }
    }

    /// Moves every clock.
    pub(crate) fn advance(&self, by: Duration) {
        self.ground.advance(by);
    }

    /// The connections of whoever ended are closed, as its system would have done.
    pub(crate) async fn cut_off_victims(&self) {
        self.ground.cut_off_victims().await;
    }

    /// Where another process gets its instance from.
    pub(crate) fn door(&self) -> Door {
        self.ground.door()
    }

    /// Three attempts, after 5 s and 30 s exactly; loopback; nothing is found by chance.
    pub(crate) fn builder(&self) -> WebhooksBuilder {
        Webhooks::builder()
            .signer(self.key.clone())
            .egress(Egress::builder().allow_loopback_http().build().unwrap())
            .clock(Arc::clone(&self.clock) as Arc<dyn adcp_core::Clock>)
            .schedule(short())
            .limits(limits(Duration::from_secs(10)))
            .poll_every(Duration::from_secs(600))
    }

    pub(crate) fn start(&self, builder: WebhooksBuilder) -> Webhooks {
        let webhooks = builder.build().unwrap();
        webhooks.start(Arc::clone(&self.registry) as Arc<dyn Registry>);
        webhooks
    }

    /// Starts a worker on an instance of its own, as another replica has one; both live as long as what is returned.
    pub(crate) async fn start_beside(&self, builder: WebhooksBuilder) -> (Webhooks, Arc<Watched>) {
        let registry = Arc::new(self.registry.beside(self.door().open().await));
        let webhooks = builder.build().unwrap();
        webhooks.start(Arc::clone(&registry) as Arc<dyn Registry>);
        (webhooks, registry)
    }

    pub(crate) async fn publish(&self, url: &str) -> EventKey {
        self.publish_with(url, None).await
    }

    pub(crate) async fn publish_with(&self, url: &str, legacy: Option<(&str, &str)>) -> EventKey {
        self.publish_at(TenantId::single(), url, legacy).await
    }

    pub(crate) async fn publish_at(
        &self,
        tenant: TenantId,
        url: &str,
        legacy: Option<(&str, &str)>,
    ) -> EventKey {
        let key = EventKey::random().unwrap();
        let body =
            serde_json::json!({ "idempotency_key": key.as_str(), "token": TOKEN, "n": 1.5 }).to_string();
        let auth = legacy.map(|(scheme, secret)| CallbackAuth::new(scheme, Secret::new(secret)));
        let owner = Owner::new(tenant, None, Principal::new("buyer"));
        let event = Publication::new(key.clone(), owner, "scheduled", url, body).with_authentication(auth);
        self.registry.publish(PublishEvents::new(vec![event])).await.unwrap();
        key
    }

    pub(crate) async fn publish_many(&self, url: &str, amount: usize) -> Vec<EventKey> {
        let mut keys = Vec::with_capacity(amount);
        for _ in 0..amount {
            keys.push(self.publish(url).await);
        }
        keys
    }

    pub(crate) async fn detail(&self, key: &EventKey) -> DeliveryDetail {
        let scope = Scope::Operator { tenant: TenantId::single() };
        self.registry.delivery(key, &scope).await.unwrap().unwrap()
    }

    pub(crate) async fn endpoint(&self) -> Option<EndpointRecord> {
        self.registry.endpoints(ListEndpoints::new(TenantId::single())).await.unwrap().pop()
    }

    /// Waits until a delivery is as it should be.
    pub(crate) async fn until(
        &self,
        key: &EventKey,
        fits: impl Fn(&DeliveryDetail) -> bool,
    ) -> DeliveryDetail {
        let mut steps = self.registry.steps();
        let waiting = async {
            loop {
                steps.mark_unchanged();
                let detail = self.detail(key).await;
                if fits(&detail) {
                    return detail;
                }
                steps.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(BOUND, waiting).await {
            Ok(detail) => detail,
            Err(_) => panic!("it never came to that: {:?}", self.detail(key).await),
        }
    }

    pub(crate) async fn delivered(&self, key: &EventKey) -> DeliveryDetail {
        self.until(key, |detail| detail.record.state == DeliveryState::Delivered).await
    }

    /// Moves the clock to whenever an event is due, again and again until it is settled.
    pub(crate) async fn settle(&self, webhooks: &Webhooks, key: &EventKey) -> DeliveryDetail {
        loop {
            let detail = self.until(key, |detail| detail.record.state != DeliveryState::Sending).await;
            let record = &detail.record;
            match record.state {
                DeliveryState::Delivered | DeliveryState::Dead => return detail,
                DeliveryState::Waiting => {
                    let breaker = self.endpoint().await.map(|endpoint| endpoint.breaker).unwrap_or_default();
                    let pause = breaker.until.filter(|_| breaker.state == BreakerState::Open);
                    let at = record.due_at.into_iter().chain(pause).max().unwrap();
                    self.advance(at.since(self.clock.now()));
                    webhooks.wake();
                }
                DeliveryState::Pending | DeliveryState::Sending => {}
            }
            let attempts = record.attempts;
            self.until(key, |detail| {
                detail.record.attempts != attempts || detail.record.settled_at.is_some()
            })
            .await;
        }
    }

    /// Whether a request carries a signature of the stage's key that is valid now.
    pub(crate) async fn verify(&self, got: &Got, address: std::net::SocketAddr) -> Result<String, String> {
        self.verify_by(&self.key, got, address).await
    }

    /// The same, of another key.
    pub(crate) async fn verify_by(
        &self,
        key: &LocalSigner,
        got: &Got,
        address: std::net::SocketAddr,
    ) -> Result<String, String> {
        let keys = Arc::new(Jwks::new([key.jwk()]));
        let verifier = Verifier::webhooks(keys, Arc::new(MemoryReplayStore::new(DEFAULT_WEBHOOK_NONCES)));
        let url = format!("http://{address}{}", got.target);
        let headers = got.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let message = Message::new("POST", &url, &got.body).with_headers(headers);
        let now = UnixTime::from_micros(self.clock.now().as_micros());
        let verified = verifier.verify(&message, now).await;
        verified.map(|verified| verified.keyid).map_err(|error| error.to_string())
    }
}

pub(crate) fn short() -> Schedule {
    Schedule::of([Duration::from_secs(5), Duration::from_secs(30)]).with_jitter(0.0)
}

/// So long for each step.
pub(crate) fn limits(step: Duration) -> Limits {
    Limits::new()
        .with_connect(step)
        .with_handshake(step)
        .with_head(step)
        .with_body(step)
        .with_total(step * 3 / 2)
}
