//! Between the wire and the ad server: each module turns one kind of thing one way or the other.

pub(crate) mod account;
pub(crate) mod amount;
pub(crate) mod booking;
pub(crate) mod capability;
pub(crate) mod creative;
pub(crate) mod delivery;
pub(crate) mod discovery;
pub(crate) mod error;
pub(crate) mod format;
pub(crate) mod note;
pub(crate) mod order;
pub(crate) mod page;
pub(crate) mod shelf;

pub(crate) use shelf::Shelf;
