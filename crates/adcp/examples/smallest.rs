//! The smallest agent: it sells nothing yet, but buyers can see their account.
//!
//! Run it with `cargo run -p adcp --example smallest`, then ask it with
//! `cargo run -p adcp-cli -- call http://127.0.0.1:3000/mcp list_accounts --auth secret-token`.

use adcp::core::{AdcpError, Principal, Secret};
use adcp::decisioning::{AccountPerPrincipal, Agent, Ctx, ListAccounts, Tokens};
use adcp::mcp::McpConfig;
use adcp::registry_memory::MemoryRegistry;
use adcp::types::account::{ListAccountsRequest, ListAccountsResponse};
use adcp::types::core::AccountWithAuthorization;
use adcp::types::enums::AccountStatus;

struct Seller;

impl ListAccounts for Seller {
    async fn list_accounts(
        &self,
        ctx: &Ctx,
        _req: ListAccountsRequest,
    ) -> Result<ListAccountsResponse, AdcpError> {
        let id = ctx.account()?.id.as_str();
        let account = AccountWithAuthorization::new(id, "Your account", AccountStatus::Active);
        Ok(ListAccountsResponse::new(vec![account]))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = Agent::builder(Seller)
        .list_accounts()
        .authenticator(Tokens::new().with_token(Principal::new("acme"), &Secret::new("secret-token")))
        .accounts(AccountPerPrincipal::new())
        .registry(MemoryRegistry::volatile())
        .build()?;
    adcp::mcp::serve(agent, McpConfig::bind("127.0.0.1:3000")).await?;
    Ok(())
}
