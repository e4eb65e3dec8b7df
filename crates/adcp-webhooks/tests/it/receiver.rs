//! Receivers on loopback that do what a script says, and tell what came.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Longer than anything here takes.
const BOUND: Duration = Duration::from_secs(20);

pub(crate) const OK: Step = Step::Send("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok");
pub(crate) const BUSY: Step =
    Step::Send("HTTP/1.1 503 Busy\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");

/// One thing that a receiver does on a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// Reads a whole request.
    Read,
    /// Sends this.
    Send(&'static str),
    /// Sends this until nobody takes it any more.
    Flood(&'static str),
    /// Repeats the challenge of the last request under this name.
    Echo(&'static str),
    /// Does nothing until the other side ends the connection.
    Stall,
    /// Waits until the test opens the gate for one.
    Gate,
    /// Ends the connection with a reset. Otherwise it ends in order, after the last step.
    Reset,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The nonce of its signature.
    pub(crate) fn nonce(&self) -> String {
        let input = self.header("signature-input").unwrap();
        input.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }
}

/// A receiver that plays one script on each connection, the last one on all that follow.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    count: watch::Receiver<usize>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    scripts: Mutex<VecDeque<Vec<Step>>>,
    got: Mutex<Vec<Got>>,
    count: watch::Sender<usize>,
    accepted: AtomicUsize,
    gate: Semaphore,
}

impl Receiver {
    pub(crate) async fn plain(scripts: &[&[Step]]) -> Self {
        Self::start(scripts, None).await
    }

    pub(crate) async fn start(scripts: &[&[Step]], tls: Option<ServerConfig>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, count) = watch::channel(0);
        let shared = Arc::new(Shared {
            scripts: Mutex::new(scripts.iter().map(|script| script.to_vec()).collect()),
            got: Mutex::default(),
            count: sender,
            accepted: AtomicUsize::new(0),
            gate: Semaphore::new(0),
        });
        let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
        let all = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                all.accepted.fetch_add(1, Ordering::SeqCst);
                let (shared, tls) = (Arc::clone(&all), tls.clone());
                tokio::spawn(async move {
                    // A script that cannot be played to its end is what many tests are about.
                    let _ = serve(tcp, tls, &shared).await;
                });
            }
        });
        Self { address, shared, count, accepting }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook?key=query-of-the-buyer", self.address)
    }

    pub(crate) fn secure_url(&self) -> String {
        format!("https://{}/hook", self.address)
    }

    /// Connections that came.
    pub(crate) fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Requests that came.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.shared.got.lock().unwrap().clone()
    }

    /// Waits until so many requests came.
    pub(crate) async fn has_got(&self, requests: usize) {
        let mut count = self.count.clone();
        let waited = tokio::time::timeout(BOUND, count.wait_for(|count| *count >= requests)).await;
        assert!(waited.is_ok(), "{} of {requests} requests came", self.got().len());
    }

    /// Lets so many connections past their gates.
    pub(crate) fn open(&self, amount: usize) {
        self.shared.gate.add_permits(amount);
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(tcp: TcpStream, tls: Option<TlsAcceptor>, shared: &Shared) -> io::Result<()> {
    let script = {
        let mut scripts = shared.scripts.lock().unwrap();
        if scripts.len() > 1 { scripts.pop_front().unwrap() } else { scripts[0].clone() }
    };
    match tls {
        Some(tls) => play(tls.accept(tcp).await?, &script, shared).await,
        None => play(tcp, &script, shared).await,
    }
}

/// A connection that can be reset.
trait Wire: AsyncRead + AsyncWrite + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Wire for tokio_rustls::server::TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

async fn play(mut wire: impl Wire, script: &[Step], shared: &Shared) -> io::Result<()> {
    for step in script {
        match step {
            Step::Read => {
                let got = read(&mut wire).await?;
                shared.got.lock().unwrap().push(got);
                shared.count.send_modify(|count| *count += 1);
            }
            Step::Send(text) => {
                wire.write_all(text.as_bytes()).await?;
                wire.flush().await?;
            }
            Step::Flood(text) => loop {
                wire.write_all(text.as_bytes()).await?;
                wire.flush().await?;
            },
            Step::Echo(name) => {
                let last = shared.got.lock().unwrap().last().unwrap().body.clone();
                let asked: serde_json::Value = serde_json::from_slice(&last).unwrap();
                let said = serde_json::json!({ *name: asked["challenge"] });
                wire.write_all(format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{said}").as_bytes())
                    .await?;
            }
            Step::Stall => while wire.read(&mut [0; 1024]).await? > 0 {},
            Step::Gate => shared.gate.acquire().await.unwrap().forget(),
            Step::Reset => {
                wire.tcp().set_zero_linger()?;
                return Ok(());
            }
        }
    }
    wire.shutdown().await
}

async fn read(wire: &mut (impl AsyncRead + Unpin)) -> io::Result<Got> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(wire.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let target = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut got = Got { target, headers, body: Vec::new() };
    got.body = vec![0; got.header("content-length").map_or(0, |length| length.parse().unwrap())];
    wire.read_exact(&mut got.body).await?;
    Ok(got)
}

/// A server that vouches for itself.
pub(crate) fn self_signed() -> ServerConfig {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap()
}
