//! No block of special addresses is reached, however an address of it is written, or named.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};

use adcp_core::Inadmissible;
use adcp_egress::{Class, Egress, Limits, Network, Part, Refusal, Request, special_purpose_blocks};

use crate::forms;
use crate::receiver::{Authority, Scripted};

/// Addresses of every block: the first ones and the last ones.
fn samples() -> Vec<IpAddr> {
    let mut samples = Vec::new();
    for block in special_purpose_blocks() {
        let (first, last) = (block.network.first(), block.network.last());
        let inner =
            [next(first, 1), next(last, -1)].into_iter().filter(|address| block.network.contains(*address));
        samples.extend(inner.chain([first, last]));
    }
    samples
}

fn next(address: IpAddr, by: i8) -> IpAddr {
    match address {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits().wrapping_add_signed(by.into())).into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits().wrapping_add_signed(by.into())).into(),
    }
}

#[tokio::test]
async fn no_special_address_is_reached_in_any_form() {
    // If a connection were made to this machine by any of these, it would be seen here.
    let listener = TcpListener::bind("[::]:0").or_else(|_| TcpListener::bind("0.0.0.0:0")).unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let egress = Egress::builder().resolver(Scripted::new(&[&["127.0.0.1"]])).build().unwrap();

    let mut tried = 0;
    for address in samples() {
        for host in forms::of(address) {
            for url in [
                format!("https://{host}:{port}/hook"),
                format!("https://{host}/"),
                format!("http://{host}:{port}"),
            ] {
                let refusal = egress.admits(&url).expect_err(&url);
                assert!(!refusal.to_string().is_empty());
                let error = egress.send(Request::post(&url, "{}"), Limits::new()).await.expect_err(&url);
                assert_eq!((error.refusal(), error.class()), (Some(&refusal), Class::Permanent), "{url}");
                tried += 1;
            }
        }
    }
    let counts = egress.counts();
    assert_eq!((counts.dialled, counts.resolved, counts.refused), (0, 0, tried));
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert!(tried > 10_000, "{tried}");
}

#[tokio::test]
async fn no_special_address_is_reached_by_name() {
    let public = "1.1.1.1";
    let authority = Authority::new();
    for address in samples() {
        let address = address.to_string();
        for answer in [
            &[address.as_str()][..],
            &[public, &address],
            &[&address, public],
            &["2606:4700::1", public, &address],
        ] {
            let builder = Egress::builder().without_system_certificates().root_certificates(authority.pem());
            let egress = builder.resolver(Scripted::new(&[answer])).build().unwrap();
            let request = Request::post("https://hooks.buyer.example/", "{}");
            let error = egress.send(request, Limits::new()).await.expect_err(&address);
            assert_eq!(
                error.refusal(),
                Some(&Refusal::LeadsTo(vec![address.parse().unwrap()])),
                "{answer:?}"
            );
            assert_eq!(error.class(), Class::Permanent);
            // The words may reach whoever supplied the url, and the resolver's answer is not theirs to know.
            assert!(!error.to_string().contains(&address), "{error}");
            assert_eq!((egress.counts().dialled, egress.counts().resolved), (0, 1));
        }
    }
}

#[test]
fn an_opened_network_opens_nothing_else() {
    let opened: Network = "10.20.0.0/16".parse().unwrap();
    let egress = Egress::builder().allow_networks([opened]).build().unwrap();
    assert!(egress.admits("https://10.20.1.2:8443/hook").is_ok());
    for address in samples() {
        for host in
            forms::of(address).into_iter().chain(forms::of("10.20.1.2".parse().unwrap()).into_iter().skip(1))
        {
            let url = format!("https://{host}/");
            assert!(egress.admits(&url).is_err(), "{url}");
        }
    }
    assert_eq!(egress.admits("http://10.20.1.2/"), Err(Refusal::Scheme));
    assert_eq!(egress.admits("http://127.0.0.1/"), Err(Refusal::Scheme));
}

#[test]
fn loopback_for_local_work_opens_nothing_else() {
    let egress = Egress::builder().allow_loopback_http().build().unwrap();
    for url in [
        "http://127.0.0.1:3000/",
        "https://127.0.0.1/",
        "http://[::1]/",
        "http://localhost:1/",
        "https://localhost/",
    ] {
        assert!(egress.admits(url).is_ok(), "{url}");
    }
    for address in samples().into_iter().filter(|address| !address.is_loopback()) {
        // `::0.0.0.1` is another way to write `::1`, and a good one.
        for host in forms::of(address).into_iter().filter(|host| !is_loopback(host)) {
            for url in [format!("https://{host}/"), format!("http://{host}/")] {
                assert!(egress.admits(&url).is_err(), "{url}");
            }
        }
    }
    // Also this machine, and written in a way that not every program reads so.
    for host in forms::of(Ipv4Addr::LOCALHOST.into()).into_iter().skip(1) {
        assert!(egress.admits(&format!("http://{host}/")).is_err(), "{host}");
    }
}

fn is_loopback(host: &str) -> bool {
    host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[test]
fn a_refusal_names_the_part_and_what_would_be_right() {
    let egress = Egress::builder().build().unwrap();
    for (url, part, words) in [
        ("buyer.example/hook", Part::Whole, "write it as `https://host/path`"),
        ("http://buyer.example/", Part::Scheme, "the scheme must be `https`"),
        ("https://me:hunter2@buyer.example/", Part::UserInfo, "remove what stands before the `@`"),
        ("https://buyer.example/#a", Part::Fragment, "remove the `#`"),
        ("https://2130706433/", Part::Host, "write it as four decimal numbers"),
        ("https://10.1.2.3/", Part::Host, "must have a public address; this one is for private use"),
        ("https://localhost/", Part::Host, "must have a public address; this one is for loopback"),
        ("https://b\u{fc}cher.example/", Part::Host, "their form with `xn--`"),
        ("https://buyer.example:0/", Part::Port, "a number from 1 to 65535"),
        ("https://buyer.example/a b", Part::Whole, "must be percent-encoded"),
        (
            "https://buyer.example/\u{fc}",
            Part::Path,
            "the path holds a character that must be percent-encoded",
        ),
    ] {
        let refusal = egress.admits(url).unwrap_err();
        assert_eq!(refusal.part(), part, "{url}");
        assert!(refusal.to_string().contains(words), "{url}: {refusal}");
        assert!(!refusal.to_string().contains("hunter2"));
        assert_eq!(Inadmissible::from(refusal.clone()), Inadmissible(refusal.to_string()));
    }
}
