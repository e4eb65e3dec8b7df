//! On which account a call acts: stores, gates by the record, and what nobody else may see.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use adcp_core::{AccountId, AdcpError, TenantId};
use adcp_decisioning::{
    Account, AccountKey, AccountPerPrincipal, Accounts, Agent, Call, Caller, ExplicitAccounts, NaturalKey,
    Reply, SingleAccount, TenantAccounts, Tokens,
};
use adcp_registry_memory::MemoryRegistry;
use adcp_types::ErrorCode;
use adcp_types::core::AccountAuthorization;
use adcp_types::enums::AccountStatus;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::seller::{Mode, Seller, Shared, buyer, code, object, order};

const KEY: &str = "key-0123456789abcdef";

fn agent_over(mode: Mode, accounts: impl Accounts) -> (Agent, Arc<Shared>) {
    let shared =
        Arc::new(Shared { mode, calls: AtomicUsize::new(0), go: Notify::new(), started: Notify::new() });
    let agent = Agent::builder(Seller(Arc::clone(&shared)))
        .sales()
        .authenticator(Tokens::new())
        .accounts(accounts)
        .registry(MemoryRegistry::volatile())
        .build()
        .unwrap();
    (agent, shared)
}

fn id(text: &str) -> AccountId {
    AccountId::new(text)
}

/// An order on the account that `reference` names.
fn order_on(reference: Value) -> Value {
    let mut order = order(KEY);
    order["account"] = reference;
    order
}

async fn ask(agent: &Agent, caller: Caller, tool: &str, arguments: Value) -> Reply {
    agent.call(Call::new(tool, object(arguments)).by(caller)).await
}

fn error(reply: &Reply) -> &Value {
    reply.body.get("adcp_error").unwrap_or(&Value::Null)
}

/// Two accounts of acme, one of nova: a live and a sandbox one under the same natural key.
fn roster() -> ExplicitAccounts {
    let key = NaturalKey::new("Acme.example", "agency.example");
    let live = Account::new(id("live")).with_natural_key(key.clone());
    let trial = Account::new(id("trial")).with_natural_key(key.with_sandbox(true)).with_sandbox(true);
    let acme = [live, trial];
    ExplicitAccounts::new(move |caller: Caller, key: AccountKey| {
        let found = match caller.principal.as_str() {
            "acme" => acme.iter().find(|account| account.answers_to(&key)).cloned(),
            "nova" => Some(Account::new(id("nova-1"))).filter(|account| account.answers_to(&key)),
            _ => None,
        };
        async move { Ok(found) }
    })
}

