//! The receiver in front of a service.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use adcp_core::{BoxError, Clock as _};
use adcp_signing::{
    DEFAULT_WEBHOOK_NONCES, Jwks, LocalSigner, MemoryReplayStore, Message, UnixTime, Verifier, sign_webhook,
};
use adcp_webhooks::{Agreement, Agreements, MemoryDedup, Receive, ReceiveLayer, Webhook, WebhookReceiver};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tower_layer::Layer as _;
use tower_service::Service;

use crate::stage::Stage;

/// Answers with a status, and counts.
#[derive(Debug, Clone, Default)]
struct Shop {
    status: Arc<AtomicU16>,
    served: Arc<AtomicUsize>,
}

impl Service<Request<Full<Bytes>>> for Shop {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        assert_eq!(request.extensions().get::<Webhook>().unwrap().sender, "seller");
        self.served.fetch_add(1, Ordering::SeqCst);
        let mut response = Response::new(Full::from("from the shop"));
        *response.status_mut() = self.status.load(Ordering::SeqCst).try_into().unwrap();
        ready(Ok(response))
    }
}

/// Something is agreed for one path.
#[derive(Debug)]
struct One(Agreement);

#[async_trait::async_trait]
impl Agreements for One {
    async fn agreed(&self, target: &str) -> Result<Option<Agreement>, BoxError> {
        match target {
            "/hook" => Ok(Some(self.0.clone())),
            "/broken" => Err("the table of agreements is gone".into()),
            _ => Ok(None),
        }
    }
}

struct Door {
    stage: Stage,
    shop: Shop,
    service: Receive<Shop>,
}

impl Door {
    fn new() -> Self {
        let stage = Stage::new();
        let keys = Arc::new(Jwks::new([stage.key.jwk()]));
        let verifier = Verifier::webhooks(keys, Arc::new(MemoryReplayStore::new(DEFAULT_WEBHOOK_NONCES)));
        let receiver = WebhookReceiver::new("https://buyer.example", MemoryDedup::new())
            .with_max_body(10_000)
            .with_clock(Arc::clone(&stage.clock) as Arc<dyn adcp_core::Clock>);
        let shop = Shop::default();
        let layer = ReceiveLayer::new(receiver, One(Agreement::signed("seller", verifier)));
        let service = layer.layer(shop.clone());
        Self { stage, shop, service }
    }

    async fn post(&mut self, target: &str, body: &str) -> (u16, String) {
        let now = UnixTime::from_micros(self.stage.clock.now().as_micros());
        let request = signed(&self.stage.key, target, body, now).await;
        self.call(request).await
    }

    async fn call(&mut self, request: Request<Full<Bytes>>) -> (u16, String) {
        let response = self.service.call(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

async fn signed(key: &LocalSigner, target: &str, body: &str, now: UnixTime) -> Request<Full<Bytes>> {
    let url = format!("https://buyer.example{target}");
    let message = Message::new("POST", &url, body.as_bytes()).with_header("content-type", "application/json");
    let fields = sign_webhook(key, &message, now).await.unwrap();
    let mut request = Request::post(target).header("content-type", "application/json");
    for (name, value) in fields.iter() {
        request = request.header(name, value);
    }
    request.body(Full::from(body.to_owned())).unwrap()
}

#[tokio::test]
async fn the_service_sees_new_and_authentic_webhooks_only() {
    let mut door = Door::new();
    let body = serde_json::json!({
        "idempotency_key": "whk_0123456789abcdef", "operation_id": "op", "task_id": "t",
        "task_type": "create_media_buy", "status": "completed", "timestamp": "2026-11-21T08:00:00Z",
    })
    .to_string();
    let served = |door: &Door| door.shop.served.load(Ordering::SeqCst);

    let unsigned = Request::post("/hook").header("content-type", "application/json");
    assert_eq!(door.call(unsigned.body(Full::from(body.clone())).unwrap()).await.0, 401);
    assert_eq!(door.call(Request::get("/hook").body(Full::default()).unwrap()).await.0, 405);
    assert_eq!(door.post("/elsewhere", &body).await.0, 404);
    assert_eq!(door.post("/broken", &body).await.0, 503);
    let large = format!("[{}]", "1,".repeat(10_000) + "1");
    assert_eq!(door.post("/hook", &large).await.0, 413);
    assert_eq!(served(&door), 0);

    door.shop.status.store(500, Ordering::SeqCst);
    assert_eq!(door.post("/hook", &body).await, (500, "from the shop".to_owned()));
    door.shop.status.store(202, Ordering::SeqCst);
    assert_eq!(
        door.post("/hook", &body).await,
        (202, "from the shop".to_owned()),
        "it was left to this delivery"
    );
    assert_eq!(door.post("/hook", &body).await, (200, r#"{"received":true}"#.to_owned()));
    assert_eq!(served(&door), 2);
}
