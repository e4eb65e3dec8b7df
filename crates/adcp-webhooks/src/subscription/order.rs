//! Where news of one order go: addresses that were registered with the order, and live as long.

use adcp_core::{
    CallbackAuth, DeleteDocument, Delivery as _, DocumentKey, DocumentScope, EventKey, Expect, Owner,
    Publication, PublishEvents, Published, PutDocument, RegistryError, Secret, hex,
};
use adcp_types::core::PushNotificationConfig;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{BadSubscription, SubscriptionError, Subscriptions, check};

/// What an address of an order is for, and the kind of document that keeps it.
#[derive(Debug, Clone, Copy)]
enum Channel {
    Reports,
    News,
}

impl Channel {
    const fn kind(self) -> &'static str {
        match self {
            Self::Reports => "adcp.reporting",
            Self::News => "adcp.order",
        }
    }
}

/// Where reports or news of one order go. `Debug` prints no secret, and of the address only the endpoint.
///
/// `OrderAddress::from(&push_notification_config)` makes one from what the buyer sent.
///
/// Spec: `core/push-notification-config.json`, `core/reporting-webhook.json`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrderAddress {
    /// The receiver's address.
    pub url: String,
    /// Repeated in every event.
    pub token: Option<Secret>,
    /// The legacy scheme that the buyer asks for instead of a signature.
    pub authentication: Option<CallbackAuth>,
    /// Repeated in every event: the buyer's name of the operation that made the order. Without one it is the order's id.
    pub operation_id: Option<String>,
    /// Repeated in every event: the `context` of the request that made the order.
    pub context: Option<Map<String, Value>>,
}

impl std::fmt::Debug for OrderAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { url, token, authentication, operation_id, context } = self;
        f.debug_struct("OrderAddress")
            .field("endpoint", &adcp_core::Endpoint::of(url))
            .field("token", token)
            .field("authentication", authentication)
            .field("operation_id", operation_id)
            .field("context", context)
            .finish()
    }
}

impl OrderAddress {
    /// Events go there, signed.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), token: None, authentication: None, operation_id: None, context: None }
    }

    /// Repeats this token.
    #[must_use]
    pub fn with_token(mut self, token: Option<Secret>) -> Self {
        self.token = token;
        self
    }

    /// Authenticates by a legacy scheme.
    #[must_use]
    pub fn with_authentication(mut self, authentication: Option<CallbackAuth>) -> Self {
        self.authentication = authentication;
        self
    }

    /// Repeats this name of the operation.
    #[must_use]
    pub fn with_operation_id(mut self, id: Option<String>) -> Self {
        self.operation_id = id;
        self
    }

    /// Repeats this `context`.
    #[must_use]
    pub fn with_context(mut self, context: Option<Map<String, Value>>) -> Self {
        self.context = context;
        self
    }

    const fn has_secret(&self) -> bool {
        self.token.is_some() || self.authentication.is_some()
    }

    fn to_json(&self) -> Value {
        let legacy = self.authentication.as_ref();
        json!({
            "url": self.url,
            "token": self.token.as_ref().map(Secret::expose),
            "scheme": legacy.map(|legacy| &legacy.scheme),
            "credentials": legacy.map(|legacy| legacy.credentials.expose()),
            "operation_id": self.operation_id,
            "context": self.context,
        })
    }

    fn read(body: &Value) -> Option<Self> {
        let text = |name: &str| body.get(name)?.as_str().map(str::to_owned);
        let legacy = text("scheme").zip(text("credentials"));
        let mut found =
            Self::new(text("url")?).with_token(text("token").map(Secret::new)).with_authentication(
                legacy.map(|(scheme, secret)| CallbackAuth::new(scheme, Secret::new(secret))),
            );
        found.operation_id = text("operation_id");
        found.context = body.get("context").and_then(Value::as_object).cloned();
        Some(found)
    }
}

impl From<&PushNotificationConfig> for OrderAddress {
    fn from(config: &PushNotificationConfig) -> Self {
        let legacy = config.authentication.as_ref().and_then(|legacy| {
            let scheme = legacy.schemes.first()?;
            Some(CallbackAuth::new(scheme.as_str(), Secret::new(legacy.credentials.clone())))
        });
        Self::new(&config.url)
            .with_token(config.token.clone().map(Secret::new))
            .with_operation_id(config.operation_id.clone())
            .with_authentication(legacy)
    }
}

