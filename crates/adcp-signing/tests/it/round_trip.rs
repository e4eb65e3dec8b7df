//! One side signs, the other verifies.

use std::sync::Arc;
use std::time::Duration;

use adcp_signing::{
    Algorithm, Alphabet, DigestPolicy, Jwks, KeyUse, LocalSigner, MemoryReplayStore, Message, Profile,
    RevocationList, SignError, Signer, SignerError, Signing, UnixTime, Verifier, VerifyError, sign_webhook,
};
use async_trait::async_trait;

use crate::fixture::{BODY, NOW, URL, key, message, signing, verifier, webhook_key, with};

fn code(result: Result<adcp_signing::Verified, VerifyError>) -> &'static str {
    result.expect_err("the message must be refused").rejection().expect("the sender is at fault").code()
}

#[tokio::test]
async fn what_one_side_signs_the_other_verifies() {
    for profile in [Profile::Webhook, Profile::Request] {
        for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256] {
            for alphabet in [Alphabet::UrlSafe, Alphabet::Standard] {
                let key = key(algorithm, profile);
                let fields =
                    signing(profile).with_alphabet(alphabet).sign(&key, &message(), NOW).await.unwrap();
                let verified =
                    verifier(profile, &[&key]).verify(&with(message(), &fields), NOW).await.unwrap();
                assert_eq!((verified.keyid.as_str(), verified.label.as_str()), ("key-1", "sig1"));
                assert_eq!(verified.algorithm, algorithm);
                assert_eq!((verified.created, verified.expires), (NOW, NOW.after(Duration::from_secs(300))));
                assert_eq!(
                    verified.covered,
                    ["@method", "@target-uri", "@authority", "content-type", "content-digest"]
                );
                assert!(verified.covers_body());
                assert_eq!((verified.nonce.len(), verified.verified_at), (22, NOW));
                assert_eq!(verified.agent_url, None);
            }
        }
    }
}

#[tokio::test]
async fn every_attempt_has_a_fresh_nonce_and_the_same_digest() {
    let key = webhook_key();
    let verifier = verifier(Profile::Webhook, &[&key]);
    let first = sign_webhook(&key, &message(), NOW).await.unwrap();
    let second = sign_webhook(&key, &message(), NOW).await.unwrap();
    assert_ne!(first.get("signature-input"), second.get("Signature-Input"));
    assert_ne!(first.get("signature"), second.get("signature"));
    assert_eq!(first.get("content-digest"), second.get("content-digest"));
    for fields in [&first, &second] {
        assert!(verifier.verify(&with(message(), fields), NOW).await.is_ok());
        assert_eq!(code(verifier.verify(&with(message(), fields), NOW).await), "webhook_signature_replayed");
    }
}

#[tokio::test]
async fn a_message_without_a_signature_is_told_from_one_with_half_of_it() {
    let key = webhook_key();
    let fields = sign_webhook(&key, &message(), NOW).await.unwrap();
    let with_one = |name| message().with_header(name, fields.get(name).unwrap());
    for (message, detail) in [
        (message(), "the message is not signed"),
        (with_one("signature"), "one of Signature and Signature-Input is missing"),
        (with_one("signature-input"), "one of Signature and Signature-Input is missing"),
    ] {
        let found = verifier(Profile::Webhook, &[&key]).verify(&message, NOW).await.unwrap_err();
        assert_eq!(found.rejection().unwrap().detail, detail);
    }
}

#[tokio::test]
async fn a_message_of_one_profile_is_none_of_the_other() {
    let webhook = webhook_key();
    let request = key(Algorithm::Ed25519, Profile::Request);
    let fields = sign_webhook(&webhook, &message(), NOW).await.unwrap();
    let found = verifier(Profile::Request, &[&webhook]).verify(&with(message(), &fields), NOW).await;
    assert_eq!(code(found), "request_signature_tag_invalid");
    assert!(matches!(sign_webhook(&request, &message(), NOW).await, Err(SignError::Purpose)));
}

