//! A seller that does what the buyer of the crash suite asks of it, in every way that an order can go.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{AdcpError, TaskRef};
use adcp_decisioning::{CreativeFormats, Ctx, Discovery, Interactive, JobHandle, JobHandler, Offer, Sales};
use adcp_types::ErrorCode;
use adcp_types::core::{Package, Product, Proposal};
use adcp_types::json::{FromJson, ToJson};
use adcp_types::media_buy::get_products_response::CacheScope;
use adcp_types::media_buy::{
    CreateMediaBuyInputRequired, CreateMediaBuyRequest, CreateMediaBuySuccess, GetMediaBuyDeliveryRequest,
    GetMediaBuyDeliveryResponse, GetMediaBuysRequest, GetMediaBuysResponse, GetProductsRequest,
    GetProductsResponse, ListCreativeFormatsRequest, ListCreativeFormatsResponse,
    ProvidePerformanceFeedbackRequest, ProvidePerformanceFeedbackSuccess, UpdateMediaBuyInputRequired,
    UpdateMediaBuyRequest, UpdateMediaBuySuccess,
};
use serde_json::{Value, json};

use super::journal::Journal;

/// How long a firm proposal stays firm.
const FIRM: Duration = Duration::from_secs(24 * 3600);

/// How long it takes to make a proposal firm by a task.
const SLOW: Duration = Duration::from_millis(400);

pub(super) struct TrialSeller {
    journal: Arc<Journal>,
}

/// What an order's `ext.trial` says shall become of it.
struct Plan {
    mode: String,
    /// How long the decision takes.
    decide: Duration,
    /// How long the work takes.
    work: Duration,
    ends_well: bool,
    whole: Value,
}

impl Plan {
    fn of(request: &CreateMediaBuyRequest) -> Self {
        let whole = request.to_json().pointer("/ext/trial").cloned().unwrap_or_default();
        let millis = |name: &str| Duration::from_millis(whole[name].as_u64().unwrap_or(0));
        Self {
            mode: whole["mode"].as_str().unwrap_or("now").to_owned(),
            decide: millis("decide"),
            work: millis("work"),
            ends_well: whole["ends_well"] != false,
            whole,
        }
    }
}

impl TrialSeller {
    pub(super) const fn new(journal: Arc<Journal>) -> Self {
        Self { journal }
    }
}

impl Sales for TrialSeller {
    /// The brief is the id of the proposal that is offered: a draft, or a firm one when it begins with `firm`. One that
    /// begins with `slow` is made firm by a task, which fails when it ends with `never`.
    async fn get_products(
        &self,
        ctx: &Ctx,
        req: GetProductsRequest,
    ) -> Result<Discovery<GetProductsResponse>, AdcpError> {
        let until = ctx.now().after(FIRM);
        if let Some(id) = req.finalizes().next() {
            if !id.starts_with("slow") {
                return Ok(Offer::committing(ctx.proposals(), until).into());
            }
            let (journal, id, later) = (Arc::clone(&self.journal), id.to_owned(), ctx.clone());
            let handoff = ctx.handoff_to_task(move |task| async move {
                let run = journal.start("work", &id, Some(task.id().as_str()));
                tokio::time::sleep(SLOW).await;
                let refused = id.ends_with("never");
                journal.finish(&run, if refused { "error" } else { "done" });
                if refused { Err(refusal()) } else { Ok(Offer::committing(later.proposals(), until)) }
            });
            return Ok(handoff.into());
        }
        let id = req.brief.unwrap_or_else(|| "none".to_owned());
        let mut plan = json!({ "proposal_id": id, "name": "trial", "allocations": [
            { "product_id": "tv", "allocation_percentage": 100, "pricing_option_id": "tv_cpm" }] });
        if id.starts_with("firm") {
            plan["proposal_status"] = "committed".into();
            plan["expires_at"] = until.to_string().into();
        }
        let plan = Proposal::from_json(plan).map_err(|_| AdcpError::unavailable())?;
        let answer = GetProductsResponse::new()
            .with_products(vec![product()?])
            .with_proposals(vec![plan])
            .with_cache_scope(CacheScope::Account);
        Ok(Offer::new(answer).into())
    }

