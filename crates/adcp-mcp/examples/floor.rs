//! The floor that `cargo xtask bench mcp` measures against: rmcp alone, answering one tool with one fixed result.
//!
//! `floor FILE` reads the structured content from FILE, listens on a free loopback port and prints it.

#![expect(clippy::print_stdout, reason = "its caller learns the address from the first line")]

use std::convert::Infallible;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use tokio::net::TcpListener;

#[derive(Clone)]
struct Fixed(Arc<CallToolResult>);

impl ServerHandler for Fixed {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn call_tool(
        &self,
        _: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        Ok(CallToolResult::clone(&self.0).into())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("usage: floor FILE")?;
    let text = std::fs::read_to_string(file)?;
    let mut result = CallToolResult::success(vec![ContentBlock::text(text.trim())]);
    result.structured_content = Some(serde_json::from_str(&text)?);
    let fixed = Fixed(Arc::new(result));
    let config =
        StreamableHttpServerConfig::default().with_legacy_session_mode(false).with_json_response(true);
    let sessions = Arc::new(NeverSessionManager::default());
    let rmcp = StreamableHttpService::new(move || Ok(fixed.clone()), sessions, config);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/mcp", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let rmcp = rmcp.clone();
        let service = service_fn(move |request| {
            let rmcp = rmcp.clone();
            async move { Ok::<_, Infallible>(rmcp.handle(request).await) }
        });
        let connection =
            http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}
