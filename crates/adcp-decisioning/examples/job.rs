//! Work that outlives its process: a job fails once, is handed over at a shutdown, and ends on another replica.
//!
//! Run it with `cargo run -p adcp-decisioning --example job`.

#![expect(clippy::print_stdout, reason = "an example that shows what happens")]

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adcp_core::{AdcpError, Principal, Registry};
use adcp_decisioning::{
    AccountPerPrincipal, Agent, Call, Caller, Ctx, Discovery, JobHandle, JobHandler, Signals, Tokens,
};
use adcp_registry_memory::MemoryRegistry;
use adcp_types::core::signal_ref::{SignalRef, SignalRefDataProvider};
use adcp_types::enums::SignalCatalogType;
use adcp_types::signals::get_signals_response::{CacheScope, Signal};
use adcp_types::signals::{GetSignalsRequest, GetSignalsResponse, GetSignalsWorking};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Hands every request off.
struct Modeller;

impl Signals for Modeller {
    async fn get_signals(
        &self,
        ctx: &Ctx,
        req: GetSignalsRequest,
    ) -> Result<Discovery<GetSignalsResponse>, AdcpError> {
        let order = Order { words: req.signal_spec.unwrap_or_default() };
        Ok(ctx.handoff_to_job::<Model>(order).with_deadline(Duration::from_secs(3600)).into())
    }
}

/// What the job is given, whichever replica does it. It is stored: no credentials belong here.
#[derive(Serialize, Deserialize)]
struct Order {
    words: String,
}

/// The supplier of models, whom every replica reaches. It builds a model once for each key, however often it is asked.
#[derive(Default)]
struct Supplier {
    built: Mutex<HashMap<String, String>>,
}

impl Supplier {
    fn build(&self, key: &str, words: &str) -> Result<String, AdcpError> {
        let mut built = self.built.lock().map_err(|_| AdcpError::unavailable())?;
        if let Some(model) = built.get(key) {
            println!("   [supplier] {words}: built before");
            return Ok(model.clone());
        }
        println!("   [supplier] {words}: built now");
        let model = format!("model_{}", built.len() + 1);
        built.insert(key.to_owned(), model.clone());
        Ok(model)
    }
}

/// The handler. Each replica has one.
struct Model {
    replica: &'static str,
    supplier: Arc<Supplier>,
    /// Whether the network is bad at the first try, and the seller's own work long.
    troubled: bool,
}

impl JobHandler for Model {
    const KIND: &'static str = "model.v1";
    type Input = Order;
    type Output = GetSignalsResponse;

    async fn run(&self, job: JobHandle, order: Order) -> Result<GetSignalsResponse, AdcpError> {
        println!("   [{}] attempt {}", self.replica, job.attempt());
        if self.troubled && job.attempt() == 1 {
            // Transient, so it is tried again after a wait.
            return Err(AdcpError::unavailable());
        }
        // Whoever does this again asks under the same key.
        let model = self.supplier.build(job.key(), &order.words)?;
        job.progress(GetSignalsWorking::new().with_percentage(50.0).with_current_step("scoring")).await;
        if self.troubled {
            job.cancelled().await;
            println!("   [{}] shuts down, and leaves the rest to somebody else", self.replica);
            return Err(AdcpError::unavailable());
        }
        let id = SignalRef::DataProvider(SignalRefDataProvider::new("modeller.example", &model));
        let signal = Signal::new(model, order.words, "Modelled", SignalCatalogType::Owned, Vec::new());
        Ok(GetSignalsResponse::new()
            .with_signals(vec![signal.with_signal_ref(id)])
            .with_cache_scope(CacheScope::Account))
    }
}

/// One of several processes on one registry. A real one would be on SQLite or Postgres.
fn replica(registry: &Arc<MemoryRegistry>, model: Model) -> Result<Agent, Box<dyn Error>> {
    let agent = Agent::builder(Modeller)
        .signals()
        .job(model)
        .job_poll_interval(Duration::from_millis(100))
        .job_waits(Duration::from_millis(50), Duration::from_secs(60))
        .authenticator(Tokens::new())
        .accounts(AccountPerPrincipal::new())
        .shared_registry(Arc::clone(registry) as Arc<dyn Registry>)
        .build()?;
    Ok(agent)
}

/// Calls as the buyer.
async fn call(agent: &Agent, tool: &str, arguments: Value) -> Result<Value, Box<dyn Error>> {
    let Value::Object(arguments) = arguments else { return Err("arguments are an object".into()) };
    let reply = agent.call(Call::new(tool, arguments).by(Caller::new(Principal::new("acme")))).await;
    Ok(Value::Object(reply.body))
}

/// Polls until the task stands at one of these.
async fn until(agent: &Agent, task_id: &Value, wanted: &[&str]) -> Result<Value, Box<dyn Error>> {
    loop {
        let poll = json!({ "task_id": task_id, "include_result": true });
        let task = call(agent, "get_task_status", poll).await?;
        if wanted.iter().any(|status| task["status"] == *status) {
            println!("get_task_status: {task}");
            return Ok(task);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (registry, supplier) = (Arc::new(MemoryRegistry::volatile()), Arc::new(Supplier::default()));
    let model = |replica, troubled| Model { replica, supplier: Arc::clone(&supplier), troubled };

    let first = replica(&registry, model("first", true))?;
    let task = call(&first, "get_signals", json!({ "signal_spec": "sailors" })).await?;
    println!("get_signals: {task}");
    until(&first, &task["task_id"], &["working"]).await?;

    println!("-- The first replica shuts down, the second goes on --");
    let second = replica(&registry, model("second", false))?;
    second.start();
    first.drain(Duration::from_secs(10)).await;
    let task = until(&second, &task["task_id"], &["completed", "failed"]).await?;
    assert_eq!(task["status"], "completed");
    assert_eq!(supplier.built.lock().map_err(|_| "the supplier is broken")?.len(), 1, "one order, one model");
    second.drain(Duration::from_secs(10)).await;
    Ok(())
}
