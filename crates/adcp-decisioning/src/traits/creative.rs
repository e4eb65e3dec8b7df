//! Creatives: formats, the library that keeps them, and what is reported about them.

use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::creative::{
    GetCreativeDeliveryRequest, GetCreativeDeliveryResponse, GetCreativeFeaturesRequest,
    GetCreativeFeaturesSuccess, ListCreativesRequest, ListCreativesResponse, SyncCreativesInputRequired,
    SyncCreativesRequest, SyncCreativesSuccess,
};
use adcp_types::media_buy::{ListCreativeFormatsRequest, ListCreativeFormatsResponse};

use crate::ctx::Ctx;
use crate::decision::Interactive;

/// What creatives are accepted.
#[diagnostic::on_unimplemented(
    message = "`{Self}` lists no creative formats: `.sales()` and `.creative_formats()` need an `impl CreativeFormats for {Self}`"
)]
pub trait CreativeFormats: Send + Sync + 'static {
    /// Lists the creative formats that are accepted or can be built.
    fn list_creative_formats(
        &self,
        ctx: &Ctx,
        req: ListCreativeFormatsRequest,
    ) -> impl Future<Output = Result<ListCreativeFormatsResponse, AdcpError>> + Send;
}

/// What a seller decides who keeps buyers' creatives.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no creatives: `.creative_library()` needs an `impl CreativeLibrary for {Self}`"
)]
pub trait CreativeLibrary: Send + Sync + 'static {
    /// Adds, changes and removes creatives. A creative that fails is reported in its own entry.
    fn sync_creatives(
        &self,
        ctx: &Ctx,
        req: SyncCreativesRequest,
    ) -> impl Future<Output = Result<Interactive<SyncCreativesSuccess, SyncCreativesInputRequired>, AdcpError>>
    + Send;

    /// Reads creatives of the account.
    fn list_creatives(
        &self,
        ctx: &Ctx,
        req: ListCreativesRequest,
    ) -> impl Future<Output = Result<ListCreativesResponse, AdcpError>> + Send;
}

/// What was delivered, creative by creative.
#[diagnostic::on_unimplemented(
    message = "`{Self}` reports no delivery by creative: `.creative_delivery()` needs an `impl CreativeDelivery for {Self}`"
)]
pub trait CreativeDelivery: Send + Sync + 'static {
    /// Reports delivery of creatives and their variants over a period.
    fn get_creative_delivery(
        &self,
        ctx: &Ctx,
        req: GetCreativeDeliveryRequest,
    ) -> impl Future<Output = Result<GetCreativeDeliveryResponse, AdcpError>> + Send;
}

/// What is found in a creative when it is examined.
#[diagnostic::on_unimplemented(
    message = "`{Self}` examines no creatives: `.creative_features()` needs an `impl CreativeFeatures for {Self}`"
)]
pub trait CreativeFeatures: Send + Sync + 'static {
    /// Examines a creative and reports what was measured.
    fn get_creative_features(
        &self,
        ctx: &Ctx,
        req: GetCreativeFeaturesRequest,
    ) -> impl Future<Output = Result<GetCreativeFeaturesSuccess, AdcpError>> + Send;
}
