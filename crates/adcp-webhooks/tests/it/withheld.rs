//! What is kept of what a receiver says: never what it was sent in confidence.

use adcp_core::{DeadReason, DeliveryDetail};

use crate::receiver::{Receiver, Step};
use crate::stage::{Stage, TOKEN};
use Step::{Read, Send};

/// Credentials that could be a word of a protocol.
const WORD: &str = "abcdefghijklmnopqrstuvwxyzabcdefghij";

#[tokio::test]
async fn an_answer_is_kept_without_values_of_the_query_and_long_paths() {
    let stage = Stage::new();
    let said =
        "HTTP/1.1 400 No\r\nconnection: close\r\n\r\nno sink s3cr-t/99 at /in/long-segment for k9kk, /in";
    let receiver = Receiver::plain(&[&[Read, Send(said)]]).await;
    let webhooks = stage.start(stage.builder());
    let url = format!("http://{}/in/long-segment?to=s3cr-t%2f99&k=k9kk", receiver.address);
    let key = stage.publish(&url).await;
    let detail = stage.settle(&webhooks, &key).await;
    let want = "no sink [withheld] at /[withheld] for [withheld], /in";
    assert_eq!(detail.attempts[0].answer.as_deref(), Some(want));
}

/// What became of an event whose receiver answers with this head, and nothing else.
async fn after(head: &str, credentials: &str) -> DeliveryDetail {
    let stage = Stage::new();
    let head = format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    let receiver = Receiver::plain(&[&[Read, Send(head.leak())]]).await;
    let webhooks = stage.start(stage.builder());
    let key = stage.publish_with(&receiver.url(), Some(("Bearer", credentials))).await;
    stage.settle(&webhooks, &key).await
}

#[tokio::test]
async fn a_redirect_is_kept_without_all_that_could_be_a_secret() {
    let long = format!("https://{}.example/", "a".repeat(300));
    for (to, want) in [
        (&*format!("http://user:{TOKEN}@127.0.0.1:1/{TOKEN}/x?{TOKEN}#{TOKEN}"), "http://127.0.0.1:1"),
        ("HTTPS://Other.example/in", "https://Other.example"),
        ("https://a@b@[2001:db8::1]:8443/in", "https://[2001:db8::1]:8443"),
        ("//user:secret@other.example/in", "other.example"),
        (&*format!("https://{TOKEN}.example/"), "https://[withheld].example"),
        ("/elsewhere/secret", "another path of its own"),
        ("secret", "another path of its own"),
        ("mailto:secret@buyer.example", "what is no address of the web"),
        ("https://user:secret", "what is no address of the web"),
        ("https://secret\\@other.example/", "what is no address of the web"),
        ("https:///secret", "what is no address of the web"),
        (&long, "what is no address of the web"),
    ] {
        let detail = after(&format!("302 Found\r\nlocation: {to}"), WORD).await;
        assert_eq!(detail.record.reason, Some(DeadReason::Redirected));
        let said = detail.attempts[0].detail.clone().unwrap_or_default();
        assert_eq!(said, format!("the receiver points to {want}"), "{to}");
    }
    let nowhere = after("302 Found", WORD).await;
    assert_eq!(nowhere.attempts[0].detail.as_deref(), Some("the receiver points to nowhere"));
}

#[tokio::test]
async fn a_code_of_a_receiver_is_a_short_word_without_its_secrets() {
    let challenge = |code: &str| format!("401 No\r\nwww-authenticate: Signature error=\"{code}\"");
    let detail = after(&challenge(&format!("webhook_{WORD}")), WORD).await;
    assert_eq!(detail.record.reason, Some(DeadReason::SignatureRejected));
    let said = detail.attempts[0].detail.as_deref();
    assert_eq!(said, Some("the receiver rejects the signature: webhook_[withheld]"));

    for (length, reason) in [(64, DeadReason::SignatureRejected), (65, DeadReason::Exhausted)] {
        let code = format!("webhook_{}", "x".repeat(length - 8));
        let detail = after(&challenge(&code), WORD).await;
        assert_eq!(detail.record.reason, Some(reason), "{length}");
    }
    let odd = after(&challenge(&format!("webhook_{TOKEN}")), WORD).await;
    assert_eq!(odd.record.reason, Some(DeadReason::Exhausted));
    assert!(odd.attempts.iter().all(|attempt| attempt.detail.is_none()), "{:?}", odd.attempts);
}
