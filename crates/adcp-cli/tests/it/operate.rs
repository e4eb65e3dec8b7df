//! `adcp tasks` and `adcp calls`: what the people who run an agent see and decide, beside it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::stored::KeyRing;
use adcp_core::{
    AccountId, CallKey, CallStore, Claim, ClaimCall, Effects, IssueTask, JobOrder, Owner, Principal,
    Registration, Secret, SettleCall, Settlement, TaskId, TaskRegistry, TenantId,
};
use adcp_registry_sqlite::{SqliteConfig, SqliteRegistry};
use serde_json::{Value, json};

use crate::call::television;
use crate::registry::{reviewed_in, run_in};
use crate::run::Seller;

fn task(seller: &Seller, budget: u32) -> String {
    let submitted = seller.call("create_media_buy", &television(budget), &[]).expect(0).json();
    submitted["task_id"].as_str().unwrap().to_owned()
}

fn status(seller: &Seller, id: &str) -> Value {
    let poll = format!(r#"{{"task_id":"{id}","include_result":true}}"#);
    seller.call("get_task_status", &poll, &["--no-validate"]).json()
}

#[test]
fn tasks_are_listed_and_ended_beside_the_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = |args: &[&str]| run_in(folder.path(), &[&["tasks"], args].concat());
    let seller = reviewed_in(folder.path());
    let ids: Vec<String> = (0..3).map(|n| task(&seller, 60_000 + n)).collect();

    let table = tasks(&["list"]).expect(0);
    assert_eq!(table.out.lines().count(), 4, "{}", table.out);
    assert!(table.out.starts_with("TASK  ") && table.out.contains("create_media_buy"), "{}", table.out);
    let page = tasks(&["list", "--limit", "2", "--json"]).expect(0).json();
    let rest = tasks(&["list", "--json", "--cursor", page["next_cursor"].as_str().unwrap()]).expect(0).json();
    assert_eq!(page["tasks"].as_array().unwrap().len(), 2);
    assert_eq!(rest["tasks"][0]["task_id"], ids[0].as_str());
    assert_eq!(rest["next_cursor"], Value::Null);
    assert_eq!(tasks(&["list", "--principal", "nobody"]).expect(0).out, "");
    assert_eq!(tasks(&["list", "--type", "sync_creatives"]).expect(0).out, "");
    assert_eq!(tasks(&["list", "--tenant", "other"]).expect(0).out, "");
    assert!(tasks(&["list", "--status", "sleeping"]).expect(2).err.contains("input-required"));
    tasks(&["list", "--cursor", "nonsense"]).expect(2);

    tasks(&["fail", &ids[0], "--code", "BUDGET_TOO_LOW", "--message", "the floor was raised"]).expect(0);
    let failed = status(&seller, &ids[0]);
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&"failed".into(), &"BUDGET_TOO_LOW".into()));
    tasks(&["cancel", &ids[1], "--reason", "the buyer called"]).expect(0);
    assert_eq!(status(&seller, &ids[1])["status"], "canceled");
    let again = tasks(&["cancel", &ids[1], "--reason", "the buyer called"]).expect(0);
    assert!(again.err.contains("nothing was changed"), "{}", again.err);
    assert!(tasks(&["cancel", &ids[1], "--reason", "another"]).expect(5).err.contains("ended differently"));
    tasks(&["fail", &ids[2], "--code", "budget too low", "--message", "m"]).expect(2);

    let shown = tasks(&["show", &ids[1]]).expect(0);
    for words in ["canceled", "the buyer called", "history\n", "  submitted\n", "principal     buyer"] {
        assert!(shown.out.contains(words), "{words}: {}", shown.out);
    }
    assert_eq!(tasks(&["show", &ids[0], "--json"]).expect(0).json()["history"].as_array().unwrap().len(), 2);
    tasks(&["show", "task_unknown"]).expect(3);
    assert_eq!(tasks(&["list", "--open", "--json"]).expect(0).json()["tasks"].as_array().unwrap().len(), 1);
}

#[test]
fn only_a_valid_answer_completes_a_task() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = |args: &[&str]| run_in(folder.path(), &[&["tasks"], args].concat());
    let seller = reviewed_in(folder.path());
    let id = task(&seller, 60_000);
    let complete = |answer: Value, code: i32| {
        std::fs::write(folder.path().join("answer.json"), answer.to_string()).unwrap();
        tasks(&["complete", &id, "--result", "answer.json"]).expect(code)
    };
    let invalid = complete(
        json!({ "media_buy_id": "mb_1", "revision": "one", "packages": [], "confirmed_at": null }),
        3,
    );
    assert!(invalid.err.contains("no valid answer of create_media_buy"), "{}", invalid.err);
    assert!(invalid.err.contains("  /revision  expected"), "{}", invalid.err);
    complete(json!([]), 2);
    let failure = complete(json!({ "errors": [{ "code": "INTERNAL_ERROR", "message": "no" }] }), 2);
    assert!(failure.err.contains("adcp tasks fail"), "{}", failure.err);
    assert_eq!(status(&seller, &id)["status"], "submitted");
    let answer = json!({ "media_buy_id": "mb_1", "revision": 1, "packages": [], "confirmed_at": null });
    complete(answer.clone(), 0);
    assert_eq!(status(&seller, &id)["result"]["media_buy_id"], "mb_1");
    complete(answer, 0);
}

