//! Services mounted beside the agent.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use adcp_mcp::{McpConfig, McpError, Server};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};
use tower_service::Service;

use crate::fixture::{Answer, Running, call, request};
use crate::seller::{self, Probe};

/// Tells what it was asked, once it may.
#[derive(Clone)]
struct Desk {
    begun: Arc<Notify>,
    ended: Arc<Notify>,
    gate: Arc<Semaphore>,
}

impl Desk {
    fn new(permits: usize) -> Self {
        Self { begun: Arc::default(), ended: Arc::default(), gate: Arc::new(Semaphore::new(permits)) }
    }
}

impl Service<Request<Bytes>> for Desk {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let desk = self.clone();
        Box::pin(async move {
            desk.begun.notify_one();
            desk.gate.acquire().await.unwrap().forget();
            desk.ended.notify_one();
            assert_ne!(request.uri().path(), "/desk/panic", "asked to");
            let said = json!({
                "method": request.method().as_str(),
                "target": request.uri().path_and_query().map(|target| target.as_str()),
                "body": String::from_utf8_lossy(request.body()),
            });
            let mut answer = Response::new(Bytes::from(said.to_string()));
            *answer.status_mut() = StatusCode::IM_A_TEAPOT;
            answer.headers_mut().insert("content-type", "application/json".parse().unwrap());
            Ok(answer)
        })
    }
}

async fn running(desk: &Desk) -> Running {
    let desk = desk.clone();
    Running::with(|config| config.with_routes("/desk", desk).with_body_timeout(Duration::from_millis(200)))
        .await
}

#[tokio::test]
async fn a_mounted_service_sees_its_requests_whole_and_the_agent_stays_where_it_is() {
    let server = running(&Desk::new(100)).await;
    for (method, target, body) in
        [("GET", "/desk", ""), ("GET", "/desk/a%2Fb?c=d&c=e", ""), ("DELETE", "/desk/x", "not json")]
    {
        let answer = server.send(method, target, &[("content-type", "text/plain")], body).await;
        assert_eq!(answer.status, 418);
        assert_eq!(answer.json(), json!({"method": method, "target": target, "body": body}));
    }
    assert_eq!(server.send("GET", "/healthz", &[], "").await.status, 200);
    assert_eq!(server.send("GET", "/desktop", &[], "").await.status, 404);
    assert_eq!(server.send("GET", "/x/../desk", &[], "").await.status, 404);
    assert_eq!(server.post(call("get_adcp_capabilities", json!({})), &[]).await.status, 200);
}

#[tokio::test]
async fn hosts_sizes_and_times_are_checked_before_a_mounted_service_is_asked() {
    let server = running(&Desk::new(0)).await;
    let foreign = server.send("GET", "/desk", &[("host", "evil.example")], "").await;
    assert_eq!(foreign.status, 403);
    let page = server.send("GET", "/desk", &[("origin", "https://evil.example")], "").await;
    assert_eq!(page.status, 403);
    let large = server.send("POST", "/desk", &[("content-length", "3000000")], "").await;
    assert_eq!(large.status, 413);
    assert!(large.json()["error"].as_str().unwrap().contains("2097152"));
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request("POST", "/desk", &[("content-length", "9")], "half").as_bytes()).await.unwrap();
    assert_eq!(Answer::read(&mut stream).await.status, 408);
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_interrupt_a_mounted_service() {
    let desk = Desk::new(0);
    let server = running(&desk).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request("POST", "/desk", &[], "").as_bytes()).await.unwrap();
    desk.begun.notified().await;
    drop(stream);
    assert_eq!(server.send("GET", "/healthz", &[], "").await.status, 200);
    desk.gate.add_permits(1);
    desk.ended.notified().await;
}

#[tokio::test]
async fn a_mounted_service_that_panics_is_answered_for() {
    let server = running(&Desk::new(100)).await;
    assert_eq!(server.send("GET", "/desk/panic", &[], "").await.status, 500);
    assert_eq!(server.send("GET", "/desk", &[], "").await.status, 418);
}

#[tokio::test]
async fn a_prefix_of_the_servers_own_is_refused_before_a_port_opens() {
    for (prefix, words) in [
        ("/mcp", "`/mcp`"),
        ("/mcp/admin", "`/mcp`"),
        ("/healthz", "`/healthz`"),
        ("/.well-known/x", "`/.well-known`"),
        ("/", "letters"),
        ("admin", "letters"),
    ] {
        let config = McpConfig::bind("127.0.0.1:0").with_routes(prefix, Desk::new(0));
        let refused = Server::bind(seller::agent(&Probe::new()), config).await.unwrap_err();
        assert!(matches!(refused, McpError::Setting { setting: "routes", .. }), "{refused}");
        assert!(refused.to_string().contains(words), "{refused}");
    }
    let config =
        McpConfig::bind("127.0.0.1:0").with_routes("/a", Desk::new(0)).with_routes("/a/b", Desk::new(0));
    let refused = Server::bind(seller::agent(&Probe::new()), config).await.unwrap_err();
    assert!(refused.to_string().contains("`/a/b`, which meets `/a`"), "{refused}");
}
