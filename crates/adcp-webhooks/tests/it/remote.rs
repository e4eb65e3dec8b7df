//! Keys fetched from their owner: once, again when one is missing, and no longer than they may be believed.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{Clock, ManualClock, Timestamp};
use adcp_egress::Egress;
use adcp_signing::{
    Algorithm, DEFAULT_WEBHOOK_NONCES, Jwks, KeyUse, LocalSigner, MemoryReplayStore, Message, UnixTime,
    Verifier, VerifyError, sign_webhook,
};
use adcp_webhooks::RemoteJwks;

use crate::receiver::{Receiver, Step};
use Step::{Read, Reset, Send};

const URL: &str = "https://buyer.example/hook";

struct Owner {
    clock: Arc<ManualClock>,
    old: LocalSigner,
    new: LocalSigner,
}

impl Owner {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::parse("2026-11-21T08:00:00Z").unwrap()));
        let key = |name| LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, name).unwrap();
        Self { clock, old: key("hooks-1"), new: key("hooks-2") }
    }

    fn verifier(&self, receiver: &Receiver) -> Verifier {
        let egress = Egress::builder().allow_loopback_http().build().unwrap();
        let keys = RemoteJwks::new(egress, &receiver.url())
            .unwrap()
            .with_clock(Arc::clone(&self.clock) as Arc<dyn Clock>);
        Verifier::webhooks(Arc::new(keys), Arc::new(MemoryReplayStore::new(DEFAULT_WEBHOOK_NONCES)))
    }

    /// What becomes of a message by `key`.
    async fn says(&self, verifier: &Verifier, key: &LocalSigner) -> String {
        let now = UnixTime::from_micros(self.clock.now().as_micros());
        let message = Message::new("POST", URL, b"{}").with_header("content-type", "application/json");
        let fields = sign_webhook(key, &message, now).await.unwrap();
        let message = fields.iter().fold(message, |message, (name, value)| message.with_header(name, value));
        match verifier.verify(&message, now).await {
            Ok(verified) => verified.keyid,
            Err(VerifyError::Rejected(rejection)) => rejection.code().to_owned(),
            Err(VerifyError::Unavailable(_)) => "unavailable".to_owned(),
            Err(error) => panic!("{error}"),
        }
    }
}

fn document(keys: &[&LocalSigner]) -> Step {
    let set = Jwks::new(keys.iter().map(|key| key.jwk())).to_json();
    // A step of a script outlives its test.
    Send(Box::leak(format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{set}").into_boxed_str()))
}

#[tokio::test]
async fn a_key_is_fetched_once_and_again_when_its_owner_rotates() {
    let owner = Owner::new();
    let (before, after) = (document(&[&owner.old]), document(&[&owner.old, &owner.new]));
    let receiver = Receiver::plain(&[&[Read, before], &[Read, after]]).await;
    let verifier = owner.verifier(&receiver);
    assert_eq!(receiver.accepted(), 0, "nothing before the first message");
    for _ in 0..3 {
        assert_eq!(owner.says(&verifier, &owner.old).await, "hooks-1");
    }
    assert_eq!(receiver.accepted(), 1);
    // Somebody made the address be asked a moment ago: that must not cost an honest sender its event.
    assert_eq!(owner.says(&verifier, &owner.new).await, "unavailable");
    assert_eq!(receiver.accepted(), 1);
    owner.clock.advance(Duration::from_secs(30));
    assert_eq!(owner.says(&verifier, &owner.new).await, "hooks-2");
    assert_eq!(owner.says(&verifier, &owner.old).await, "hooks-1");
    owner.clock.advance(Duration::from_secs(30));
    let stranger = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "other").unwrap();
    assert_eq!(owner.says(&verifier, &stranger).await, "webhook_signature_key_unknown");
    assert_eq!(receiver.accepted(), 3);
}

#[tokio::test]
async fn a_key_that_was_taken_out_is_refused_when_the_document_is_old() {
    let owner = Owner::new();
    let receiver =
        Receiver::plain(&[&[Read, document(&[&owner.old])], &[Read, document(&[&owner.new])]]).await;
    let verifier = owner.verifier(&receiver);
    assert_eq!(owner.says(&verifier, &owner.old).await, "hooks-1");
    owner.clock.advance(Duration::from_secs(299));
    assert_eq!(owner.says(&verifier, &owner.old).await, "hooks-1");
    owner.clock.advance(Duration::from_secs(1));
    assert_eq!(owner.says(&verifier, &owner.old).await, "webhook_signature_key_unknown");
    assert_eq!(owner.says(&verifier, &owner.new).await, "hooks-2");
    assert_eq!(receiver.accepted(), 2);
}

#[tokio::test]
async fn what_cannot_be_had_neither_accepts_nor_refuses() {
    let owner = Owner::new();
    let page = |text: &'static str| [Read, Send(text)];
    let flood: String = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", " ".repeat(300_000));
    let (moved, gone, garbage, endless) = (
        page("HTTP/1.1 302 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"),
        page("HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n"),
        page("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"keys\":7}"),
        page(Box::leak(flood.into_boxed_str())),
    );
    let good = [Read, document(&[&owner.old])];
    let receiver = Receiver::plain(&[&moved, &gone, &garbage, &endless, &[Read, Reset], &good]).await;
    let verifier = owner.verifier(&receiver);
    for asked in 1..=5 {
        assert_eq!(owner.says(&verifier, &owner.old).await, "unavailable");
        assert_eq!(receiver.accepted(), asked);
        assert_eq!(
            owner.says(&verifier, &owner.old).await,
            "unavailable",
            "and nobody is asked twice at once"
        );
        assert_eq!(receiver.accepted(), asked);
        owner.clock.advance(Duration::from_secs(30));
    }
    assert_eq!(owner.says(&verifier, &owner.old).await, "hooks-1");
}

#[tokio::test]
async fn of_many_who_need_a_key_at_once_one_asks() {
    let owner = Owner::new();
    let receiver = Receiver::plain(&[&[Read, document(&[&owner.old])]]).await;
    let verifier = owner.verifier(&receiver);
    let all = futures_util::future::join_all((0..50).map(|_| owner.says(&verifier, &owner.old))).await;
    assert!(all.iter().all(|said| said == "hooks-1"), "{all:?}");
    assert_eq!(receiver.accepted(), 1);
}

#[test]
fn an_address_that_is_never_called_is_refused_when_it_is_given() {
    let egress = || Egress::builder().allow_loopback_http().build().unwrap();
    for (url, word) in [
        ("http://seller.example/keys", "https"),
        ("https://169.254.169.254/keys", "public address"),
        ("https://user@seller.example/keys", "user"),
    ] {
        let refused = RemoteJwks::new(egress(), url).unwrap_err();
        assert!(refused.0.contains(word), "{url}: {refused}");
    }
}
