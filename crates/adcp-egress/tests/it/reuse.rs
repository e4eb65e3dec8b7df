//! Connections that serve again: for the same origin only, for a while only, and honestly when they are gone.

use std::time::Duration;

use adcp_egress::{Cause, Egress, EgressBuilder, Limits, Request, Stage};

use crate::receiver::{Authority, NAME, OK, Receiver, Scripted, Step, Valid};

const TWICE: &[Step] = &[Step::Read, OK, Step::Read, OK, Step::Stall];

fn local() -> EgressBuilder {
    Egress::builder().allow_loopback_http()
}

#[tokio::test]
async fn a_connection_serves_again_without_asking_for_the_name() {
    let authority = Authority::new();
    let receiver = Receiver::secure(TWICE, authority.server(&[NAME], Valid::Now)).await;
    let resolver = Scripted::new(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let egress = authority.builder().resolver(resolver.clone()).build().unwrap();
    for (path, reused) in [("/1", false), ("/2", true)] {
        let response = egress.send(Request::post(receiver.url(path), "{}"), Limits::new()).await.unwrap();
        assert_eq!((response.status, response.reused), (200, reused));
        assert_eq!(response.timings.resolve.is_none(), reused);
    }
    let counts = egress.counts();
    assert_eq!((receiver.accepted(), counts.dialled, counts.resolved, counts.reused), (1, 1, 1, 1));
    assert_eq!(resolver.asked(), [NAME]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_requests_at_once_share_what_they_can() {
    let many: Vec<Step> = [Step::Read, OK].repeat(64);
    let receiver = Receiver::plain(&many).await;
    let egress = local().keep_connections(8, 4).build().unwrap();
    for _ in 0..3 {
        let send = || {
            let (egress, url) = (egress.clone(), receiver.plain_url("/"));
            tokio::spawn(async move { egress.send(Request::post(url, "{}"), Limits::new()).await })
        };
        let sending: Vec<_> = (0..32).map(|_| send()).collect();
        for sent in sending {
            assert_eq!(sent.await.unwrap().unwrap().body, b"ok");
        }
    }
    let counts = egress.counts();
    assert_eq!(counts.dialled + counts.reused, 96);
    assert!(counts.reused > 0 && counts.dialled == receiver.accepted() as u64, "{counts:?}");
    // How many there are depends on how many were under way at once, on a busy machine.
    assert!((1..=4).any(|kept| format!("{egress:?}").contains(&format!("count: {kept},"))), "{egress:?}");
}

#[tokio::test]
async fn a_connection_serves_one_origin() {
    let authority = Authority::new();
    let config = authority.server(&[NAME, "other.example", "127.0.0.1"], Valid::Now);
    let receiver = Receiver::secure(TWICE, config).await;
    let egress = authority.egress();
    let port = receiver.address.port();
    // The same machine, and even the same certificate: another name is another origin, and an address is one more.
    for host in [NAME, "other.example", "127.0.0.1"] {
        let url = format!("https://{host}:{port}/");
        let response = egress.send(Request::get(url), Limits::new()).await.unwrap();
        assert!(!response.reused, "{host}");
    }
    assert_eq!(receiver.accepted(), 3);
}

#[tokio::test]
async fn a_connection_grows_too_old() {
    let receiver = Receiver::plain(TWICE).await;
    let never = local().connection_lifetime(Duration::from_secs(15), Duration::ZERO).build().unwrap();
    let nowhere = local().keep_connections(0, 16).build().unwrap();
    let not_here = local().keep_connections(16, 0).build().unwrap();
    for egress in [never, nowhere, not_here] {
        for _ in 0..2 {
            let response = egress.send(Request::get(receiver.plain_url("/")), Limits::new()).await.unwrap();
            assert!(!response.reused);
        }
        assert_eq!((egress.counts().dialled, egress.counts().reused), (2, 0));
    }
}

#[tokio::test]
async fn an_unused_connection_is_closed() {
    let receiver = Receiver::plain(&[Step::Read, OK, Step::Stall]).await;
    let egress = local().build().unwrap();
    egress.send(Request::get(receiver.plain_url("/")), Limits::new()).await.unwrap();
    assert!(format!("{egress:?}").contains("count: 1"), "{egress:?}");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(16)).await;
    // The task that closes it has its turn.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(format!("{egress:?}").contains("count: 0"), "{egress:?}");
}

#[tokio::test]
async fn what_was_left_unread_does_not_answer_the_next_request() {
    let long = b"HTTP/1.1 200 OK\r\ncontent-length: 64\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong                     ";
    let receiver = Receiver::plain(&[Step::Read, Step::Send(long), Step::Read, OK]).await;
    let egress = local().build().unwrap();
    let short = Limits::new().with_body_bytes(4);
    let first = egress.send(Request::get(receiver.plain_url("/")), short).await.unwrap();
    assert!(first.truncated);
    let second = egress.send(Request::get(receiver.plain_url("/")), short).await.unwrap();
    assert!(!second.reused);
    assert_eq!(receiver.accepted(), 2);
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_answers_nothing() {
    let two =
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong";
    let receiver = Receiver::plain(&[Step::Read, Step::Send(two), Step::Stall]).await;
    let egress = local().build().unwrap();
    for _ in 0..3 {
        let response = egress.send(Request::get(receiver.plain_url("/")), Limits::new()).await.unwrap();
        assert_eq!((response.body.as_slice(), response.reused), (&b"ok"[..], false));
    }
}

#[tokio::test]
async fn a_connection_that_is_gone_is_told_from_a_receiver_that_fails() {
    const PART: Step = Step::Send(b"HTTP/1.1 2");
    // What the receiver does with the second request, and whether that is a connection that went stale.
    for (second, stale) in
        [(&[][..], true), (&[Step::Reset], true), (&[PART], false), (&[PART, Step::Reset], false)]
    {
        let script = [&[Step::Read, OK, Step::Read][..], second].concat();
        let receiver = Receiver::plain(&script).await;
        let egress = local().build().unwrap();
        egress.send(Request::get(receiver.plain_url("/")), Limits::new()).await.unwrap();
        let error = egress.send(Request::get(receiver.plain_url("/")), Limits::new()).await.unwrap_err();
        let failure = error.failure().unwrap();
        assert_eq!((failure.stage(), failure.cause()), (Stage::Head, Cause::Closed), "{second:?}");
        assert!(failure.reused());
        assert_eq!(failure.is_stale(), stale, "{second:?}");
        assert_eq!(egress.counts().dialled, 1, "nobody tried again by himself");
    }
    // The same on a connection of its own is no such thing.
    let receiver = Receiver::plain(&[Step::Read]).await;
    let error = local()
        .build()
        .unwrap()
        .send(Request::get(receiver.plain_url("/")), Limits::new())
        .await
        .unwrap_err();
    assert!(!error.failure().unwrap().is_stale());
}
