//! A seller whose answers the tests choose, and an agent around it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use adcp_core::{AdcpError, Principal, TenantId};
use adcp_decisioning::{
    AccountPerPrincipal, Agent, Call, Caller, CreativeFormats, Ctx, Discovery, Interactive, Reply, Sales,
    Tokens,
};
use adcp_registry_memory::MemoryRegistry;
use adcp_types::json::{FromJson, JsonObject};
use adcp_types::media_buy::{
    CreateMediaBuyInputRequired, CreateMediaBuyRequest, CreateMediaBuySuccess, GetMediaBuyDeliveryRequest,
    GetMediaBuyDeliveryResponse, GetMediaBuysRequest, GetMediaBuysResponse, GetProductsRequest,
    GetProductsResponse, ListCreativeFormatsRequest, ListCreativeFormatsResponse,
    ProvidePerformanceFeedbackRequest, ProvidePerformanceFeedbackSuccess, UpdateMediaBuyInputRequired,
    UpdateMediaBuyRequest, UpdateMediaBuySuccess,
};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// What `create_media_buy` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Book,
    Refuse,
    Panic,
    Invalid,
    Smuggle,
    Ask,
    Wait,
    Task,
    TaskFails,
    TaskPanics,
    TaskInvalid,
    TaskStuck,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) mode: Mode,
    pub(crate) calls: AtomicUsize,
    pub(crate) go: Notify,
    pub(crate) started: Notify,
}

#[derive(Debug, Clone)]
pub(crate) struct Seller(pub(crate) Arc<Shared>);

pub(crate) fn booked() -> CreateMediaBuySuccess {
    CreateMediaBuySuccess::from_json(json!({
        "media_buy_id": "mb_1", "confirmed_at": "2026-05-01T00:00:00Z", "revision": 1, "packages": [],
    }))
    .unwrap()
}

pub(crate) fn invalid() -> CreateMediaBuySuccess {
    CreateMediaBuySuccess::from_json(json!({
        "media_buy_id": "mb_1", "confirmed_at": "yesterday", "revision": 0, "packages": [],
    }))
    .unwrap()
}

impl CreativeFormats for Seller {
    async fn list_creative_formats(
        &self,
        _ctx: &Ctx,
        _req: ListCreativeFormatsRequest,
    ) -> Result<ListCreativeFormatsResponse, AdcpError> {
        Ok(ListCreativeFormatsResponse::from_json(json!({ "formats": [] })).unwrap())
    }
}

impl Sales for Seller {
    async fn get_products(
        &self,
        ctx: &Ctx,
        _req: GetProductsRequest,
    ) -> Result<Discovery<GetProductsResponse>, AdcpError> {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        if self.0.mode == Mode::Task {
            return Ok(ctx.handoff_to_task(|_| std::future::pending()).into());
        }
        Ok(GetProductsResponse::from_json(json!({ "products": [], "cache_scope": "public" })).unwrap().into())
    }

    async fn create_media_buy(
        &self,
        ctx: &Ctx,
        _req: CreateMediaBuyRequest,
    ) -> Result<Interactive<CreateMediaBuySuccess, CreateMediaBuyInputRequired>, AdcpError> {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(&self.0);
        let task = |end: fn() -> Result<CreateMediaBuySuccess, AdcpError>| {
            ctx.handoff_to_task(move |task| async move {
                task.progress(adcp_core::Progress::percent(50.0).with_step("review")).await;
                shared.started.notify_one();
                shared.go.notified().await;
                end()
            })
            .into()
        };
        Ok(match self.0.mode {
            Mode::Book => booked().into(),
            Mode::Refuse => {
                return Err(AdcpError::new(adcp_types::ErrorCode::PRODUCT_NOT_FOUND, "no such product"));
            }
            Mode::Panic => panic!("the adopter's own fault"),
            Mode::Invalid => invalid().into(),
            Mode::Smuggle => {
                let mut answer = booked();
                answer.extra.insert("task_id".into(), "forged".into());
                answer.into()
            }
            Mode::Ask => Interactive::NeedsInput(
                CreateMediaBuyInputRequired::from_json(json!({ "reason": "APPROVAL_REQUIRED" })).unwrap(),
            ),
            Mode::Wait => {
                self.0.started.notify_one();
                self.0.go.notified().await;
                booked().into()
            }
            Mode::Task => task(|| Ok(booked())),
            Mode::TaskFails => {
                task(|| Err(AdcpError::new(adcp_types::ErrorCode::POLICY_VIOLATION, "not here")))
            }
            Mode::TaskPanics => task(|| panic!("the adopter's own fault")),
            Mode::TaskInvalid => task(|| Ok(invalid())),
            Mode::TaskStuck => {
                let shared = Arc::clone(&self.0);
                ctx.handoff_to_task(move |_task| async move {
                    shared.started.notify_one();
                    std::future::pending().await
                })
                .into()
            }
        })
    }

