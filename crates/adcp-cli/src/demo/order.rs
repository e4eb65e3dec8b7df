//! Orders: confirmed at once, sent twice, refused, reviewed, changed, reported.

use std::time::Duration;

use adcp_types::json::JsonObject;
use serde_json::{Value, json};

use super::hook::{Hook, OPERATION};
use super::stage::Stage;
use super::world::{World, items, text};
use crate::exit::{Exit, Failure};
use crate::{request, wait};

/// The longest that the demo waits for the reviewer, beyond the reviewer's own time.
const PATIENCE: Duration = Duration::from_secs(86_400 + 60);
/// A short flight, so that something is delivered while the demo runs.
const TWO_HOURS: Duration = Duration::from_secs(2 * 3600);
const THIRTY_DAYS: Duration = Duration::from_secs(30 * 86_400);

/// An order of inventory without a promised volume is confirmed at once.
pub(super) async fn instant(stage: &mut Stage<'_>, world: &mut World) -> Result<(), Failure> {
    stage.step("Buy banners for 1,500 dollars over two hours: confirmed at once")?;
    let (product, price) = world.product("non_guaranteed")?;
    let banner = json!({
        "creative_id": "trail_shoe_banner",
        "name": "Trail shoe, medium rectangle",
        "format_id": product["format_ids"][0],
        "assets": { "banner_image": {
            "asset_type": "image", "url": "https://cdn.acme-outdoor.example/shoe.png", "width": 300, "height": 250,
        } },
    });
    let package = json!({
        "product_id": product["product_id"],
        "pricing_option_id": price["pricing_option_id"],
        "budget": 1500,
        "creatives": [banner],
    });
    let order = World::order(&package, &request::fresh_key()?, TWO_HOURS);
    let bought = stage.call("create_media_buy", &order).await?;
    stage.note(&format!(
        "media buy {}: {}, {} USD",
        text(&bought, "/media_buy_id"),
        text(&bought, "/media_buy_status"),
        bought["total_budget"]
    ))?;
    stage.check("completed", bought["status"] == "completed", &bought["status"])?;
    stage.check("has an id", !text(&bought, "/media_buy_id").is_empty(), &bought["media_buy_id"])?;
    stage.check(
        "our context came back as it was",
        bought["context"] == order["context"],
        &bought["context"],
    )?;
    (world.order, world.bought) = (order, bought);
    Ok(())
}

/// The same order again, and another with the same key.
pub(super) async fn again(stage: &mut Stage<'_>, world: &World) -> Result<(), Failure> {
    stage.step("Send the same order again, as after a lost answer: nothing is bought twice")?;
    let replay = stage.call("create_media_buy", &world.order).await?;
    stage.check("marked as a replay", replay["replayed"] == true, &replay["replayed"])?;
    let same = replay["media_buy_id"] == world.bought["media_buy_id"];
    stage.check("the same media buy", same, &replay["media_buy_id"])?;
    let mut other = world.order.clone();
    other["packages"][0]["budget"] = json!(2500);
    stage.note("and another order under the same key:")?;
    stage.refusal("create_media_buy", &other, "IDEMPOTENCY_CONFLICT").await?;
    Ok(())
}

/// An order that the seller cannot accept.
pub(super) async fn refused(stage: &mut Stage<'_>, world: &World) -> Result<(), Failure> {
    stage.step("Ask for too little: the error says what and where")?;
    let mut order = world.order.clone();
    order["idempotency_key"] = json!(request::fresh_key()?);
    order["packages"][0]["budget"] = json!(1);
    let error = stage.refusal("create_media_buy", &order, "BUDGET_TOO_LOW").await?;
    let right = error["field"] == "packages[0].budget" && error["recovery"] == "correctable";
    stage.check("names packages[0].budget, correctable", right, &error)
}

/// A large order of promised volume becomes a task until a reviewer approves.
pub(super) async fn reviewed(stage: &mut Stage<'_>, world: &mut World, hook: &str) -> Result<(), Failure> {
    stage.step("Buy television for 60,000 dollars: a reviewer has to approve, so it becomes a task")?;
    let (product, price) = world.product("guaranteed")?;
    let package = json!({
        "product_id": product["product_id"],
        "pricing_option_id": price["pricing_option_id"],
        "budget": 60_000,
    });
    let mut order = World::order(&package, &request::fresh_key()?, THIRTY_DAYS);
    order["push_notification_config"] = json!({ "url": hook, "operation_id": OPERATION });
    let submitted = stage.call("create_media_buy", &order).await?;
    stage.check("submitted", submitted["status"] == "submitted", &submitted["status"])?;
    let task = text(&submitted, "/task_id").to_owned();
    if task.is_empty() {
        return Err(Failure::new(Exit::Broken, "the answer names no task"));
    }
    let poll = json!({ "task_id": task, "account": World::account() });
    stage.step("Poll the task: done yet?")?;
    let early = stage.call("get_task_status", &poll).await?;
    let under_way = matches!(text(&early, "/status"), "submitted" | "working" | "completed");
    stage.check("the task is known", under_way, &early["status"])?;
    stage.note("… polling until it ends …")?;
    wait::follow(&stage.client, &task, Some(World::account()), PATIENCE).await?;
    let with_result = json!({ "task_id": task, "account": World::account(), "include_result": true });
    let ended = stage.call("get_task_status", &with_result).await?;
    stage.check("completed", ended["status"] == "completed", &ended["status"])?;
    let result = &ended["result"];
    stage.conforms("create_media_buy", "completed", result)?;
    stage.note(&format!("approved: media buy {}", text(result, "/media_buy_id")))?;
    let budget = result["packages"][0]["budget"].as_f64();
    stage.check("booked as ordered", budget == Some(60_000.0), format!("{budget:?}"))?;
    world.reviewed = ended;
    Ok(())
}

