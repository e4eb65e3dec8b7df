//! Dead letters that are sent again, one and many.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use adcp_core::{AttemptClass, DeadReason, DeliveryState, Forget, Registry as _, Retention, Verdict};
use serde_json::json;

use crate::stage::{MINUTE, OF_A, Stage, WRITER, ask, url};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Lets the bodies of what was given up a day ago go.
async fn forget_bodies(stage: &Stage) {
    let retention = Retention::new().with_dead_letters(DAY);
    stage.registry.forget(Forget::new(retention)).await.unwrap();
}

#[tokio::test]
async fn each_answer_has_its_code() {
    let stage = Stage::new();
    let post = async |key: &str| stage.post(&format!("/admin/deliveries/{key}/redeliver")).await;
    post("never").await.problem(404, "unknown_delivery");

    stage.publish("default", "delivered", &url("one")).await;
    stage.attempt(AttemptClass::Delivered, Verdict::Delivered).await;
    stage.publish("default", "waiting", &url("one")).await;
    stage.attempt(AttemptClass::Timeout, Verdict::Again { after: MINUTE }).await;
    stage.publish("default", "pending", &url("one")).await;
    for state in ["delivered", "waiting", "pending"] {
        let before = stage.detail("default", state).await;
        let problem = post(state).await.problem(409, "not_dead");
        assert_eq!(problem["state"], state);
        assert!(problem["detail"].as_str().unwrap().contains(state), "{problem}");
        assert_eq!(stage.detail("default", state).await, before);
    }

    stage.attempt(AttemptClass::Timeout, Verdict::Again { after: 3 * DAY }).await;
    stage.kill("nowhere", "no address at all").await;
    let problem = post("nowhere").await.problem(422, "no_url");
    assert!(!problem.to_string().contains("no address at all"));
    assert_eq!(stage.detail("default", "nowhere").await.record.state, DeliveryState::Dead);

    stage.kill("late", &url("one")).await;
    assert_eq!(stage.get("/admin/deliveries/late").await.done(200)["can_redeliver"], true);
    stage.clock.advance(DAY + MINUTE);
    forget_bodies(&stage).await;
    post("late").await.problem(410, "past_retention");
    let late = stage.get("/admin/deliveries/late").await.done(200);
    assert_eq!((&late["can_redeliver"], &late["body"]["kept"]), (&json!(false), &json!(false)));

    stage.kill("dead", &url("one")).await;
    let done = post("dead").await.done(202);
    let want = json!({
        "id": "dead",
        "tenant": "default",
        "queued": true,
        "by": "wilma",
        "href": "/admin/deliveries/dead?tenant=default",
    });
    assert_eq!(done, want);
    assert_eq!(stage.detail("default", "dead").await.record.redeliveries[0].by, "wilma");
    assert_eq!(post("dead").await.problem(409, "not_dead")["state"], "pending");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_ask_at_once_one_queues_it() {
    let stage = Stage::new();
    for round in 0..20 {
        let key = format!("whk_{round}");
        stage.kill(&key, &url("one")).await;
        let target = format!("/admin/deliveries/{key}/redeliver");
        let ask_one = || {
            let (console, target) = (stage.console.clone(), target.clone());
            tokio::spawn(async move { ask(&console, "POST", &target, Some(WRITER)).await })
        };
        let asking: Vec<_> = (0..8).map(|_| ask_one()).collect();
        let mut queued = 0;
        for asked in asking {
            let answer = asked.await.unwrap();
            if answer.status == 202 {
                queued += 1;
            } else {
                assert_eq!(answer.problem(409, "not_dead")["state"], "pending");
            }
        }
        let record = stage.detail("default", &key).await.record;
        assert_eq!((queued, record.redeliveries.len(), record.state), (1, 1, DeliveryState::Pending));
        stage.attempt(AttemptClass::Delivered, Verdict::Delivered).await;
    }
}

#[tokio::test]
async fn some_are_sent_again_by_what_they_have_in_common_and_the_rest_is_counted() {
    let stage = Stage::new();
    for (key, receiver) in [("a", "one"), ("b", "two"), ("c", "one"), ("d", "one")] {
        stage.kill(key, &url(receiver)).await;
        stage.clock.advance(MINUTE);
    }
    stage.publish("default", "alive", &url("one")).await;
    let of_one = "/admin/deliveries/redeliver?endpoint=https://one.example&limit=2";
    let said = |queued: usize, left: usize, ids: &[&str]| {
        json!({
            "tenant": "default",
            "by": "wilma",
            "queued": queued,
            "not_dead": 0,
            "past_retention": 0,
            "no_url": 0,
            "unreadable": 0,
            "left": left,
            "left_is_exact": true,
            "ids": ids,
        })
    };
    assert_eq!(stage.post(of_one).await.done(202), said(2, 1, &["a", "c"]));
    assert_eq!(stage.post(of_one).await.done(202), said(1, 0, &["d"]));
    assert_eq!(stage.post(of_one).await.done(202), said(0, 0, &[]));
    let other = "/admin/deliveries/redeliver?reason=refused";
    assert_eq!(stage.post(other).await.done(202), said(0, 0, &[]));
    let record = stage.detail("default", "b").await.record;
    assert_eq!((record.state, record.reason), (DeliveryState::Dead, Some(DeadReason::Gone)));
    let rest = "/admin/deliveries/redeliver?state=dead&all=true";
    assert_eq!(stage.post(rest).await.done(202), said(1, 0, &["b"]));
}

#[tokio::test]
async fn of_very_many_the_newest_are_looked_at_and_the_rest_is_said_to_be_there() {
    let stage = Stage::new();
    let keys: Vec<String> = (0..5010).map(|at| format!("whk_{at:04}")).collect();
    stage.kill_all(&keys, &url("one")).await;
    let target = "/admin/deliveries/redeliver?all=true&limit=500";
    let said = stage.post(target).await.done(202);
    let told = |said: &serde_json::Value| {
        (said["queued"].clone(), said["left"].clone(), said["left_is_exact"].clone(), said["ids"][0].clone())
    };
    // All were queued at one instant; the least key counts as the oldest.
    assert_eq!(told(&said), (json!(500), json!(4500), json!(false), json!("whk_0010")));
    let mut left = 4510_usize;
    while left > 0 {
        let said = stage.post(target).await.done(202);
        left = left.saturating_sub(500);
        assert_eq!((&said["left"], &said["left_is_exact"]), (&json!(left), &json!(true)));
    }
    assert_eq!(stage.ids("/admin/deliveries?state=dead").await, [""; 0]);
}

#[tokio::test]
async fn nothing_is_not_all() {
    let stage = Stage::new();
    stage.kill("a", &url("one")).await;
    for (query, field) in [
        ("", "all"),
        ("?limit=5", "all"),
        ("?state=dead", "all"),
        ("?all=false", "all"),
        ("?all=true&reason=gone", "all"),
        ("?all=1", "all"),
        ("?state=waiting&reason=gone", "state"),
        ("?reasons=gone", "reasons"),
        ("?reason=", "reason"),
        ("?all=true&limit=501", "limit"),
        ("?all=true&cursor=00", "cursor"),
    ] {
        let problem = stage.post(&format!("/admin/deliveries/redeliver{query}")).await;
        assert_eq!(problem.problem(400, "bad_request")["field"], field, "{query}");
    }
    assert_eq!(stage.detail("default", "a").await.record.state, DeliveryState::Dead);
}

#[tokio::test]
async fn what_cannot_be_sent_again_stands_in_nobodys_way() {
    let stage = Stage::new();
    for at in 0..30 {
        stage.kill(&format!("old{at:02}"), &url("one")).await;
    }
    stage.clock.advance(DAY + MINUTE);
    forget_bodies(&stage).await;
    stage.kill("nowhere", "no address at all").await;
    stage.kill("new", &url("one")).await;
    let said = stage.post("/admin/deliveries/redeliver?all=true&limit=1").await.done(202);
    assert_eq!(said["ids"], json!(["new"]));
    assert_eq!([&said["past_retention"], &said["no_url"], &said["left"]], [&json!(30), &json!(1), &json!(0)]);
}

#[tokio::test]
async fn who_sent_what_again_is_logged_without_its_address() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || Sink(Arc::clone(&sink))).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let stage = Stage::new();
    stage.kill_at("a", "whk_0123456789abcdef", &url("one")).await;
    ask(&stage.console, "POST", "/admin/deliveries/whk_0123456789abcdef/redeliver", Some(OF_A))
        .await
        .done(202);
    stage.attempt(AttemptClass::Gone, Verdict::Dead(DeadReason::Gone)).await;
    ask(&stage.console, "POST", "/admin/deliveries/redeliver?reason=gone", Some(OF_A)).await.done(202);
    drop(guard);
    let text = String::from_utf8(lines.lock().unwrap().clone()).unwrap();
    let told: Vec<_> = text.lines().filter(|line| line.contains("adcp_console")).collect();
    assert_eq!(told.len(), 2, "{text}");
    for line in &told {
        assert!(line.contains("operator=\"ada\"") && line.contains("tenant=a"), "{line}");
        assert!(!line.contains("path-of") && !line.contains("token-of"), "{line}");
    }
    assert!(told[0].contains("delivery=\"whk_01234567\""), "{}", told[0]);
    assert!(told[1].contains("queued=1"), "{}", told[1]);
}

struct Sink(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
