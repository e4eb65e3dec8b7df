//! Receivers that misbehave: how often each is tried, where its event ends, and why.

use std::time::Duration;

use adcp_core::{AttemptClass as Class, Clock as _, DeadReason, DeliveryState};
use adcp_egress::{Egress, Limits};
use adcp_webhooks::Schedule;
use futures_util::future::join_all;

use crate::receiver::{BUSY, OK, Receiver, Step, self_signed};
use crate::stage::{Stage, limits};
use crate::store::{Store, on_every_registry};
use Step::{Flood, Read, Reset, Send, Stall};

/// How long a step may take of a receiver that is expected to take too long.
const SHORT: Duration = Duration::from_millis(200);

/// Where an event ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Delivered,
    Dead(DeadReason),
}
use End::{Dead, Delivered};

struct Row {
    name: &'static str,
    /// One script for each connection, the last for all that follow.
    scripts: &'static [&'static [Step]],
    /// What the first attempt is.
    class: Class,
    attempts: u32,
    end: End,
    /// The wait after the first attempt, in seconds.
    wait: Option<u64>,
    /// Whether an attempt ends only because its time is over.
    slow: bool,
}

const fn row(
    name: &'static str,
    scripts: &'static [&'static [Step]],
    class: Class,
    attempts: u32,
    end: End,
) -> Row {
    Row { name, scripts, class, attempts, end, wait: None, slow: false }
}

impl Row {
    const fn waits(mut self, seconds: u64) -> Self {
        self.wait = Some(seconds);
        self
    }

    const fn slow(mut self) -> Self {
        self.slow = true;
        self
    }

    /// Little time for the step that takes too long, and enough for all others.
    fn limits(&self) -> Limits {
        let limits = limits(Duration::from_secs(10));
        match (self.slow, self.class) {
            (false, _) => limits,
            (true, Class::Timeout) => limits.with_head(SHORT),
            (true, _) => limits.with_body(SHORT),
        }
    }
}

