//! Sponsored conversations.

use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::sponsored_intelligence::{
    SiGetOfferingRequest, SiGetOfferingResponse, SiInitiateSessionRequest, SiInitiateSessionResponse,
    SiSendMessageRequest, SiSendMessageResponse, SiTerminateSessionRequest, SiTerminateSessionResponse,
};

use crate::ctx::Ctx;

/// What a brand's agent decides that converses with people.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no sponsored conversations: `.sponsored_intelligence()` needs an `impl SponsoredIntelligence for {Self}`",
    note = "a session that cannot be continued or ended is none: every method is required"
)]
pub trait SponsoredIntelligence: Send + Sync + 'static {
    /// Says what a conversation would offer, before one is started.
    fn si_get_offering(
        &self,
        ctx: &Ctx,
        req: SiGetOfferingRequest,
    ) -> impl Future<Output = Result<SiGetOfferingResponse, AdcpError>> + Send;

    /// Starts a conversation for a person's intent.
    fn si_initiate_session(
        &self,
        ctx: &Ctx,
        req: SiInitiateSessionRequest,
    ) -> impl Future<Output = Result<SiInitiateSessionResponse, AdcpError>> + Send;

    /// Answers a message, or what the person did with an answer.
    fn si_send_message(
        &self,
        ctx: &Ctx,
        req: SiSendMessageRequest,
    ) -> impl Future<Output = Result<SiSendMessageResponse, AdcpError>> + Send;

    /// Ends a conversation.
    fn si_terminate_session(
        &self,
        ctx: &Ctx,
        req: SiTerminateSessionRequest,
    ) -> impl Future<Output = Result<SiTerminateSessionResponse, AdcpError>> + Send;
}
