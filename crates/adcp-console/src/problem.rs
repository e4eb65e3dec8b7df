//! What is answered when something is not done: a problem with a code that does not change.

use std::time::Duration;

use adcp_core::{DeliveryState, RegistryError};
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::operator::{Access, Stranger};

/// After how long a store that does not answer may be asked again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why something is not done.
///
/// Spec: RFC 9457, section 3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    Unauthenticated(Stranger),
    ReadOnly { operator: String },
    NoSuchPath,
    Method { allow: &'static str },
    BadRequest { field: String, detail: String },
    TooLarge { limit: usize },
    UnknownTenant,
    UnknownDelivery,
    NotDead(DeliveryState),
    NoUrl,
    PastRetention,
    Unreadable,
    Unavailable,
    Internal,
}

impl Problem {
    pub(crate) fn field(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::BadRequest { field: field.into(), detail: detail.into() }
    }

    /// What a store did not do. The causes go to the log, and stay there.
    pub(crate) fn of_store(error: &RegistryError) -> Self {
        let chain = error as &dyn std::error::Error;
        match error {
            RegistryError::Unavailable { .. } | RegistryError::Full { .. } => {
                tracing::warn!(error = chain, "the registry did not answer an operator");
                Self::Unavailable
            }
            RegistryError::Corrupt { .. } => {
                tracing::error!(error = chain, "the registry holds something unreadable");
                Self::Unreadable
            }
            _ => {
                tracing::error!(error = chain, "the registry refused an operator's request");
                Self::Internal
            }
        }
    }

    const fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            Self::ReadOnly { .. } => (StatusCode::FORBIDDEN, "insufficient_scope"),
            Self::NoSuchPath => (StatusCode::NOT_FOUND, "not_found"),
            Self::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::BadRequest { .. } => (StatusCode::BAD_REQUEST, "bad_request"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::UnknownTenant => (StatusCode::NOT_FOUND, "unknown_tenant"),
            Self::UnknownDelivery => (StatusCode::NOT_FOUND, "unknown_delivery"),
            Self::NotDead(_) => (StatusCode::CONFLICT, "not_dead"),
            Self::NoUrl => (StatusCode::UNPROCESSABLE_ENTITY, "no_url"),
            Self::PastRetention => (StatusCode::GONE, "past_retention"),
            Self::Unreadable => (StatusCode::INTERNAL_SERVER_ERROR, "unreadable"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Unauthenticated(Stranger::NoToken) => {
                "send the token of an operator: Authorization: Bearer TOKEN".to_owned()
            }
            Self::Unauthenticated(Stranger::WrongToken) => "this token is no operator's".to_owned(),
            Self::ReadOnly { operator } => {
                format!("the token of `{operator}` may only read; this needs one with the scope `write`")
            }
            Self::NoSuchPath => "nothing is served here; begin at /admin/deliveries".to_owned(),
            Self::Method { allow } => format!("this path answers {allow} only"),
            Self::BadRequest { field, detail } => format!("`{field}` {detail}"),
            Self::TooLarge { limit } => format!("the body is larger than {limit} bytes"),
            Self::UnknownTenant => "this operator has no such tenant".to_owned(),
            Self::UnknownDelivery => "this tenant has no delivery of this id".to_owned(),
            Self::NotDead(state) => {
                let why = match state {
                    DeliveryState::Delivered => "its receiver has it",
                    DeliveryState::Pending | DeliveryState::Sending | DeliveryState::Waiting => {
                        "it is being delivered"
                    }
                    DeliveryState::Dead => "it was given up meanwhile; ask again",
                };
                format!("only a dead letter is sent again; this is `{}`: {why}", state.as_str())
            }
            Self::NoUrl => "its url leads nowhere, and sending it again would not either".to_owned(),
            Self::PastRetention => "its body was forgotten, so that the same event cannot be sent".to_owned(),
            Self::Unreadable => "the registry cannot read it; `adcp doctor` says more".to_owned(),
            Self::Unavailable => "the registry does not answer; the same may succeed later".to_owned(),
            Self::Internal => "it could not be done; the log says why".to_owned(),
        }
    }

    fn body(&self) -> Value {
        let (status, code) = self.status_and_code();
        let title = status.canonical_reason();
        let mut body =
            json!({ "code": code, "status": status.as_u16(), "title": title, "detail": self.detail() });
        match self {
            Self::ReadOnly { .. } => body["scope"] = Access::Write.as_str().into(),
            Self::BadRequest { field, .. } => body["field"] = field.as_str().into(),
            Self::NotDead(state) => body["state"] = state.as_str().into(),
            _ => {}
        }
        body
    }

    pub(crate) fn answer(&self) -> Response<Bytes> {
        let status = self.status_and_code().0;
        let mut answer = json_answer(status, "application/problem+json", &self.body());
        let headers = answer.headers_mut();
        match self {
            Self::Unauthenticated(stranger) => {
                let challenge = match stranger {
                    Stranger::NoToken => "Bearer realm=\"operators\"",
                    Stranger::WrongToken => "Bearer realm=\"operators\", error=\"invalid_token\"",
                };
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            Self::ReadOnly { .. } => {
                let challenge = "Bearer realm=\"operators\", error=\"insufficient_scope\", scope=\"write\"";
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            Self::Method { allow } => {
                headers.insert(ALLOW, HeaderValue::from_static(allow));
            }
            Self::Unavailable => {
                headers.insert(RETRY_AFTER, HeaderValue::from(PATIENCE.as_secs()));
            }
            _ => {}
        }
        answer
    }
}

/// An answer that nobody keeps.
pub(crate) fn json_answer(status: StatusCode, kind: &'static str, body: &Value) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from(body.to_string()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
