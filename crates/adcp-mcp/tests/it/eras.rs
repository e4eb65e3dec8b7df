//! Both eras of the protocol from one endpoint, without a session.

use serde_json::{Value, json};

use crate::fixture::{Answer, Running, call};

const NEWEST: &str = "2026-07-28";

fn initialize(version: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}})
}

/// `message` with the metadata that 2026-07-28 wants in each request.
fn described(mut message: Value) -> Value {
    message["params"]["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": NEWEST,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    message
}

async fn post_newest(server: &Running, message: Value) -> Answer {
    let method = message["method"].as_str().unwrap().to_owned();
    let name = message["params"]["name"].as_str().unwrap_or_default().to_owned();
    let mut headers = vec![("mcp-protocol-version", NEWEST), ("mcp-method", method.as_str())];
    if !name.is_empty() {
        headers.push(("mcp-name", name.as_str()));
    }
    server.post(described(message), &headers).await
}

#[tokio::test]
async fn a_call_needs_neither_greeting_nor_session_nor_accept() {
    let server = Running::new().await;
    for accept in ["application/json, text/event-stream", "application/json", "*/*"] {
        let answer = server.post(call("get_adcp_capabilities", json!({})), &[("accept", accept)]).await;
        let message = answer.json();
        assert_eq!(message["result"]["isError"], false, "{message}");
        assert!(message["result"].get("resultType").is_none(), "the old era has no result types");
        assert_eq!(answer.header("mcp-session-id"), None);
    }
    let answer = server.call("get_adcp_capabilities", json!({})).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn the_handshake_of_the_old_era() {
    let server = Running::with(|config| config.with_name("tiny-seller")).await;
    for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let answer = server.post_anonymously(initialize(version), &[]).await;
        let result = &answer.json()["result"];
        assert_eq!(result["protocolVersion"], version);
        assert_eq!(result["serverInfo"]["name"], "tiny-seller");
        assert!(result["capabilities"]["tools"].is_object());
        assert_eq!(answer.header("mcp-session-id"), None);

        let headers = [("mcp-protocol-version", version), ("mcp-session-id", "left-over")];
        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        let answer = server.post_anonymously(ready, &headers).await;
        assert!(answer.status == 202 && answer.is_empty(), "{answer:?}");
        let answer = server.post(call("get_adcp_capabilities", json!({})), &headers).await;
        assert_eq!(answer.json()["result"]["isError"], false);
    }
    let result = server.post_anonymously(initialize("2099-01-01"), &[]).await.json();
    assert_eq!(result["result"]["protocolVersion"], "2025-11-25");
}

#[tokio::test]
async fn the_era_without_handshake() {
    let server = Running::new().await;
    let message = post_newest(&server, call("get_products", json!({"buying_mode": "brief", "brief": "x"})))
        .await
        .json();
    assert_eq!(message["result"]["resultType"], "complete", "{message}");
    assert_eq!(message["result"]["isError"], false);
    assert_eq!(message["result"]["structuredContent"]["status"], "completed");

    let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}});
    let message = post_newest(&server, list).await.json();
    assert!(message["result"]["tools"].as_array().is_some_and(|tools| !tools.is_empty()));
    assert!(message["result"]["ttlMs"].is_u64(), "{message}");

    let discover = json!({"jsonrpc": "2.0", "id": 3, "method": "server/discover", "params": {}});
    let message = post_newest(&server, discover).await.json();
    assert!(message["result"]["supportedVersions"].as_array().unwrap().contains(&json!(NEWEST)));

    let ping = json!({"jsonrpc": "2.0", "id": 4, "method": "ping", "params": {}});
    post_newest(&server, ping).await.error(404, -32601);
}

#[tokio::test]
async fn contradictions_of_headers_and_body_are_refused() {
    let server = Running::new().await;
    let product_call = || call("get_products", json!({"buying_mode": "brief", "brief": "x"}));
    let unknown = server.post(product_call(), &[("mcp-protocol-version", "1999-01-01")]).await;
    assert!(unknown.error(400, -32600).contains("1999-01-01"));
    let bare = [("mcp-protocol-version", NEWEST), ("mcp-method", "tools/call"), ("mcp-name", "get_products")];
    assert!(server.post(product_call(), &bare).await.error(400, -32602).contains("_meta"));
    let other = [("mcp-protocol-version", NEWEST), ("mcp-method", "tools/call"), ("mcp-name", "get_signals")];
    server.post(described(product_call()), &other).await.error(400, -32020);
    assert_eq!(server.probe.calls.load(std::sync::atomic::Ordering::Relaxed), 0);
}
