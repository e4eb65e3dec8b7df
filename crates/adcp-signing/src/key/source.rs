//! Where a verifier gets keys from.

use std::fmt;

use async_trait::async_trait;

use super::jwk::Jwk;
use crate::algorithm::Profile;
use crate::rejection::VerifyError;

/// Which key a verifier looks for.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct KeyQuery<'a> {
    /// The name that the signature gives.
    pub keyid: &'a str,
    /// What it is to verify.
    pub profile: Profile,
}

/// A key, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundKey {
    /// The key.
    pub jwk: Jwk,
    /// The agent whose document published it, when the source knows.
    pub agent_url: Option<String>,
}

impl FoundKey {
    /// A key of nobody in particular.
    #[must_use]
    pub const fn new(jwk: Jwk) -> Self {
        Self { jwk, agent_url: None }
    }

    /// Names the agent whose document published it: the `url` of the entry in `brand.json`, never of the message.
    #[must_use]
    pub fn with_agent_url(mut self, url: impl Into<String>) -> Self {
        self.agent_url = Some(url.into());
        self
    }
}

/// Finds keys by name: a fixed set, or documents fetched through a guarded connection.
///
/// [`Jwks`](crate::Jwks) is one that never changes. A source that fetches looks again, at most every 30 s, when a name is
/// missing, since its owner may have rotated.
#[async_trait]
pub trait KeySource: fmt::Debug + Send + Sync {
    /// Finds a key. `None` makes the message fail with the code `…_key_unknown`.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Rejected`] with [`Fault::Keys`](crate::Fault::Keys) when the counterparty's documents are at fault, and
    /// [`VerifyError::Unavailable`] when something of ours is.
    async fn find(&self, query: &KeyQuery<'_>) -> Result<Option<FoundKey>, VerifyError>;
}
