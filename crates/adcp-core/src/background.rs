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
}

/// An address that will never be called. Its words reach the buyer: they say what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Inadmissible(pub String);
