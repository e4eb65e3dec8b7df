//! The other side is believed by its certificate, or not at all.

use adcp_egress::{Cause, Class, ConfigError, Egress, Limits, Request, Stage};

use crate::receiver::{Authority, NAME, OK, Receiver, Step, Valid, here, self_signed};

#[tokio::test]
async fn a_certificate_must_be_valid_and_trusted_and_name_the_host() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let cases = [
        ("the host", authority.server(&[NAME], Valid::Now), None),
        ("the host among others", authority.server(&["a.example", NAME], Valid::Now), None),
        ("all below its parent", authority.server(&["*.buyer.example"], Valid::Now), None),
        ("another name", authority.server(&["other.example"], Valid::Now), Some(Cause::Untrusted)),
        ("its parent", authority.server(&["buyer.example"], Valid::Now), Some(Cause::Untrusted)),
        ("the address only", authority.server(&["127.0.0.1"], Valid::Now), Some(Cause::Untrusted)),
        ("no name", authority.server(&[], Valid::Now), Some(Cause::Untrusted)),
        ("expired", authority.server(&[NAME], Valid::Before), Some(Cause::Untrusted)),
        ("not valid yet", authority.server(&[NAME], Valid::Later), Some(Cause::Untrusted)),
        ("signed by itself", self_signed(&[NAME]), Some(Cause::Untrusted)),
        ("signed by a stranger", stranger.server(&[NAME], Valid::Now), Some(Cause::Untrusted)),
    ];
    for (case, config, expected) in cases {
        let receiver = Receiver::secure(&[Step::Read, OK], config).await;
        let outcome = authority.egress().send(Request::post(receiver.url("/"), "{}"), Limits::new()).await;
        match (outcome, expected) {
            (Ok(response), None) => assert_eq!(response.status, 200, "{case}"),
            (Err(error), Some(cause)) => {
                let failure = error.failure().unwrap();
                assert_eq!((failure.stage(), failure.cause()), (Stage::Handshake, cause), "{case}");
                // A receiver renews its certificate, and is believed then.
                assert_eq!(error.class(), Class::Transient, "{case}");
                assert!(receiver.requests().is_empty(), "{case}");
                let detail = failure.detail();
                assert!(
                    detail.starts_with("the certificate is not trusted: invalid peer certificate"),
                    "{detail}"
                );
                assert_eq!(detail.matches("invalid peer").count(), 1, "{detail}");
            }
            (outcome, expected) => panic!("{case}: {outcome:?}, not {expected:?}"),
        }
    }
}

#[tokio::test]
async fn an_address_is_believed_by_a_certificate_for_it() {
    let authority = Authority::new();
    for (names, trusted) in [(&["127.0.0.1"][..], true), (&[NAME], false)] {
        let receiver = Receiver::secure(&[Step::Read, OK], authority.server(names, Valid::Now)).await;
        let url = format!("https://127.0.0.1:{}/", receiver.address.port());
        let outcome = authority.egress().send(Request::get(url), Limits::new()).await;
        assert_eq!(outcome.is_ok(), trusted, "{names:?}");
        assert!(!trusted || receiver.names() == [None], "an address is not a name to ask for");
    }
}

#[tokio::test]
async fn nobody_is_believed_without_a_root() {
    let authority = Authority::new();
    let receiver = Receiver::secure(&[Step::Read, OK], authority.server(&[NAME], Valid::Now)).await;
    let without = Egress::builder()
        .without_system_certificates()
        .allow_loopback_http()
        .resolver(here())
        .build()
        .unwrap();
    let error = without.send(Request::get(receiver.url("/")), Limits::new()).await.unwrap_err();
    assert_eq!(error.failure().unwrap().cause(), Cause::Untrusted);
}

#[tokio::test]
async fn old_versions_and_other_protocols_are_not_agreed_on() {
    let authority = Authority::new();
    let mut only_h2 = authority.server(&[NAME], Valid::Now);
    only_h2.alpn_protocols = vec![b"h2".to_vec()];
    let receiver = Receiver::secure(&[Step::Read, OK], only_h2).await;
    let error = authority.egress().send(Request::get(receiver.url("/")), Limits::new()).await.unwrap_err();
    let failure = error.failure().unwrap();
    assert_eq!((failure.stage(), failure.cause()), (Stage::Handshake, Cause::NoTls));

    let mut both = authority.server(&[NAME], Valid::Now);
    both.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let receiver = Receiver::secure(&[Step::Read, OK], both).await;
    let response = authority.egress().send(Request::get(receiver.url("/")), Limits::new()).await.unwrap();
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn an_opened_network_is_reached_by_https_only() {
    let authority = Authority::new();
    let receiver =
        Receiver::secure(&[Step::Read, OK], authority.server(&[NAME, "127.0.0.1"], Valid::Now)).await;
    let egress = Egress::builder()
        .without_system_certificates()
        .root_certificates(authority.pem())
        .allow_networks(["127.0.0.0/8".parse().unwrap()])
        .resolver(here())
        .build()
        .unwrap();
    let port = receiver.address.port();
    for url in [receiver.url("/"), format!("https://127.0.0.1:{port}/")] {
        assert_eq!(egress.send(Request::get(url), Limits::new()).await.unwrap().status, 200);
    }
    assert!(
        egress
            .send(Request::get(receiver.plain_url("/")), Limits::new())
            .await
            .unwrap_err()
            .refusal()
            .is_some()
    );
}

#[test]
fn a_configuration_that_cannot_work_is_refused_at_the_start() {
    let without = || Egress::builder().without_system_certificates();
    assert!(matches!(without().build(), Err(ConfigError::NoCertificates)));
    assert!(matches!(without().root_certificates("").build(), Err(ConfigError::BadCertificates(_))));
    assert!(matches!(
        without().root_certificates("no certificate").build(),
        Err(ConfigError::BadCertificates(_))
    ));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(matches!(without().root_certificates(broken).build(), Err(ConfigError::BadCertificates(_))));
    let pem = Authority::new().pem().to_owned();
    let with = || without().root_certificates(pem.clone());
    assert!(with().build().is_ok());
    assert!(matches!(with().max_head_bytes(8_191).build(), Err(ConfigError::TooSmall("max_head_bytes", _))));
    assert!(matches!(with().max_headers(0).build(), Err(ConfigError::TooSmall("max_headers", _))));
    assert!(matches!(with().allow_ports_only([443, 0]).build(), Err(ConfigError::Port)));
    let error = with().allow_networks(["0.0.0.0/0".parse().unwrap()]).build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "0.0.0.0/0 cannot be opened; name a part of one private block, such as 10.20.0.0/16"
    );
}
