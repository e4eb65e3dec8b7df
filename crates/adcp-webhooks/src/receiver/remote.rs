//! The keys of a sender, fetched where it publishes them, and fetched again when they changed.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use adcp_core::{Clock, Inadmissible, SystemClock, Timestamp};
use adcp_egress::{Egress, EgressError, Limits, Request};
use adcp_signing::{
    Fault, FoundKey, Jwk, Jwks, KeyFault, KeyQuery, KeySource, Rejection, Unavailable, VerifyError,
};
use async_trait::async_trait;
use tokio::sync::Mutex;

const MAX_AGE: Duration = Duration::from_secs(300);
const COOLDOWN: Duration = Duration::from_secs(30);
const MAX_BYTES: usize = 256 * 1024;
const TOTAL: Duration = Duration::from_secs(10);

/// The keys that stand at an address, for a [`Verifier`](adcp_signing::Verifier). Cheap to clone; clones share what was fetched.
///
/// Keys are fetched when they are first needed, and believed for five minutes: a key that its owner took out is refused from
/// then on. A key that is missing is looked for at once, for its owner may have rotated, but not twice within 30 s. While
/// nothing can be known of a key, the message is neither accepted nor refused: it is [unavailable](VerifyError::Unavailable), and
/// a [receiver](crate::WebhookReceiver) has it sent again.
#[derive(Clone)]
pub struct RemoteJwks(Arc<Inner>);

struct Inner {
    egress: Egress,
    url: String,
    clock: Arc<dyn Clock>,
    max_age: Duration,
    fetched: RwLock<Option<Fetched>>,
    /// When somebody last asked the address. Held while somebody asks, so that one does.
    asked: Mutex<Option<Timestamp>>,
}

struct Fetched {
    keys: Jwks,
    at: Timestamp,
}

impl RemoteJwks {
    /// Keys that stand at `url`, such as `https://seller.example/.well-known/jwks.json`. Nothing is fetched yet.
    ///
    /// # Errors
    ///
    /// [`Inadmissible`], when `url` is an address that `egress` never calls.
    pub fn new(egress: Egress, url: &str) -> Result<Self, Inadmissible> {
        let url = egress.admits(url).map_err(Inadmissible::from)?.as_str().to_owned();
        Ok(Self::assemble(egress, url, MAX_AGE, Arc::new(SystemClock::new())))
    }

    /// Believes what was fetched for so long. Default 5 minutes; it bounds for how long a withdrawn key is accepted.
    #[must_use]
    pub fn with_max_age(self, max_age: Duration) -> Self {
        let Inner { egress, url, clock, .. } = &*self.0;
        Self::assemble(egress.clone(), url.clone(), max_age, Arc::clone(clock))
    }

    /// Tells the time by another clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        let Inner { egress, url, max_age, .. } = &*self.0;
        Self::assemble(egress.clone(), url.clone(), *max_age, clock)
    }

    fn assemble(egress: Egress, url: String, max_age: Duration, clock: Arc<dyn Clock>) -> Self {
        let (fetched, asked) = (RwLock::default(), Mutex::default());
        Self(Arc::new(Inner { egress, url, clock, max_age, fetched, asked }))
    }
}

impl Inner {
    /// A key, as far as it is known without asking anybody.
    fn known(&self, keyid: &str) -> Option<Jwk> {
        let fetched = self.fetched.read().unwrap_or_else(PoisonError::into_inner);
        let Fetched { keys, at } = fetched.as_ref()?;
        keys.get(keyid).filter(|_| self.is_recent(*at, self.max_age)).cloned()
    }

    /// A clock that was set back makes nothing recent.
    fn is_recent(&self, at: Timestamp, within: Duration) -> bool {
        let now = self.clock.now();
        now >= at && now.since(at) < within
    }

    /// Asks the address, unless somebody did a moment ago.
    async fn look(&self, query: &KeyQuery<'_>) -> Result<Option<Jwk>, VerifyError> {
        let mut asked = self.asked.lock().await;
        // Somebody may have asked meanwhile.
        if let Some(key) = self.known(query.keyid) {
            return Ok(Some(key));
        }
        if asked.is_some_and(|at| self.is_recent(at, COOLDOWN)) {
            return Err(unavailable("they were asked for a moment ago"));
        }
        *asked = Some(self.clock.now());
        let keys = self.fetch(query).await?;
        let found = keys.get(query.keyid).cloned();
        let fetched = Fetched { keys, at: self.clock.now() };
        *self.fetched.write().unwrap_or_else(PoisonError::into_inner) = Some(fetched);
        Ok(found)
    }

    async fn fetch(&self, query: &KeyQuery<'_>) -> Result<Jwks, VerifyError> {
        let limits = Limits::new().with_total(TOTAL).with_body_bytes(MAX_BYTES);
        let request = Request::get(&self.url).with_header("accept", "application/json");
        let response = self.egress.send(request, limits).await.map_err(|error| match error {
            EgressError::Refused(_) => {
                let fault = Fault::Keys(KeyFault::JwksUntrusted);
                Rejection::new(fault, query.profile, "its keys stand at an address that must not be called")
                    .into()
            }
            error => unavailable(error),
        })?;
        if !response.is_success() {
            return Err(unavailable(format!("their address answered with the status {}", response.status)));
        }
        if response.truncated {
            return Err(unavailable(format!("their document has more than {MAX_BYTES} bytes")));
        }
        Jwks::parse(&response.body).map_err(unavailable)
    }
}

fn unavailable(source: impl Into<adcp_core::BoxError>) -> VerifyError {
    Unavailable::new("keys of the sender", source).into()
}

#[async_trait]
impl KeySource for RemoteJwks {
    async fn find(&self, query: &KeyQuery<'_>) -> Result<Option<FoundKey>, VerifyError> {
        let key = match self.0.known(query.keyid) {
            Some(key) => Some(key),
            None => self.0.look(query).await?,
        };
        Ok(key.map(FoundKey::new))
    }
}

impl fmt::Debug for RemoteJwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteJwks").field("url", &self.0.url).finish_non_exhaustive()
    }
}
