//! A seller of proposals whose methods each test writes, with a clock that stands and a registry to look into.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adcp_core::{
    AccountId, AdcpError, ListEvents, ListTasks, ManualClock, Overlap, Owner, Principal, ProposalId,
    ProposalKey, ProposalRecord, ProposalState, Recipe, RecipeKind, Scope, TenantId, Timestamp,
};
use adcp_decisioning::{
    Account, AccountPerPrincipal, Accounts, Agent, AgentBuilder, Caller, CreativeFormats, Ctx, Decision,
    Discovery, Finalizing, Interactive, Offer, ProposalTerms, Reply, Sales, Signals, Tokens,
};
use adcp_registry_memory::MemoryRegistry;
use adcp_types::core::AccountRef;
use adcp_types::json::{FromJson, ToJson};
use adcp_types::media_buy::{
    CreateMediaBuyInputRequired, CreateMediaBuyRequest, CreateMediaBuySuccess, GetMediaBuyDeliveryRequest,
    GetMediaBuyDeliveryResponse, GetMediaBuysRequest, GetMediaBuysResponse, GetProductsRequest,
    GetProductsResponse, ListCreativeFormatsRequest, ListCreativeFormatsResponse,
    ProvidePerformanceFeedbackRequest, ProvidePerformanceFeedbackSuccess, UpdateMediaBuyInputRequired,
    UpdateMediaBuyRequest, UpdateMediaBuySuccess,
};
use adcp_types::signals::{GetSignalsRequest, GetSignalsResponse};
use adcp_types::tools::ToolSpec;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::seller::{call, code};

pub(crate) type Found = Discovery<GetProductsResponse>;
pub(crate) type Bought = Interactive<CreateMediaBuySuccess, CreateMediaBuyInputRequired>;
pub(crate) type Changed = Interactive<UpdateMediaBuySuccess, UpdateMediaBuyInputRequired>;
type Script<A> = Arc<dyn Fn(Ctx, Value) -> BoxFuture<'static, Result<A, AdcpError>> + Send + Sync>;

/// What only the seller may know. It stands in every recipe, and in no reply.
pub(crate) const SECRET: &str = "floor-price-7.25";

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct LineItem {
    pub(crate) template: u64,
    secret: String,
}

impl RecipeKind for LineItem {
    const KIND: &'static str = "line_item";
}

pub(crate) fn recipe(template: u64) -> Recipe {
    Recipe::new(&LineItem { template, secret: SECRET.into() }).unwrap()
}

/// A recipe that limits what a buyer may choose.
pub(crate) fn narrow(overlap: Overlap) -> Recipe {
    recipe(1).with_overlap(overlap)
}

pub(crate) fn from<T: FromJson>(value: Value) -> T {
    T::from_json(value).map_err(|error| error.to_string()).unwrap()
}

/// A valid product with these pricing options, each an id, a model and a currency.
pub(crate) fn product(id: &str, options: &[(&str, &str, &str)]) -> Value {
    let option = |(id, model, currency): &(&str, &str, &str)| json!({ "pricing_option_id": id, "pricing_model": model, "currency": currency, "fixed_price": 12.5 });
    json!({
        "product_id": id, "name": id, "description": "a place for advertising", "channels": ["ctv"],
        "publisher_properties": [{ "publisher_domain": "news.example", "selection_type": "all" }],
        "format_ids": [{ "agent_url": "https://news.example", "id": "video_30s" }],
        "delivery_type": "guaranteed",
        "pricing_options": options.iter().map(option).collect::<Vec<_>>(),
        "reporting_capabilities": {
            "available_reporting_frequencies": ["daily"], "expected_delay_minutes": 60, "timezone": "UTC",
            "supports_webhooks": false, "available_metrics": ["impressions"], "date_range_support": "date_range",
        },
    })
}

/// What the market sells: television with two prices, and a site with one.
pub(crate) fn shelf() -> Vec<Value> {
    vec![
        product("tv", &[("tv_cpm", "cpm", "USD"), ("tv_flat", "flat_rate", "USD")]),
        product("web", &[("web_cpm", "cpm", "USD")]),
    ]
}

/// A proposal that spends 60 % on television and 40 % on the site.
pub(crate) fn proposal(id: &str) -> Value {
    json!({ "proposal_id": id, "name": "spring", "allocations": [
        { "product_id": "tv", "allocation_percentage": 60, "pricing_option_id": "tv_cpm" },
        { "product_id": "web", "allocation_percentage": 40 },
    ]})
}

