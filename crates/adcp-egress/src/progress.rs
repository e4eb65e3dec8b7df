//! How far an exchange has come, so that whatever ends it can be told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

use crate::error::{Cause, EgressError, Failure, Stage};
use crate::{Refusal, Timings};

/// Why a step was not finished.
pub(crate) enum Trouble {
    Refused(Refusal),
    Failed(Cause, Option<Box<dyn std::error::Error + Send + Sync>>),
}

impl From<Cause> for Trouble {
    fn from(cause: Cause) -> Self {
        Self::Failed(cause, None)
    }
}

/// What is known of an exchange.
pub(crate) struct Progress {
    begun: Instant,
    stage: Stage,
    entered: Option<Instant>,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) reused: bool,
    pub(crate) status: Option<u16>,
    timings: Timings,
    /// The count of bytes that came, and what it was when the request went out.
    received: Option<(Arc<AtomicU64>, u64)>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            begun: Instant::now(),
            stage: Stage::Resolve,
            entered: None,
            peer: None,
            reused: false,
            status: None,
            timings: Timings::default(),
            received: None,
        }
    }

    /// Begins a step, and ends the one before.
    pub(crate) fn enter(&mut self, stage: Stage) {
        self.leave();
        self.stage = stage;
        self.entered = Some(Instant::now());
    }

    /// Ends the step that was begun.
    pub(crate) fn leave(&mut self) {
        let Some(entered) = self.entered.take() else { return };
        let took = match self.stage {
            Stage::Resolve => &mut self.timings.resolve,
            Stage::Connect => &mut self.timings.connect,
            Stage::Handshake => &mut self.timings.handshake,
            Stage::Head => &mut self.timings.head,
            Stage::Body => &mut self.timings.body,
        };
        *took = Some(entered.elapsed());
    }

    /// Watches the bytes that come from now on.
    pub(crate) fn watch(&mut self, received: &Arc<AtomicU64>) {
        self.received = Some((Arc::clone(received), received.load(Ordering::Relaxed)));
    }

    pub(crate) fn timings(&mut self) -> Timings {
        self.leave();
        self.timings.total = self.begun.elapsed();
        self.timings
    }

    /// What the caller is told.
    pub(crate) fn into_error(mut self, trouble: Trouble) -> EgressError {
        let (cause, source) = match trouble {
            Trouble::Refused(refusal) => return EgressError::Refused(refusal),
            Trouble::Failed(cause, source) => (cause, source),
        };
        let came = |(count, before): &(Arc<AtomicU64>, u64)| count.load(Ordering::Relaxed) > *before;
        EgressError::Failed(Failure {
            stage: self.stage,
            cause,
            peer: self.peer,
            reused: self.reused,
            answered: self.received.as_ref().is_some_and(came),
            status: self.status,
            timings: self.timings(),
            source,
        })
    }
}
