//! Owns the bytes in front of rmcp: routes, limits, parsing, authentication, the text of the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adcp_core::json;
use adcp_decisioning::{Agent, Call};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, request};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::Value;

use crate::McpConfig;
use crate::auth::authenticate;
use crate::discovery::{self, Published};
use crate::error::McpError;
use crate::exchange::Exchange;
use crate::gate::Gate;
use crate::handler::Handler;
use crate::message::{self, Message, ToolCall};
use crate::routes::Routes;
use crate::rpc::{
    Answer, Fault, INTERNAL_ERROR, INVALID_REQUEST, PARSE_ERROR, accepted, answer, method_not_allowed, plain,
};

/// What rmcp wants to read in `Accept`; ours is always one JSON document, so the client's header is moot.
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

/// Answers HTTP requests for one agent.
pub(crate) struct Front {
    agent: Agent,
    gate: Gate,
    limits: json::Limits,
    body_timeout: Duration,
    rmcp: StreamableHttpService<Handler, NeverSessionManager>,
    published: Published,
    routes: Routes,
    leaving: AtomicBool,
}

/// A body that could not be read.
type Unread = (StatusCode, String);

impl Front {
    pub(crate) fn new(agent: Agent, config: &mut McpConfig) -> Result<Self, McpError> {
        let published = match &config.published_keys {
            Some(keys) => keys
                .publish(config)
                .map_err(|reason| McpError::Setting { setting: "published_keys", reason })?,
            None => Published::default(),
        };
        let handler = Handler::new(agent.clone(), &config.name);
        let limits = *agent.limits();
        let rmcp_config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .with_max_request_body_bytes(limits.max_bytes)
            .disable_allowed_hosts();
        let sessions = Arc::new(NeverSessionManager::default());
        Ok(Self {
            gate: Gate::new(config)?,
            limits,
            body_timeout: config.body_timeout,
            rmcp: StreamableHttpService::new(move || Ok(handler.clone()), sessions, rmcp_config),
            published,
            routes: std::mem::take(&mut config.routes),
            leaving: AtomicBool::new(false),
            agent,
        })
    }

    /// From now on `/healthz` says that the server is leaving.
    pub(crate) fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// Answers one request; never fails, whatever it is.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Answer {
        if let Some(document) = self.published.at(request.uri().path()) {
            return match self.gate.check_host(request.headers()) {
                Ok(()) => discovery::answer_with(document, request.method()),
                Err(reason) => plain(StatusCode::FORBIDDEN, &reason),
            };
        }
        match (request.uri().path(), request.method()) {
            ("/healthz", &Method::GET | &Method::HEAD) => self.health(),
            ("/healthz", _) => method_not_allowed("GET"),
            ("/mcp" | "/mcp/" | "/", &Method::POST) => {
                self.post(request).await.unwrap_or_else(|refusal| *refusal)
            }
            ("/mcp" | "/mcp/" | "/", _) => method_not_allowed("POST"),
            (path, _) if self.routes.cover(path) => {
                self.mounted(request).await.unwrap_or_else(|refusal| *refusal)
            }
            _ => plain(StatusCode::NOT_FOUND, "nothing is served here; the agent is at /mcp"),
        }
    }

    fn health(&self) -> Answer {
        let (status, text) = if self.leaving.load(Ordering::Relaxed) {
            (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"stopping"}"#)
        } else if self.agent.health().ok {
            (StatusCode::OK, r#"{"status":"ok"}"#)
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"unhealthy"}"#)
        };
        answer(status, Bytes::from_static(text.as_bytes()))
    }

    async fn post(&self, request: Request<Incoming>) -> Result<Answer, Box<Answer>> {
        self.gate.check(request.headers()).map_err(|reason| plain(StatusCode::FORBIDDEN, &reason))?;
        check_content_type(request.headers())?;
        let (parts, body) = request.into_parts();
        let body = self.read_body(&parts.headers, body).await.map_err(|(status, reason)| {
            Fault::unreadable(INVALID_REQUEST, reason).with_status(status).answer()
        })?;
        let value = json::parse(&body, &self.limits)
            .map_err(|fault| Fault::unreadable(PARSE_ERROR, fault.to_string()).answer())?;
        match message::read(value).map_err(Fault::answer)? {
            Message::Call(call) => self.call(parts, call).await,
            Message::Other { id } => Ok(self.pass(parts, body, &id, Exchange::default()).await),
        }
    }

    async fn call(&self, parts: request::Parts, call: ToolCall) -> Result<Answer, Box<Answer>> {
        let ToolCall { id, name, arguments, envelope } = call;
        let caller = authenticate(&self.agent, &parts.headers, &name, &id).await?;
        let mut call = Call::new(name, arguments);
        if let Some(caller) = caller {
            call = call.by(caller);
        }
        Ok(self.pass(parts, envelope, &id, Exchange::carrying(call)).await)
    }

    /// Lets a mounted service answer.
    async fn mounted(&self, request: Request<Incoming>) -> Result<Answer, Box<Answer>> {
        self.gate.check(request.headers()).map_err(|reason| plain(StatusCode::FORBIDDEN, &reason))?;
        let (parts, body) = request.into_parts();
        let body = self.read_body(&parts.headers, body).await;
        let body = body.map_err(|(status, reason)| plain(status, &reason))?;
        Ok(self.routes.answer(Request::from_parts(parts, body)).await)
    }

    /// Lets rmcp answer `body`, and completes its answer.
    async fn pass(&self, mut parts: request::Parts, body: Bytes, id: &Value, exchange: Exchange) -> Answer {
        parts.headers.insert(ACCEPT, BOTH);
        // Our gate has seen the real one.
        parts.headers.insert(HOST, HeaderValue::from_static("localhost"));
        parts.extensions.insert(exchange.clone());
        let answered = self.rmcp.handle(Request::from_parts(parts, Full::new(body))).await;
        let (head, body) = answered.into_parts();
        let Ok(body) = body.collect().await;
        let body = body.to_bytes();
        let is_json = head.headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
        if head.status == StatusCode::ACCEPTED {
            return accepted();
        }
        if !is_json {
            let text = String::from_utf8_lossy(&body);
            let code = if head.status.is_client_error() { INVALID_REQUEST } else { INTERNAL_ERROR };
            return Fault::reply(id, code, text).with_status(head.status).answer();
        }
        match exchange.complete(body) {
            Some(body) => answer(head.status, body),
            None => Fault::reply(id, INTERNAL_ERROR, "the result could not be written").answer(),
        }
    }

    async fn read_body(&self, headers: &HeaderMap, body: Incoming) -> Result<Bytes, Unread> {
        let max = self.limits.max_bytes;
        let too_large = || (StatusCode::PAYLOAD_TOO_LARGE, format!("the message is larger than {max} bytes"));
        let announced =
            headers.get(CONTENT_LENGTH).and_then(|n| n.to_str().ok()).and_then(|n| n.parse().ok());
        if announced.is_some_and(|n: usize| n > max) {
            return Err(too_large());
        }
        match tokio::time::timeout(self.body_timeout, Limited::new(body, max).collect()).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
            Ok(Err(_)) => Err((StatusCode::BAD_REQUEST, "the message broke off before its end".to_owned())),
            Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the message took too long to arrive".to_owned())),
        }
    }
}

/// Only `application/json`: a page elsewhere cannot send that without the browser asking us first.
fn check_content_type(headers: &HeaderMap) -> Result<(), Box<Answer>> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let reason = "the Content-Type header must be application/json";
    Err(Box::new(plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason)))
}
