//! Who wants to hear of what: kept among the documents of the registry, asked first, and found when something happens.

mod check;
mod notice;
mod order;

use std::collections::HashSet;
use std::sync::Arc;

use adcp_core::{
    CallbackAuth, DocumentKey, DocumentScope, Expect, NoRandomness, Owner, PutDocument, Registry,
    RegistryError, Secret, Wrote, hex,
};
use adcp_types::core::NotificationConfig;
use adcp_types::json::{FromJson as _, ToJson as _};
use futures_util::future::join_all;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::challenge::{Challenge, NotProven};
use crate::webhooks::Webhooks;

pub use check::BadSubscription;
pub use notice::Notice;
pub use order::{OrderAddress, OrderNews};

const KIND: &str = "adcp.subscriptions";
const ID: &str = "all";

/// Tries against others who replace the same subscriptions.
const TRIES: usize = 4;

/// The subscriptions of buyers: `notification_configs` of accounts. Cheap to clone.
///
/// They are documents of the registry that the agent uses, one for each buyer's agent on an account, sealed where they
/// hold credentials. Events go to its queue, where the agent's [`Webhooks`] find them.
///
/// Spec: `core/notification-config.json`.
#[derive(Debug, Clone)]
pub struct Subscriptions {
    registry: Arc<dyn Registry>,
    webhooks: Webhooks,
    agent_url: Arc<str>,
}

/// Why subscriptions were not replaced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriptionError {
    /// Some of them are wrong, or their addresses do not want them. Nothing was changed.
    #[error("{} of the subscriptions cannot be kept", .0.len())]
    Refused(Vec<BadSubscription>),
    /// Others replace them at the same time. The same call may succeed later.
    #[error("the subscriptions are being replaced by somebody else")]
    Contended,
    /// The registry could not be asked.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A challenge could not be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

/// A subscription as it is kept.
#[derive(Clone)]
struct Kept {
    config: NotificationConfig,
    /// What its address said yes to.
    proven: Option<String>,
}

impl Subscriptions {
    /// Subscriptions in a registry; `agent_url` is the address of the agent that asks for consent.
    #[must_use]
    pub fn new(registry: Arc<dyn Registry>, webhooks: Webhooks, agent_url: impl Into<Arc<str>>) -> Self {
        Self { registry, webhooks, agent_url: agent_url.into() }
    }

    /// What a buyer's agent has on an account, without credentials; `None` when it never said anything.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn of(&self, owner: &Owner) -> Result<Option<Vec<NotificationConfig>>, RegistryError> {
        let found = self.registry.document(&key(owner)).await?;
        found
            .map(|document| Ok(read(&document.body)?.into_iter().map(|kept| shown(kept.config)).collect()))
            .transpose()
    }

    /// Judges subscriptions as [`Self::replace`] would, without asking anybody and without writing: for a dry run.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::Refused`], with everything that is wrong.
    pub async fn check(
        &self,
        owner: &Owner,
        configs: &[NotificationConfig],
    ) -> Result<(), SubscriptionError> {
        let (before, _) = self.kept(owner).await?;
        self.judged(configs, &before).map(drop)
    }

    /// Replaces what a buyer's agent has on an account: all of them, or nothing when one is wrong. An active one counts
    /// only once its address said yes to exactly this; what it said yes to before is not asked again. Credentials that are
    /// left out stay as they were. Returns what is kept, without credentials.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError`].
    pub async fn replace(
        &self,
        owner: &Owner,
        configs: &[NotificationConfig],
    ) -> Result<Vec<NotificationConfig>, SubscriptionError> {
        let mut answers = HashSet::new();
        for _ in 0..TRIES {
            let (before, expect) = self.kept(owner).await?;
            let mut next = self.judged(configs, &before)?;
            self.prove(owner, &mut next, &before, &mut answers).await?;
            let has_secret = next.iter().any(|kept| credentials(&kept.config).is_some());
            let shown_then = next.iter().map(|kept| shown(kept.config.clone())).collect();
            let mut put = PutDocument::new(key(owner), written(&next), expect);
            if has_secret {
                put = put.sealed();
            }
            if let Wrote::Done(_) = self.registry.put_document(put).await? {
                return Ok(shown_then);
            }
        }
        Err(SubscriptionError::Contended)
    }

    async fn kept(&self, owner: &Owner) -> Result<(Vec<Kept>, Expect), RegistryError> {
        Ok(match self.registry.document(&key(owner)).await? {
            None => (Vec::new(), Expect::Absent),
            Some(document) => (read(&document.body)?, Expect::Revision(document.revision)),
        })
    }

    fn judged(
        &self,
        configs: &[NotificationConfig],
        before: &[Kept],
    ) -> Result<Vec<Kept>, SubscriptionError> {
        let keeps = self.registry.capabilities().keeps_credentials;
        let configs: Vec<_> = configs.iter().map(|config| with_credentials(config, before)).collect();
        let bad = check::check(&configs, keeps, &self.webhooks);
        if bad.is_empty() {
            Ok(configs.into_iter().map(|config| Kept { config, proven: None }).collect())
        } else {
            Err(SubscriptionError::Refused(bad))
        }
    }

    /// Asks the addresses of active subscriptions, all at once, unless they said yes to the same before.
    async fn prove(
        &self,
        owner: &Owner,
        next: &mut [Kept],
        before: &[Kept],
        answers: &mut HashSet<String>,
    ) -> Result<(), SubscriptionError> {
        let mut asking = Vec::new();
        for (index, kept) in next.iter_mut().enumerate() {
            if kept.config.active == Some(false) {
                continue;
            }
            let binding = binding(&kept.config);
            let known = before.iter().any(|old| old.proven.as_ref() == Some(&binding));
            if !known && !answers.contains(&binding) {
                let about = self.about(owner, &kept.config);
                let (url, binding) = (kept.config.url.clone(), binding.clone());
                asking.push(async move { (index, binding, self.webhooks.challenge(&url, &about).await) });
            }
            kept.proven = Some(binding);
        }
        let mut bad = Vec::new();
        for (index, binding, answer) in join_all(asking).await {
            match answer {
                Ok(()) => {
                    answers.insert(binding);
                }
                Err(NotProven::NoRandomness(error)) => return Err(error.into()),
                Err(why) => {
                    let error = &why as &dyn std::error::Error;
                    tracing::info!(error, "a subscription was not consented to");
                    bad.push(BadSubscription::new(index, "url", why.to_string()));
                }
            }
        }
        if bad.is_empty() { Ok(()) } else { Err(SubscriptionError::Refused(bad)) }
    }

    fn about(&self, owner: &Owner, config: &NotificationConfig) -> Challenge {
        let account = owner.account.as_ref().map_or("", |account| account.as_str());
        let events = config.event_types.iter().map(|event| event.as_str());
        Challenge::new(account, &config.subscriber_id, &*self.agent_url, events)
            .with_authentication(credentials(config))
    }
}

