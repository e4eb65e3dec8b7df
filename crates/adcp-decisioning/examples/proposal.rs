//! A seller that answers a brief with a plan, sharpens it, makes it firm and sells it whole.
//!
//! Run it with `cargo run -p adcp-decisioning --example proposal`.

#![expect(clippy::print_stdout, reason = "an example that shows what happens")]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Mutex;
use std::time::Duration;

use adcp_core::{AdcpError, Overlap, Principal, Recipe, RecipeKind};
use adcp_decisioning::{
    AccountPerPrincipal, Agent, Call, Caller, CreativeFormats, Ctx, Discovery, Finalizing, Interactive,
    Offer, ProposalTerms, Sales, Tokens, internal_error,
};
use adcp_registry_memory::MemoryRegistry;
use adcp_types::core::{Package, Product, ProductAllocation, Proposal};
use adcp_types::json::{FromJson, JsonObject};
use adcp_types::media_buy::get_products_response::CacheScope;
use adcp_types::media_buy::{
    CreateMediaBuyInputRequired, CreateMediaBuyRequest, CreateMediaBuySuccess, GetMediaBuyDeliveryRequest,
    GetMediaBuyDeliveryResponse, GetMediaBuysRequest, GetMediaBuysResponse, GetProductsRequest,
    GetProductsResponse, ListCreativeFormatsRequest, ListCreativeFormatsResponse,
    ProvidePerformanceFeedbackRequest, ProvidePerformanceFeedbackSuccess, UpdateMediaBuyInputRequired,
    UpdateMediaBuyRequest, UpdateMediaBuySuccess,
};
use serde_json::{Value, json};

/// How the ad server books a product. Buyers never see it; the SDK keeps it with the proposal.
#[derive(serde::Serialize, serde::Deserialize)]
struct LineItem {
    template: u64,
    floor: f64,
}

impl RecipeKind for LineItem {
    const KIND: &'static str = "line_item";
}

/// A publisher with a television channel and a site.
#[derive(Default)]
struct Publisher {
    /// What each package of an order was booked with.
    booked: Mutex<BTreeMap<String, u64>>,
}

impl Publisher {
    fn products() -> Vec<Product> {
        let catalogue = [
            json!({ "product_id": "tv", "name": "Evening news", "price": ["tv_cpm", "cpm", 28.0] }),
            json!({ "product_id": "web", "name": "Front page", "price": ["web_cpm", "cpm", 7.5] }),
        ];
        catalogue.iter().filter_map(|row| Product::from_json(product(row)).ok()).collect()
    }

    /// A plan with this share of television.
    fn plan(tv: f64) -> Result<Offer, AdcpError> {
        let plan = Proposal::new(
            "spring",
            "Spring, mostly in the evening",
            vec![ProductAllocation::new("tv", tv), ProductAllocation::new("web", 100.0 - tv)],
        );
        let answer = GetProductsResponse::new()
            .with_products(Self::products())
            .with_proposals(vec![plan])
            .with_cache_scope(CacheScope::Account);
        let recipe = |template, floor| {
            Recipe::new(&LineItem { template, floor })
                .map_err(|error| internal_error("writing a recipe", &error))
        };
        let domestic = Overlap::unlimited().with_targeting_dimensions(["geo_countries"]);
        Ok(Offer::new(answer)
            .with_recipe("tv", recipe(7, 21.5)?.with_overlap(domestic))
            .with_recipe("web", recipe(9, 4.0)?))
    }
}

impl Sales for Publisher {
    async fn get_products(
        &self,
        ctx: &Ctx,
        req: GetProductsRequest,
    ) -> Result<Discovery<GetProductsResponse>, AdcpError> {
        if req.finalizes().next().is_some() {
            let until = ctx.now().after(Duration::from_secs(7 * 24 * 3600));
            return Ok(Offer::committing(ctx.proposals(), until).into());
        }
        // Whatever a refinement asks for, this publisher answers with more television.
        let tv = if ctx.proposals().is_empty() { 60.0 } else { 75.0 };
        Ok(Self::plan(tv)?.into())
    }

    async fn create_media_buy(
        &self,
        ctx: &Ctx,
        req: CreateMediaBuyRequest,
    ) -> Result<Interactive<CreateMediaBuySuccess, CreateMediaBuyInputRequired>, AdcpError> {
        let mut packages = Vec::new();
        // The buyer sent none: the SDK made them from the plan and the total budget.
        for (at, package) in req.packages.into_iter().flatten().enumerate() {
            let id = format!("pkg_{at}");
            if let Some(line) = ctx.recipe::<LineItem>(&package.product_id)? {
                println!(
                    "    books template {} for {} at {}",
                    line.template, package.product_id, package.budget
                );
                self.booked.lock().map_err(|_| AdcpError::unavailable())?.insert(id.clone(), line.template);
            }
            packages.push(Package::new(id).with_product_id(package.product_id).with_budget(package.budget));
        }
        Ok(CreateMediaBuySuccess::new("order_1", Some(ctx.now().to_string()), 1, packages).into())
    }

