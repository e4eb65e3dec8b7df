//! `adcp webhooks show`: everything that is kept of one event, but no secret.

use adcp_console::attempt_json;
use adcp_core::{AttemptClass, DeliveryDetail, EventKey, ListDeliveries, Registry, Scope, TenantId};
use serde_json::{Value, json};

use super::{UNKNOWN, facts, open};
use crate::args::WebhookShowArgs;
use crate::exit::{Exit, Failure};
use crate::output::{Terminal, say, tame};
use crate::registry;
use crate::table::moment;

/// The fewest characters of a key that are looked for.
const SHORTEST: usize = 8;
/// How many of the newest events are looked through for them.
const PAGES: usize = 10;
const PAGE: usize = 1_000;

pub(super) async fn run(args: &WebhookShowArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let (registry, tenant) = open(&args.outbox).await?;
    let detail = find(&*registry, tenant, &args.id).await?;
    let mut out = facts(&detail.record);
    let about_body = json!({
        "kept": detail.record.has_body,
        "readable": detail.body.is_some(),
        "bytes": detail.body.as_ref().map(String::len),
    });
    let body = detail.body.as_deref().filter(|_| args.body).map(without_token);
    if args.json {
        out.put("body", about_body);
        out.put("attempts_kept", detail.attempts.iter().map(attempt_json).collect::<Value>());
        out.put("sent", body);
        terminal.json(&Value::Object(out.into_object()), false)?;
        return Ok(Exit::Done);
    }
    out.put("body_bytes", detail.body.as_ref().map(String::len));
    out.print(terminal)?;
    attempts(&detail, terminal)?;
    if let Some(body) = body {
        terminal.line(&terminal.dim("sent"))?;
        terminal.json(&body, false)?;
    }
    match (&detail.body, detail.record.has_body) {
        (None, true) => say("no key at hand opens its body: give it with --seal-key-file FILE"),
        (None, false) => say("its body was forgotten: it cannot be sent again"),
        _ => {}
    }
    Ok(Exit::Done)
}

/// The event of this key, or the one that begins so: logs name the beginning of a key only.
async fn find(registry: &dyn Registry, tenant: TenantId, id: &str) -> Result<DeliveryDetail, Failure> {
    let scope = Scope::Operator { tenant };
    let read = async |key: &EventKey| registry.delivery(key, &scope).await.map_err(registry::failure);
    if let Some(found) = read(&EventKey::stored(id)).await? {
        return Ok(found);
    }
    let mut like = Vec::new();
    if id.len() >= SHORTEST {
        let mut request = ListDeliveries::new(scope.clone()).with_limit(PAGE);
        for _ in 0..PAGES {
            let page = registry.deliveries(request.clone()).await.map_err(registry::failure)?;
            like.extend(
                page.deliveries.into_iter().map(|it| it.key).filter(|key| key.as_str().starts_with(id)),
            );
            if page.next.is_none() {
                break;
            }
            request = request.after(page.next);
        }
    }
    match like.as_slice() {
        [one] => {
            if let Some(found) = read(one).await? {
                return Ok(found);
            }
        }
        [_, _, ..] => {
            let keys: Vec<&str> = like.iter().take(10).map(EventKey::as_str).collect();
            let words = format!("several events begin like that: {}", keys.join(", "));
            return Err(Failure::new(Exit::Correctable, tame(&words)));
        }
        [] => {}
    }
    let advice = if id.len() < SHORTEST {
        format!("give more of it, {SHORTEST} characters at least")
    } else {
        "`adcp webhooks list` shows those there are".to_owned()
    };
    Err(Failure::new(Exit::Correctable, format!("{UNKNOWN}; {advice}")))
}

fn attempts(detail: &DeliveryDetail, terminal: &Terminal) -> Result<(), Failure> {
    if detail.attempts.is_empty() {
        return Ok(());
    }
    terminal.line(&terminal.dim("attempts_kept"))?;
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
