//! Catalogues that ads are made from.

use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::media_buy::{SyncCatalogsInputRequired, SyncCatalogsRequest, SyncCatalogsSuccess};

use crate::ctx::Ctx;
use crate::decision::Interactive;

/// What a seller decides who takes buyers' catalogues.
#[diagnostic::on_unimplemented(
    message = "`{Self}` takes no catalogues: `.catalogs()` needs an `impl Catalogs for {Self}`"
)]
pub trait Catalogs: Send + Sync + 'static {
    /// Adds, changes and removes catalogues; without catalogues it reads them.
    fn sync_catalogs(
        &self,
        ctx: &Ctx,
        req: SyncCatalogsRequest,
    ) -> impl Future<Output = Result<Interactive<SyncCatalogsSuccess, SyncCatalogsInputRequired>, AdcpError>> + Send;
}