    async fn update_media_buy(
        &self,
        ctx: &Ctx,
        req: UpdateMediaBuyRequest,
    ) -> Result<Interactive<UpdateMediaBuySuccess, UpdateMediaBuyInputRequired>, AdcpError> {
        let line = ctx.recipe::<LineItem>("tv")?.ok_or_else(AdcpError::media_buy_not_found)?;
        println!("    changes the order of template {}, never below {}", line.template, line.floor);
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

impl CreativeFormats for Publisher {
    async fn list_creative_formats(
        &self,
        _: &Ctx,
        _: ListCreativeFormatsRequest,
    ) -> Result<ListCreativeFormatsResponse, AdcpError> {
        Ok(ListCreativeFormatsResponse::new(Vec::new()))
    }
}

/// A product as it goes over the wire.
fn product(row: &Value) -> Value {
    let price = &row["price"];
    json!({
        "product_id": row["product_id"], "name": row["name"], "description": "a good place",
        "publisher_properties": [{ "publisher_domain": "news.example", "selection_type": "all" }],
        "format_ids": [{ "agent_url": "https://news.example", "id": "video_30s" }],
        "delivery_type": "guaranteed",
        "pricing_options": [{
            "pricing_option_id": price[0], "pricing_model": price[1], "fixed_price": price[2], "currency": "EUR",
        }],
        "reporting_capabilities": {
            "available_reporting_frequencies": ["daily"], "expected_delay_minutes": 240, "timezone": "UTC",
            "supports_webhooks": false, "available_metrics": ["impressions"], "date_range_support": "date_range",
        },
    })
}

/// Calls a tool as the buyer, and prints what came of it.
async fn call(agent: &Agent, tool: &str, arguments: Value) -> Result<JsonObject, Box<dyn Error>> {
    let Value::Object(arguments) = arguments else { return Err("arguments are an object".into()) };
    let buyer = Caller::new(Principal::new("acme"));
    let reply = agent.call(Call::new(tool, arguments).by(buyer)).await;
    match reply.body.get("adcp_error") {
        Some(error) => println!("  {tool}: {} at {}", error["code"], error["field"]),
        None => println!("  {tool}: {}", reply.body["status"]),
    }
    Ok(reply.body)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let agent = Agent::builder(Publisher::default())
        .sales()
        .proposals(ProposalTerms::new().with_finalizing(Finalizing::One))
        .authenticator(Tokens::new())
        .accounts(AccountPerPrincipal::new())
        .registry(MemoryRegistry::volatile())
        .build()?;
    let refine = |entry: Value| json!({ "buying_mode": "refine", "refine": [entry] });
    let order = |key: &str| {
        json!({
            "idempotency_key": format!("{key}-0123456789abcdef"), "account": { "account_id": "acme" },
            "brand": { "domain": "acme.example" }, "start_time": "asap", "end_time": "2027-01-01T00:00:00Z",
            "proposal_id": "spring", "total_budget": { "amount": 1000.01, "currency": "EUR" },
        })
    };

    println!("a brief:");
    call(&agent, "get_products", json!({ "buying_mode": "brief", "brief": "garden tools, in spring" }))
        .await?;
    println!("a draft cannot be bought:");
    call(&agent, "create_media_buy", order("early")).await?;
    println!("it is refined, then made firm:");
    call(
        &agent,
        "get_products",
        refine(json!({ "scope": "proposal", "proposal_id": "spring", "ask": "more tv" })),
    )
    .await?;
    let firm = refine(json!({ "scope": "proposal", "proposal_id": "spring", "action": "finalize" }));
    let answer = call(&agent, "get_products", firm).await?;
    println!("    firm until {}", answer["proposals"][0]["expires_at"]);
    println!("and bought, with a budget for each product that adds up to the cent:");
    let bought = call(&agent, "create_media_buy", order("first")).await?;
    for package in bought["packages"].as_array().into_iter().flatten() {
        println!("    {}: {}", package["product_id"], package["budget"]);
    }
    println!("once:");
    call(&agent, "create_media_buy", order("again")).await?;
    println!("a change finds its line items again:");
    let change = json!({
        "idempotency_key": "change-0123456789abcdef", "account": { "account_id": "acme" },
        "media_buy_id": bought["media_buy_id"], "paused": true,
    });
    let changed = call(&agent, "update_media_buy", change).await?;
    assert_eq!(changed["status"], "completed");
    Ok(())
}
