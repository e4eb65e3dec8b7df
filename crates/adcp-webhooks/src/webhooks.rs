//! The worker as an agent holds it: started, drained and watched with it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adcp_core::{Background, Delivery, DeliveryTerms, Inadmissible, Registry};
use adcp_signing::{Algorithm, Signer};
use async_trait::async_trait;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::DropGuard;

use crate::attempt::Sender;
use crate::challenge::{Challenge, NotProven};
use crate::config::{BadWebhooks, WebhooksBuilder};
use crate::worker::{Pace, Switch, work};
use crate::{Schedule, telemetry};

/// What a drain keeps of its time, to record what was left.
const LAST: Duration = Duration::from_secs(1);

/// Delivers what a registry has queued. Cheap to clone; clones are one worker.
///
/// Every replica has one. Whoever claims an event sends it; the registry sees to it that they share endpoints, their
/// breakers and what may be in flight.
#[derive(Clone)]
pub struct Webhooks(Arc<Inner>);

struct Inner {
    sender: Sender,
    pace: Pace,
    switch: Switch,
    running: Mutex<Option<JoinHandle<()>>>,
    /// Whoever drops the last handle stops the worker.
    _stop: DropGuard,
}

impl Webhooks {
    /// Signs with this key, and leaves everything else as it is by default.
    ///
    /// # Errors
    ///
    /// [`BadWebhooks`], when the key is for something else, or this machine has no certificates to trust.
    pub fn signed_with(signer: impl Signer + 'static) -> Result<Self, BadWebhooks> {
        Self::builder().signer(signer).build()
    }

    /// Sets up a worker.
    pub fn builder() -> WebhooksBuilder {
        WebhooksBuilder::new()
    }

    pub(crate) fn now(&self) -> adcp_core::Timestamp {
        self.0.sender.clock.now()
    }

    pub(crate) fn sender(&self) -> &Sender {
        &self.0.sender
    }

    pub(crate) fn assemble(sender: Sender, pace: Pace) -> Self {
        let switch = Switch::default();
        let stop = switch.stop.clone().drop_guard();
        Self(Arc::new(Inner { sender, pace, switch, running: Mutex::default(), _stop: stop }))
    }

    /// When events are tried again. Its [horizon](Schedule::horizon) is what receivers have to know.
    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.0.pace.schedule
    }

    /// The algorithm of the key that signs, for the agent's capabilities.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.sender.signer.key().algorithm()
    }

    /// Asks whoever has an address whether they want what is going to be sent there: signed, within ten seconds, and once
    /// more when the network fails. A subscription that outlives its task becomes active only after that.
    ///
    /// # Errors
    ///
    /// [`NotProven`].
    pub async fn challenge(&self, url: &str, about: &Challenge) -> Result<(), NotProven> {
        self.0.sender.challenge(url, about).await
    }

    /// Looks at once for what is due or has waited too long. For whoever knows of an event that this process did not
    /// queue; without it, it is found within the [poll interval](WebhooksBuilder::poll_every).
    pub fn wake(&self) {
        self.0.switch.wake.notify_one();
    }
}

#[async_trait]
impl Background for Webhooks {
    fn start(&self, registry: Arc<dyn Registry>) {
        telemetry::describe();
        let Inner { sender, pace, switch, running, .. } = &*self.0;
        let changes = registry.changes();
        // Not the registry itself: an agent that is dropped ends its worker.
        let weak = Arc::downgrade(&registry);
        let working = work(sender.clone(), pace.clone(), weak, changes, switch.clone());
        *running.lock().unwrap_or_else(PoisonError::into_inner) = Some(tokio::spawn(working));
    }

    /// Claims nothing more and waits for what is being sent; what is left shortly before the end is others' at once.
    async fn drain(&self, within: Duration) {
        let end = Instant::now() + within;
        let Inner { switch, running, .. } = &*self.0;
        switch.stop.cancel();
        let running = running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut running) = running else { return };
        if timeout_at(end - LAST.min(within / 4), &mut running).await.is_err() {
            switch.forced.cancel();
            if timeout_at(end, running).await.is_err() {
                tracing::warn!(
                    "a worker of webhooks did not stop in time; what it had claimed waits for its lease"
                );
            }
        }
    }

    fn is_healthy(&self) -> bool {
        let running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().is_none_or(|running| !running.is_finished())
    }
}

impl Delivery for Webhooks {
    fn admits(&self, url: &str) -> Result<(), Inadmissible> {
        self.0.sender.admits(url).map(drop)
    }

    fn terms(&self) -> DeliveryTerms {
        DeliveryTerms::new(self.schedule().horizon()).with_algorithm(self.algorithm().name()).with_hmac()
    }
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks")
            .field("sender", &self.0.sender)
            .field("pace", &self.0.pace)
            .finish_non_exhaustive()
    }
}
