//! The buyer's side: whether a webhook is authentic, whether it was received before, and what its sender is told.

mod agreement;
mod answer;
mod dedup;
mod document;
#[cfg(feature = "tower")]
mod layer;
mod payload;
mod remote;

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{BoxError, Clock, SystemClock};
use adcp_signing::{HmacRejection, Message, Secret, UnixTime, Verified, VerifyError};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub use agreement::{Agreement, Agreements};
pub use answer::Answer;
pub use dedup::{Arrival, Claimed, Dedup, MemoryDedup, Seen};
pub use document::DocumentDedup;
#[cfg(feature = "tower")]
pub use layer::{Receive, ReceiveLayer};
pub use payload::{BadPayload, Envelope, Notification, Payload, TaskNews};
pub use remote::RemoteJwks;

use agreement::Mode;
use answer::Refused;

/// A webhook as it arrived.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// Path and query, as they were asked for.
    pub target: &'a str,
    /// Names and values of the header fields.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body, byte for byte.
    pub body: &'a [u8],
}

impl std::fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming")
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// An authentic webhook. `Debug` prints no body: it repeats the token.
#[derive(Clone)]
#[non_exhaustive]
pub struct Webhook {
    /// Who sent it, as the agreement calls them.
    pub sender: String,
    /// What tells it from other events; events of A2A without a key have a digest of their body instead.
    pub key: String,
    /// What it tells.
    pub payload: Payload,
    /// All of it.
    pub body: Value,
    /// What the signature proved, where the agreement is that it is signed.
    pub verified: Option<Verified>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook")
            .field("sender", &self.sender)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What became of an arrival.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "there is work to do, or there is not")]
pub enum Opened {
    /// It is new: work on it, then say how that went by [`WebhookReceiver::finish`] or [`WebhookReceiver::give_up`].
    New(Box<Webhook>, Claimed),
    /// There is nothing to do but to answer.
    Answer(Answer),
}

/// Receives webhooks. Keep one and share it.
///
/// ```
/// use std::sync::Arc;
/// use adcp_signing::{
///     Algorithm, DEFAULT_WEBHOOK_NONCES, Jwks, KeyUse, LocalSigner, MemoryReplayStore, Verifier,
/// };
/// use adcp_webhooks::{Agreement, Incoming, MemoryDedup, WebhookReceiver};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let seller = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "k")?;
/// let keys = Arc::new(Jwks::new([seller.jwk()]));
/// let verifier = Verifier::webhooks(keys, Arc::new(MemoryReplayStore::new(DEFAULT_WEBHOOK_NONCES)));
/// let agreement = Agreement::signed("seller.example", verifier).with_operation_id("op-7");
/// let receiver = WebhookReceiver::new("https://buyer.example", MemoryDedup::new());
///
/// let unsigned = Incoming { target: "/hook", headers: &[("content-type", b"application/json")], body: b"{}" };
/// let answer = receiver.receive(&agreement, unsigned, |webhook| async move { println!("{webhook:?}"); Ok(()) }).await;
/// assert_eq!(answer.status, 401);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct WebhookReceiver {
    origin: Arc<str>,
    dedup: Arc<dyn Dedup>,
    clock: Arc<dyn Clock>,
    max_body: usize,
    lease: Duration,
}

impl WebhookReceiver {
    /// The largest body, unless another bound is set: 1 MB.
    pub const MAX_BODY: usize = 1_000_000;

    /// A receiver at `origin`, scheme and host as senders know them: `https://buyer.example`.
    #[must_use]
    pub fn new(origin: &str, dedup: impl Dedup) -> Self {
        Self {
            origin: origin.trim_end_matches('/').into(),
            dedup: Arc::new(dedup),
            clock: Arc::new(SystemClock::new()),
            max_body: Self::MAX_BODY,
            lease: Duration::from_secs(60),
        }
    }

