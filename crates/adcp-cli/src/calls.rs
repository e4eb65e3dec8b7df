//! `adcp calls`: idempotency keys whose outcome nobody knows.

use adcp_core::{Registry, Resolution, ResolveCall, TenantId, UnresolvedCall};
use serde_json::{Value, json};

use crate::args::{CallsArgs, CallsCommand, ResolveArgs, ResolveAs};
use crate::exit::{Exit, Failure};
use crate::log;
use crate::output::{Terminal, say, tame};
use crate::registry::{self, Place};
use crate::table::{self, moment};

/// Keys that are looked through for the one to resolve.
const MOST: usize = 100_000;

/// Runs the command.
pub(crate) async fn run(args: &CallsArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    log::start("warn")?;
    let registry = Place::of(&args.registry)?.open_to_operate(&args.keys).await?;
    let tenant = TenantId::new(args.tenant.as_str());
    match &args.command {
        CallsCommand::List { limit, json } => {
            let calls = unresolved(&*registry, &tenant, usize::from(*limit)).await?;
            list(&calls, *json, terminal)?;
        }
        CallsCommand::Resolve(wanted) => resolve(&*registry, &tenant, wanted).await?,
    }
    Ok(Exit::Done)
}

async fn unresolved(
    registry: &dyn Registry,
    tenant: &TenantId,
    limit: usize,
) -> Result<Vec<UnresolvedCall>, Failure> {
    registry.unresolved_calls(tenant, limit).await.map_err(registry::failure)
}

fn list(calls: &[UnresolvedCall], as_json: bool, terminal: &Terminal) -> Result<(), Failure> {
    if as_json {
        return terminal.json(&calls.iter().map(facts).collect(), false);
    }
    if calls.is_empty() {
        say("the outcome of every call is known");
        return Ok(());
    }
    let rows: Vec<[String; 6]> = calls.iter().map(row).collect();
    table::print(["KEY", "STATE", "TOOL", "ACCOUNT", "PRINCIPAL", "SINCE"], &rows, terminal)
}

async fn resolve(registry: &dyn Registry, tenant: &TenantId, wanted: &ResolveArgs) -> Result<(), Failure> {
    let mut calls = unresolved(registry, tenant, MOST).await?;
    calls.retain(|call| is_meant(call, wanted));
    let call = match calls.as_slice() {
        [call] => call,
        [] => {
            let words = "no call of unknown outcome has this key; `adcp calls list` shows those there are";
            return Err(Failure::new(Exit::Correctable, words));
        }
        several => {
            let lines: Vec<String> = several.iter().map(candidate).collect();
            return Err(Failure::new(
                Exit::Correctable,
                format!(
                    "several buyers used this key; say which with --account, --principal or --session:\n{}",
                    lines.join("\n")
                ),
            ));
        }
    };
    if !call.fenced && !wanted.abandoned {
        return Err(Failure::new(
            Exit::Correctable,
            format!(
                "this call was begun at {} and may still run; if its process has ended, add --abandoned",
                moment(call.since)
            ),
        ));
    }
    let resolution = match wanted.outcome {
        ResolveAs::Succeeded => Resolution::Succeeded,
        ResolveAs::Released => Resolution::Released,
    };
    let done = registry.resolve_call(ResolveCall::new(call.key.clone(), resolution)).await;
    if !done.map_err(registry::failure)? {
        return Err(Failure::new(
            Exit::Correctable,
            "its outcome became known in the meantime; nothing was changed",
        ));
    }
    say(match wanted.outcome {
        ResolveAs::Succeeded => "the key answers as expired now: the buyer looks before it buys again",
        ResolveAs::Released => "the key is free: the buyer's next try runs",
    });
    Ok(())
}

/// What was not said decides nothing.
fn is_meant(call: &UnresolvedCall, wanted: &ResolveArgs) -> bool {
    let owner = &call.key.owner;
    let is = |said: &Option<String>, found: Option<&str>| said.is_none() || said.as_deref() == found;
    call.key.key == wanted.key
        && is(&wanted.account, owner.account.as_ref().map(|account| account.as_str()))
        && is(&wanted.principal, Some(owner.principal.as_str()))
        && is(&wanted.session, call.key.session.as_deref())
}

fn state(call: &UnresolvedCall) -> &'static str {
    if call.fenced { "fenced" } else { "running" }
}

fn account(call: &UnresolvedCall) -> Option<&str> {
    call.key.owner.account.as_ref().map(|account| account.as_str())
}

fn candidate(call: &UnresolvedCall) -> String {
    let mut words = format!("  --principal {}", call.key.owner.principal);
    for (flag, value) in [("--account", account(call)), ("--session", call.key.session.as_deref())] {
        if let Some(value) = value {
            words.push_str(&format!(" {flag} {value}"));
        }
    }
    tame(&format!("{words}  ({}, {}, {})", call.tool, state(call), moment(call.since)))
}

fn row(call: &UnresolvedCall) -> [String; 6] {
    let key = match &call.key.session {
        Some(session) => format!("{} (session {session})", call.key.key),
        None => call.key.key.clone(),
    };
    [
        key,
        state(call).to_owned(),
        call.tool.clone(),
        account(call).unwrap_or("-").to_owned(),
        call.key.owner.principal.to_string(),
        moment(call.since),
    ]
}

fn facts(call: &UnresolvedCall) -> Value {
    json!({
        "key": call.key.key,
        "state": state(call),
        "tool": call.tool,
        "account": account(call),
        "principal": call.key.owner.principal.as_str(),
        "session": call.key.session,
        "since": call.since.to_string(),
    })
}
