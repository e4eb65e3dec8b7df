//! One HTTP POST per message.

use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::answer;
use super::{Auth, ClientError};

/// The largest answer that is read, in bytes.
const MAX_BYTES: usize = 2 * 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where messages go and what goes with each.
pub(super) struct Post {
    http: HttpClient<HttpConnector, Full<Bytes>>,
    uri: Uri,
    address: String,
    headers: http::HeaderMap,
    timeout: Duration,
}

impl Post {
    pub(super) fn new(url: &str, auth: &Auth) -> Result<Self, ClientError> {
        let wrong = |reason: &str| ClientError::Url { url: url.to_owned(), reason: reason.to_owned() };
        let uri: Uri = url.parse().map_err(|_| wrong("is not a web address"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(wrong("needs TLS, which this client does not speak")),
            _ => return Err(wrong("must begin with http://")),
        }
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("must not hold a credential"));
        }
        let address = authority.to_string();
        let mut headers = http::HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        if let Some((name, value)) = auth.header() {
            let mut value = HeaderValue::from_str(value).map_err(|_| ClientError::Credential)?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let http = HttpClient::builder(TokioExecutor::new()).build(connector);
        Ok(Self { http, uri, address, headers, timeout: Duration::from_secs(60) })
    }

    pub(super) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// From now on names the agreed protocol version, and the session if the server keeps one.
    pub(super) fn agree(&mut self, version: &str, session: Option<String>) {
        if let Ok(version) = HeaderValue::from_str(version) {
            self.headers.insert("mcp-protocol-version", version);
        }
        if let Some(session) = session.and_then(|session| HeaderValue::from_str(&session).ok()) {
            self.headers.insert("mcp-session-id", session);
        }
    }

    /// Sends a request and waits for its result; also gives the session id that came with it.
    pub(super) async fn request(
        &self,
        id: i64,
        method: &str,
        message: &Value,
    ) -> Result<(Value, Option<String>), ClientError> {
        let late = |_| ClientError::Timeout { method: method.to_owned(), after: self.timeout };
        let exchange = async {
            let response = self.send(message).await?;
            let session = response.headers().get("mcp-session-id");
            let session = session.and_then(|session| session.to_str().ok()).map(str::to_owned);
            let status = response.status().as_u16();
            let message = self.read(response, id, method).await?;
            Ok((answer::result(status, message)?, session))
        };
        tokio::time::timeout(self.timeout, exchange).await.map_err(late)?
    }

    /// Sends a notification; what the server thinks of it does not matter.
    pub(super) async fn notify(&self, message: &Value) -> Result<(), ClientError> {
        let late = |_| ClientError::Timeout { method: "notification".to_owned(), after: self.timeout };
        let sent = async {
            let response = self.send(message).await?;
            drop(response.into_body().collect().await);
            Ok(())
        };
        tokio::time::timeout(self.timeout, sent).await.map_err(late)?
    }

    async fn send(&self, message: &Value) -> Result<Response<Incoming>, ClientError> {
        let mut request =
            Request::post(self.uri.clone()).body(Full::new(Bytes::from(message.to_string()))).map_err(
                |_| ClientError::Url { url: self.uri.to_string(), reason: "cannot be requested".to_owned() },
            )?;
        *request.headers_mut() = self.headers.clone();
        self.http.request(request).await.map_err(|error| self.unreachable(error))
    }

    /// Reads the message that answers `id` from the body, JSON or events.
    async fn read(&self, response: Response<Incoming>, id: i64, method: &str) -> Result<Value, ClientError> {
        let status = response.status();
        let kind =
            response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let events = kind.starts_with("text/event-stream");
        let mut body = response.into_body();
        let mut text = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|error| self.unreachable(error))?.into_data() else { continue };
            if text.len() + data.len() > MAX_BYTES {
                return Err(ClientError::TooLarge { method: method.to_owned(), limit: MAX_BYTES });
            }
            text.extend_from_slice(&data);
            // A stream may stay open after the answer; an event ends with an empty line.
            if events
                && data.iter().any(|byte| matches!(byte, b'\n' | b'\r'))
                && let Some(message) = answer::in_events(&String::from_utf8_lossy(&text), id)
            {
                return Ok(message);
            }
        }
        if events {
            return Err(ClientError::Protocol {
                reason: "the event stream ended without the answer".to_owned(),
            });
        }
        match serde_json::from_slice(&text) {
            Ok(message @ Value::Object(_)) if status.is_success() || has_error(&message) => Ok(message),
            Err(error) if status.is_success() => {
                Err(ClientError::Protocol { reason: format!("the answer is not JSON: {error}") })
            }
            _ => Err(ClientError::Status {
                status: status.as_u16(),
                text: answer::excerpt(&String::from_utf8_lossy(&text)),
            }),
        }
    }

    fn unreachable(&self, error: impl std::error::Error + Send + Sync + 'static) -> ClientError {
        ClientError::Unreachable { address: self.address.clone(), source: Box::new(error) }
    }
}

fn has_error(message: &Value) -> bool {
    message.get("error").is_some_and(Value::is_object)
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("uri", &self.uri).field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
