//! AdCP over the Model Context Protocol: server transport and a small client.
//!
//! [`serve`] offers an [`Agent`](adcp_decisioning::Agent) at `/mcp` by streamable HTTP, without sessions, for the
//! clients of both protocol eras. It decides nothing: it turns bytes into calls and replies into bytes.
//!
//! ```no_run
//! # async fn example(agent: adcp_decisioning::Agent) -> Result<(), adcp_mcp::McpError> {
//! use adcp_mcp::{McpConfig, Server};
//!
//! let config = McpConfig::bind("127.0.0.1:3000").with_public_url("https://ads.example.com/mcp");
//! let server = Server::bind(agent, config).await?;
//! println!("listening on {}", server.url());
//! server.run().await;
//! # Ok(())
//! # }
//! ```
//!
//! # On the wire
//!
//! | Asked | Answered |
//! | --- | --- |
//! | `POST /mcp`, `POST /` | one JSON-RPC message with one JSON answer, whatever `Accept` says |
//! | `GET`, `DELETE` and others there | 405 |
//! | `GET /healthz` | 200, or 503 when the agent is unhealthy or the server is leaving |
//! | `GET /.well-known/jwks.json`, `brand.json` there | [`PublishedKeys`], for everybody |
//! | a prefix given to [`McpConfig::with_routes`], and below | what the service answers that is mounted there |
//! | another host or web origin | 403, with the setting to change |
//! | a content type other than `application/json` | 415 |
//! | a message beyond [`Agent::limits`](adcp_decisioning::Agent::limits) | 413 for size, else 400 with −32700 |
//! | broken JSON, a key twice | 400 with −32700, naming the place |
//! | a batch, a response, a bad `id` | 400 with −32600 |
//! | params that do not fit | 200 with −32602, naming the field |
//! | a tool that is unknown or not mounted | 200 with −32602, `Unknown tool: …` |
//! | a tool without a good credential | 401 with `WWW-Authenticate`, −32028 and `data.adcp_error` |
//! | the same while credentials cannot be checked | 503 with −32027 and `data.adcp_error` |
//!
//! A credential is `Authorization: Bearer`, `Authorization: Basic`, or a bare key in `x-adcp-auth` or
//! `x-api-key`; `Authorization` wins. `initialize`, `ping`, notifications, `tools/list` and
//! `get_adcp_capabilities` need none. A wrong one there counts as none: the answer is the same for everybody,
//! and buyers read capabilities before they try their keys.
//!
//! The result of a tool has the AdCP message as `structuredContent` and as text in `content`; a failure's text is
//! `{"adcp_error": …}` alone. `isError` is always there. No output schemas are listed: clients compile them on
//! connection, at seconds of their time.
//!
//! A caller who hangs up does not interrupt the agent: the call goes on in its own task.
//!
//! # Logs
//!
//! rmcp writes several lines per request at level `INFO` and one at `WARN` per refusal. A subscriber wants the
//! filter `rmcp=error`; this crate reports what an operator should know under `adcp_mcp`.

mod auth;
mod config;
mod discovery;
mod error;
mod exchange;
mod front;
mod gate;
mod handler;
mod message;
mod render;
mod routes;
mod rpc;
mod server;

#[cfg(feature = "client")]
pub mod client;

pub use config::McpConfig;
pub use discovery::{PublishedKeys, WellKnown};
pub use error::McpError;
pub use server::{Server, serve};
