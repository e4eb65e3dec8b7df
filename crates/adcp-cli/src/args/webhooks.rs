//! The command line of `adcp webhooks`: for those who send webhooks, and for those who receive them.

use std::time::Duration;

use adcp_core::{Clock as _, DeadReason, DeliveryState, Endpoint, SystemClock, TaskId, Timestamp};
use clap::{Args as ClapArgs, Subcommand};

use super::{KeyArgs, ListenArgs, RegistryArgs, SendTestArgs, VerifyArgs};

/// See the webhooks of a seller, send dead letters again, and try both ends of a delivery.
///
/// `list`, `show`, `redeliver` and `endpoints` work on the registry itself, also while an agent uses it.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  adcp webhooks list --dead
  adcp webhooks show whk_0123…
  adcp webhooks redeliver --endpoint https://buyer.example --dry-run
  adcp webhooks listen --agent http://127.0.0.1:3000/mcp
  adcp webhooks send-test http://127.0.0.1:4000/hook --signing-key hooks.jwk --allow-loopback")]
pub(crate) struct WebhooksArgs {
    #[command(subcommand)]
    pub(crate) command: WebhooksCommand,
}

/// What to do with webhooks.
#[derive(Debug, Subcommand)]
pub(crate) enum WebhooksCommand {
    /// List events and where their delivery stands, the newest first.
    List(WebhookListArgs),
    /// Show one event with its attempts and its redeliveries. No secret is shown.
    Show(WebhookShowArgs),
    /// Queue dead letters again: the same bytes and key, with a schedule of their own.
    Redeliver(RedeliverArgs),
    /// List receivers, and which of them are left in peace.
    Endpoints(EndpointsArgs),
    Listen(ListenArgs),
    Verify(VerifyArgs),
    SendTest(SendTestArgs),
}

/// Where events are kept, and whose they are.
#[derive(Debug, ClapArgs)]
pub(crate) struct OutboxArgs {
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// The seller, where one deployment serves several.
    #[arg(long, value_name = "TENANT", default_value = "default", display_order = 902)]
    pub(crate) tenant: String,
}

/// Which events to list.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  adcp webhooks list
  adcp webhooks list --dead --reason refused --since 2h
  adcp webhooks list --state waiting --endpoint https://buyer.example --json")]
pub(crate) struct WebhookListArgs {
    /// Only events in this state: pending, sending, waiting, delivered or dead. Repeatable.
    #[arg(long = "state", value_name = "STATE", value_parser = state)]
    pub(crate) states: Vec<DeliveryState>,
    /// Only dead letters.
    #[arg(long, conflicts_with = "states")]
    pub(crate) dead: bool,
    #[command(flatten)]
    pub(crate) which: EventFilterArgs,
    /// How many to list, 1 to 1000.
    #[arg(long, value_name = "NUMBER", default_value = "50", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,
    /// Only what follows this place, as an earlier list named it.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) cursor: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) outbox: OutboxArgs,
}

/// What events have in common.
#[derive(Debug, ClapArgs)]
pub(crate) struct EventFilterArgs {
    /// Only those given up for this reason, such as exhausted, refused or gone. Repeatable.
    #[arg(long = "reason", value_name = "REASON", value_parser = reason)]
    pub(crate) reasons: Vec<DeadReason>,
    /// Only those to this receiver: scheme, host and port of the url count.
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    pub(crate) endpoint: Option<Endpoint>,
    /// Only those of this task.
    #[arg(long, value_name = "TASK", value_parser = task)]
    pub(crate) task: Option<TaskId>,
    /// Only those queued since then: an instant, or how long ago, such as 30m, 2h or 7d.
    #[arg(long, value_name = "WHEN", value_parser = instant)]
    pub(crate) since: Option<Timestamp>,
    /// Only those queued before then.
    #[arg(long, value_name = "WHEN", value_parser = instant)]
    pub(crate) before: Option<Timestamp>,
}

/// Which event to show.
#[derive(Debug, ClapArgs)]
pub(crate) struct WebhookShowArgs {
    /// The event's key, or the beginning of one, as logs name it.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Also show what every attempt sends, without the buyer's token.
    #[arg(long)]
    pub(crate) body: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) outbox: OutboxArgs,
}

