//! The keyed hash, the bearer token, and the headers of Standard Webhooks.

use std::time::Duration;

use adcp_signing::{
    BearerToken, HmacKey, HmacRejection, Message, Secret, SignError, SignedHeaders, StandardKey,
    StandardRejection, UnixTime,
};

use crate::fixture::{BODY, NOW, URL, with};

fn post(body: &[u8]) -> Message<'_> {
    Message::new("POST", URL, body)
}

fn secret(letter: &str) -> Secret {
    Secret::new(letter.repeat(32))
}

fn hmac(letter: &str) -> HmacKey {
    HmacKey::new(secret(letter)).unwrap()
}

fn moved(secs: i64) -> UnixTime {
    UnixTime::from_secs(NOW.as_secs() + secs)
}

#[test]
fn a_known_hash() {
    // printf '1800000000.{"a":1}' | openssl dgst -sha256 -hmac kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk
    let fields = hmac("k").sign(br#"{"a":1}"#, NOW).unwrap();
    assert_eq!(fields.get("X-AdCP-Timestamp"), Some("1800000000"));
    assert_eq!(
        fields.get("X-AdCP-Signature"),
        Some("sha256=4f0d00cc0602d74619f2c8a677ced8b329813cdfc143155dd963ea41b3486c47")
    );
}

#[test]
fn a_keyed_hash_is_made_and_verified() {
    let fields = hmac("k").sign(BODY, NOW).unwrap();
    for (secs, want) in [
        (0, Ok(())),
        (300, Ok(())),
        (-300, Ok(())),
        (301, Err(HmacRejection::Window)),
        (-301, Err(HmacRejection::Window)),
    ] {
        assert_eq!(hmac("k").verify(&with(post(BODY), &fields), moved(secs)), want, "{secs}");
    }
    assert_eq!(hmac("x").verify(&with(post(BODY), &fields), NOW), Err(HmacRejection::Invalid));
    assert_eq!(hmac("k").verify(&with(post(b"{}"), &fields), NOW), Err(HmacRejection::Invalid));
    // Capital hexadecimal is the same hash.
    let loud = fields.get("x-adcp-signature").unwrap().to_uppercase().replace("SHA256=", "sha256=");
    let message =
        post(BODY).with_header("x-adcp-signature", &loud).with_header("x-adcp-timestamp", "1800000000");
    assert_eq!(hmac("k").verify(&message, NOW), Ok(()));
}

#[test]
fn checks_of_a_keyed_hash_run_in_order() {
    let key = hmac("k");
    let fields = key.sign(BODY, NOW).unwrap();
    let signature = fields.get("x-adcp-signature").unwrap();
    let verify = |signature: Option<&str>, time: Option<&str>| {
        let mut message = post(BODY);
        for (name, value) in [("x-adcp-signature", signature), ("x-adcp-timestamp", time)] {
            if let Some(value) = value {
                message =
                    message.with_headers([(name, value.as_bytes())].map(|(name, value)| (name, leak(value))));
            }
        }
        key.verify(&message, NOW)
    };
    for (signature, time, want) in [
        (None, Some("1800000000"), HmacRejection::Missing),
        (Some(signature), None, HmacRejection::Missing),
        (Some("sha256=00"), Some("soon"), HmacRejection::Timestamp),
        (Some(signature), Some(""), HmacRejection::Timestamp),
        (Some(signature), Some("+1800000000"), HmacRejection::Timestamp),
        (Some(signature), Some("18000000001800000000"), HmacRejection::Timestamp),
        (Some("sha256=00"), Some("1"), HmacRejection::Window),
        (Some("sha256=00"), Some("1800000000"), HmacRejection::Invalid),
        (Some("sha256=0"), Some("1800000000"), HmacRejection::Invalid),
        (Some("sha256=zz"), Some("1800000000"), HmacRejection::Invalid),
        (Some("md5=00"), Some("1800000000"), HmacRejection::Invalid),
        (Some(signature), Some("1800000001"), HmacRejection::Invalid),
        // Other text for the same time is another message.
        (Some(signature), Some("01800000000"), HmacRejection::Invalid),
    ] {
        assert_eq!(verify(signature, time), Err(want), "{signature:?} {time:?}");
    }
    let twice = with(with(post(BODY), &fields), &fields);
    assert_eq!(key.verify(&twice, NOW), Err(HmacRejection::Missing));
}

/// Test data that outlives the message.
fn leak(value: &[u8]) -> &'static [u8] {
    Box::leak(value.to_vec().into_boxed_slice())
}

#[test]
fn a_body_that_names_a_key_twice_is_neither_sent_nor_believed() {
    let doubled = br#"{"a":1,"a":2}"#;
    let refused = hmac("k").sign(doubled, NOW).unwrap_err();
    assert!(
        matches!(refused, SignError::DuplicateKey) && refused.to_string().starts_with("duplicate_key_input")
    );
    // printf '1800000000.{"a":1,"a":2}' | openssl dgst -sha256 -hmac kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk
    let message = post(doubled).with_header("x-adcp-timestamp", "1800000000").with_header(
        "x-adcp-signature",
        "sha256=6f0e2c8f8b9805d43daf9d37334aed9a2e9b8eec8abf496a863de19aee567a4b",
    );
    assert_eq!(hmac("k").verify(&message, NOW), Err(HmacRejection::Body));
}

