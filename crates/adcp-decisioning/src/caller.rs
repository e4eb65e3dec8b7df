//! Who is calling: credentials in, a caller out.

use std::fmt;
use std::sync::Arc;

use adcp_core::{AdcpError, Principal, Secret, TenantId, Timestamp};
use adcp_types::ErrorCode;
use adcp_types::core::AccountAuthorization;
use async_trait::async_trait;

use crate::buyer_agent::BuyerAgent;

/// What a transport found in a request's headers. `Debug` prints no secret.
#[derive(Debug, Clone)]
#[allow(
    clippy::exhaustive_enums,
    reason = "a new kind of credential must be decided about by every authenticator"
)]
pub enum Credentials {
    /// None at all.
    None,
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// A bare key, in a header of its own.
    ApiKey(Secret),
    /// `Authorization: Basic …`, decoded.
    Basic {
        /// The user name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A request whose signature holds. Only a transport that has verified one makes this.
    Signed(VerifiedSignature),
    /// Something was presented that cannot be read; it identifies nobody.
    Unreadable,
}

/// A signature on a request that was verified against its agent's published keys.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedSignature {
    /// The key that signed.
    pub keyid: String,
    /// The agent that published the key, in canonical form; never taken from the request's body.
    pub agent_url: String,
    /// When it was verified.
    pub verified_at: Timestamp,
}

impl VerifiedSignature {
    /// A signature by `keyid` of the agent at `agent_url`, found valid at `verified_at`.
    #[must_use]
    pub fn new(keyid: impl Into<String>, agent_url: impl Into<String>, verified_at: Timestamp) -> Self {
        Self { keyid: keyid.into(), agent_url: agent_url.into(), verified_at }
    }
}

/// By what a caller proved who it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthMethod {
    /// The authenticator did not say.
    #[default]
    Unstated,
    /// A bearer token.
    Bearer,
    /// An API key.
    ApiKey,
    /// A user name and a password.
    Basic,
    /// A signature over the request itself.
    SignedRequest,
    /// A token that an authorization server issued.
    OAuth,
    /// A client certificate.
    ClientCertificate,
}

/// The buyer's agent, as its credential identifies it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Caller {
    /// The seller it talks to.
    pub tenant: TenantId,
    /// Who it is.
    pub principal: Principal,
    /// By what it proved that.
    pub method: AuthMethod,
    /// Its address, where the credential establishes one.
    pub agent_url: Option<String>,
    /// What this credential may do, on any account. `None` sets no bounds.
    pub authorization: Option<AccountAuthorization>,
    agent: Option<Arc<BuyerAgent>>,
}

impl Caller {
    /// A caller of a deployment that serves one seller.
    #[must_use]
    pub fn new(principal: Principal) -> Self {
        Self {
            tenant: TenantId::single(),
            principal,
            method: AuthMethod::Unstated,
            agent_url: None,
            authorization: None,
            agent: None,
        }
    }

    /// Names the seller, in a deployment that serves several.
    #[must_use]
    pub fn at(mut self, tenant: TenantId) -> Self {
        self.tenant = tenant;
        self
    }

    /// Says by what it proved who it is.
    #[must_use]
    pub const fn with_method(mut self, method: AuthMethod) -> Self {
        self.method = method;
        self
    }

    /// Names the agent's address. Only for one that the credential establishes.
    #[must_use]
    pub fn with_agent_url(mut self, agent_url: impl Into<String>) -> Self {
        self.agent_url = Some(agent_url.into());
        self
    }

    /// Bounds what this credential may do, whatever its accounts allow.
    ///
    /// Spec: `core/account-authorization.json`.
    #[must_use]
    pub fn with_authorization(mut self, authorization: AccountAuthorization) -> Self {
        self.authorization = Some(authorization);
        self
    }

    /// The seller's record of the agent, where it keeps one.
    #[must_use]
    pub fn agent(&self) -> Option<&BuyerAgent> {
        self.agent.as_deref()
    }

    /// Attaches the seller's record of the agent. Only the gate that looked it up does.
    pub(crate) fn met(mut self, agent: BuyerAgent) -> Self {
        self.agent = Some(Arc::new(agent));
        self
    }
}

/// Why credentials give no caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(clippy::exhaustive_enums, reason = "each case has its own answer on the wire")]
pub enum AuthFailure {
    /// None were presented.
    #[error("no credentials were presented")]
    Missing,
    /// They were presented and rejected.
    #[error("the credentials were rejected")]
    Invalid,
    /// They could not be checked now.
    #[error("credentials cannot be checked at the moment")]
    Unavailable,
}

impl AuthFailure {
    /// What the buyer is told.
    #[must_use]
    pub fn error(self) -> AdcpError {
        match self {
            Self::Missing => AdcpError::new(ErrorCode::AUTH_MISSING, "this tool needs credentials")
                .with_suggestion("send the header `Authorization: Bearer <token>`"),
            Self::Invalid => AdcpError::new(ErrorCode::AUTH_INVALID, "the credentials were rejected")
                .with_suggestion(
                    "ask the seller for valid credentials; the same ones will be rejected again",
                ),
            Self::Unavailable => AdcpError::unavailable(),
        }
    }
}

/// Turns credentials into a caller.
///
/// Implementers compare secrets in constant time and say [`AuthFailure::Invalid`] for every kind of wrong.
#[async_trait]
pub trait Authenticator: fmt::Debug + Send + Sync + 'static {
    /// Identifies the caller.
    async fn authenticate(&self, credentials: &Credentials) -> Result<Caller, AuthFailure>;
}
