//! The smallest agent that buyers can call: a provider of one signal.
//!
//! Run it with `cargo run -p adcp --example smallest`, then ask it with
//! `cargo run -p adcp-cli -- call http://127.0.0.1:3000/mcp get_signals '{"signal_spec": "rain"}' --auth secret-token`.

use adcp::core::{Principal, Secret};
use adcp::decisioning::{AccountPerPrincipal, BuildErrors, Signals, Tokens};
use adcp::mcp::McpConfig;
use adcp::registry_memory::MemoryRegistry;
use adcp::types::core::signal_ref::{SignalRef, SignalRefDataProvider};
use adcp::types::enums::SignalCatalogType;
use adcp::types::signals::get_signals_response::{CacheScope, Signal};
use adcp::types::signals::{GetSignalsRequest, GetSignalsResponse};
use adcp::{AdcpError, Agent, Ctx, Discovery};

struct Seller;

impl Signals for Seller {
    async fn get_signals(
        &self,
        _ctx: &Ctx,
        _req: GetSignalsRequest,
    ) -> Result<Discovery<GetSignalsResponse>, AdcpError> {
        let id = SignalRef::DataProvider(SignalRefDataProvider::new("weather.example", "rain"));
        let rain =
            Signal::new("rain", "Rain", "Places with rain today", SignalCatalogType::Owned, Vec::new());
        Ok(GetSignalsResponse::new()
            .with_signals(vec![rain.with_signal_ref(id)])
            .with_cache_scope(CacheScope::Public)
            .into())
    }
}

fn agent() -> Result<Agent, BuildErrors> {
    Agent::builder(Seller)
        .signals()
        .authenticator(Tokens::new().with_token(Principal::new("acme"), &Secret::new("secret-token")))
        .accounts(AccountPerPrincipal::new())
        .registry(MemoryRegistry::volatile())
        .build()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    adcp::mcp::serve(agent()?, McpConfig::bind("127.0.0.1:3000")).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::agent;

    #[test]
    fn it_can_be_built() {
        assert!(agent().is_ok_and(|agent| agent.answers("get_signals")));
    }
}
