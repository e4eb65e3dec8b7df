//! Tools: listing, calling, results, unknown names, malformed messages.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::fixture::{Running, call};

#[tokio::test]
async fn tools_are_listed_with_schema_and_hints_for_anybody() {
    let server = Running::new().await;
    let answer =
        server.post_anonymously(json!({"jsonrpc": "2.0", "id": "l", "method": "tools/list"}), &[]).await;
    let message = answer.json();
    assert_eq!(message["id"], "l");
    let tools = message["result"]["tools"].as_array().unwrap();
    let find = |name: &str| tools.iter().find(|tool| tool["name"] == name).unwrap();
    assert_eq!(find("get_products")["annotations"]["readOnlyHint"], true);
    assert_eq!(find("create_media_buy")["annotations"]["readOnlyHint"], false);
    for tool in tools {
        assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
        assert!(tool["description"].as_str().is_some_and(|text| !text.is_empty()), "{tool}");
        assert!(tool.get("outputSchema").is_none());
        assert_ne!(tool["name"], "tasks/get");
    }
}

#[tokio::test]
async fn a_result_has_the_body_twice_and_says_whether_it_failed() {
    let server = Running::new().await;
    let answer = server.call("get_products", json!({"buying_mode": "brief", "brief": "shoes"})).await;
    assert_eq!(answer.status, 200);
    let result = &answer.json()["result"];
    assert_eq!(result["isError"], false, "{result}");
    assert_eq!(result["structuredContent"]["status"], "completed");
    assert_eq!(text(result), result["structuredContent"]);

    let answer = server.call("get_products", json!({"buying_mode": "no such mode"})).await;
    assert_eq!(answer.status, 200);
    let result = &answer.json()["result"];
    assert_eq!(result["isError"], true, "{result}");
    assert_eq!(result["structuredContent"]["status"], "failed");
    let error = &result["structuredContent"]["adcp_error"];
    assert_eq!(error["code"], "INVALID_REQUEST");
    assert_eq!(text(result), json!({ "adcp_error": error }));
}

fn text(result: &Value) -> Value {
    assert_eq!(result["content"].as_array().map(Vec::len), Some(1));
    assert_eq!(result["content"][0]["type"], "text");
    serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn ids_come_back_as_they_went() {
    let server = Running::new().await;
    for id in [json!(1), json!(-7), json!("a \"content\":[] \u{1F600}"), json!("")] {
        let mut message = call("get_adcp_capabilities", json!({}));
        message["id"] = id.clone();
        let answer = server.post(message, &[]).await.json();
        assert_eq!(answer["id"], id);
        assert_eq!(answer["result"]["isError"], false, "{answer}");
    }
}

#[tokio::test]
async fn unknown_and_unmounted_tools_are_told_apart() {
    let server = Running::new().await;
    let message = server.call("make_coffee", json!({})).await.error(200, -32602);
    assert!(
        message.starts_with("Unknown tool: make_coffee") && message.contains("AdCP has none"),
        "{message}"
    );
    let message = server.call("get_signals", json!({})).await.error(200, -32602);
    assert!(message.starts_with("Unknown tool: get_signals") && message.contains("not offer"), "{message}");
    assert_eq!(server.probe.calls.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn legacy_polling_names_are_answered_though_not_listed() {
    let server = Running::new().await;
    for tool in ["tasks/get", "tasks/list"] {
        let answer = server.call(tool, json!({})).await.json();
        assert!(answer["result"]["structuredContent"]["status"].is_string(), "{answer}");
    }
}

#[tokio::test]
async fn malformed_messages_name_what_is_wrong() {
    let server = Running::new().await;
    let cases = [
        (r#"{"jsonrpc":"2.0","id":1,"#, 400, -32700, "line 1"),
        ("", 400, -32700, "line 1"),
        ("nonsense", 400, -32700, "line 1"),
        (r#"{"a":1} x"#, 400, -32700, "line 1"),
        ("[]", 400, -32600, "batches"),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, 400, -32600, "batches"),
        ("3", 400, -32600, "object"),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, 400, -32600, "`id`"),
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, 400, -32600, "responses"),
        (r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"t"}}"#, 400, -32600, "`id`"),
        (r#"{"id":1,"method":"ping"}"#, 200, -32600, "`jsonrpc`"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, 200, -32602, "`params`"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#, 200, -32602, "`params.name`"),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products","arguments":[1]}}"#,
            200,
            -32602,
            "`params.arguments`",
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#, 200, -32602, "`params.protocolVersion`"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"no/such"}"#, 200, -32601, "no/such"),
    ];
    for (body, status, code, part) in cases {
        let message = server.post(body, &[]).await.error(status, code);
        assert!(message.contains(part), "{body}: {message}");
    }
    assert_eq!(server.probe.calls.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn paths_and_methods() {
    let server = Running::new().await;
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    for path in ["/", "/mcp", "/mcp/", "/mcp?x=1"] {
        let answer = server.send("POST", path, &[], &ping).await;
        assert_eq!(answer.json(), json!({"jsonrpc": "2.0", "id": 1, "result": {}}), "{path}");
    }
    for method in ["GET", "DELETE", "PUT", "OPTIONS"] {
        let answer = server.send(method, "/mcp", &[], "").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
    }
    assert_eq!(server.send("POST", "/elsewhere", &[], &ping).await.status, 404);
    let health = server.send("GET", "/healthz", &[("host", "10.0.0.7")], "").await;
    assert_eq!((health.status, health.json()), (200, json!({"status": "ok"})));
    assert_eq!(server.send("POST", "/healthz", &[], "").await.status, 405);
    assert_eq!(server.post(ping, &[("content-type", "text/plain")]).await.status, 415);
}

#[tokio::test]
async fn hosts_and_origins() {
    let server = Running::with(|config| config.with_public_url("https://ads.example.com/mcp")).await;
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    for host in ["localhost:3000", "127.0.0.1", "ads.example.com"] {
        assert_eq!(server.post(&ping, &[("host", host)]).await.status, 200, "{host}");
    }
    let refused = server.post(&ping, &[("host", "evil.example")]).await;
    assert_eq!(refused.status, 403);
    assert!(refused.json()["error"].as_str().unwrap().contains("with_allowed_hosts"));
    assert_eq!(server.post(&ping, &[("origin", "https://ads.example.com")]).await.status, 200);
    assert_eq!(server.post(&ping, &[("origin", "https://evil.example")]).await.status, 403);
}