    /// Sets how many bytes a body may have.
    #[must_use]
    pub const fn with_max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Sets how long an event is worked on before a repeated delivery may be worked on as well. Default one minute.
    #[must_use]
    pub const fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Takes the time from `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// How many bytes a body may have.
    #[must_use]
    pub const fn max_body(&self) -> usize {
        self.max_body
    }

    /// Receives one webhook from beginning to end: `work` runs when it is new. An error of it is logged, and the sender
    /// told to come again.
    ///
    /// # Cancel safety
    ///
    /// Dropped while it works, it leaves the event claimed until the [lease](Self::with_lease) ends.
    pub async fn receive<F>(
        &self,
        agreement: &Agreement,
        incoming: Incoming<'_>,
        work: impl FnOnce(Webhook) -> F,
    ) -> Answer
    where
        F: Future<Output = Result<(), BoxError>>,
    {
        match self.open(agreement, incoming).await {
            Opened::Answer(answer) => answer,
            Opened::New(webhook, claimed) => match work(*webhook).await {
                Ok(()) => self.finish(&claimed).await,
                Err(error) => {
                    tracing::warn!(error = &*error as &dyn std::error::Error, "a webhook was not taken in");
                    self.give_up(&claimed).await
                }
            },
        }
    }

    /// Checks a webhook and claims its event. A challenge is answered at once.
    pub async fn open(&self, agreement: &Agreement, incoming: Incoming<'_>) -> Opened {
        match self.admit(agreement, incoming).await {
            Ok(opened) => opened,
            Err(refused) => Opened::Answer(refused.answer()),
        }
    }

    /// Remembers an event as received.
    pub async fn finish(&self, claimed: &Claimed) -> Answer {
        match self.dedup.complete(claimed).await {
            Ok(true) => {}
            // Another delivery of it was begun meanwhile. This one was received all the same.
            Ok(false) => tracing::warn!("working on a webhook took longer than its lease"),
            Err(error) => {
                tracing::warn!(
                    error = &*error as &dyn std::error::Error,
                    "a webhook could not be remembered"
                );
                return Answer::busy();
            }
        }
        Answer::received()
    }

    /// Leaves an event to its next delivery.
    pub async fn give_up(&self, claimed: &Claimed) -> Answer {
        if let Err(error) = self.dedup.release(claimed).await {
            tracing::warn!(error = &*error as &dyn std::error::Error, "a webhook waits for its lease");
        }
        Answer::busy()
    }

    async fn admit(&self, agreement: &Agreement, incoming: Incoming<'_>) -> Result<Opened, Refused> {
        if incoming.body.len() > self.max_body {
            return Err(Refused::TooLarge);
        }
        check_content_type(incoming.headers)?;
        let url = format!("{}{}", self.origin, incoming.target);
        let message =
            Message::new("POST", &url, incoming.body).with_headers(incoming.headers.iter().copied());
        let verified = self.authenticate(agreement, &message).await?;
        let body: Value = serde_json::from_slice(incoming.body).map_err(|_| Refused::NotJson)?;
        let payload::Read { payload, key, token } = payload::read(&body).map_err(Refused::Payload)?;
        if let Some(agreed) = &agreement.token {
            let shown = token.map(Secret::new).or_else(|| {
                let mut fields = message.header("x-a2a-notification-token");
                fields.next().map(Secret::new)
            });
            if shown.as_ref() != Some(agreed) && !matches!(payload, Payload::Challenge(_)) {
                return Err(Refused::Token);
            }
        }
        match &payload {
            Payload::Challenge(challenge) => return Ok(Opened::Answer(Answer::echo(challenge))),
            Payload::Task(TaskNews { operation_id: Some(id), .. })
                if agreement.operation_id.as_ref().is_some_and(|agreed| agreed != id) =>
            {
                return Err(Refused::Operation);
            }
            _ => {}
        }
        // The same event may be written in another way by a sender that is not ours.
        let said = adcp_core::json::canonical(&body);
        let hash: [u8; 32] = Sha256::digest(said.as_deref().unwrap_or(incoming.body)).into();
        let key = key.unwrap_or_else(|| format!("sha256:{}", adcp_core::hex(&hash)));
        let arrival = Arrival::new(&agreement.sender, &key, hash, self.lease);
        match self.dedup.claim(arrival).await.map_err(Refused::Unavailable)? {
            Seen::New(claimed) => {
                let sender = agreement.sender.clone();
                Ok(Opened::New(Box::new(Webhook { sender, key, payload, body, verified }), claimed))
            }
            Seen::Finished => Ok(Opened::Answer(Answer::received())),
            Seen::InProgress => Err(Refused::InProgress),
            Seen::Conflict => Err(Refused::Conflict),
        }
    }

    /// Checks what was agreed, and never anything else instead.
    async fn authenticate(
        &self,
        agreement: &Agreement,
        message: &Message<'_>,
    ) -> Result<Option<Verified>, Refused> {
        let now = UnixTime::from_micros(self.clock.now().as_micros());
        let verifier = match (&agreement.mode, &agreement.challenges) {
            (Mode::Signed(verifier), _) => Some(&**verifier),
            // A challenge is signed whatever the mode will be; whoever signs it gains nothing but an echo.
            (_, Some(verifier)) if message.has("signature") && is_challenge(message.body()) => Some(verifier),
            _ => None,
        };
        if let Some(verifier) = verifier {
            adcp_signing::WebhookMode::Signed.check(message).map_err(Refused::rejected)?;
            return match verifier.verify(message, now).await {
                Ok(verified) => Ok(Some(verified)),
                Err(VerifyError::Rejected(rejection)) => Err(Refused::rejected(rejection)),
                Err(error) => Err(Refused::Unavailable(Box::new(error))),
            };
        }
        agreement.webhook_mode().check(message).map_err(Refused::rejected)?;
        let authentic = match &agreement.mode {
            Mode::Hmac(key) => match key.verify(message, now) {
                Ok(()) => true,
                Err(HmacRejection::Body) => return Err(Refused::NotJson),
                Err(_) => false,
            },
            Mode::Bearer(token) => token.verify(message),
            Mode::Signed(_) => false,
        };
        if authentic { Ok(None) } else { Err(Refused::Unauthentic) }
    }
}

fn is_challenge(body: &[u8]) -> bool {
    let body: Option<Value> = serde_json::from_slice(body).ok();
    body.is_some_and(|body| body.get("type").and_then(Value::as_str) == Some("webhook.challenge"))
}

fn check_content_type(headers: &[(&str, &[u8])]) -> Result<(), Refused> {
    let mut found = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let (Some((_, value)), None) = (found.next(), found.next()) else { return Err(Refused::ContentType) };
    let media = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if media.eq_ignore_ascii_case(b"application/json") { Ok(()) } else { Err(Refused::ContentType) }
}
