//! One event that no registry holds.

use std::time::Duration;

use adcp_core::{
    AttemptClass, CallbackAuth, Clock as _, DeadReason, EventKey, Owner, Principal, Publication, Secret,
    TenantId, Verdict,
};
use adcp_signing::{HmacKey, Message, Secret as Bytes, UnixTime};

use crate::receiver::{OK, Receiver, Step};
use crate::stage::{Stage, TOKEN};
use Step::{Read, Reset, Send};

const CREDENTIALS: &str = "credentials-of-the-buyer-0123456789";

fn event(url: &str) -> Publication {
    let key = EventKey::random().unwrap();
    let body = serde_json::json!({ "idempotency_key": key.as_str(), "token": TOKEN }).to_string();
    let owner = Owner::new(TenantId::single(), None, Principal::new("tester"));
    Publication::new(key, owner, "test", url, body)
}

#[tokio::test]
async fn it_is_sent_as_a_worker_would_and_what_a_worker_would_do_next_is_told() {
    let stage = Stage::new();
    let seconds = |seconds| Verdict::Again { after: Duration::from_secs(seconds) };
    let rows: [(&[Step], AttemptClass, Verdict, Option<u16>); 5] = [
        (&[Read, OK], AttemptClass::Delivered, Verdict::Delivered, Some(200)),
        (
            &[
                Read,
                Send("HTTP/1.1 503 Busy\r\nretry-after: 7\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
            ],
            AttemptClass::ServerError,
            seconds(7),
            Some(503),
        ),
        (
            &[Read, Send("HTTP/1.1 410 Gone\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")],
            AttemptClass::Gone,
            Verdict::Dead(DeadReason::Gone),
            Some(410),
        ),
        (
            &[
                Read,
                Send(
                    "HTTP/1.1 401 No\r\nwww-authenticate: Signature error=\"webhook_signature_invalid\"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
                ),
            ],
            AttemptClass::Unauthorized,
            Verdict::Dead(DeadReason::SignatureRejected),
            Some(401),
        ),
        (&[Reset], AttemptClass::Connection, seconds(5), None),
    ];
    for (script, class, verdict, status) in rows {
        let receiver = Receiver::plain(&[script]).await;
        let sent = stage.builder().build().unwrap().send_once(&event(&receiver.url())).await;
        assert_eq!((sent.report.class, sent.verdict, sent.report.http_status), (class, verdict, status));
        assert_eq!(receiver.accepted(), 1, "{script:?}");
        if status.is_some() {
            assert!(stage.verify(&receiver.got()[0], receiver.address).await.is_ok(), "{script:?}");
            assert_eq!(sent.report.peer, Some(receiver.address.to_string()));
        }
    }
}

#[tokio::test]
async fn it_uses_the_scheme_that_it_names_and_keeps_no_secret_of_the_answer() {
    let stage = Stage::new();
    let repeats = Send(concat!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\ntoken-of-the-buyer-0123456789 ",
        "credentials-of-the-buyer-0123456789"
    ));
    let receiver = Receiver::plain(&[&[Read, repeats]]).await;
    let legacy = CallbackAuth::new("HMAC-SHA256", Secret::new(CREDENTIALS));
    let event = event(&receiver.url()).with_authentication(Some(legacy));
    let sent = stage.builder().build().unwrap().send_once(&event).await;
    assert_eq!(sent.report.answer.as_deref(), Some("[withheld] [withheld]"));
    let got = &receiver.got()[0];
    let headers = got.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let message = Message::new("POST", "http://any.example/", &got.body).with_headers(headers);
    let key = HmacKey::new(Bytes::new(CREDENTIALS)).unwrap();
    let now = UnixTime::from_micros(stage.clock.now().as_micros());
    assert_eq!(key.verify(&message, now), Ok(()));
    assert!(!message.has("signature"));
}

#[tokio::test]
async fn an_address_that_must_not_be_called_is_not() {
    let webhooks = Stage::new().builder().build().unwrap();
    let sent = webhooks.send_once(&event("https://10.0.0.1/")).await;
    assert_eq!(sent.report.class, AttemptClass::Forbidden);
    assert_eq!(sent.verdict, Verdict::Dead(DeadReason::ForbiddenAddress));
    assert_eq!(sent.report.peer, None);
}
