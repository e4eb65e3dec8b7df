//! Verifying a message, in the order of AdCP's checklist.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::algorithm::{Algorithm, Profile};
use crate::digest;
use crate::json::{self, BadJson};
use crate::key::{FoundKey, KeyQuery, KeySource, PublicKey};
use crate::message::Message;
use crate::rejection::{Fault, Rejection, VerifyError};
use crate::replay::{Nonce, Remembered, ReplayStore};
use crate::revocation::{NoRevocations, Revocations, Standing};
use crate::time::{SKEW, UnixTime};

use self::claim::Claim;

mod claim;

/// Whether requests must cover the digest of their body.
///
/// Spec: `covers_content_digest` in `protocol/get-adcp-capabilities-response.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::exhaustive_enums, reason = "the schema lists three")]
pub enum DigestPolicy {
    /// A request that does not cover it is refused.
    Required,
    /// A request that covers it is refused.
    Forbidden,
    /// Both are fine; a digest that is covered must be right.
    #[default]
    Either,
}

impl DigestPolicy {
    /// The value in a capability block.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Forbidden => "forbidden",
            Self::Either => "either",
        }
    }

    /// The policy that a capability block names.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Required, Self::Forbidden, Self::Either].into_iter().find(|it| it.name() == name)
    }
}

/// What a message proved: who signed it, when, and what the signature covers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The name of the key.
    pub keyid: String,
    /// The agent whose document published the key, when the key source knows it.
    pub agent_url: Option<String>,
    /// The label of the signature that was verified.
    pub label: String,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// When it was made, by the signer's clock.
    pub created: UnixTime,
    /// Until when it is valid.
    pub expires: UnixTime,
    /// Its nonce, which is used up now.
    pub nonce: String,
    /// What it covers, in order.
    pub covered: Vec<String>,
    /// When it was verified.
    pub verified_at: UnixTime,
}

impl Verified {
    /// Whether the body is the one that was signed.
    #[must_use]
    pub fn covers_body(&self) -> bool {
        self.covered.iter().any(|name| name == "content-digest")
    }
}

/// Verifies messages of one profile. Keep one and share it: the replay store is what makes it safe.
///
/// ```
/// use std::sync::Arc;
/// use adcp_signing::{
///     Algorithm, DEFAULT_WEBHOOK_NONCES, Jwks, KeyUse, LocalSigner, MemoryReplayStore, Message, UnixTime, Verifier,
///     sign_webhook,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // The seller's side.
/// let key = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "hooks-2026-05")?;
/// let published = Jwks::new([key.jwk()]).to_json().to_string();
/// let (url, body, now) = ("https://buyer.example/hook", br#"{"status":"completed"}"#, UnixTime::from_secs(1_800_000_000));
/// let message = Message::new("POST", url, body).with_header("Content-Type", "application/json");
/// let fields = sign_webhook(&key, &message, now).await?;
///
/// // The buyer's side.
/// let keys = Jwks::parse(published.as_bytes())?;
/// let verifier = Verifier::webhooks(Arc::new(keys), Arc::new(MemoryReplayStore::new(DEFAULT_WEBHOOK_NONCES)));
/// let received = message.with_headers(fields.iter().map(|(name, value)| (name, value.as_bytes())));
/// let verified = verifier.verify(&received, now).await?;
/// assert_eq!(verified.keyid, "hooks-2026-05");
///
/// // The same message again is refused, with the code that the sender is told.
/// let again = verifier.verify(&received, now).await.unwrap_err();
/// let rejection = again.rejection().expect("the sender is at fault");
/// assert_eq!(rejection.challenge(), r#"Signature error="webhook_signature_replayed""#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Verifier {
    profile: Profile,
    digest: DigestPolicy,
    keys: Arc<dyn KeySource>,
    replay: Arc<dyn ReplayStore>,
    revocations: Arc<dyn Revocations>,
    scope: String,
}

impl Verifier {
    /// A buyer's verifier of webhooks.
    #[must_use]
    pub fn webhooks(keys: Arc<dyn KeySource>, replay: Arc<dyn ReplayStore>) -> Self {
        Self {
            profile: Profile::Webhook,
            digest: DigestPolicy::Required,
            keys,
            replay,
            revocations: Arc::new(NoRevocations::new()),
            scope: String::new(),
        }
    }

    /// A seller's verifier of requests.
    #[must_use]
    pub fn requests(keys: Arc<dyn KeySource>, replay: Arc<dyn ReplayStore>, digest: DigestPolicy) -> Self {
        Self { profile: Profile::Request, digest, ..Self::webhooks(keys, replay) }
    }

