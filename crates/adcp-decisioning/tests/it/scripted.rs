//! A seller whose handoffs each test writes itself, over a registry that the test can look into.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use adcp_core::{AccountId, AdcpError, Owner, Principal, Scope, TaskId, TaskRecord, TaskRef, TenantId};
use adcp_decisioning::{
    AccountPerPrincipal, Agent, AgentBuilder, CreativeFormats, Ctx, Decision, Discovery, Interactive, Reply,
    Sales, Signals, Tokens,
};
use adcp_registry_memory::MemoryRegistry;
use adcp_types::json::FromJson;
use adcp_types::media_buy::{
    CreateMediaBuyInputRequired, CreateMediaBuyRequest, CreateMediaBuySuccess, GetMediaBuyDeliveryRequest,
    GetMediaBuyDeliveryResponse, GetMediaBuysRequest, GetMediaBuysResponse, GetProductsRequest,
    GetProductsResponse, ListCreativeFormatsRequest, ListCreativeFormatsResponse,
    ProvidePerformanceFeedbackRequest, ProvidePerformanceFeedbackSuccess, UpdateMediaBuyInputRequired,
    UpdateMediaBuyRequest, UpdateMediaBuySuccess,
};
use adcp_types::signals::{GetSignalsRequest, GetSignalsResponse};
use serde_json::{Value, json};

use crate::seller::{booked, call, order};

pub(crate) type Bought = Interactive<CreateMediaBuySuccess, CreateMediaBuyInputRequired>;
pub(crate) type Found = Discovery<GetProductsResponse>;
type Script<A> = Box<dyn Fn(&Ctx) -> Result<A, AdcpError> + Send + Sync>;

/// What each method does.
pub(crate) struct Scripts {
    buy: Script<Bought>,
    products: Script<Found>,
    signals: Script<Decision<GetSignalsResponse>>,
    calls: AtomicUsize,
}

#[derive(Clone)]
pub(crate) struct Scripted(Arc<Scripts>);

impl Scripted {
    /// A seller whose `create_media_buy` does this.
    pub(crate) fn buying(buy: impl Fn(&Ctx) -> Result<Bought, AdcpError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Scripts {
            buy: Box::new(buy),
            products: Box::new(|_| Ok(products().into())),
            signals: Box::new(|_| Ok(signals().into())),
            calls: AtomicUsize::new(0),
        }))
    }

    /// Changes what `get_products` and `get_signals` do.
    pub(crate) fn finding(
        self,
        products: impl Fn(&Ctx) -> Result<Found, AdcpError> + Send + Sync + 'static,
        signals: impl Fn(&Ctx) -> Result<Decision<GetSignalsResponse>, AdcpError> + Send + Sync + 'static,
    ) -> Self {
        let mut scripts = Arc::into_inner(self.0).unwrap();
        scripts.products = Box::new(products);
        scripts.signals = Box::new(signals);
        Self(Arc::new(scripts))
    }

    /// How often any of the scripted methods was called.
    pub(crate) fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }
}

pub(crate) fn products() -> GetProductsResponse {
    GetProductsResponse::from_json(json!({ "products": [], "cache_scope": "public" })).unwrap()
}

pub(crate) fn signals() -> GetSignalsResponse {
    GetSignalsResponse::from_json(json!({ "signals": [], "cache_scope": "public" })).unwrap()
}

impl CreativeFormats for Scripted {
    async fn list_creative_formats(
        &self,
        _ctx: &Ctx,
        _req: ListCreativeFormatsRequest,
    ) -> Result<ListCreativeFormatsResponse, AdcpError> {
        Err(AdcpError::unavailable())
    }
}

impl Signals for Scripted {
    async fn get_signals(
        &self,
        ctx: &Ctx,
        _req: GetSignalsRequest,
    ) -> Result<Discovery<GetSignalsResponse>, AdcpError> {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        (self.0.signals)(ctx)
    }
}

impl Sales for Scripted {
    async fn get_products(
        &self,
        ctx: &Ctx,
        _req: GetProductsRequest,
    ) -> Result<Discovery<GetProductsResponse>, AdcpError> {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        (self.0.products)(ctx)
    }

    async fn create_media_buy(&self, ctx: &Ctx, _req: CreateMediaBuyRequest) -> Result<Bought, AdcpError> {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        (self.0.buy)(ctx)
    }

    async fn update_media_buy(
        &self,
        _ctx: &Ctx,
        _req: UpdateMediaBuyRequest,
    ) -> Result<Interactive<UpdateMediaBuySuccess, UpdateMediaBuyInputRequired>, AdcpError> {
        Err(AdcpError::unavailable())
    }

    async fn get_media_buys(
        &self,
        _ctx: &Ctx,
        _req: GetMediaBuysRequest,
    ) -> Result<GetMediaBuysResponse, AdcpError> {
        Err(AdcpError::unavailable())
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
        Err(AdcpError::unavailable())
    }
}

/// An agent under construction around the seller, over a registry.
pub(crate) fn building(seller: &Scripted, registry: Arc<dyn adcp_core::Registry>) -> AgentBuilder<Scripted> {
    Agent::builder(seller.clone())
        .sales()
        .signals()
        .authenticator(Tokens::new())
        .accounts(AccountPerPrincipal::new())
        .shared_registry(registry)
}

/// An agent over a registry of its own.
pub(crate) fn scripted(
    buy: impl Fn(&Ctx) -> Result<Bought, AdcpError> + Send + Sync + 'static,
) -> (Agent, Arc<MemoryRegistry>) {
    let registry = Arc::new(MemoryRegistry::volatile());
    let agent = building(&Scripted::buying(buy), registry.clone()).build().unwrap();
    (agent, registry)
}

/// Sends one order as the buyer `acme`.
pub(crate) async fn buy(agent: &Agent) -> Reply {
    call(agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await
}

/// The task that a reply names, as its owner's reference.
pub(crate) fn task_of(reply: &Reply) -> TaskRef {
    assert_eq!(reply.body["status"], "submitted", "{:?}", reply.body);
    let id = TaskId::new(reply.body["task_id"].as_str().unwrap());
    let acme = "acme";
    TaskRef::new(id, Owner::new(TenantId::single(), Some(AccountId::new(acme)), Principal::new(acme)))
}

/// Every task, also those that no buyer may see.
pub(crate) async fn all_tasks(registry: &MemoryRegistry) -> Vec<TaskRecord> {
    use adcp_core::TaskRegistry as _;
    let scope = Scope::Operator { tenant: TenantId::single() };
    registry.list(adcp_core::ListTasks::new(scope)).await.unwrap().tasks
}

/// What the buyer reads when it polls.
pub(crate) async fn poll(agent: &Agent, task: &TaskRef) -> Value {
    let ask = json!({ "task_id": task.id.as_str(), "include_result": true, "include_history": true });
    Value::Object(call(agent, "acme", "get_task_status", ask).await.body)
}

/// An order that was booked, as a scripted method answers it.
pub(crate) fn bought() -> Result<CreateMediaBuySuccess, AdcpError> {
    Ok(booked())
}
