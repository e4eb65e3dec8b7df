//! As much HTTP as a receiver of webhooks needs: one request a connection, bounded in every way.

use std::io;
use std::time::Duration;

use adcp_webhooks::WebhookReceiver;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest head of a request, and of the lines between chunks.
const MAX_HEAD: usize = 64 * 1024;
/// Bytes of a body that is too long which are read all the same, so that the answer is heard.
const MAX_DRAINED: usize = 4 * 1024 * 1024;
/// How long a whole request may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a sender may take to hang up after the answer.
const GOODBYE: Duration = Duration::from_secs(1);

/// A request as it came.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The value of a field that occurs once, as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let (Some((_, value)), None) = (found.next(), found.next()) else { return None };
        str::from_utf8(value).ok()
    }
}

/// Why there is no request.
#[derive(Debug)]
pub(crate) enum Unread {
    /// The connection ended, or took too long.
    Gone,
    /// What came is not HTTP, or not of a kind that is read here.
    Malformed(&'static str),
    /// More than is read.
    TooLarge,
}

impl From<io::Error> for Unread {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Reply {
    /// An error in a word.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: serde_json::json!({ "error": code }).to_string() }
    }
}

/// Reads one request, within a time.
pub(crate) async fn read(stream: &mut TcpStream) -> Result<Request, Unread> {
    tokio::time::timeout(PATIENCE, read_all(stream)).await.unwrap_or(Err(Unread::Gone))
}

async fn read_all(stream: &mut TcpStream) -> Result<Request, Unread> {
    let mut input = Input { stream, buffer: Vec::new() };
    let head = input.until(b"\r\n\r\n").await?;
    let (method, target, headers) =
        parse_head(&head).ok_or(Unread::Malformed("this is no request of HTTP/1.1"))?;
    let mut request = Request { method, target, headers, body: Vec::new() };
    if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        input.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let has = |name: &str| request.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    request.body = match (has("transfer-encoding"), has("content-length")) {
        (false, false) => Vec::new(),
        (false, true) => {
            let length = request.header("content-length").and_then(|text| text.trim().parse().ok());
            input.exactly(length.ok_or(Unread::Malformed("its content-length is no number"))?).await?
        }
        // Two lengths are how requests are smuggled.
        (true, true) => return Err(Unread::Malformed("it has both a length and chunks")),
        (true, false)
            if request.header("transfer-encoding").is_some_and(|it| it.eq_ignore_ascii_case("chunked")) =>
        {
            input.chunks().await?
        }
        (true, false) => return Err(Unread::Malformed("its transfer-encoding is not chunked")),
    };
    Ok(request)
}

/// Bytes that came, and those that were read beyond what was asked for.
struct Input<'a> {
    stream: &'a mut TcpStream,
    buffer: Vec<u8>,
}

impl Input<'_> {
    async fn more(&mut self) -> Result<(), Unread> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 { Err(Unread::Gone) } else { Ok(()) }
    }

    /// Everything up to and with this end.
    async fn until(&mut self, end: &[u8]) -> Result<Vec<u8>, Unread> {
        loop {
            if let Some(at) = self.buffer.windows(end.len()).position(|window| window == end) {
                let rest = self.buffer.split_off(at + end.len());
                return Ok(std::mem::replace(&mut self.buffer, rest));
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(Unread::TooLarge);
            }
            self.more().await?;
        }
    }

    async fn exactly(&mut self, length: usize) -> Result<Vec<u8>, Unread> {
        if length > WebhookReceiver::MAX_BODY {
            let mut left = length.min(MAX_DRAINED).saturating_sub(self.buffer.len());
            while left > 0 {
                self.buffer.clear();
                self.more().await?;
                left = left.saturating_sub(self.buffer.len());
            }
            return Err(Unread::TooLarge);
        }
        while self.buffer.len() < length {
            self.more().await?;
        }
        let rest = self.buffer.split_off(length);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    async fn chunks(&mut self) -> Result<Vec<u8>, Unread> {
        let malformed = || Unread::Malformed("its chunks cannot be read");
        let mut body = Vec::new();
        loop {
            let line = self.until(b"\r\n").await?;
            let line = str::from_utf8(&line).map_err(|_| malformed())?;
            let digits = line.split([';', '\r']).next().unwrap_or_default().trim();
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(malformed());
            }
            match usize::from_str_radix(digits, 16).map_err(|_| Unread::TooLarge)? {
                // Trailers say nothing here.
                0 => {
                    while self.until(b"\r\n").await? != b"\r\n" {}
                    return Ok(body);
                }
                size if body.len().saturating_add(size) > WebhookReceiver::MAX_BODY => {
                    return Err(Unread::TooLarge);
                }
                size => {
                    body.append(&mut self.exactly(size).await?);
                    if self.exactly(2).await? != b"\r\n" {
                        return Err(malformed());
                    }
                }
            }
        }
    }
}

