//! `adcp webhooks list`, `show`, `redeliver` and `endpoints`: deliveries, seen and decided beside the agent.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::{
    AttemptClass, AttemptReport, BreakerPolicy, ClaimDeliveries, Clock as _, DeadReason, DeliveryDetail,
    DeliveryOutbox as _, DeliveryState, EventKey, Forget, ManualClock, Owner, Principal, Publication,
    PublishEvents, RecordAttempt, RecordAttempts, Registry as _, Retention, Scope, SystemClock, TenantId,
    Verdict,
};
use adcp_registry_sqlite::{SqliteConfig, SqliteRegistry};
use serde_json::{Value, json};

use crate::run::{Ran, adcp};

const TOKEN: &str = "token-of-the-buyer";

/// A registry with events in it, and the command over it.
struct Outbox {
    folder: tempfile::TempDir,
    registry: SqliteRegistry,
    clock: Arc<ManualClock>,
}

impl Outbox {
    /// At the present, for the command has the machine's clock.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(SystemClock::new().now()));
        let config = SqliteConfig::new(folder.path().join("registry.db"));
        let registry = SqliteRegistry::open(config.with_clock(Arc::clone(&clock) as _)).unwrap();
        Self { folder, registry, clock }
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::of(&self.command(args).env("USER", "operator").output().unwrap())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = adcp(&[&["webhooks"], args, &["--registry", "sqlite:registry.db"]].concat());
        for name in ["LOGNAME", "USER", "USERNAME"] {
            command.env_remove(name);
        }
        command.current_dir(self.folder.path());
        command
    }

    async fn publish(&self, url: &str) -> EventKey {
        let key = EventKey::random().unwrap();
        let body = json!({ "idempotency_key": key.as_str(), "token": TOKEN, "n": 1 }).to_string();
        let owner = Owner::new(TenantId::single(), None, Principal::new("buyer"));
        let event = Publication::new(key.clone(), owner, "creative.status_changed", url, body);
        self.registry.publish(PublishEvents::new(vec![event])).await.unwrap();
        self.clock.advance(Duration::from_millis(1));
        key
    }

    /// Claims whatever is due, and says that it came to this.
    async fn settle(&self, report: &AttemptReport, verdict: Verdict) {
        let claimed = self.registry.claim_deliveries(ClaimDeliveries::new()).await.unwrap();
        let record =
            |it: &adcp_core::ClaimedDelivery| RecordAttempt::new(it.hold(), Some(report.clone()), verdict);
        let records = claimed.deliveries.iter().map(record).collect();
        let breaker = BreakerPolicy::new().with_failures(1);
        self.registry.record_attempts(RecordAttempts::new(records).with_breaker(breaker)).await.unwrap();
    }

    async fn dead(&self, url: &str, class: AttemptClass, reason: DeadReason) -> EventKey {
        let key = self.publish(url).await;
        let took = Duration::from_millis(12);
        let answer = format!("\u{1b}[2Jno\u{202e} such\nhook {}", "x".repeat(30));
        let report = AttemptReport::new(class, took, took)
            .with_http_status(404)
            .with_peer("127.0.0.1:9000")
            .with_answer(answer);
        self.settle(&report, Verdict::Dead(reason)).await;
        key
    }

    async fn detail(&self, key: &EventKey) -> DeliveryDetail {
        let scope = Scope::Operator { tenant: TenantId::single() };
        self.registry.delivery(key, &scope).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn events_are_listed_by_where_they_stand() {
    let outbox = Outbox::new();
    let refused = outbox
        .dead("https://a.example/hook/s3cret?k=s3cret", AttemptClass::Refused, DeadReason::Refused)
        .await;
    let gone = outbox.dead("https://b.example/x", AttemptClass::Gone, DeadReason::Gone).await;
    let waiting = outbox.publish("https://c.example/x").await;
    let ill =
        AttemptReport::new(AttemptClass::ServerError, Duration::ZERO, Duration::ZERO).with_http_status(503);
    outbox.settle(&ill, Verdict::Again { after: Duration::from_secs(3_700) }).await;
    let pending = outbox.publish("https://d.example/x").await;

    let table = outbox.run(&["list"]).expect(0).out;
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(table.starts_with("EVENT  ") && !table.contains("s3cret"), "{table}");
    for (key, words) in [
        (&refused, ["dead", "creative.status_changed", "https://a.example", "refused"]),
        (&waiting, ["waiting", " 1 ", "in 1h1m", "https://c.example"]),
        (&pending, ["pending", " 0 ", "now", "https://d.example"]),
    ] {
        let line = table.lines().find(|line| line.starts_with(key.as_str())).unwrap();
        words.iter().for_each(|word| assert!(line.contains(word), "{word}: {line}"));
    }

    let keys = |args: &[&str]| -> Vec<String> {
        let page = outbox.run(&[&["list", "--json"], args].concat()).expect(0).json();
        let events = page["deliveries"].as_array().unwrap().clone();
        events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(keys(&["--dead"]), [gone.as_str(), refused.as_str()], "the newest first");
    assert_eq!(keys(&["--state", "waiting", "--state", "pending"]), [pending.as_str(), waiting.as_str()]);
    assert_eq!(keys(&["--reason", "gone"]), [gone.as_str()]);
    assert_eq!(keys(&["--endpoint", "https://A.example:443/any"]), [refused.as_str()]);
    assert_eq!(keys(&["--before", "1h"]), [""; 0]);
    assert_eq!(keys(&["--since", "1h"]).len(), 4);
    assert_eq!(keys(&["--tenant", "other"]), [""; 0]);
    let page = outbox.run(&["list", "--json", "--limit", "3"]).expect(0).json();
    assert_eq!(keys(&["--cursor", page["next_cursor"].as_str().unwrap()]), [refused.as_str()]);
    assert!(outbox.run(&["list", "--limit", "3"]).expect(0).err.contains("--cursor 20"));
    for wrong in [["--reason", "bored"], ["--cursor", "x~y"], ["--endpoint", "a.example"], ["--state", "ill"]]
    {
        outbox.run(&[&["list"], &wrong[..]].concat()).expect(2);
    }

    let endpoints = outbox.run(&["endpoints"]).expect(0).out;
    assert!(
        endpoints.contains("https://c.example  open") && endpoints.contains("server_error"),
        "{endpoints}"
    );
    let paused = outbox.run(&["endpoints", "--paused", "--json"]).expect(0).json();
    assert_eq!((paused.as_array().unwrap().len(), &paused[0]["breaker"]), (1, &json!("open")));
}

#[tokio::test]
async fn an_event_is_shown_with_all_that_is_kept_and_nothing_that_a_terminal_obeys() {
    let outbox = Outbox::new();
    let key = outbox.dead("https://a.example/hook/s3cret", AttemptClass::Refused, DeadReason::Refused).await;
    let shown = outbox.run(&["show", key.as_str(), "--body"]).expect(0).out;
    for words in ["refused", "  404  0.012 s  127.0.0.1:9000", "answer:  [2Jno  such hook xxx", "[withheld]"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
    assert!(!shown.contains(TOKEN) && !shown.contains("s3cret"), "{shown}");
    let shown = outbox.run(&["show", key.as_str(), "--json"]).expect(0).json();
    assert_eq!((&shown["attempts_kept"][0]["number"], &shown["attempts"]), (&json!(1), &json!(1)));
    assert_eq!((&shown["sent"], shown["body"]["bytes"].is_u64()), (&Value::Null, true));
    let beginning = &key.as_str()[..12];
    assert_eq!(outbox.run(&["show", beginning, "--json"]).expect(0).json()["id"], key.as_str());
    assert!(outbox.run(&["show", &key.as_str()[..5]]).expect(3).err.contains("give more"));
    assert!(outbox.run(&["show", "whk_nothing"]).expect(3).err.contains("webhooks list"));
}

#[tokio::test]
async fn dead_letters_are_sent_again_by_whoever_asks() {
    let outbox = Outbox::new();
    let refused = outbox.dead("https://a.example/x", AttemptClass::Refused, DeadReason::Refused).await;
    let gone = outbox.dead("https://a.example/y", AttemptClass::Gone, DeadReason::Gone).await;
    let other = outbox.dead("https://b.example/z", AttemptClass::Gone, DeadReason::Gone).await;
    let nowhere = outbox.dead("nowhere", AttemptClass::Forbidden, DeadReason::ForbiddenAddress).await;

    let dry = outbox.run(&["redeliver", "--endpoint", "https://a.example", "--dry-run"]).expect(0);
    assert_eq!(dry.out, format!("{refused}\n{gone}\n"), "the oldest first");
    assert!(dry.err.contains("2 would be queued again, 0 refused"), "{}", dry.err);
    assert_eq!(outbox.detail(&gone).await.record.state, DeliveryState::Dead);

    let by = ["--by", "on call"];
    let done = outbox.run(&[&["redeliver", gone.as_str()], &by[..]].concat()).expect(0);
    assert!(done.err.contains("1 queued again, 0 refused"), "{}", done.err);
    let detail = outbox.detail(&gone).await;
    assert_eq!(
        (detail.record.state, detail.record.redeliveries[0].by.as_str()),
        (DeliveryState::Pending, "on call")
    );
    let shown = outbox.run(&["show", gone.as_str()]).expect(0).out;
    assert!(shown.contains("redeliveries\n") && shown.contains("  on call\n"), "{shown}");

    let mine = outbox.run(&["redeliver", other.as_str()]).expect(0);
    assert!(mine.err.contains("1 queued again"), "{}", mine.err);
    assert_eq!(outbox.detail(&other).await.record.redeliveries[0].by, "operator");

    let again = outbox.run(&["redeliver", gone.as_str(), "whk_unknown", refused.as_str()]).expect(3);
    assert!(
        again.err.contains("give the whole key") || again.out.contains("give the whole key"),
        "{}",
        again.err
    );
    for words in
        [&format!("{gone}: it is still being tried"), "whk_unknown: no event", "1 queued again, 2 refused"]
    {
        assert!(again.err.contains(words), "{words}: {}", again.err);
    }
    let mixed = outbox.run(&["redeliver", "--all", "--json"]).expect(5).json();
    assert_eq!(mixed["queued"], json!([] as [&str; 0]));
    assert_eq!(mixed["refused"], json!([{ "id": nowhere.as_str(), "code": "no_url" }]));
    assert!(
        outbox.run(&["redeliver", "--reason", "gone"]).expect(0).err.contains("no dead letter is like that")
    );

    // The command has the machine's clock, which went on.
    outbox.clock.advance(Duration::from_secs(600));
    let ok = AttemptReport::new(AttemptClass::Delivered, Duration::ZERO, Duration::ZERO);
    outbox.settle(&ok, Verdict::Delivered).await;
    let late = outbox.run(&["redeliver", other.as_str()]).expect(3);
    assert!(late.err.contains("it was delivered"), "{}", late.err);
    outbox.run(&["redeliver"]).expect(2);
    outbox.run(&["redeliver", other.as_str(), "--all"]).expect(2);
}

#[tokio::test]
async fn what_is_past_retention_is_refused_and_nobody_asks_without_a_name() {
    let outbox = Outbox::new();
    let key = outbox.dead("https://a.example/x", AttemptClass::Refused, DeadReason::Refused).await;
    outbox.clock.advance(Duration::from_secs(31 * 24 * 3_600));
    outbox.registry.forget(Forget::new(Retention::new())).await.unwrap();
    let late = outbox.run(&["redeliver", key.as_str()]).expect(5);
    assert!(late.err.contains("past retention"), "{}", late.err);
    assert!(outbox.run(&["show", key.as_str()]).expect(0).err.contains("its body was forgotten"));

    let ran = Ran::of(&outbox.command(&["redeliver", key.as_str()]).output().unwrap()).expect(2);
    assert!(ran.err.contains("--by NAME"), "{}", ran.err);
}
