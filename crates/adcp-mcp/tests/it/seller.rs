//! A seller that has no products and can be held up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use adcp_core::{AdcpError, Principal, Secret};
use adcp_decisioning::{
    AccountPerPrincipal, Agent, CreativeFormats, Ctx, Discovery, Interactive, Sales, Tokens,
};
use adcp_registry_memory::MemoryRegistry;
use adcp_types::media_buy::get_products_response::CacheScope;
use adcp_types::media_buy::{
    CreateMediaBuyInputRequired, CreateMediaBuyRequest, CreateMediaBuySuccess, GetMediaBuyDeliveryRequest,
    GetMediaBuyDeliveryResponse, GetMediaBuysRequest, GetMediaBuysResponse, GetProductsRequest,
    GetProductsResponse, ListCreativeFormatsRequest, ListCreativeFormatsResponse,
    ProvidePerformanceFeedbackRequest, ProvidePerformanceFeedbackSuccess, UpdateMediaBuyInputRequired,
    UpdateMediaBuyRequest, UpdateMediaBuySuccess,
};
use tokio::sync::{Notify, Semaphore};

pub(crate) const TOKEN: &str = "secret";

/// What a test tells the seller, and what it sees of it.
#[derive(Debug)]
pub(crate) struct Probe {
    /// Told whenever a slow call has begun.
    pub(crate) begun: Notify,
    /// A slow call ends when it gets a permit.
    pub(crate) release: Semaphore,
    /// Told whenever a slow call has ended.
    pub(crate) ended: Notify,
    /// How many calls reached the seller.
    pub(crate) calls: AtomicUsize,
}

impl Probe {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            begun: Notify::new(),
            release: Semaphore::new(0),
            ended: Notify::new(),
            calls: AtomicUsize::new(0),
        })
    }
}

/// An agent that knows [`TOKEN`].
pub(crate) fn agent(probe: &Arc<Probe>) -> Agent {
    Agent::builder(Seller(Arc::clone(probe)))
        .authenticator(Tokens::new().with_token(Principal::new("buyer"), &Secret::new(TOKEN)))
        .accounts(AccountPerPrincipal::new())
        .registry(MemoryRegistry::volatile())
        .sales()
        .build()
        .unwrap()
}

struct Seller(Arc<Probe>);

impl CreativeFormats for Seller {
    async fn list_creative_formats(
        &self,
        _: &Ctx,
        _: ListCreativeFormatsRequest,
    ) -> Result<ListCreativeFormatsResponse, AdcpError> {
        Err(AdcpError::unavailable())
    }
}

impl Sales for Seller {
    async fn get_products(
        &self,
        _: &Ctx,
        req: GetProductsRequest,
    ) -> Result<Discovery<GetProductsResponse>, AdcpError> {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        if req.brief.as_deref() == Some("slow") {
            self.0.begun.notify_one();
            self.0.release.acquire().await.unwrap().forget();
            self.0.ended.notify_one();
        }
        Ok(GetProductsResponse::new().with_products(Vec::new()).with_cache_scope(CacheScope::Account).into())
    }

    async fn create_media_buy(
        &self,
        _: &Ctx,
        _: CreateMediaBuyRequest,
    ) -> Result<Interactive<CreateMediaBuySuccess, CreateMediaBuyInputRequired>, AdcpError> {
        Err(AdcpError::unavailable())
    }

    async fn update_media_buy(
        &self,
        _: &Ctx,
        _: UpdateMediaBuyRequest,
    ) -> Result<Interactive<UpdateMediaBuySuccess, UpdateMediaBuyInputRequired>, AdcpError> {
        Err(AdcpError::unavailable())
    }

    async fn get_media_buys(
        &self,
        _: &Ctx,
        _: GetMediaBuysRequest,
    ) -> Result<GetMediaBuysResponse, AdcpError> {
        Err(AdcpError::unavailable())
    }

    async fn get_media_buy_delivery(
        &self,
        _: &Ctx,
        _: GetMediaBuyDeliveryRequest,
    ) -> Result<GetMediaBuyDeliveryResponse, AdcpError> {
        Err(AdcpError::unavailable())
    }

    async fn provide_performance_feedback(
        &self,
        _: &Ctx,
        _: ProvidePerformanceFeedbackRequest,
    ) -> Result<ProvidePerformanceFeedbackSuccess, AdcpError> {
        Err(AdcpError::unavailable())
    }
}
