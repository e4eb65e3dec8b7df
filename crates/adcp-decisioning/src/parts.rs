//! What an agent is made of, shared by every call.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::json::Limits;
use adcp_core::{Clock, Delivery, Registry};
use adcp_types::json::JsonObject;

use crate::account::DynAccounts;
use crate::background::Tasks;
use crate::buyer_agent::DynBuyerAgents;
use crate::caller::Authenticator;
use crate::companions::Companions;
use crate::job::Jobs;
use crate::listing::Tool;
use crate::proposal::ProposalTerms;
use crate::route::Route;
use crate::version::Versions;

pub(crate) struct Parts {
    pub(crate) routes: HashMap<&'static str, Route>,
    pub(crate) tools: Vec<Tool>,
    pub(crate) authenticator: Arc<dyn Authenticator>,
    pub(crate) accounts: Arc<dyn DynAccounts>,
    pub(crate) buyer_agents: Option<Arc<dyn DynBuyerAgents>>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    pub(crate) versions: Versions,
    pub(crate) replay_ttl: Duration,
    pub(crate) background: Tasks,
    /// The handlers of jobs.
    pub(crate) jobs: Jobs,
    /// How proposals are kept; `None` for sellers without.
    pub(crate) proposals: Option<ProposalTerms>,
    pub(crate) enqueue_lease: Duration,
    /// How long a running function's hold on its task counts without being renewed.
    pub(crate) lease: Duration,
    pub(crate) delivery: Option<Arc<dyn Delivery>>,
    /// Whether the end of a task queues the buyer's notification.
    pub(crate) auto_emit: bool,
    pub(crate) companions: Companions,
    /// The answer to `get_adcp_capabilities`, without its envelope.
    pub(crate) capabilities: JsonObject,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent").field("tools", &self.tools.len()).finish_non_exhaustive()
    }
}