pub(crate) fn firm(id: &str) -> Value {
    let mut firm = proposal(id);
    firm["proposal_status"] = "committed".into();
    firm["expires_at"] = "2026-05-02T00:00:00Z".into();
    firm
}

/// An answer with these proposals over the whole shelf, and a recipe behind each product.
pub(crate) fn offering(proposals: &[Value]) -> Offer {
    let answer = json!({ "products": shelf(), "proposals": proposals, "cache_scope": "account" });
    Offer::new(from(answer)).with_recipe("tv", recipe(1)).with_recipe("web", recipe(2))
}

/// An order's answer, with a package for each that was asked for.
pub(crate) fn booking(id: &str, request: &Value) -> CreateMediaBuySuccess {
    let asked = request["packages"].as_array().cloned().unwrap_or_default();
    let packages: Vec<Value> = asked
        .iter()
        .enumerate()
        .map(
            |(at, package)| json!({ "package_id": format!("pkg_{at}"), "product_id": package["product_id"] }),
        )
        .collect();
    from(json!({
        "media_buy_id": id, "confirmed_at": "2026-05-01T00:00:00Z", "revision": 1, "packages": packages,
    }))
}

#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) finds: AtomicUsize,
    pub(crate) buys: AtomicUsize,
    pub(crate) signals: AtomicUsize,
    requests: Mutex<Vec<Value>>,
}

#[derive(Clone)]
pub(crate) struct Market {
    find: Script<Found>,
    buy: Script<Bought>,
    change: Script<Changed>,
    signals: Script<Decision<GetSignalsResponse>>,
    pub(crate) counts: Arc<Counts>,
}

fn script<A, F, Fut>(method: F) -> Script<A>
where
    F: Fn(Ctx, Value) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<A, AdcpError>> + Send + 'static,
{
    Arc::new(move |ctx, request| method(ctx, request).boxed())
}

impl Market {
    /// Offers `p1`, makes firm what it is asked to, and books `mb_1`.
    pub(crate) fn new() -> Self {
        Self {
            find: script(|_, request| async move { Ok(plain_find(&request).into()) }),
            buy: script(|_, request| async move { Ok(booking("mb_1", &request).into()) }),
            change: script(|_, request| async move {
                let answer = json!({ "media_buy_id": request["media_buy_id"], "revision": 2 });
                Ok(from::<UpdateMediaBuySuccess>(answer).into())
            }),
            signals: script(|_, _| async move {
                Ok(from::<GetSignalsResponse>(json!({ "signals": [], "cache_scope": "public" })).into())
            }),
            counts: Arc::default(),
        }
    }

    pub(crate) fn finding<F, Fut>(mut self, method: F) -> Self
    where
        F: Fn(Ctx, Value) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Found, AdcpError>> + Send + 'static,
    {
        self.find = script(method);
        self
    }

    pub(crate) fn buying<F, Fut>(mut self, method: F) -> Self
    where
        F: Fn(Ctx, Value) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Bought, AdcpError>> + Send + 'static,
    {
        self.buy = script(method);
        self
    }

    pub(crate) fn changing<F, Fut>(mut self, method: F) -> Self
    where
        F: Fn(Ctx, Value) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Changed, AdcpError>> + Send + 'static,
    {
        self.change = script(method);
        self
    }

    pub(crate) fn signalling<F, Fut>(mut self, method: F) -> Self
    where
        F: Fn(Ctx, Value) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Decision<GetSignalsResponse>, AdcpError>> + Send + 'static,
    {
        self.signals = script(method);
        self
    }

    /// Opens the market on these terms.
    pub(crate) fn open(self, terms: ProposalTerms) -> Stand {
        self.build(|builder| builder.proposals(terms))
    }

    pub(crate) fn build(self, parts: impl FnOnce(AgentBuilder<Self>) -> AgentBuilder<Self>) -> Stand {
        let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-05-01T00:00:00Z").unwrap()));
        let registry = Arc::new(MemoryRegistry::volatile().with_clock(clock.clone()));
        let counts = Arc::clone(&self.counts);
        let builder = Agent::builder(self)
            .sales()
            .signals()
            .authenticator(Tokens::new())
            .accounts(AccountPerPrincipal::new())
            .clock(clock.clone())
            .shared_registry(registry.clone());
        Stand { agent: parts(builder).build().unwrap(), registry, clock, counts }
    }
}

