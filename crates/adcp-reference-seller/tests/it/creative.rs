//! The creative library.

use serde_json::{Value, json};

use crate::market::{Market, URL, account, banner, buy, display, ids, with};

async fn sync(market: &Market, changes: Value) -> Vec<Value> {
    let request = with(json!({ "account": account() }), changes);
    market.ok("sync_creatives", request).await["creatives"].as_array().unwrap().clone()
}

fn actions(answers: &[Value]) -> Vec<&str> {
    answers.iter().map(|answer| answer["action"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn each_creative_has_its_own_answer() {
    let market = Market::open();
    let unknown = with(banner("c3"), json!({ "format_id": { "agent_url": URL, "id": "nope" } }));
    let first = sync(
        &market,
        json!({ "creatives": [banner("c1"), unknown.clone(), banner("c2")],
        "validation_mode": "lenient" }),
    )
    .await;
    assert_eq!(actions(&first), ["created", "failed", "created"]);
    assert_eq!(first[0]["status"], "approved");
    assert_eq!(first[1]["errors"][0]["code"], "REFERENCE_NOT_FOUND");
    assert_eq!(first[1]["errors"][0]["field"], "creatives[1].format_id");
    let renamed = with(banner("c2"), json!({ "name": "Other" }));
    let second = sync(&market, json!({ "creatives": [banner("c1"), renamed] })).await;
    assert_eq!(actions(&second), ["unchanged", "updated"]);
    assert_eq!(second[1]["changes"], json!(["name"]));
    let strict = sync(&market, json!({ "creatives": [banner("c9"), unknown] })).await;
    assert_eq!(actions(&strict), ["failed", "failed"]);
    let library = market.ok("list_creatives", json!({ "account": account() })).await;
    assert_eq!(library["query_summary"]["total_matching"], 2);
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let market = Market::open();
    let dry = sync(&market, json!({ "creatives": [banner("c1")], "dry_run": true })).await;
    assert_eq!(actions(&dry), ["created"]);
    assert_eq!(market.ok("list_creatives", json!({})).await["creatives"], json!([]));
}

#[tokio::test]
async fn missing_creatives_are_put_away_on_request() {
    let market = Market::open();
    sync(&market, json!({ "creatives": [banner("c1"), banner("c2")] })).await;
    let answers = sync(&market, json!({ "creatives": [banner("c1")], "delete_missing": true })).await;
    assert_eq!(actions(&answers), ["unchanged", "deleted"]);
    let archived = json!({ "filters": { "statuses": ["archived"] } });
    assert_eq!(ids(&market.ok("list_creatives", archived).await["creatives"], "creative_id"), ["c2"]);
    let both = json!({ "account": account(), "creatives": [banner("c1")], "delete_missing": true, "creative_ids": ["c1"] });
    market.refused("sync_creatives", both, "INVALID_REQUEST", "delete_missing").await;
}

#[tokio::test]
async fn assignments_start_orders_and_tell_their_errors() {
    let market = Market::open();
    let bought = market.ok("create_media_buy", buy(json!([display(600.0)]))).await;
    let package = &bought["packages"][0]["package_id"];
    let answers = sync(
        &market,
        json!({ "creatives": [banner("c1")], "assignments": [
            { "creative_id": "c1", "package_id": package, "weight": 60 },
            { "creative_id": "c1", "package_id": "nope" }, { "creative_id": "c7", "package_id": package }
        ]}),
    )
    .await;
    assert_eq!(answers[0]["assigned_to"], json!([package]));
    assert!(answers[0]["assignment_errors"]["nope"].is_string());
    assert_eq!((&answers[1]["creative_id"], &answers[1]["action"]), (&json!("c7"), &json!("failed")));
    let read = market.ok("get_media_buys", json!({ "media_buy_ids": [bought["media_buy_id"]] })).await;
    assert_eq!(read["media_buys"][0]["status"], "pending_start");
    let listed = market
        .ok("list_creatives", json!({ "filters": { "media_buy_ids": [bought["media_buy_id"]] } }))
        .await;
    assert_eq!(&listed["creatives"][0]["assignments"]["assigned_packages"][0]["package_id"], package);
}

#[tokio::test]
async fn creatives_of_a_kind_are_listed_with_a_format() {
    let market = Market::open();
    let by_kind = json!({ "creative_id": "k1", "name": "By kind", "format_kind": "image",
        "assets": { "image_main": { "asset_type": "image", "url": "https://cdn.example/b.png", "width": 300, "height": 250 } } });
    sync(&market, json!({ "creatives": [by_kind] })).await;
    let listed = market.ok("list_creatives", json!({})).await;
    assert_eq!(listed["creatives"][0]["format_id"]["agent_url"], URL);
}

#[tokio::test]
async fn the_library_is_filtered_sorted_and_paged() {
    let market = Market::open();
    for (index, id) in ["b", "a", "d", "c"].iter().enumerate() {
        let tagged = with(banner(id), json!({ "tags": [format!("t{}", index % 2)] }));
        sync(&market, json!({ "creatives": [tagged] })).await;
        market.pass(1);
    }
    let list = async |request: Value| market.ok("list_creatives", request).await;
    let named = async |request: Value| ids(&list(request).await["creatives"], "creative_id");
    assert_eq!(named(json!({})).await, ["c", "d", "a", "b"]);
    assert_eq!(named(json!({ "sort": { "field": "name", "direction": "asc" } })).await, ["a", "b", "c", "d"]);
    assert_eq!(named(json!({ "filters": { "tags": ["t1"] } })).await, ["c", "a"]);
    assert_eq!(named(json!({ "filters": { "creative_ids": ["a", "zz"] } })).await, ["a"]);
    assert_eq!(named(json!({ "filters": { "name_contains": "BANNER D" } })).await, ["d"]);
    assert_eq!(named(json!({ "filters": { "created_after": "2027-01-02T12:00:00Z" } })).await, ["c", "d"]);
    let first = list(json!({ "pagination": { "max_results": 3 }, "include_assignments": false })).await;
    assert_eq!(
        first["query_summary"],
        json!({ "total_matching": 4, "returned": 3,
        "sort_applied": { "field": "created_date", "direction": "desc" } })
    );
    assert_eq!(first["pagination"]["has_more"], true);
    sync(&market, json!({ "creatives": [banner("new")] })).await;
    let rest = json!({ "pagination": { "max_results": 3, "cursor": first["pagination"]["cursor"] } });
    assert_eq!(named(rest).await, ["b"]);
}
