//! The client against the server, and against others.

use std::time::Duration;

use adcp_mcp::client::{Auth, Client, ClientError};
use adcp_types::json::JsonObject;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::fixture::{Running, slow_call};
use crate::seller::TOKEN;

fn arguments(value: &Value) -> JsonObject {
    value.as_object().cloned().unwrap()
}

#[tokio::test]
async fn it_greets_lists_and_calls() {
    let server = Running::with(|config| config.with_name("tiny-seller")).await;
    let client = Client::connect(&server.url, Auth::bearer(TOKEN)).await.unwrap();
    assert!(client.server().starts_with("tiny-seller "), "{}", client.server());
    let tools = client.tools().await.unwrap();
    let products = tools.iter().find(|tool| tool.name == "get_products").unwrap();
    assert!(products.read_only && products.input_schema["type"] == "object");
    let reply = client
        .call("get_products", arguments(&json!({"buying_mode": "brief", "brief": "shoes"})))
        .await
        .unwrap();
    assert!(!reply.failed && reply.body["status"] == "completed", "{reply:?}");
    let reply = client.call("get_products", arguments(&json!({"buying_mode": 3}))).await.unwrap();
    assert!(reply.failed && reply.body["adcp_error"]["code"] == "INVALID_REQUEST", "{reply:?}");
}

#[tokio::test]
async fn refusals_say_what_to_check() {
    let server = Running::new().await;
    let client = Client::connect(&server.url, Auth::none()).await.unwrap();
    let error = client.call("get_products", JsonObject::new()).await.unwrap_err();
    assert_eq!(error.adcp_error().unwrap()["code"], "AUTH_MISSING");
    assert!(error.to_string().contains("check the token"), "{error}");
    let client = Client::connect(&server.url, Auth::api_key(TOKEN)).await.unwrap();
    let error = client.call("make_coffee", JsonObject::new()).await.unwrap_err();
    assert!(matches!(error, ClientError::Refused { code: -32602, .. }), "{error}");
    let wrong_path = server.url.replace("/mcp", "/elsewhere");
    let error = Client::connect(&wrong_path, Auth::none()).await.unwrap_err();
    assert!(error.to_string().contains("check the path"), "{error}");
    for url in ["127.0.0.1:3000", "ftp://localhost/mcp", "http://user:pw@localhost/mcp", "not a url"] {
        assert!(matches!(Client::connect(url, Auth::none()).await, Err(ClientError::Url { .. })), "{url}");
    }
    assert!(matches!(Client::connect(&server.url, Auth::bearer("a\nb")).await, Err(ClientError::Credential)));
    server.ended().await;
}

#[tokio::test]
async fn nobody_there_and_nobody_answering() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = Client::connect(&format!("http://{address}/mcp"), Auth::none()).await.unwrap_err();
    assert!(error.to_string().contains("check that the agent runs"), "{error}");

    let server = Running::new().await;
    let client = Client::connect(&server.url, Auth::bearer(TOKEN)).await.unwrap();
    let client = client.with_timeout(Duration::from_millis(50));
    let slow = slow_call();
    let arguments = arguments(&slow["params"]["arguments"]);
    let error = client.call(slow["params"]["name"].as_str().unwrap(), arguments).await.unwrap_err();
    assert!(matches!(error, ClientError::Timeout { .. }), "{error}");
    server.probe.release.add_permits(1);
}

/// Answers each connection with the next text, whatever it asks.
async fn canned(answers: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut seen = Vec::new();
            while !seen.ends_with(b"}") {
                stream.read_buf(&mut seen).await.unwrap();
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    url
}

fn http(kind: &str, extra: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{extra}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn it_reads_event_streams_and_keeps_sessions() {
    let greeted = "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-06-18\",\
                   \"serverInfo\":{\"name\":\"other\",\"version\":\"2\"}}}\n\n";
    let called = "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n\
                  data: {\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\
                  \"{\\\"status\\\":\\\"completed\\\"}\"}]}}\n\n";
    let url = canned(vec![
        http("text/event-stream", "mcp-session-id: s1\r\n", greeted),
        "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
        http("text/event-stream; charset=utf-8", "", called),
    ])
    .await;
    let client = Client::connect(&url, Auth::none()).await.unwrap();
    assert_eq!(client.server(), "other 2");
    let reply = client.call("get_products", JsonObject::new()).await.unwrap();
    assert_eq!(reply.body["status"], "completed");
}

#[tokio::test]
async fn it_reads_no_more_than_its_limit() {
    let endless = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{}",
        " ".repeat(3 << 20)
    );
    let url = canned(vec![endless]).await;
    let error = Client::connect(&url, Auth::none()).await.unwrap_err();
    assert!(matches!(error, ClientError::TooLarge { .. }), "{error}");
    let url = canned(vec![http("text/html", "", "<html>hello</html>")]).await;
    let error = Client::connect(&url, Auth::none()).await.unwrap_err();
    assert!(matches!(error, ClientError::Protocol { .. }), "{error}");
}
