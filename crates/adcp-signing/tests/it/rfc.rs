//! Facts of the RFCs, with their own keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use adcp_signing::{Algorithm, KeyUse, LocalSigner, Signer, Verifier};

use crate::fixture::{NOW, message, verifier};

/// RFC 9421, appendix B.1.4: `test-key-ed25519`.
const RFC_9421_ED25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----
";

/// RFC 9421, appendix B.1.3: `test-key-ecc-p256`, in the older form of a key file.
const RFC_9421_P256: &str = "-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIFKbhfNZfpDsW43+0+JjUr9K+bTeuxopu653+hBaXGA7oAoGCCqGSM49
AwEHoUQDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM
4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==
-----END EC PRIVATE KEY-----
";

#[tokio::test]
async fn the_ed25519_signature_of_rfc_9421_b_2_6() {
    let base = [
        r#""date": Tue, 20 Apr 2021 02:07:55 GMT"#,
        r#""@method": POST"#,
        r#""@path": /foo"#,
        r#""@authority": example.com"#,
        r#""content-type": application/json"#,
        r#""content-length": 18"#,
        concat!(
            r#""@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length")"#,
            r#";created=1618884473;keyid="test-key-ed25519""#
        ),
    ]
    .join("\n");
    let key = LocalSigner::from_pem(RFC_9421_ED25519, KeyUse::RequestSigning, "test-key-ed25519").unwrap();
    assert_eq!(key.jwk().x.as_deref(), Some("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"));
    let signature = key.sign(base.as_bytes()).await.unwrap();
    assert_eq!(
        STANDARD.encode(signature),
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    );
}

#[test]
fn the_p256_key_of_rfc_9421_b_1_3() {
    let key = LocalSigner::from_pem(RFC_9421_P256, KeyUse::WebhookSigning, "test-key-ecc-p256").unwrap();
    let jwk = key.jwk();
    assert_eq!(key.key().algorithm(), Algorithm::EcdsaP256Sha256);
    assert_eq!(jwk.x.as_deref(), Some("qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA"));
    assert_eq!(jwk.y.as_deref(), Some("Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0"));
}

#[tokio::test]
async fn a_response_component_and_other_derived_ones_are_no_part_of_the_profiles() {
    let key = LocalSigner::from_pem(RFC_9421_ED25519, KeyUse::WebhookSigning, "k").unwrap();
    // It is found before anybody looks for the key.
    let verifiers: [Verifier; 2] =
        [&[&key][..], &[]].map(|keys| verifier(adcp_signing::Profile::Webhook, keys));
    for extra in ["\"@query\"", "\"@status\"", "\"@path\"", "\"@method\";req", "\"date\";sf", "\"X-Upper\""] {
        let input = format!(
            "sig1=(\"@method\" \"@target-uri\" \"@authority\" \"content-type\" \"content-digest\" {extra});\
             created=1800000000;expires=1800000300;nonce=\"AAAAAAAAAAAAAAAAAAAAAA\";keyid=\"k\";alg=\"ed25519\";\
             tag=\"adcp/webhook-signing/v1\""
        );
        let received = message()
            .with_header("signature-input", &input)
            .with_header("signature", "sig1=:AAAA:")
            .with_header("date", "Tue, 20 Apr 2021 02:07:55 GMT")
            .with_header("content-digest", "sha-256=:AAAA:");
        for verifier in &verifiers {
            let found = verifier.verify(&received, NOW).await.unwrap_err();
            assert_eq!(found.rejection().unwrap().step().number(), 6, "{extra}: {found}");
        }
    }
}
