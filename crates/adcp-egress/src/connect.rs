//! Opens a connection to exactly the addresses that were checked.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use crate::Limits;
use crate::counters::Counters;
use crate::error::{Cause, Stage};
use crate::progress::{Progress, Trouble};
use crate::stream::{Bytes as Transport, Stream};
use crate::tls::server_name;
use crate::url::Url;

/// How many addresses of a name are tried.
const MAX_TRIED: usize = 6;

/// A connection that is ready for HTTP.
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<Full<Bytes>>,
    pub(crate) peer: SocketAddr,
    pub(crate) opened: Instant,
    pub(crate) received: Arc<AtomicU64>,
    /// Moves the bytes; it ends with this.
    driver: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// What connections are made with.
pub(crate) struct Connector {
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) max_head_bytes: usize,
    pub(crate) max_headers: usize,
}

impl Connector {
    /// Connects to one of `addresses`, which somebody has checked.
    pub(crate) async fn connect(
        &self,
        url: &Url,
        addresses: &[IpAddr],
        limits: &Limits,
        counters: &Counters,
        progress: &mut Progress,
    ) -> Result<Connection, Trouble> {
        progress.enter(Stage::Connect);
        let tcp = dial(addresses, url.port(), limits.connect, counters, progress).await?;
        // Small messages leave at once; that it cannot be set is no reason not to send them.
        let _ = tcp.set_nodelay(true);
        let peer = progress.peer.expect("whoever connects says to whom");
        let transport = if url.is_secure() {
            progress.enter(Stage::Handshake);
            let handshake = self.handshake(url, tcp);
            timeout(limits.handshake, handshake).await.map_err(|_| Trouble::from(Cause::TimedOut))??
        } else {
            Transport::Plain(tcp)
        };
        progress.leave();
        self.speak(transport, peer).await
    }

    async fn handshake(&self, url: &Url, tcp: TcpStream) -> Result<Transport, Trouble> {
        let name = server_name(url.host()).ok_or(Cause::Untrusted)?;
        match TlsConnector::from(Arc::clone(&self.tls)).connect(name, tcp).await {
            Ok(stream) => Ok(Transport::Encrypted(Box::new(stream))),
            Err(error) => {
                let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
                let cause = match tls {
                    Some(rustls::Error::InvalidCertificate(_)) => Cause::Untrusted,
                    Some(_) => Cause::NoTls,
                    None => Cause::Closed,
                };
                Err(Trouble::Failed(cause, Some(Box::new(error))))
            }
        }
    }

    async fn speak(&self, transport: Transport, peer: SocketAddr) -> Result<Connection, Trouble> {
        let received = Arc::new(AtomicU64::new(0));
        let stream = TokioIo::new(Stream::new(transport, Arc::clone(&received)));
        let mut http = Builder::new();
        http.max_buf_size(self.max_head_bytes).max_headers(self.max_headers);
        let (sender, connection) = http
            .handshake(stream)
            .await
            .map_err(|error| Trouble::Failed(Cause::Closed, Some(Box::new(error))))?;
        // What ends a connection is told to whoever waits for its answer.
        let driver = tokio::spawn(async move { drop(connection.await) }).abort_handle();
        Ok(Connection { sender, peer, opened: Instant::now(), received, driver })
    }
}

async fn dial(
    addresses: &[IpAddr],
    port: u16,
    limit: Duration,
    counters: &Counters,
    progress: &mut Progress,
) -> Result<TcpStream, Trouble> {
    let deadline = Instant::now() + limit;
    let addresses = alternating(addresses);
    let mut trouble = Trouble::from(Cause::Unreachable);
    for (tried, address) in addresses.iter().enumerate() {
        let peer = SocketAddr::new(*address, port);
        progress.peer = Some(peer);
        counters.dialled.fetch_add(1, Ordering::Relaxed);
        // An address that swallows packets must leave time for the others.
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        trouble = match timeout(share, TcpStream::connect(peer)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => Trouble::Failed(Cause::Unreachable, Some(Box::new(error))),
            Err(_) => Trouble::from(Cause::TimedOut),
        };
    }
    Err(trouble)
}

/// The first addresses, of the two kinds in turn: where one kind leads nowhere, the other is tried next.
fn alternating(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let first_is_v4 = addresses.first().is_some_and(IpAddr::is_ipv4);
    let (ours, others): (Vec<IpAddr>, Vec<IpAddr>) =
        addresses.iter().partition(|address| address.is_ipv4() == first_is_v4);
    let mut others = others.into_iter();
    let mut mixed = Vec::with_capacity(addresses.len());
    for address in ours {
        mixed.push(address);
        mixed.extend(others.next());
    }
    mixed.extend(others);
    mixed.truncate(MAX_TRIED);
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_kinds_are_tried_in_turn() {
        let read =
            |text: &str| text.split(' ').map(|address| address.parse().unwrap()).collect::<Vec<IpAddr>>();
        for (addresses, tried) in [
            ("1::1", "1::1"),
            ("1::1 1::2 1::3 1.1.1.1", "1::1 1.1.1.1 1::2 1::3"),
            ("1.1.1.1 1.1.1.2 1::1 1::2", "1.1.1.1 1::1 1.1.1.2 1::2"),
            ("1.1.1.1 1::1 1::2 1::3", "1.1.1.1 1::1 1::2 1::3"),
            ("1::1 1::2 1::3 1::4 1::5 1::6 1::7 1.1.1.1", "1::1 1.1.1.1 1::2 1::3 1::4 1::5"),
        ] {
            assert_eq!(alternating(&read(addresses)), read(tried), "{addresses}");
        }
    }
}
