//! A small MCP client, enough for tools and tests: plain HTTP, one JSON-RPC message per POST.
//!
//! It speaks to servers with and without sessions, and reads JSON and event-stream answers.
//!
//! ```no_run
//! use adcp_mcp::client::{Auth, Client};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let agent = Client::connect("http://127.0.0.1:3000/mcp", Auth::bearer("my-token")).await?;
//! let reply = agent.call("get_adcp_capabilities", Default::default()).await?;
//! assert!(!reply.failed, "{:?}", reply.body);
//! # Ok(())
//! # }
//! ```

mod answer;
mod error;
mod http;

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use adcp_types::json::JsonObject;
use serde_json::{Value, json};

pub use error::ClientError;

use self::http::Post;

/// The newest protocol version whose servers can still be greeted with `initialize`.
const PROTOCOL: &str = "2025-11-25";
/// Pages of `tools/list` to follow before giving up on a server that never ends.
const MAX_PAGES: usize = 64;

/// What a client shows to be let in.
#[derive(Clone)]
pub struct Auth(Kind);

#[derive(Clone)]
enum Kind {
    None,
    Authorization(String),
    ApiKey(String),
}

impl Auth {
    /// No credential: enough for `get_adcp_capabilities` and the list of tools.
    #[must_use]
    pub fn none() -> Self {
        Self(Kind::None)
    }

    /// A bearer token.
    #[must_use]
    pub fn bearer(token: impl fmt::Display) -> Self {
        Self(Kind::Authorization(format!("Bearer {token}")))
    }

    /// A key in the `x-adcp-auth` header, for servers that read it there.
    #[must_use]
    pub fn api_key(key: impl Into<String>) -> Self {
        Self(Kind::ApiKey(key.into()))
    }

    /// The header to send, if any.
    fn header(&self) -> Option<(&'static str, &str)> {
        match &self.0 {
            Kind::None => None,
            Kind::Authorization(value) => Some(("authorization", value)),
            Kind::ApiKey(key) => Some(("x-adcp-auth", key)),
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auth(..)")
    }
}

/// A greeted agent.
#[derive(Debug)]
pub struct Client {
    post: Post,
    server: String,
    next_id: AtomicI64,
}

/// What a tool said.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CallReply {
    /// The whole AdCP message, envelope included.
    pub body: JsonObject,
    /// Whether the tool failed; `body` then holds `adcp_error` or `errors`.
    pub failed: bool,
}

/// A tool the agent offers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ToolInfo {
    /// The AdCP task name.
    pub name: String,
    /// The agent's description, for people and language models.
    pub description: String,
    /// The JSON Schema of its arguments.
    pub input_schema: JsonObject,
    /// Whether the agent says that the tool changes nothing.
    pub read_only: bool,
}

impl Client {
    /// Greets the agent at `url`, such as `http://127.0.0.1:3000/mcp`.
    ///
    /// A call may take 60 seconds and answer 2 MiB; see [`with_timeout`](Self::with_timeout).
    ///
    /// # Errors
    ///
    /// Any [`ClientError`]; each says what to check.
    pub async fn connect(url: &str, auth: Auth) -> Result<Self, ClientError> {
        let post = Post::new(url, &auth)?;
        let mut client = Self { post, server: String::new(), next_id: AtomicI64::new(1) };
        let greeting = json!({
            "protocolVersion": PROTOCOL,
            "capabilities": {},
            "clientInfo": { "name": "adcp-mcp", "version": env!("CARGO_PKG_VERSION") },
        });
        let (result, session) = client.exchange("initialize", greeting).await?;
        let agreed = result.get("protocolVersion").and_then(Value::as_str).unwrap_or(PROTOCOL);
        client.post.agree(agreed, session);
        let about = |field| result.pointer(field).and_then(Value::as_str).unwrap_or("unnamed");
        client.server = format!("{} {}", about("/serverInfo/name"), about("/serverInfo/version"));
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        client.post.notify(&ready).await?;
        Ok(client)
    }

    /// Sets how long one call may take.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.post.set_timeout(timeout);
        self
    }

    /// The server's own name and version.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The tools the agent lists.
    ///
    /// # Errors
    ///
    /// Any [`ClientError`].
    pub async fn tools(&self) -> Result<Vec<ToolInfo>, ClientError> {
        let mut tools = Vec::new();
        let mut params = json!({});
        for _ in 0..MAX_PAGES {
            let (result, _) = self.exchange("tools/list", params).await?;
            let page = result.get("tools").and_then(Value::as_array);
            let page =
                page.ok_or(ClientError::Protocol { reason: "`tools/list` gave no `tools`".to_owned() })?;
            tools.extend(page.iter().map(ToolInfo::read));
            match result.get("nextCursor").and_then(Value::as_str) {
                Some(cursor) => params = json!({ "cursor": cursor }),
                None => return Ok(tools),
            }
        }
        Err(ClientError::Protocol { reason: format!("`tools/list` has more than {MAX_PAGES} pages") })
    }

    /// Calls `tool`. A failed tool is a reply too; an error means that there is no reply.
    ///
    /// # Errors
    ///
    /// Any [`ClientError`]. After [`Timeout`](ClientError::Timeout) or
    /// [`Unreachable`](ClientError::Unreachable) the call may or may not have happened.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may still happen at the agent: send its `idempotency_key` again to find out.
    pub async fn call(&self, tool: &str, arguments: JsonObject) -> Result<CallReply, ClientError> {
        let params = json!({ "name": tool, "arguments": arguments });
        let (result, _) = self.exchange("tools/call", params).await?;
        answer::reply(result)
    }

    async fn exchange(&self, method: &str, params: Value) -> Result<(Value, Option<String>), ClientError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.post.request(id, method, &message).await
    }
}

impl ToolInfo {
    fn read(tool: &Value) -> Self {
        let text = |field| tool.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self {
            name: text("name"),
            description: text("description"),
            input_schema: tool.get("inputSchema").and_then(Value::as_object).cloned().unwrap_or_default(),
            read_only: tool.pointer("/annotations/readOnlyHint") == Some(&Value::Bool(true)),
        }
    }
}
