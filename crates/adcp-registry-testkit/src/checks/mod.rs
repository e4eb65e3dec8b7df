//! The checks. Each is named for a promise, and panics when it is broken.

mod calls;
mod dead;
mod delivery;
mod delivery_race;
mod documents;
mod draft;
mod ending;
mod events;
mod fault;
mod hold;
mod job;
mod kept;
mod lanes;
mod lease;
mod list;
mod phase;
mod purchase;
mod race;
mod retention;
mod scope;

pub use crate::random::{
    claim_storms_have_one_first, claim_storms_have_one_first_in, concurrent_purchases_keep_the_ledger_whole,
    concurrent_purchases_keep_the_ledger_whole_in, random_ledgers_agree_with_a_model,
    random_ledgers_agree_with_a_model_in, random_tasks_agree_with_a_model,
    random_tasks_agree_with_a_model_in,
};
pub use calls::*;
pub use dead::*;
pub use delivery::*;
pub use delivery_race::*;
pub use documents::*;
pub use draft::*;
pub use ending::*;
pub use events::*;
pub use fault::*;
pub use hold::*;
pub use job::*;
pub use kept::*;
pub use lanes::*;
pub use lease::*;
pub use list::*;
pub use phase::*;
pub use purchase::*;
pub use race::*;
pub use retention::*;
pub use scope::*;
