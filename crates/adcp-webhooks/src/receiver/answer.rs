//! What a sender is told.

use adcp_core::BoxError;
use adcp_signing::Rejection;
use serde_json::json;

use super::payload::BadPayload;

/// The answer to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Names and values of header fields.
    pub headers: Vec<(&'static str, String)>,
    /// The body: JSON.
    pub body: String,
}

impl Answer {
    fn new(status: u16, body: &serde_json::Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: body.to_string() }
    }

    fn error(status: u16, code: &str) -> Self {
        Self::new(status, &json!({ "error": code }))
    }

    /// The event is here, now or since an earlier delivery.
    pub(crate) fn received() -> Self {
        Self::new(200, &json!({ "received": true }))
    }

    /// Come again.
    pub(crate) fn busy() -> Self {
        Self::error(503, "not_now")
    }

    /// No webhook is expected there.
    #[cfg(feature = "tower")]
    pub(crate) fn nothing_there() -> Self {
        Self::error(404, "nothing_agreed")
    }

    /// Webhooks are posted.
    #[cfg(feature = "tower")]
    pub(crate) fn not_posted() -> Self {
        let mut answer = Self::error(405, "method_not_allowed");
        answer.headers.push(("allow", "POST".to_owned()));
        answer
    }

    #[cfg(feature = "tower")]
    pub(crate) fn too_large() -> Self {
        Refused::TooLarge.answer()
    }

    /// Spec: `core/webhook-challenge-response.json`.
    pub(crate) fn echo(challenge: &str) -> Self {
        Self::new(200, &json!({ "challenge": challenge }))
    }
}

/// Why a webhook is not worked on.
#[derive(Debug)]
pub(crate) enum Refused {
    TooLarge,
    ContentType,
    Rejected(Box<Rejection>),
    Unauthentic,
    NotJson,
    Payload(BadPayload),
    Token,
    Operation,
    InProgress,
    Conflict,
    Unavailable(BoxError),
}

impl Refused {
    pub(crate) fn rejected(rejection: Rejection) -> Self {
        Self::Rejected(Box::new(rejection))
    }

    pub(crate) fn answer(self) -> Answer {
        match self {
            Self::TooLarge => Answer::error(413, "too_large"),
            Self::ContentType => Answer::error(415, "content_type_invalid"),
            Self::Rejected(rejection) => {
                tracing::warn!(%rejection, "a webhook is not authentic");
                let mut answer = Answer::error(401, rejection.code());
                answer.headers.push(("www-authenticate", rejection.challenge()));
                answer
            }
            // What exactly is wrong with a shared secret is nobody's business.
            Self::Unauthentic => {
                tracing::warn!("a webhook is not authentic");
                Answer::error(401, "unauthorized")
            }
            Self::NotJson => Answer::error(400, "webhook_body_malformed"),
            Self::Payload(bad) => Answer::error(400, &bad.to_string()),
            Self::Token => {
                tracing::warn!("a webhook has not the token of its registration");
                Answer::error(403, "token_mismatch")
            }
            Self::Operation => {
                tracing::warn!("a webhook names another operation than its registration");
                Answer::error(403, "operation_id_mismatch")
            }
            Self::InProgress => {
                let mut answer = Answer::busy();
                answer.headers.push(("retry-after", "5".to_owned()));
                answer
            }
            Self::Conflict => Answer::error(409, "idempotency_conflict"),
            Self::Unavailable(error) => {
                tracing::warn!(error = &*error as &dyn std::error::Error, "a webhook could not be checked");
                Answer::busy()
            }
        }
    }
}
