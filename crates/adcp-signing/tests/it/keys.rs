//! Keys: made, written, read, published, and never shown.

use adcp_signing::{Algorithm, BadKey, KeyUse, LocalSigner, Secret, Signer};

fn text(secret: &Secret) -> String {
    secret.expose_str().unwrap().to_owned()
}

#[test]
fn a_key_is_read_from_the_files_it_was_written_to() {
    for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256] {
        let key = LocalSigner::generate(algorithm, KeyUse::RequestSigning, "orders/2026 \"a\\b\"").unwrap();
        let jwk = LocalSigner::from_jwk(key.to_jwk_file().expose()).unwrap();
        let pem = LocalSigner::from_pem(&text(&key.to_pem_file()), KeyUse::RequestSigning, key.key().keyid())
            .unwrap();
        for same in [&jwk, &pem] {
            assert_eq!((same.jwk(), same.key()), (key.jwk(), key.key()));
        }
        assert_eq!(key.key().algorithm(), algorithm);
        let again = LocalSigner::generate(algorithm, KeyUse::RequestSigning, "k").unwrap();
        assert_ne!(again.jwk().x, key.jwk().x);
    }
}

#[test]
fn a_key_shows_its_public_half_only() {
    for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256] {
        let key = LocalSigner::generate(algorithm, KeyUse::WebhookSigning, "k").unwrap();
        let file = text(&key.to_jwk_file());
        let d = file.split("\"d\":\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(d.len(), 43);
        let published = key.jwk().to_json();
        let shown = format!("{key:?} {published} {:?} {:?}", key.to_jwk_file(), key.to_pem_file());
        assert!(!shown.contains(d) && shown.contains("webhook-signing"), "{shown}");
        assert!(format!("{key:?}").contains("LocalSigner"), "{key:?}");
        assert_eq!(published["key_ops"], serde_json::json!(["verify"]));
        assert_eq!(published["use"], "sig");
        assert_eq!(published["alg"], algorithm.jwk_name());
        assert_eq!(published.get("d"), None);
    }
}

#[test]
fn a_file_that_is_no_key_of_ours_is_refused() {
    let key = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "k").unwrap();
    let other = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "k").unwrap();
    let file = text(&key.to_jwk_file());
    let changed =
        |from: &str, to: &str| LocalSigner::from_jwk(file.replace(from, to).as_bytes()).unwrap_err();
    let x = key.jwk().x.unwrap();
    for (from, to, want) in [
        ("\"d\"", "\"e\"", BadKey::Format),
        ("\"d\":\"", "\"d\":\"AA", BadKey::Format),
        ("Ed25519", "X25519", BadKey::Format),
        ("{", "[", BadKey::Format),
        ("}", ",\"d\":\"AA\"}", BadKey::Format),
        ("\"kid\"", "\"name\"", BadKey::Format),
        ("\"kid\":\"k\"", "\"kid\":\"\"", BadKey::KeyId),
        ("\"kid\":\"k\"", "\"kid\":\"\\n\"", BadKey::KeyId),
        ("adcp_use", "use_of", BadKey::Purpose),
        ("webhook-signing", "signing", BadKey::Purpose),
        ("EdDSA", "ES256", BadKey::Contradiction),
        (x.as_str(), other.jwk().x.unwrap().as_str(), BadKey::Contradiction),
    ] {
        assert_eq!(changed(from, to), want, "{from}");
    }
    let name =
        |keyid: String| LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, keyid).map(|_| ());
    assert_eq!(name("k".repeat(256)), Ok(()));
    for bad in ["", "ü", "a\u{7f}", &"k".repeat(257)] {
        assert_eq!(name(bad.to_owned()), Err(BadKey::KeyId), "{bad}");
    }
}

#[test]
fn pem_files_are_read_past_what_is_not_a_key() {
    let key = LocalSigner::generate(Algorithm::EcdsaP256Sha256, KeyUse::WebhookSigning, "k").unwrap();
    let pem = text(&key.to_pem_file());
    let read = |text: &str| LocalSigner::from_pem(text, KeyUse::WebhookSigning, "k").map(|key| key.jwk());
    let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    for text in
        [format!("a comment\n{parameters}{pem}"), pem.replace('\n', "\r\n"), pem.replace('\n', "  \n")]
    {
        assert_eq!(read(&text), Ok(key.jwk()));
    }
    for text in [
        String::new(),
        parameters.to_owned(),
        pem.replace("-----END", "-----FIN"),
        pem.replace("PRIVATE", "PUBLIC"),
        pem.replace("-----BEGIN PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----\n!"),
        pem.replace("PRIVATE KEY", "EC PRIVATE KEY"),
    ] {
        assert_eq!(read(&text), Err(BadKey::Format), "{text}");
    }
}
