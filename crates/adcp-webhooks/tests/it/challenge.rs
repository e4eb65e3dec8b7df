//! Addresses that are asked whether they want what is going to be sent there.

use std::time::Duration;

use adcp_core::{CallbackAuth, Secret};
use adcp_types::core::WebhookChallenge;
use adcp_types::json::{FromJson as _, ToJson as _};
use adcp_webhooks::{Challenge, NotProven};
use serde_json::{Value, json};

use crate::receiver::{Receiver, Step};
use crate::stage::{Stage, limits};
use Step::{Echo, Read, Reset, Send, Stall};

const AGENT: &str = "https://seller.example/mcp";

fn challenge() -> Challenge {
    Challenge::new("acc-1", "sub-1", AGENT, ["creative.purged", "product.created"])
}

#[tokio::test]
async fn whoever_repeats_the_challenge_wants_it() {
    let stage = Stage::new();
    let receiver = Receiver::plain(&[&[Reset], &[Read, Echo("challenge")], &[Read, Echo("token")]]).await;
    let webhooks = stage.builder().build().unwrap();
    webhooks.challenge(&receiver.url(), &challenge()).await.unwrap();
    assert_eq!(receiver.accepted(), 2, "once more when the network fails");
    let legacy = CallbackAuth::new("Bearer", Secret::new("credentials-of-the-buyer-0123456789"));
    let about = challenge().with_authentication(Some(legacy));
    webhooks.challenge(&receiver.url(), &about).await.unwrap();

    let got = receiver.got();
    let mut seen = Vec::new();
    for got in &got {
        assert!(stage.verify(got, receiver.address).await.is_ok(), "signed, whatever comes later");
        assert_eq!(got.header("authorization"), None);
        let body: Value = serde_json::from_slice(&got.body).unwrap();
        let read = WebhookChallenge::from_json(body.clone()).unwrap();
        assert!(read.extra.is_empty());
        assert_eq!(read.to_json(), body);
        assert_eq!((read.account_id.as_str(), read.subscriber_id.as_str()), ("acc-1", "sub-1"));
        assert_eq!(body["event_types"], json!(["creative.purged", "product.created"]));
        seen.push((read.challenge, body["delivery_auth"].clone()));
    }
    assert_ne!(seen[0].0, seen[1].0);
    assert_eq!(seen[0].1, json!({ "mode": "rfc9421" }));
    assert_eq!(seen[1].1["mode"], "Bearer");
    assert_eq!(seen[1].1["credential_fingerprint"].as_str().unwrap().len(), 64);
}

#[tokio::test]
async fn whoever_does_not_is_told_why() {
    type Fits = fn(&NotProven) -> bool;
    let rows: [(&[&[Step]], Fits, usize); 7] = [
        (
            &[&[Read, Send("HTTP/1.1 404 No\r\nconnection: close\r\n\r\n")]],
            |why| matches!(why, NotProven::Refused(404)),
            1,
        ),
        (
            &[&[Read, Send("HTTP/1.1 307 Go\r\nlocation: https://10.0.0.1/\r\nconnection: close\r\n\r\n")]],
            |why| matches!(why, NotProven::Refused(307)),
            1,
        ),
        (
            &[&[Read, Send("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok")]],
            |why| matches!(why, NotProven::NotRepeated),
            1,
        ),
        (
            &[&[Read, Send("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"other\":1}")]],
            |why| matches!(why, NotProven::NotRepeated),
            1,
        ),
        (
            &[&[Read, Send("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"challenge\":\"guessed\"}")]],
            |why| matches!(why, NotProven::Mismatch),
            1,
        ),
        (&[&[Reset]], |why| matches!(why, NotProven::Silent(_)), 2),
        (&[&[Read, Stall]], |why| matches!(why, NotProven::Silent(_)), 2),
    ];
    for (scripts, fits, connections) in rows {
        let stage = Stage::new();
        let receiver = Receiver::plain(scripts).await;
        let quick = stage.builder().limits(limits(Duration::from_millis(300)));
        let why = quick.build().unwrap().challenge(&receiver.url(), &challenge()).await.unwrap_err();
        assert!(fits(&why), "{scripts:?}: {why:?}");
        assert_eq!(receiver.accepted(), connections, "{scripts:?}");
        assert!(!why.to_string().contains("127.0.0.1"), "{why}");
    }
    let webhooks = Stage::new().builder().build().unwrap();
    for url in ["https://10.0.0.1/", "http://buyer.example/", "https://a_b.example/"] {
        let why = webhooks.challenge(url, &challenge()).await.unwrap_err();
        assert!(matches!(why, NotProven::Inadmissible(_)), "{why:?}");
    }
}
