//! `--metrics`: what is counted and measured, as text for Prometheus, on an address of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::exit::{Exit, Failure};
use crate::seller;

/// The longest request that is read, in bytes.
const LONGEST: usize = 8 * 1024;

/// How long one scraper may take for its request and our answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Scrapers that are answered at once; more wait.
const SCRAPERS: usize = 8;

/// The pause between two looks at what nobody scraped.
const UPKEEP: Duration = Duration::from_secs(5);

/// An open address, and what is told there.
#[derive(Debug)]
pub(crate) struct Metrics {
    listener: TcpListener,
    at: SocketAddr,
    values: PrometheusHandle,
}

impl Metrics {
    /// Opens the address and counts from now on, for the whole process.
    pub(crate) async fn open(bind: &str) -> Result<Self, Failure> {
        // A port alone is one of this machine's: who may read the numbers elsewhere is said, not assumed.
        let bind = if bind.contains(':') { bind.to_owned() } else { format!("127.0.0.1:{bind}") };
        let found = seller::resolve(&bind)?;
        let cannot =
            |error| Failure::new(Exit::Broken, format!("cannot listen on {bind} for metrics")).because(error);
        let listener = TcpListener::bind(&*found).await.map_err(cannot)?;
        let at = listener.local_addr().map_err(cannot)?;
        let values = PrometheusBuilder::new()
            .install_recorder()
            .map_err(|error| Failure::new(Exit::Broken, "cannot count").because(error))?;
        Ok(Self { listener, at, values })
    }

    /// Where scrapers find it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/metrics", self.at)
    }

    /// Answers until it is dropped.
    pub(crate) async fn serve(self) {
        let places = Arc::new(Semaphore::new(SCRAPERS));
        let mut upkeep = tokio::time::interval(UPKEEP);
        loop {
            tokio::select! {
                _ = upkeep.tick() => self.values.run_upkeep(),
                accepted = self.accept(&places) => {
                    let Some((stream, place)) = accepted else { continue };
                    let values = self.values.clone();
                    tokio::spawn(async move {
                        // A scraper that goes away has what it wanted.
                        let _ = tokio::time::timeout(PATIENCE, answer(stream, &values)).await;
                        drop(place);
                    });
                }
            }
        }
    }

    async fn accept(
        &self,
        places: &Arc<Semaphore>,
    ) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
        let place = Arc::clone(places).acquire_owned().await.ok()?;
        match self.listener.accept().await {
            Ok((stream, _)) => Some((stream, place)),
            Err(error) => {
                tracing::warn!(%error, "a scraper of metrics could not be heard");
                // Out of descriptors, most likely: trying at once would not find any.
                tokio::time::sleep(Duration::from_millis(100)).await;
                None
            }
        }
    }
}

async fn answer(mut stream: TcpStream, values: &PrometheusHandle) -> std::io::Result<()> {
    let Some(head) = head(&mut stream).await? else { return Ok(()) };
    let (status, body) = match request(&head) {
        Some(("GET" | "HEAD", "/metrics")) => ("200 OK", values.render()),
        Some(("GET" | "HEAD", _)) => ("404 Not Found", "see /metrics\n".to_owned()),
        Some(_) => ("405 Method Not Allowed", "GET only\n".to_owned()),
        None => ("400 Bad Request", "not understood\n".to_owned()),
    };
    let mut text = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    if !head.starts_with("HEAD ") {
        text.push_str(&body);
    }
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

/// What comes before the body of a request; `None` when that is too long.
async fn head(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let mut read = Vec::new();
    while !read.windows(4).any(|end| end == b"\r\n\r\n") {
        if read.len() > LONGEST || stream.read_buf(&mut read).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(String::from_utf8_lossy(&read).into_owned()))
}

/// The method of a request, and the path without its query.
fn request(head: &str) -> Option<(&str, &str)> {
    let mut words = head.lines().next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    words.next()?.starts_with("HTTP/1.").then_some((method, target.split('?').next().unwrap_or(target)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_by_their_first_line() {
        let cases = [
            ("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", Some(("GET", "/metrics"))),
            ("GET /metrics?name=x HTTP/1.0\r\n\r\n", Some(("GET", "/metrics"))),
            ("POST / HTTP/1.1\r\n\r\n", Some(("POST", "/"))),
            ("GET /metrics\r\n\r\n", None),
            ("GET /metrics SPDY/3\r\n\r\n", None),
            ("\r\n\r\n", None),
        ];
        for (head, want) in cases {
            assert_eq!(request(head), want, "{head:?}");
        }
    }
}