/// Something about an order that no task carries: the seller accepted, rejected or canceled it, or something that it
/// depends on stopped to work.
///
/// Spec: `core/mcp-webhook-payload.json`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OrderNews {
    /// Tells this from other news of the order, 1 to 255 letters, digits and `_.:-`. Whoever is not sure whether it was
    /// published publishes the same again.
    pub id: String,
    /// Value of `enums/notification-type.json`, where there is one.
    pub notification_type: Option<String>,
    /// What happened: the order's id is added.
    pub result: Map<String, Value>,
}

impl OrderNews {
    /// The order has another state. `result` has its `status`, and `rejection_reason` or `cancellation` where the
    /// seller ended it.
    #[must_use]
    pub fn lifecycle(id: impl Into<String>, result: Map<String, Value>) -> Self {
        Self { id: id.into(), notification_type: None, result }
    }

    /// The order suffers, or recovered. `result` has its `health` and all its `impairments`.
    ///
    /// Spec: `core/impairment.json`.
    #[must_use]
    pub fn impairment(id: impl Into<String>, result: Map<String, Value>) -> Self {
        Self { id: id.into(), notification_type: Some("impairment".to_owned()), result }
    }
}

impl Subscriptions {
    /// Keeps where the reports of an order go, from now on.
    ///
    /// # Errors
    ///
    /// [`SubscriptionError::Refused`] for an address or credentials that could not be used; its index is 0.
    pub async fn keep_reporting(
        &self,
        owner: &Owner,
        media_buy_id: &str,
        address: &OrderAddress,
    ) -> Result<(), SubscriptionError> {
        self.keep(owner, Channel::Reports, media_buy_id, address).await
    }

    /// Keeps where news of an order go, from now on: the `push_notification_config` of the call that made or changed it.
    ///
    /// # Errors
    ///
    /// As for [`Self::keep_reporting`].
    pub async fn keep_order(
        &self,
        owner: &Owner,
        media_buy_id: &str,
        address: &OrderAddress,
    ) -> Result<(), SubscriptionError> {
        self.keep(owner, Channel::News, media_buy_id, address).await
    }