const EXHAUSTED: End = Dead(DeadReason::Exhausted);
const REFUSED: End = Dead(DeadReason::Refused);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("accepts", &[&[Read, OK]], Class::Delivered, 1, Delivered),
    row("accepts without a word", &[&[Read, Send("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")]], Class::Delivered, 1, Delivered),
    row("accepts, with garbage", &[&[Read, Send("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\n<\0\u{1}{{{é%"), ]], Class::Delivered, 1, Delivered),
    row("accepts, and its body stalls", &[&[Read, Send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfour"), Stall]], Class::Delivered, 1, Delivered).slow(),
    row("accepts, and its body never ends", &[&[Read, Send("HTTP/1.1 200 OK\r\n\r\n"), Flood("again and again ")]], Class::Delivered, 1, Delivered),
    row("accepts, and resets within the body", &[&[Read, Send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfour"), Reset]], Class::Delivered, 1, Delivered),

    row("sends headers slowly", &[&[Read, Send("HTTP/1.1 200 OK\r\na: b\r\n"), Stall]], Class::Timeout, 3, EXHAUSTED).waits(5).slow(),
    row("says nothing", &[&[Read, Stall]], Class::Timeout, 3, EXHAUSTED).slow(),
    row("never reads", &[&[Stall]], Class::Timeout, 3, EXHAUSTED).slow(),
    row("sends headers for ever", &[&[Read, Send("HTTP/1.1 200 OK\r\n"), Flood("a: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n")]], Class::Garbage, 3, EXHAUSTED),
    row("is busy, and its body stalls", &[&[Read, Send("HTTP/1.1 503 Busy\r\ncontent-length: 9\r\n\r\nfour"), Stall]], Class::ServerError, 3, EXHAUSTED).slow(),
    row("refuses, and its body stalls", &[&[Read, Send("HTTP/1.1 404 No\r\ncontent-length: 9\r\n\r\nfour"), Stall]], Class::Refused, 1, REFUSED).slow(),

    row("resets at once", &[&[Reset]], Class::Connection, 3, EXHAUSTED),
    row("resets after it has read", &[&[Read, Reset]], Class::Connection, 3, EXHAUSTED),
    row("resets within the headers", &[&[Read, Send("HTTP/1.1 200 OK\r\na: b\r\n"), Reset]], Class::Connection, 3, EXHAUSTED),
    row("closes at once", &[&[]], Class::Connection, 3, EXHAUSTED),
    row("resets once, and accepts", &[&[Read, Reset], &[Read, OK]], Class::Connection, 2, Delivered),

    row("redirects to a private address", &[&[Read, Send("HTTP/1.1 307 Go\r\nlocation: https://10.0.0.1/in?key=theirs\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::Redirected, 1, Dead(DeadReason::Redirected)),
    row("redirects to nowhere", &[&[Read, Send("HTTP/1.1 302 Go\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::Redirected, 1, Dead(DeadReason::Redirected)),
    row("speaks no HTTP", &[&[Read, Send("hello, who is there?\r\n\r\n"), Stall]], Class::Garbage, 3, EXHAUSTED),
    row("switches to what nobody asked for", &[&[Read, Send("HTTP/1.1 101 Go\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"), Stall]], Class::Garbage, 3, EXHAUSTED),

    row("400", &[&[Read, Send("HTTP/1.1 400 No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::Refused, 1, REFUSED),
    row("401", &[&[Read, Send("HTTP/1.1 401 Who\r\nwww-authenticate: Bearer\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::Unauthorized, 3, EXHAUSTED).waits(5),
    row("401 while keys are rotated", &[&[Read, Send("HTTP/1.1 401 Who\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")], &[Read, OK]], Class::Unauthorized, 2, Delivered),
    row("401 with an error of the signature", &[&[Read, Send("HTTP/1.1 401 Who\r\nwww-authenticate: Bearer\r\nwww-authenticate: Signature error=\"webhook_signature_key_unknown\"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::Unauthorized, 1, Dead(DeadReason::SignatureRejected)),
    row("401 with another mode", &[&[Read, Send("HTTP/1.1 401 Who\r\nwww-authenticate: Signature error=\"webhook_mode_mismatch\"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::Unauthorized, 1, Dead(DeadReason::SignatureRejected)),
    row("401 with an error of requests", &[&[Read, Send("HTTP/1.1 401 Who\r\nwww-authenticate: Signature error=\"request_signature_required\"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::Unauthorized, 3, EXHAUSTED),
    row("403", &[&[Read, Send("HTTP/1.1 403 No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::Refused, 1, REFUSED),
    row("404", &[&[Read, Send("HTTP/1.1 404 No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::Refused, 1, REFUSED),
    row("408", &[&[Read, Send("HTTP/1.1 408 Slow\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::Throttled, 3, EXHAUSTED).waits(5),
    row("409", &[&[Read, Send("HTTP/1.1 409 No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::Refused, 1, REFUSED),
    row("410", &[&[Read, Send("HTTP/1.1 410 Gone\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::Gone, 1, Dead(DeadReason::Gone)),
    row("413", &[&[Read, Send("HTTP/1.1 413 Big\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::Refused, 1, REFUSED),
    row("425", &[&[Read, Send("HTTP/1.1 425 Early\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::Throttled, 3, EXHAUSTED),
    row("429", &[&[Read, Send("HTTP/1.1 429 Slow\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::Throttled, 3, EXHAUSTED).waits(5),
    row("429, and asks for a wait", &[&[Read, Send("HTTP/1.1 429 Slow\r\nretry-after: 7\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")], &[Read, OK]], Class::Throttled, 2, Delivered).waits(7),
    row("429, and asks for an hour", &[&[Read, Send("HTTP/1.1 429 Slow\r\nretry-after: 3600\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::Throttled, 3, EXHAUSTED).waits(10),
    row("429, and names a date", &[&[Read, Send("HTTP/1.1 429 Slow\r\nretry-after: Sat, 21 Nov 2026 08:00:08 GMT\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::Throttled, 3, EXHAUSTED).waits(8),
    row("500", &[&[Read, Send("HTTP/1.1 500 No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::ServerError, 3, EXHAUSTED).waits(5),
    row("503", &[&[Read, BUSY]], Class::ServerError, 3, EXHAUSTED).waits(5),
    row("503, and asks for a wait", &[&[Read, Send("HTTP/1.1 503 Busy\r\nretry-after: 6\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")]], Class::ServerError, 3, EXHAUSTED).waits(6),
    row("503 twice, and accepts", &[&[Read, BUSY], &[Read, BUSY], &[Read, OK]], Class::ServerError, 3, Delivered),
];

async fn check(row: &Row) {
    let receiver = Receiver::plain(row.scripts).await;
    check_at(row, &receiver.url()).await;
    if let Delivered = row.end {
        assert_eq!(receiver.accepted(), row.attempts as usize, "{}", row.name);
    }
}

async fn check_at(row: &Row, url: &str) {
    let stage = Stage::new();
    let webhooks = stage.start(stage.builder().limits(row.limits()));
    let began = stage.clock.now();
    let key = stage.publish(url).await;
    let first = stage.until(&key, |detail| !detail.attempts.is_empty()).await;
    if let Some(wait) = row.wait {
        let due = first.record.due_at.unwrap();
        assert_eq!(due.since(began), Duration::from_secs(wait), "{}", row.name);
    }
    assert_eq!(first.attempts[0].class, row.class, "{}: {:?}", row.name, first.attempts[0]);
    let detail = stage.settle(&webhooks, &key).await;
    let end = match detail.record.state {
        DeliveryState::Delivered => Delivered,
        state => Dead(detail.record.reason.unwrap_or_else(|| panic!("{}: {state:?}", row.name))),
    };
    assert_eq!((end, detail.record.attempts), (row.end, row.attempts), "{}", row.name);
    assert_eq!(detail.attempts.len(), row.attempts as usize, "{}: every attempt is kept", row.name);
}

on_every_registry! {
    an_address_that_must_not_be_called_is_not_called,
    the_whole_schedule_is_tried_before_an_event_is_given_up,
    what_a_receiver_said_is_kept_without_secrets,
}

#[tokio::test]
async fn every_receiver_has_its_end() {
    join_all(ROWS.iter().map(check)).await;
}

#[tokio::test]
async fn a_receiver_without_a_believable_certificate_is_tried_again() {
    let secure = Receiver::start(&[&[Read, OK]], Some(self_signed())).await;
    let plain = Receiver::plain(&[&[OK]]).await;
    let reset = Receiver::plain(&[&[Reset]]).await;
    for (name, url, class) in [
        ("vouches for itself", secure.secure_url(), Class::Tls),
        ("speaks no TLS", plain.secure_url(), Class::Tls),
        ("resets instead of a handshake", reset.secure_url(), Class::Tls),
    ] {
        check_at(&row(name, &[], class, 3, EXHAUSTED), &url).await;
    }
    assert!(secure.got().is_empty());
    let nobody = Receiver::plain(&[&[]]).await.address;
    check_at(&row("is not there", &[], Class::Connection, 3, EXHAUSTED), &format!("http://{nobody}/")).await;
}

async fn an_address_that_must_not_be_called_is_not_called(store: Store) {
    for url in ["https://10.0.0.1/hook", "http://buyer.example/", "not a url", "https://user@buyer.example/"]
    {
        let stage = Stage::over(store).await;
        let egress = Egress::builder().allow_loopback_http().build().unwrap();
        let webhooks = stage.start(stage.builder().egress(egress.clone()));
        let key = stage.publish(url).await;
        let detail = stage.settle(&webhooks, &key).await;
        assert_eq!(detail.record.reason, Some(DeadReason::ForbiddenAddress), "{url}");
        assert_eq!(detail.attempts[0].class, Class::Forbidden);
        assert_eq!((egress.counts().dialled, egress.counts().resolved), (0, 0), "{url}");
    }
}

async fn the_whole_schedule_is_tried_before_an_event_is_given_up(store: Store) {
    let stage = Stage::over(store).await;
    let receiver = Receiver::plain(&[&[Read, BUSY]]).await;
    let webhooks = stage.start(stage.builder().schedule(Schedule::new()));
    let began = stage.clock.now();
    let key = stage.publish(&receiver.url()).await;
    let detail = stage.settle(&webhooks, &key).await;
    assert_eq!((detail.record.reason, detail.record.attempts), (Some(DeadReason::Exhausted), 11));
    let took = stage.clock.now().since(began);
    let day = Duration::from_secs(24 * 60 * 60);
    assert!(took > day * 3 / 4 && took <= day, "{took:?}");
}

async fn what_a_receiver_said_is_kept_without_secrets(store: Store) {
    let stage = Stage::over(store).await;
    let redirect = Receiver::plain(&[&[
        Read,
        Send("HTTP/1.1 307 Go\r\nlocation: https://10.0.0.1/in?key=theirs\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
    ]])
    .await;
    let echo = Receiver::plain(&[&[
        Read,
        Send("HTTP/1.1 400 No\r\nconnection: close\r\n\r\nPOST /hook?key=query-of-the-buyer token-of-the-buyer-0123456789"),
    ]])
    .await;
    let webhooks = stage.start(stage.builder());
    let key = stage.publish(&redirect.url()).await;
    let attempt = stage.settle(&webhooks, &key).await.attempts.remove(0);
    assert_eq!(attempt.detail.as_deref(), Some("the receiver points to https://10.0.0.1"));
    assert_eq!((attempt.http_status, attempt.peer), (Some(307), Some(redirect.address.to_string())));
    let key = stage.publish(&echo.url()).await;
    let attempt = stage.settle(&webhooks, &key).await.attempts.remove(0);
    assert_eq!(attempt.answer.as_deref(), Some("POST /hook?[withheld] [withheld]"));
}
