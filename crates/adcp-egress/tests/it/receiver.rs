//! Receivers on loopback that do what a script says, resolvers that do so too, and certificates.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adcp_egress::{Egress, EgressBuilder, Resolve};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// The name of every receiver that has one.
pub(crate) const NAME: &str = "hooks.buyer.example";

/// An answer with a short body.
pub(crate) const OK: Step = Step::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");

/// One thing that a receiver does on a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// Reads a whole request.
    Read,
    /// Sends these bytes.
    Send(&'static [u8]),
    /// Sends these bytes until nobody takes them any more.
    Flood(&'static [u8]),
    /// Does nothing until the other side ends the connection.
    Stall,
    /// Ends the connection at once, with a reset. Otherwise it ends in order, after the last step.
    Reset,
}

/// A receiver that plays a script on each connection.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
    names: Arc<Mutex<Vec<Option<String>>>>,
    ended: Arc<Semaphore>,
    accepting: JoinHandle<()>,
}

impl Receiver {
    /// Without TLS.
    pub(crate) async fn plain(script: &[Step]) -> Self {
        Self::start(Ipv4Addr::LOCALHOST.into(), script, None).await
    }

    /// With TLS.
    pub(crate) async fn secure(script: &[Step], config: ServerConfig) -> Self {
        Self::start(Ipv4Addr::LOCALHOST.into(), script, Some(config)).await
    }

    /// At this address.
    pub(crate) async fn start(address: IpAddr, script: &[Step], tls: Option<ServerConfig>) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let script: Arc<[Step]> = script.into();
        let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
        let (accepted, requests) = (Arc::<AtomicUsize>::default(), Arc::default());
        let names = Arc::<Mutex<Vec<Option<String>>>>::default();
        let ended = Arc::new(Semaphore::new(0));
        let over = Arc::clone(&ended);
        let (count, log, sni) = (Arc::clone(&accepted), Arc::clone(&requests), Arc::clone(&names));
        let accepting = tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let (script, tls) = (Arc::clone(&script), tls.clone());
                let (log, sni) = (Arc::clone(&log), Arc::clone(&sni));
                let over = Arc::clone(&over);
                tokio::spawn(async move {
                    // A script that cannot be played to its end is what many tests are about.
                    let _ = serve(tcp, tls, &script, &log, &sni).await;
                    over.add_permits(1);
                });
            }
        });
        Self { address, accepted, requests, names, ended, accepting }
    }

    /// A url of this receiver, by its name.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{NAME}:{}{path}", self.address.port())
    }

    /// A url of this receiver, by its address and without TLS.
    pub(crate) fn plain_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many connections came.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// The requests that came, as they were sent.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The names that were asked for in the TLS handshakes.
    pub(crate) fn names(&self) -> Vec<Option<String>> {
        self.names.lock().unwrap().clone()
    }
}

impl Receiver {
    /// Waits until a connection has ended, in whatever way.
    pub(crate) async fn ended(&self) {
        let ended = tokio::time::timeout(Duration::from_secs(9), self.ended.acquire()).await;
        ended.expect("the connection is still open").unwrap().forget();
    }
}

async fn serve(
    tcp: TcpStream,
    tls: Option<TlsAcceptor>,
    script: &[Step],
    log: &Mutex<Vec<String>>,
    names: &Mutex<Vec<Option<String>>>,
) -> io::Result<()> {
    let Some(tls) = tls else { return play(tcp, script, log).await };
    let stream = tls.accept(tcp).await?;
    names.lock().unwrap().push(stream.get_ref().1.server_name().map(str::to_owned));
    play(stream, script, log).await
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// A connection that can be reset.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Unpin {
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

async fn play(mut wire: impl Wire, script: &[Step], log: &Mutex<Vec<String>>) -> io::Result<()> {
    for step in script {
        match step {
            Step::Read => {
                let request = read_request(&mut wire).await?;
                log.lock().unwrap().push(request);
            }
            Step::Send(bytes) => {
                wire.write_all(bytes).await?;
                wire.flush().await?;
            }
            Step::Flood(bytes) => loop {
                wire.write_all(bytes).await?;
                wire.flush().await?;
            },
            Step::Stall => while wire.read(&mut [0; 1024]).await? > 0 {},
            Step::Reset => {
                wire.tcp().set_zero_linger()?;
                return Ok(());
            }
        }
    }
    wire.shutdown().await
}

async fn read_request(wire: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut request = Vec::new();
    loop {
        let byte = wire.read_u8().await?;
        request.push(byte);
        if request.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let head = String::from_utf8(request.clone()).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    wire.read_exact(&mut body).await?;
    request.extend(body);
    Ok(String::from_utf8(request).unwrap())
}

/// A resolver that answers what it was told, the last of it for ever, and counts.
#[derive(Debug, Clone)]
pub(crate) struct Scripted {
    answers: Arc<Mutex<VecDeque<Vec<IpAddr>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    pub(crate) fn new(answers: &[&[&str]]) -> Self {
        let read = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        Self { answers: Arc::new(Mutex::new(answers.iter().map(read).collect())), asked: Arc::default() }
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait::async_trait]
impl Resolve for Scripted {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut answers = self.answers.lock().unwrap();
        if answers.len() > 1 { Ok(answers.pop_front().unwrap()) } else { Ok(answers[0].clone()) }
    }
}

/// A resolver to which every name is this machine.
pub(crate) fn here() -> Scripted {
    Scripted::new(&[&["127.0.0.1"]])
}

/// A certificate authority of the tests.
pub(crate) struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    pem: String,
}

/// From when to when a certificate is valid.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Valid {
    Now,
    Before,
    Later,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: rcgen::Issuer::new(params, key), pem }
    }

    /// What a client needs to believe its certificates.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// A server that shows a certificate for `names`.
    pub(crate) fn server(&self, names: &[&str], valid: Valid) -> ServerConfig {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params(names, valid).signed_by(&key, &self.issuer).unwrap();
        server(&certificate, &key)
    }

    /// A way out that believes this authority and reaches loopback; every name is this machine.
    pub(crate) fn egress(&self) -> Egress {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> EgressBuilder {
        Egress::builder()
            .without_system_certificates()
            .root_certificates(self.pem())
            .allow_loopback_http()
            .resolver(here())
    }
}

/// A server that vouches for itself.
pub(crate) fn self_signed(names: &[&str]) -> ServerConfig {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params(names, Valid::Now).self_signed(&key).unwrap();
    server(&certificate, &key)
}

fn params(names: &[&str], valid: Valid) -> rcgen::CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = rcgen::CertificateParams::new(names).unwrap();
    let (from, until) = match valid {
        Valid::Now => (2001, 4001),
        Valid::Before => (2001, 2002),
        Valid::Later => (4001, 4002),
    };
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    params
}

fn server(certificate: &rcgen::Certificate, key: &rcgen::KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap()
}
