//! Standards for the content that ads stand beside.

use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::content_standards::{
    CalibrateContentRequest, CalibrateContentSuccess, CreateContentStandardsRequest,
    CreateContentStandardsSuccess, GetContentStandardsRequest, GetContentStandardsSuccess,
    GetMediaBuyArtifactsRequest, GetMediaBuyArtifactsSuccess, ListContentStandardsRequest,
    ListContentStandardsSuccess, UpdateContentStandardsRequest, UpdateContentStandardsResponse,
    ValidateContentDeliveryRequest, ValidateContentDeliverySuccess,
};

use crate::ctx::Ctx;

/// What a keeper of content standards decides.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no content standards: `.content_standards()` needs an `impl ContentStandards for {Self}`"
)]
pub trait ContentStandards: Send + Sync + 'static {
    /// Declares standards for a scope.
    fn create_content_standards(
        &self,
        ctx: &Ctx,
        req: CreateContentStandardsRequest,
    ) -> impl Future<Output = Result<CreateContentStandardsSuccess, AdcpError>> + Send;

    /// Changes standards.
    fn update_content_standards(
        &self,
        ctx: &Ctx,
        req: UpdateContentStandardsRequest,
    ) -> impl Future<Output = Result<UpdateContentStandardsResponse, AdcpError>> + Send;

    /// Reads standards.
    fn get_content_standards(
        &self,
        ctx: &Ctx,
        req: GetContentStandardsRequest,
    ) -> impl Future<Output = Result<GetContentStandardsSuccess, AdcpError>> + Send;

    /// Lists standards.
    fn list_content_standards(
        &self,
        ctx: &Ctx,
        req: ListContentStandardsRequest,
    ) -> impl Future<Output = Result<ListContentStandardsSuccess, AdcpError>> + Send;

    /// Tries standards on an example and explains the verdict.
    fn calibrate_content(
        &self,
        ctx: &Ctx,
        req: CalibrateContentRequest,
    ) -> impl Future<Output = Result<CalibrateContentSuccess, AdcpError>> + Send;

    /// Checks delivered placements against standards.
    fn validate_content_delivery(
        &self,
        ctx: &Ctx,
        req: ValidateContentDeliveryRequest,
    ) -> impl Future<Output = Result<ValidateContentDeliverySuccess, AdcpError>> + Send;
}

/// Samples of the content an order ran beside.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no samples of content: `.media_buy_artifacts()` needs an `impl MediaBuyArtifacts for {Self}`"
)]
pub trait MediaBuyArtifacts: Send + Sync + 'static {
    /// Reads samples of the content an order ran beside.
    fn get_media_buy_artifacts(
        &self,
        ctx: &Ctx,
        req: GetMediaBuyArtifactsRequest,
    ) -> impl Future<Output = Result<GetMediaBuyArtifactsSuccess, AdcpError>> + Send;
}
