//! Every step is bounded, and so is everything together.

use std::time::{Duration, Instant};

use adcp_egress::{Cause, Egress, Limits, Request, Stage};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::receiver::{OK, Receiver, Scripted, Step};

const SHORT: Duration = Duration::from_millis(150);

fn local() -> Egress {
    Egress::builder().allow_loopback_http().build().unwrap()
}

/// A queue that is full takes no more: what comes then is not answered at all.
async fn full(address: &str) -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(address.parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let (mut waiting, mut unanswered) = (Vec::new(), 0);
    // Twice, for a busy machine may take that long once.
    while unanswered < 2 {
        match tokio::time::timeout(SHORT, TcpStream::connect(address)).await {
            Ok(stream) => waiting.push(stream.unwrap()),
            Err(_) => unanswered += 1,
        }
        assert!(waiting.len() < 64, "this machine's queues have no end");
    }
    (listener, waiting)
}

#[tokio::test]
async fn a_connection_that_nobody_takes_is_given_up() {
    let (listener, _waiting) = full("127.0.0.1:0").await;
    let begun = Instant::now();
    let request = Request::get(format!("http://{}/", listener.local_addr().unwrap()));
    let error = local().send(request, Limits::new().with_connect(SHORT)).await.unwrap_err();
    let failure = error.failure().unwrap();
    assert_eq!((failure.stage(), failure.cause()), (Stage::Connect, Cause::TimedOut));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn an_address_that_is_silent_leaves_time_for_the_next() {
    let receiver = Receiver::plain(&[Step::Read, OK]).await;
    let (_listener, _waiting) = full(&format!("127.0.0.5:{}", receiver.address.port())).await;
    let resolver = Scripted::new(&[&["127.0.0.5", "127.0.0.1"]]);
    let egress = Egress::builder().allow_loopback_http().resolver(resolver).build().unwrap();
    let request = Request::get(format!("http://hooks.localhost:{}/", receiver.address.port()));
    let response = egress.send(request, Limits::new().with_connect(Duration::from_secs(2))).await.unwrap();
    assert_eq!((response.peer, egress.counts().dialled), (receiver.address, 2));
}

#[tokio::test]
async fn all_steps_together_are_bounded() {
    const PART: Step = Step::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfour");
    for (script, stage, status) in [
        (&[Step::Read, Step::Stall][..], Stage::Head, None),
        (&[Step::Read, PART, Step::Stall], Stage::Body, Some(200)),
    ] {
        let receiver = Receiver::plain(script).await;
        let begun = Instant::now();
        let limits = Limits::new().with_total(SHORT);
        let error = local().send(Request::get(receiver.plain_url("/")), limits).await.unwrap_err();
        let failure = error.failure().unwrap();
        assert_eq!((failure.stage(), failure.cause(), failure.status()), (stage, Cause::TimedOut, status));
        assert!(failure.timings().total >= SHORT && begun.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn a_body_that_nobody_reads_is_not_sent_for_ever() {
    let receiver = Receiver::plain(&[Step::Read]).await;
    drop(receiver);
    // Accepts by the queue of the system, and reads nothing: more than fits into buffers stays behind.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let request = Request::post(format!("http://{}/", listener.local_addr().unwrap()), vec![b' '; 32 << 20]);
    let error = local().send(request, Limits::new().with_head(SHORT)).await.unwrap_err();
    let failure = error.failure().unwrap();
    assert_eq!((failure.stage(), failure.cause()), (Stage::Head, Cause::TimedOut));
}

#[tokio::test]
async fn the_head_of_an_answer_is_bounded() {
    fn head(headers: usize, bytes: usize) -> &'static [u8] {
        let mut head = String::from("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n");
        for number in 1..headers {
            head.push_str(&format!("a{number}: b\r\n"));
        }
        let rest = bytes.saturating_sub(head.len() + "filler: \r\n\r\n".len());
        if rest > 0 {
            head.push_str(&format!("filler: {}\r\n", "b".repeat(rest)));
        }
        head.push_str("\r\n");
        head.leak().as_bytes()
    }
    let egress =
        || Egress::builder().allow_loopback_http().max_head_bytes(10_000).max_headers(50).build().unwrap();
    for (answer, fits) in
        [(head(50, 0), true), (head(51, 0), false), (head(2, 9_000), true), (head(2, 10_100), false)]
    {
        let receiver = Receiver::plain(&[Step::Read, Step::Send(answer), Step::Stall]).await;
        let outcome = egress().send(Request::get(receiver.plain_url("/")), Limits::new()).await;
        match outcome {
            Ok(response) => assert!(fits && response.status == 200),
            Err(error) => {
                assert!(!fits, "{error:?}");
                assert_eq!(error.failure().unwrap().cause(), Cause::TooLarge);
            }
        }
    }
}

#[tokio::test]
async fn a_connection_ends_with_its_exchange() {
    const FLOOD: &[Step] = &[Step::Read, Step::Send(b"HTTP/1.1 200 OK\r\n\r\n"), Step::Flood(b"again ")];
    let egress = local();
    // Dropped, too late, and cut off.
    let receiver = Receiver::plain(&[Step::Read, Step::Stall]).await;
    let request = || Request::get(receiver.plain_url("/"));
    let sending = tokio::time::timeout(SHORT, egress.send(request(), Limits::new())).await;
    assert!(sending.is_err());
    receiver.ended().await;
    assert!(egress.send(request(), Limits::new().with_head(SHORT)).await.is_err());
    receiver.ended().await;
    let receiver = Receiver::plain(FLOOD).await;
    let limits = Limits::new().with_body_bytes(100);
    let response = egress.send(Request::get(receiver.plain_url("/")), limits).await.unwrap();
    assert!(response.truncated);
    receiver.ended().await;
    assert!(format!("{egress:?}").contains("count: 0"), "{egress:?}");
}
