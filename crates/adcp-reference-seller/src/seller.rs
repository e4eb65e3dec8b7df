//! The seller itself: what it holds, and how it becomes an agent.

use std::fmt;
use std::sync::Arc;

use adcp_core::{AdcpError, Registry};
use adcp_decisioning::{Agent, AgentBuilder, Authenticator, BuildErrors, Caller, Ctx};
use adcp_webhooks::{Subscriptions, Webhooks};

use crate::ad_server::{AdServer, Bounds, Buyer};
use crate::config::SellerConfig;
use crate::map::{Shelf, capability};
use crate::seed;

/// A seller over an ad server in this process. Cheap to clone; clones share everything.
///
/// What it sells is fixed by a seed. What buyers book lives in memory and is gone when the process ends.
#[derive(Clone)]
pub struct ReferenceSeller(Arc<Inner>);

struct Inner {
    ads: AdServer,
    shelf: Shelf,
    config: SellerConfig,
    subscriptions: Option<Subscriptions>,
}

impl ReferenceSeller {
    /// A seller with the built-in seed and nothing booked, that sends no notifications.
    #[must_use]
    pub fn new(config: SellerConfig) -> Self {
        Self::assemble(config, None)
    }

    fn assemble(config: SellerConfig, subscriptions: Option<Subscriptions>) -> Self {
        let catalog = seed::catalog().expect("the built-in seed is tested");
        let shelf = Shelf::new(&catalog, &config.agent_url);
        let ads = AdServer::new(catalog, Bounds::default(), config.sandbox);
        Self(Arc::new(Inner { ads, shelf, config, subscriptions }))
    }

    pub(crate) fn ads(&self) -> &AdServer {
        &self.0.ads
    }

    /// What is for sale, in the form it is shown to buyers.
    pub(crate) fn shelf(&self) -> &Shelf {
        &self.0.shelf
    }

    pub(crate) fn config(&self) -> &SellerConfig {
        &self.0.config
    }

    /// Who hears of what happens to accounts, where notifications are sent.
    pub(crate) fn subscriptions(&self) -> Option<&Subscriptions> {
        self.0.subscriptions.as_ref()
    }

    /// Whose drawer a call opens.
    pub(crate) fn buyer(ctx: &Ctx) -> Result<Buyer, AdcpError> {
        ctx.caller().map(buyer_of)
    }
}

impl fmt::Debug for ReferenceSeller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReferenceSeller").field("config", &self.0.config).finish_non_exhaustive()
    }
}

/// A buyer is a principal of a tenant; the length keeps two pairs with the same letters apart.
pub(crate) fn buyer_of(caller: &Caller) -> Buyer {
    let tenant = caller.tenant.as_str();
    Buyer(format!("{}:{tenant}{}", tenant.len(), caller.principal))
}

/// A seller with everything mounted, ready to be served.
///
/// # Errors
///
/// Whatever is wrong with the parts, all at once.
pub fn agent(
    config: SellerConfig,
    registry: Arc<dyn Registry>,
    authenticator: impl Authenticator,
) -> Result<Agent, BuildErrors> {
    builder(config, registry, authenticator).build()
}

/// The same before it is built, for settings such as limits or further releases.
pub fn builder(
    config: SellerConfig,
    registry: Arc<dyn Registry>,
    authenticator: impl Authenticator,
) -> AgentBuilder<ReferenceSeller> {
    mounted(ReferenceSeller::new(config), registry, authenticator)
}

/// The same, for a seller that sends notifications: `webhooks` delivers them, and buyers may subscribe to what happens to
/// their accounts.
pub fn notifying(
    config: SellerConfig,
    registry: Arc<dyn Registry>,
    authenticator: impl Authenticator,
    webhooks: Webhooks,
) -> AgentBuilder<ReferenceSeller> {
    let subscriptions =
        Subscriptions::new(Arc::clone(&registry), webhooks.clone(), config.agent_url.as_str());
    let seller = ReferenceSeller::assemble(config, Some(subscriptions));
    mounted(seller, registry, authenticator).deliver_with(webhooks)
}

fn mounted(
    seller: ReferenceSeller,
    registry: Arc<dyn Registry>,
    authenticator: impl Authenticator,
) -> AgentBuilder<ReferenceSeller> {
    let sandbox = seller.config().sandbox;
    Agent::builder(seller.clone())
        .authenticator(authenticator)
        .accounts(seller)
        .sales()
        .creative_library()
        .list_accounts()
        .sync_accounts()
        .shared_registry(registry)
        .capabilities(move |known| capability::declare(known, sandbox))
}
