//! Somebody else's implementation of RFC 9421 (`httpsig`) reads ours, and we read its.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use adcp_signing::{
    Algorithm, Alphabet, DigestPolicy, Jwks, LocalSigner, MemoryReplayStore, Message, Profile, UnixTime,
    Verifier, content_digest,
};
use httpsig::prelude::message_component::HttpMessageComponent;
use httpsig::prelude::{
    AlgorithmName, HttpSignatureBase, HttpSignatureHeaders, HttpSignatureParams, PublicKey, SecretKey,
    VerifyingKey,
};

use crate::fixture::{BODY, NOW, URL, key, message, signing, verifier};

fn theirs(algorithm: Algorithm) -> AlgorithmName {
    match algorithm {
        Algorithm::Ed25519 => AlgorithmName::Ed25519,
        Algorithm::EcdsaP256Sha256 => AlgorithmName::EcdsaP256Sha256,
    }
}

fn their_secret(key: &LocalSigner, algorithm: Algorithm) -> SecretKey {
    SecretKey::from_pem(&theirs(algorithm), key.to_pem_file().expose_str().unwrap()).unwrap()
}

fn components(digest: &str) -> Vec<HttpMessageComponent> {
    [
        "\"@method\": POST".to_owned(),
        format!("\"@target-uri\": {URL}"),
        "\"@authority\": buyer.example".to_owned(),
        "\"content-type\": application/json".to_owned(),
        format!("\"content-digest\": {digest}"),
    ]
    .iter()
    .map(|line| HttpMessageComponent::try_from(line.as_str()).unwrap())
    .collect()
}

#[tokio::test]
async fn they_verify_what_we_sign() {
    for profile in [Profile::Webhook, Profile::Request] {
        for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256] {
            let key = key(algorithm, profile);
            // They read RFC 8941 to the letter, where base64url has no place.
            let signing = signing(profile).with_alphabet(Alphabet::Standard);
            // They ask the machine's clock whether it has expired.
            let fields = signing.sign(&key, &message(), UnixTime::from_secs(4_000_000_000)).await.unwrap();
            let (input, signature) =
                (fields.get("signature-input").unwrap(), fields.get("signature").unwrap());
            let headers = HttpSignatureHeaders::try_parse(signature, input).unwrap();
            let headers = headers.get("sig1").unwrap();
            let bytes =
                STANDARD.decode(signature.trim_start_matches("sig1=:").trim_end_matches(':')).unwrap();
            let public: PublicKey = their_secret(&key, algorithm).public_key();
            for (body, valid) in [(BODY, true), (b"{}", false)] {
                let lines = components(&content_digest(body, Alphabet::Standard));
                let base = HttpSignatureBase::try_new(&lines, headers.signature_params()).unwrap();
                // They write parameters in an order of their own; the text that was signed is the one that was sent.
                let base = String::from_utf8(base.as_bytes()).unwrap();
                let (lines, _) = base.split_once("\"@signature-params\": ").unwrap();
                let base = format!("{lines}\"@signature-params\": {}", input.strip_prefix("sig1=").unwrap());
                assert_eq!(public.verify(base.as_bytes(), &bytes).is_ok(), valid, "{algorithm}");
            }
        }
    }
}

#[tokio::test]
async fn we_verify_what_they_sign() {
    for profile in [Profile::Webhook, Profile::Request] {
        for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256] {
            let key = key(algorithm, profile);
            // Their order of parameters is another one, and as good.
            let params = format!(
                "(\"@method\" \"@target-uri\" \"@authority\" \"content-type\" \"content-digest\");\
                 alg=\"{}\";created=1800000000;expires=1800000300;keyid=\"key-1\";\
                 nonce=\"c29tZWJvZHkgZWxzZSdz\";tag=\"{}\"",
                algorithm.name(),
                profile.tag()
            );
            let params = HttpSignatureParams::try_from(params.as_str()).unwrap();
            let digest = content_digest(BODY, Alphabet::Standard);
            let base = HttpSignatureBase::try_new(&components(&digest), &params).unwrap();
            let signed = base.build_signature_headers(&their_secret(&key, algorithm), Some("sig1")).unwrap();
            let (input, signature) = (signed.signature_input_header_value(), signed.signature_header_value());
            let received = message()
                .with_header("Content-Digest", &digest)
                .with_header("Signature-Input", &input)
                .with_header("Signature", &signature);
            // Fifteen bytes of nonce: theirs may be that short, AdCP's may not.
            let found = verifier(profile, &[&key]).verify(&received, NOW).await.unwrap_err();
            assert_eq!(found.rejection().unwrap().step().number(), 2, "{found}");

            let input = input.replace("c29tZWJvZHkgZWxzZSdz", "c29tZWJvZHkgZWxzZSdzIG5vbmNl");
            let params = input.strip_prefix("sig1=").unwrap();
            let params = HttpSignatureParams::try_from(params).unwrap();
            let base = HttpSignatureBase::try_new(&components(&digest), &params).unwrap();
            let signed = base.build_signature_headers(&their_secret(&key, algorithm), Some("sig1")).unwrap();
            let (input, signature) = (signed.signature_input_header_value(), signed.signature_header_value());
            let received = message()
                .with_header("Content-Digest", &digest)
                .with_header("Signature-Input", &input)
                .with_header("Signature", &signature);
            let verified = verifier(profile, &[&key]).verify(&received, NOW).await.unwrap();
            assert_eq!(verified.nonce, "c29tZWJvZHkgZWxzZSdzIG5vbmNl");
        }
    }
}

#[tokio::test]
async fn a_field_that_one_more_sender_covers_is_checked() {
    let algorithm = Algorithm::Ed25519;
    let key = key(algorithm, Profile::Request);
    let params = format!(
        "(\"@method\" \"@target-uri\" \"@authority\" \"x-trace\");created=1800000000;expires=1800000300;\
         nonce=\"c29tZWJvZHkgZWxzZSdzIG5vbmNl\";keyid=\"key-1\";alg=\"ed25519\";tag=\"{}\";version=7",
        Profile::Request.tag()
    );
    // Written out by hand: an unknown parameter is signed as well.
    let base = format!(
        "\"@method\": GET\n\"@target-uri\": https://seller.example/\n\"@authority\": seller.example\n\
         \"x-trace\": a, b\n\"@signature-params\": {params}"
    );
    let signature = adcp_signing::Signer::sign(&key, base.as_bytes()).await.unwrap();
    let signature = STANDARD.encode(signature);
    let (input, signature) = (format!("sig1={params}"), format!("sig1=:{signature}:"));
    let get = || {
        Message::new("GET", "https://seller.example/", b"")
            .with_header("Signature-Input", &input)
            .with_header("Signature", &signature)
    };
    let verifier = || {
        let keys = Arc::new(Jwks::new([key.jwk()]));
        Verifier::requests(keys, Arc::new(MemoryReplayStore::new(9)), DigestPolicy::Either)
    };
    let received = get().with_header("X-Trace", " a").with_header("x-trace", "b ");
    let verified = verifier().verify(&received, NOW).await.unwrap();
    assert_eq!(verified.covered, ["@method", "@target-uri", "@authority", "x-trace"]);
    let changed = verifier().verify(&get().with_header("x-trace", "a,b"), NOW).await.unwrap_err();
    assert_eq!(changed.rejection().unwrap().code(), "request_signature_invalid");
    let absent = verifier().verify(&get(), NOW).await.unwrap_err();
    assert_eq!(absent.rejection().unwrap().code(), "request_signature_components_incomplete");
}