/// What the market answers unless a test says otherwise.
pub(crate) fn plain_find(request: &Value) -> Offer {
    let entries = request["refine"].as_array().cloned().unwrap_or_default();
    let finalized: Vec<Value> = entries
        .iter()
        .filter(|entry| entry["action"] == "finalize")
        .map(|entry| firm(entry["proposal_id"].as_str().unwrap()))
        .collect();
    if finalized.is_empty() { offering(&[proposal("p1")]) } else { offering(&finalized) }
}

/// Terms of a seller who makes several proposals firm at once.
pub(crate) fn terms() -> ProposalTerms {
    ProposalTerms::new().with_finalizing(Finalizing::Several)
}

/// An open market.
pub(crate) struct Stand {
    pub(crate) agent: Agent,
    pub(crate) registry: Arc<MemoryRegistry>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) counts: Arc<Counts>,
}

impl Stand {
    /// Calls a tool as `acme`. Whatever the reply is, it holds nothing of a recipe, and an error says what would help.
    pub(crate) async fn ask(&self, tool: &str, request: Value) -> Reply {
        self.ask_as("acme", tool, request).await
    }

    pub(crate) async fn ask_as(&self, who: &str, tool: &str, request: Value) -> Reply {
        let reply = call(&self.agent, who, tool, request).await;
        let text = Value::Object(reply.body.clone()).to_string();
        assert!(!text.contains(SECRET) && !text.contains(LineItem::KIND), "{tool} leaks: {text}");
        if reply.failed {
            assert!(reply.body["adcp_error"]["suggestion"].is_string(), "{tool}: {text}");
        }
        reply
    }

    pub(crate) async fn brief(&self) -> Reply {
        self.ask("get_products", json!({ "buying_mode": "brief", "brief": "spring" })).await
    }

    pub(crate) async fn refine(&self, entries: Value) -> Reply {
        self.ask("get_products", json!({ "buying_mode": "refine", "refine": entries })).await
    }

    pub(crate) async fn finalize(&self, ids: &[&str]) -> Reply {
        let entry = |id: &&str| json!({ "scope": "proposal", "action": "finalize", "proposal_id": id });
        self.refine(ids.iter().map(entry).collect()).await
    }

    pub(crate) async fn buy(&self, key: &str, id: &str) -> Reply {
        self.ask("create_media_buy", purchase(key, id)).await
    }

    /// Offers `p1` and makes it firm.
    pub(crate) async fn committed(self) -> Self {
        assert_eq!(code(&self.brief().await), "none");
        let reply = self.finalize(&["p1"]).await;
        assert_eq!(code(&reply), "none", "{:?}", reply.body);
        self
    }

    pub(crate) async fn record(&self, id: &str) -> Option<ProposalRecord> {
        use adcp_core::ProposalStore as _;
        self.registry.proposal(&ProposalKey::of(&owner(), ProposalId::new(id))).await.unwrap()
    }

    pub(crate) async fn state(&self, id: &str) -> Option<ProposalState> {
        self.record(id).await.map(|record| record.state)
    }

    pub(crate) async fn of_buy(&self, media_buy_id: &str) -> Option<ProposalRecord> {
        use adcp_core::ProposalStore as _;
        self.registry.proposal_of_buy(&owner(), media_buy_id).await.unwrap()
    }

    /// Polls until the task has ended.
    pub(crate) async fn ended(&self, reply: &Reply) -> Value {
        assert_eq!(reply.body["status"], "submitted", "{:?}", reply.body);
        loop {
            let ask = json!({ "task_id": reply.body["task_id"], "include_result": true });
            let task = self.ask("get_task_status", ask).await;
            if !["submitted", "working"].contains(&task.body["status"].as_str().unwrap()) {
                return Value::Object(task.body);
            }
            tokio::task::yield_now().await;
        }
    }

    /// How many tasks and events there are, and whether `p1` is kept.
    pub(crate) async fn traces(&self) -> (usize, usize, bool) {
        use adcp_core::{DeliveryOutbox as _, TaskRegistry as _};
        let operator = || Scope::Operator { tenant: TenantId::single() };
        let tasks = self.registry.list(ListTasks::new(operator())).await.unwrap().tasks.len();
        let events = self.registry.events(ListEvents::new(operator())).await.unwrap().len();
        (tasks, events, self.record("p1").await.is_some())
    }

