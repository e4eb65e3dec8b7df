//! `adcp serve --operator-token-file`: operators ask over HTTP, beside the agent, on its file.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use adcp_core::{
    AttemptClass, AttemptReport, ClaimDeliveries, DeadReason, DeliveryOutbox as _, EventKey, Owner,
    Principal, Publication, PublishEvents, RecordAttempt, RecordAttempts, Recorded, TenantId, Verdict,
};
use adcp_registry_sqlite::{SqliteConfig, SqliteRegistry};
use serde_json::{Value, json};

use crate::run::{Ran, Seller, TOKEN, adcp, run};

const ADA: &str = "token-of-ada-0123456789";
const RITA: &str = "token-of-rita-0123456789";

/// A registry with one dead letter for an address, and files with the operators' tokens.
async fn folder_with_a_dead_letter(url: &str) -> (tempfile::TempDir, EventKey) {
    let folder = tempfile::tempdir().unwrap();
    let registry = SqliteRegistry::open(SqliteConfig::new(folder.path().join("registry.db"))).unwrap();
    let key = EventKey::random().unwrap();
    let owner = Owner::new(TenantId::single(), None, Principal::new("buyer"));
    let body = body(&key);
    let event = Publication::new(key.clone(), owner, "scheduled", url, body);
    registry.publish(PublishEvents::new(vec![event])).await.unwrap();
    let claimed = registry.claim_deliveries(ClaimDeliveries::new()).await.unwrap().deliveries;
    let report = AttemptReport::new(AttemptClass::Gone, Duration::ZERO, Duration::ZERO).with_http_status(410);
    let record = RecordAttempt::new(claimed[0].hold(), Some(report), Verdict::Dead(DeadReason::Gone));
    let recorded = registry.record_attempts(RecordAttempts::new(vec![record])).await.unwrap();
    assert_eq!(recorded, [Recorded::Written]);
    std::fs::write(folder.path().join("writers"), format!("# who may send again\nada:{ADA}\n")).unwrap();
    std::fs::write(folder.path().join("readers"), format!("{RITA}\n")).unwrap();
    (folder, key)
}

/// With spaces that no writer of JSON would put there.
fn body(key: &EventKey) -> String {
    format!(r#"{{"idempotency_key":  "{key}", "token": "token-of-the-buyer"}}"#)
}

fn serve(folder: &Path, flag: &str) -> Seller {
    let flags = ["--registry", "sqlite:registry.db", "--operator-token-file", "writers"];
    Seller::start_in(folder, &[&flags[..], &["--operator-read-token-file", "readers", flag]].concat())
}

/// Others may call, so that nothing is signed, and nothing sent, without a key.
const SENDS_NOTHING: &str = "--allowed-host=ads.example";

const NOWHERE: &str = "https://one.example/path-of-theirs?k=v";

/// An address on loopback, and what arrives there: head and body of each request, which is answered with 200.
fn receiver() -> (String, mpsc::Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/path-of-theirs?k=v", listener.local_addr().unwrap());
    let (sender, came) = mpsc::channel();
    std::thread::spawn(move || while sender.send(receive(&listener)).is_ok() {});
    (url, came)
}

fn receive(listener: &TcpListener) -> (String, String) {
    let mut stream = listener.accept().unwrap().0;
    let mut read = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(read.read_line(&mut head).unwrap() > 0, "{head}");
    }
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    read.read_exact(&mut body).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").unwrap();
    (head, String::from_utf8(body).unwrap())
}

/// Sends a request as curl does; gives the head and the body of the answer.
fn ask(seller: &Seller, request: &str, headers: &[&str]) -> (String, Value) {
    let address = seller.url.strip_prefix("http://").unwrap().strip_suffix("/mcp").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let host = format!("Host: {address}");
    let all = headers.iter().any(|header| header.starts_with("Host:")).then_some(headers.to_vec());
    let all = all.unwrap_or_else(|| [&[host.as_str()], headers].concat());
    write!(stream, "{request} HTTP/1.1\r\n{}\r\nConnection: close\r\n\r\n", all.join("\r\n")).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), serde_json::from_str(body).unwrap())
}

/// The same with a token; gives the status and the body.
fn ask_as(seller: &Seller, request: &str, token: &str) -> (u16, Value) {
    let (head, body) = ask(seller, request, &[&format!("Authorization: Bearer {token}")]);
    (head[9..12].parse().unwrap(), body)
}

