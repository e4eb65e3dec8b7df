//! The creative library.

use adcp_core::AdcpError;
use adcp_decisioning::{CreativeLibrary, Ctx, Interactive};
use adcp_types::core::AccountRef;
use adcp_types::creative::{
    ListCreativesRequest, ListCreativesResponse, SyncCreativesInputRequired, SyncCreativesRequest,
    SyncCreativesSuccess,
};

use crate::ad_server::Buyer;
use crate::map::amount::instant;
use crate::map::creative;
use crate::map::error::refused;
use crate::seller::ReferenceSeller;

impl CreativeLibrary for ReferenceSeller {
    async fn sync_creatives(
        &self,
        ctx: &Ctx,
        req: SyncCreativesRequest,
    ) -> Result<Interactive<SyncCreativesSuccess, SyncCreativesInputRequired>, AdcpError> {
        let (buyer, account) = (Self::buyer(ctx)?, ctx.account()?);
        let batch = creative::batch(&req, self.ads().catalog(), self.shelf())?;
        let outcomes =
            self.ads().sync_creatives(&buyer, account.id.as_str(), &batch.sync, instant(ctx.now()));
        let outcomes = outcomes.map_err(|reason| refused(&reason.into(), "creatives"))?;
        let mut response = SyncCreativesSuccess::new(batch.answers(outcomes));
        response.dry_run = req.dry_run.filter(|dry_run| *dry_run);
        response.sandbox = account.sandbox.then_some(true);
        Ok(response.into())
    }

    async fn list_creatives(
        &self,
        ctx: &Ctx,
        req: ListCreativesRequest,
    ) -> Result<ListCreativesResponse, AdcpError> {
        let (buyer, account) = (Self::buyer(ctx)?, ctx.account().ok());
        let rows = self.ads().creatives(&buyer, account.map(|account| account.id.as_str()));
        let wanted = req.filters.as_ref().and_then(|filters| filters.accounts.as_deref());
        let wanted = wanted.map(|references| self.known_accounts(&buyer, references));
        let mut response = creative::list(rows, wanted.as_deref(), self.shelf(), &req)?;
        response.sandbox = account.is_some_and(|account| account.sandbox).then_some(true);
        Ok(response)
    }
}

impl ReferenceSeller {
    /// Ids of those of the accounts that are open to the buyer.
    fn known_accounts(&self, buyer: &Buyer, references: &[AccountRef]) -> Vec<String> {
        references
            .iter()
            .filter_map(|reference| self.find_account(buyer, reference))
            .map(|one| one.id)
            .collect()
    }
}
