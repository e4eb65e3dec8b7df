//! Which agents may buy, what they may not send, and what their seller's methods see of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adcp_core::{AccountId, AdcpError, TenantId};
use adcp_decisioning::{
    Account, AccountPerPrincipal, Accounts, Agent, AgentStatus, BuyerAgent, BuyerAgents, Call, Caller, Ctx,
    Discovery, NaturalKey, Reply, Signals, SingleAccount, Tokens, check_billing,
};
use adcp_registry_memory::MemoryRegistry;
use adcp_types::enums::BillingParty;
use adcp_types::signals::{GetSignalsRequest, GetSignalsResponse};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::seller::{Mode, Seller, Shared, buyer, code, object, order};

const KEY: &str = "key-0123456789abcdef";

/// A seller's list of agents, by principal.
struct Known;

impl BuyerAgents for Known {
    async fn find(&self, caller: &Caller) -> Result<Option<BuyerAgent>, AdcpError> {
        let agent = BuyerAgent::new(format!("https://{}.example/mcp", caller.principal));
        Ok(Some(match caller.principal.as_str() {
            "acme" => agent,
            "paused" => agent.with_status(AgentStatus::Suspended),
            "banned" => agent.with_status(AgentStatus::Blocked),
            "trial" => agent.with_sandbox_only(true),
            "picky" => agent.with_allowed_brands(["Picky.example"]),
            "slow" => {
                tokio::time::sleep(Duration::from_millis(70)).await;
                return Ok(None);
            }
            "broken" => return Err(AdcpError::account_suspended()),
            "crash" => panic!("no connection to db-7.internal"),
            _ => return Ok(None),
        }))
    }
}

fn agent_over(accounts: impl Accounts) -> (Agent, Arc<Shared>) {
    let shared = Arc::new(Shared {
        mode: Mode::Book,
        calls: AtomicUsize::new(0),
        go: Notify::new(),
        started: Notify::new(),
    });
    let agent = Agent::builder(Seller(Arc::clone(&shared)))
        .sales()
        .authenticator(Tokens::new())
        .accounts(accounts)
        .buyer_agents(Known)
        .registry(MemoryRegistry::volatile())
        .build()
        .unwrap();
    (agent, shared)
}

/// An order by `who` on its own account, for the brand of `domain`.
fn order_for(who: &str, domain: &str) -> Value {
    let mut order = order(KEY);
    order["account"] = json!({ "account_id": who });
    order["brand"] = json!({ "domain": domain });
    order
}

async fn ask(agent: &Agent, who: &str, tool: &str, arguments: Value) -> Reply {
    agent.call(Call::new(tool, object(arguments)).by(buyer(who))).await
}

