//! Answers that take longer than a call: a function of this process, and a person whose queue holds a reference.
//!
//! Run it with `cargo run -p adcp-decisioning --example handoff`.

#![expect(clippy::print_stdout, reason = "an example that shows what happens")]

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adcp_core::{AdcpError, Principal, TaskRef};
use adcp_decisioning::{AccountPerPrincipal, Agent, Call, Caller, Ctx, Discovery, Signals, TaskDesk, Tokens};
use adcp_registry_memory::MemoryRegistry;
use adcp_types::core::signal_ref::{SignalRef, SignalRefDataProvider};
use adcp_types::enums::SignalCatalogType;
use adcp_types::signals::get_signals_response::{CacheScope, Signal};
use adcp_types::signals::{GetSignalsRequest, GetSignalsResponse, GetSignalsWorking};
use serde_json::{Value, json};

/// Models common signals by itself; unusual ones are a job for its analysts.
struct Modeller {
    /// What the analysts find in the morning: text, as it would stand in a database.
    inbox: Arc<Mutex<Vec<String>>>,
}

impl Signals for Modeller {
    async fn get_signals(
        &self,
        ctx: &Ctx,
        req: GetSignalsRequest,
    ) -> Result<Discovery<GetSignalsResponse>, AdcpError> {
        let asked = req.signal_spec.unwrap_or_default();
        if asked.contains("bespoke") {
            let inbox = Arc::clone(&self.inbox);
            return Ok(ctx
                .handoff_to_workflow(async move |task: TaskRef| {
                    inbox.lock().map_err(|_| AdcpError::unavailable())?.push(task.to_string());
                    Ok(())
                })
                .with_deadline(Duration::from_secs(5 * 24 * 3600))
                .into());
        }
        Ok(ctx
            .handoff_to_task(async move |task: adcp_decisioning::TaskHandle| {
                task.progress(GetSignalsWorking::new().with_percentage(50.0).with_current_step("modelling"))
                    .await;
                Ok(answer(&asked))
            })
            .with_deadline(Duration::from_secs(600))
            .on_complete(async |answer: Arc<GetSignalsResponse>| {
                println!("   [seller] bills {} signals", answer.signals.as_ref().map_or(0, Vec::len));
                Ok(())
            })
            .on_failure(async |ended| {
                println!("   [seller] bills nothing: {ended:?}");
                Ok(())
            })
            .into())
    }
}

fn answer(words: &str) -> GetSignalsResponse {
    let id = SignalRef::DataProvider(SignalRefDataProvider::new("modeller.example", "s1"));
    let signal = Signal::new("s1", words, "Modelled from visits", SignalCatalogType::Owned, Vec::new());
    GetSignalsResponse::new()
        .with_signals(vec![signal.with_signal_ref(id)])
        .with_cache_scope(CacheScope::Account)
}

/// Calls as the buyer, and shows what it sees.
async fn call(agent: &Agent, tool: &str, arguments: Value) -> Result<Value, Box<dyn Error>> {
    let Value::Object(arguments) = arguments else { return Err("arguments are an object".into()) };
    let reply = agent.call(Call::new(tool, arguments).by(Caller::new(Principal::new("acme")))).await;
    let body = Value::Object(reply.body);
    println!("{tool}: {body}");
    Ok(body)
}

/// Polls until the task has ended.
async fn ended(agent: &Agent, task_id: &Value) -> Result<Value, Box<dyn Error>> {
    loop {
        let poll = json!({ "task_id": task_id, "include_result": true, "include_history": true });
        let task = call(agent, "get_task_status", poll).await?;
        if !["submitted", "working", "input-required"].map(Value::from).contains(&task["status"]) {
            return Ok(task);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let inbox = Arc::new(Mutex::new(Vec::new()));
    let registry = Arc::new(MemoryRegistry::volatile());
    let agent = Agent::builder(Modeller { inbox: Arc::clone(&inbox) })
        .signals()
        .authenticator(Tokens::new())
        .accounts(AccountPerPrincipal::new())
        .shared_registry(registry.clone())
        .build()?;

    println!("-- A function of this process --");
    let task = call(&agent, "get_signals", json!({ "signal_spec": "hikers" })).await?;
    assert_eq!(ended(&agent, &task["task_id"]).await?["status"], "completed");

    println!("-- A person, days later and perhaps in another process --");
    let task = call(&agent, "get_signals", json!({ "signal_spec": "a bespoke model of sailors" })).await?;
    let stored: Vec<String> = inbox.lock().map_err(|_| "the inbox is broken")?.drain(..).collect();
    let desk = TaskDesk::new(registry);
    for line in stored {
        let work: TaskRef = line.parse()?;
        desk.progress(&work, GetSignalsWorking::new().with_percentage(80.0)).await?;
        call(&agent, "get_task_status", json!({ "task_id": task["task_id"] })).await?;
        desk.complete(&work, &answer("sailors")).await?;
        let other = desk.cancel(&work, "too late").await;
        println!("   [seller] a second, different end: {}", other.err().ok_or("the first end wins")?);
    }
    assert_eq!(ended(&agent, &task["task_id"]).await?["status"], "completed");

    agent.drain(Duration::from_secs(10)).await;
    let late = call(&agent, "get_signals", json!({ "signal_spec": "hikers" })).await?;
    assert_eq!(late["adcp_error"]["code"], "SERVICE_UNAVAILABLE");
    Ok(())
}
