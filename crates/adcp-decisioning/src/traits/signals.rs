//! Signals: finding data for targeting, and switching it on.

use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::signals::{
    ActivateSignalRequest, ActivateSignalSuccess, GetSignalsRequest, GetSignalsResponse,
};

use crate::ctx::Ctx;
use crate::decision::Discovery;

/// What a provider of signals decides.
#[diagnostic::on_unimplemented(
    message = "`{Self}` offers no signals: `.signals()` needs an `impl Signals for {Self}`"
)]
pub trait Signals: Send + Sync + 'static {
    /// Finds signals for a brief, or lists them wholesale.
    fn get_signals(
        &self,
        ctx: &Ctx,
        req: GetSignalsRequest,
    ) -> impl Future<Output = Result<Discovery<GetSignalsResponse>, AdcpError>> + Send;
}

/// What a provider decides whose signals are switched on by the buyer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` activates no signals: `.activate_signals()` needs an `impl ActivateSignals for {Self}`"
)]
pub trait ActivateSignals: Send + Sync + 'static {
    /// Makes a signal usable on its destinations, or takes it back. Deployments may still be pending.
    fn activate_signal(
        &self,
        ctx: &Ctx,
        req: ActivateSignalRequest,
    ) -> impl Future<Output = Result<ActivateSignalSuccess, AdcpError>> + Send;
}
