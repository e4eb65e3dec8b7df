//! Lists, pages, filters, one delivery, endpoints.

use std::time::Duration;

use adcp_core::{AttemptClass, DeadReason, Verdict};
use serde_json::json;

use crate::stage::{MINUTE, Stage, url};

#[tokio::test]
async fn a_delivery_is_shown_with_all_that_is_kept_but_no_secret() {
    let stage = Stage::new();
    stage.publish("default", "whk_1", &url("one")).await;
    stage.attempt(AttemptClass::Timeout, Verdict::Again { after: MINUTE }).await;
    stage.clock.advance(MINUTE);
    stage.attempt(AttemptClass::Gone, Verdict::Dead(DeadReason::Gone)).await;
    stage.clock.advance(MINUTE);
    stage.post("/admin/deliveries/whk_1/redeliver").await.done(202);
    stage.attempt(AttemptClass::Gone, Verdict::Dead(DeadReason::Gone)).await;
    let shown = stage.get("/admin/deliveries/whk_1").await.done(200);
    let row = json!({
        "id": "whk_1",
        "href": "/admin/deliveries/whk_1?tenant=default",
        "tenant": "default",
        "account": null,
        "principal": "buyer",
        "kind": "scheduled",
        "task": null,
        "task_status": null,
        "about": "order of whk_1",
        "subscriber": null,
        "endpoint": "https://one.example",
        "authentication": "Bearer",
        "state": "dead",
        "reason": "gone",
        "attempts": 3,
        "queued_at": "2026-11-21T08:00:00Z",
        "due_at": null,
        "settled_at": "2026-11-21T08:02:00Z",
        "can_redeliver": true,
        "redeliveries": [{"at": "2026-11-21T08:02:00Z", "by": "wilma"}],
    });
    let attempt = |number: u32, class: &str, at: &str| {
        json!({
            "number": number,
            "class": class,
            "started_at": at,
            "took_ms": 250,
            "http_status": 410,
            "peer": "203.0.113.7:443",
            "detail": null,
            "answer": "nothing here",
        })
    };
    let mut whole = row.clone();
    let bytes = stage.detail("default", "whk_1").await.body.unwrap().len();
    whole["body"] = json!({"kept": true, "readable": true, "bytes": bytes});
    whole["attempts_kept"] = json!([
        attempt(1, "timeout", "2026-11-21T07:59:59Z"),
        attempt(2, "gone", "2026-11-21T08:00:59Z"),
        attempt(3, "gone", "2026-11-21T08:01:59Z"),
    ]);
    assert_eq!(shown, whole);
    let page = stage.get("/admin/deliveries").await.done(200);
    assert_eq!(page, json!({"tenant": "default", "deliveries": [row], "unreadable": [], "next": null}));
}

#[tokio::test]
async fn pages_follow_each_other_and_hold_each_delivery_once() {
    let stage = Stage::new();
    for name in ["a", "b", "c", "d", "e"] {
        stage.publish("default", name, &url("one")).await;
        stage.clock.advance(Duration::from_secs(1));
    }
    let (mut seen, mut target) = (Vec::new(), "/admin/deliveries?limit=2".to_owned());
    loop {
        let page = stage.get(&target).await.done(200);
        let rows = page["deliveries"].as_array().unwrap();
        assert!(rows.len() <= 2);
        seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        target = format!("/admin/deliveries?limit=2&cursor={next}");
    }
    assert_eq!(seen, ["e", "d", "c", "b", "a"]);
}