type Head = (String, String, Vec<(String, Vec<u8>)>);

fn parse_head(head: &[u8]) -> Option<Head> {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = str::from_utf8(lines.next()?).ok()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let is_http = words.next().is_some_and(|version| version.starts_with("HTTP/1."));
    if !is_http || words.next().is_some() || !target.starts_with('/') {
        return None;
    }
    let fields = lines.filter(|line| !line.is_empty()).map(field);
    Some((method.to_owned(), target.to_owned(), fields.collect::<Option<_>>()?))
}

/// A line of `name: value`.
pub(crate) fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let at = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = (&line[..at], &line[at + 1..]);
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if name.is_empty() || !name.iter().all(token) {
        return None;
    }
    Some((String::from_utf8(name.to_vec()).ok()?, value.trim_ascii().to_vec()))
}

/// Answers, and waits a moment for the sender to hang up: what it still sends would take the answer away.
pub(crate) async fn answer(stream: &mut TcpStream, reply: &Reply) -> io::Result<()> {
    let mut text = format!("HTTP/1.1 {} {}\r\n", reply.status, reason(reply.status));
    for (name, value) in &reply.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("connection: close\r\n");
    // Such an answer has no body, and no length of one.
    if matches!(reply.status, 204 | 304) {
        text.push_str("\r\n");
    } else {
        text.push_str(&format!("content-length: {}\r\n\r\n{}", reply.body.len(), reply.body));
    }
    let sending = async {
        stream.write_all(text.as_bytes()).await?;
        stream.shutdown().await
    };
    tokio::time::timeout(PATIENCE, sending).await??;
    let mut rest = [0; 4096];
    let leaving = async { while matches!(stream.read(&mut rest).await, Ok(1..)) {} };
    // Whoever stays has the answer all the same.
    let _ = tokio::time::timeout(GOODBYE, leaving).await;
    Ok(())
}

const fn reason(status: u16) -> &'static str {
    match status {
        200..=299 => "OK",
        300..=399 => "Elsewhere",
        400..=499 => "Refused",
        _ => "Failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_strictly() {
        let (method, target, headers) =
            parse_head(b"POST /hook?a=b HTTP/1.1\r\nHost: a\r\nX-Y:  z \r\n\r\n").unwrap();
        assert_eq!((method.as_str(), target.as_str()), ("POST", "/hook?a=b"));
        assert_eq!(headers, [("Host".to_owned(), b"a".to_vec()), ("X-Y".to_owned(), b"z".to_vec())]);
        for wrong in [
            &b"POST / HTTP/2\r\n\r\n"[..],
            b"POST http://a/ HTTP/1.1\r\n\r\n",
            b"POST / HTTP/1.1 x\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost : a\r\n\r\n",
            b"POST / HTTP/1.1\r\n folded\r\n\r\n",
            b"\xff\r\n\r\n",
            b"",
        ] {
            assert!(parse_head(wrong).is_none(), "{}", String::from_utf8_lossy(wrong));
        }
    }
}