    /// Sets where revoked keys are known from. By default none is ever revoked.
    #[must_use]
    pub fn with_revocations(mut self, revocations: Arc<dyn Revocations>) -> Self {
        self.revocations = revocations;
        self
    }

    /// Keeps the nonces of this verifier apart from others in the same store: the canonical address of an endpoint, or a
    /// counterparty whose key names may be those of another one.
    #[must_use]
    pub fn with_replay_scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = scope.into();
        self
    }

    /// Which messages it verifies.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// Runs the whole checklist; the first failure wins. A message that passes has used its nonce.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Rejected`] with step and code, [`VerifyError::Unavailable`] when a store or a key source failed.
    ///
    /// # Cancel safety
    ///
    /// Dropped while the nonce is being remembered, it may leave the nonce used.
    pub async fn verify(&self, message: &Message<'_>, now: UnixTime) -> Result<Verified, VerifyError> {
        let claim = Claim::read(message, self.profile, self.digest, now)?;
        let (key, agent_url) = self.key_of(&claim).await?;
        self.check_standing(&claim, now).await?;
        claim.check_signature(&key, message)?;
        self.check_digest(&claim, message)?;
        self.use_nonce(&claim, now).await?;
        self.check_body(message)?;
        Ok(claim.into_verified(agent_url, now))
    }

    fn refuse(&self, fault: Fault, detail: &'static str) -> VerifyError {
        Rejection::new(fault, self.profile, detail).into()
    }

    /// Steps 7 and 8.
    async fn key_of(&self, claim: &Claim) -> Result<(PublicKey, Option<String>), VerifyError> {
        let query = KeyQuery { keyid: &claim.keyid, profile: self.profile };
        let Some(FoundKey { jwk, agent_url }) = self.keys.find(&query).await? else {
            return Err(self.refuse(Fault::KeyUnknown, "no document has a key of this name"));
        };
        if jwk.kid != claim.keyid {
            return Err(self.refuse(Fault::KeyUnknown, "the key source found another key"));
        }
        let key = jwk.fit_for(self.profile.key_use(), claim.algorithm);
        Ok((key.map_err(|detail| self.refuse(Fault::KeyPurposeInvalid, detail))?, agent_url))
    }

    /// Steps 9 and 9a.
    async fn check_standing(&self, claim: &Claim, now: UnixTime) -> Result<(), VerifyError> {
        match self.revocations.standing(&claim.keyid, now) {
            Standing::Good => {}
            Standing::Revoked => return Err(self.refuse(Fault::KeyRevoked, "the key is revoked")),
            Standing::Stale => {
                return Err(self.refuse(Fault::RevocationStale, "the list of revoked keys is too old"));
            }
        }
        if self.replay.is_full(&self.scope, &claim.keyid, now).await? {
            return Err(self.too_many());
        }
        Ok(())
    }

    fn too_many(&self) -> VerifyError {
        self.refuse(Fault::RateAbuse, "the key has too many live nonces")
    }

    /// Step 11.
    fn check_digest(&self, claim: &Claim, message: &Message<'_>) -> Result<(), VerifyError> {
        match &claim.digest {
            None => Ok(()),
            Some(None) => Err(self.refuse(Fault::DigestMismatch, "the digest has no sha-256")),
            Some(Some(stated)) if digest::fits(stated, message.body()) => Ok(()),
            Some(Some(_)) => {
                Err(self.refuse(Fault::DigestMismatch, "the body is not the one that was signed"))
            }
        }
    }

    /// Steps 12 and 13, at once.
    async fn use_nonce(&self, claim: &Claim, now: UnixTime) -> Result<(), VerifyError> {
        // The last second in which it passes is a whole one: forgotten when that begins, it would pass again.
        let ttl = now.until(claim.expires) + Duration::from_secs(SKEW.unsigned_abs() + 1);
        let nonce = Nonce::new(&self.scope, &claim.keyid, &claim.nonce, ttl, now);
        match self.replay.remember(nonce).await? {
            Remembered::New => Ok(()),
            Remembered::Seen => Err(self.refuse(Fault::Replayed, "the nonce was seen before")),
            Remembered::Full => Err(self.too_many()),
        }
    }

    /// Step 14.
    fn check_body(&self, message: &Message<'_>) -> Result<(), VerifyError> {
        if message.body().is_empty() {
            return Ok(());
        }
        json::check(message.body()).map_err(|error| {
            let detail = match error {
                BadJson::DuplicateKey => "an object of the body names a key twice",
                BadJson::Syntax => "the body is not JSON",
            };
            self.refuse(Fault::BodyMalformed, detail)
        })
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("profile", &self.profile)
            .field("digest", &self.digest)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