#[test]
fn secrets_of_a_keyed_hash_are_long_and_rotate() {
    assert!(HmacKey::new(Secret::new("k".repeat(31))).is_none());
    let old = hmac("o").sign(BODY, NOW).unwrap();
    let key = hmac("n").with_previous(secret("o"), moved(300));
    assert_eq!(key.verify(&with(post(BODY), &old), moved(300)), Ok(()));
    assert_eq!(key.verify(&with(post(BODY), &hmac("n").sign(BODY, NOW).unwrap()), NOW), Ok(()));
    let late = hmac("o").sign(BODY, moved(301)).unwrap();
    assert_eq!(key.verify(&with(post(BODY), &late), moved(301)), Err(HmacRejection::Invalid));
    // Who rotates to the same secret has rotated all the same.
    let same = hmac("n").with_previous(secret("n"), moved(300));
    assert_eq!(same.verify(&with(post(BODY), &hmac("n").sign(BODY, NOW).unwrap()), NOW), Ok(()));
    // New messages are signed with the new secret.
    assert_eq!(key.sign(BODY, NOW).unwrap(), hmac("n").sign(BODY, NOW).unwrap());
    assert!(!format!("{key:?}").contains("nnnn"));
}

#[test]
fn a_bearer_token_is_all_or_nothing() {
    let token = BearerToken::new(Secret::new("to.ken~1")).unwrap();
    let fields = token.sign();
    assert_eq!(fields.get("Authorization"), Some("Bearer to.ken~1"));
    assert!(!format!("{fields:?}{token:?}").contains("to.ken"));
    assert!(token.verify(&with(post(BODY), &fields)));
    for (value, valid) in [
        ("bearer to.ken~1", true),
        ("BEARER  to.ken~1 ", true),
        ("Bearer to.ken~2", false),
        ("Bearer to.ken~1 x", false),
        ("Bearer", false),
        ("Basic to.ken~1", false),
        ("to.ken~1", false),
    ] {
        assert_eq!(token.verify(&post(BODY).with_header("authorization", value)), valid, "{value}");
    }
    assert!(!token.verify(&post(BODY)));
    assert!(!token.verify(&with(with(post(BODY), &fields), &fields)));
    for bad in ["", "a b", "a\nb", "ü"] {
        assert!(BearerToken::new(Secret::new(bad)).is_none(), "{bad:?}");
    }
}

/// 24 and 32 bytes.
const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn standard(text: &str) -> StandardKey {
    StandardKey::new(&Secret::new(text)).unwrap()
}

#[test]
fn the_example_of_standard_webhooks() {
    // The example that the project's own libraries test against.
    let body = br#"{"test": 2432232314}"#;
    let now = UnixTime::from_secs(1_614_265_330);
    let fields = standard(WHSEC).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", body, now);
    assert_eq!(fields.get("webhook-signature"), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    assert_eq!(fields.get("webhook-id"), Some("msg_p5jXN8AQM9LWM0D4loKWxJek"));
    assert_eq!(fields.get("webhook-timestamp"), Some("1614265330"));
    assert_eq!(standard(WHSEC).verify(&with(post(body), &fields), now), Ok(()));
}

#[test]
fn standard_webhooks_take_one_good_signature_of_several() {
    let new = standard(OTHER).with_previous(&Secret::new(WHSEC)).unwrap();
    let fields = new.sign("msg_1", BODY, NOW);
    assert_eq!(fields.get("webhook-signature").unwrap().matches("v1,").count(), 2);
    for key in [standard(OTHER), standard(WHSEC), new.clone()] {
        assert_eq!(key.verify(&with(post(BODY), &fields), NOW), Ok(()));
        assert_eq!(key.verify(&with(post(b"{}"), &fields), NOW), Err(StandardRejection::Invalid));
    }
    let by_old = standard(WHSEC).sign("msg_1", BODY, NOW);
    assert_eq!(new.verify(&with(post(BODY), &by_old), NOW), Ok(()));
    assert_eq!(standard(OTHER).verify(&with(post(BODY), &by_old), NOW), Err(StandardRejection::Invalid));
    for (secs, want) in
        [(300, Ok(())), (301, Err(StandardRejection::Window)), (-301, Err(StandardRejection::Window))]
    {
        assert_eq!(new.verify(&with(post(BODY), &by_old), moved(secs)), want);
    }
    assert_eq!(new.verify(&post(BODY), NOW), Err(StandardRejection::Missing));
    let renamed = post(BODY)
        .with_header("webhook-id", "msg_2")
        .with_header("webhook-timestamp", "1800000000")
        .with_header("webhook-signature", by_old.get("webhook-signature").unwrap());
    assert_eq!(new.verify(&renamed, NOW), Err(StandardRejection::Invalid));
    // Two of a field, of which readers could take either.
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let twice = with(post(BODY), &by_old).with_header(name, "msg_2");
        assert_eq!(new.verify(&twice, NOW), Err(StandardRejection::Missing), "{name}");
    }
    let odd = post(BODY)
        .with_header("webhook-id", "msg_1")
        .with_header("webhook-timestamp", "1800000000")
        .with_header("webhook-signature", "v2,AAAA v1 v1,! v1,AAAA");
    assert_eq!(new.verify(&odd, NOW), Err(StandardRejection::Invalid));
    let _: &SignedHeaders = &fields;
}

#[test]
fn secrets_of_standard_webhooks_have_a_form() {
    for bad in [
        "",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_",
        "whsec_AAAA",
        "whsec_!",
        &format!("whsec_{}", "A".repeat(88)),
    ] {
        assert!(StandardKey::new(&Secret::new(bad)).is_err(), "{bad}");
    }
    assert!(!format!("{:?}", standard(WHSEC)).contains("MfKQ"));
    assert_eq!(NOW.after(Duration::from_secs(1)), moved(1));
}