fn key(owner: &Owner) -> DocumentKey {
    DocumentKey::new(DocumentScope::Caller(owner.clone()), KIND, ID).expect("both are made of letters")
}

/// The legacy scheme of a subscription that has been judged.
fn credentials(config: &NotificationConfig) -> Option<CallbackAuth> {
    let legacy = config.authentication.as_ref()?;
    let scheme = legacy.schemes.first()?;
    Some(CallbackAuth::new(scheme.as_str(), Secret::new(legacy.credentials.as_deref()?)))
}

/// A subscription with the credentials that it had before, where it names a scheme and nothing else.
fn with_credentials(config: &NotificationConfig, before: &[Kept]) -> NotificationConfig {
    let mut config = config.clone();
    let old = before.iter().map(|kept| &kept.config).find(|old| old.subscriber_id == config.subscriber_id);
    if let (Some(legacy), Some(old)) =
        (&mut config.authentication, old.and_then(|old| old.authentication.as_ref()))
        && legacy.credentials.is_none()
        && legacy
            .schemes
            .iter()
            .map(|scheme| scheme.as_str())
            .eq(old.schemes.iter().map(|scheme| scheme.as_str()))
    {
        legacy.credentials.clone_from(&old.credentials);
    }
    config
}

/// What the buyer is shown: everything but credentials.
fn shown(mut config: NotificationConfig) -> NotificationConfig {
    if let Some(legacy) = &mut config.authentication {
        legacy.credentials = None;
    }
    config
}

/// What an address says yes to: who hears of what, where, and how it is authenticated.
fn binding(config: &NotificationConfig) -> String {
    let mut events: Vec<&str> = config.event_types.iter().map(|event| event.as_str()).collect();
    events.sort_unstable();
    let legacy = credentials(config)
        .map(|legacy| json!([legacy.scheme, hex(&Sha256::digest(legacy.credentials.expose().as_bytes()))]));
    let all = json!([config.subscriber_id, config.url, legacy, events]).to_string();
    hex(&Sha256::digest(all.as_bytes()))
}

fn written(all: &[Kept]) -> Value {
    let one = |kept: &Kept| json!({ "config": kept.config.to_json(), "proven": kept.proven });
    json!({ "subscriptions": all.iter().map(one).collect::<Vec<_>>() })
}

fn read(body: &Value) -> Result<Vec<Kept>, RegistryError> {
    let corrupt = |source: adcp_core::BoxError| RegistryError::Corrupt { what: "subscriptions", source };
    let all = body.get("subscriptions").and_then(Value::as_array);
    let all = all.ok_or_else(|| corrupt("there is no list of them".into()))?;
    let one = |found: &Value| {
        let config = found.get("config").cloned().unwrap_or_default();
        let config = NotificationConfig::from_json(config).map_err(|error| corrupt(Box::new(error)))?;
        let proven = found.get("proven").and_then(Value::as_str).map(str::to_owned);
        Ok(Kept { config, proven })
    };
    all.iter().map(one).collect()
}