fn error(reply: &Reply) -> Value {
    reply.body.get("adcp_error").cloned().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn only_agents_that_the_seller_deals_with_get_through() {
    let (agent, shared) = agent_over(AccountPerPrincipal::new());
    let cases = [
        ("acme", "none"),
        ("paused", "AGENT_SUSPENDED"),
        ("banned", "AGENT_BLOCKED"),
        ("stranger", "PERMISSION_DENIED"),
        ("trial", "PERMISSION_DENIED"),
        ("broken", "SERVICE_UNAVAILABLE"),
        ("crash", "SERVICE_UNAVAILABLE"),
    ];
    for (who, expected) in cases {
        let reply = ask(&agent, who, "create_media_buy", order_for(who, "acme.example")).await;
        assert_eq!(code(&reply), expected, "{who}");
        let details = error(&reply).get("details").cloned();
        let expected = (who == "trial").then(|| json!({ "scope": "agent", "reason": "sandbox_only" }));
        assert_eq!(details, expected, "{who}: only an established agent learns the reason");
        assert!(!Value::Object(reply.body).to_string().contains("db-7"));
    }
    assert_eq!(shared.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn unknown_and_denied_agents_cannot_be_told_apart() {
    let (agent, _) = agent_over(AccountPerPrincipal::new());
    let mut seen = Vec::new();
    for (who, brand) in [("stranger", "acme.example"), ("picky", "acme.example"), ("picky", "other.example")]
    {
        let begun = Instant::now();
        let reply = ask(&agent, who, "create_media_buy", order_for(who, brand)).await;
        seen.push((error(&reply), reply.body["errors"].clone(), begun.elapsed()));
    }
    assert_eq!(seen[0].0["code"], "PERMISSION_DENIED");
    assert!(seen.iter().all(|answer| *answer == seen[0]), "{seen:?}");
    assert!(seen[0].2 >= Duration::from_millis(50));
    // A lookup that takes longer than a denial has to is not made longer still.
    let begun = Instant::now();
    ask(&agent, "slow", "get_media_buys", json!({})).await;
    assert!((70..75).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_agent_acts_only_for_its_brands() {
    let (agent, _) = agent_over(AccountPerPrincipal::new());
    let own = ask(&agent, "picky", "create_media_buy", order_for("picky", "picky.example")).await;
    assert_eq!(code(&own), "none");
    let read = ask(&agent, "picky", "get_media_buys", json!({})).await;
    assert_eq!(code(&read), "none", "a request that names no brand is for none");
    let by_key = json!({ "account": { "brand": { "domain": "acme.example" }, "operator": "x.example" } });
    assert_eq!(code(&ask(&agent, "picky", "get_media_buys", by_key).await), "PERMISSION_DENIED");
    // An account of another brand is none of its accounts, whatever the store says.
    let foreign =
        Account::new(AccountId::new("a")).with_natural_key(NaturalKey::new("acme.example", "x.example"));
    let (agent, _) = agent_over(SingleAccount::new(foreign));
    let by_id = json!({ "account": { "account_id": "a" } });
    assert_eq!(code(&ask(&agent, "picky", "get_media_buys", by_id).await), "ACCOUNT_NOT_FOUND");
}

#[tokio::test(start_paused = true)]
async fn a_sandbox_agent_uses_sandbox_accounts() {
    let (agent, _) = agent_over(AccountPerPrincipal::new().with_sandbox(true));
    let reply = ask(&agent, "trial", "create_media_buy", order_for("trial", "acme.example")).await;
    assert_eq!(code(&reply), "none");
}

#[tokio::test(start_paused = true)]
async fn a_stranger_learns_nothing_about_its_request_but_reads_capabilities() {
    let (agent, _) = agent_over(AccountPerPrincipal::new());
    let malformed = ask(&agent, "stranger", "create_media_buy", json!({ "budget": "?" })).await;
    assert_eq!(code(&malformed), "PERMISSION_DENIED");
    assert_eq!(code(&ask(&agent, "stranger", "get_adcp_capabilities", json!({})).await), "none");
    assert_eq!(code(&ask(&agent, "banned", "get_adcp_capabilities", json!({})).await), "none");
}

#[tokio::test]
async fn a_credential_in_the_arguments_is_refused_and_never_repeated() {
    let secret = "sk-live-0123456789abcdef";
    let (agent, shared) = agent_over(AccountPerPrincipal::new());
    type Put = fn(&mut Value, &str);
    let places: [(Put, &str); 4] = [
        (
            |order, secret| order["context"]["auth"] = json!({ "Access-Token": secret }),
            "context.auth.Access-Token",
        ),
        (|order, secret| order["ext"] = json!([{ "api_key": secret }]), "ext[0].api_key"),
        (|order, secret| order["apiKey"] = json!(secret), "apiKey"),
        (
            |order, secret| order["packages"][0]["ext"] = json!({ "login": { "password": secret } }),
            "packages[0].ext.login.password",
        ),
    ];
    for (put, field) in places {
        let mut order = order_for("acme", "acme.example");
        put(&mut order, secret);
        let reply = ask(&agent, "acme", "create_media_buy", order.clone()).await;
        assert_eq!(code(&reply), "CREDENTIAL_IN_ARGS");
        assert_eq!(error(&reply)["field"], field);
        assert_eq!(error(&reply)["recovery"], "terminal");
        assert!(!Value::Object(reply.body).to_string().contains(secret));
        // Not by another refusal either, such as of somebody without credentials.
        let reply = agent.call(Call::new("create_media_buy", object(order))).await;
        assert!(!Value::Object(reply.body).to_string().contains(secret));
    }
    assert_eq!(shared.calls.load(Ordering::SeqCst), 0);
}

/// What the seller knows about an account's advertiser.
struct Advertiser(u32);

/// Notes what its method sees of the call, and sells nothing.
struct Curious(Arc<Mutex<Vec<String>>>);

impl Signals for Curious {
    async fn get_signals(
        &self,
        ctx: &Ctx,
        _: GetSignalsRequest,
    ) -> Result<Discovery<GetSignalsResponse>, AdcpError> {
        let (tenant, agent) = (ctx.tenant()?, ctx.agent().map(|agent| agent.agent_url.as_str()));
        let advertiser: &Advertiser = ctx.account_data()?;
        self.0.lock().unwrap().push(format!("{tenant} {agent:?} {} {}", ctx.account()?.id, advertiser.0));
        Err(AdcpError::budget_exhausted())
    }
}

#[tokio::test]
async fn a_method_sees_tenant_agent_and_the_sellers_own_value() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let build = |account: Account| {
        Agent::builder(Curious(Arc::clone(&seen)))
            .signals()
            .authenticator(Tokens::new())
            .accounts(SingleAccount::new(account))
            .buyer_agents(Known)
            .registry(MemoryRegistry::volatile())
            .build()
            .unwrap()
    };
    let account = Account::new(AccountId::new("a"));
    let agent = build(account.clone().with_data(Advertiser(7)));
    let caller = buyer("acme").at(TenantId::new("harbour"));
    let wanted = json!({ "signal_spec": "shoes" });
    let reply = agent.call(Call::new("get_signals", object(wanted.clone())).by(caller)).await;
    assert_eq!(code(&reply), "BUDGET_EXHAUSTED", "{:?}", reply.body);
    assert_eq!(*seen.lock().unwrap(), ["harbour Some(\"https://acme.example/mcp\") a 7"]);
    let reply = ask(&build(account), "acme", "get_signals", wanted).await;
    assert_eq!(code(&reply), "SERVICE_UNAVAILABLE", "a missing value is the seller's own fault");
}

#[test]
fn billing_is_accepted_or_refused_and_never_changed() {
    use BillingParty::{Advertiser, Agent, Operator};
    let passthrough = BuyerAgent::new("https://b.example");
    let open = BuyerAgent::new("https://b.example").with_billing([Agent, Operator]);
    let field = "accounts[0].billing";
    let check = |requested: &BillingParty, agent| {
        check_billing(field, requested, &[Agent, Operator], agent).map_err(|error| {
            (
                error.code().as_str().to_owned(),
                error.details().cloned().map(Value::Object).unwrap_or_default(),
            )
        })
    };
    let refused = |code: &str, details: Value| Err((code.to_owned(), details));
    assert_eq!(check(&Operator, Some(&passthrough)), Ok(()));
    assert_eq!(check(&Agent, Some(&open)), Ok(()));
    assert_eq!(check(&Agent, None), Ok(()));
    assert_eq!(
        check(&Agent, Some(&passthrough)),
        refused(
            "BILLING_NOT_PERMITTED_FOR_AGENT",
            json!({ "rejected_billing": "agent", "suggested_billing": "operator" })
        )
    );
    assert_eq!(
        check(&Advertiser, Some(&open)),
        refused(
            "BILLING_NOT_SUPPORTED",
            json!({ "scope": "capability", "supported_billing": ["agent", "operator"] })
        )
    );
    assert_eq!(check(&Advertiser, None), refused("BILLING_NOT_SUPPORTED", Value::Null));
    let error = check_billing(field, &Agent, &[Agent], Some(&passthrough)).unwrap_err();
    assert_eq!(error.field(), Some(field));
    assert!(error.details().is_some_and(|details| !details.contains_key("suggested_billing")));
}
