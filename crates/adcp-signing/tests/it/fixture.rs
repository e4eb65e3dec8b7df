//! Keys, messages and verifiers that the tests share.

use std::sync::Arc;

use adcp_signing::{
    Algorithm, DigestPolicy, Jwks, KeyUse, LocalSigner, MemoryReplayStore, Message, Profile, SignedHeaders,
    Signing, UnixTime, Verifier,
};

pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
pub(crate) const URL: &str = "https://buyer.example/hooks/7";
pub(crate) const BODY: &[u8] = br#"{"idempotency_key":"whk_0123456789abcdef","status":"completed"}"#;

pub(crate) fn key(algorithm: Algorithm, profile: Profile) -> LocalSigner {
    LocalSigner::generate(algorithm, profile.key_use(), "key-1").unwrap()
}

pub(crate) fn webhook_key() -> LocalSigner {
    LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "key-1").unwrap()
}

pub(crate) fn message() -> Message<'static> {
    Message::new("POST", URL, BODY).with_header("Content-Type", "application/json")
}

pub(crate) fn verifier(profile: Profile, keys: &[&LocalSigner]) -> Verifier {
    let keys = Arc::new(Jwks::new(keys.iter().map(|key| key.jwk())));
    let replay = Arc::new(MemoryReplayStore::new(100));
    match profile {
        Profile::Webhook => Verifier::webhooks(keys, replay),
        Profile::Request => Verifier::requests(keys, replay, DigestPolicy::Either),
    }
}

pub(crate) fn signing(profile: Profile) -> Signing {
    match profile {
        Profile::Webhook => Signing::webhook(),
        Profile::Request => Signing::request(),
    }
}

/// The message as it arrives.
pub(crate) fn with<'a>(message: Message<'a>, fields: &'a SignedHeaders) -> Message<'a> {
    message.with_headers(fields.iter().map(|(name, value)| (name, value.as_bytes())))
}
