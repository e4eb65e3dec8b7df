//! What is sent: the same bytes each time, each time authenticated afresh and in the way that was asked for.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use adcp_core::{AttemptClass, Clock as _, DeadReason, DeliveryOutbox as _, Redeliver, TenantId};
use adcp_signing::{
    BearerToken, HmacKey, KeyInfo, LocalSigner, Message, Secret, Signer, SignerError, UnixTime,
};

use crate::receiver::{BUSY, Got, OK, Receiver, Step};
use crate::stage::{Stage, TOKEN};
use crate::store::{Store, on_every_registry};
use Step::{Read, Reset, Send};

const CREDENTIALS: &str = "credentials-of-the-buyer-0123456789";

on_every_registry! {
    every_attempt_has_the_same_bytes_and_a_signature_of_its_own,
    a_legacy_scheme_replaces_the_signature,
    credentials_that_cannot_be_used_send_nothing,
    a_kept_connection_that_is_gone_is_replaced_at_once,
    a_key_service_that_is_down_is_asked_again,
    a_store_that_blinks_is_told_again,
    an_event_that_waited_too_long_is_given_up,
}

async fn every_attempt_has_the_same_bytes_and_a_signature_of_its_own(store: Store) {
    let stage = Stage::over(store).await;
    let receiver = Receiver::plain(&[&[Read, BUSY]]).await;
    let webhooks = stage.start(stage.builder());
    let key = stage.publish(&receiver.url()).await;
    for attempt in 1..=3 {
        receiver.has_got(attempt).await;
        let got = receiver.got().pop().unwrap();
        assert_eq!(stage.verify(&got, receiver.address).await, Ok("hooks-1".to_owned()));
        let waiting = stage.until(&key, |detail| detail.attempts.len() == attempt).await;
        if let Some(due) = waiting.record.due_at {
            stage.advance(due.since(stage.clock.now()));
            webhooks.wake();
        }
    }
    // A redelivery is the same event.
    let again = Redeliver::one(TenantId::single(), key.clone(), "operator");
    stage.registry.redeliver(again).await.unwrap();
    receiver.has_got(4).await;
    let got = receiver.got();
    assert_eq!(stage.verify(&got[3], receiver.address).await, Ok("hooks-1".to_owned()));
    let body = stage.detail(&key).await.body.unwrap();
    assert!(body.contains(key.as_str()) && body.contains(TOKEN));
    assert!(
        got.iter().all(|got| got.body == body.as_bytes() && got.target == "/hook?key=query-of-the-buyer")
    );
    assert!(got.iter().all(|got| got.header("content-type") == Some("application/json")));
    assert_eq!(got.iter().map(Got::nonce).collect::<HashSet<_>>().len(), 4);
    let inputs: HashSet<_> = got.iter().map(|got| got.header("signature-input").unwrap()).collect();
    assert_eq!(inputs.len(), 4);
}

async fn a_legacy_scheme_replaces_the_signature(store: Store) {
    let stage = Stage::over(store).await;
    let receiver = Receiver::plain(&[&[Read, OK]]).await;
    let _webhooks = stage.start(stage.builder());
    let hmac = stage.publish_with(&receiver.url(), Some(("HMAC-SHA256", CREDENTIALS))).await;
    stage.delivered(&hmac).await;
    let bearer = stage.publish_with(&receiver.url(), Some(("Bearer", CREDENTIALS))).await;
    stage.delivered(&bearer).await;
    let signed = stage.publish(&receiver.url()).await;
    stage.delivered(&signed).await;
    let got = receiver.got();
    let message = |got: &'_ Got| -> Vec<(String, Vec<u8>)> {
        got.headers.iter().map(|(name, value)| (name.clone(), value.as_bytes().to_vec())).collect()
    };
    let now = UnixTime::from_micros(stage.clock.now().as_micros());
    let (first, second) = (message(&got[0]), message(&got[1]));
    let fields = |headers: &'static [(String, Vec<u8>)]| {
        headers.iter().map(|(name, value)| (name.as_str(), &value[..]))
    };
    let first = Message::new("POST", "http://a/", &got[0].body).with_headers(fields(first.leak()));
    assert_eq!(HmacKey::new(Secret::new(CREDENTIALS)).unwrap().verify(&first, now), Ok(()));
    let second = Message::new("POST", "http://a/", &got[1].body).with_headers(fields(second.leak()));
    assert!(BearerToken::new(Secret::new(CREDENTIALS)).unwrap().verify(&second));
    // Never both.
    let has =
        |got: &Got| ["signature", "x-adcp-signature", "authorization"].map(|name| got.header(name).is_some());
    assert_eq!(
        got.iter().map(has).collect::<Vec<_>>(),
        [[false, true, false], [false, false, true], [true, false, false]]
    );
}

