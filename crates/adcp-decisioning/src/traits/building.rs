//! The building of creatives, and what is shown of it before it costs anything.

use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::creative::{
    ListTransformersRequest, ListTransformersResponse, PreviewCreativeRequest, PreviewCreativeResponse,
    ValidateInputRequest, ValidateInputResponse,
};
use adcp_types::media_buy::{BuildCreativeInputRequired, BuildCreativeRequest, BuildCreativeResponse};

use crate::ctx::Ctx;
use crate::decision::Asking;

/// What an agent decides that makes creatives.
#[diagnostic::on_unimplemented(
    message = "`{Self}` builds no creatives: `.creative_building()` needs an `impl CreativeBuilding for {Self}`"
)]
pub trait CreativeBuilding: Send + Sync + 'static {
    /// Makes, adapts or resizes a creative, or says what is missing. Never a task: it has no task type.
    fn build_creative(
        &self,
        ctx: &Ctx,
        req: BuildCreativeRequest,
    ) -> impl Future<Output = Result<Asking<BuildCreativeResponse, BuildCreativeInputRequired>, AdcpError>> + Send;
}

/// Previews of creatives.
#[diagnostic::on_unimplemented(
    message = "`{Self}` renders no previews: `.preview_creative()` needs an `impl PreviewCreative for {Self}`"
)]
pub trait PreviewCreative: Send + Sync + 'static {
    /// Renders one creative, several, or a variant that was delivered.
    fn preview_creative(
        &self,
        ctx: &Ctx,
        req: PreviewCreativeRequest,
    ) -> impl Future<Output = Result<PreviewCreativeResponse, AdcpError>> + Send;
}

/// The ways an agent can build creatives, as a catalogue.
#[diagnostic::on_unimplemented(
    message = "`{Self}` lists no transformers: `.list_transformers()` needs an `impl ListTransformers for {Self}`"
)]
pub trait ListTransformers: Send + Sync + 'static {
    /// Lists transformers with their inputs, outputs and prices.
    fn list_transformers(
        &self,
        ctx: &Ctx,
        req: ListTransformersRequest,
    ) -> impl Future<Output = Result<ListTransformersResponse, AdcpError>> + Send;
}

/// A check of assets before anything is built.
#[diagnostic::on_unimplemented(
    message = "`{Self}` checks no input: `.validate_input()` needs an `impl ValidateInput for {Self}`"
)]
pub trait ValidateInput: Send + Sync + 'static {
    /// Checks a manifest against formats and names what does not fit.
    fn validate_input(
        &self,
        ctx: &Ctx,
        req: ValidateInputRequest,
    ) -> impl Future<Output = Result<ValidateInputResponse, AdcpError>> + Send;
}