/// The end of the task was also told by a webhook, signed by the seller.
pub(super) async fn told(stage: &mut Stage<'_>, world: &World, hook: &mut Hook) -> Result<(), Failure> {
    stage.step("The seller tells the buyer, too: a signed webhook")?;
    stage.note(&format!("verified with the key at {}", hook.jwks_uri))?;
    let Some(webhook) = hook.next().await else {
        return stage.check("an authentic webhook arrived", false, "none");
    };
    let body = &webhook.body;
    let signed = webhook.verified.as_ref();
    let whole = signed.is_some_and(adcp_signing::Verified::covers_body);
    let by = signed.map_or("nobody", |signed| signed.keyid.as_str());
    stage.check(&format!("signed by `{by}`, the body included"), whole, by)?;
    stage.check("of our task", body["task_id"] == world.reviewed["task_id"], &body["task_id"])?;
    stage.check("completed", body["status"] == "completed", &body["status"])?;
    let (bought, polled) = (&body["result"]["media_buy_id"], &world.reviewed["result"]["media_buy_id"]);
    stage.check("with the result that was polled", bought == polled && bought.is_string(), bought)?;
    stage.valid("core/mcp-webhook-payload.json", body)
}

/// The first media buy is paused.
pub(super) async fn paused(stage: &mut Stage<'_>, world: &World) -> Result<(), Failure> {
    stage.step("Pause the banners")?;
    update(stage, world, json!({ "paused": true })).await?;
    expect_status(stage, world, "paused").await
}

/// What was delivered and spent so far.
pub(super) async fn delivered(stage: &mut Stage<'_>, world: &World) -> Result<(), Failure> {
    stage.step("What was delivered so far?")?;
    let report = stage.call("get_media_buy_delivery", &of(world)).await?;
    let rows = items(&report, "/media_buy_deliveries");
    let [row] = rows else {
        return stage.check("one row for one media buy", false, rows.len());
    };
    let totals = &row["totals"];
    stage.note(&format!(
        "{} impressions for {} {}",
        totals["impressions"],
        totals["spend"],
        text(&report, "/currency")
    ))?;
    stage.check(
        "of our media buy",
        row["media_buy_id"] == world.bought["media_buy_id"],
        &row["media_buy_id"],
    )?;
    let spent = totals["spend"].as_f64();
    let sum: f64 = items(row, "/by_package").iter().filter_map(|package| package["spend"].as_f64()).sum();
    let adds_up = spent.is_some_and(|spent| (spent - sum).abs() < 0.005 && (0.0..=1500.0).contains(&spent));
    stage.check("packages add up to the total, within the budget", adds_up, format!("{sum} of {spent:?}"))
}

/// The first media buy is cancelled, once and for good.
pub(super) async fn canceled(stage: &mut Stage<'_>, world: &World) -> Result<(), Failure> {
    stage.step("Cancel the banners, and try to change them afterwards")?;
    update(stage, world, json!({ "canceled": true, "cancellation_reason": "the season is over" })).await?;
    expect_status(stage, world, "canceled").await?;
    let late = change(world, json!({ "paused": false }))?;
    stage.refusal("update_media_buy", &late, "INVALID_STATE").await?;
    Ok(())
}

async fn update(stage: &mut Stage<'_>, world: &World, changes: Value) -> Result<(), Failure> {
    let request = change(world, changes)?;
    let changed = stage.call("update_media_buy", &request).await?;
    stage.check("completed", changed["status"] == "completed", &changed["status"])
}

/// Reads the first media buy back and looks at its status.
async fn expect_status(stage: &mut Stage<'_>, world: &World, wanted: &str) -> Result<(), Failure> {
    let read = stage.call("get_media_buys", &of(world)).await?;
    let status = &read["media_buys"][0]["status"];
    stage.check(&format!("read back as {wanted}"), status == wanted, status)
}

/// A change of the first media buy.
fn change(world: &World, changes: Value) -> Result<Value, Failure> {
    let mut request = JsonObject::new();
    request.insert("idempotency_key".to_owned(), Value::from(request::fresh_key()?));
    request.insert("account".to_owned(), World::account());
    request.insert("media_buy_id".to_owned(), world.bought["media_buy_id"].clone());
    if let Value::Object(changes) = changes {
        request.extend(changes);
    }
    Ok(Value::Object(request))
}

/// A question about the first media buy.
fn of(world: &World) -> Value {
    json!({ "account": World::account(), "media_buy_ids": [world.bought["media_buy_id"]] })
}