#[tokio::test]
async fn whatever_is_changed_on_the_way_is_noticed() {
    let key = webhook_key();
    let fields = sign_webhook(&key, &message(), NOW).await.unwrap();
    let json = "application/json";
    for (changed, want) in [
        (Message::new("PUT", URL, BODY).with_header("content-type", json), "webhook_signature_invalid"),
        (
            Message::new("POST", "https://buyer.example/hooks/8", BODY).with_header("content-type", json),
            "webhook_signature_invalid",
        ),
        (
            Message::new("POST", "https://buyer.example/hooks/7?", BODY).with_header("content-type", json),
            "webhook_signature_invalid",
        ),
        (
            Message::new("POST", "http://buyer.example/hooks/7", BODY).with_header("content-type", json),
            "webhook_signature_invalid",
        ),
        (
            Message::new("POST", URL, b"{}").with_header("content-type", json),
            "webhook_signature_digest_mismatch",
        ),
        (
            Message::new("POST", URL, b"").with_header("content-type", json),
            "webhook_signature_digest_mismatch",
        ),
        (
            Message::new("POST", URL, BODY).with_header("content-type", "text/plain"),
            "webhook_signature_invalid",
        ),
        (Message::new("POST", URL, BODY), "webhook_signature_components_incomplete"),
        (message().with_header("content-type", json), "webhook_signature_header_malformed"),
        (message().with_header("host", "other.example"), "webhook_target_uri_malformed"),
        (
            message().with_header(":authority", "other.example").with_header("host", "buyer.example"),
            "webhook_target_uri_malformed",
        ),
        (message().with_header("host", "u@buyer.example"), "webhook_target_uri_malformed"),
        (message().with_header("host", b"\xff"), "webhook_target_uri_malformed"),
    ] {
        let found = verifier(Profile::Webhook, &[&key]).verify(&with(changed.clone(), &fields), NOW).await;
        assert_eq!(code(found), want, "{changed:?}");
    }
    // The same address in other words, and what no signature covers.
    for same in [
        Message::new("POST", "HTTPS://u@Buyer.Example:443/hooks/./%37#f", BODY)
            .with_header("content-type", " application/json "),
        message().with_header("host", "Buyer.example:443").with_header("x-trace", "1"),
    ] {
        verifier(Profile::Webhook, &[&key]).verify(&with(same, &fields), NOW).await.unwrap();
    }
}

#[tokio::test]
async fn a_signature_lives_between_its_two_instants() {
    let key = webhook_key();
    let fields =
        Signing::webhook().with_lifetime(Duration::from_secs(100)).sign(&key, &message(), NOW).await.unwrap();
    for (secs, valid) in [(-61, false), (-60, true), (0, true), (100, true), (160, true), (161, false)] {
        let now = UnixTime::from_secs(NOW.as_secs() + secs);
        let found = verifier(Profile::Webhook, &[&key]).verify(&with(message(), &fields), now).await;
        match valid {
            true => assert_eq!(found.unwrap().expires.as_secs(), NOW.as_secs() + 100),
            false => assert_eq!(code(found), "webhook_signature_window_invalid", "{secs}"),
        }
    }
    for (asked, given) in [(0, 1), (1_000, 300)] {
        let signing = Signing::webhook().with_lifetime(Duration::from_secs(asked));
        let fields = signing.sign(&key, &message(), NOW).await.unwrap();
        let want = format!(";expires={};", NOW.as_secs() + given);
        assert!(fields.get("signature-input").unwrap().contains(&want));
    }
}

#[tokio::test]
async fn keys_rotate_by_name() {
    let old = webhook_key();
    let new = LocalSigner::generate(Algorithm::EcdsaP256Sha256, KeyUse::WebhookSigning, "key-2").unwrap();
    let by_old = sign_webhook(&old, &message(), NOW).await.unwrap();
    let by_new = sign_webhook(&new, &message(), NOW).await.unwrap();
    let both = verifier(Profile::Webhook, &[&old, &new]);
    assert_eq!(both.verify(&with(message(), &by_old), NOW).await.unwrap().keyid, "key-1");
    assert_eq!(both.verify(&with(message(), &by_new), NOW).await.unwrap().keyid, "key-2");
    let after = verifier(Profile::Webhook, &[&new]);
    assert_eq!(code(after.verify(&with(message(), &by_old), NOW).await), "webhook_signature_key_unknown");
    // Another key under the old name is not the old key.
    let impostor = verifier(Profile::Webhook, &[&webhook_key()]);
    assert_eq!(code(impostor.verify(&with(message(), &by_old), NOW).await), "webhook_signature_invalid");
}

#[tokio::test]
async fn a_revoked_key_and_an_old_list_stop_messages_before_their_signature_counts() {
    let key = webhook_key();
    let fields = sign_webhook(&key, &message(), NOW).await.unwrap();
    let updated = UnixTime::from_secs(NOW.as_secs() - 900);
    for (list, want) in [
        (RevocationList::new(["key-1"], updated, NOW), "webhook_signature_key_revoked"),
        (RevocationList::new(["key-9"], UnixTime::from_secs(0), updated), ""),
        (
            RevocationList::new([""; 0], UnixTime::from_secs(0), UnixTime::from_secs(60)),
            "webhook_signature_revocation_stale",
        ),
    ] {
        let verifier = verifier(Profile::Webhook, &[&key]).with_revocations(Arc::new(list));
        match verifier.verify(&with(message(), &fields), NOW).await {
            Ok(_) => assert_eq!(want, ""),
            found => assert_eq!(code(found), want),
        }
    }
}

