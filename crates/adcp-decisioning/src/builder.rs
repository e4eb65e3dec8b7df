//! Building an agent: everything is checked before a port opens, and every fault is reported at once.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::json::Limits;
use adcp_core::{Background, Clock, Delivery, Registry, Retention, SystemClock};
use adcp_types::protocol::GetAdcpCapabilitiesResponse;

use crate::account::{Accounts, DynAccounts};
use crate::agent::Agent;
use crate::background::Tasks;
use crate::build_error::{BuildError, BuildErrors};
use crate::builder_jobs::JobSettings;
use crate::buyer_agent::{BuyerAgents, DynBuyerAgents};
use crate::caller::Authenticator;
use crate::companions::Companions;
use crate::generated::descriptions;
use crate::janitor::Janitor;
use crate::listing::Tool;
use crate::lookout::{self, Lookout};
use crate::metered::Metered;
use crate::metric;
use crate::parts::Parts;
use crate::proposal::ProposalTerms;
use crate::rescue::Rescuer;
use crate::rounds::Rounds;
use crate::route::Route;
use crate::tools;
use crate::tools::capabilities::{Published, Told};
use crate::version::Versions;
use crate::worker::Worker;

/// How long a recorded answer is replayed, by default: a day. Told to buyers in the capabilities.
pub const DEFAULT_REPLAY_TTL: Duration = Duration::from_secs(24 * 3600);

/// Background tasks that run at once, by default.
pub const DEFAULT_BACKGROUND_TASKS: usize = 1000;

/// How long a workflow may take to be enqueued, by default.
pub const DEFAULT_ENQUEUE_LEASE: Duration = Duration::from_secs(60);

/// How long a running function's hold on its task counts without being renewed, by default. It is renewed at a third.
pub const DEFAULT_LEASE: Duration = Duration::from_secs(30);

/// How often an agent looks for abandoned tasks, by default.
pub const DEFAULT_RESCUE_INTERVAL: Duration = Duration::from_secs(10);

/// How often an agent forgets what has been over for long enough, by default.
pub const DEFAULT_RETENTION_INTERVAL: Duration = Duration::from_secs(60);

/// Mounts what a seller implements, and the parts an agent needs.
pub struct AgentBuilder<S> {
    seller: Arc<S>,
    routes: Vec<Route>,
    authenticator: Option<Arc<dyn Authenticator>>,
    accounts: Option<Arc<dyn DynAccounts>>,
    buyer_agents: Option<Arc<dyn DynBuyerAgents>>,
    registry: Option<Arc<dyn Registry>>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    releases: Vec<String>,
    replay_ttl: Duration,
    background_tasks: usize,
    enqueue_lease: Duration,
    lease: Duration,
    rescue_interval: Duration,
    retention: Retention,
    retention_interval: Duration,
    delivery: Option<Arc<dyn Delivery>>,
    auto_emit: bool,
    companions: Vec<Arc<dyn Background>>,
    declared: GetAdcpCapabilitiesResponse,
    published: Option<Published>,
    proposals: Option<ProposalTerms>,
    pub(crate) jobs: JobSettings,
}

impl<S> fmt::Debug for AgentBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentBuilder").field("routes", &self.routes).finish_non_exhaustive()
    }
}

