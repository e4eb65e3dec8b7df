//! Accepts connections, serves HTTP/1.1 on them, and leaves in an orderly way.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use adcp_decisioning::Agent;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::McpConfig;
use crate::error::McpError;
use crate::front::Front;

/// Headers of one request may take this many bytes.
const MAX_HEADER_BYTES: usize = 32 * 1024;
/// How long to wait before accepting again when the process has run out of sockets.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `agent` until the shutdown signal of `config` has been followed to its end.
///
/// # Errors
///
/// See [`Server::bind`].
pub async fn serve(agent: Agent, config: McpConfig) -> Result<(), McpError> {
    Server::bind(agent, config).await?.run().await;
    Ok(())
}

/// A bound server. Connections wait in the backlog until [`run`](Self::run).
#[must_use = "a server answers only while it runs"]
pub struct Server {
    agent: Agent,
    door: Door,
    address: SocketAddr,
    grace: Duration,
    shutdown: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// What takes connections in.
struct Door {
    front: Arc<Front>,
    listener: TcpListener,
    http: http1::Builder,
    slots: Arc<Semaphore>,
}

impl Server {
    /// Checks `config` and binds its address.
    ///
    /// # Errors
    ///
    /// [`McpError::Setting`] for a value that cannot work, [`McpError::Bind`] for an address that cannot be
    /// listened on.
    pub async fn bind(agent: Agent, mut config: McpConfig) -> Result<Self, McpError> {
        if let Some((setting, reason)) = config.fault() {
            return Err(McpError::Setting { setting, reason });
        }
        let front = Arc::new(Front::new(agent.clone(), &mut config)?);
        let cannot = |source| McpError::Bind { address: config.address.clone(), source };
        let listener = TcpListener::bind(&config.address).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(config.header_timeout)
            .max_header_size(MAX_HEADER_BYTES)
            .max_buf_size(256 * 1024);
        let slots = Arc::new(Semaphore::new(config.max_connections.min(Semaphore::MAX_PERMITS)));
        let door = Door { front, listener, http, slots };
        Ok(Self { agent, door, address, grace: config.grace, shutdown: config.shutdown })
    }

    /// The address that was bound, with the port taken when the configured one was 0.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Where clients on this machine find the agent.
    #[must_use]
    pub fn url(&self) -> String {
        let ip = match self.address.ip() {
            ip if ip.is_unspecified() => "localhost".to_owned(),
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
            ip @ std::net::IpAddr::V4(_) => ip.to_string(),
        };
        format!("http://{ip}:{}/mcp", self.address.port())
    }

    /// Serves until the shutdown signal, then stops accepting, finishes requests in flight and drains the
    /// agent, all within the grace period.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops accepting at once; open connections and accepted calls go on until the
    /// runtime ends.
    pub async fn run(self) {
        let Self { agent, door, grace, shutdown, .. } = self;
        // Tasks of a process that died are not to wait for the first caller.
        agent.start();
        let connections = GracefulShutdown::new();
        match shutdown {
            None => door.accept(&connections).await,
            Some(signal) => tokio::select! {
                () = door.accept(&connections) => {}
                () = signal => {}
            },
        }
        door.front.leave();
        drop(door);
        let deadline = Instant::now() + grace;
        tracing::info!(connections = connections.count(), "stopped accepting, finishing requests in flight");
        if tokio::time::timeout_at(deadline, connections.shutdown()).await.is_err() {
            tracing::warn!("some requests in flight did not finish within the grace period");
        }
        agent.drain(deadline.saturating_duration_since(Instant::now())).await;
    }
}

impl Door {
    async fn accept(&self, connections: &GracefulShutdown) {
        loop {
            let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, _)) => self.spawn(stream, connections.watcher(), slot),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept connections, pausing");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, watcher: Watcher, slot: OwnedSemaphorePermit) {
        // Without it, small answers wait for the peer's delayed acknowledgement: 40 ms each.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let front = Arc::clone(&self.front);
        let service = service_fn(move |request| {
            let front = Arc::clone(&front);
            async move { Ok::<_, Infallible>(front.answer(request).await) }
        });
        let connection = watcher.watch(self.http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(slot);
        });
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Whether accepting failed for one peer only, which left before it was served.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
