//! Internal causes: logged once, under an id that the buyer can quote.

use std::error::Error;

use adcp_core::{AdcpError, hex, random_bytes};

/// Logs an internal cause and returns what a buyer may know of it: that it happened, and its id.
///
/// The log entry holds `doing`, the whole chain of causes and a fresh `correlation_id`. The error holds
/// generic words and the same id in its details, so that an operator finds the entry a buyer asks about.
/// Call it once, where the cause is turned into an answer. It counts as `SERVICE_UNAVAILABLE`; override that
/// with [`AdcpError::with_recovery`] when sending the request again cannot help.
///
/// ```
/// use adcp_decisioning::internal_error;
///
/// let cause = std::io::Error::other("connection to db-7.internal refused");
/// let error = internal_error("booking an order", &cause);
/// assert!(error.details().is_some_and(|details| details.contains_key("correlation_id")));
/// assert!(!format!("{:?}", error.to_json()).contains("db-7"));
/// ```
#[must_use]
pub fn internal_error(doing: &str, cause: &(dyn Error + 'static)) -> AdcpError {
    let incident = Incident::new();
    tracing::error!(correlation_id = incident.id(), doing, error = cause, "an internal error");
    incident.error()
}

/// Something that went wrong here, to be logged under one id.
pub(crate) struct Incident(Option<String>);

impl Incident {
    /// An incident with a fresh id. Without randomness it has none, and everything else goes on.
    pub(crate) fn new() -> Self {
        Self(random_bytes::<8>().ok().map(|bytes| hex(&bytes)))
    }

    /// The id, for the log.
    pub(crate) fn id(&self) -> &str {
        self.0.as_deref().unwrap_or("none")
    }

    /// What a buyer sees of it.
    pub(crate) fn error(&self) -> AdcpError {
        let error = AdcpError::unavailable();
        match &self.0 {
            Some(id) => error
                .with_suggestion("send the same request again later; quote the correlation id to the seller")
                .with_detail("correlation_id", id.as_str()),
            None => error,
        }
    }
}
