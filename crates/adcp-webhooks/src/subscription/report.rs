//! Where reports of one order go: an address that was registered with the order, and lives as long.

use adcp_core::{
    CallbackAuth, DeleteDocument, Delivery as _, DocumentKey, DocumentScope, EventKey, Expect, Owner,
    Publication, PublishEvents, Published, PutDocument, RegistryError, Secret, hex,
};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{BadSubscription, SubscriptionError, Subscriptions, check};

const KIND: &str = "adcp.reporting";

/// Where reports of one order go. `Debug` prints no secret.
///
/// Spec: `core/reporting-webhook.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportingAddress {
    /// The receiver's address.
    pub url: String,
    /// Repeated in every report.
    pub token: Option<Secret>,
    /// The legacy scheme that the buyer asks for instead of a signature.
    pub authentication: Option<CallbackAuth>,
    /// Repeated in every report: the buyer's name of the operation that made the order. Without one it is the order's id.
    pub operation_id: Option<String>,
}

impl ReportingAddress {
    /// Reports go there, signed.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), token: None, authentication: None, operation_id: None }
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
        Some(found)
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
        address: &ReportingAddress,
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
        let mut put = PutDocument::new(key(owner, media_buy_id), address.to_json(), Expect::Any);
        if address.has_secret() {
            put = put.sealed();
        }
        self.registry.put_document(put).await?;
        Ok(())
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
    ) -> Result<Option<ReportingAddress>, RegistryError> {
        let Some(found) = self.registry.document(&key(owner, media_buy_id)).await? else { return Ok(None) };
        let corrupt = || RegistryError::Corrupt { what: "reporting address", source: "it has no url".into() };
        ReportingAddress::read(&found.body).map(Some).ok_or_else(corrupt)
    }

    /// Forgets where the reports of an order go. Reports that are queued are delivered all the same.
    ///
    /// # Errors
    ///
    /// [`RegistryError`].
    pub async fn forget_reporting(&self, owner: &Owner, media_buy_id: &str) -> Result<(), RegistryError> {
        self.registry.delete_document(DeleteDocument::new(key(owner, media_buy_id), Expect::Any)).await?;
        Ok(())
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
        let Some(address) = self.reporting(owner, media_buy_id).await? else { return Ok(None) };
        let account = owner.account.as_ref().map(|account| account.as_str());
        let name =
            json!([owner.tenant.as_str(), account, owner.principal.as_str(), KIND, media_buy_id, report]);
        let event = EventKey::stored(format!("whk_{}", &hex(&Sha256::digest(name.to_string()))[..32]));
        let mut body = json!({
            "idempotency_key": event.as_str(),
            "operation_id": address.operation_id.as_deref().unwrap_or(media_buy_id),
            "task_id": media_buy_id,
            "task_type": "media_buy_delivery",
            "protocol": "media-buy",
            "status": "completed",
            "timestamp": self.webhooks.now().to_string(),
            "result": result,
        });
        if let Some(token) = &address.token {
            body["token"] = token.expose().into();
        }
        let mut publication =
            Publication::new(event, owner.clone(), "media_buy_delivery", &address.url, body.to_string())
                .about(media_buy_id)
                .with_authentication(address.authentication);
        if address.token.is_some() {
            publication = publication.with_secret_body();
        }
        let published = self.registry.publish(PublishEvents::new(vec![publication])).await?;
        Ok(published.first().copied())
    }
}

fn key(owner: &Owner, media_buy_id: &str) -> DocumentKey {
    // An order's id may have any characters.
    let id = hex(&Sha256::digest(media_buy_id));
    DocumentKey::new(DocumentScope::Caller(owner.clone()), KIND, id)
        .expect("both are made of letters and digits")
}
