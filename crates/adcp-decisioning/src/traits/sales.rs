//! The sale of media.

use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::media_buy::{
    CreateMediaBuyInputRequired, CreateMediaBuyRequest, CreateMediaBuySuccess, GetMediaBuyDeliveryRequest,
    GetMediaBuyDeliveryResponse, GetMediaBuysRequest, GetMediaBuysResponse, GetProductsRequest,
    GetProductsResponse, ProvidePerformanceFeedbackRequest, ProvidePerformanceFeedbackSuccess,
    UpdateMediaBuyInputRequired, UpdateMediaBuyRequest, UpdateMediaBuySuccess,
};

use crate::ctx::Ctx;
use crate::decision::{Discovery, Interactive};
use crate::traits::CreativeFormats;

/// What a seller of media decides.
///
/// Implementers answer for the account of [`Ctx::account`] only. The SDK has checked the request against its
/// schema, claimed its idempotency key, and checks the answer before a buyer sees it: a method is called once
/// per request, and an error means that nothing was bought or changed.
///
/// A seller always says which creatives it accepts, so this includes [`CreativeFormats`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not sell media: `.sales()` needs an `impl Sales for {Self}`",
    note = "every method of `Sales` is required; see docs/traits.md for which tool each one answers"
)]
pub trait Sales: CreativeFormats {
    /// Finds products for a brief, lists them wholesale, or refines an earlier answer.
    ///
    /// A seller of proposals adds what stands behind its answer with an [`Offer`](crate::Offer). What a refinement
    /// names is in [`Ctx::proposals`], and an answer to [`GetProductsRequest::finalizes`] makes it firm. A wholesale
    /// request is never handed off: what is not ready is named in `incomplete`.
    fn get_products(
        &self,
        ctx: &Ctx,
        req: GetProductsRequest,
    ) -> impl Future<Output = Result<Discovery<GetProductsResponse>, AdcpError>> + Send;

    /// Accepts, defers or refuses an order.
    ///
    /// An order of a proposal has reserved it by now, and has packages unless the seller derives them itself.
    fn create_media_buy(
        &self,
        ctx: &Ctx,
        req: CreateMediaBuyRequest,
    ) -> impl Future<
        Output = Result<Interactive<CreateMediaBuySuccess, CreateMediaBuyInputRequired>, AdcpError>,
    > + Send;

    /// Changes an order: pause, resume, cancel, budgets, dates, creatives. All of it or nothing.
    fn update_media_buy(
        &self,
        ctx: &Ctx,
        req: UpdateMediaBuyRequest,
    ) -> impl Future<
        Output = Result<Interactive<UpdateMediaBuySuccess, UpdateMediaBuyInputRequired>, AdcpError>,
    > + Send;

    /// Reads orders of the account.
    fn get_media_buys(
        &self,
        ctx: &Ctx,
        req: GetMediaBuysRequest,
    ) -> impl Future<Output = Result<GetMediaBuysResponse, AdcpError>> + Send;

    /// Reports what was delivered and spent.
    fn get_media_buy_delivery(
        &self,
        ctx: &Ctx,
        req: GetMediaBuyDeliveryRequest,
    ) -> impl Future<Output = Result<GetMediaBuyDeliveryResponse, AdcpError>> + Send;

    /// Takes the buyer's word on how an order performs.
    fn provide_performance_feedback(
        &self,
        ctx: &Ctx,
        req: ProvidePerformanceFeedbackRequest,
    ) -> impl Future<Output = Result<ProvidePerformanceFeedbackSuccess, AdcpError>> + Send;
}
