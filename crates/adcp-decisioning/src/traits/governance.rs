//! Governance of spending: plans, verdicts, outcomes, and the log of them.

use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::governance::{
    CheckGovernanceRequest, CheckGovernanceResponse, GetPlanAuditLogsRequest, GetPlanAuditLogsResponse,
    ReportPlanOutcomeRequest, ReportPlanOutcomeResponse, SyncPlansRequest, SyncPlansResponse,
};

use crate::ctx::Ctx;

/// What a governance agent decides.
#[diagnostic::on_unimplemented(
    message = "`{Self}` governs no plans: `.governance()` needs an `impl Governance for {Self}`",
    note = "a verdict without a plan, or without a record of it, cannot be audited: every method is required"
)]
pub trait Governance: Send + Sync + 'static {
    /// Takes plans: budgets, policies, and who decides what.
    fn sync_plans(
        &self,
        ctx: &Ctx,
        req: SyncPlansRequest,
    ) -> impl Future<Output = Result<SyncPlansResponse, AdcpError>> + Send;

    /// Says whether a purchase or change fits its plan. A `governance_context` for the buyer goes into the answer's `extra`.
    fn check_governance(
        &self,
        ctx: &Ctx,
        req: CheckGovernanceRequest,
    ) -> impl Future<Output = Result<CheckGovernanceResponse, AdcpError>> + Send;

    /// Takes what came of a checked purchase, so that the plan's budget stays true.
    fn report_plan_outcome(
        &self,
        ctx: &Ctx,
        req: ReportPlanOutcomeRequest,
    ) -> impl Future<Output = Result<ReportPlanOutcomeResponse, AdcpError>> + Send;

    /// Reads what was decided under plans, and why.
    fn get_plan_audit_logs(
        &self,
        ctx: &Ctx,
        req: GetPlanAuditLogsRequest,
    ) -> impl Future<Output = Result<GetPlanAuditLogsResponse, AdcpError>> + Send;
}
