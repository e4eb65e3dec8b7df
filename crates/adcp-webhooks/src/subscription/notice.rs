//! Something that happened, told to whoever asked to hear of it.

use adcp_core::{
    AccountId, DocumentPage, DocumentScope, EventKey, ListDocuments, Owner, Publication, PublishEvents,
    Published, Reach, RegistryError, TenantId, hex,
};
use adcp_types::core::NotificationConfig;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{KIND, Subscriptions, credentials, read};

/// Events that are queued in one step.
const BATCH: usize = 500;

/// Something that happened. Its body is the same for all subscribers; what differs is added for each.
///
/// Spec: `creative/creative-status-changed-webhook.json`, `creative/creative-purged-webhook.json`,
/// `core/wholesale-feed-webhook.json`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Notice {
    /// The seller.
    pub tenant: TenantId,
    /// The account; `None` for what concerns all of them.
    pub account: Option<AccountId>,
    /// Value of `enums/notification-type.json`.
    pub kind: String,
    /// Tells this event from others, 1 to 255 letters, digits and `_.:-`. Whoever is not sure whether it was published
    /// publishes the same again.
    pub id: String,
    /// What the type of the event asks for, beside what is added: `idempotency_key`, `notification_id`,
    /// `notification_type`, `fired_at`, `subscriber_id` and `account_id`.
    pub body: Map<String, Value>,
}

impl Notice {
    /// Something that concerns one account.
    #[must_use]
    pub fn of_account(
        tenant: TenantId,
        account: AccountId,
        kind: impl Into<String>,
        id: impl Into<String>,
        body: Map<String, Value>,
    ) -> Self {
        Self { tenant, account: Some(account), kind: kind.into(), id: id.into(), body }
    }

    /// Something that concerns all accounts of a seller.
    #[must_use]
    pub fn of_tenant(
        tenant: TenantId,
        kind: impl Into<String>,
        id: impl Into<String>,
        body: Map<String, Value>,
    ) -> Self {
        Self { tenant, account: None, kind: kind.into(), id: id.into(), body }
    }

    fn reach(&self) -> Reach {
        let tenant = self.tenant.clone();
        match self.account.clone() {
            Some(account) => Reach::Account { tenant, account },
            None => Reach::Tenant { tenant },
        }
    }

    /// The event of one subscriber. Its key follows from what it is, so that nobody hears of it twice.
    fn publication(&self, owner: &Owner, config: &NotificationConfig, fired_at: &str) -> Publication {
        let account = owner.account.as_ref().map_or("", |account| account.as_str());
        let name = serde_json::json!([
            owner.tenant.as_str(),
            account,
            owner.principal.as_str(),
            config.subscriber_id,
            self.kind,
            self.id
        ]);
        let key = EventKey::stored(format!("whk_{}", &hex(&Sha256::digest(name.to_string()))[..32]));
        let mut body = self.body.clone();
        for (field, value) in [
            ("idempotency_key", key.as_str()),
            ("notification_id", &self.id),
            ("notification_type", &self.kind),
            ("fired_at", fired_at),
            ("subscriber_id", &config.subscriber_id),
            ("account_id", account),
        ] {
            body.insert(field.to_owned(), value.into());
        }
        let body = Value::Object(body).to_string();
        Publication::new(key, owner.clone(), &self.kind, &config.url, body)
            .about(&self.id)
            .for_subscriber(&config.subscriber_id)
            .with_authentication(credentials(config))
    }
}

impl Subscriptions {
    /// Queues an event for everybody who subscribed to its type, and says for how many it was new.
    ///
    /// When it fails in the middle some have it and some have not: publish the same again, and nobody hears twice.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn publish(&self, notice: &Notice) -> Result<usize, RegistryError> {
        self.publish_to(notice, |_| true).await
    }

    /// Queues an event for those subscribers only who may know of it.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn publish_to(
        &self,
        notice: &Notice,
        may_know: impl Fn(&Owner) -> bool,
    ) -> Result<usize, RegistryError> {
        let fired_at = self.webhooks.now().to_string();
        let (mut new, mut after) = (0, None);
        loop {
            let list = ListDocuments::new(notice.reach(), KIND).map_err(RegistryError::BadDocument)?;
            let page = self.registry.list_documents(list.after(after.take())).await?;
            let events = due(notice, &page, &may_know, &fired_at);
            for batch in events.chunks(BATCH) {
                let published = self.registry.publish(PublishEvents::new(batch.to_vec())).await?;
                new += published.iter().filter(|found| **found == Published::Queued).count();
            }
            after = page.next();
            if after.is_none() {
                return Ok(new);
            }
        }
    }
}

/// The events of one page of subscribers.
fn due(
    notice: &Notice,
    page: &DocumentPage,
    may_know: impl Fn(&Owner) -> bool,
    fired_at: &str,
) -> Vec<Publication> {
    let mut events = Vec::new();
    for document in &page.documents {
        let DocumentScope::Caller(owner) = document.key.scope() else { continue };
        if !may_know(owner) {
            continue;
        }
        let kept = match read(&document.body) {
            Ok(kept) => kept,
            Err(error) => {
                // One buyer's subscriptions stop nobody else's.
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "subscriptions cannot be read");
                continue;
            }
        };
        let wants = |config: &NotificationConfig| {
            config.event_types.iter().any(|event| event.as_str() == notice.kind)
        };
        let active = kept.iter().filter(|kept| kept.proven.is_some() && wants(&kept.config));
        events.extend(active.map(|kept| notice.publication(owner, &kept.config, fired_at)));
    }
    events
}
