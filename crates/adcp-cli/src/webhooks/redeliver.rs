//! `adcp webhooks redeliver`: dead letters that are sent again.

use std::collections::HashSet;

use adcp_core::{
    DeliveryFilter, DeliveryRecord, DeliveryState, EventKey, ListDeliveries, Redeliver, Redelivered,
    Registry, RegistryError, Scope, TenantId, Which,
};
use serde_json::{Value, json};

use super::{UNKNOWN, list, open};
use crate::args::{INVALID, RedeliverArgs};
use crate::exit::{Exit, Failure};
use crate::output::{Terminal, say, tame};
use crate::registry;

/// Events that one command takes at most.
const MOST: usize = 100_000;
/// Events that are looked at, or queued, in one step.
const STEP: usize = 500;
/// Refusals that are told one by one.
const TOLD: usize = 20;
/// The longest name of whoever asks.
const LONGEST_NAME: usize = 120;

/// Why an event is not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Unknown,
    NotDead(Option<DeliveryState>),
    NoUrl,
    PastRetention,
    Unreadable,
}

/// What is to be queued, oldest first, and what is not.
#[derive(Debug, Default)]
struct Sorted {
    queue: Vec<EventKey>,
    refused: Vec<(EventKey, Refusal)>,
    more: bool,
}

pub(super) async fn run(args: &RedeliverArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    // Nothing is written about a dry run.
    let by = if args.dry_run { String::new() } else { asker(args.by.as_deref())? };
    let (registry, tenant) = open(&args.outbox).await?;
    let mut sorted = if args.ids.is_empty() {
        matching(&*registry, &tenant, list::filter(&args.filter)).await
    } else {
        named(&*registry, &tenant, &args.ids).await
    }
    .map_err(registry::failure)?;
    if !args.dry_run {
        let wanted = std::mem::take(&mut sorted.queue);
        for step in wanted.chunks(STEP) {
            let mut request = Redeliver::matching(tenant.clone(), DeliveryFilter::new(), by.as_str());
            request.which = Which::Keys(step.to_vec());
            for (key, done) in registry.redeliver(request).await.map_err(|error| stopped(&sorted, error))? {
                // Somebody else may have been quicker.
                match refusal(done, None) {
                    None => sorted.queue.push(key),
                    Some(refusal) => sorted.refused.push((key, refusal)),
                }
            }
        }
    }
    tell(&sorted, args, terminal)?;
    Ok(sorted.exit())
}

impl Sorted {
    fn sort(&mut self, key: EventKey, record: Option<&DeliveryRecord>) {
        let refused = match record {
            None => Some(Refusal::Unknown),
            // The store would say the same, for its step is this one.
            Some(record) => refusal(record.clone().redeliver("", record.queued_at), Some(record.state))
                .or_else(|| (record.endpoint.as_str() == INVALID).then_some(Refusal::NoUrl)),
        };
        match refused {
            None => self.queue.push(key),
            Some(refusal) => self.refused.push((key, refusal)),
        }
    }

    fn exit(&self) -> Exit {
        let of = |refusal: &Refusal| match refusal {
            Refusal::Unknown | Refusal::NotDead(_) => Exit::Correctable,
            Refusal::NoUrl | Refusal::PastRetention | Refusal::Unreadable => Exit::Terminal,
        };
        let worst = self.refused.iter().map(|(_, refusal)| of(refusal)).max_by_key(|exit| *exit as u8);
        worst.unwrap_or(Exit::Done)
    }
}

async fn named(registry: &dyn Registry, tenant: &TenantId, ids: &[String]) -> Result<Sorted, RegistryError> {
    let mut sorted = Sorted::default();
    let mut seen = HashSet::new();
    let scope = Scope::Operator { tenant: tenant.clone() };
    for id in ids.iter().filter(|id| seen.insert(id.as_str())) {
        let key = EventKey::stored(id.as_str());
        match registry.delivery(&key, &scope).await {
            Ok(detail) => sorted.sort(key, detail.as_ref().map(|detail| &detail.record)),
            Err(RegistryError::Corrupt { .. }) => sorted.refused.push((key, Refusal::Unreadable)),
            Err(error) => return Err(error),
        }
    }
    Ok(sorted)
}

async fn matching(
    registry: &dyn Registry,
    tenant: &TenantId,
    mut filter: DeliveryFilter,
) -> Result<Sorted, RegistryError> {
    filter.states = vec![DeliveryState::Dead];
    let scope = Scope::Operator { tenant: tenant.clone() };
    let mut request = ListDeliveries::new(scope).matching(filter).with_limit(STEP);
    let mut sorted = Sorted::default();
    loop {
        let page = registry.deliveries(request.clone()).await?;
        for record in &page.deliveries {
            sorted.sort(record.key.clone(), Some(record));
        }
        sorted.refused.extend(page.unreadable.into_iter().map(|key| (key, Refusal::Unreadable)));
        sorted.more = page.next.is_some() && sorted.queue.len() + sorted.refused.len() >= MOST;
        if page.next.is_none() || sorted.more {
            // A receiver hears of what happened first, first.
            sorted.queue.reverse();
            return Ok(sorted);
        }
        request = request.after(page.next);
    }
}

