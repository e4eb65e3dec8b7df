//! The rmcp side: what tools there are, and passing a call to the agent.

use std::sync::Arc;

use adcp_decisioning::{Agent, Tool};
use adcp_types::ADCP_RELEASE;
use bytes::Bytes;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CustomRequest, CustomResult, Implementation,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};

use crate::exchange::{Exchange, Outcome};

/// Answers MCP requests for one agent. Cheap to clone: rmcp wants one per request.
#[derive(Debug, Clone)]
pub(crate) struct Handler(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    agent: Agent,
    info: ServerConfig,
    tools: Bytes,
}

impl Handler {
    /// The handler of an agent that calls itself `name`.
    pub(crate) fn new(agent: Agent, name: &str) -> Self {
        let info = ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new(name, env!("CARGO_PKG_VERSION")))
            .with_instructions(format!(
                "An advertising agent that speaks AdCP {ADCP_RELEASE}. Begin with get_adcp_capabilities, which \
                 needs no credentials; every other tool needs a bearer token or an API key."
            ));
        let tools: Vec<Value> = agent.tools().iter().map(describe).collect();
        let tools = Value::Array(tools).to_string().into();
        Self(Arc::new(Inner { agent, info, tools }))
    }
}

fn describe(tool: &Tool) -> Value {
    json!({
        "name": tool.name,
        "description": tool.description,
        "inputSchema": *tool.input_schema,
        "annotations": { "readOnlyHint": !tool.mutating, "openWorldHint": true },
    })
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        self.0.info.clone()
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        exchange(&context)?.leave(Outcome::Tools(self.0.tools.clone()));
        Ok(ListToolsResult::default())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let tool = &request.name;
        if !self.0.agent.answers(tool) {
            let reason = if self.0.agent.knows(tool) {
                "this agent does not offer it"
            } else {
                "AdCP has none of that name"
            };
            return Err(ErrorData::invalid_params(
                format!("Unknown tool: {tool} ({reason}; see tools/list)"),
                None,
            ));
        }
        let exchange = exchange(&context)?;
        let Some(call) = exchange.take_call() else {
            return Err(ErrorData::internal_error("the call was already made", None));
        };
        let reply = self.0.agent.call(call).await;
        let result =
            if reply.failed { CallToolResult::error(vec![]) } else { CallToolResult::success(vec![]) };
        exchange.leave(Outcome::Reply(reply.body, reply.failed));
        Ok(result.into())
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let reason = format!("no such method: {}", request.method);
        Err(ErrorData::new(rmcp::model::ErrorCode::METHOD_NOT_FOUND, reason, None))
    }
}

/// The side channel that the front put beside the request.
fn exchange(context: &RequestContext<RoleServer>) -> Result<Exchange, ErrorData> {
    context
        .extensions
        .get::<http::request::Parts>()
        .and_then(|parts| parts.extensions.get::<Exchange>())
        .cloned()
        .ok_or_else(|| ErrorData::internal_error("the request did not come through the front", None))
}
