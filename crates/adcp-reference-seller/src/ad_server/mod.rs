//! An ad server in the process: what the seller sells from.
//!
//! Knows nothing of AdCP. Money is [`rust_decimal::Decimal`], time is a [`jiff::Timestamp`] handed in by the caller.
//! State belongs to a [`Buyer`] and, inside it, to an account: nothing here can reach across.

mod account;
mod booking;
mod catalog;
mod change;
mod creative;
mod delivery;
mod flight;
mod money;
mod order;
mod refusal;
mod search;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use account::{Account, AccountKey, AccountState, Billing, NewAccount, Opened, Setup};
pub(crate) use booking::{NewLine, NewOrder};
pub(crate) use catalog::{
    AssetSlot, Catalog, CatalogFault, Exclusivity, Format, Price, PriceModel, Product, Properties, Terms,
};
pub(crate) use change::{Change, Changed, LineChange};
pub(crate) use creative::{Creative, CreativeDraft, CreativeState, CreativeSync, SyncAction, SyncOutcome};
pub(crate) use delivery::{Pacing, Tally};
pub(crate) use flight::Flight;
pub(crate) use money::{Currency, round_down};
pub(crate) use order::{Assignment, Cancellation, Event, Line, Order, Status};
pub(crate) use refusal::{Reason, Refusal};
pub(crate) use search::{Found, Query, Range};
pub(crate) use store::{AdServer, Bounds, Buyer, Feedback, Placed};

/// JSON the ad server keeps with an object and never reads.
pub(crate) type Note = serde_json::Map<String, serde_json::Value>;