async fn credentials_that_cannot_be_used_send_nothing(store: Store) {
    let stage = Stage::over(store).await;
    let receiver = Receiver::plain(&[&[Read, OK]]).await;
    let webhooks = stage.start(stage.builder());
    for legacy in [("HMAC-SHA256", "short"), ("Bearer", "with\nnewline"), ("Basic", CREDENTIALS)] {
        let key = stage.publish_with(&receiver.url(), Some(legacy)).await;
        let detail = stage.settle(&webhooks, &key).await;
        assert_eq!(detail.record.reason, Some(DeadReason::Unsealable), "{legacy:?}");
        assert_eq!(detail.attempts[0].class, AttemptClass::Unsent);
    }
    assert_eq!(receiver.accepted(), 0);
}

async fn a_kept_connection_that_is_gone_is_replaced_at_once(store: Store) {
    let stage = Stage::over(store).await;
    let keep = Send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    let receiver = Receiver::plain(&[&[Read, keep, Read, Reset], &[Read, OK]]).await;
    let _webhooks = stage.start(stage.builder());
    let first = stage.publish(&receiver.url()).await;
    stage.delivered(&first).await;
    let second = stage.publish(&receiver.url()).await;
    let detail = stage.delivered(&second).await;
    assert_eq!((detail.record.attempts, detail.attempts.len()), (1, 1), "the second try does not count");
    assert!(detail.attempts[0].detail.as_deref().unwrap().contains("sent twice"));
    let got = receiver.got();
    assert_eq!((got.len(), receiver.accepted()), (3, 2));
    assert_eq!(got[1].body, got[2].body);
    assert_ne!(got[1].nonce(), got[2].nonce());
}

/// A key service that is down for some calls.
#[derive(Debug)]
struct Service {
    key: LocalSigner,
    down: AtomicUsize,
}

#[async_trait::async_trait]
impl Signer for Arc2 {
    fn key(&self) -> &KeyInfo {
        self.0.key.key()
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let down = self.0.down.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |down| down.checked_sub(1));
        if down.is_ok() {
            return Err(SignerError::new("the key service is down"));
        }
        self.0.key.sign(message).await
    }
}

#[derive(Debug, Clone)]
struct Arc2(Arc<Service>);

async fn a_key_service_that_is_down_is_asked_again(store: Store) {
    let stage = Stage::over(store).await;
    let receiver = Receiver::plain(&[&[Read, OK]]).await;
    let service = Arc2(Arc::new(Service { key: stage.key.clone(), down: AtomicUsize::new(1) }));
    let webhooks = stage.start(stage.builder().signer(service));
    let key = stage.publish(&receiver.url()).await;
    let detail = stage.settle(&webhooks, &key).await;
    let classes: Vec<_> = detail.attempts.iter().map(|attempt| attempt.class).collect();
    assert_eq!(classes, [AttemptClass::Unsent, AttemptClass::Delivered]);
    assert!(detail.attempts[0].detail.as_deref().unwrap().contains("the key service is down"));
    assert_eq!(receiver.accepted(), 1);
}

async fn a_store_that_blinks_is_told_again(store: Store) {
    let stage = Stage::over(store).await;
    let receiver = Receiver::plain(&[&[Read, OK]]).await;
    stage.registry.fail_records(2);
    let _webhooks = stage.start(stage.builder());
    let key = stage.publish(&receiver.url()).await;
    stage.delivered(&key).await;
    assert_eq!(receiver.accepted(), 1, "it is told again, not sent again");
}

async fn an_event_that_waited_too_long_is_given_up(store: Store) {
    let stage = Stage::over(store).await;
    let receiver = Receiver::plain(&[&[Read, OK]]).await;
    let key = stage.publish(&receiver.url()).await;
    stage.advance(Duration::from_secs(24 * 60 * 60));
    let webhooks = stage.start(stage.builder());
    let detail = stage.settle(&webhooks, &key).await;
    assert_eq!((detail.record.reason, detail.record.attempts), (Some(DeadReason::Exhausted), 0));
    assert_eq!(receiver.accepted(), 0);
}
