//! How long each step of an exchange may take, and how much of an answer is read.

use std::time::Duration;

/// The bounds of one exchange. Every step has its own, and `total` holds for all of them together.
///
/// The defaults are those of the protocol: ten seconds a step, thirty in total, 5 MB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// For the name to be resolved. Default 5 seconds.
    pub resolve: Duration,
    /// For a TCP connection, over all addresses that are tried. Default 10 seconds.
    pub connect: Duration,
    /// For the TLS handshake. Default 10 seconds.
    pub handshake: Duration,
    /// For the request to be sent and the head of the answer to arrive. Default 10 seconds.
    pub head: Duration,
    /// For the body of the answer. Default 10 seconds.
    pub body: Duration,
    /// For everything. Default 30 seconds.
    pub total: Duration,
    /// How many bytes of a body are read; the rest is cut off. Default 5,000,000.
    pub body_bytes: usize,
}

impl Limits {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        let step = Duration::from_secs(10);
        Self {
            resolve: Duration::from_secs(5),
            connect: step,
            handshake: step,
            head: step,
            body: step,
            total: Duration::from_secs(30),
            body_bytes: 5_000_000,
        }
    }

    /// Sets how long a name may take to be resolved.
    #[must_use]
    pub const fn with_resolve(mut self, limit: Duration) -> Self {
        self.resolve = limit;
        self
    }

    /// Sets how long a TCP connection may take.
    #[must_use]
    pub const fn with_connect(mut self, limit: Duration) -> Self {
        self.connect = limit;
        self
    }

    /// Sets how long a TLS handshake may take.
    #[must_use]
    pub const fn with_handshake(mut self, limit: Duration) -> Self {
        self.handshake = limit;
        self
    }

    /// Sets how long the head of an answer may take, the sending of the request included.
    #[must_use]
    pub const fn with_head(mut self, limit: Duration) -> Self {
        self.head = limit;
        self
    }

    /// Sets how long the body of an answer may take.
    #[must_use]
    pub const fn with_body(mut self, limit: Duration) -> Self {
        self.body = limit;
        self
    }

    /// Sets how long everything together may take.
    #[must_use]
    pub const fn with_total(mut self, limit: Duration) -> Self {
        self.total = limit;
        self
    }

    /// Sets how many bytes of a body are read.
    #[must_use]
    pub const fn with_body_bytes(mut self, bytes: usize) -> Self {
        self.body_bytes = bytes;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
