//! `adcp webhooks show`: everything that is kept of one event, but no secret.

use adcp_core::{Attempt, AttemptClass, DeliveryDetail, EventKey, Scope};
use serde_json::{Value, json};

use super::{facts, open, unknown};
use crate::args::WebhookShowArgs;
use crate::exit::{Exit, Failure};
use crate::output::{Terminal, say, tame};
use crate::registry;
use crate::table::moment;

pub(super) async fn run(args: &WebhookShowArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let (registry, tenant) = open(&args.outbox).await?;
    let key = EventKey::stored(args.id.as_str());
    let found = registry.delivery(&key, &Scope::Operator { tenant }).await.map_err(registry::failure)?;
    let detail = found.ok_or_else(unknown)?;
    let mut out = facts(&detail.record);
    out.put("body_bytes", detail.body.as_ref().map(String::len));
    let body = detail.body.as_deref().filter(|_| args.body).map(without_token);
    if args.json {
        out.put("attempted", detail.attempts.iter().map(attempt).collect::<Value>());
        out.put("body", body);
        terminal.json(&Value::Object(out.into_object()), false)?;
        return Ok(Exit::Done);
    }
    out.print(terminal)?;
    attempts(&detail, terminal)?;
    if let Some(body) = body {
        terminal.line(&terminal.dim("body"))?;
        terminal.json(&body, false)?;
    }
    match (&detail.body, detail.record.has_body) {
        (None, true) => say("no key at hand opens its body: give it with --seal-key-file FILE"),
        (None, false) => say("its body was forgotten: it cannot be sent again"),
        _ => {}
    }
    Ok(Exit::Done)
}

fn attempts(detail: &DeliveryDetail, terminal: &Terminal) -> Result<(), Failure> {
    if detail.attempts.is_empty() {
        return Ok(());
    }
    terminal.line(&terminal.dim("attempted"))?;
    for attempt in &detail.attempts {
        let class = match attempt.class {
            AttemptClass::Delivered => terminal.good(attempt.class.as_str()),
            other => terminal.bad(other.as_str()),
        };
        let mut words = format!("  {}  {}  {class}", attempt.number, moment(attempt.started_at));
        if let Some(status) = attempt.http_status {
            words.push_str(&format!("  {status}"));
        }
        words.push_str(&format!("  {:.3} s", attempt.took.as_secs_f64()));
        if let Some(peer) = &attempt.peer {
            words.push_str(&format!("  {}", tame(peer)));
        }
        terminal.line(&words)?;
        for (name, text) in [("", &attempt.detail), ("answer: ", &attempt.answer)] {
            if let Some(text) = text {
                terminal.line(&format!("     {name}{}", tame(text)))?;
            }
        }
    }
    Ok(())
}

fn attempt(attempt: &Attempt) -> Value {
    json!({
        "number": attempt.number,
        "class": attempt.class.as_str(),
        "started_at": attempt.started_at.to_string(),
        "seconds": attempt.took.as_secs_f64(),
        "http_status": attempt.http_status,
        "peer": attempt.peer,
        "detail": attempt.detail,
        "answer": attempt.answer,
    })
}

/// What is sent, but for what only the receiver may know.
fn without_token(body: &str) -> Value {
    match serde_json::from_str(body) {
        Ok(Value::Object(mut body)) => {
            if let Some(token) = body.get_mut("token") {
                *token = "[withheld]".into();
            }
            Value::Object(body)
        }
        _ => Value::from("[no JSON object]"),
    }
}
