//! Work that goes on beside the calls of an agent and must be started and stopped with it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::Registry;

/// Something that runs as long as its agent does.
#[async_trait]
pub trait Background: fmt::Debug + Send + Sync + 'static {
    /// Begins to work on what `registry` holds. Called once, inside a runtime, before the first call is answered.
    fn start(&self, registry: Arc<dyn Registry>);

    /// Finishes what is under way and takes nothing new. Returns after `within` at the latest.
    async fn drain(&self, within: Duration);

    /// Whether it can do its work.
    fn is_healthy(&self) -> bool;
}

/// Shared, so that whoever started it can look at it.
#[async_trait]
impl<T: Background + ?Sized> Background for Arc<T> {
    fn start(&self, registry: Arc<dyn Registry>) {
        T::start(self, registry);
    }

    async fn drain(&self, within: Duration) {
        T::drain(self, within).await;
    }

    fn is_healthy(&self) -> bool {
        T::is_healthy(self)
    }
}

/// Carries queued events to their receivers.
pub trait Delivery: Background {
    /// Says whether an address that a buyer registers can ever be called.
    ///
    /// # Errors
    ///
    /// [`Inadmissible`], with what the address should be like.
    fn admits(&self, url: &str) -> Result<(), Inadmissible>;

    /// What receivers have to know of how it delivers. The agent tells them in its capabilities, so it stays the same.
    fn terms(&self) -> DeliveryTerms;
}

/// How notifications are authenticated, and for how long they are tried.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeliveryTerms {
    /// How long an event is tried at most.
    pub horizon: Duration,
    /// Names of the algorithms that sign, as signatures give them: `ed25519`. None when nothing is signed.
    pub algorithms: Vec<String>,
    /// Whether a registration may ask for HMAC-SHA256 in place of a signature.
    pub hmac: bool,
}

impl DeliveryTerms {
    /// A delivery that signs nothing.
    #[must_use]
    pub const fn new(horizon: Duration) -> Self {
        Self { horizon, algorithms: Vec::new(), hmac: false }
    }

    /// Adds an algorithm that signs.
    #[must_use]
    pub fn with_algorithm(mut self, name: impl Into<String>) -> Self {
        self.algorithms.push(name.into());
        self
    }

    /// Says that HMAC-SHA256 is understood.
    #[must_use]
    pub const fn with_hmac(mut self) -> Self {
        self.hmac = true;
        self
    }
}

/// An address that will never be called. Its words reach the buyer: they say what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Inadmissible(pub String);
