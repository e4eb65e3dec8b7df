//! Signing a message.

use std::fmt;
use std::time::Duration;

use crate::algorithm::Profile;
use crate::alphabet::{self, Alphabet};
use crate::base::{NoValue, signature_base_ending};
use crate::digest::content_digest;
use crate::field::{Bare, Component, Covered};
use crate::json::{self, BadJson};
use crate::message::Message;
use crate::signer::{Signer, SignerError};
use crate::target::{BadTarget, TargetUri};
use crate::time::{MAX_LIFETIME, UnixTime};

/// The label under which signatures are written, and the only one that is verified.
pub(crate) const LABEL: &str = "sig1";

/// Bytes of a fresh nonce.
const NONCE: usize = 16;

/// Why a message was not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The address has no canonical form.
    #[error("the address cannot be signed")]
    Target(#[source] BadTarget),
    /// A body without a `Content-Type`, or a webhook without one.
    #[error("the message has no content type to sign")]
    NoContentType,
    /// A field that is signed has no single printable value.
    #[error("a field that is signed has no single printable value")]
    Field,
    /// An object of the body names a key twice; receivers must refuse it.
    #[error("duplicate_key_input: an object of the body names a key twice")]
    DuplicateKey,
    /// The body is not JSON.
    #[error("the body is not JSON")]
    NotJson,
    /// The key is for something else.
    #[error("the key is not for this kind of message")]
    Purpose,
    /// The signer failed; it may work the next time.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The signer returned something that is not a signature of 64 bytes.
    #[error("the signer returned something that is not a signature")]
    NotASignature,
    /// The system gave no random bytes for the nonce.
    #[error("the system gave no random bytes")]
    NoRandomness,
}

impl SignError {
    /// Whether the same message can be signed later: the fault lies with the signer or the system.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Signer(_) | Self::NotASignature | Self::NoRandomness)
    }
}

/// Header fields to add to a message. Not one of them is secret unless it carries a bearer token, which is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedHeaders(Vec<(&'static str, String)>);

impl SignedHeaders {
    pub(crate) const fn new(fields: Vec<(&'static str, String)>) -> Self {
        Self(fields)
    }

    /// Names and values. Each replaces what the message has under that name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The value of a field; its name in any case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl fmt::Debug for SignedHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

/// How messages are signed.
///
/// ```
/// use std::time::Duration;
/// use adcp_signing::{Alphabet, Signing};
///
/// let signing = Signing::request().with_digest(true).with_lifetime(Duration::from_secs(60));
/// # let _ = signing.with_alphabet(Alphabet::Standard);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    profile: Profile,
    digest: bool,
    lifetime: Duration,
    alphabet: Alphabet,
}

impl Signing {
    /// The webhook profile: everything is covered, the body included.
    #[must_use]
    pub const fn webhook() -> Self {
        Self {
            profile: Profile::Webhook,
            digest: true,
            lifetime: Duration::from_secs(MAX_LIFETIME.unsigned_abs()),
            alphabet: Alphabet::UrlSafe,
        }
    }

    /// The request profile, covering the body. A seller that forbids it says so in its capabilities.
    #[must_use]
    pub const fn request() -> Self {
        Self { profile: Profile::Request, ..Self::webhook() }
    }

    /// Whether the digest of the body is covered. Webhooks always cover it.
    #[must_use]
    pub const fn with_digest(mut self, covered: bool) -> Self {
        self.digest = covered || matches!(self.profile, Profile::Webhook);
        self
    }

    /// How long a signature is valid: from 1 s to 300 s, the default; what lies outside is moved there.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime =
            lifetime.clamp(Duration::from_secs(1), Duration::from_secs(MAX_LIFETIME.unsigned_abs()));
        self
    }

    /// How bytes are written.
    #[must_use]
    pub const fn with_alphabet(mut self, alphabet: Alphabet) -> Self {
        self.alphabet = alphabet;
        self
    }