#[tokio::test]
async fn requests_cover_their_body_as_the_seller_wishes() {
    let key = key(Algorithm::Ed25519, Profile::Request);
    for (covered, policy, want) in [
        (true, DigestPolicy::Required, ""),
        (false, DigestPolicy::Required, "request_signature_components_incomplete"),
        (true, DigestPolicy::Forbidden, "request_signature_components_unexpected"),
        (false, DigestPolicy::Forbidden, ""),
        (true, DigestPolicy::Either, ""),
        (false, DigestPolicy::Either, ""),
    ] {
        assert_eq!(DigestPolicy::from_name(policy.name()), Some(policy));
        let fields = Signing::request().with_digest(covered).sign(&key, &message(), NOW).await.unwrap();
        assert_eq!(fields.get("content-digest").is_some(), covered);
        let verifier =
            Verifier::requests(Arc::new(Jwks::new([key.jwk()])), Arc::new(MemoryReplayStore::new(9)), policy);
        match verifier.verify(&with(message(), &fields), NOW).await {
            Ok(verified) => assert_eq!((want, verified.covers_body()), ("", covered)),
            found => assert_eq!(code(found), want),
        }
    }
    // Webhooks have no choice.
    let hook = webhook_key();
    let fields = Signing::webhook().with_digest(false).sign(&hook, &message(), NOW).await.unwrap();
    assert!(fields.get("content-digest").is_some());
}

#[tokio::test]
async fn a_request_without_a_body_needs_no_content_type() {
    let key = key(Algorithm::Ed25519, Profile::Request);
    let get = || Message::new("get", "https://seller.example", b"");
    for digest in [true, false] {
        let fields = Signing::request().with_digest(digest).sign(&key, &get(), NOW).await.unwrap();
        assert!(!fields.get("signature-input").unwrap().contains("content-type"));
        verifier(Profile::Request, &[&key]).verify(&with(get(), &fields), NOW).await.unwrap();
    }
}

#[tokio::test]
async fn what_a_receiver_would_refuse_is_not_signed() {
    let key = webhook_key();
    let post = |url, body| Message::new("POST", url, body).with_header("Content-Type", "application/json");
    let failed = async |message: Message<'_>| sign_webhook(&key, &message, NOW).await.unwrap_err();
    let found = failed(post(URL, br#"{"a":1,"a":2}"#)).await;
    assert!(found.to_string().starts_with("duplicate_key_input"), "{found}");
    assert!(matches!(found, SignError::DuplicateKey) && !found.is_transient());
    assert!(matches!(failed(post(URL, b"{")).await, SignError::NotJson));
    assert!(matches!(failed(post("https:///x", b"{}")).await, SignError::Target(_)));
    // A webhook has a type whatever it says, a request when it says something.
    for body in [&b"{}"[..], b""] {
        assert!(matches!(failed(Message::new("POST", URL, body)).await, SignError::NoContentType));
    }
    let buyer = self::key(Algorithm::Ed25519, Profile::Request);
    let untyped = Signing::request().sign(&buyer, &Message::new("POST", URL, b"{}"), NOW).await.unwrap_err();
    assert!(matches!(untyped, SignError::NoContentType) && !untyped.is_transient());
    assert!(matches!(failed(post(URL, b"{}").with_header("content-type", "a/b")).await, SignError::Field));
    let odd = Message::new("POST", URL, b"{}").with_header("content-type", "a/b\u{e9}");
    assert!(matches!(failed(odd).await, SignError::Field));
}

#[cfg(feature = "idn")]
#[tokio::test]
async fn an_international_name_is_signed_in_ascii_and_refused_on_the_wire() {
    let key = webhook_key();
    let at = |url| Message::new("POST", url, BODY).with_header("Content-Type", "application/json");
    let fields = sign_webhook(&key, &at("https://bücher.example/x"), NOW).await.unwrap();
    let verifier = verifier(Profile::Webhook, &[&key]);
    let raw = verifier.verify(&with(at("https://bücher.example/x"), &fields), NOW).await;
    assert_eq!(code(raw), "webhook_signature_header_malformed");
    verifier.verify(&with(at("https://xn--bcher-kva.example/x"), &fields), NOW).await.unwrap();
}

/// A key service that answers what it is told to.
#[derive(Debug)]
struct Service(LocalSigner, Option<Vec<u8>>);

#[async_trait]
impl Signer for Service {
    fn key(&self) -> &adcp_signing::KeyInfo {
        self.0.key()
    }

    async fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.1.clone().ok_or_else(|| SignerError::new("the line is dead"))
    }
}

#[tokio::test]
async fn a_key_service_may_fail_and_its_answer_is_looked_at() {
    let found = sign_webhook(&Service(webhook_key(), None), &message(), NOW).await.unwrap_err();
    assert!(matches!(found, SignError::Signer(_)) && found.is_transient());
    let found =
        sign_webhook(&Service(webhook_key(), Some(vec![0x30; 70])), &message(), NOW).await.unwrap_err();
    assert!(matches!(found, SignError::NotASignature) && found.is_transient());
    assert!(sign_webhook(&Service(webhook_key(), Some(vec![0; 64])), &message(), NOW).await.is_ok());
}

#[tokio::test]
async fn nothing_that_is_signed_shows_in_debug() {
    let key = webhook_key();
    let fields = sign_webhook(&key, &message(), NOW).await.unwrap();
    assert_eq!(format!("{fields:?}"), r#"["content-digest", "signature-input", "signature"]"#);
    let verifier = verifier(Profile::Webhook, &[&key]);
    assert!(format!("{verifier:?}").starts_with("Verifier { profile: Webhook"));
}
