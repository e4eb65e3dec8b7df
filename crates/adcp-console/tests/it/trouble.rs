//! A registry that does not answer, or cannot read what it holds.

use std::sync::Arc;

use adcp_console::Console;
use adcp_core::Registry;
use serde_json::json;

use crate::broken::{Broken, Fault};
use crate::stage::{WRITER, ask, operators};

const ALL: [(&str, &str); 5] = [
    ("GET", "/admin/deliveries"),
    ("GET", "/admin/deliveries/whk_1"),
    ("GET", "/admin/endpoints"),
    ("POST", "/admin/deliveries/whk_1/redeliver"),
    ("POST", "/admin/deliveries/redeliver?all=true"),
];

#[tokio::test]
async fn a_registry_in_trouble_is_told_without_its_words() {
    for (fault, status, code) in [
        (Fault::Unavailable, 503, "unavailable"),
        (Fault::Corrupt, 500, "unreadable"),
        (Fault::Other, 500, "internal"),
    ] {
        let console = Console::new(Arc::new(Broken::new(fault)) as Arc<dyn Registry>, operators());
        for (method, target) in ALL {
            let answer = ask(&console, method, target, Some(WRITER)).await;
            assert_eq!(answer.header("retry-after"), (status == 503).then_some("5"));
            let problem = answer.problem(status, code).to_string();
            assert!(!problem.contains("db.example"), "{problem}");
        }
    }
}

#[tokio::test]
async fn what_changed_between_a_look_and_the_write_is_told_as_it_is_then() {
    let console = Console::new(Arc::new(Broken::new(Fault::Late)) as Arc<dyn Registry>, operators());
    let all = ask(&console, "POST", "/admin/deliveries/redeliver?all=true", Some(WRITER)).await.done(202);
    let want = json!({
        "tenant": "default",
        "by": "wilma",
        "queued": 1,
        "not_dead": 2,
        "past_retention": 2,
        "no_url": 0,
        "unreadable": 2,
        "left": 0,
        "left_is_exact": true,
        "ids": ["a"],
    });
    assert_eq!(all, want);
    let one = async |key: &str| {
        let console = Console::new(Arc::new(Broken::new(Fault::Late)) as Arc<dyn Registry>, operators());
        ask(&console, "POST", &format!("/admin/deliveries/{key}/redeliver"), Some(WRITER)).await
    };
    assert_eq!(one("b").await.problem(409, "not_dead")["state"], "waiting");
    one("c").await.problem(404, "unknown_delivery");
    one("d").await.problem(410, "past_retention");
    one("e").await.problem(500, "unreadable");
    one("a").await.done(202);
}
