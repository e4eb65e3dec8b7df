//! Proposals: plans that a seller offers, and what the seller keeps behind them.

mod recipe;
mod record;
mod request;

pub use recipe::{BadRecipe, Overlap, Recipe, RecipeKind, Recipes};
pub use record::{ProposalKey, ProposalRecord, ProposalRefusal, ProposalState};
pub use request::{Backing, CommitProposal, Draft, Hold, ReserveProposal, Reserved};
