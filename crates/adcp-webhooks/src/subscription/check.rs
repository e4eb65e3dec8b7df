//! What is wrong with subscriptions, before anybody is asked.

use std::fmt;

use adcp_core::Delivery as _;
use adcp_signing::{BearerToken, HmacKey, Secret};
use adcp_types::core::NotificationConfig;

use crate::webhooks::Webhooks;

/// The most that one buyer's agent has on one account.
const MOST: usize = 16;

/// The longest credentials, in characters.
const MAX_CREDENTIALS: usize = 4096;

/// What accounts can hear of. The other types belong to orders and are registered with them.
const OF_ACCOUNTS: [&str; 11] = [
    "creative.status_changed",
    "creative.purged",
    "product.created",
    "product.updated",
    "product.priced",
    "product.removed",
    "signal.created",
    "signal.updated",
    "signal.priced",
    "signal.removed",
    "wholesale_feed.bulk_change",
];

const CREDENTIALS: &str = "authentication.credentials";

/// Something that is wrong with a subscription. Its words are for the buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BadSubscription {
    /// Which one, from 0.
    pub index: usize,
    /// Where in it: `url`, `event_types[1]` and the like.
    pub field: String,
    /// What would be right.
    pub why: String,
}

impl BadSubscription {
    pub(super) fn new(index: usize, field: impl Into<String>, why: impl Into<String>) -> Self {
        Self { index, field: field.into(), why: why.into() }
    }
}

impl fmt::Display for BadSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "subscription {}, {}: {}", self.index, self.field, self.why)
    }
}

pub(super) fn check(
    configs: &[NotificationConfig],
    keeps_credentials: bool,
    webhooks: &Webhooks,
) -> Vec<BadSubscription> {
    let mut bad = Vec::new();
    for (index, config) in configs.iter().enumerate() {
        let mut wrong = |field: &str, why: String| bad.push(BadSubscription::new(index, field, why));
        if index >= MOST {
            wrong("subscriber_id", format!("an account has {MOST} subscriptions at most"));
        }
        if !is_name(&config.subscriber_id) {
            wrong("subscriber_id", "must be 1 to 64 letters, digits and `_.:-`".into());
        }
        if configs[..index].iter().any(|other| other.subscriber_id == config.subscriber_id) {
            wrong("subscriber_id", "is the name of another one".into());
        }
        if let Err(why) = webhooks.admits(&config.url) {
            wrong("url", why.0);
        }
        if config.event_types.is_empty() {
            wrong("event_types", "must name one at least".into());
        }
        for (at, event) in config.event_types.iter().enumerate() {
            if !OF_ACCOUNTS.contains(&event.as_str()) {
                wrong(&format!("event_types[{at}]"), format!("must be one of {}", OF_ACCOUNTS.join(", ")));
            }
        }
        if let Some((field, why)) = check_authentication(config, keeps_credentials) {
            wrong(field, why.into());
        }
    }
    bad
}

fn check_authentication(
    config: &NotificationConfig,
    keeps_credentials: bool,
) -> Option<(&'static str, &'static str)> {
    let legacy = config.authentication.as_ref()?;
    let [scheme] = &legacy.schemes[..] else {
        return Some(("authentication.schemes", "must name exactly one"));
    };
    if !keeps_credentials {
        return Some(("authentication", "credentials cannot be kept here; leave it out to get signatures"));
    }
    let Some(secret) = &legacy.credentials else { return Some((CREDENTIALS, "is required")) };
    credentials(scheme.as_str(), secret)
}

/// What is wrong with a legacy scheme: the field, and what would be right.
pub(super) fn credentials(scheme: &str, credentials: &str) -> Option<(&'static str, &'static str)> {
    if credentials.len() < HmacKey::MIN_LEN {
        return Some((CREDENTIALS, "must have 32 characters at least"));
    }
    if credentials.chars().nth(MAX_CREDENTIALS).is_some() {
        return Some((CREDENTIALS, "must have 4096 characters at most"));
    }
    match scheme {
        "HMAC-SHA256" => None,
        "Bearer" if BearerToken::new(Secret::new(credentials)).is_some() => None,
        "Bearer" => Some((CREDENTIALS, "must be printable ASCII without spaces")),
        _ => Some(("authentication.schemes", "must be `HMAC-SHA256` or `Bearer`")),
    }
}

fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}
