//! Proposals, kept by the SDK from the first draft to the media buy.

pub(crate) mod derive;
mod hold;
pub(crate) mod ledger;
mod money;
mod offer;
pub(crate) mod overlap;
pub(crate) mod refine;
mod terms;

pub(crate) use hold::while_held;
pub use offer::Offer;
pub use terms::{Finalizing, ProposalTerms};

use adcp_core::AdcpError;
use adcp_types::json::JsonObject;
use serde_json::Value;

use crate::incident::Incident;

/// A fault of the seller's own data: it goes to the log, and the buyer learns its id.
pub(crate) fn fault(what: &str) -> AdcpError {
    let incident = Incident::new();
    tracing::error!(correlation_id = incident.id(), what, "the adopter's proposals are not valid");
    incident.error()
}

/// A text member of an object.
pub(crate) fn text<'a>(object: &'a JsonObject, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// The objects in a list of an object.
pub(crate) fn objects<'a>(
    object: &'a JsonObject,
    name: &str,
) -> impl Iterator<Item = &'a JsonObject> + use<'a> {
    object.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}
