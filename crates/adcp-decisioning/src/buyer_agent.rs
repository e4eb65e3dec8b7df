//! The seller's record of the agents that buy from it.

use std::fmt;
use std::future::Future;

use adcp_core::AdcpError;
use adcp_types::enums::BillingParty;
use futures_util::future::BoxFuture;

use crate::caller::Caller;

/// Whether the seller deals with an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AgentStatus {
    /// It does.
    Active,
    /// Not at present.
    Suspended,
    /// Not any more.
    Blocked,
}

/// What a seller has agreed with an agent.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BuyerAgent {
    /// The agent's address; it identifies the agent across credentials.
    pub agent_url: String,
    /// Whether the seller deals with it.
    pub status: AgentStatus,
    /// It may act on accounts for trials only.
    pub sandbox_only: bool,
    /// The brands it may act for, by domain. `None` means any.
    pub allowed_brands: Option<Vec<String>>,
    /// Who may be billed for what it buys. By default the operator alone.
    pub billing: Vec<BillingParty>,
}

impl BuyerAgent {
    /// An active agent without special terms.
    #[must_use]
    pub fn new(agent_url: impl Into<String>) -> Self {
        Self {
            agent_url: agent_url.into(),
            status: AgentStatus::Active,
            sandbox_only: false,
            allowed_brands: None,
            billing: vec![BillingParty::Operator],
        }
    }

    /// Sets whether the seller deals with it.
    #[must_use]
    pub const fn with_status(mut self, status: AgentStatus) -> Self {
        self.status = status;
        self
    }

    /// Keeps it to accounts for trials.
    #[must_use]
    pub const fn with_sandbox_only(mut self, sandbox_only: bool) -> Self {
        self.sandbox_only = sandbox_only;
        self
    }

    /// Keeps it to some brands, by domain.
    #[must_use]
    pub fn with_allowed_brands<T: Into<String>>(mut self, domains: impl IntoIterator<Item = T>) -> Self {
        self.allowed_brands = Some(domains.into_iter().map(Into::into).collect());
        self
    }

    /// Sets who may be billed for what it buys.
    #[must_use]
    pub fn with_billing(mut self, billing: impl IntoIterator<Item = BillingParty>) -> Self {
        self.billing = billing.into_iter().collect();
        self
    }

    /// Whether it may act for the brand of this domain.
    #[must_use]
    pub fn may_act_for(&self, domain: &str) -> bool {
        self.allowed_brands
            .as_ref()
            .is_none_or(|allowed| allowed.iter().any(|own| own.eq_ignore_ascii_case(domain)))
    }
}

/// Knows which agents may buy.
///
/// Once mounted with [`AgentBuilder::buyer_agents`], every call but the reading of capabilities comes from an
/// agent found here, or is denied. What implementers may rely on: an agent that is not found, and one that may
/// not act for the brand in the request, get the same answer after the same time.
///
/// [`AgentBuilder::buyer_agents`]: crate::AgentBuilder::buyer_agents
pub trait BuyerAgents: Send + Sync + 'static {
    /// The agent behind a credential; `None` when the seller knows none.
    ///
    /// An error denies the call as temporarily impossible, whatever it says; log its cause before.
    fn find(&self, caller: &Caller) -> impl Future<Output = Result<Option<BuyerAgent>, AdcpError>> + Send;
}

/// [`BuyerAgents`] behind a pointer; exists because native async traits are not object safe.
pub(crate) trait DynBuyerAgents: Send + Sync {
    fn find<'a>(&'a self, caller: &'a Caller) -> BoxFuture<'a, Result<Option<BuyerAgent>, AdcpError>>;
}

impl<A: BuyerAgents> DynBuyerAgents for A {
    fn find<'a>(&'a self, caller: &'a Caller) -> BoxFuture<'a, Result<Option<BuyerAgent>, AdcpError>> {
        Box::pin(BuyerAgents::find(self, caller))
    }
}

impl fmt::Debug for dyn DynBuyerAgents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BuyerAgents")
    }
}
