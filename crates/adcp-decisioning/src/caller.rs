//! Who is calling: credentials in, a caller out.

use std::fmt;

use adcp_core::{AdcpError, Principal, Secret, TenantId};
use adcp_types::ErrorCode;
use async_trait::async_trait;

/// What a transport found in a request's headers. `Debug` prints no secret.
#[derive(Debug, Clone)]
#[allow(
    clippy::exhaustive_enums,
    reason = "a new kind of credential must be decided about by every authenticator"
)]
pub enum Credentials {
    /// None at all.
    None,
    /// `Authorization: Bearer …`, or an API key header.
    Bearer(Secret),
    /// `Authorization: Basic …`, decoded.
    Basic {
        /// The user name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// Something was presented that cannot be read; it identifies nobody.
    Unreadable,
}

/// The buyer's agent, as its credential identifies it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Caller {
    /// The seller it talks to.
    pub tenant: TenantId,
    /// Who it is.
    pub principal: Principal,
}

impl Caller {
    /// A caller of a deployment that serves one seller.
    #[must_use]
    pub fn new(principal: Principal) -> Self {
        Self { tenant: TenantId::single(), principal }
    }

    /// Names the seller, in a deployment that serves several.
    #[must_use]
    pub fn at(mut self, tenant: TenantId) -> Self {
        self.tenant = tenant;
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
