//! Before the first order: what the agent can do, whom it serves, what it sells.

use adcp_mcp::client::ClientError;
use serde_json::{Value, json};

use super::stage::Stage;
use super::world::{World, items, text};
use crate::exit::{Exit, Failure};

/// The buyer asks what the agent can do.
pub(super) async fn capabilities(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.step("What can you do?")?;
    let can = stage.call("get_adcp_capabilities", &json!({})).await?;
    let versions = &can["adcp"]["supported_versions"];
    let ours = items(versions, "").iter().any(|version| version == adcp_types::ADCP_RELEASE);
    stage.check(&format!("speaks AdCP {}", adcp_types::ADCP_RELEASE), ours, versions)?;
    let sells = items(&can, "/supported_protocols").iter().any(|protocol| protocol == "media_buy");
    stage.check("sells media", sells, &can["supported_protocols"])?;
    let replay = can["adcp"]["idempotency"]["replay_ttl_seconds"].as_u64();
    stage.check("keeps answers for retries", replay.is_some_and(|ttl| ttl >= 3600), format!("{replay:?}"))
}

/// The buyer, or a language model, reads the tools.
pub(super) async fn tools(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.step("Which tools do you have?")?;
    let tools = stage.client.tools().await?;
    let mut names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    names.sort_unstable();
    for row in names.chunks(5) {
        stage.note(&row.join(", "))?;
    }
    let wanted = ["get_products", "create_media_buy", "get_task_status"];
    let found = wanted.iter().all(|name| names.contains(name));
    stage.check("finding, buying and polling are there", found, names.join(", "))?;
    let described = tools.iter().all(|tool| !tool.description.is_empty() && !tool.input_schema.is_empty());
    stage.check("each has a description and a schema of its arguments", described, "one without")
}

/// Somebody without a token asks.
pub(super) async fn stranger(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.step("Somebody without a token asks for products")?;
    let stranger = stage.stranger().await?;
    let request = json!({ "buying_mode": "wholesale" }).as_object().cloned().unwrap_or_default();
    match stranger.call("get_products", request).await {
        Err(ClientError::Refused { status, adcp_error, .. }) => {
            let code = adcp_error.as_ref().and_then(|error| error.get("code")).and_then(Value::as_str);
            let right = status == 401 && code == Some("AUTH_MISSING");
            stage.check("refused with 401 and AUTH_MISSING", right, format!("{status} {code:?}"))
        }
        Ok(_) => stage.check("refused with 401 and AUTH_MISSING", false, "an answer"),
        Err(error) => Err(error.into()),
    }
}

/// The buyer says in words what is wanted.
pub(super) async fn brief(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.step("Which of your products fit this brief?")?;
    let request = json!({
        "buying_mode": "brief",
        "brief": "a trail shoe: streaming television for households, and banners beside the news",
        "brand": World::brand(),
        "account": World::account(),
    });
    let answer = stage.call("get_products", &request).await?;
    let found = items(&answer, "/products");
    for product in found.iter().take(5) {
        stage.note(&row(product))?;
    }
    stage.check("there are some", !found.is_empty(), "none")?;
    let priced = found.iter().all(|product| !items(product, "/pricing_options").is_empty());
    stage.check("each has a price", priced, "one without")
}

/// The buyer reads the whole catalogue.
pub(super) async fn catalogue(stage: &mut Stage<'_>, world: &mut World) -> Result<(), Failure> {
    stage.step("What is in your catalogue?")?;
    let answer = stage.call("get_products", &json!({ "buying_mode": "wholesale" })).await?;
    world.products = items(&answer, "/products").to_vec();
    if world.products.is_empty() {
        return Err(Failure::new(Exit::Broken, "the catalogue is empty"));
    }
    let count = |kind: &str| world.products.iter().filter(|product| product["delivery_type"] == kind).count();
    let (open, promised) = (count("non_guaranteed"), count("guaranteed"));
    let all = world.products.len();
    stage.note(&format!("{all} products: {promised} with a promised volume, {open} without"))?;
    stage.check("both kinds are there", open > 0 && promised > 0, format!("{open} and {promised}"))
}

/// A product on one line.
fn row(product: &Value) -> String {
    let price = items(product, "/pricing_options").first();
    let price = price.map(|option| {
        let (amount, from) = match &option["fixed_price"] {
            Value::Null => (&option["floor_price"], "from "),
            fixed => (fixed, ""),
        };
        format!("{from}{amount} {} {}", text(option, "/currency"), text(option, "/pricing_model"))
    });
    format!(
        "{:<28} {:<34} {:<15} {}",
        text(product, "/product_id"),
        text(product, "/name"),
        text(product, "/delivery_type"),
        price.unwrap_or_default()
    )
}
