//! Leaving in an orderly way, and callers who leave first.

use std::time::Duration;

use adcp_mcp::{McpConfig, McpError, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fixture::{Answer, Running, request, slow_call};
use crate::seller::{self, Probe, TOKEN};

async fn begin_slow_call(server: &Running) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let bearer = format!("Bearer {TOKEN}");
    let request = request("POST", "/mcp", &[("authorization", &bearer)], &slow_call().to_string());
    stream.write_all(request.as_bytes()).await.unwrap();
    server.probe.begun.notified().await;
    stream
}

#[tokio::test]
async fn a_call_in_flight_is_finished_and_nothing_new_is_accepted() {
    let mut server = Running::new().await;
    let mut busy = begin_slow_call(&server).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(request("GET", "/healthz", &[], "").as_bytes()).await.unwrap();
    assert_eq!(Answer::read(&mut idle).await.status, 200);
    server.stop();
    // The idle connection is closed, which shows that the shutdown has begun.
    assert_eq!(idle.read(&mut [0; 16]).await.unwrap(), 0);
    assert!(TcpStream::connect(server.address).await.is_err());
    server.probe.release.add_permits(1);
    let answer = Answer::read(&mut busy).await;
    assert_eq!(answer.json()["result"]["isError"], false);
    server.ended().await;
}

#[tokio::test]
async fn the_grace_period_ends_the_wait() {
    let mut server = Running::with(|config| config.with_grace(Duration::from_millis(50))).await;
    let _busy = begin_slow_call(&server).await;
    server.stop();
    server.ended().await;
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_interrupt_the_agent() {
    let server = Running::new().await;
    drop(begin_slow_call(&server).await);
    // The next request is served, so the hang-up has been seen or does not matter.
    let health = server.send("GET", "/healthz", &[], "").await;
    assert_eq!(health.status, 200);
    server.probe.release.add_permits(1);
    server.probe.ended.notified().await;
}

#[tokio::test]
async fn settings_and_addresses_are_checked_before_a_port_opens() {
    let agent = || seller::agent(&Probe::new());
    let wrong = McpConfig::bind("127.0.0.1:0").with_public_url("nonsense");
    assert!(matches!(
        Server::bind(agent(), wrong).await,
        Err(McpError::Setting { setting: "public_url", .. })
    ));
    let taken = Server::bind(agent(), McpConfig::bind("127.0.0.1:0")).await.unwrap();
    let again = McpConfig::bind(taken.local_addr().to_string());
    let error = Server::bind(agent(), again).await.unwrap_err();
    assert!(error.to_string().contains(&taken.local_addr().to_string()), "{error}");
    assert!(matches!(Server::bind(agent(), McpConfig::bind("nowhere")).await, Err(McpError::Bind { .. })));
}
