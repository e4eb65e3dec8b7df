//! What a method may ask about the proposals that its call is about.

use adcp_core::{AdcpError, ProposalRecord, RecipeKind};

use crate::ctx::Ctx;
use crate::incident::internal_error;

impl Ctx {
    /// The proposals that the call is about, as the ledger keeps them.
    ///
    /// In `get_products` those that a refinement names, in `create_media_buy` the one that is bought, in
    /// `update_media_buy` and `get_media_buy_delivery` those that bought the named orders. Empty for sellers
    /// without [`AgentBuilder::proposals`](crate::AgentBuilder::proposals).
    #[must_use]
    pub fn proposals(&self) -> &[ProposalRecord] {
        &self.proposals
    }

    /// One of [`Self::proposals`], by its id.
    #[must_use]
    pub fn proposal(&self, proposal_id: &str) -> Option<&ProposalRecord> {
        self.proposals.iter().find(|proposal| proposal.key.id.as_str() == proposal_id)
    }

    /// The seller's own execution data of a product, from the first of [`Self::proposals`] that has it.
    ///
    /// A method that hands off reads it before, and moves it into the task.
    ///
    /// # Errors
    ///
    /// `SERVICE_UNAVAILABLE`, and a line in the log, when what is kept is of another kind or shape.
    pub fn recipe<R: RecipeKind>(&self, product_id: &str) -> Result<Option<R>, AdcpError> {
        let kept = self.proposals.iter().find_map(|proposal| proposal.recipes.get(product_id));
        kept.map(|recipe| recipe.read().map_err(|error| internal_error("reading a recipe", &error)))
            .transpose()
    }
}