fn refusal(done: Redelivered, state: Option<DeliveryState>) -> Option<Refusal> {
    match done {
        Redelivered::Queued => None,
        Redelivered::NotDead => Some(Refusal::NotDead(state)),
        Redelivered::Unknown => Some(Refusal::Unknown),
        Redelivered::PastRetention => Some(Refusal::PastRetention),
        Redelivered::Unreadable => Some(Refusal::Unreadable),
    }
}

impl Refusal {
    const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::NotDead(_) => "not_dead",
            Self::NoUrl => "no_url",
            Self::PastRetention => "past_retention",
            Self::Unreadable => "unreadable",
        }
    }

    fn words(self) -> String {
        match self {
            Self::Unknown => format!("{UNKNOWN}; give the whole key, as `adcp webhooks show` prints it"),
            Self::NotDead(None) => "it is no dead letter any more".to_owned(),
            Self::NotDead(Some(DeliveryState::Delivered)) => {
                "it was delivered; only dead letters are sent again".to_owned()
            }
            Self::NotDead(Some(_)) => "it is still being tried; only dead letters are sent again".to_owned(),
            Self::NoUrl => "it has no url that could be called".to_owned(),
            Self::PastRetention => "it is past retention: its body was forgotten".to_owned(),
            Self::Unreadable => "its row cannot be read; `adcp doctor` says more".to_owned(),
        }
    }
}

fn tell(sorted: &Sorted, args: &RedeliverArgs, terminal: &Terminal) -> Result<(), Failure> {
    let (queued, refused) = (sorted.queue.len(), sorted.refused.len());
    if args.json {
        let refusal = |(key, why): &(EventKey, Refusal)| json!({ "id": key.as_str(), "code": why.word() });
        terminal.json(
            &json!({
                "dry_run": args.dry_run,
                "queued": sorted.queue.iter().map(EventKey::as_str).collect::<Vec<_>>(),
                "refused": sorted.refused.iter().map(refusal).collect::<Vec<Value>>(),
                "more": sorted.more,
            }),
            false,
        )?;
    } else {
        sorted.queue.iter().try_for_each(|key| terminal.line(&tame(key.as_str())))?;
    }
    for (key, why) in sorted.refused.iter().take(TOLD) {
        say(&tame(&format!("{key}: {}", why.words())));
    }
    if refused > TOLD {
        say(&format!("… and {} more that are refused; --json lists all", refused - TOLD));
    }
    let verb = if args.dry_run { "would be queued" } else { "queued" };
    say(&match (queued, refused) {
        (0, 0) => "no dead letter is like that".to_owned(),
        _ => format!("{queued} {verb} again, {refused} refused"),
    });
    if sorted.more {
        say(&format!("that is as many as one command takes ({MOST}); run it again for the rest"));
    }
    Ok(())
}

/// What was queued before the registry failed is queued.
fn stopped(sorted: &Sorted, error: RegistryError) -> Failure {
    if !sorted.queue.is_empty() {
        say(&format!("{} were queued again before the registry failed", sorted.queue.len()));
    }
    registry::failure(error)
}

/// Whoever asks is kept with the event, so it must be somebody.
fn asker(given: Option<&str>) -> Result<String, Failure> {
    let name = match given {
        Some(name) => Some(name.to_owned()),
        None => login(),
    };
    match name.as_deref().map(str::trim) {
        Some(name) if name.len() > LONGEST_NAME || name.chars().any(char::is_control) => {
            Err(Failure::usage(format!("a name is one line of at most {LONGEST_NAME} bytes")))
        }
        Some(name) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err(Failure::usage("who asks is kept with the event; say it with --by NAME")),
    }
}

#[expect(clippy::disallowed_methods, reason = "the one home of these variables")]
fn login() -> Option<String> {
    let set = |name| std::env::var(name).ok().filter(|name| !name.trim().is_empty());
    set("LOGNAME").or_else(|| set("USER")).or_else(|| set("USERNAME"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_asks() {
        assert_eq!(asker(Some(" on call ")).unwrap(), "on call");
        for wrong in ["", "  ", "two\nlines", &"x".repeat(121)] {
            assert_eq!(asker(Some(wrong)).unwrap_err().exit(), Exit::Usage, "{wrong:?}");
        }
    }
}