#[tokio::test]
async fn filters_choose_and_what_is_wrong_is_named() {
    let stage = Stage::new();
    stage.kill("dead", &url("one")).await;
    stage.clock.advance(MINUTE);
    stage.publish("default", "waiting", &url("two")).await;
    stage.attempt(AttemptClass::Timeout, Verdict::Again { after: MINUTE }).await;
    stage.publish("default", "pending", &url("two")).await;
    for (query, want) in [
        ("", &["waiting", "pending", "dead"][..]),
        ("state=dead", &["dead"]),
        ("state=dead&state=pending", &["pending", "dead"]),
        ("state=delivered", &[]),
        ("reason=gone", &["dead"]),
        ("reason=exhausted&reason=refused", &[]),
        ("endpoint=https://two.example", &["waiting", "pending"]),
        ("endpoint=https%3A%2F%2FTWO.example%3A443%2Fany%3Fwhere", &["waiting", "pending"]),
        ("about=order%20of%20pending", &["pending"]),
        ("task=t_1", &[]),
        ("since=2026-11-21T08:01:00Z", &["waiting", "pending"]),
        ("before=2026-11-21T09:01:00%2B01:00", &["dead"]),
        ("before=2026-11-21T09:01:00+01:00", &["dead"]),
        ("state=waiting&endpoint=https://two.example&limit=1", &["waiting"]),
    ] {
        assert_eq!(stage.ids(&format!("/admin/deliveries?{query}")).await, want, "{query}");
    }
    for (query, field, right) in [
        ("sort=asc", "sort", "state, reason"),
        ("all=true", "all", "limit"),
        ("state=deed", "state", "pending, sending, waiting, delivered, dead"),
        ("reason=Gone", "reason", "exhausted, gone"),
        ("endpoint=two.example", "endpoint", "https://"),
        ("since=today", "since", "RFC 3339"),
        ("before=", "before", "leave it out"),
        ("task=%zz", "task", "percent-encoded"),
        ("task=a&task=b", "task", "once"),
        ("limit=0", "limit", "from 1 to 500"),
        ("limit=501", "limit", "from 1 to 500"),
        ("cursor=1", "cursor", "next"),
        ("tenant=a&tenant=b", "tenant", "once"),
    ] {
        let problem = stage.get(&format!("/admin/deliveries?{query}")).await.problem(400, "bad_request");
        assert_eq!(problem["field"], field, "{query}");
        assert!(problem["detail"].as_str().unwrap().contains(right), "{problem}");
    }
    for (target, field) in [
        ("/admin/deliveries/dead?limit=1", "limit"),
        ("/admin/endpoints?state=dead", "state"),
        ("/admin/endpoints?paused=yes", "paused"),
        ("/admin/endpoints?cursor=x", "cursor"),
    ] {
        assert_eq!(stage.get(target).await.problem(400, "bad_request")["field"], field, "{target}");
    }
}

#[tokio::test]
async fn an_id_may_hold_anything_and_its_link_leads_to_it() {
    let stage = Stage::new();
    for key in ["a/b?c=d#e", "redeliver", "x/redeliver", "ключ 100%", "%2F", "+"] {
        stage.kill_at("a & b", key, &url("one")).await;
        let encoded: String = key.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let target = format!("/admin/deliveries/{encoded}?tenant=a%20%26%20b");
        let shown = stage.get(&target).await.done(200);
        assert_eq!(shown["id"], key);
        let link = shown["href"].as_str().unwrap().to_owned();
        assert_eq!(stage.get(&link).await.done(200), shown);
        let (path, query) = link.split_once('?').unwrap();
        let done = stage.post(&format!("{path}/redeliver?{query}")).await.done(202);
        assert_eq!((&done["id"], &done["href"]), (&json!(key), &json!(link)));
    }
    for unknown in ["whk_none", "%ff", "%00", "%", "whk_none%00"] {
        let target = format!("/admin/deliveries/{unknown}?tenant=a%20%26%20b");
        stage.get(&target).await.problem(404, "unknown_delivery");
    }
}

#[tokio::test]
async fn endpoints_tell_which_are_left_in_peace() {
    let stage = Stage::new();
    stage.publish("default", "well", &url("well")).await;
    stage.attempt(AttemptClass::Delivered, Verdict::Delivered).await;
    for name in ["1", "2", "3", "4", "5"] {
        stage.publish("default", name, &url("ill")).await;
    }
    stage.attempt(AttemptClass::Timeout, Verdict::Again { after: MINUTE }).await;
    let page = stage.get("/admin/endpoints?paused=true").await.done(200);
    let ill = json!({
        "endpoint": "https://ill.example",
        "breaker": "open",
        "failures": 5,
        "openings": 1,
        "paused_until": "2026-11-21T08:00:30Z",
        "changed_at": "2026-11-21T08:00:00Z",
        "last": "timeout",
    });
    assert_eq!(page, json!({"tenant": "default", "endpoints": [ill], "next": null}));
    let first = stage.get("/admin/endpoints?limit=1").await.done(200);
    assert_eq!(first["endpoints"], json!([ill]));
    let next = first["next"].as_str().unwrap();
    let second = stage.get(&format!("/admin/endpoints?limit=1&cursor={next}")).await.done(200);
    assert_eq!(second["next"], json!(null), "{second}");
    let all = stage.get("/admin/endpoints").await.done(200);
    let names: Vec<_> =
        all["endpoints"].as_array().unwrap().iter().map(|row| row["endpoint"].clone()).collect();
    assert_eq!(names[0], "https://ill.example");
    assert_eq!(names.len(), 1 + second["endpoints"].as_array().unwrap().len());
}
