//! What a refinement asks for.

use crate::media_buy::GetProductsRequest;
use crate::media_buy::get_products_request::{Refine, RefineProposalAction};

impl GetProductsRequest {
    /// The proposals that the buyer wants made firm.
    ///
    /// Spec: `media-buy/get-products-request.json`, `refine`.
    pub fn finalizes(&self) -> impl Iterator<Item = &str> {
        self.refine.iter().flatten().filter_map(|entry| match entry {
            Refine::Proposal(entry) if entry.action == Some(RefineProposalAction::Finalize) => {
                Some(entry.proposal_id.as_str())
            }
            _ => None,
        })
    }
}