    async fn update_media_buy(
        &self,
        _ctx: &Ctx,
        req: UpdateMediaBuyRequest,
    ) -> Result<Interactive<UpdateMediaBuySuccess, UpdateMediaBuyInputRequired>, AdcpError> {
        let answer = json!({ "media_buy_id": req.media_buy_id, "revision": 2 });
        Ok(UpdateMediaBuySuccess::from_json(answer).unwrap().into())
    }

    async fn get_media_buys(
        &self,
        _ctx: &Ctx,
        _req: GetMediaBuysRequest,
    ) -> Result<GetMediaBuysResponse, AdcpError> {
        Ok(GetMediaBuysResponse::from_json(json!({ "media_buys": [] })).unwrap())
    }

    async fn get_media_buy_delivery(
        &self,
        _ctx: &Ctx,
        _req: GetMediaBuyDeliveryRequest,
    ) -> Result<GetMediaBuyDeliveryResponse, AdcpError> {
        Err(AdcpError::unavailable())
    }

    async fn provide_performance_feedback(
        &self,
        _ctx: &Ctx,
        _req: ProvidePerformanceFeedbackRequest,
    ) -> Result<ProvidePerformanceFeedbackSuccess, AdcpError> {
        Ok(ProvidePerformanceFeedbackSuccess::from_json(json!({ "success": true })).unwrap())
    }
}

/// An agent around the seller, and what the test and the seller share.
pub(crate) fn agent(mode: Mode) -> (Agent, Arc<Shared>) {
    agent_with(mode, 1000)
}

pub(crate) fn agent_with(mode: Mode, background_tasks: usize) -> (Agent, Arc<Shared>) {
    let shared =
        Arc::new(Shared { mode, calls: AtomicUsize::new(0), go: Notify::new(), started: Notify::new() });
    let agent = Agent::builder(Seller(Arc::clone(&shared)))
        .sales()
        .authenticator(Tokens::new())
        .accounts(AccountPerPrincipal::new())
        .registry(MemoryRegistry::volatile())
        .background_tasks(background_tasks)
        .replay_ttl(Duration::from_secs(3600))
        .build()
        .unwrap();
    (agent, shared)
}

pub(crate) fn buyer(name: &str) -> Caller {
    Caller::new(Principal::new(name)).at(TenantId::single())
}

pub(crate) fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        other => panic!("not an object: {other}"),
    }
}

pub(crate) async fn call(agent: &Agent, who: &str, tool: &str, arguments: Value) -> Reply {
    agent.call(Call::new(tool, object(arguments)).by(buyer(who))).await
}

/// A valid order under an idempotency key.
pub(crate) fn order(key: &str) -> Value {
    json!({
        "idempotency_key": key,
        "account": { "account_id": "acme" },
        "brand": { "domain": "acme.example" },
        "start_time": "asap",
        "end_time": "2027-01-01T00:00:00Z",
        "packages": [{ "product_id": "p", "pricing_option_id": "o", "budget": 1000 }],
        "context": { "correlation_id": key },
    })
}

pub(crate) fn code(reply: &Reply) -> &str {
    reply.body.get("adcp_error").and_then(|error| error["code"].as_str()).unwrap_or("none")
}