    /// Where the reports of an order go.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn reporting(
        &self,
        owner: &Owner,
        media_buy_id: &str,
    ) -> Result<Option<OrderAddress>, RegistryError> {
        self.address(owner, Channel::Reports, media_buy_id).await
    }

    /// Where news of an order go.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn order(
        &self,
        owner: &Owner,
        media_buy_id: &str,
    ) -> Result<Option<OrderAddress>, RegistryError> {
        self.address(owner, Channel::News, media_buy_id).await
    }

    /// Forgets where the reports of an order go. Reports that are queued are delivered all the same.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn forget_reporting(&self, owner: &Owner, media_buy_id: &str) -> Result<(), RegistryError> {
        self.forget(owner, Channel::Reports, media_buy_id).await
    }

    /// Forgets where news of an order go. News that are queued are delivered all the same.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn forget_order(&self, owner: &Owner, media_buy_id: &str) -> Result<(), RegistryError> {
        self.forget(owner, Channel::News, media_buy_id).await
    }

    /// Queues a report of an order; `None` when nobody asked for any. `report` tells it from others of the order, such as
    /// the number of its sequence; `result` is the report itself.
    ///
    /// Whoever is not sure whether it was published publishes the same again.
    ///
    /// Spec: `core/mcp-webhook-payload.json` with `media-buy/media-buy-delivery-webhook-result.json`.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn publish_report(
        &self,
        owner: &Owner,
        media_buy_id: &str,
        report: &str,
        result: Map<String, Value>,
    ) -> Result<Option<Published>, RegistryError> {
        let body = json!({ "task_type": "media_buy_delivery", "result": result });
        self.tell(owner, Channel::Reports, media_buy_id, report, body).await
    }

    /// Queues news of an order; `None` when its buyer asked for none.
    ///
    /// They come in the envelope of tasks, as `update_media_buy` that is `completed`, with the order's id as `task_id` and
    /// the id of the news as `notification_id`: the schemas have no envelope of their own for them.
    ///
    /// Spec: `core/mcp-webhook-payload.json`.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn publish_order(
        &self,
        owner: &Owner,
        media_buy_id: &str,
        news: &OrderNews,
    ) -> Result<Option<Published>, RegistryError> {
        let mut result = news.result.clone();
        result.insert("media_buy_id".to_owned(), media_buy_id.into());
        let mut body = json!({ "task_type": "update_media_buy", "notification_id": news.id });
        if let Some(kind) = &news.notification_type {
            body["notification_type"] = kind.as_str().into();
            result.insert("notification_type".to_owned(), kind.as_str().into());
        }
        body["result"] = Value::Object(result);
        self.tell(owner, Channel::News, media_buy_id, &news.id, body).await
    }

    async fn keep(
        &self,
        owner: &Owner,
        channel: Channel,
        media_buy_id: &str,
        address: &OrderAddress,
    ) -> Result<(), SubscriptionError> {
        let mut bad = Vec::new();
        if let Err(why) = self.webhooks.admits(&address.url) {
            bad.push(BadSubscription::new(0, "url", why.0));
        }
        if address.has_secret() && !self.registry.capabilities().keeps_credentials {
            bad.push(BadSubscription::new(0, "authentication", "tokens and credentials cannot be kept here"));
        } else if let Some(legacy) = &address.authentication
            && let Some((field, why)) = check::credentials(&legacy.scheme, legacy.credentials.expose())
        {
            bad.push(BadSubscription::new(0, field, why));
        }
        if !bad.is_empty() {
            return Err(SubscriptionError::Refused(bad));
        }
        let mut put = PutDocument::new(key(owner, channel, media_buy_id), address.to_json(), Expect::Any);
        if address.has_secret() {
            put = put.sealed();
        }
        self.registry.put_document(put).await?;
        Ok(())
    }

    async fn address(
        &self,
        owner: &Owner,
        channel: Channel,
        media_buy_id: &str,
    ) -> Result<Option<OrderAddress>, RegistryError> {
        let found = self.registry.document(&key(owner, channel, media_buy_id)).await?;
        let Some(found) = found else { return Ok(None) };
        let corrupt =
            || RegistryError::Corrupt { what: "address of an order", source: "it has no url".into() };
        OrderAddress::read(&found.body).map(Some).ok_or_else(corrupt)
    }

    async fn forget(&self, owner: &Owner, channel: Channel, media_buy_id: &str) -> Result<(), RegistryError> {
        let key = key(owner, channel, media_buy_id);
        self.registry.delete_document(DeleteDocument::new(key, Expect::Any)).await?;
        Ok(())
    }

    /// Queues one event of an order, with what all of them have.
    async fn tell(
        &self,
        owner: &Owner,
        channel: Channel,
        media_buy_id: &str,
        id: &str,
        mut body: Value,
    ) -> Result<Option<Published>, RegistryError> {
        let Some(address) = self.address(owner, channel, media_buy_id).await? else { return Ok(None) };
        let account = owner.account.as_ref().map(|account| account.as_str());
        let kind = channel.kind();
        let name = json!([owner.tenant.as_str(), account, owner.principal.as_str(), kind, media_buy_id, id]);
        let event = EventKey::stored(format!("whk_{}", &hex(&Sha256::digest(name.to_string()))[..32]));
        for (field, value) in [
            ("idempotency_key", event.as_str()),
            ("operation_id", address.operation_id.as_deref().unwrap_or(media_buy_id)),
            ("task_id", media_buy_id),
            ("protocol", "media-buy"),
            ("status", "completed"),
            ("timestamp", &self.webhooks.now().to_string()),
        ] {
            body[field] = value.into();
        }
        if let Some(context) = address.context {
            body["context"] = Value::Object(context);
        }
        if let Some(token) = &address.token {
            body["token"] = token.expose().into();
        }
        let task_type = body["task_type"].as_str().unwrap_or_default().to_owned();
        let mut publication =
            Publication::new(event, owner.clone(), task_type, &address.url, body.to_string())
                .about(media_buy_id)
                .with_authentication(address.authentication);
        if address.token.is_some() {
            publication = publication.with_secret_body();
        }
        let published = self.registry.publish(PublishEvents::new(vec![publication])).await?;
        Ok(published.first().copied())
    }
}

fn key(owner: &Owner, channel: Channel, media_buy_id: &str) -> DocumentKey {
    // An order's id may have any characters.
    let id = hex(&Sha256::digest(media_buy_id));
    DocumentKey::new(DocumentScope::Caller(owner.clone()), channel.kind(), id)
        .expect("both are made of letters and digits")
}
