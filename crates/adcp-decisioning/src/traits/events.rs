//! Conversions: where events come from, and the events.

use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::media_buy::{
    LogEventRequest, LogEventSuccess, SyncEventSourcesRequest, SyncEventSourcesSuccess,
};

use crate::ctx::Ctx;

/// What a seller decides who measures conversions.
#[diagnostic::on_unimplemented(
    message = "`{Self}` takes no conversion events: `.conversion_events()` needs an `impl ConversionEvents for {Self}`",
    note = "a source without events, or events without a source, measure nothing: both methods are required"
)]
pub trait ConversionEvents: Send + Sync + 'static {
    /// Registers sources of events and says what to install; without sources it reads them.
    fn sync_event_sources(
        &self,
        ctx: &Ctx,
        req: SyncEventSourcesRequest,
    ) -> impl Future<Output = Result<SyncEventSourcesSuccess, AdcpError>> + Send;

    /// Takes events of a registered source. Events that are refused are reported, the rest counts.
    fn log_event(
        &self,
        ctx: &Ctx,
        req: LogEventRequest,
    ) -> impl Future<Output = Result<LogEventSuccess, AdcpError>> + Send;
}
