//! `adcp serve --metrics`.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::run::{Seller, TOKEN, adcp, run};

fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Where the greeting says that the numbers are.
fn address(seller: &Seller) -> String {
    let line = seller.greeting().lines().find(|line| line.contains("/metrics")).unwrap();
    let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap().to_owned()
}

/// The value of a line of the text.
fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}

#[test]
fn what_an_agent_does_is_told_to_scrapers() {
    let seller = Seller::start(&["--metrics", "127.0.0.1:0"]);
    let at = address(&seller);
    let scrape = || ask(&at, &format!("GET /metrics HTTP/1.1\r\nHost: {at}\r\n\r\n"));
    let first = scrape();
    assert!(first.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4"), "{first}");
    assert_eq!(value(&first, r#"adcp_late_writes_refused_total{token="lease"}"#), Some(0.0), "{first}");
    assert!(first.contains("# TYPE adcp_tasks_rescued_total counter"), "{first}");

    let signals =
        r#"{"idempotency_key": "metrics-0123456789", "account": {"account_id": "acme"}, "creatives": []}"#;
    for _ in 0..2 {
        // Whatever the seller says to it: the key was claimed, or the request was refused before that.
        let _ = seller.call("sync_creatives", signals, &["--no-validate"]);
    }
    let later = scrape();
    assert!(later.contains("adcp_registry_rows{kind=\"open_task\"} 0"), "{later}");
    assert!(!later.contains(TOKEN) && !later.contains("acme"), "{later}");

    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", "404"),
        ("POST /metrics HTTP/1.1\r\n\r\n", "405"),
        ("nonsense\r\n\r\n", "400"),
        ("HEAD /metrics HTTP/1.1\r\n\r\n", "200"),
    ] {
        let answer = ask(&at, request);
        assert_eq!(answer.split_whitespace().nth(1), Some(status), "{request:?}: {answer}");
        assert!(!answer.contains("# TYPE"), "{answer}");
    }
}

#[test]
fn an_address_that_is_taken_or_none_is_told_and_nothing_starts() {
    let seller = Seller::start(&["--metrics", "0"]);
    let taken = address(&seller);
    assert!(taken.starts_with("127.0.0.1:"), "a port alone is this machine's: {taken}");
    let base = ["serve", "--bind", "127.0.0.1:0", "--registry", "memory", "--metrics"];
    for (bind, words) in
        [(taken.as_str(), "for metrics"), ("nowhere", "nowhere"), ("no.such.host.invalid:1", "no.such")]
    {
        let refused = run(&[&base, [bind].as_slice()].concat());
        assert!(refused.code != 0 && refused.err.contains(words), "{bind}: {}", refused.err);
    }
}

#[test]
fn without_the_flag_nothing_listens() {
    let seller = Seller::spawn(&mut adcp(&["serve", "--bind", "127.0.0.1:0"]));
    assert!(!seller.greeting().contains("/metrics"));
}
