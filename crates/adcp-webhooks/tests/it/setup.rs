//! What a worker is refused for, and what it says of addresses.

use std::time::Duration;

use adcp_core::Delivery as _;
use adcp_egress::{Egress, Limits};
use adcp_signing::{Algorithm, KeyUse, LocalSigner};
use adcp_webhooks::{BadWebhooks, Webhooks, WebhooksBuilder};

fn key(purpose: KeyUse) -> LocalSigner {
    LocalSigner::generate(Algorithm::EcdsaP256Sha256, purpose, "k").unwrap()
}

fn builder() -> WebhooksBuilder {
    Webhooks::builder()
        .signer(key(KeyUse::WebhookSigning))
        .egress(Egress::builder().allow_loopback_http().build().unwrap())
}

#[test]
fn what_could_not_work_is_refused_at_the_start() {
    type Fits = fn(&BadWebhooks) -> bool;
    let rows: [(WebhooksBuilder, Fits); 11] = [
        (Webhooks::builder(), |bad| matches!(bad, BadWebhooks::NoSigner)),
        (builder().signer(key(KeyUse::RequestSigning)), |bad| matches!(bad, BadWebhooks::Purpose)),
        (builder().concurrency(0, 1), |bad| matches!(bad, BadWebhooks::NoRoom)),
        (builder().concurrency(1, 0), |bad| matches!(bad, BadWebhooks::NoRoom)),
        (builder().tenant_share(0), |bad| matches!(bad, BadWebhooks::Share)),
        (builder().tenant_share(101), |bad| matches!(bad, BadWebhooks::Share)),
        (builder().limits(Limits::new().with_total(Duration::ZERO)), |bad| matches!(bad, BadWebhooks::Total)),
        (builder().limits(Limits::new().with_total(Duration::from_secs(31))), |bad| {
            matches!(bad, BadWebhooks::Total)
        }),
        (builder().lease(Duration::from_secs(30)), |bad| matches!(bad, BadWebhooks::Lease)),
        (builder().poll_every(Duration::ZERO), |bad| matches!(bad, BadWebhooks::Poll)),
        (builder().poll_every(Duration::ZERO).concurrency(0, 0), |bad| matches!(bad, BadWebhooks::NoRoom)),
    ];
    for (builder, fits) in rows {
        let bad = builder.build().unwrap_err();
        assert!(fits(&bad), "{bad}");
    }
    assert!(builder().lease(Duration::from_millis(30_001)).build().is_ok(), "two attempts of 15 seconds fit");
}

#[test]
fn addresses_are_judged_when_they_are_registered() {
    let webhooks = builder().build().unwrap();
    assert!(webhooks.admits("https://buyer.example/hook").is_ok());
    assert!(webhooks.admits("http://127.0.0.1:9/hook").is_ok());
    let refused = webhooks.admits("http://buyer.example/hook").unwrap_err();
    assert_eq!(refused.to_string(), "the scheme must be `https`");
    assert!(webhooks.admits("https://10.0.0.1/").is_err());
    // The way out would take this one, but nothing sent there could be signed.
    let refused = webhooks.admits("https://a_b.example/").unwrap_err();
    let want = "what is sent there cannot be signed: the host is not a domain name or an address";
    assert_eq!(refused.to_string(), want);
    assert_eq!(webhooks.algorithm(), Algorithm::EcdsaP256Sha256);
}

#[test]
fn nothing_prints_a_secret() {
    let text = format!("{:?}", builder().build().unwrap());
    assert!(text.starts_with("Webhooks"), "{text}");
}
