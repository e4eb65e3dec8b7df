//! Receivers that misbehave: at which step that shows, as what, and that it always ends.

use std::time::{Duration, Instant};

use adcp_egress::{Cause, Class, Limits, Request, Stage};

use crate::receiver::{Authority, NAME, OK, Receiver, Step, Valid};
use Step::{Flood, Read, Reset, Send, Stall};

/// How long a step of a row may take that is expected to take too long.
const SHORT: Duration = Duration::from_millis(150);

/// How long any row may take.
const BOUND: Duration = Duration::from_secs(9);

#[derive(Debug, Clone, Copy)]
enum Expected {
    /// An answer with this status and so many bytes; whether more was left unread.
    Answer(u16, usize, bool),
    /// No answer: the step, the cause, and the status if one had come.
    Failure(Stage, Cause, Option<u16>),
}
use Expected::{Answer, Failure};

struct Row {
    name: &'static str,
    script: &'static [Step],
    expected: Expected,
}

const fn row(name: &'static str, script: &'static [Step], expected: Expected) -> Row {
    Row { name, script, expected }
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n";
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const ENDLESS: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";

/// What a receiver does once it is connected.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("answers", &[Read, OK], Answer(200, 2, false)),
    row("refuses", &[Read, Send(b"HTTP/1.1 503 No\r\nretry-after: 9\r\ncontent-length: 0\r\n\r\n")], Answer(503, 0, false)),
    row("has nothing to say", &[Read, Send(b"HTTP/1.1 204 No Content\r\n\r\n")], Answer(204, 0, false)),
    row("answers before it has read", &[OK, Stall], Answer(200, 2, false)),
    row("hints before it answers", &[Read, Send(b"HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n"), OK], Answer(200, 2, false)),
    row("switches to what nobody asked for", &[Read, Send(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"), Stall], Answer(101, 0, false)),
    row("answers in chunks", &[Read, Send(CHUNKED), Send(b"4\r\nfour\r\n0\r\n\r\n")], Answer(200, 4, false)),
    row("ends the body with the connection", &[Read, Send(ENDLESS), Send(b"four")], Answer(200, 4, false)),
    row("redirects to a private address", &[Read, Send(b"HTTP/1.1 307 Go\r\nlocation: https://10.0.0.1/\r\ncontent-length: 0\r\n\r\n")], Answer(307, 0, false)),

    row("says nothing", &[Read, Stall], Failure(Stage::Head, Cause::TimedOut, None)),
    row("never reads", &[Stall], Failure(Stage::Head, Cause::TimedOut, None)),
    row("stops within the first line", &[Read, Send(b"HTTP/1.1 2"), Stall], Failure(Stage::Head, Cause::TimedOut, None)),
    row("stops within the headers", &[Read, Send(b"HTTP/1.1 200 OK\r\na: b\r\n"), Stall], Failure(Stage::Head, Cause::TimedOut, None)),
    row("hints for ever", &[Read, Flood(b"HTTP/1.1 103 Early Hints\r\n\r\n")], Failure(Stage::Head, Cause::TimedOut, None)),
    row("sends headers for ever", &[Read, Send(b"HTTP/1.1 200 OK\r\n"), Flood(b"a: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n")], Failure(Stage::Head, Cause::TooLarge, None)),
    row("sends one header for ever", &[Read, Send(b"HTTP/1.1 200 OK\r\na: "), Flood(b"bbbbbbbbbbbbbbbb")], Failure(Stage::Head, Cause::TooLarge, None)),
    row("sends a first line for ever", &[Read, Send(b"HTTP/1.1 200 "), Flood(b"OKOKOKOKOKOKOKOK")], Failure(Stage::Head, Cause::TooLarge, None)),

    row("closes at once", &[], Failure(Stage::Head, Cause::Closed, None)),
    row("closes without an answer", &[Read], Failure(Stage::Head, Cause::Closed, None)),
    row("closes within the headers", &[Read, Send(b"HTTP/1.1 200 OK\r\na: b\r\n")], Failure(Stage::Head, Cause::Closed, None)),
    row("closes within the body", &[Read, Send(HEAD), Send(b"four")], Failure(Stage::Body, Cause::Closed, Some(200))),
    row("closes within a chunk", &[Read, Send(CHUNKED), Send(b"9\r\nfour")], Failure(Stage::Body, Cause::Closed, Some(200))),
    row("closes before the last chunk", &[Read, Send(CHUNKED), Send(b"4\r\nfour\r\n")], Failure(Stage::Body, Cause::Closed, Some(200))),
    row("resets at once", &[Reset], Failure(Stage::Head, Cause::Closed, None)),
    row("resets instead of an answer", &[Read, Reset], Failure(Stage::Head, Cause::Closed, None)),
    row("resets within the headers", &[Read, Send(b"HTTP/1.1 200 OK\r\na: b\r\n"), Reset], Failure(Stage::Head, Cause::Closed, None)),

    row("stops before the body", &[Read, Send(HEAD), Stall], Failure(Stage::Body, Cause::TimedOut, Some(200))),
    row("stops within the body", &[Read, Send(HEAD), Send(b"four"), Stall], Failure(Stage::Body, Cause::TimedOut, Some(200))),
    row("stops within a chunk", &[Read, Send(CHUNKED), Send(b"9\r\nfour"), Stall], Failure(Stage::Body, Cause::TimedOut, Some(200))),
    row("sends a body for ever", &[Read, Send(ENDLESS), Flood(b"again and again and again and again ")], Answer(200, 4_096, true)),
    row("sends chunks for ever", &[Read, Send(CHUNKED), Flood(b"4\r\nfour\r\n")], Answer(200, 4_096, true)),
    row("promises more than it may send", &[Read, Send(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"), Flood(b"again and again ")], Answer(200, 4_096, true)),
    row("promises an absurd length", &[Read, Send(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n"), Stall], Failure(Stage::Head, Cause::Malformed, None)),
    row("sends a chunk's name for ever", &[Read, Send(CHUNKED), Send(b"4;a="), Flood(b"bbbbbbbbbbbbbbbbbbbb")], Failure(Stage::Body, Cause::Malformed, Some(200))),

    row("speaks no HTTP", &[Read, Send(b"hello, who is there?\r\n\r\n"), Stall], Failure(Stage::Head, Cause::Malformed, None)),
    row("speaks another version", &[Read, Send(b"HTTP/3.0 200 OK\r\n\r\n"), Stall], Failure(Stage::Head, Cause::Malformed, None)),
    row("has no status", &[Read, Send(b"HTTP/1.1 abc OK\r\n\r\n"), Stall], Failure(Stage::Head, Cause::Malformed, None)),
    row("names a header wrongly", &[Read, Send(b"HTTP/1.1 200 OK\r\na b: c\r\n\r\n"), Stall], Failure(Stage::Head, Cause::Malformed, None)),
    row("folds a header", &[Read, Send(b"HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n"), Stall], Failure(Stage::Head, Cause::Malformed, None)),
    row("gives two lengths", &[Read, Send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nokk"), Stall], Failure(Stage::Head, Cause::Malformed, None)),
    row("gives a length that is none", &[Read, Send(b"HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\nok"), Stall], Failure(Stage::Head, Cause::Malformed, None)),
    row("gives a chunk a size that is none", &[Read, Send(CHUNKED), Send(b"zz\r\nfour\r\n"), Stall], Failure(Stage::Body, Cause::Malformed, Some(200))),
    row("ends a chunk wrongly", &[Read, Send(CHUNKED), Send(b"4\r\nfourfour\r\n"), Stall], Failure(Stage::Body, Cause::Malformed, Some(200))),
    row("gives a chunk an absurd size", &[Read, Send(CHUNKED), Send(b"fffffffffffffffffffff\r\n"), Stall], Failure(Stage::Body, Cause::Malformed, Some(200))),
    row("says success with rubbish", &[Read, Send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\n\xff\xfe{]")], Answer(200, 4, false)),
];

#[tokio::test]
async fn every_fault_ends_in_time_and_says_what_it_is() {
    let authority = Authority::new();
    let mut wrong = Vec::new();
    for Row { name, script, expected } in ROWS {
        for secure in [false, true] {
            let receiver = if secure {
                Receiver::secure(script, authority.server(&[NAME], Valid::Now)).await
            } else {
                Receiver::plain(script).await
            };
            let url = if secure { receiver.url("/hook") } else { receiver.plain_url("/hook") };
            let mut limits = Limits::new().with_body_bytes(4_096);
            match expected {
                Failure(Stage::Head, Cause::TimedOut, _) => limits = limits.with_head(SHORT),
                Failure(Stage::Body, Cause::TimedOut, _) => limits = limits.with_body(SHORT),
                _ => {}
            }
            let egress = authority.builder().max_head_bytes(8_192).build().unwrap();
            let begun = Instant::now();
            let outcome = egress.send(Request::post(url, "{\"a\": 1}"), limits).await;
            let right = match (&outcome, expected) {
                (Ok(found), Answer(status, bytes, truncated)) => {
                    (found.status, found.body.len(), found.truncated) == (*status, *bytes, *truncated)
                }
                (Err(error), Failure(stage, cause, status)) => error.failure().is_some_and(|failure| {
                    (failure.stage(), failure.cause(), failure.status()) == (*stage, *cause, *status)
                        && failure.peer() == Some(receiver.address)
                        && !failure.reused()
                        && error.class() == Class::Transient
                }),
                _ => false,
            };
            let once = egress.counts().dialled == 1 && receiver.accepted() == 1;
            if !right || !once || begun.elapsed() > BOUND {
                wrong.push(format!(
                    "{name} (secure: {secure}): {:?}: {outcome:?}, not {expected:?}",
                    begun.elapsed()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_receiver_without_tls_is_not_talked_to() {
    const HELLO: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\r\n";
    for (name, script, cause) in [
        ("says nothing", &[Stall][..], Cause::TimedOut),
        ("speaks HTTP", &[Send(HELLO), Stall], Cause::NoTls),
        ("speaks for ever", &[Flood(HELLO)], Cause::NoTls),
        ("closes", &[], Cause::Closed),
        ("resets", &[Reset], Cause::Closed),
        ("begins and stops", &[Send(b"\x16\x03\x03\x40\x00"), Stall], Cause::TimedOut),
        ("begins and closes", &[Send(b"\x16\x03\x03\x40\x00")], Cause::Closed),
        ("raises an alert", &[Send(b"\x15\x03\x03\x00\x02\x02\x28"), Stall], Cause::NoTls),
    ] {
        let receiver = Receiver::plain(script).await;
        let limits = Limits::new().with_handshake(SHORT);
        let begun = Instant::now();
        let error =
            Authority::new().egress().send(Request::post(receiver.url("/"), "{}"), limits).await.unwrap_err();
        let failure = error.failure().unwrap();
        assert_eq!((failure.stage(), failure.cause()), (Stage::Handshake, cause), "{name}: {error:?}");
        assert_eq!(error.class(), Class::Transient);
        assert!(begun.elapsed() < BOUND, "{name}");
    }
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_unreachable() {
    let receiver = Receiver::plain(&[]).await;
    let url = receiver.plain_url("/");
    let address = receiver.address;
    drop(receiver);
    // Its task has to end before the port is closed.
    tokio::task::yield_now().await;
    let egress = Authority::new().egress();
    let error = egress.send(Request::get(url), Limits::new()).await.unwrap_err();
    let failure = error.failure().unwrap();
    assert_eq!((failure.stage(), failure.cause()), (Stage::Connect, Cause::Unreachable));
    assert_eq!((failure.peer(), error.class()), (Some(address), Class::Transient));
}
