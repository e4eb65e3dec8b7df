//! `adcp webhooks list`.

use adcp_core::{
    Clock as _, DeliveryFilter, DeliveryPlace, DeliveryRecord, DeliveryState, EventKey, ListDeliveries,
    Scope, SystemClock, Timestamp,
};
use serde_json::{Value, json};

use super::{facts, open, span};
use crate::args::{EventFilterArgs, WebhookListArgs};
use crate::exit::{Exit, Failure};
use crate::output::{Terminal, say, tame};
use crate::{registry, table};

/// Parts a cursor; no key has it.
const BETWEEN: char = '~';

pub(super) async fn run(args: &WebhookListArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut wanted = filter(&args.which);
    wanted.states = if args.dead { vec![DeliveryState::Dead] } else { args.states.clone() };
    let after = args.cursor.as_deref().map(cursor).transpose()?;
    let (registry, tenant) = open(&args.outbox).await?;
    let request = ListDeliveries::new(Scope::Operator { tenant })
        .matching(wanted)
        .with_limit(usize::from(args.limit))
        .after(after);
    let page = registry.deliveries(request).await.map_err(registry::failure)?;
    let next = page.next.as_ref().map(place);
    let unreadable: Vec<&str> = page.unreadable.iter().map(EventKey::as_str).collect();
    if args.json {
        let events = page.deliveries.iter().map(|record| Value::Object(facts(record).into_object()));
        let page = json!({
            "deliveries": events.collect::<Vec<_>>(),
            "unreadable": unreadable,
            "next_cursor": next,
        });
        terminal.json(&page, false)?;
        return Ok(Exit::Done);
    }
    if page.deliveries.is_empty() && unreadable.is_empty() {
        say("no event is like that");
        return Ok(Exit::Done);
    }
    let now = SystemClock::new().now();
    let rows: Vec<[String; 8]> = page.deliveries.iter().map(|record| row(record, now)).collect();
    let headings = ["EVENT", "STATE", "KIND", "TRIES", "NEXT", "ENDPOINT", "REASON", "AGE"];
    table::print(headings, &rows, terminal)?;
    if !unreadable.is_empty() {
        say(&tame(&format!("rows that cannot be read: {}", unreadable.join(", "))));
    }
    if let Some(next) = next {
        say(&format!("more follow; go on with --cursor {}", tame(&next)));
    }
    Ok(Exit::Done)
}

/// What the flags leave, in every state.
pub(super) fn filter(args: &EventFilterArgs) -> DeliveryFilter {
    let mut filter = DeliveryFilter::new().queued(args.since, args.before);
    filter.reasons.clone_from(&args.reasons);
    filter.endpoint.clone_from(&args.endpoint);
    filter.task.clone_from(&args.task);
    filter
}

fn row(record: &DeliveryRecord, now: Timestamp) -> [String; 8] {
    let status = record.subject.status().map_or_else(String::new, |status| format!(" {status}"));
    [
        record.key.to_string(),
        record.state.as_str().to_owned(),
        format!("{}{status}", record.subject.kind()),
        record.attempts.to_string(),
        next(record, now),
        record.endpoint.to_string(),
        record.reason.map_or("-", adcp_core::DeadReason::as_str).to_owned(),
        span(now.since(record.queued_at).as_secs()),
    ]
}

/// When something happens to it by itself.
fn next(record: &DeliveryRecord, now: Timestamp) -> String {
    match record.due_at {
        None => "-".to_owned(),
        Some(at) if at <= now => "now".to_owned(),
        // A claim ends then, unless its attempt ends before.
        Some(at) if record.state == DeliveryState::Sending => {
            format!("within {}", span(at.since(now).as_secs()))
        }
        Some(at) => format!("in {}", span(at.since(now).as_secs())),
    }
}

/// The place behind an event, as an argument.
fn place(place: &DeliveryPlace) -> String {
    format!("{}{BETWEEN}{}", place.queued_at, place.key)
}

fn cursor(text: &str) -> Result<DeliveryPlace, Failure> {
    let read = |text: &str| {
        let (at, key) = text.split_once(BETWEEN)?;
        Some(DeliveryPlace::new(Timestamp::parse(at).ok()?, EventKey::stored(key)))
    };
    read(text).ok_or_else(|| Failure::usage("this is no cursor; take the one that the list before named"))
}
