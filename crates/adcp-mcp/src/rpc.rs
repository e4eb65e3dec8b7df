//! JSON-RPC errors and the HTTP answers that carry them.

use adcp_core::AdcpError;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

/// The only body type of the server: whole, with a known length.
pub(crate) type Answer = Response<Full<Bytes>>;

pub(crate) const PARSE_ERROR: i64 = -32700;
pub(crate) const INVALID_REQUEST: i64 = -32600;
pub(crate) const INVALID_PARAMS: i64 = -32602;
pub(crate) const INTERNAL_ERROR: i64 = -32603;
/// Reserved by AdCP: refused before dispatch for want of a good credential.
pub(crate) const UNAUTHENTICATED: i64 = -32028;
/// Reserved by AdCP: refused before dispatch because the agent cannot serve now.
pub(crate) const UNAVAILABLE: i64 = -32027;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A message that goes no further, as the caller will see it.
#[derive(Debug, PartialEq)]
pub(crate) struct Fault {
    status: StatusCode,
    id: Value,
    code: i64,
    message: String,
    data: Option<Value>,
}

impl Fault {
    /// A message that cannot be answered under an id: HTTP 400.
    pub(crate) fn unreadable(code: i64, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, id: Value::Null, code, message: message.into(), data: None }
    }

    /// An error in answer to the request `id`: HTTP 200, as JSON-RPC over HTTP has it.
    pub(crate) fn reply(id: &Value, code: i64, message: impl Into<String>) -> Self {
        Self { status: StatusCode::OK, id: id.clone(), code, message: message.into(), data: None }
    }

    /// The AdCP error `error` in answer to `id`, before any tool ran.
    pub(crate) fn adcp(status: StatusCode, id: &Value, code: i64, error: &AdcpError) -> Self {
        let data = json!({ "adcp_error": error.to_json() });
        Self { status, id: id.clone(), code, message: error.message().to_owned(), data: Some(data) }
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The HTTP answer.
    pub(crate) fn answer(self) -> Answer {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(data) = self.data {
            error["data"] = data;
        }
        let body = json!({ "jsonrpc": "2.0", "id": self.id, "error": error });
        answer(self.status, body.to_string().into())
    }
}

/// A JSON answer.
pub(crate) fn answer(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, JSON);
    answer
}

/// The answer to a notification: taken, nothing to say.
pub(crate) fn accepted() -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::ACCEPTED;
    answer
}

/// A JSON answer outside of JSON-RPC, for requests that are not messages.
pub(crate) fn plain(status: StatusCode, error: &str) -> Answer {
    answer(status, json!({ "error": error }).to_string().into())
}

/// The answer to a method that the path does not know.
pub(crate) fn method_not_allowed(allow: &'static str) -> Answer {
    let mut refusal = plain(
        StatusCode::METHOD_NOT_ALLOWED,
        &format!("this path answers {allow} only; there are no sessions and no event streams"),
    );
    refusal.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    refusal
}

/// Adds a header whose value is made of visible ASCII by construction.
pub(crate) fn with_header(mut answer: Answer, name: HeaderName, value: &str) -> Answer {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
    answer
}