fn owner(account: &str) -> Owner {
    Owner::new(TenantId::single(), Some(AccountId::new(account)), Principal::new("buyer"))
}

fn config(folder: &Path) -> SqliteConfig {
    SqliteConfig::new(folder.join("registry.db"))
}

#[tokio::test]
async fn a_key_is_resolved_when_it_is_clear_which_and_that_nothing_runs() {
    let folder = tempfile::tempdir().unwrap();
    let registry = SqliteRegistry::open(config(folder.path())).unwrap();
    let claim = |account: &str, key: &str| {
        ClaimCall::new(
            CallKey::new(owner(account), key),
            "create_media_buy",
            [7; 32],
            Duration::from_secs(3600),
        )
    };
    for account in ["a", "b"] {
        let Claim::First(ticket) = registry.claim_call(claim(account, "key-1")).await.unwrap() else {
            panic!()
        };
        registry.settle_call(SettleCall::new(ticket, Settlement::Fenced)).await.unwrap();
    }
    let running = registry.claim_call(claim("a", "key-2")).await.unwrap();
    assert!(matches!(running, Claim::First(_)));

    let calls = |args: &[&str]| {
        run_in(folder.path(), &[&["calls", "--registry", "sqlite:registry.db"], args].concat())
    };
    let table = calls(&["list"]).expect(0);
    assert_eq!(
        (table.out.matches("fenced").count(), table.out.matches("running").count()),
        (2, 1),
        "{}",
        table.out
    );
    assert_eq!(calls(&["list", "--json"]).expect(0).json().as_array().unwrap().len(), 3);

    let several = calls(&["resolve", "key-1", "--as", "released"]).expect(3);
    for words in ["--account a", "--account b", "--principal buyer"] {
        assert!(several.err.contains(words), "{words}: {}", several.err);
    }
    calls(&["resolve", "key-1", "--as", "released", "--account", "a"]).expect(0);
    calls(&["resolve", "key-1", "--as", "succeeded"]).expect(0);
    calls(&["resolve", "key-1", "--as", "succeeded"]).expect(3);
    assert!(calls(&["resolve", "key-2", "--as", "released"]).expect(3).err.contains("--abandoned"));
    calls(&["resolve", "key-2", "--as", "released", "--abandoned"]).expect(0);
    assert_eq!(calls(&["list"]).expect(0).out, "");

    assert!(matches!(registry.claim_call(claim("a", "key-1")).await.unwrap(), Claim::First(_)), "free again");
    assert!(
        matches!(registry.claim_call(claim("b", "key-1")).await.unwrap(), Claim::Expired),
        "it took effect"
    );
}

#[tokio::test]
async fn no_secret_of_a_task_is_shown_and_its_key_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let keys = KeyRing::new("k1", [0x5e; 32]).unwrap();
    std::fs::write(folder.path().join("k1.key"), format!("k1:{}\n", "5e".repeat(32))).unwrap();
    let registry = SqliteRegistry::open(config(folder.path()).with_sealer(Arc::new(keys))).unwrap();
    let to = Registration::new("https://buyer.example/hook/s3cret", "op-1").unwrap();
    let effects = Effects::none().with_notify(Some(to.with_token(Some(Secret::new("s3cret")))));
    let issue = IssueTask::new(
        TaskId::new("task_1"),
        owner("a"),
        "create_media_buy",
        "create_media_buy",
        "media-buy",
    );
    let order = JobOrder::new("review.v1", json!({ "floor": "s3cret" }));
    registry.issue(issue.with_effects(effects).as_job(order)).await.unwrap();

    let adcp = |args: &[&str]| run_in(folder.path(), &[args, &["--registry", "sqlite:registry.db"]].concat());
    let with_key = ["--seal-key-file", "k1.key"];
    adcp(&[&["tasks", "cancel", "task_1", "--reason", "enough"], &with_key[..]].concat()).expect(0);
    for json in [&[][..], &["--json"]] {
        let shown = adcp(&[&["tasks", "show", "task_1"], json, &with_key].concat()).expect(0);
        assert!(shown.out.contains("https://buyer.example") && shown.out.contains("whk_"), "{}", shown.out);
        assert!(shown.out.contains("review.v1") && shown.out.contains("max_attempts"), "{}", shown.out);
        assert!(!shown.out.contains("s3cret"), "{}", shown.out);
    }
    let without = adcp(&["tasks", "show", "task_1"]).expect(0);
    assert!(without.out.contains("no key at hand opens them"), "{}", without.out);
    assert!(without.err.contains("its events are not shown"), "{}", without.err);
    let listed = adcp(&["tasks", "list"]).expect(0);
    assert!(listed.out.contains("task_1") && listed.err.contains("credentials of task_1:"), "{}", listed.err);
    assert!(adcp(&["doctor"]).expect(1).out.contains("no key that opens them"));
    assert!(adcp(&[&["doctor"], &with_key[..]].concat()).expect(0).out.contains("queued events: 1"));
}