    /// The request that the last method saw.
    pub(crate) fn seen(&self) -> Value {
        self.counts.requests.lock().unwrap().last().cloned().unwrap()
    }

    pub(crate) fn later(&self, hours: u64) {
        self.clock.advance(Duration::from_secs(3600 * hours));
    }
}

pub(crate) fn owner() -> Owner {
    Owner::new(TenantId::single(), Some(AccountId::new("acme")), Principal::new("acme"))
}

/// An order of a whole proposal.
pub(crate) fn purchase(key: &str, id: &str) -> Value {
    json!({
        "idempotency_key": format!("{key}-0123456789abcdef"),
        "account": { "account_id": "acme" }, "brand": { "domain": "acme.example" },
        "start_time": "asap", "end_time": "2027-01-01T00:00:00Z",
        "proposal_id": id, "total_budget": { "amount": 1000, "currency": "USD" },
    })
}

pub(crate) fn field(reply: &Reply) -> &str {
    reply.body.get("adcp_error").and_then(|error| error["field"].as_str()).unwrap_or("none")
}

impl Market {
    fn seen(&self, counter: &AtomicUsize, request: &impl ToJson) -> Value {
        counter.fetch_add(1, Ordering::SeqCst);
        let request = request.to_json();
        self.counts.requests.lock().unwrap().push(request.clone());
        request
    }
}

impl CreativeFormats for Market {
    async fn list_creative_formats(
        &self,
        _ctx: &Ctx,
        _req: ListCreativeFormatsRequest,
    ) -> Result<ListCreativeFormatsResponse, AdcpError> {
        Err(AdcpError::unavailable())
    }
}

impl Signals for Market {
    async fn get_signals(
        &self,
        ctx: &Ctx,
        req: GetSignalsRequest,
    ) -> Result<Discovery<GetSignalsResponse>, AdcpError> {
        let request = self.seen(&self.counts.signals, &req);
        (self.signals)(ctx.clone(), request).await
    }
}

impl Sales for Market {
    async fn get_products(&self, ctx: &Ctx, req: GetProductsRequest) -> Result<Found, AdcpError> {
        let request = self.seen(&self.counts.finds, &req);
        (self.find)(ctx.clone(), request).await
    }

    async fn create_media_buy(&self, ctx: &Ctx, req: CreateMediaBuyRequest) -> Result<Bought, AdcpError> {
        let request = self.seen(&self.counts.buys, &req);
        (self.buy)(ctx.clone(), request).await
    }

    async fn update_media_buy(&self, ctx: &Ctx, req: UpdateMediaBuyRequest) -> Result<Changed, AdcpError> {
        (self.change)(ctx.clone(), req.to_json()).await
    }

    async fn get_media_buys(
        &self,
        _ctx: &Ctx,
        _req: GetMediaBuysRequest,
    ) -> Result<GetMediaBuysResponse, AdcpError> {
        Err(AdcpError::unavailable())
    }

    async fn get_media_buy_delivery(
        &self,
        ctx: &Ctx,
        _req: GetMediaBuyDeliveryRequest,
    ) -> Result<GetMediaBuyDeliveryResponse, AdcpError> {
        let line: Option<LineItem> = ctx.recipe("tv")?;
        let template = line.map_or(0, |line| line.template);
        Err(AdcpError::unavailable().with_detail("template", template))
    }

    async fn provide_performance_feedback(
        &self,
        _ctx: &Ctx,
        _req: ProvidePerformanceFeedbackRequest,
    ) -> Result<ProvidePerformanceFeedbackSuccess, AdcpError> {
        Err(AdcpError::unavailable())
    }
}

/// A caller's own account when a request names it, and none otherwise.
#[derive(Debug)]
pub(crate) struct WhenNamed;

impl Accounts for WhenNamed {
    async fn resolve(
        &self,
        caller: &Caller,
        reference: Option<&AccountRef>,
        _tool: &'static ToolSpec,
    ) -> Result<Option<Account>, AdcpError> {
        let own = || Account::new(AccountId::new(caller.principal.as_str()));
        Ok(reference.map(|_| own()))
    }
}
