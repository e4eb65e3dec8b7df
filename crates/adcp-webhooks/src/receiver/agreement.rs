//! What a buyer and a seller agreed on when an address was registered.

use std::fmt;

use adcp_signing::{BearerToken, HmacKey, Secret, Verifier, WebhookMode};
use async_trait::async_trait;

/// What was agreed for one address. The registration decides it, never a message. `Debug` prints no secret.
#[derive(Debug, Clone)]
pub struct Agreement {
    pub(crate) sender: String,
    pub(crate) mode: Mode,
    pub(crate) challenges: Option<Verifier>,
    pub(crate) token: Option<Secret>,
    pub(crate) operation_id: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) enum Mode {
    Signed(Box<Verifier>),
    Hmac(HmacKey),
    Bearer(BearerToken),
}

impl Agreement {
    /// The sender signs: the registration had no `authentication`. Clones of a verifier share its memory of nonces.
    ///
    /// `sender` is your name of the seller. Keys of events count within it, also while the seller rotates its key.
    #[must_use]
    pub fn signed(sender: impl Into<String>, verifier: Verifier) -> Self {
        Self::new(sender, Mode::Signed(Box::new(verifier)))
    }

    /// The sender uses a keyed hash, as the registration asked.
    #[must_use]
    pub fn hmac(sender: impl Into<String>, key: HmacKey) -> Self {
        Self::new(sender, Mode::Hmac(key))
    }

    /// The sender presents a token, as the registration asked. It proves nothing of the body.
    #[must_use]
    pub fn bearer(sender: impl Into<String>, token: BearerToken) -> Self {
        Self::new(sender, Mode::Bearer(token))
    }

    fn new(sender: impl Into<String>, mode: Mode) -> Self {
        Self { sender: sender.into(), mode, challenges: None, token: None, operation_id: None }
    }

    /// Verifies challenges, which are signed whatever else was agreed. Without it, an address with a legacy scheme
    /// accepts none.
    #[must_use]
    pub fn with_challenges_signed(mut self, verifier: Verifier) -> Self {
        self.challenges = Some(verifier);
        self
    }

    /// Expects the token of the registration in every body.
    #[must_use]
    pub fn with_token(mut self, token: Secret) -> Self {
        self.token = Some(token);
        self
    }

    /// Expects the `operation_id` of the registration in every task's news.
    #[must_use]
    pub fn with_operation_id(mut self, id: impl Into<String>) -> Self {
        self.operation_id = Some(id.into());
        self
    }

    pub(crate) const fn webhook_mode(&self) -> WebhookMode {
        match self.mode {
            Mode::Signed(_) => WebhookMode::Signed,
            Mode::Hmac(_) => WebhookMode::Hmac,
            Mode::Bearer(_) => WebhookMode::Bearer,
        }
    }
}

/// Finds what was agreed for an address.
#[async_trait]
pub trait Agreements: fmt::Debug + Send + Sync + 'static {
    /// What was agreed for this path and query, as they were asked for; `None` when nothing was.
    ///
    /// # Errors
    ///
    /// Whatever kept it from being found: the sender is told to come again.
    async fn agreed(&self, target: &str) -> Result<Option<Agreement>, adcp_core::BoxError>;
}

/// One agreement for whatever is asked for.
#[async_trait]
impl Agreements for Agreement {
    async fn agreed(&self, _target: &str) -> Result<Option<Self>, adcp_core::BoxError> {
        Ok(Some(self.clone()))
    }
}
