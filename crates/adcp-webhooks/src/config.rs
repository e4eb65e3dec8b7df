//! How a worker is set up.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{BreakerPolicy, Clock, SystemClock, TenantId};
use adcp_egress::{ConfigError, Egress, Limits};
use adcp_signing::{KeyUse, Signer};

use crate::attempt::Sender;
use crate::worker::Pace;
use crate::{Schedule, Webhooks};

/// What is read of an answer: enough to keep the beginning of it without a secret that is cut in two.
const ANSWER: usize = 16 * 1024;

/// The longest that one attempt may take.
const LONGEST: Duration = Duration::from_secs(30);

/// Sets up [`Webhooks`]. Only a signer has no default.
#[derive(Debug)]
#[must_use = "nothing is set up before `build`"]
pub struct WebhooksBuilder {
    signer: Option<Arc<dyn Signer>>,
    egress: Option<Egress>,
    clock: Arc<dyn Clock>,
    schedule: Schedule,
    breaker: BreakerPolicy,
    limits: Limits,
    slots: usize,
    per_endpoint: u32,
    tenant_percent: usize,
    lease: Option<Duration>,
    poll: Duration,
    tenants: Vec<TenantId>,
}

impl WebhooksBuilder {
    pub(crate) fn new() -> Self {
        Self {
            signer: None,
            egress: None,
            clock: Arc::new(SystemClock::new()),
            schedule: Schedule::new(),
            breaker: BreakerPolicy::new(),
            limits: Limits::new().with_total(Duration::from_secs(15)),
            slots: 500,
            per_endpoint: 10,
            tenant_percent: 80,
            lease: None,
            poll: Duration::from_secs(1),
            tenants: Vec::new(),
        }
    }

    /// Sets the key that signs. It is for webhooks: `adcp_use` is `webhook-signing`.
    pub fn signer(mut self, signer: impl Signer + 'static) -> Self {
        self.signer = Some(Arc::new(signer));
        self
    }

    /// Sets the way out. By default it reaches public addresses by `https`.
    pub fn egress(mut self, egress: Egress) -> Self {
        self.egress = Some(egress);
        self
    }

    /// Sets when events are tried again. Default [`Schedule::new`].
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Sets when an endpoint is left in peace. Default five failures in a row, for 30 seconds up to 10 minutes.
    pub const fn breaker(mut self, breaker: BreakerPolicy) -> Self {
        self.breaker = breaker;
        self
    }

    /// Sets how long each step of an attempt may take. Default 10 seconds a step and 15 in total, which may be 30 at
    /// most. How much of an answer is read is not the caller's to set.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how many events are in flight at once: from this worker, and to one endpoint of one tenant from all workers.
    /// Default 500 and 10.
    pub const fn concurrency(mut self, in_all: usize, per_endpoint: u32) -> Self {
        self.slots = in_all;
        self.per_endpoint = per_endpoint;
        self
    }

    /// Sets what part of the places that others leave one tenant may have, in hundredths from 1 to 100, rounded up. Default
    /// 80: of 500 places that is 400 for a tenant who is alone, and 80 of the rest for the next, so that a tenant whose
    /// endpoints all hang leaves room for everybody else. A worker [of one tenant](Self::of_tenants) has no use for it.
    pub const fn tenant_share(mut self, percent: u8) -> Self {
        self.tenant_percent = percent as usize;
        self
    }

    /// Sets how long a claim lasts: so long others wait for a worker that died, and so long a worker tries to record what it
    /// sent in a registry that is away. Default twice the total of [`limits`](Self::limits) and 30 seconds, which is a
    /// minute.
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = Some(lease);
        self
    }

    /// Sets how often the registry is asked when nobody says that there is something. Default one second. Events that
    /// this process queues are sent at once.
    pub const fn poll_every(mut self, interval: Duration) -> Self {
        self.poll = interval;
        self
    }

    /// Delivers events of these tenants only. Others need a worker of their own.
    pub fn of_tenants(mut self, tenants: impl IntoIterator<Item = TenantId>) -> Self {
        self.tenants = tenants.into_iter().collect();
        self
    }

    /// Takes the time that signatures tell from `clock`. Default the machine's.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets it up.
    ///
    /// # Errors
    ///
    /// [`BadWebhooks`], with what is wrong.
    pub fn build(self) -> Result<Webhooks, BadWebhooks> {
        let signer = self.signer.ok_or(BadWebhooks::NoSigner)?;
        if signer.key().purpose() != KeyUse::WebhookSigning {
            return Err(BadWebhooks::Purpose);
        }
        if self.slots == 0 || self.per_endpoint == 0 {
            return Err(BadWebhooks::NoRoom);
        }
        if !(1..=100).contains(&self.tenant_percent) {
            return Err(BadWebhooks::Share);
        }
        if self.limits.total.is_zero() || self.limits.total > LONGEST {
            return Err(BadWebhooks::Total);
        }
        if self.poll.is_zero() {
            return Err(BadWebhooks::Poll);
        }
        let egress = match self.egress {
            Some(egress) => egress,
            None => Egress::builder().build().map_err(BadWebhooks::Egress)?,
        };
        // Two attempts fit, for one is repeated at once, and time to record them.
        let lease = self.lease.unwrap_or(self.limits.total * 2 + LONGEST);
        if lease <= self.limits.total * 2 {
            return Err(BadWebhooks::Lease);
        }
        let limits = self.limits.with_body_bytes(ANSWER);
        let sender = Sender { egress, signer, clock: self.clock, limits };
        let pace = Pace {
            schedule: self.schedule,
            breaker: self.breaker,
            slots: self.slots.min(tokio::sync::Semaphore::MAX_PERMITS),
            per_endpoint: self.per_endpoint,
            tenant_percent: if self.tenants.len() == 1 { 100 } else { self.tenant_percent },
            lease,
            poll: self.poll,
            tenants: self.tenants,
        };
        Ok(Webhooks::assemble(sender, pace))
    }
}

/// Why a worker cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadWebhooks {
    /// Nobody signs.
    #[error("webhooks need a key that signs them; give `signer`")]
    NoSigner,
    /// The key is for something else.
    #[error("the key does not sign webhooks; its `adcp_use` must be `webhook-signing`")]
    Purpose,
    /// Nothing could ever be sent.
    #[error("`concurrency` must allow one event at least, in all and to one endpoint")]
    NoRoom,
    /// A tenant could have nothing, or more than there is.
    #[error("`tenant_share` must be from 1 to 100 hundredths")]
    Share,
    /// An attempt would have no time, or too much.
    #[error("`limits` must give an attempt from some time to 30 seconds in total")]
    Total,
    /// A claim would be over while its event is still being sent.
    #[error("`lease` must be longer than twice the total of `limits`")]
    Lease,
    /// The registry would be asked all the time.
    #[error("`poll_every` must be longer than nothing")]
    Poll,
    /// The way out cannot be built.
    #[error("the way out cannot be set up")]
    Egress(#[source] ConfigError),
}
