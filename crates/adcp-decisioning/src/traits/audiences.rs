//! Audiences that buyers bring.

use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::media_buy::{SyncAudiencesRequest, SyncAudiencesSuccess};

use crate::ctx::Ctx;
use crate::decision::Decision;

/// What a seller decides who takes buyers' audiences.
#[diagnostic::on_unimplemented(
    message = "`{Self}` takes no audiences: `.audiences()` needs an `impl Audiences for {Self}`"
)]
pub trait Audiences: Send + Sync + 'static {
    /// Adds, changes and removes audiences and their members; without audiences it reads them.
    fn sync_audiences(
        &self,
        ctx: &Ctx,
        req: SyncAudiencesRequest,
    ) -> impl Future<Output = Result<Decision<SyncAudiencesSuccess>, AdcpError>> + Send;
}