impl<S: Send + Sync + 'static> AgentBuilder<S> {
    pub(crate) fn new(seller: S) -> Self {
        Self {
            seller: Arc::new(seller),
            routes: Vec::new(),
            authenticator: None,
            accounts: None,
            buyer_agents: None,
            registry: None,
            clock: Arc::new(SystemClock::new()),
            limits: Limits::new(),
            releases: vec![adcp_types::ADCP_RELEASE.to_owned()],
            replay_ttl: DEFAULT_REPLAY_TTL,
            background_tasks: DEFAULT_BACKGROUND_TASKS,
            enqueue_lease: DEFAULT_ENQUEUE_LEASE,
            lease: DEFAULT_LEASE,
            rescue_interval: DEFAULT_RESCUE_INTERVAL,
            retention: Retention::new(),
            retention_interval: DEFAULT_RETENTION_INTERVAL,
            delivery: None,
            auto_emit: true,
            companions: Vec::new(),
            declared: tools::capabilities::undeclared(),
            published: None,
            proposals: None,
            jobs: JobSettings::default(),
        }
    }

    /// Mounts a group of tools. The methods that name a group are generated from the table of tools.
    #[must_use]
    pub(crate) fn mount(mut self, routes: fn(&Arc<S>) -> Vec<Route>) -> Self {
        self.routes.extend(routes(&self.seller));
        self
    }

    /// Says who a caller is. Required.
    #[must_use]
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Self {
        self.authenticator = Some(Arc::new(authenticator));
        self
    }

    /// Says on which accounts a caller may act. Required.
    #[must_use]
    pub fn accounts(mut self, accounts: impl Accounts) -> Self {
        self.accounts = Some(Arc::new(accounts));
        self
    }

    /// Says which agents may buy. Without it, whoever has a credential may.
    #[must_use]
    pub fn buyer_agents(mut self, agents: impl BuyerAgents) -> Self {
        self.buyer_agents = Some(Arc::new(agents));
        self
    }

    /// Keeps tasks and idempotency keys. Required.
    #[must_use]
    pub fn registry(mut self, registry: impl Registry) -> Self {
        self.registry = Some(Arc::new(registry));
        self
    }

    /// Keeps tasks and idempotency keys in a backend chosen at start-up. Required, here or by [`Self::registry`].
    #[must_use]
    pub fn shared_registry(mut self, registry: Arc<dyn Registry>) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Takes the time that methods see from `clock`.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Bounds what peers may send.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Also serves an older or neighbouring release, written `MAJOR.MINOR` or `MAJOR.MINOR-PRERELEASE`.
    ///
    /// Answers keep the shapes of the release this SDK is made from; newer fields are additive within a major.
    #[must_use]
    pub fn also_serve(mut self, release: impl Into<String>) -> Self {
        self.releases.push(release.into());
        self
    }

    /// Sets how long a recorded answer is replayed: an hour to seven days.
    #[must_use]
    pub const fn replay_ttl(mut self, ttl: Duration) -> Self {
        self.replay_ttl = ttl;
        self
    }

    /// Sets how many background tasks run at once; more are refused as unavailable.
    #[must_use]
    pub const fn background_tasks(mut self, tasks: usize) -> Self {
        self.background_tasks = tasks;
        self
    }

    /// Keeps the proposals that the seller's `get_products` offers, and sells them by these terms.
    ///
    /// Without this, a seller that offers proposals keeps them itself, and capabilities deny them.
    #[must_use]
    pub fn proposals(mut self, terms: ProposalTerms) -> Self {
        self.proposals = Some(terms);
        self
    }

    /// Sets how long [`Ctx::handoff_to_workflow`](crate::Ctx::handoff_to_workflow) may take to enqueue; longer counts
    /// as a failure, and a task whose process died meanwhile ends as failed.
    #[must_use]
    pub const fn enqueue_lease(mut self, lease: Duration) -> Self {
        self.enqueue_lease = lease;
        self
    }

    /// Sets how long a running function's hold on its task counts without being renewed: a second at least.
    ///
    /// When a process dies, its tasks end as failed within this time and one [`Self::rescue_interval`], as soon as
    /// any agent runs on the same registry.
    #[must_use]
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Sets how often the agent looks for abandoned tasks: once a second at most.
    #[must_use]
    pub const fn rescue_interval(mut self, every: Duration) -> Self {
        self.rescue_interval = every;
        self
    }

    /// Says how long things stay in the registry once they are over: an ended task for seven days, by default. The
    /// agent forgets them by itself, a batch at a time; what is open stays.
    #[must_use]
    pub const fn retention(mut self, retention: Retention) -> Self {
        self.retention = retention;
        self
    }

    /// Sets how often the agent forgets: once a second at most.
    #[must_use]
    pub const fn retention_interval(mut self, every: Duration) -> Self {
        self.retention_interval = every;
        self
    }

    /// Carries queued notifications to their receivers, and says so in the capabilities. Without it, a call that may become a task and asks for
    /// notifications is refused, unless [`Self::auto_emit`] is off.
    #[must_use]
    pub fn deliver_with(mut self, delivery: impl Delivery) -> Self {
        let delivery = Arc::new(delivery);
        self.companions.push(Arc::clone(&delivery) as Arc<dyn Background>);
        self.delivery = Some(delivery);
        self
    }

    /// Says whether the end of a task queues the buyer's notification; it does by default.
    ///
    /// Switch it off when another system of yours notifies buyers. Requests for notifications are accepted then, and
    /// it is yours to send exactly one for each end.
    #[must_use]
    pub const fn auto_emit(mut self, auto_emit: bool) -> Self {
        self.auto_emit = auto_emit;
        self
    }

    /// Starts, drains and watches something together with the agent.
    #[must_use]
    pub fn background(mut self, companion: impl Background) -> Self {
        self.companions.push(Arc::new(companion));
        self
    }

    /// Names the document that says which agent this is, and the one that publishes its keys, in the capabilities:
    /// `https://ads.example.com/.well-known/brand.json` and `https://ads.example.com/.well-known/jwks.json`.
    ///
    /// Whoever signs webhooks has to, or receivers do not find the key. Both are `https`.
    ///
    /// Spec: `protocol/get-adcp-capabilities-response.json`, `identity`.
    #[must_use]
    pub fn published_at(mut self, brand_json_url: impl Into<String>, jwks_uri: impl Into<String>) -> Self {
        self.published = Some(Published { brand_json_url: brand_json_url.into(), jwks_uri: jwks_uri.into() });
        self
    }

    /// Declares capabilities that cannot be derived from what is mounted: `.capabilities(|c| c.with_…(…))`.
    ///
    /// What can be derived is filled in: versions, idempotency and protocols over it, facts that follow from mounted
    /// tools where it says nothing. [`Self::build`] refuses claims that what is mounted contradicts.
    #[must_use]
    pub fn capabilities(
        mut self,
        declare: impl FnOnce(GetAdcpCapabilitiesResponse) -> GetAdcpCapabilitiesResponse,
    ) -> Self {
        self.declared = declare(self.declared);
        self
    }

    /// Checks everything and makes the agent.
    ///
    /// # Errors
    ///
    /// [`BuildErrors`] with every fault found, not only the first.
    pub fn build(mut self) -> Result<Agent, BuildErrors> {
        let mut faults = Vec::new();
        if self.routes.is_empty() {
            faults.push(BuildError::NothingMounted);
        }
        if !(3600..=604_800).contains(&self.replay_ttl.as_secs()) {
            faults.push(BuildError::ReplayTtl(self.replay_ttl));
        }
        if self.lease < Duration::from_secs(1) {
            faults.push(BuildError::Lease(self.lease));
        }
        if self.enqueue_lease < Duration::from_secs(1) {
            faults.push(BuildError::EnqueueLease(self.enqueue_lease));
        }
        if self.rescue_interval < Duration::from_secs(1) {
            faults.push(BuildError::RescueInterval(self.rescue_interval));
        }
        if self.retention_interval < Duration::from_secs(1) {
            faults.push(BuildError::RetentionInterval(self.retention_interval));
        }
        if self.background_tasks == 0 {
            faults.push(BuildError::NoBackgroundTasks);
        }
        let (jobs, pace) = self.jobs.build(&mut faults);
        self.routes.extend(tools::routes());
        let mut mounted: HashMap<&'static str, Route> = HashMap::new();
        for route in self.routes {
            if let Some(twice) = mounted.insert(route.spec.name, route) {
                faults.push(BuildError::MountedTwice(twice.spec.name));
            }
        }
        let tools = listing(&mounted, &mut faults);
        let versions = Versions::new(self.releases.iter().map(String::as_str))
            .map_err(|release| faults.push(BuildError::BadRelease(release)));
        if self.authenticator.is_none() {
            faults.push(BuildError::Missing("authenticator"));
        }
        if self.accounts.is_none() {
            faults.push(BuildError::Missing("accounts"));
        }
        if self.registry.is_none() {
            faults.push(BuildError::Missing("registry"));
        }
        let told = Told {
            proposals: self.proposals.as_ref(),
            versions: versions.as_ref().ok(),
            replay_ttl: self.replay_ttl,
            delivery: self.delivery.as_deref().map(Delivery::terms),
            keeps_credentials: self.registry.as_ref().is_some_and(|it| it.capabilities().keeps_credentials),
            published: self.published.as_ref(),
        };
        let capabilities = tools::capabilities::compose(&self.declared, &mounted, &told, &mut faults);
        let (Some(authenticator), Some(accounts), Some(registry), Ok(versions), true) =
            (self.authenticator, self.accounts, self.registry, versions, faults.is_empty())
        else {
            return Err(BuildErrors::new(faults));
        };
        if !registry.capabilities().durable {
            tracing::warn!("the registry is volatile: accepted tasks are lost when this process ends");
        }
        metric::describe();
        let registry: Arc<dyn Registry> = Arc::new(Metered(registry));
        let background = Tasks::new(self.background_tasks);
        let rescuer = Rescuer::new(background.signals().clone());
        let janitor = Janitor::new(self.retention);
        self.companions.push(Arc::new(Rounds::new(self.rescue_interval, rescuer)));
        self.companions.push(Arc::new(Rounds::new(self.retention_interval, janitor)));
        self.companions.push(Arc::new(Rounds::new(lookout::EVERY, Lookout)));
        if !jobs.is_empty() {
            let worker = Worker::new(jobs.clone(), background.clone(), self.lease, pace);
            self.companions.push(Arc::new(worker));
        }
        let parts = Parts {
            routes: mounted,
            tools,
            authenticator,
            accounts,
            buyer_agents: self.buyer_agents,
            registry,
            clock: self.clock,
            limits: self.limits,
            versions,
            replay_ttl: self.replay_ttl,
            background,
            jobs,
            proposals: self.proposals,
            enqueue_lease: self.enqueue_lease,
            lease: self.lease,
            delivery: self.delivery,
            auto_emit: self.auto_emit,
            companions: Companions::new(self.companions),
            capabilities,
        };
        Ok(Agent { parts: Arc::new(parts) })
    }
}

/// The listed tools, sorted by name.
fn listing(mounted: &HashMap<&'static str, Route>, faults: &mut Vec<BuildError>) -> Vec<Tool> {
    let mut tools = Vec::with_capacity(mounted.len());
    for route in mounted.values() {
        let spec = route.spec;
        match adcp_schemas::input_schema(spec.name) {
            Ok(input_schema) => tools.push(Tool {
                name: spec.name,
                description: descriptions::of(spec.name),
                input_schema,
                mutating: spec.mutating,
            }),
            Err(_) => faults.push(BuildError::NoSchema(spec.name)),
        }
    }
    tools.sort_unstable_by_key(|tool| tool.name);
    tools
}
