//! What a method may ask about its caller and the account, beyond who and which.

use std::any::Any;

use adcp_core::{AdcpError, TenantId};

use crate::buyer_agent::BuyerAgent;
use crate::ctx::Ctx;

impl Ctx {
    /// The seller that the call is for.
    ///
    /// # Errors
    ///
    /// `AUTH_MISSING` in a tool that answers without credentials.
    pub fn tenant(&self) -> Result<&TenantId, AdcpError> {
        self.caller().map(|caller| &caller.tenant)
    }

    /// The seller's record of the calling agent, in an agent that was built with one.
    #[must_use]
    pub fn agent(&self) -> Option<&BuyerAgent> {
        self.caller().ok()?.agent()
    }

    /// The seller's own value that its account store attached with [`Account::with_data`].
    ///
    /// [`Account::with_data`]: crate::Account::with_data
    ///
    /// # Errors
    ///
    /// `ACCOUNT_NOT_FOUND` without an account; `SERVICE_UNAVAILABLE`, and a line in the log, when the store
    /// attached no value of this type.
    pub fn account_data<T: Any + Send + Sync>(&self) -> Result<&T, AdcpError> {
        self.account()?.data().ok_or_else(|| {
            tracing::error!(
                tool = self.tool().name,
                wanted = std::any::type_name::<T>(),
                "the account store attached no such value"
            );
            AdcpError::unavailable()
        })
    }
}
