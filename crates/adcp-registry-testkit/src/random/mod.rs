//! Random sequences: the store and a small model of it take the same steps and must agree after each.

mod cases;
mod claims;
mod ledger;
mod purchase;
mod task;
mod task_model;

pub use cases::Cases;
pub use claims::{claim_storms_have_one_first, claim_storms_have_one_first_in};
pub use ledger::{random_ledgers_agree_with_a_model, random_ledgers_agree_with_a_model_in};
pub use purchase::{
    concurrent_purchases_keep_the_ledger_whole, concurrent_purchases_keep_the_ledger_whole_in,
};
pub use task::{random_tasks_agree_with_a_model, random_tasks_agree_with_a_model_in};