#[tokio::test]
async fn an_explicit_account_is_found_by_id_and_by_key() {
    let (agent, shared) = agent_over(Mode::Book, roster());
    let brand = json!({ "domain": "acme.example" });
    // The same key in other words is a conflict: both words mean one account.
    for (reference, expected) in [
        (json!({ "account_id": "live" }), "none"),
        (json!({ "account_id": "trial" }), "none"),
        (json!({ "brand": brand, "operator": "agency.example" }), "IDEMPOTENCY_CONFLICT"),
        (json!({ "brand": brand, "operator": "agency.example", "sandbox": true }), "IDEMPOTENCY_CONFLICT"),
    ] {
        let reply = ask(&agent, buyer("acme"), "create_media_buy", order_on(reference.clone())).await;
        assert_eq!(code(&reply), expected, "{reference}: {:?}", reply.body);
    }
    assert_eq!(shared.calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn every_way_of_not_finding_an_account_reads_the_same() {
    let foreign = |error: fn() -> AdcpError| ExplicitAccounts::new(move |_, _| async move { Err(error()) });
    let stores: [(&str, Agent, Value); 9] = [
        ("unknown", agent_over(Mode::Book, roster()).0, json!({ "account_id": "none" })),
        ("of another principal", agent_over(Mode::Book, roster()).0, json!({ "account_id": "nova-1" })),
        (
            "a key nobody has",
            agent_over(Mode::Book, roster()).0,
            json!({ "brand": { "domain": "nova.example" }, "operator": "agency.example" }),
        ),
        (
            "a store that says forbidden",
            agent_over(
                Mode::Book,
                foreign(|| AdcpError::new(ErrorCode::PERMISSION_DENIED, "that one belongs to nova")),
            )
            .0,
            json!({ "account_id": "nova-1" }),
        ),
        (
            "a store with words of its own",
            agent_over(
                Mode::Book,
                foreign(|| {
                    AdcpError::new(ErrorCode::ACCOUNT_NOT_FOUND, "it exists, however")
                        .with_field("account.account_id")
                        .with_detail("owner", "nova")
                }),
            )
            .0,
            json!({ "account_id": "nova-1" }),
        ),
        (
            "closed",
            agent_over(
                Mode::Book,
                SingleAccount::new(Account::new(id("old")).with_status(AccountStatus::Closed)),
            )
            .0,
            json!({ "account_id": "old" }),
        ),
        (
            "rejected",
            agent_over(
                Mode::Book,
                SingleAccount::new(Account::new(id("old")).with_status(AccountStatus::Rejected)),
            )
            .0,
            json!({ "account_id": "old" }),
        ),
        (
            "of another tenant",
            agent_over(
                Mode::Book,
                SingleAccount::new(Account::new(id("theirs")).with_tenant(TenantId::new("elsewhere"))),
            )
            .0,
            json!({ "account_id": "theirs" }),
        ),
        ("no tenant", agent_over(Mode::Book, TenantAccounts::new()).0, json!({ "account_id": "acme" })),
    ];
    let mut seen = Vec::new();
    for (name, agent, reference) in &stores {
        let reply = ask(agent, buyer("acme"), "create_media_buy", order_on(reference.clone())).await;
        assert_eq!(code(&reply), "ACCOUNT_NOT_FOUND", "{name}");
        seen.push((name, error(&reply).clone(), reply.body["errors"].clone()));
    }
    for (name, adcp_error, errors) in &seen {
        assert_eq!((adcp_error, errors), (&seen[0].1, &seen[0].2), "{name} differs from {}", seen[0].0);
    }
    assert_eq!(seen[0].1["field"], "account");
    assert!(seen[0].1.get("details").is_none());
}

#[tokio::test]
async fn a_store_that_panics_or_fails_denies() {
    let panics = ExplicitAccounts::new(|_, _| async { panic!("no connection to db-7.internal") });
    let fails = ExplicitAccounts::new(|_, _| async { Err(AdcpError::unavailable()) });
    for accounts in [panics, fails] {
        let (agent, shared) = agent_over(Mode::Book, accounts);
        let reply =
            ask(&agent, buyer("acme"), "create_media_buy", order_on(json!({ "account_id": "a" }))).await;
        assert_eq!(code(&reply), "SERVICE_UNAVAILABLE");
        assert!(!error(&reply).to_string().contains("db-7"));
        assert_eq!(shared.calls.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn the_record_alone_decides_about_the_sandbox() {
    // A store that ignores the flag and always gives the live account, or always the sandbox one.
    let careless = |sandbox: bool| {
        ExplicitAccounts::new(move |_, _| async move {
            Ok(Some(Account::new(AccountId::new("one")).with_sandbox(sandbox)))
        })
    };
    let key = |sandbox: Value| {
        let mut key = json!({ "brand": { "domain": "acme.example" }, "operator": "agency.example" });
        if !sandbox.is_null() {
            key["sandbox"] = sandbox;
        }
        key
    };
    let cases = [
        (false, key(json!(true)), "ACCOUNT_NOT_FOUND"),
        (false, key(json!(false)), "none"),
        (false, key(Value::Null), "none"),
        (true, key(json!(true)), "none"),
        (true, key(Value::Null), "ACCOUNT_NOT_FOUND"),
        (true, json!({ "account_id": "one" }), "none"),
        (false, json!({ "account_id": "one" }), "none"),
    ];
    for (sandbox, reference, expected) in cases {
        let (agent, _) = agent_over(Mode::Book, careless(sandbox));
        let reply = ask(&agent, buyer("acme"), "create_media_buy", order_on(reference.clone())).await;
        assert_eq!(code(&reply), expected, "record {sandbox}, request {reference}");
    }
}

#[tokio::test]
async fn a_tool_that_needs_no_account_works_without_one() {
    let (agent, _) = agent_over(Mode::Book, roster());
    let brief = json!({ "buying_mode": "brief", "brief": "shoes" });
    assert_eq!(code(&ask(&agent, buyer("acme"), "get_products", brief.clone()).await), "none");
    let mut named = brief;
    named["account"] = json!({ "account_id": "none" });
    let reply = ask(&agent, buyer("acme"), "get_products", named).await;
    assert_eq!(code(&reply), "ACCOUNT_NOT_FOUND", "a name that nobody has is not the absence of one");
}

#[tokio::test]
async fn a_status_leaves_open_what_the_table_says() {
    use AccountStatus::{Active, Closed, PaymentRequired, PendingApproval, Suspended};
    let brief = json!({ "buying_mode": "brief", "brief": "shoes" });
    let update = json!({
        "idempotency_key": KEY, "account": { "account_id": "acme" }, "media_buy_id": "mb_1",
    });
    let mut grow = update.clone();
    grow["new_packages"] = order(KEY)["packages"].clone();
    let (pending, unpaid, stopped, gone) =
        ("ACCOUNT_SETUP_REQUIRED", "ACCOUNT_PAYMENT_REQUIRED", "ACCOUNT_SUSPENDED", "ACCOUNT_NOT_FOUND");
    let row = |codes: [&'static str; 4]| {
        let [p, u, s, c] = codes;
        [(Active, "none"), (PendingApproval, p), (PaymentRequired, u), (Suspended, s), (Closed, c)]
    };
    let cases = [
        ("create_media_buy", order(KEY), row([pending, unpaid, stopped, gone])),
        ("update_media_buy", update, row([pending, "none", stopped, gone])),
        ("update_media_buy", grow, row([pending, unpaid, stopped, gone])),
        ("get_products", brief, row([pending, "none", stopped, gone])),
        ("get_media_buys", json!({}), row([pending, "none", "none", gone])),
        ("list_creative_formats", json!({}), row(["none"; 4])),
    ];
    for (tool, request, expected) in cases {
        for (status, expected) in expected {
            let account = Account::new(id("acme")).with_status(status.clone());
            let (agent, _) = agent_over(Mode::Book, SingleAccount::new(account));
            let reply = ask(&agent, buyer("acme"), tool, request.clone()).await;
            assert_eq!(code(&reply), expected, "{tool} on {status}: {:?}", reply.body);
        }
    }
}

#[tokio::test]
async fn a_pending_account_says_where_to_complete_it() {
    let account = Account::new(id("acme"))
        .with_status(AccountStatus::PendingApproval)
        .with_setup_url("https://seller.example/setup/1");
    let (agent, shared) = agent_over(Mode::Book, SingleAccount::new(account));
    let reply = ask(&agent, buyer("acme"), "create_media_buy", order(KEY)).await;
    assert_eq!(error(&reply)["details"], json!({ "setup_url": "https://seller.example/setup/1" }));
    assert_eq!(shared.calls.load(Ordering::SeqCst), 0);
    let unknown = Account::new(id("acme")).with_status(AccountStatus::from("frozen"));
    let (agent, _) = agent_over(Mode::Book, SingleAccount::new(unknown));
    let reply = ask(&agent, buyer("acme"), "get_media_buys", json!({})).await;
    assert_eq!(code(&reply), "ACCOUNT_NOT_FOUND", "a status nobody knows opens nothing");
}

#[tokio::test]
async fn a_grant_bounds_tools_changes_and_fields() {
    let grant = |tasks: &[&str]| AccountAuthorization::new(tasks.iter().map(|t| (*t).to_owned()).collect());
    let fields = |allowed: &[&str]| {
        let allowed = allowed.iter().map(|f| (*f).to_owned()).collect();
        grant(&["create_media_buy"])
            .with_field_scopes(BTreeMap::from([("create_media_buy".to_owned(), allowed)]))
    };
    let mut with_ext = order(KEY);
    with_ext["ext"] = json!({ "x": 1 });
    let cases = [
        (grant(&["create_media_buy"]), "none", None),
        (grant(&["get_products"]), "SCOPE_INSUFFICIENT", None),
        (grant(&[]), "SCOPE_INSUFFICIENT", None),
        (grant(&["create_media_buy"]).with_read_only(true), "READ_ONLY_SCOPE", None),
        (fields(&["packages", "ext"]), "none", None),
        (
            fields(&["packages.product_id", "packages.pricing_option_id", "ext"]),
            "FIELD_NOT_PERMITTED",
            Some("packages[0].budget"),
        ),
        (fields(&["packages"]), "FIELD_NOT_PERMITTED", Some("ext")),
    ];
    for (grant, expected, field) in cases {
        // As a grant on the account, and as a bound of the credential.
        let (agent, _) = agent_over(
            Mode::Book,
            SingleAccount::new(Account::new(id("acme")).with_authorization(grant.clone())),
        );
        let on_account = ask(&agent, buyer("acme"), "create_media_buy", with_ext.clone()).await;
        let (agent, _) = agent_over(Mode::Book, AccountPerPrincipal::new());
        let caller = buyer("acme").with_authorization(grant);
        let on_credential = ask(&agent, caller, "create_media_buy", with_ext.clone()).await;
        for reply in [on_account, on_credential] {
            assert_eq!(code(&reply), expected, "{:?}", reply.body);
            assert_eq!(error(&reply)["field"].as_str(), field);
            if expected != "none" {
                assert_eq!(reply.body["errors"][0], *error(&reply), "both layers");
            }
            if expected == "SCOPE_INSUFFICIENT" {
                assert_eq!(error(&reply)["details"]["introspection_hint"], "list_accounts");
            }
        }
    }
}

#[tokio::test]
async fn a_grant_never_withholds_polling_and_reading_passes_a_read_only_one() {
    let grant = AccountAuthorization::new(vec!["get_media_buys".to_owned()]).with_read_only(true);
    let (agent, _) =
        agent_over(Mode::Book, SingleAccount::new(Account::new(id("acme")).with_authorization(grant)));
    for tool in ["get_media_buys", "list_tasks", "get_adcp_capabilities"] {
        assert_eq!(code(&ask(&agent, buyer("acme"), tool, json!({})).await), "none", "{tool}");
    }
}

/// Who asks for the task, on which account; the task was started by acme on its own account at the first tenant.
#[tokio::test]
async fn tasks_are_absent_for_every_other_account_principal_and_tenant() {
    let both = || {
        ExplicitAccounts::new(|_, key| async move {
            Ok(match key {
                AccountKey::Id(id) => Some(Account::new(id)),
                _ => None,
            })
        })
    };
    let (first, second) = (TenantId::single(), TenantId::new("second"));
    let accounts = TenantAccounts::new().with_tenant(first, both()).with_tenant(second.clone(), both());
    let (agent, _) = agent_over(Mode::Task, accounts);
    let begun = ask(&agent, buyer("acme"), "create_media_buy", order(KEY)).await;
    let task = begun.body["task_id"].clone();
    let poll = |task: &Value, account: &str| json!({ "task_id": task, "account": { "account_id": account } });

    let own = ask(&agent, buyer("acme"), "get_task_status", poll(&task, "acme")).await;
    assert_eq!(code(&own), "none", "{:?}", own.body);
    let unknown = ask(&agent, buyer("acme"), "get_task_status", poll(&json!("task_none"), "acme")).await;
    let others = [
        ("another account", ask(&agent, buyer("acme"), "get_task_status", poll(&task, "other")).await),
        ("another principal", ask(&agent, buyer("nova"), "get_task_status", poll(&task, "acme")).await),
        (
            "another tenant",
            ask(&agent, buyer("acme").at(second.clone()), "get_task_status", poll(&task, "acme")).await,
        ),
    ];
    for (name, reply) in others {
        assert!(reply.failed, "{name}");
        assert_eq!(error(&reply), error(&unknown), "{name}");
    }
    for caller in [buyer("nova"), buyer("acme").at(second)] {
        let listed = ask(&agent, caller, "list_tasks", json!({})).await;
        assert_eq!(listed.body["tasks"], json!([]), "{:?}", listed.body);
    }
}

#[tokio::test]
async fn idempotency_keys_are_apart_for_every_account_principal_and_tenant() {
    let both = || {
        ExplicitAccounts::new(|_, key| async move {
            Ok(match key {
                AccountKey::Id(id) => Some(Account::new(id)),
                _ => None,
            })
        })
    };
    let second = TenantId::new("second");
    let accounts =
        TenantAccounts::new().with_tenant(TenantId::single(), both()).with_tenant(second.clone(), both());
    let (agent, shared) = agent_over(Mode::Book, accounts);
    let callers = [
        (buyer("acme"), "acme"),
        (buyer("acme"), "other"),
        (buyer("nova"), "acme"),
        (buyer("acme").at(second), "acme"),
    ];
    for (calls, (caller, account)) in callers.into_iter().enumerate() {
        let order = order_on(json!({ "account_id": account }));
        let first = ask(&agent, caller.clone(), "create_media_buy", order.clone()).await;
        assert_eq!(code(&first), "none");
        assert!(!first.body.contains_key("replayed"), "{account}");
        let again = ask(&agent, caller, "create_media_buy", order).await;
        assert_eq!(again.body["replayed"], true);
        assert_eq!(shared.calls.load(Ordering::SeqCst), calls + 1);
    }
}

#[tokio::test]
async fn one_account_for_all_still_keeps_callers_apart() {
    let (agent, shared) = agent_over(Mode::Task, SingleAccount::new(Account::new(id("house"))));
    let order = order_on(json!({ "account_id": "house" }));
    let mine = ask(&agent, buyer("acme"), "create_media_buy", order.clone()).await;
    let theirs = ask(&agent, buyer("nova"), "create_media_buy", order).await;
    assert_eq!(shared.calls.load(Ordering::SeqCst), 2);
    assert_ne!(mine.body["task_id"], theirs.body["task_id"]);
    let poll = json!({ "task_id": mine.body["task_id"], "account": { "account_id": "house" } });
    let reply = ask(&agent, buyer("nova"), "get_task_status", poll).await;
    assert!(reply.failed, "an account is shared, a task is not");
}

#[test]
fn a_record_carries_the_sellers_own_value() {
    struct Advertiser(u32);
    let account = Account::new(id("a")).with_data(Advertiser(7));
    assert_eq!(account.data::<Advertiser>().map(|advertiser| advertiser.0), Some(7));
    assert!(account.data::<u32>().is_none());
}

/// An account store that knows everybody, as that of a sandbox does, does not bring an id into the registry that a database
/// cannot keep.
#[tokio::test]
async fn an_id_that_no_registry_can_keep_is_the_callers_fault() {
    let anybody = ExplicitAccounts::new(|_, key: AccountKey| async move {
        Ok(match key {
            AccountKey::Id(id) => Some(Account::new(id)),
            _ => None,
        })
    });
    let (agent, shared) = agent_over(Mode::Book, anybody);
    for bad in ["e\u{0}nul".to_owned(), "bell\u{7}".to_owned(), "x".repeat(513)] {
        let reply =
            ask(&agent, buyer("acme"), "create_media_buy", order_on(json!({ "account_id": bad }))).await;
        assert_eq!(code(&reply), "INVALID_REQUEST", "{:?}", reply.body);
        assert_eq!(error(&reply)["field"], "account.account_id");
    }
    assert_eq!(shared.calls.load(Ordering::SeqCst), 0);
    let longest = json!({ "account_id": "x".repeat(512) });
    let reply = ask(&agent, buyer("acme"), "create_media_buy", order_on(longest)).await;
    assert_ne!(code(&reply), "INVALID_REQUEST", "{:?}", reply.body);
}
