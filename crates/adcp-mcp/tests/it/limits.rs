//! Size, depth, duplicate keys, slow senders.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fixture::{Answer, Running, call, request};

#[tokio::test]
async fn a_large_message_is_refused_by_its_announcement() {
    let server = Running::new().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = request("POST", "/mcp", &[("content-length", "3000000")], "");
    stream.write_all(head.as_bytes()).await.unwrap();
    let message = Answer::read(&mut stream).await.error(413, -32600);
    assert!(message.contains("2097152"), "{message}");
}

#[tokio::test]
async fn a_large_message_is_refused_while_it_streams() {
    let server = Running::new().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let feeder = tokio::spawn(async move {
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        // The server may hang up as soon as it has seen enough.
        for _ in 0..64 {
            if writer.write_all(chunk.as_bytes()).await.is_err() {
                break;
            }
        }
        writer
    });
    let mut text = vec![0; 4096];
    let read = reader.read(&mut text).await.unwrap();
    let text = String::from_utf8_lossy(&text[..read]).into_owned();
    assert!(text.starts_with("HTTP/1.1 413 "), "{text}");
    drop(feeder.await.unwrap());
}

#[tokio::test]
async fn deep_nesting_and_duplicate_keys_are_refused() {
    let server = Running::new().await;
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"get_products","arguments":{{"ext":{}{}}}}}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    let message = server.post(deep, &[]).await.error(400, -32700);
    assert!(message.contains("64"), "{message}");
    let twice = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products",
        "arguments":{"brief":"a","brief":"b"}}}"#;
    let message = server.post(twice, &[]).await.error(400, -32700);
    assert!(message.contains("`brief` twice"), "{message}");
    let name_twice = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_adcp_capabilities",
        "name":"create_media_buy"}}"#;
    server.post(name_twice, &[]).await.error(400, -32700);
}

#[tokio::test]
async fn headers_must_arrive_in_time() {
    let server = Running::with(|config| config.with_header_timeout(Duration::from_millis(50))).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"POST /mcp HTTP/1.1\r\nhost: loc").await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408 "), "{rest:?}");
}

#[tokio::test]
async fn bodies_must_arrive_in_time() {
    let server = Running::with(|config| config.with_body_timeout(Duration::from_millis(50))).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let whole = request("POST", "/mcp", &[], &call("get_products", json!({})).to_string());
    stream.write_all(&whole.as_bytes()[..whole.len() - 5]).await.unwrap();
    Answer::read(&mut stream).await.error(408, -32600);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_their_turn() {
    let server = Running::with(|config| config.with_max_connections(1)).await;
    let first = TcpStream::connect(server.address).await.unwrap();
    let mut second = TcpStream::connect(server.address).await.unwrap();
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    second.write_all(request("POST", "/mcp", &[], &ping).as_bytes()).await.unwrap();
    drop(first);
    assert_eq!(Answer::read(&mut second).await.status, 200);
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let server = Running::new().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    for _ in 0..3 {
        let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
        stream.write_all(request("POST", "/mcp", &[], &ping).as_bytes()).await.unwrap();
        assert_eq!(Answer::read(&mut stream).await.status, 200);
    }
}
