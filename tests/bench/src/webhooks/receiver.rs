//! A process of its own that receives: many ports, a hyper server on each, and a count of what came.
//!
//! It is told what to do by lines on its input and answers each with a line. When its input ends, so does it.

use std::convert::Infallible;
use std::io::{BufRead as _, Write as _};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::now_micros;

/// What came in one round.
struct Round {
    /// When each event came first; zero is never.
    arrived: Vec<AtomicI64>,
    requests: AtomicU64,
    signed: AtomicU64,
    bytes: AtomicU64,
}

impl Round {
    fn of(events: usize) -> Self {
        Self {
            arrived: (0..events).map(|_| AtomicI64::new(0)).collect(),
            requests: AtomicU64::new(0),
            signed: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    fn distinct(&self) -> usize {
        self.arrived.iter().filter(|at| at.load(Ordering::Relaxed) != 0).count()
    }
}

struct Shared {
    round: RwLock<Arc<Round>>,
    /// So many ports, the first ones, never answer.
    hanging: AtomicUsize,
    /// How many milliseconds pass before an answer.
    distance: AtomicU64,
}

impl Shared {
    fn round(&self) -> Arc<Round> {
        Arc::clone(&self.round.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Listens on so many ports, prints them, and does what its input says.
pub(crate) fn run(ports: &str) -> anyhow::Result<()> {
    let ports: usize = ports.parse().context("the receiver takes a number of ports")?;
    let shared = Arc::new(Shared {
        round: RwLock::new(Arc::new(Round::of(0))),
        hanging: AtomicUsize::new(0),
        distance: AtomicU64::new(0),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut bound = Vec::with_capacity(ports);
    for port in 0..ports {
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        bound.push(listener.local_addr()?.port().to_string());
        runtime.spawn(accept(listener, port, Arc::clone(&shared)));
    }
    println!("{}", bound.join(" "));
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let answer = match line.split(' ').collect::<Vec<_>>()[..] {
            ["round", events] => {
                let round = Arc::new(Round::of(events.parse()?));
                *shared.round.write().unwrap_or_else(PoisonError::into_inner) = round;
                "ok".to_owned()
            }
            ["hang", ports] => {
                shared.hanging.store(ports.parse()?, Ordering::Relaxed);
                "ok".to_owned()
            }
            ["distance", millis] => {
                shared.distance.store(millis.parse()?, Ordering::Relaxed);
                "ok".to_owned()
            }
            ["requests"] => shared.round().requests.load(Ordering::Relaxed).to_string(),
            ["report"] => {
                let round = shared.round();
                let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
                let counts = (read(&round.requests), read(&round.signed), read(&round.bytes));
                format!("{} {} {} {}", round.distinct(), counts.0, counts.1, counts.2)
            }
            ["times"] => {
                let round = shared.round();
                let times = round.arrived.iter().map(|at| at.load(Ordering::Relaxed).to_string());
                times.collect::<Vec<_>>().join(" ")
            }
            _ => anyhow::bail!("the receiver does not know `{line}`"),
        };
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    runtime.shutdown_background();
    Ok(())
}

async fn accept(listener: TcpListener, port: usize, shared: Arc<Shared>) {
    while let Ok((tcp, _)) = listener.accept().await {
        let _ = tcp.set_nodelay(true);
        tokio::spawn(serve(tcp, port, Arc::clone(&shared)));
    }
}

async fn serve(tcp: TcpStream, port: usize, shared: Arc<Shared>) {
    let service = service_fn(|request| answer(request, port, &shared));
    // Whoever sends ends connections as it likes.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(tcp), service).await;
}

/// Reads the whole request, notes which event it was, and answers 200 without a body.
async fn answer(
    request: Request<Incoming>,
    port: usize,
    shared: &Shared,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let number = request.uri().path().rsplit('/').next().and_then(|number| number.parse::<usize>().ok());
    let signed = request.headers().contains_key("signature");
    let bytes = request.into_body().collect().await.map_or(0, |body| body.to_bytes().len());
    let round = shared.round();
    round.signed.fetch_add(u64::from(signed), Ordering::Relaxed);
    round.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    if let Some(at) = number.and_then(|number| round.arrived.get(number)) {
        let _ = at.compare_exchange(0, now_micros(), Ordering::Relaxed, Ordering::Relaxed);
    }
    round.requests.fetch_add(1, Ordering::Relaxed);
    if port < shared.hanging.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
    let distance = shared.distance.load(Ordering::Relaxed);
    if distance > 0 {
        tokio::time::sleep(Duration::from_millis(distance)).await;
    }
    Ok(Response::new(Empty::new()))
}