    /// Signs a message with a fresh nonce. Send it with exactly this body, and with these fields in place of its own.
    ///
    /// # Errors
    ///
    /// [`SignError`]; see [`is_transient`](SignError::is_transient) for whether another try makes sense.
    pub async fn sign(
        &self,
        signer: &dyn Signer,
        message: &Message<'_>,
        now: UnixTime,
    ) -> Result<SignedHeaders, SignError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| SignError::NoRandomness)?;
        self.sign_with_nonce(signer, message, now, &nonce).await
    }

    async fn sign_with_nonce(
        &self,
        signer: &dyn Signer,
        message: &Message<'_>,
        now: UnixTime,
        nonce: &[u8],
    ) -> Result<SignedHeaders, SignError> {
        if signer.key().purpose() != self.profile.key_use() {
            return Err(SignError::Purpose);
        }
        let target = TargetUri::parse(message.url()).map_err(SignError::Target)?;
        check_body(message.body())?;
        let covered = self.covered(signer, message, now, nonce)?;

        let mut fields = Vec::with_capacity(3);
        let mut signed = Message::new(message.method(), message.url(), message.body());
        let digest = content_digest(message.body(), self.alphabet);
        for component in &covered.components {
            if component.name == "content-digest" {
                fields.push(("content-digest", digest.clone()));
                signed = signed.with_header("content-digest", &digest);
            } else if component.name == "content-type" {
                signed =
                    signed.with_headers(message.header("content-type").map(|value| ("content-type", value)));
            }
        }
        let text = covered.to_text();
        let base = signature_base_ending(&covered, &text, &signed, &target).map_err(|error| match error {
            NoValue::Absent => SignError::NoContentType,
            NoValue::Unknown | NoValue::Malformed(_) => SignError::Field,
        })?;

        let signature = signer.sign(base.as_bytes()).await?;
        if signature.len() != 64 {
            return Err(SignError::NotASignature);
        }
        fields.push(("signature-input", format!("{LABEL}={text}")));
        fields.push(("signature", format!("{LABEL}=:{}:", self.alphabet.encode(&signature))));
        Ok(SignedHeaders::new(fields))
    }

    /// What is covered, and the parameters.
    fn covered(
        &self,
        signer: &dyn Signer,
        message: &Message<'_>,
        now: UnixTime,
        nonce: &[u8],
    ) -> Result<Covered, SignError> {
        let mut names = vec!["@method", "@target-uri", "@authority"];
        match message.header("content-type").count() {
            0 if self.profile == Profile::Webhook || !message.body().is_empty() => {
                return Err(SignError::NoContentType);
            }
            0 => {}
            1 => names.push("content-type"),
            _ => return Err(SignError::Field),
        }
        if self.digest {
            names.push("content-digest");
        }
        let key = signer.key();
        let text = |text: &str| Bare::String(text.to_owned());
        let params = [
            ("created", Bare::Integer(now.as_secs())),
            ("expires", Bare::Integer(now.after(self.lifetime).as_secs())),
            ("nonce", Bare::String(alphabet::url_safe(nonce))),
            ("keyid", text(key.keyid())),
            ("alg", text(key.algorithm().name())),
            ("tag", text(self.profile.tag())),
        ];
        Ok(Covered {
            components: names.into_iter().map(Component::plain).collect(),
            params: params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        })
    }
}

/// Receivers refuse a body that names a key twice, so that it is not sent in the first place.
pub(crate) fn check_body(body: &[u8]) -> Result<(), SignError> {
    if body.is_empty() {
        return Ok(());
    }
    json::check(body).map_err(|error| match error {
        BadJson::DuplicateKey => SignError::DuplicateKey,
        BadJson::Syntax => SignError::NotJson,
    })
}

/// Signs a webhook: fixed body and fields in, fields to add out, with a fresh nonce each time.
///
/// ```
/// # use adcp_signing::{Algorithm, KeyUse, LocalSigner, Message, UnixTime, sign_webhook};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "hooks-2026-05")?;
/// let body = br#"{"idempotency_key":"whk_5f0c2b9e8d7a","status":"completed"}"#;
/// let message = Message::new("POST", "https://buyer.example/hook", body)
///     .with_header("Content-Type", "application/json");
///
/// let fields = sign_webhook(&key, &message, UnixTime::from_secs(1_800_000_000)).await?;
/// assert!(fields.get("Signature-Input").is_some_and(|field| field.contains("keyid=\"hooks-2026-05\"")));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// See [`Signing::sign`].
pub async fn sign_webhook(
    signer: &dyn Signer,
    message: &Message<'_>,
    now: UnixTime,
) -> Result<SignedHeaders, SignError> {
    Signing::webhook().sign(signer, message, now).await
}

/// Signs a request with its body covered; [`Signing::request`] has the choices.
///
/// # Errors
///
/// See [`Signing::sign`].
pub async fn sign_request(
    signer: &dyn Signer,
    message: &Message<'_>,
    now: UnixTime,
) -> Result<SignedHeaders, SignError> {
    Signing::request().sign(signer, message, now).await
}
