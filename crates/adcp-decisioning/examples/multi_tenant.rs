//! Two publishers behind one agent, each with its own accounts, and nothing that crosses between them.
//!
//! Run it with `cargo run -p adcp-decisioning --example multi_tenant`.

#![expect(clippy::print_stdout, reason = "an example that shows what happens")]

use std::error::Error;

use adcp_core::{AccountId, AdcpError, Principal, Secret, TenantId};
use adcp_decisioning::{
    Account, AccountKey, AccountPerPrincipal, Agent, Audiences, BuyerAgent, BuyerAgents, Call, Caller,
    Credentials, Ctx, Decision, ExplicitAccounts, TenantAccounts, Tokens,
};
use adcp_registry_memory::MemoryRegistry;
use adcp_types::json::JsonObject;
use adcp_types::media_buy::sync_audiences_response::{Action, Audience};
use adcp_types::media_buy::{SyncAudiencesRequest, SyncAudiencesSuccess};
use adcp_types::protocol::get_adcp_capabilities_response::SupportedProtocol;
use serde_json::{Value, json};

/// What the harbour's own system knows about an advertiser.
struct Advertiser {
    name: &'static str,
}

/// Both publishers take audiences in the same way; who takes one follows from the call.
struct Publishers;

impl Audiences for Publishers {
    async fn sync_audiences(
        &self,
        ctx: &Ctx,
        req: SyncAudiencesRequest,
    ) -> Result<Decision<SyncAudiencesSuccess>, AdcpError> {
        let named = ctx.account()?.data::<Advertiser>().map_or("itself", |advertiser| advertiser.name);
        println!("  {} matches audiences of {}, for {named}", ctx.tenant()?, ctx.caller()?.principal);
        let ids: Vec<String> =
            req.audiences.into_iter().flatten().map(|audience| audience.audience_id).collect();
        Ok(ctx
            .handoff_to_task(|_| async move {
                Ok(SyncAudiencesSuccess::new(
                    ids.into_iter().map(|id| Audience::new(id, Action::Created)).collect(),
                ))
            })
            .into())
    }
}

/// The harbour's accounts: number 42 belongs to acme, and only acme finds it.
fn harbour() -> ExplicitAccounts {
    ExplicitAccounts::new(|caller, key| async move {
        let id = AccountId::new("42");
        let own = caller.principal.as_str() == "acme" && key == AccountKey::Id(id.clone());
        Ok(own.then(|| Account::new(id).with_data(Advertiser { name: "Acme Outdoor" })))
    })
}

/// Both publishers deal with acme and nova. Mallory has a credential, and no agreement.
struct Agreements;

impl BuyerAgents for Agreements {
    async fn find(&self, caller: &Caller) -> Result<Option<BuyerAgent>, AdcpError> {
        let agreed = ["acme", "nova"].contains(&caller.principal.as_str());
        Ok(agreed.then(|| BuyerAgent::new(format!("https://{}.example/mcp", caller.principal))))
    }
}

fn tokens() -> Tokens {
    let callers = [("acme", "harbour"), ("acme", "meadow"), ("nova", "harbour"), ("mallory", "harbour")];
    callers.into_iter().fold(Tokens::new(), |tokens, (principal, tenant)| {
        let caller = Caller::new(Principal::new(principal)).at(TenantId::new(tenant));
        tokens.with_caller(caller, &Secret::new(format!("{principal}-at-{tenant}")))
    })
}

/// Calls with a token, and says what came of it.
async fn call(
    agent: &Agent,
    token: &str,
    tool: &str,
    arguments: Value,
) -> Result<JsonObject, Box<dyn Error>> {
    let caller = agent.authenticate(&Credentials::Bearer(Secret::new(token))).await?;
    let Value::Object(arguments) = arguments else { return Err("arguments are an object".into()) };
    let reply = agent.call(Call::new(tool, arguments).by(caller)).await;
    let said = match reply.body.get("adcp_error") {
        Some(error) => error["code"].as_str().unwrap_or_default().to_owned(),
        None => reply.body["status"].as_str().unwrap_or_default().to_owned(),
    };
    println!("{token:<18} {tool:<16} {said}");
    Ok(reply.body)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let agent = Agent::builder(Publishers)
        .audiences()
        .authenticator(tokens())
        .accounts(
            TenantAccounts::new()
                .with_tenant(TenantId::new("harbour"), harbour())
                .with_tenant(TenantId::new("meadow"), AccountPerPrincipal::new()),
        )
        .buyer_agents(Agreements)
        .registry(MemoryRegistry::volatile())
        .capabilities(|mut declared| {
            declared.supported_protocols = vec![SupportedProtocol::MediaBuy];
            declared
        })
        .build()?;
    let sync = |account: &str| {
        json!({
            "idempotency_key": "one-upload-of-hikers",
            "account": { "account_id": account },
            "audiences": [{ "audience_id": "hikers" }],
        })
    };

    println!("Each publisher resolves its own accounts; one key may be used at both.");
    let at_harbour = call(&agent, "acme-at-harbour", "sync_audiences", sync("42")).await?;
    let at_meadow = call(&agent, "acme-at-meadow", "sync_audiences", sync("acme")).await?;
    assert_ne!(at_harbour["task_id"], at_meadow["task_id"]);

    println!("An account of the other publisher, and one of another agent, read the same: absent.");
    let elsewhere = call(&agent, "acme-at-meadow", "sync_audiences", sync("42")).await?;
    let foreign = call(&agent, "nova-at-harbour", "sync_audiences", sync("42")).await?;
    assert_eq!(elsewhere["adcp_error"], foreign["adcp_error"]);

    println!("So do tasks.");
    let poll = json!({ "task_id": at_harbour["task_id"] });
    let own = call(&agent, "acme-at-harbour", "get_task_status", poll.clone()).await?;
    let elsewhere = call(&agent, "acme-at-meadow", "get_task_status", poll.clone()).await?;
    let foreign = call(&agent, "nova-at-harbour", "get_task_status", poll).await?;
    assert_eq!(own["task_id"], at_harbour["task_id"]);
    assert_eq!(elsewhere["adcp_error"], foreign["adcp_error"]);

    println!("A credential alone is no agreement.");
    let denied = call(&agent, "mallory-at-harbour", "sync_audiences", sync("42")).await?;
    assert_eq!(denied["adcp_error"]["code"], "PERMISSION_DENIED");
    Ok(())
}
