//! Receivers that misbehave, on purpose and within bounds.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::http::{self, Reply};
use crate::args::Failing;

/// The longest that a sender is kept: well beyond what one waits.
const LONGEST: Duration = Duration::from_secs(90);
/// The pause between two bytes of something slow.
const PAUSE: Duration = Duration::from_secs(1);

impl Failing {
    /// In a word, for people and for JSON.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            Self::Reset => "reset".to_owned(),
            Self::SlowHeaders => "slow-headers".to_owned(),
            Self::SlowBody => "slow-body".to_owned(),
            Self::Endless => "endless".to_owned(),
            Self::Hang => "hang".to_owned(),
            Self::Redirect(_) => "redirect".to_owned(),
        }
    }

    /// Whether a sender takes it for success: it says so in its first line.
    pub(super) const fn looks_well(&self) -> bool {
        matches!(self, Self::SlowBody | Self::Endless | Self::Status(200..=299))
    }

    /// Whether it is over at once.
    pub(super) const fn is_quick(&self) -> bool {
        matches!(self, Self::Status(_) | Self::Redirect(_) | Self::Reset)
    }

    /// Does it, until the sender leaves.
    pub(super) async fn act(&self, mut stream: TcpStream, retry_after: Option<u32>) -> io::Result<()> {
        let acting = async {
            match self {
                Self::Status(status) => {
                    let mut reply = Reply::error(*status, "told_to_fail");
                    reply.headers.extend(retry_after.map(|seconds| ("retry-after", seconds.to_string())));
                    http::answer(&mut stream, &reply).await
                }
                Self::Redirect(to) => {
                    let mut reply = Reply::error(307, "told_to_redirect");
                    reply.headers.push(("location", to.clone()));
                    http::answer(&mut stream, &reply).await
                }
                Self::Reset => stream.set_zero_linger(),
                Self::Hang => leave(&mut stream).await,
                Self::SlowHeaders => drip(&mut stream, "HTTP/1.1 200 OK\r\n", "x").await,
                Self::SlowBody => {
                    drip(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", "x").await
                }
                Self::Endless => flood(&mut stream).await,
            }
        };
        tokio::time::timeout(LONGEST, acting).await.unwrap_or(Ok(()))
    }
}

/// Waits for the sender to leave.
async fn leave(stream: &mut TcpStream) -> io::Result<()> {
    let mut rest = [0; 4096];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

async fn drip(stream: &mut TcpStream, head: &str, drop: &str) -> io::Result<()> {
    stream.write_all(head.as_bytes()).await?;
    let (mut from, mut to) = stream.split();
    let dripping = async {
        loop {
            tokio::time::sleep(PAUSE).await;
            to.write_all(drop.as_bytes()).await?;
        }
    };
    let mut rest = [0; 4096];
    let leaving = async {
        while from.read(&mut rest).await? > 0 {}
        Ok(())
    };
    tokio::select! { done = dripping => done, done = leaving => done }
}

async fn flood(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n").await?;
    let much = vec![b'x'; 16 * 1024];
    loop {
        stream.write_all(&much).await?;
    }
}
