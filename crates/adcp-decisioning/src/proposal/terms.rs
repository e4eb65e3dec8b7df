//! How a seller makes, keeps and sells proposals.

use std::time::Duration;

use crate::build_error::BuildError;

/// A day: how long a draft is kept, by default.
const DRAFTS: Duration = Duration::from_secs(24 * 3600);

/// How long a purchase holds its proposal before it renews the hold, by default.
const HOLD: Duration = Duration::from_secs(60);

/// Seven days: how long the ledger remembers a proposal that has expired.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 3600);

/// How a seller makes, keeps and sells proposals. Given to
/// [`AgentBuilder::proposals`](crate::AgentBuilder::proposals), it turns the ledger of proposals on.
///
/// ```
/// use std::time::Duration;
/// use adcp_decisioning::{Finalizing, ProposalTerms};
///
/// let terms = ProposalTerms::new()
///     .with_finalizing(Finalizing::Several)
///     .with_grace(Duration::from_secs(300));
/// assert_eq!(terms.finalizing(), Finalizing::Several);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProposalTerms {
    keep: Duration,
    commit_for: Option<Duration>,
    grace: Duration,
    hold: Duration,
    finalizing: Finalizing,
    derives: bool,
}

/// Which drafts a buyer may have made firm, with the action `finalize` of a refinement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "none, one or several: there is no fourth number")]
pub enum Finalizing {
    /// None: the seller offers firm proposals only, or sells its products one by one.
    #[default]
    Never,
    /// One per request; more are `MULTI_FINALIZE_UNSUPPORTED`.
    One,
    /// Several per request, all of them or none.
    Several,
}

impl Default for ProposalTerms {
    fn default() -> Self {
        Self::new()
    }
}

impl ProposalTerms {
    /// Keeps drafts for a day, sells firm proposals until the instant they expire, derives packages, finalizes none.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            keep: DRAFTS,
            commit_for: None,
            grace: Duration::ZERO,
            hold: HOLD,
            finalizing: Finalizing::Never,
            derives: true,
        }
    }

    /// Sets how long a draft is kept after it was last offered.
    #[must_use]
    pub const fn keeping_drafts_for(mut self, time: Duration) -> Self {
        self.keep = time;
        self
    }

    /// Makes proposals that say no `proposal_status` firm at once, for so long: for sellers who finalize nothing.
    ///
    /// Not for guaranteed sales, where a firm price is a promise somebody has to make.
    #[must_use]
    pub const fn committing_for(mut self, time: Duration) -> Self {
        self.commit_for = Some(time);
        self
    }

    /// Sets how long after its expiry a proposal can still be bought: seven days at most.
    #[must_use]
    pub const fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets for how long a purchase reserves its proposal before it renews that, and so how long a crash blocks it: a
    /// second at least.
    #[must_use]
    pub const fn with_hold(mut self, lease: Duration) -> Self {
        self.hold = lease;
        self
    }

    /// Says which drafts the seller's `get_products` makes firm when a buyer asks for it.
    #[must_use]
    pub const fn with_finalizing(mut self, finalizing: Finalizing) -> Self {
        self.finalizing = finalizing;
        self
    }

    /// Leaves an order without packages as it is: the seller splits the budget itself.
    #[must_use]
    pub const fn without_derived_packages(mut self) -> Self {
        self.derives = false;
        self
    }

    /// Which drafts are made firm on demand.
    #[must_use]
    pub const fn finalizing(&self) -> Finalizing {
        self.finalizing
    }

    pub(crate) const fn keep(&self) -> Duration {
        self.keep
    }

    pub(crate) const fn commit_for(&self) -> Option<Duration> {
        self.commit_for
    }

    pub(crate) const fn grace(&self) -> Duration {
        self.grace
    }

    pub(crate) const fn hold(&self) -> Duration {
        self.hold
    }

    pub(crate) const fn derives(&self) -> bool {
        self.derives
    }

    /// Collects what contradicts itself.
    pub(crate) fn check(&self, guaranteed: bool, faults: &mut Vec<BuildError>) {
        let times = [
            ("time to keep drafts", Some(self.keep)),
            ("time to commit for", self.commit_for),
            ("hold of a purchase", Some(self.hold)),
        ];
        faults.extend(
            times
                .into_iter()
                .filter(|(_, time)| *time == Some(Duration::ZERO))
                .map(|(name, _)| BuildError::NoTimeForProposals(name)),
        );
        if !self.hold.is_zero() && self.hold < Duration::from_secs(1) {
            faults.push(BuildError::Lease(self.hold));
        }
        if self.grace > REMEMBERED {
            faults.push(BuildError::Contradiction {
                claim: format!("a grace of {:?}", self.grace),
                against: "an expired proposal is remembered for seven days".to_owned(),
            });
        }
        if self.commit_for.is_none() {
            return;
        }
        let against = [
            (self.finalizing != Finalizing::Never, "`with_finalizing` offers to make drafts firm on demand"),
            (guaranteed, "the specialism `sales-guaranteed` needs a seller's own commitment"),
        ];
        faults.extend(against.into_iter().filter(|(holds, _)| *holds).map(|(_, against)| {
            BuildError::Contradiction {
                claim: "`ProposalTerms::committing_for`".to_owned(),
                against: against.to_owned(),
            }
        }));
    }
}