/// Which dead letters to send again.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  adcp webhooks redeliver whk_0123…
  adcp webhooks redeliver --endpoint https://buyer.example --reason refused --dry-run
  adcp webhooks redeliver --all --since 1d --by 'on call'

Exits with 0 when every one was queued, with 3 when one is unknown or not dead, and with 5 when one
cannot be sent again. With filters there may be none: that is 0, too.")]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(true)
    .args(["ids", "reasons", "endpoint", "task", "since", "before", "all"]))]
pub(crate) struct RedeliverArgs {
    /// The events' keys, whole.
    #[arg(value_name = "ID", conflicts_with_all = ["reasons", "endpoint", "task", "since", "before", "all"])]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) filter: EventFilterArgs,
    /// Every dead letter that the filters leave, or of the tenant without any.
    #[arg(long)]
    pub(crate) all: bool,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Who asks, for the record; the name of the login when not given.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) outbox: OutboxArgs,
}

/// Which receivers to list.
#[derive(Debug, ClapArgs)]
pub(crate) struct EndpointsArgs {
    /// Only those that are left in peace now.
    #[arg(long)]
    pub(crate) paused: bool,
    /// How many to list, 1 to 1000.
    #[arg(long, value_name = "NUMBER", default_value = "100", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,
    /// Only what follows this receiver, as an earlier list ended.
    #[arg(long, value_name = "URL", value_parser = endpoint)]
    pub(crate) after: Option<Endpoint>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) outbox: OutboxArgs,
}

fn state(text: &str) -> Result<DeliveryState, String> {
    DeliveryState::parse(text)
        .ok_or_else(|| "expected one of pending, sending, waiting, delivered, dead".to_owned())
}

fn reason(text: &str) -> Result<DeadReason, String> {
    match DeadReason::parse(text) {
        DeadReason::Unknown if text != DeadReason::Unknown.as_str() => Err(
            "expected one of exhausted, gone, refused, signature_rejected, redirected, forbidden_address, \
             unsealable, corrupt, unknown"
                .to_owned(),
        ),
        reason => Ok(reason),
    }
}

fn endpoint(text: &str) -> Result<Endpoint, String> {
    let endpoint = Endpoint::of(text);
    // What is queued for addresses that can be nobody's shares one lane, which has no url.
    if endpoint.as_str() == INVALID && text != INVALID {
        return Err("expected a url, such as https://buyer.example".to_owned());
    }
    Ok(endpoint)
}

/// The endpoint of addresses that can be nobody's.
pub(crate) const INVALID: &str = "invalid";

#[expect(clippy::unnecessary_wraps, reason = "the shape of a value parser")]
fn task(text: &str) -> Result<TaskId, std::convert::Infallible> {
    Ok(TaskId::new(text))
}

/// An instant, or how long ago.
fn instant(text: &str) -> Result<Timestamp, String> {
    let wrong = || "expected an instant, such as 2026-05-01T12:00:00Z, or how long ago: 90s, 30m, 2h, 7d";
    if let Ok(at) = Timestamp::parse(text) {
        return Ok(at);
    }
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong().to_owned()),
    };
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    Ok(SystemClock::new().now().before(Duration::from_secs(number.saturating_mul(seconds))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_absolute_or_ago() {
        assert_eq!(instant("2026-05-01T12:00:00Z"), Ok(Timestamp::parse("2026-05-01T12:00:00Z").unwrap()));
        let (then, now) = (instant("2h").unwrap(), SystemClock::new().now());
        let ago = now.since(then);
        assert!((7_200..7_260).contains(&ago.as_secs()), "{ago:?}");
        assert!(instant("999999999999999999d").is_ok());
        for wrong in ["", "h", "2w", "-1h", "1.5h", "2é", "yesterday", "2026-05-01"] {
            assert!(instant(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn words_of_filters_are_read() {
        assert_eq!(reason("gone"), Ok(DeadReason::Gone));
        assert_eq!(reason("unknown"), Ok(DeadReason::Unknown));
        assert!(reason("bored").is_err() && state("asleep").is_err());
        assert_eq!(endpoint("https://Buyer.example:443/x?y").unwrap().as_str(), "https://buyer.example");
        assert_eq!(endpoint("invalid").unwrap().as_str(), "invalid");
        assert!(endpoint("buyer.example").is_err());
    }
}
