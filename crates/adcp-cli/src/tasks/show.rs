//! `adcp tasks show`: everything that is known of a task, but no secret.

use adcp_core::{Event, Job, ListEvents, Outcome, Progress, Registry, Scope, TaskPhase, TaskRecord};
use adcp_types::json::JsonObject;
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::facts::Facts;
use crate::output::{Terminal, say};
use crate::registry;

pub(super) async fn run(
    registry: &dyn Registry,
    task: &TaskRecord,
    as_json: bool,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let scope = Scope::Operator { tenant: task.owner.tenant.clone() };
    let mut all = ordered(task);
    all.put("history", history(task));
    match registry.events(ListEvents::new(scope).of_task(task.id.clone())).await {
        Ok(events) => all.put("events", events.iter().map(event).collect::<Value>()),
        // The task is worth showing without them.
        Err(error) => say(&format!("its events are not shown: {}", registry::failure(error))),
    }
    if as_json {
        terminal.json(&Value::Object(all.into_object()), false)?;
    } else {
        all.print(terminal)?;
    }
    Ok(Exit::Done)
}

/// What is known of a task, without its history.
pub(super) fn facts(task: &TaskRecord) -> JsonObject {
    ordered(task).into_object()
}

/// Whether it holds credentials that the keys at hand do not open.
pub(super) fn is_unopened(task: &TaskRecord) -> bool {
    task.effects.notify.as_ref().is_some_and(|to| to.unopened)
}

/// The same in the order in which people ask.
fn ordered(task: &TaskRecord) -> Facts {
    let mut out = Facts::default();
    let mut put = |name, value: Value| out.put(name, value);
    put("task_id", task.id.as_str().into());
    put("status", task.status.as_str().into());
    put("tool", task.tool.as_str().into());
    put("task_type", task.task_type.as_str().into());
    put("protocol", task.protocol.as_str().into());
    put("tenant", task.owner.tenant.as_str().into());
    put("account", task.owner.account.as_ref().map(|account| account.as_str()).into());
    put("principal", task.owner.principal.as_str().into());
    if task.phase == TaskPhase::Enqueuing {
        put("phase", "enqueuing: the buyer was not told of it yet".into());
    }
    put("created_at", task.created_at.to_string().into());
    put("updated_at", task.updated_at.to_string().into());
    put("ended_at", task.ended_at.map(|at| at.to_string()).into());
    put("deadline", task.deadline.map(|at| at.to_string()).into());
    put("leased_until", task.lease.map(|lease| lease.until.to_string()).into());
    put("job", task.job.as_ref().map(|found| job(task, found)).into());
    put("has_webhook", task.has_webhook().into());
    if is_unopened(task) {
        put("credentials", "no key at hand opens them, and without them the task does not end".into());
    }
    put("on_end", on_end(task));
    put("progress", task.progress.as_ref().map(progress).into());
    put("question", task.question.clone().into());
    match &task.outcome {
        Some(Outcome::Completed(body)) => put("result", Value::Object(body.clone())),
        Some(Outcome::Failed(error) | Outcome::Rejected(error)) => {
            put("error", Value::Object(error.to_json()))
        }
        Some(Outcome::Canceled(reason)) => put("reason", reason.as_str().into()),
        _ => {}
    }
    put("context", task.context.clone().into());
    out
}

/// Who does the work, without what they are given: the input may hold a secret.
fn job(task: &TaskRecord, job: &Job) -> Value {
    let next = task.claimable_at().filter(|_| task.lease.is_none());
    json!({
        "kind": job.kind,
        "attempts": job.attempts,
        "max_attempts": job.max_attempts,
        "newest_attempt_at": job.claimed_at.map(|at| at.to_string()),
        "next_attempt_from": next.map(|at| at.to_string()),
        "readable": job.input.is_some(),
    })
}

/// What the store does when the task ends, beside telling the buyer.
fn on_end(task: &TaskRecord) -> Value {
    let effects = &task.effects;
    let mut words = Vec::new();
    if let Some(hold) = &effects.purchase {
        words.push(format!("buys proposal {} or gives it back", hold.key.id));
    }
    if effects.drafts.is_some() {
        words.push("keeps the proposals of the answer".to_owned());
    }
    for key in &effects.finalizes {
        words.push(format!("makes proposal {} firm", key.id));
    }
    if words.is_empty() { Value::Null } else { words.into() }
}

fn progress(progress: &Progress) -> Value {
    let mut out = progress.extra.clone();
    for (name, value) in [
        ("percentage", progress.percentage.map(Value::from)),
        ("current_step", progress.current_step.as_deref().map(Value::from)),
        ("step_number", progress.step_number.map(Value::from)),
        ("total_steps", progress.total_steps.map(Value::from)),
    ] {
        if let Some(value) = value {
            out.insert(name.to_owned(), value);
        }
    }
    Value::Object(out)
}

fn history(task: &TaskRecord) -> Value {
    let entry = |transition: &adcp_core::Transition| {
        let mut out = JsonObject::new();
        out.insert("at".to_owned(), transition.at.to_string().into());
        out.insert("status".to_owned(), transition.status.as_str().into());
        if let Some(reported) = &transition.progress {
            out.insert("progress".to_owned(), progress(reported));
        }
        Value::Object(out)
    };
    task.history.iter().map(entry).collect()
}

/// An event without its body, which may hold the buyer's token, and without what a path or query may hold.
fn event(event: &Event) -> Value {
    json!({
        "key": event.key.as_str(),
        "status": event.subject.status().map(adcp_core::TaskStatus::as_str),
        "to": origin(&event.url),
        "queued_at": event.queued_at.to_string(),
    })
}

fn origin(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return String::new() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_only_its_host_is_shown() {
        for (url, shown) in [
            ("https://buyer.example/hook/s3cret?token=s3cret", "https://buyer.example"),
            ("https://me:s3cret@buyer.example:8443#s3cret", "https://buyer.example:8443"),
            ("s3cret", ""),
        ] {
            assert_eq!(origin(url), shown, "{url}");
        }
    }
}
