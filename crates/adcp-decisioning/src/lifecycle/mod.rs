//! State graphs as data, and the checks that follow from them: a library for sellers, used by nothing behind your back.
//!
//! Each kind of thing has one [`Lifecycle`]: its statuses, its transitions, who may drive them and when. From
//! the same tables come [`assert_transition`] with the error a buyer should get, the available actions of a
//! media buy, the check of an update against them, and the diagrams in `docs/lifecycles.md`.
//!
//! ```
//! use adcp_decisioning::lifecycle::{MEDIA_BUY, Revision, assert_transition};
//! use adcp_types::enums::MediaBuyStatus;
//!
//! let (status, revision) = (MediaBuyStatus::Canceled, Revision::new(3));
//! let again = assert_transition(&MEDIA_BUY, status.as_str(), "canceled").unwrap_err();
//! assert_eq!(again.code().as_str(), "NOT_CANCELLABLE");
//! let late = assert_transition(&MEDIA_BUY, status.as_str(), "active").unwrap_err();
//! assert_eq!(late.code().as_str(), "INVALID_STATE");
//! assert_eq!(revision.next_if(Some(2)).unwrap_err().code().as_str(), "CONFLICT");
//! ```
//!
//! An update is compared with what it changes: [`BuyState`] says where a media buy stands, and
//! [`BuyState::assert_update`] turns a request into [`Change`]s that are all allowed, or into one error.

mod account;
mod action;
mod audience;
mod buy;
mod catalog_item;
mod change;
mod creative;
mod graph;
mod media_buy;
mod proposal;
mod revision;
mod session;

pub use account::ACCOUNT;
pub use action::{available_actions, candidates, valid_actions};
pub use audience::AUDIENCE;
pub use buy::{BuyState, PackageState};
pub use catalog_item::CATALOG_ITEM;
pub use change::Change;
pub use creative::{CREATIVE, assert_assignable};
pub use graph::{Actor, Edge, Lifecycle, State, assert_open, assert_transition, assert_transition_by};
pub use media_buy::{MEDIA_BUY, PACKAGE};
pub use proposal::PROPOSAL;
pub use revision::Revision;
pub use session::SI_SESSION;

/// Every lifecycle there is.
#[must_use]
pub fn all() -> [&'static Lifecycle; 8] {
    [&MEDIA_BUY, &PACKAGE, &CREATIVE, &ACCOUNT, &PROPOSAL, &AUDIENCE, &CATALOG_ITEM, &SI_SESSION]
}
