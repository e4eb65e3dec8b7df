//! Documents and capabilities, fetched as verifiers fetch them: guarded, bounded, without a redirect.

use std::time::Duration;

use adcp_core::json::{self, Limits as JsonLimits};
use adcp_egress::{Egress, EgressError, Limits, Request, Response};
use adcp_types::json::JsonObject;
use serde_json::{Value, json};

/// The largest document that a verifier reads.
const MAX_BYTES: usize = 256 * 1024;
/// Capabilities may list much more.
const MAX_ANSWER: usize = 2 * 1024 * 1024;

/// Why there is no document.
#[derive(Debug)]
pub(super) enum Missing {
    /// Nobody may call the address.
    Refused(String),
    /// It did not answer, or with a failure.
    Unreachable(String),
    /// It answered something else.
    Malformed(String),
}

impl Missing {
    pub(super) fn words(&self) -> &str {
        match self {
            Self::Refused(words) | Self::Unreachable(words) | Self::Malformed(words) => words,
        }
    }
}

fn limits(bytes: usize) -> Limits {
    let (connect, total) = (Duration::from_secs(5), Duration::from_secs(10));
    Limits::new().with_connect(connect).with_total(total).with_body_bytes(bytes)
}

/// Reads a document, byte for byte.
pub(super) async fn document(egress: &Egress, url: &str) -> Result<Vec<u8>, Missing> {
    let request = Request::get(url).with_header("accept", "application/json");
    let response = send(egress, request, MAX_BYTES).await?;
    if let Some(to) = response.location() {
        return Err(Missing::Unreachable(format!("it redirects to {to}, which nobody follows")));
    }
    if !response.is_success() {
        return Err(Missing::Unreachable(format!("it answered with the status {}", response.status)));
    }
    Ok(response.body)
}

/// Reads JSON in which no object names a key twice.
pub(super) fn strict(bytes: &[u8]) -> Result<Value, Missing> {
    let limits = JsonLimits::new();
    json::parse(bytes, &limits).map_err(|error| Missing::Malformed(format!("it is no usable JSON: {error}")))
}

/// Asks an agent for its capabilities, over MCP and without a token. Most agents answer at once, others want to be greeted.
pub(super) async fn capabilities(egress: &Egress, url: &str) -> Result<JsonObject, Missing> {
    let first = ask(egress, url, &[]).await;
    let Err(Missing::Malformed(_)) = &first else { return first };
    let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": { "name": "adcp", "version": env!("CARGO_PKG_VERSION") },
    } });
    let greeted = post(egress, url, &hello, &[]).await?;
    let version =
        message(&greeted, 1)?.pointer("/result/protocolVersion").and_then(Value::as_str).map(str::to_owned);
    let mut headers = vec![("mcp-protocol-version", version.unwrap_or_else(|| "2025-06-18".to_owned()))];
    headers.extend(greeted.header("mcp-session-id").map(|session| ("mcp-session-id", session.to_owned())));
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    post(egress, url, &ready, &headers).await?;
    ask(egress, url, &headers).await
}

async fn ask(egress: &Egress, url: &str, headers: &[(&str, String)]) -> Result<JsonObject, Missing> {
    let call = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {
        "name": "get_adcp_capabilities", "arguments": {},
    } });
    let answered = post(egress, url, &call, headers).await?;
    let mut answer = message(&answered, 2)?;
    if let Some(error) = answer.get("error") {
        return Err(Missing::Malformed(format!("it refuses the call: {}", error["message"])));
    }
    let failed = answer["result"]["isError"] == true;
    if let Some(Value::Object(body)) = answer.pointer_mut("/result/structuredContent").map(Value::take)
        && !failed
    {
        return Ok(body);
    }
    let texts = answer.pointer("/result/content").and_then(Value::as_array).into_iter().flatten();
    let mut bodies = texts.filter_map(|block| serde_json::from_str(block.get("text")?.as_str()?).ok());
    match bodies.next().filter(|_| !failed) {
        Some(body) => Ok(body),
        None => Err(Missing::Malformed("it answers the call without capabilities".to_owned())),
    }
}

async fn post(
    egress: &Egress,
    url: &str,
    message: &Value,
    headers: &[(&str, String)],
) -> Result<Response, Missing> {
    let mut request = Request::post(url, message.to_string())
        .with_header("content-type", "application/json")
        .with_header("accept", "application/json, text/event-stream");
    for (name, value) in headers {
        request = request.with_header(*name, value);
    }
    send(egress, request, MAX_ANSWER).await
}

/// The message that answers a request, from JSON or from events.
fn message(response: &Response, id: i64) -> Result<Value, Missing> {
    let nothing =
        || Missing::Malformed(format!("it answered with the status {} and no MCP", response.status));
    let events = response.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
    let text = std::str::from_utf8(&response.body).map_err(|_| nothing())?;
    let mut messages: Box<dyn Iterator<Item = &str>> = if events {
        Box::new(text.lines().filter_map(|line| line.strip_prefix("data:")))
    } else {
        Box::new(std::iter::once(text))
    };
    let ours = |message: &Value| message["id"] == id || message["error"].is_object();
    messages.find_map(|text| serde_json::from_str(text).ok().filter(ours)).ok_or_else(nothing)
}

async fn send(egress: &Egress, request: Request, bytes: usize) -> Result<Response, Missing> {
    let response = egress.send(request, limits(bytes)).await.map_err(|error| match error {
        EgressError::Refused(refusal) => Missing::Refused(format!("it must not be called: {refusal}")),
        error => Missing::Unreachable(format!("{:#}", anyhow::Error::new(error))),
    })?;
    if response.truncated {
        return Err(Missing::Malformed(format!("it has more than {bytes} bytes")));
    }
    Ok(response)
}
