//! The smallest seller: one group of tools, answered at once. `cargo run -p adcp-decisioning --example minimal`.

#![expect(clippy::print_stdout, reason = "an example that shows what happens")]

use adcp_core::{AdcpError, Principal, Secret};
use adcp_decisioning::{
    AccountPerPrincipal, Agent, Call, Caller, Credentials, Ctx, Discovery, Signals, Tokens,
};
use adcp_registry_memory::MemoryRegistry;
use adcp_types::core::signal_ref::{SignalRef, SignalRefDataProvider};
use adcp_types::enums::SignalCatalogType;
use adcp_types::signals::get_signals_response::{CacheScope, Signal};
use adcp_types::signals::{GetSignalsRequest, GetSignalsResponse};
use serde_json::{Value, json};

struct Weather;

impl Signals for Weather {
    async fn get_signals(
        &self,
        _ctx: &Ctx,
        req: GetSignalsRequest,
    ) -> Result<Discovery<GetSignalsResponse>, AdcpError> {
        let asked = req.signal_spec.unwrap_or_default().to_lowercase();
        let of = |sky: &str| {
            let id = SignalRef::DataProvider(SignalRefDataProvider::new("weather.example", sky));
            let words = format!("Places with {sky} in the next 24 hours");
            Signal::new(sky, sky, words, SignalCatalogType::Owned, Vec::new()).with_signal_ref(id)
        };
        let found = ["rain", "snow", "sun"].into_iter().filter(|sky| asked.contains(sky)).map(of).collect();
        Ok(GetSignalsResponse::new().with_signals(found).with_cache_scope(CacheScope::Public).into())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let token = Secret::new("the-token-of-acme");
    let agent = Agent::builder(Weather)
        .signals()
        .authenticator(Tokens::new().with_caller(Caller::new(Principal::new("acme")), &token))
        .accounts(AccountPerPrincipal::new())
        .registry(MemoryRegistry::volatile())
        .build()?;

    let caller = agent.authenticate(&Credentials::Bearer(token)).await?;
    let Value::Object(question) = json!({ "signal_spec": "Rain or snow" }) else { unreachable!() };
    let reply = agent.call(Call::new("get_signals", question).by(caller)).await;
    println!("{:#}", Value::Object(reply.body));
    Ok(())
}
