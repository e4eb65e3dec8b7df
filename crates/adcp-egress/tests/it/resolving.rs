//! Names: asked for once, judged as a whole, and followed to nowhere else.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adcp_egress::{Cause, Class, Egress, Limits, Refusal, Request, Resolve, Stage, SystemResolver};

use crate::receiver::{Authority, NAME, OK, Receiver, Scripted, Step, Valid};

#[tokio::test]
async fn a_name_that_moves_is_followed_only_where_it_was_checked() {
    let authority = Authority::new();
    let script = [Step::Read, OK];
    let receiver = Receiver::secure(&script, authority.server(&[NAME], Valid::Now)).await;
    let resolver =
        Scripted::new(&[&["127.0.0.1"], &["10.0.0.1"], &["127.0.0.1", "192.168.0.1"], &["169.254.169.254"]]);
    let egress = authority.builder().resolver(resolver.clone()).keep_connections(0, 0).build().unwrap();

    // Asked once, gone to what was answered: the second answer, which was ready, has no part in it.
    let response = egress.send(Request::post(receiver.url("/"), "{}"), Limits::new()).await.unwrap();
    assert_eq!(response.peer, receiver.address);
    assert_eq!((resolver.asked().len(), egress.counts().dialled), (1, 1));

    for wrong in ["10.0.0.1", "192.168.0.1", "169.254.169.254"] {
        let error = egress.send(Request::post(receiver.url("/"), "{}"), Limits::new()).await.unwrap_err();
        assert_eq!(error.refusal(), Some(&Refusal::LeadsTo(vec![wrong.parse().unwrap()])));
        assert_eq!(error.class(), Class::Permanent);
    }
    assert_eq!((egress.counts().dialled, receiver.accepted()), (1, 1));
}

#[tokio::test]
async fn a_connection_goes_to_the_checked_address_and_no_other() {
    let authority = Authority::new();
    let config = || authority.server(&[NAME], Valid::Now);
    let here: IpAddr = "127.0.0.2".parse().unwrap();
    let receiver = Receiver::start(here, &[Step::Read, OK], Some(config())).await;
    let egress = authority.builder().resolver(Scripted::new(&[&["127.0.0.2"]])).build().unwrap();
    let response = egress.send(Request::post(receiver.url("/"), "{}"), Limits::new()).await.unwrap();
    assert_eq!(response.peer.ip(), here);
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_does_not_answer() {
    let authority = Authority::new();
    let receiver = Receiver::secure(&[Step::Read, OK], authority.server(&[NAME], Valid::Now)).await;
    let resolver = Scripted::new(&[&["127.0.0.3", "127.0.0.4", "127.0.0.1"]]);
    let egress = authority.builder().resolver(resolver).build().unwrap();
    let response = egress.send(Request::post(receiver.url("/"), "{}"), Limits::new()).await.unwrap();
    assert_eq!((response.peer, egress.counts().dialled), (receiver.address, 3));
}

#[tokio::test]
async fn a_name_that_leads_nowhere_may_lead_somewhere_later() {
    let many: Vec<String> = (0..65).map(|last| format!("1.1.1.{last}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for answer in [&[][..], &many] {
        let egress = Egress::builder().resolver(Scripted::new(&[answer])).build().unwrap();
        let error = egress.send(Request::get("https://buyer.example/"), Limits::new()).await.unwrap_err();
        let failure = error.failure().unwrap();
        assert_eq!(
            (failure.stage(), failure.cause(), failure.peer()),
            (Stage::Resolve, Cause::Unresolved, None)
        );
        assert_eq!((error.class(), egress.counts().dialled), (Class::Transient, 0));
    }
}

#[derive(Debug)]
struct Broken;

#[async_trait::async_trait]
impl Resolve for Broken {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Err(io::Error::other("no name server"))
    }
}

#[derive(Debug)]
struct Silent(Arc<AtomicBool>);

#[async_trait::async_trait]
impl Resolve for Silent {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.0.store(true, Ordering::SeqCst);
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_resolver_is_bounded_in_time() {
    let asked = Arc::new(AtomicBool::new(false));
    let silent = Egress::builder().resolver(Silent(Arc::clone(&asked))).build().unwrap();
    let request = || Request::get("https://buyer.example/");
    for (limits, waited) in [(Limits::new(), 5), (Limits::new().with_total(Duration::from_secs(2)), 2)] {
        let begun = tokio::time::Instant::now();
        let error = silent.send(request(), limits).await.unwrap_err();
        let failure = error.failure().unwrap();
        assert_eq!((failure.stage(), failure.cause()), (Stage::Resolve, Cause::TimedOut));
        assert_eq!((error.class(), begun.elapsed().as_secs()), (Class::Transient, waited));
        assert_eq!(error.to_string(), "the name was not resolved in time");
    }
    assert!(asked.load(Ordering::SeqCst));

    let broken = Egress::builder().resolver(Broken).build().unwrap();
    let error = broken.send(request(), Limits::new()).await.unwrap_err();
    assert_eq!(error.failure().unwrap().cause(), Cause::Unresolved);
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "no name server");
}

#[tokio::test]
async fn the_machine_knows_its_own_name() {
    let resolver = SystemResolver::new();
    let (one, other) = tokio::join!(resolver.resolve("localhost"), resolver.resolve("localhost"));
    let addresses = one.unwrap();
    assert!(!addresses.is_empty() && addresses.iter().all(IpAddr::is_loopback), "{addresses:?}");
    assert_eq!(addresses, other.unwrap());
    assert!(resolver.resolve("no-such-host.invalid").await.is_err());
    // What the machine says of itself is not public, whoever says it.
    let egress = Egress::builder().allow_networks(["10.0.0.0/8".parse().unwrap()]).build().unwrap();
    assert!(egress.admits("https://localhost/").is_err());
}
