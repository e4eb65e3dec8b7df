//! The surface that compliance tests drive.

use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::compliance::{ComplyTestControllerRequest, ComplyTestControllerResponse};

use crate::ctx::Ctx;

/// What a sandbox does when a compliance test asks for it: seed data, force states, simulate delivery.
///
/// Only for deployments that sell nothing real: a mounted controller is listed for everybody. The SDK answers
/// `FORBIDDEN` unless the seller's own record says that the account is a sandbox, answers `UNKNOWN_SCENARIO` for
/// scenarios that the capabilities do not declare, and lists those that they do. The method sees the rest.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no compliance controller: `.compliance_controller()` needs an `impl ComplianceController for {Self}`"
)]
pub trait ComplianceController: Send + Sync + 'static {
    /// Plays one scenario. What goes wrong in it is a `ControllerError`, an answer like any other.
    fn comply_test_controller(
        &self,
        ctx: &Ctx,
        req: ComplyTestControllerRequest,
    ) -> impl Future<Output = Result<ComplyTestControllerResponse, AdcpError>> + Send;
}
