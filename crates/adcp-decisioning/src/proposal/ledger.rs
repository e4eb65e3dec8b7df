//! Reading the ledger as a caller may.

use adcp_core::{
    AdcpError, Owner, ProposalId, ProposalKey, ProposalRecord, ProposalRefusal, ReserveProposal, Reserved,
};

use super::ProposalTerms;
use crate::hook::{Plan, Site};

/// Where a caller's proposal may be kept: with the account, or with the principal since it was offered without one.
fn keys(owner: &Owner, id: &str) -> impl Iterator<Item = ProposalKey> {
    let own = Owner::new(owner.tenant.clone(), None, owner.principal.clone());
    let shared = owner.account.is_some().then(|| ProposalKey::of(owner, ProposalId::new(id)));
    shared.into_iter().chain([ProposalKey::of(&own, ProposalId::new(id))])
}

/// The proposal of this id that the caller may use.
pub(crate) async fn find(
    site: Site<'_>,
    owner: &Owner,
    id: &str,
) -> Result<Option<ProposalRecord>, AdcpError> {
    for key in keys(owner, id) {
        if let Some(record) = site.parts.registry.proposal(&key).await? {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// Reserves the proposal of this id for one purchase, and writes that into the plan.
pub(crate) async fn reserve(
    site: Site<'_>,
    terms: &ProposalTerms,
    owner: &Owner,
    id: &str,
    plan: &mut Plan,
) -> Result<(), AdcpError> {
    let mut refusal = ProposalRefusal::Unknown;
    for key in keys(owner, id) {
        let ask = ReserveProposal::new(key).with_lease(terms.hold()).with_grace(terms.grace());
        match site.parts.registry.reserve(ask).await? {
            Reserved::Held { hold, proposal } => {
                plan.effects.purchase = Some(hold);
                plan.proposals.push(*proposal);
                return Ok(());
            }
            Reserved::Refused(ProposalRefusal::Unknown) => {}
            Reserved::Refused(other) => {
                refusal = other;
                break;
            }
        }
    }
    Err(refusal.error("proposal_id"))
}

/// Puts the proposal that an order bought into the plan, if one did.
pub(crate) async fn recall(site: Site<'_>, media_buy_id: &str, plan: &mut Plan) -> Result<(), AdcpError> {
    let (Some(_), Some(owner)) = (&site.parts.proposals, site.owner) else { return Ok(()) };
    plan.proposals.extend(site.parts.registry.proposal_of_buy(owner, media_buy_id).await?);
    Ok(())
}