#[tokio::test]
async fn a_dead_letter_is_found_read_and_sent_again() {
    let (url, receiver) = receiver();
    let (folder, key) = folder_with_a_dead_letter(&url).await;
    let seller = serve(folder.path(), "--allow-loopback-webhooks");
    assert!(
        seller.greeting().contains(&seller.url.replace("/mcp", "/admin/deliveries")),
        "{}",
        seller.greeting()
    );

    let (status, page) = ask_as(&seller, "GET /admin/deliveries?state=dead", RITA);
    assert_eq!((status, page["deliveries"].as_array().unwrap().len()), (200, 1), "{page}");
    let found = &page["deliveries"][0];
    assert_eq!([&found["id"], &found["reason"]], [key.as_str(), "gone"]);
    let (status, whole) = ask_as(&seller, &format!("GET {}", found["href"].as_str().unwrap()), RITA);
    assert_eq!((status, &whole["attempts_kept"][0]["http_status"]), (200, &json!(410)));
    assert!(
        !whole.to_string().contains("path-of-theirs") && !whole.to_string().contains("token-of"),
        "{whole}"
    );
    assert_eq!(ask_as(&seller, "GET /admin/endpoints", RITA).0, 200);

    let again = format!("POST /admin/deliveries/{key}/redeliver");
    let (status, refused) = ask_as(&seller, &again, RITA);
    assert_eq!((status, &refused["code"]), (403, &json!("insufficient_scope")));
    let (status, done) = ask_as(&seller, &again, ADA);
    assert_eq!((status, &done["queued"], &done["by"]), (202, &json!(true), &json!("ada")));
    let (head, came) = receiver.recv_timeout(Duration::from_secs(30)).unwrap();
    assert_eq!(came, body(&key));
    assert!(head.starts_with("post /path-of-theirs?k=v ") && head.contains("signature-input: "), "{head}");
    let (status, late) = ask_as(&seller, &again, ADA);
    assert_eq!((status, &late["code"]), (409, &json!("not_dead")));
    assert!(["sending", "delivered"].contains(&late["state"].as_str().unwrap()), "{late}");
    let (status, none) = ask_as(&seller, "POST /admin/deliveries/whk_none/redeliver", ADA);
    assert_eq!((status, &none["code"]), (404, &json!("unknown_delivery")));
    let (status, all) = ask_as(&seller, "POST /admin/deliveries/redeliver", ADA);
    assert_eq!((status, &all["field"]), (400, &json!("all")));

    // Whoever looks at the file sees who it was.
    let mut show = adcp(&["webhooks", "show", key.as_str(), "--json", "--registry", "sqlite:registry.db"]);
    let shown = Ran::of(&show.current_dir(folder.path()).output().unwrap()).expect(0);
    assert!(shown.out.contains("\"ada\""), "{}", shown.out);
}

#[tokio::test]
async fn buyers_are_no_operators_and_operators_no_buyers() {
    let (folder, key) = folder_with_a_dead_letter(NOWHERE).await;
    let seller = serve(folder.path(), SENDS_NOTHING);
    for token in [TOKEN, "demo-ada-v1", "token-of-ada-012345678"] {
        let (status, refused) = ask_as(&seller, "GET /admin/deliveries", token);
        assert_eq!((status, &refused["code"]), (401, &json!("unauthenticated")), "{token}");
    }
    let (head, _) = ask(&seller, &format!("POST /admin/deliveries/{key}/redeliver"), &[]);
    assert!(head.starts_with("HTTP/1.1 401 ") && head.contains("www-authenticate: Bearer"), "{head}");
    run(&["call", &seller.url, "get_products", r#"{"buying_mode": "wholesale"}"#, "--auth", ADA]).expect(5);
    let authorization = format!("Authorization: Bearer {ADA}");
    let (head, _) = ask(&seller, "GET /admin/deliveries", &["Host: evil.example", &authorization]);
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
}

#[tokio::test]
#[cfg(unix)]
async fn tokens_stay_secret_and_what_operators_do_is_logged() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, key) = folder_with_a_dead_letter(NOWHERE).await;
    for (file, mode) in [("writers", 0o600), ("readers", 0o644)] {
        std::fs::set_permissions(folder.path().join(file), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let seller = serve(folder.path(), SENDS_NOTHING);
    assert_eq!(ask_as(&seller, &format!("POST /admin/deliveries/{key}/redeliver"), RITA).0, 403);
    assert_eq!(ask_as(&seller, &format!("POST /admin/deliveries/{key}/redeliver"), ADA).0, 202);
    let ran = seller.stop().expect(0);
    let line =
        |words: &str| ran.err.lines().any(|line| line.contains("adcp_console") && line.contains(words));
    assert!(line("operator=\"ada\"") && line("operator=\"reader\""), "{}", ran.err);
    assert!(ran.err.contains("chmod 600 readers") && !ran.err.contains("chmod 600 writers"), "{}", ran.err);
    for secret in [ADA, RITA, "path-of-theirs"] {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{secret}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn without_operators_there_is_nothing_and_bad_files_start_nothing() {
    let seller = Seller::start(&[]);
    assert!(!seller.greeting().contains("/admin"));
    assert_eq!(ask_as(&seller, "GET /admin/deliveries", TOKEN).0, 404);

    let folder = tempfile::tempdir().unwrap();
    for (text, words) in [
        ("ada:short", "at least 16"),
        ("", "no operator's token"),
        (TOKEN, "of the buyers"),
        ("ada:token-0123456789\nbob:token-0123456789", "line 2"),
        (r#"{"kty":"OKP","kid":"k","d":"token-0123456789"}"#, "JSON"),
        ("ada:demo-token-0123-v1", "demo key"),
    ] {
        std::fs::write(folder.path().join("writers"), text).unwrap();
        let flags = ["serve", "--bind", "127.0.0.1:0", "--token", TOKEN, "--operator-token-file", "writers"];
        let refused = Ran::of(&adcp(&flags).current_dir(folder.path()).output().unwrap()).expect(2);
        assert!(refused.err.contains(words) && !refused.err.contains("token-0123"), "{}", refused.err);
        assert_eq!(refused.out, "");
    }
    std::fs::write(folder.path().join("token"), "-----BEGIN PRIVATE KEY-----").unwrap();
    let flags = ["serve", "--bind", "127.0.0.1:0", "--token-file", "token"];
    let refused = Ran::of(&adcp(&flags).current_dir(folder.path()).output().unwrap()).expect(2);
    assert!(refused.err.contains("PEM"), "{}", refused.err);
    run(&["serve", "--bind", "127.0.0.1:0", "--operator-read-token-file", "/no/such/file"]).expect(2);
}
