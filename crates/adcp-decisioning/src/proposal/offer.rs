//! What a seller answers to `get_products`, with what stands behind it.

use adcp_core::{Backing, ProposalRecord, Recipe, Recipes, Timestamp};
use adcp_types::core::{Product, Proposal};
use adcp_types::enums::ProposalStatus;
use adcp_types::json::{FromJson, ToJson};
use adcp_types::media_buy::GetProductsResponse;
use adcp_types::media_buy::get_products_response::CacheScope;
use serde_json::Value;

use crate::decision::{Interactive, Makes};
use crate::hook::Made;

/// An answer of `get_products`, with what stands behind it and stays here.
///
/// A seller without anything to add never names this type: `Ok(response.into())` makes one, at once and in a handoff.
///
/// ```
/// use adcp_core::{BadRecipe, Recipe, RecipeKind};
/// use adcp_decisioning::Offer;
/// use adcp_types::media_buy::GetProductsResponse;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct LineItem { template: u64 }
/// impl RecipeKind for LineItem { const KIND: &'static str = "line_item"; }
///
/// fn offer(response: GetProductsResponse) -> Result<Offer, BadRecipe> {
///     Ok(Offer::new(response).with_recipe("ctv_sports", Recipe::new(&LineItem { template: 7 })?))
/// }
/// ```
///
/// It has no JSON form, so nothing in it but the response can be written into an answer:
///
/// ```compile_fail,E0277
/// fn leak(offer: &adcp_decisioning::Offer) -> serde_json::Value {
///     adcp_types::json::ToJson::to_json(offer)
/// }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Offer {
    /// What the buyer sees.
    pub response: GetProductsResponse,
    /// What the ledger keeps beside it.
    pub backing: Backing,
}

impl Offer {
    /// An answer with nothing behind it.
    #[must_use]
    pub fn new(response: GetProductsResponse) -> Self {
        Self { response, backing: Backing::default() }
    }

    /// The answer to a request that finalizes [`Ctx::proposals`](crate::Ctx::proposals): each as it was offered, and
    /// firm until then.
    ///
    /// For a seller whose prices stand as offered. One that prices anew, or needs an insertion order, changes the
    /// proposals of the response before it answers.
    #[must_use]
    pub fn committing(drafts: &[ProposalRecord], until: Timestamp) -> Self {
        let firm = |draft: &ProposalRecord| {
            // It was written from this type; what does not decode is missed in the answer, and logged there.
            let offered = Proposal::from_json(Value::Object(draft.payload.clone())).ok()?;
            Some(offered.with_proposal_status(ProposalStatus::Committed).with_expires_at(until.to_string()))
        };
        let proposals = drafts.iter().filter_map(firm).collect();
        let response = GetProductsResponse::new().with_products(Vec::new()).with_proposals(proposals);
        Self::new(response.with_cache_scope(CacheScope::Account))
    }

    /// Adds the execution data of one product, kept with every proposal that allocates to it.
    #[must_use]
    pub fn with_recipe(mut self, product_id: impl Into<String>, recipe: Recipe) -> Self {
        self.backing.recipes.insert(product_id.into(), recipe);
        self
    }

    /// Adds the execution data of several products.
    #[must_use]
    pub fn with_recipes(mut self, recipes: Recipes) -> Self {
        self.backing.recipes.extend(recipes);
        self
    }

    /// Adds products that the response shows in part or on another page, whole. Proposals are kept with these.
    #[must_use]
    pub fn with_whole_products(mut self, products: impl IntoIterator<Item = Product>) -> Self {
        for product in products {
            if let Value::Object(whole) = product.to_json() {
                self.backing.products.insert(product.product_id, whole);
            }
        }
        self
    }
}

impl From<GetProductsResponse> for Offer {
    fn from(response: GetProductsResponse) -> Self {
        Self::new(response)
    }
}

impl<P> From<GetProductsResponse> for Interactive<Offer, P> {
    fn from(response: GetProductsResponse) -> Self {
        Self::Done(response.into())
    }
}

impl Makes for Offer {
    fn made(&self) -> Made {
        let mut made = self.response.made();
        made.backing = self.backing.clone();
        made
    }
}
