//! A library of creatives.

use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::creative::{
    ListCreativesRequest, ListCreativesResponse, SyncCreativesInputRequired, SyncCreativesRequest,
    SyncCreativesSuccess,
};

use crate::ctx::Ctx;
use crate::decision::Interactive;

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
