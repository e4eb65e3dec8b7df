//! Whether whoever has an address wants what is going to be sent there.

use std::time::Duration;

use adcp_core::{CallbackAuth, NoRandomness, hex, random_bytes};
use adcp_egress::{EgressError, Request, Response};
use adcp_signing::{Message, Secret, SignError, UnixTime, sign_webhook};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::attempt::Sender;

/// What is read of an answer: one that repeats a challenge is short.
const ANSWER: usize = 16 * 1024;

/// What is going to be sent to an address, as its owner is asked about it.
///
/// Spec: `core/webhook-challenge.json`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Challenge {
    /// The account.
    pub account_id: String,
    /// The buyer's name of the subscription.
    pub subscriber_id: String,
    /// The address of the agent that asks.
    pub seller_agent_url: String,
    /// The legacy scheme that later deliveries are to use.
    pub authentication: Option<CallbackAuth>,
    /// Values of `enums/notification-type.json`, one at least.
    pub event_types: Vec<String>,
}

impl Challenge {
    /// Asks about these events, which are going to be signed.
    #[must_use]
    pub fn new(
        account_id: impl Into<String>,
        subscriber_id: impl Into<String>,
        seller_agent_url: impl Into<String>,
        event_types: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            account_id: account_id.into(),
            subscriber_id: subscriber_id.into(),
            seller_agent_url: seller_agent_url.into(),
            authentication: None,
            event_types: event_types.into_iter().map(Into::into).collect(),
        }
    }

    /// Says which legacy scheme later deliveries are going to use. The challenge itself is signed all the same.
    #[must_use]
    pub fn with_authentication(mut self, authentication: Option<CallbackAuth>) -> Self {
        self.authentication = authentication;
        self
    }

    fn body(&self, challenge: &str) -> Value {
        let delivery = match &self.authentication {
            None => json!({ "mode": "rfc9421" }),
            Some(legacy) => {
                let fingerprint = Sha256::digest(legacy.credentials.expose().as_bytes());
                json!({ "mode": legacy.scheme, "credential_fingerprint": hex(&fingerprint) })
            }
        };
        json!({
            "type": "webhook.challenge",
            "challenge": challenge,
            "account_id": self.account_id,
            "subscriber_id": self.subscriber_id,
            "seller_agent_url": self.seller_agent_url,
            "delivery_auth": delivery,
            "event_types": self.event_types,
        })
    }
}

/// Why an address was not proven. The words may reach the buyer: they tell nothing of how it was reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotProven {
    /// It must not be called, or nothing that is sent there could be signed.
    #[error("{0}")]
    Inadmissible(String),
    /// Nobody answered.
    #[error("the address did not answer the challenge")]
    Silent(#[source] EgressError),
    /// It answered with another status than 2xx.
    #[error("the address answered the challenge with the status {0}")]
    Refused(u16),
    /// The answer is no object with the challenge in it.
    #[error("the answer must be a JSON object that repeats `challenge`")]
    NotRepeated,
    /// The challenge was repeated wrongly.
    #[error("the answer repeats another challenge")]
    Mismatch,
    /// The challenge was not sent, for it could not be signed; later it may.
    #[error("the challenge cannot be signed now")]
    Unsigned(#[source] SignError),
    /// The challenge was not sent, for there was no randomness.
    #[error("there is no randomness for a challenge now")]
    NoRandomness(#[source] NoRandomness),
}

impl Sender {
    /// Asks once; and once more when the network failed.
    pub(crate) async fn challenge(&self, url: &str, about: &Challenge) -> Result<(), NotProven> {
        let url = self.admits(url).map_err(|refusal| NotProven::Inadmissible(refusal.0))?;
        let challenge = hex(&random_bytes::<32>().map_err(NotProven::NoRandomness)?);
        let body = about.body(&challenge).to_string();
        let answer = match self.ask(&url, &body).await {
            Err(NotProven::Silent(EgressError::Failed(_))) => self.ask(&url, &body).await?,
            answer => answer?,
        };
        if !answer.is_success() {
            return Err(NotProven::Refused(answer.status));
        }
        let said: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let said = said.as_ref().and_then(|said| said.get("challenge").or_else(|| said.get("token")));
        let said = said.and_then(Value::as_str).ok_or(NotProven::NotRepeated)?;
        if Secret::new(said) == Secret::new(challenge) { Ok(()) } else { Err(NotProven::Mismatch) }
    }

    async fn ask(&self, url: &str, body: &str) -> Result<Response, NotProven> {
        let message =
            Message::new("POST", url, body.as_bytes()).with_header("content-type", "application/json");
        let now = UnixTime::from_micros(self.clock.now().as_micros());
        let fields = sign_webhook(&*self.signer, &message, now).await.map_err(NotProven::Unsigned)?;
        let mut request = Request::post(url, body).with_header("content-type", "application/json");
        for (name, value) in fields.iter() {
            request = request.with_header(name, value);
        }
        let total = self.limits.total.min(Duration::from_secs(10));
        let limits = self.limits.with_body_bytes(ANSWER).with_total(total);
        self.egress.send(request, limits).await.map_err(|error| match error {
            EgressError::Refused(refusal) => NotProven::Inadmissible(refusal.to_string()),
            error => NotProven::Silent(error),
        })
    }
}
