//! The floor: hyper alone, posting the same bytes to the same receiver over as many connections.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::ensure;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Load;
use super::event::Hook;

/// Posts every event once. Each endpoint has its own connections, and each of these sends what is next for its endpoint.
pub(super) async fn post(hooks: &Arc<Vec<Hook>>, ports: &[u16], load: Load) -> anyhow::Result<()> {
    let mut sending = Vec::with_capacity(load.concurrency);
    for (at, port) in ports.iter().enumerate() {
        let next = Arc::new(AtomicUsize::new(at));
        for _ in 0..load.per_endpoint() {
            let (hooks, next) = (Arc::clone(hooks), Arc::clone(&next));
            sending.push(tokio::spawn(connection(hooks, *port, next, ports.len())));
        }
    }
    for each in sending {
        each.await??;
    }
    Ok(())
}

async fn connection(
    hooks: Arc<Vec<Hook>>,
    port: u16,
    next: Arc<AtomicUsize>,
    step: usize,
) -> anyhow::Result<()> {
    let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    tcp.set_nodelay(true)?;
    let (mut sender, driver) = handshake(TokioIo::new(tcp)).await?;
    let driver = tokio::spawn(driver);
    let host = format!("127.0.0.1:{port}");
    while let Some(hook) = hooks.get(next.fetch_add(step, Ordering::Relaxed)) {
        let request = Request::post(hook.path.as_str())
            .header("host", &host)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::copy_from_slice(hook.body.as_bytes())))?;
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        ensure!(answer.status().is_success(), "the receiver answered {}", answer.status());
        answer.into_body().collect().await?;
    }
    driver.abort();
    Ok(())
}
