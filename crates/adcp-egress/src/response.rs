//! What came back.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// An answer, whatever its status: a redirect too is returned and never followed.
/// `Debug` shows no value of a header, and no body.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body as it was sent, without any decompression, up to [`body_bytes`](crate::Limits::body_bytes).
    pub body: Vec<u8>,
    /// Whether more of the body was left unread.
    pub truncated: bool,
    /// Who answered: one of the addresses that were checked.
    pub peer: SocketAddr,
    /// Whether the connection had served another exchange before.
    pub reused: bool,
    /// How long the steps took.
    pub timings: Timings,
}

impl Response {
    /// The first value of the header `name`, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        str::from_utf8(value).ok()
    }

    /// Whether the status is one of success, from 200 to 299.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status <= 299
    }

    /// Where a redirect points to. It is for the operator's eyes: nobody goes there.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        if (300..400).contains(&self.status) { self.header("location") } else { None }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &names)
            .field("body_bytes", &self.body.len())
            .field("truncated", &self.truncated)
            .field("peer", &self.peer)
            .field("reused", &self.reused)
            .field("timings", &self.timings)
            .finish()
    }
}

/// How long each step took. A step that did not happen has none: a connection in use needs no name and no handshake.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timings {
    /// Resolving the name.
    pub resolve: Option<Duration>,
    /// The TCP connection.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub handshake: Option<Duration>,
    /// Sending the request and waiting for the head of the answer.
    pub head: Option<Duration>,
    /// The body of the answer.
    pub body: Option<Duration>,
    /// All of it.
    pub total: Duration,
}
