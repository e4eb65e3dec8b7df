//! What can go wrong, and what the caller can do then.

use std::net::SocketAddr;

use crate::{Network, NotANetwork, Refusal, Timings};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EgressError {
    /// The address must not be called, and never will be. Nothing was sent.
    #[error("the address must not be called: {0}")]
    Refused(Refusal),
    /// The request is not one that can be sent. Nothing was sent; the fault is in the calling program.
    #[error("the request cannot be sent: {0}")]
    Misused(Misuse),
    /// The exchange was begun and not finished. The same request may succeed later.
    #[error(transparent)]
    Failed(Failure),
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "it helps or it does not")]
pub enum Class {
    /// It cannot: the url, the request or the policy has to change first.
    Permanent,
    /// It can: the network or the other side may be in another state later.
    Transient,
}

impl EgressError {
    /// Whether the same request can succeed later.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Refused(_) | Self::Misused(_) => Class::Permanent,
            Self::Failed(_) => Class::Transient,
        }
    }

    /// The refusal, if this is one.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        if let Self::Refused(refusal) = self { Some(refusal) } else { None }
    }

    /// The failure, if this is one.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        if let Self::Failed(failure) = self { Some(failure) } else { None }
    }
}

/// What is wrong with a request itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// It follows from the url, the body or the connection.
    #[error("the header `{0}` is not the caller's to set")]
    Reserved(String),
    /// Not a name of a header.
    #[error("`{0}` is not a name of a header")]
    HeaderName(String),
    /// The value, which is not shown, holds a character that no header may hold.
    #[error("the value of the header `{0}` holds a forbidden character")]
    HeaderValue(String),
}

/// An exchange that was not finished.
#[derive(Debug, thiserror::Error)]
#[error("{}", .cause.words(*.stage))]
pub struct Failure {
    pub(crate) stage: Stage,
    pub(crate) cause: Cause,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) reused: bool,
    pub(crate) answered: bool,
    pub(crate) status: Option<u16>,
    pub(crate) timings: Timings,
    #[source]
    pub(crate) source: Option<BoxError>,
}

/// The steps of an exchange, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The name is resolved.
    Resolve,
    /// A TCP connection is opened.
    Connect,
    /// TLS agrees on keys, and the certificate is checked.
    Handshake,
    /// The request is sent, and the head of the answer awaited.
    Head,
    /// The body of the answer is read.
    Body,
}

/// What happened to an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// A [limit](crate::Limits) of time passed.
    TimedOut,
    /// The name leads nowhere, or the resolver could not say.
    Unresolved,
    /// No address took the connection.
    Unreachable,
    /// The certificate does not show that this is the host: another name, expired, or not signed by a trusted one.
    Untrusted,
    /// The two could not agree on how to use TLS.
    NoTls,
    /// The other side ended the connection too early.
    Closed,
    /// What came is not HTTP.
    Malformed,
    /// The head of the answer is larger than it may be.
    TooLarge,
}

impl Failure {
    /// The step that was not finished.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// What happened.
    #[must_use]
    pub const fn cause(&self) -> Cause {
        self.cause
    }

    /// The address that was called last.
    #[must_use]
    pub const fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// The status, when the head of the answer had arrived.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.status
    }

    /// How long the steps took that were taken.
    #[must_use]
    pub const fn timings(&self) -> &Timings {
        &self.timings
    }

    /// All that is known of what happened, for an operator: the words of every error beneath, the outermost first.
    ///
    /// They may show names of certificates and addresses, so they are not for whoever supplied the url.
    #[must_use]
    pub fn detail(&self) -> String {
        let mut detail = self.to_string();
        let mut next = std::error::Error::source(self);
        while let Some(error) = next {
            let words = error.to_string();
            // An error that wraps another often has its words.
            if !detail.ends_with(&words) {
                detail.push_str(": ");
                detail.push_str(&words);
            }
            next = error.source();
        }
        detail
    }

    /// Whether the connection had served another exchange before.
    #[must_use]
    pub const fn reused(&self) -> bool {
        self.reused
    }

    /// Whether a connection that had served before turned out to be gone, before any byte of an answer.
    ///
    /// The other side most likely closed it meanwhile and never saw the request, so that a second try at once, on a
    /// new connection, makes sense. It is the caller's to decide: the request may have arrived after all.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.reused && !self.answered && self.cause == Cause::Closed
    }
}

impl Cause {
    const fn words(self, stage: Stage) -> &'static str {
        match (self, stage) {
            (Self::TimedOut, Stage::Resolve) => "the name was not resolved in time",
            (Self::TimedOut, Stage::Connect) => "no connection was made in time",
            (Self::TimedOut, Stage::Handshake) => "the TLS handshake took too long",
            (Self::TimedOut, Stage::Head) => "no answer came in time",
            (Self::TimedOut, Stage::Body) => "the answer did not end in time",
            (Self::Unresolved, _) => "the name could not be resolved",
            (Self::Unreachable, _) => "no connection could be made",
            (Self::Untrusted, _) => "the certificate is not trusted",
            (Self::NoTls, _) => "the TLS handshake failed",
            (Self::Closed, Stage::Handshake) => "the connection ended during the TLS handshake",
            (Self::Closed, Stage::Body) => "the connection ended within the answer",
            (Self::Closed, _) => "the connection ended before an answer",
            (Self::Malformed, _) => "the answer is not HTTP",
            (Self::TooLarge, _) => "the head of the answer is too large",
        }
    }
}

/// Why a way out cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A network that holds what must never be called, or nothing that is closed.
    #[error("{0} cannot be opened; name a part of one private block, such as 10.20.0.0/16")]
    Network(Network),
    /// Not a network at all.
    #[error(transparent)]
    NotANetwork(#[from] NotANetwork),
    /// Port 0 is no port.
    #[error("port 0 cannot be called; name ports from 1 to 65535")]
    Port,
    /// A bound below which no answer could be read.
    #[error("`{0}` is too small; use at least {1}")]
    TooSmall(&'static str, usize),
    /// The certificates could not be read.
    #[error("the root certificates cannot be used")]
    BadCertificates(#[source] BoxError),
    /// Nothing is trusted, so every call by https would fail.
    #[error("no root certificate is known; install the machine's, or give your own")]
    NoCertificates,
    /// TLS cannot be set up on this machine.
    #[error("TLS cannot be set up")]
    NoTls(#[source] BoxError),
}
