//! `adcp webhooks`: deliveries of a seller, seen and decided by the people who run it, and both ends of one to try.

mod arrival;
mod capture;
mod checklist;
mod endpoints;
mod failing;
pub(crate) mod http;
mod list;
mod listen;
mod means;
mod misses;
pub(crate) mod reach;
mod redeliver;
mod send_test;
mod show;
mod verify;

use std::sync::Arc;

use adcp_core::{
    AccountId, DeadReason, DeliveryRecord, Redelivery, Registry, Subject, TaskId, TaskStatus, TenantId,
    Timestamp,
};
use serde_json::{Value, json};

use crate::args::{OutboxArgs, WebhooksArgs, WebhooksCommand};
use crate::exit::{Exit, Failure};
use crate::facts::Facts;
use crate::log;
use crate::output::Terminal;
use crate::registry::Place;

/// Runs the command.
pub(crate) async fn run(args: &WebhooksArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    // The last two would say once more what is printed.
    log::start("warn,adcp_egress=error,adcp_webhooks=error")?;
    match &args.command {
        WebhooksCommand::List(list) => list::run(list, terminal).await,
        WebhooksCommand::Show(show) => show::run(show, terminal).await,
        WebhooksCommand::Redeliver(redeliver) => redeliver::run(redeliver, terminal).await,
        WebhooksCommand::Endpoints(endpoints) => endpoints::run(endpoints, terminal).await,
        WebhooksCommand::Listen(listen) => listen::run(listen, terminal).await,
        WebhooksCommand::Verify(verify) => verify::run(verify, terminal).await,
        WebhooksCommand::SendTest(test) => send_test::run(test, terminal).await,
    }
}

/// The registry that holds the events, and whose they are.
async fn open(args: &OutboxArgs) -> Result<(Arc<dyn Registry>, TenantId), Failure> {
    let registry = Place::of(&args.registry)?.open_to_operate(&args.keys).await?;
    Ok((registry, TenantId::new(args.tenant.as_str())))
}

const UNKNOWN: &str = "no event of the registry and of the tenant has this key";

/// What is known of a delivery, in the words of the agent's own `/admin`. Of its address only the endpoint: the rest may
/// hold secrets of the receiver's.
fn facts(record: &DeliveryRecord) -> Facts {
    let (owner, subject) = (&record.owner, &record.subject);
    let at = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let subscriber = match subject {
        Subject::Notification { subscriber, .. } => subscriber.as_deref(),
        _ => None,
    };
    let mut out = Facts::default();
    out.put("id", record.key.as_str());
    out.put("state", record.state.as_str());
    out.put("reason", record.reason.map(DeadReason::as_str));
    out.put("kind", subject.kind());
    out.put("task", subject.task().map(TaskId::as_str));
    out.put("task_status", subject.status().map(TaskStatus::as_str));
    out.put("about", subject.about());
    out.put("subscriber", subscriber);
    out.put("tenant", owner.tenant.as_str());
    out.put("account", owner.account.as_ref().map(AccountId::as_str));
    out.put("principal", owner.principal.as_str());
    out.put("endpoint", record.endpoint.as_str());
    out.put("authentication", record.scheme.as_deref().unwrap_or("signature"));
    out.put("attempts", record.attempts);
    out.put("queued_at", at(Some(record.queued_at)));
    out.put("due_at", at(record.due_at));
    out.put("settled_at", at(record.settled_at));
    let one = |redelivery: &Redelivery| json!({ "at": redelivery.at.to_string(), "by": redelivery.by });
    out.put("redeliveries", record.redeliveries.iter().map(one).collect::<Value>());
    out
}

/// A span of time in its two largest units.
fn span(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let at = units.iter().position(|(size, _)| seconds >= *size).unwrap_or(units.len() - 1);
    let (size, name) = units[at];
    let rest =
        units.get(at + 1).map(|(next, name)| (seconds % size / next, name)).filter(|(rest, _)| *rest > 0);
    match rest {
        Some((rest, small)) => format!("{}{name}{rest}{small}", seconds / size),
        None => format!("{}{name}", seconds / size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_short() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (61, "1m1s"),
            (7_200, "2h"),
            (90_000, "1d1h"),
            (86_400, "1d"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}