    async fn create_media_buy(
        &self,
        ctx: &Ctx,
        req: CreateMediaBuyRequest,
    ) -> Result<Interactive<CreateMediaBuySuccess, CreateMediaBuyInputRequired>, AdcpError> {
        let plan = Plan::of(&req);
        let key = ctx.idempotency_key().unwrap_or_default().to_owned();
        let journal = Arc::clone(&self.journal);
        let run = journal.start("decide", &key, None);
        tokio::time::sleep(plan.decide).await;
        // Whoever runs this code a second time books something else: nobody can mistake one for the other.
        let order = booking(&format!("order-{}", run.id), &req, ctx);
        match plan.mode.as_str() {
            "task" => {
                journal.finish(&run, "handoff");
                Ok(ctx
                    .handoff_to_task(move |task| async move {
                        let run = journal.start("work", &key, Some(task.id().as_str()));
                        tokio::time::sleep(plan.work).await;
                        let done = if plan.ends_well { Ok(order) } else { Err(refusal()) };
                        journal.finish(&run, if done.is_ok() { "done" } else { "error" });
                        done
                    })
                    .into())
            }
            "job" => {
                journal.finish(&run, "handoff");
                let input = json!({ "key": key, "plan": plan.whole, "order": order.to_json() });
                Ok(ctx.handoff_to_job::<TrialJob>(input).into())
            }
            "workflow" => {
                journal.finish(&run, "handoff");
                let deadline = plan.whole["deadline"].as_u64().map(Duration::from_millis);
                let handoff = ctx.handoff_to_workflow(move |task: TaskRef| async move {
                    let run = journal.start("enqueue", &key, Some(task.id.as_str()));
                    if plan.whole["enqueues"] == false {
                        journal.finish(&run, "error");
                        return Err(refusal());
                    }
                    journal.enqueue(&task.to_string(), &order.to_json().to_string(), &plan.whole);
                    journal.finish(&run, "done");
                    Ok(())
                });
                Ok(match deadline {
                    Some(within) => handoff.with_deadline(within).into(),
                    None => handoff.into(),
                })
            }
            _ if plan.ends_well => {
                journal.finish(&run, "done");
                Ok(order.into())
            }
            _ => {
                journal.finish(&run, "error");
                Err(refusal())
            }
        }
    }

    async fn update_media_buy(
        &self,
        _: &Ctx,
        req: UpdateMediaBuyRequest,
    ) -> Result<Interactive<UpdateMediaBuySuccess, UpdateMediaBuyInputRequired>, AdcpError> {
        Ok(UpdateMediaBuySuccess::new(req.media_buy_id, 2).into())
    }

    async fn get_media_buys(
        &self,
        _: &Ctx,
        _: GetMediaBuysRequest,
    ) -> Result<GetMediaBuysResponse, AdcpError> {
        Ok(GetMediaBuysResponse::new(Vec::new()))
    }

    async fn get_media_buy_delivery(
        &self,
        _: &Ctx,
        _: GetMediaBuyDeliveryRequest,
    ) -> Result<GetMediaBuyDeliveryResponse, AdcpError> {
        Err(AdcpError::unavailable())
    }

    async fn provide_performance_feedback(
        &self,
        _: &Ctx,
        _: ProvidePerformanceFeedbackRequest,
    ) -> Result<ProvidePerformanceFeedbackSuccess, AdcpError> {
        Err(AdcpError::unavailable())
    }
}

/// The same work as a job: what it is told lies in the registry, and any replica may do it.
pub(super) struct TrialJob(pub(super) Arc<Journal>);

impl JobHandler for TrialJob {
    const KIND: &'static str = "trial";
    type Input = Value;
    type Output = CreateMediaBuySuccess;

    async fn run(&self, job: JobHandle, input: Value) -> Result<CreateMediaBuySuccess, AdcpError> {
        let (key, plan) = (input["key"].as_str().unwrap_or_default(), &input["plan"]);
        let run = self.0.start("job", key, Some(job.id().as_str()));
        tokio::time::sleep(Duration::from_millis(plan["work"].as_u64().unwrap_or(0))).await;
        if plan["again"] == true && job.attempt() == 1 {
            self.0.finish(&run, "again");
            return Err(AdcpError::unavailable());
        }
        let order = CreateMediaBuySuccess::from_json(input["order"].clone());
        let done = if plan["ends_well"] == false { Err(refusal()) } else { order.map_err(|_| refusal()) };
        self.0.finish(&run, if done.is_ok() { "done" } else { "error" });
        done
    }
}

impl CreativeFormats for TrialSeller {
    async fn list_creative_formats(
        &self,
        _: &Ctx,
        _: ListCreativeFormatsRequest,
    ) -> Result<ListCreativeFormatsResponse, AdcpError> {
        Ok(ListCreativeFormatsResponse::new(Vec::new()))
    }
}

fn refusal() -> AdcpError {
    AdcpError::new(ErrorCode::POLICY_VIOLATION, "the plan of this order says no")
        .with_suggestion("plan another one")
}

fn booking(id: &str, req: &CreateMediaBuyRequest, ctx: &Ctx) -> CreateMediaBuySuccess {
    let package = |(at, product): (usize, &str)| Package::new(format!("pkg_{at}")).with_product_id(product);
    let asked = req.packages.iter().flatten().map(|package| package.product_id.as_str());
    let packages = asked.enumerate().map(package).collect();
    CreateMediaBuySuccess::new(id, Some(ctx.now().to_string()), 1, packages)
}

fn product() -> Result<Product, AdcpError> {
    let product = json!({
        "product_id": "tv", "name": "Evening news", "description": "a good place",
        "publisher_properties": [{ "publisher_domain": "news.example", "selection_type": "all" }],
        "format_ids": [{ "agent_url": "https://news.example", "id": "video_30s" }],
        "delivery_type": "guaranteed",
        "pricing_options": [{
            "pricing_option_id": "tv_cpm", "pricing_model": "cpm", "fixed_price": 10, "currency": "EUR",
        }],
        "reporting_capabilities": {
            "available_reporting_frequencies": ["daily"], "expected_delay_minutes": 240, "timezone": "UTC",
            "supports_webhooks": false, "available_metrics": ["impressions"], "date_range_support": "date_range",
        },
    });
    Product::from_json(product).map_err(|_| AdcpError::unavailable())
}
