//! One exchange: what is sent, what is read, and what never is.

use adcp_egress::{Class, Egress, EgressError, Limits, Misuse, Request};

use crate::receiver::{Authority, NAME, OK, Receiver, Step, Valid};

fn local() -> Egress {
    Egress::builder().allow_loopback_http().build().unwrap()
}

#[tokio::test]
async fn a_request_arrives_as_it_was_given() {
    let receiver = Receiver::plain(&[Step::Read, OK]).await;
    let request = Request::post(receiver.plain_url("/a//b/../c?x=%2f&y[]=1"), "{\"a\": 1}")
        .with_header("Content-Type", "application/json")
        .with_header("Signature", "sig1=:AAAA:")
        .with_header("X-Twice", "1")
        .with_header("X-Twice", "2");
    let response = local().send(request, Limits::new()).await.unwrap();
    assert_eq!((response.status, response.body.as_slice(), response.truncated), (200, &b"ok"[..], false));
    assert_eq!((response.peer, response.reused), (receiver.address, false));
    assert!(response.is_success() && response.location().is_none());

    let requests = receiver.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines.remove(0), "POST /a//b/../c?x=%2f&y[]=1 HTTP/1.1");
    lines.sort_unstable();
    let agent = format!("user-agent: adcp-rust/{}", env!("CARGO_PKG_VERSION"));
    let host = format!("host: {}", receiver.address);
    // No cookie, no referrer, no wish for compression, nothing of a proxy: this is all.
    let expected = [
        "accept: */*",
        "content-length: 8",
        "content-type: application/json",
        &host,
        "signature: sig1=:AAAA:",
        &agent,
        "x-twice: 1",
        "x-twice: 2",
    ];
    assert_eq!(lines, expected);
    assert_eq!(body, "{\"a\": 1}");
}

#[tokio::test]
async fn a_document_is_read() {
    let receiver = Receiver::plain(&[
        Step::Read,
        Step::Send(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nset-cookie: a=b\r\ncontent-length: 5\r\n\r\n\x1f\x8b\xff\0z"),
    ])
    .await;
    let request = Request::get(receiver.plain_url("/jwks.json")).with_header("accept", "application/json");
    let response = local().send(request, Limits::new()).await.unwrap();
    // Compressed it came, and compressed it stays.
    assert_eq!(response.body, b"\x1f\x8b\xff\0z");
    assert_eq!((response.header("Content-Encoding"), response.header("absent")), (Some("gzip"), None));
    let request = &receiver.requests()[0];
    assert!(request.starts_with("GET /jwks.json HTTP/1.1\r\n"), "{request}");
    assert!(
        request.contains("accept: application/json\r\n") && !request.contains("content-length"),
        "{request}"
    );
}

#[tokio::test]
async fn a_redirect_is_returned_and_never_followed() {
    let elsewhere = Receiver::plain(&[Step::Read, OK]).await;
    for status in [301, 302, 303, 307, 308] {
        let location = elsewhere.plain_url("/private");
        let head = format!("HTTP/1.1 {status} Go\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let receiver = Receiver::plain(&[Step::Read, Step::Send(head.leak().as_bytes())]).await;
        let egress = local();
        let response =
            egress.send(Request::post(receiver.plain_url("/"), "{}"), Limits::new()).await.unwrap();
        assert_eq!((response.status, response.location()), (status, Some(location.as_str())));
        assert!(!response.is_success());
        assert_eq!(egress.counts().dialled, 1);
    }
    assert_eq!(elsewhere.accepted(), 0);
}

#[tokio::test]
async fn the_name_goes_to_the_checked_address_only() {
    let authority = Authority::new();
    let receiver = Receiver::secure(&[Step::Read, OK], authority.server(&[NAME], Valid::Now)).await;
    let egress = authority.egress();
    let response = egress.send(Request::post(receiver.url("/hook"), "{}"), Limits::new()).await.unwrap();
    assert_eq!((response.status, response.peer), (200, receiver.address));
    // The name is what TLS asks for and what the request is for; the address is only where it goes.
    assert_eq!(receiver.names(), [Some(NAME.to_owned())]);
    let host = format!("host: {NAME}:{}\r\n", receiver.address.port());
    assert!(receiver.requests()[0].contains(&host), "{:?}", receiver.requests());
    let timings = response.timings;
    assert!(timings.resolve.is_some() && timings.connect.is_some() && timings.handshake.is_some());
    assert!(timings.head.is_some() && timings.body.is_some() && timings.total >= timings.head.unwrap());
}

#[tokio::test]
async fn what_describes_the_connection_is_not_the_callers_to_set() {
    let receiver = Receiver::plain(&[Step::Read, OK]).await;
    let egress = local();
    for name in [
        "Host",
        "host",
        "Connection",
        "Content-Length",
        "Transfer-Encoding",
        "TE",
        "Trailer",
        "Upgrade",
        "Expect",
        "Keep-Alive",
        "Proxy-Connection",
        "Proxy-Authorization",
        "Accept-Encoding",
    ] {
        let request = Request::post(receiver.plain_url("/"), "{}").with_header(name, "x");
        let error = egress.send(request, Limits::new()).await.unwrap_err();
        assert!(
            matches!(&error, EgressError::Misused(Misuse::Reserved(found)) if found == name),
            "{error:?}"
        );
        assert_eq!(error.class(), Class::Permanent);
    }
    for name in ["", ":authority", "a b", "a\r\nb", "\u{fc}"] {
        let request = Request::post(receiver.plain_url("/"), "{}").with_header(name, "x");
        let error = egress.send(request, Limits::new()).await.unwrap_err();
        assert!(matches!(error, EgressError::Misused(Misuse::HeaderName(_))), "{error:?}");
    }
    for value in ["hunter2\r\nhost: other", "hunter2\n", "hunter2\0"] {
        let request = Request::post(receiver.plain_url("/"), "{}").with_header("authorization", value);
        let error = egress.send(request, Limits::new()).await.unwrap_err();
        assert!(matches!(error, EgressError::Misused(Misuse::HeaderValue(_))), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    assert_eq!((egress.counts().dialled, receiver.accepted()), (0, 0));
}

#[tokio::test]
async fn a_body_is_read_up_to_its_bound() {
    for (bound, body, truncated) in [
        (0, "", true),
        (1, "0", true),
        (9, "012345678", true),
        (10, "0123456789", false),
        (11, "0123456789", false),
    ] {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789";
        let receiver = Receiver::plain(&[Step::Read, Step::Send(answer), Step::Stall]).await;
        let egress = local();
        let limits = Limits::new().with_body_bytes(bound);
        let response = egress.send(Request::get(receiver.plain_url("/")), limits).await.unwrap();
        assert_eq!((response.body.as_slice(), response.truncated), (body.as_bytes(), truncated), "{bound}");
    }
}

#[tokio::test]
async fn nothing_is_asked_of_a_proxy() {
    // The environment of a process cannot be changed safely while tests run, so this shows it by what is sent: the
    // form of the target that a proxy needs never appears, and the connection goes to the address itself.
    let receiver = Receiver::plain(&[Step::Read, OK]).await;
    let response = local().send(Request::get(receiver.plain_url("/x")), Limits::new()).await.unwrap();
    assert_eq!(response.peer, receiver.address);
    assert!(receiver.requests()[0].starts_with("GET /x HTTP/1.1\r\n"));
}
