//! `adcp tasks`: a seller's tasks, seen and ended by the people who run it.

mod list;
mod show;

use std::sync::Arc;

use adcp_core::{AdcpError, Finished, Registry, Scope, TaskId, TaskRecord, TenantId};
use adcp_decisioning::{DeskError, TaskDesk};
use adcp_types::ErrorCode;
use serde_json::Value;

use crate::args::{TasksArgs, TasksCommand};
use crate::exit::{Exit, Failure};
use crate::output::{Terminal, say};
use crate::registry::{self, Place};
use crate::{input, log};

/// Runs the command.
pub(crate) async fn run(args: &TasksArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    log::start("warn")?;
    let registry = Place::of(&args.registry)?.open_to_operate(&args.keys).await?;
    let tenant = TenantId::new(args.tenant.as_str());
    let ended = match &args.command {
        TasksCommand::List(filter) => return list::run(&*registry, tenant, filter, terminal).await,
        TasksCommand::Show { id, json } => {
            let task = find(&*registry, tenant, id).await?;
            return show::run(&*registry, &task, *json, terminal).await;
        }
        TasksCommand::Complete { id, result } => {
            let Value::Object(answer) = input::document(result)? else {
                return Err(Failure::usage(
                    "the result is not a JSON object; write what the tool would answer",
                ));
            };
            // The desk would take it for a failure, which is not what `complete` says.
            if answer.contains_key("errors") {
                return Err(Failure::usage("an answer with `errors` is a failure: say `adcp tasks fail`"));
            }
            let task = find(&*registry, tenant, id).await?;
            TaskDesk::new(Arc::clone(&registry)).complete(&task.reference(), &answer).await
        }
        TasksCommand::Fail { id, code, message } => {
            let error = AdcpError::new(self::code(code)?, message.as_str());
            let task = find(&*registry, tenant, id).await?;
            TaskDesk::new(Arc::clone(&registry)).fail(&task.reference(), error).await
        }
        TasksCommand::Cancel { id, reason } => {
            let task = find(&*registry, tenant, id).await?;
            TaskDesk::new(Arc::clone(&registry)).cancel(&task.reference(), reason.as_str()).await
        }
    };
    match ended.map_err(refused)? {
        Finished::Now => say("the task has ended"),
        _ => say("the task had ended like that before; nothing was changed"),
    }
    Ok(Exit::Done)
}

async fn find(registry: &dyn Registry, tenant: TenantId, id: &str) -> Result<TaskRecord, Failure> {
    let found =
        registry.get(&TaskId::new(id), &Scope::Operator { tenant }).await.map_err(registry::failure)?;
    found.ok_or_else(unknown)
}

fn unknown() -> Failure {
    Failure::new(
        Exit::Correctable,
        "no task has this id here; `adcp tasks list` shows those of the registry and of the tenant",
    )
}

/// Buyers take a code that the protocol does not know as transient; that is allowed, and rarely meant.
fn code(text: &str) -> Result<ErrorCode, Failure> {
    let code = ErrorCode::from(text);
    if !text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_') || text.is_empty() {
        return Err(Failure::usage(
            "a code is written in capitals, such as SERVICE_UNAVAILABLE, BUDGET_TOO_LOW or POLICY_VIOLATION",
        ));
    }
    if code.recovery().is_none() {
        say(&format!(
            "warning: AdCP {} has no code {text}; buyers take it for one that may pass",
            adcp_types::ADCP_VERSION
        ));
    }
    Ok(code)
}

/// Why the desk did not end a task. Nothing was written.
fn refused(error: DeskError) -> Failure {
    match error {
        DeskError::Unknown(_) => unknown(),
        DeskError::AlreadyEnded(_) => Failure::new(
            Exit::Terminal,
            "the task has already ended differently, and the buyer may know; `adcp tasks show` says how",
        ),
        DeskError::Invalid { tool, issues } => {
            let line = |issue: &adcp_core::Issue| {
                let place = if issue.pointer.is_empty() { "(the document)" } else { issue.pointer.as_str() };
                format!("  {place}  {}", issue.message)
            };
            let lines: Vec<String> = issues.iter().map(line).collect();
            Failure::new(
                Exit::Correctable,
                format!("this is no valid answer of {tool}:\n{}\nThe task is as it was.", lines.join("\n")),
            )
        }
        DeskError::Store(error) => registry::failure(error),
        other => Failure::new(Exit::Correctable, "the task is as it was").because(other),
    }
}
