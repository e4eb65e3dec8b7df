//! `adcp webhooks listen` and `send-test`: both ends of a delivery, each against the other and against a real worker.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::Arc;
use std::time::Duration;

use adcp_core::{
    Background as _, DeliveryOutbox as _, EventKey, Owner, Principal, Publication, PublishEvents, TenantId,
};
use adcp_egress::Egress;
use adcp_registry_sqlite::{SqliteConfig, SqliteRegistry};
use adcp_signing::{Algorithm, Jwks, KeyUse, LocalSigner};
use adcp_webhooks::{Schedule, Webhooks};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::call::television;
use crate::postgres::Schema;
use crate::registry::{run_in, set_mode};
use crate::run::{Ran, Seller, adcp};

pub(crate) const SECRET: &str = "secret-of-the-registration-0123456789";
const TOKEN: &str = "token-of-the-buyer";

/// A folder with a seller's keys and a secret in it.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    pub(crate) signer: LocalSigner,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let signer = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "hooks-1").unwrap();
        let other = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "hooks-1").unwrap();
        let desk = Self { folder, signer };
        desk.write("hooks.jwk", desk.signer.to_jwk_file().expose());
        desk.write("jwks.json", Jwks::new([desk.signer.jwk()]).to_json().to_string().as_bytes());
        desk.write("other.json", Jwks::new([other.jwk()]).to_json().to_string().as_bytes());
        desk.write("secret", format!("{SECRET}\n").as_bytes());
        desk
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        #[cfg(unix)]
        set_mode(path, 0o600);
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        run_in(self.path(), &[&["webhooks"], args].concat())
    }

    pub(crate) fn listen(&self, flags: &[&str]) -> Listener {
        Listener::start(self.path(), flags)
    }

    /// Sends a test event, signed unless the flags say something else.
    pub(crate) fn send(&self, url: &str, flags: &[&str]) -> Ran {
        let how: &[&str] = if flags.iter().any(|flag| flag.ends_with("-file")) {
            &[]
        } else {
            &["--signing-key", "hooks.jwk"]
        };
        self.run(&[&["send-test", url, "--allow-loopback"], how, flags].concat())
    }
}

/// A running `adcp webhooks listen`, ended when dropped.
pub(crate) struct Listener {
    pub(crate) url: String,
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Listener {
    pub(crate) fn start(folder: &Path, flags: &[&str]) -> Self {
        let mut command = adcp(&[&["webhooks", "listen", "--bind", "127.0.0.1:0"], flags].concat());
        let mut child =
            command.current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("Ctrl-C") {
            assert!(err.read_line(&mut said).unwrap() > 0, "it ended early: {said}");
        }
        // Whoever writes there must not wait for a reader.
        std::thread::spawn(move || err.read_to_end(&mut Vec::new()));
        let url = said.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        Self { url, child, out }
    }

    pub(crate) fn hook(&self) -> String {
        format!("{}hook", self.url)
    }

    /// The next line.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.out.read_line(&mut line).unwrap() > 0, "it ended");
        line
    }

    pub(crate) fn next(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Waits until it has ended by itself.
    pub(crate) fn end(mut self) -> i32 {
        self.child.wait().unwrap().code().unwrap()
    }

    /// Sends bytes; gives the answer's first line.
    fn raw(&self, bytes: &[u8]) -> String {
        let address = self.url.strip_prefix("http://").unwrap().trim_end_matches('/');
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_arrives_is_verified_and_duplicates_are_told_apart() {
    let desk = Desk::new();
    let mut listener =
        desk.listen(&["--jwks", "jwks.json", "--token", TOKEN, "--operation-id", "op-7", "--json"]);
    let key = "whk_0123456789abcdef";
    let body = json!({
        "idempotency_key": key, "operation_id": "op-7", "task_id": "task_1", "task_type": "create_media_buy",
        "status": "completed", "timestamp": "2026-11-21T08:00:00Z", "token": TOKEN,
    });
    desk.write("body.json", body.to_string().as_bytes());
    for verdict in ["new", "duplicate"] {
        let sent = desk.send(&listener.hook(), &["--body", "body.json"]).expect(0);
        assert!(sent.out.contains("delivered; there is nothing more to do"), "{}", sent.out);
        let arrived = listener.next();
        assert_eq!(
            (&arrived["verdict"], &arrived["answer"]),
            (&verdict.into(), &"200".into()),
            "{arrived:#}"
        );
        assert_eq!(arrived["signature"]["keyid"], "hooks-1");
        assert_eq!(arrived["event"]["kind"], "create_media_buy completed");
        assert_eq!(arrived["event"]["operation_id"], "op-7");
        assert_eq!((&arrived["verified"], &arrived["counts"]), (&true.into(), &(verdict == "new").into()));
    }
    let flags = ["--token", TOKEN, "--operation-id", "op-7", "--key", key];
    let again = desk.send(&listener.hook(), &flags).expect(5);
    assert!(again.out.contains("refused") && again.out.contains("409"), "{}", again.out);
    assert_eq!(listener.next()["verdict"], "conflict", "the same key with something else in it");

    for (flags, code, status) in [
        (["--token", "another-token-000", "--operation-id", "op-7"], "token_mismatch", 403),
        (["--token", TOKEN, "--operation-id", "op-8"], "operation_id_mismatch", 403),
    ] {
        let sent = desk.send(&listener.hook(), &[&flags[..], &["--json"]].concat()).expect(5).json();
        assert_eq!((&sent["http_status"], &sent["next"]["reason"]), (&status.into(), &"refused".into()));
        assert_eq!(listener.next()["failed"]["code"], code);
    }
    let legacy = desk.send(&listener.hook(), &["--hmac-secret-file", "secret"]).expect(5);
    assert!(legacy.out.contains("signature_rejected") && !legacy.out.contains(SECRET), "{}", legacy.out);
    let arrived = listener.next();
    assert_eq!(
        (&arrived["verdict"], &arrived["failed"]["code"]),
        (&"refused".into(), &"webhook_mode_mismatch".into())
    );
}

#[test]
fn the_step_that_failed_is_named() {
    let desk = Desk::new();
    let mut listener = desk.listen(&["--jwks", "other.json"]);
    let sent = desk.send(&listener.hook(), &[]).expect(5);
    assert!(sent.out.contains("webhook_signature_invalid"), "{}", sent.out);
    let line = listener.line();
    assert!(line.contains("refused") && line.contains("step 10: webhook_signature_invalid"), "{line}");
    assert!(line.contains("-> 401"), "{line}");
    // What senders call is not what arrives behind a tunnel.
    let mut listener =
        desk.listen(&["--jwks", "jwks.json", "--json", "--public-url", "https://buyer.example"]);
    let sent = desk.send(&listener.hook(), &[]).expect(5);
    assert!(sent.out.contains("webhook_signature_invalid"), "{}", sent.out);
    assert_eq!(listener.next()["failed"]["step"], "10");
    // This machine has several names.
    let mut listener = desk.listen(&["--jwks", "jwks.json", "--json"]);
    desk.send(&listener.hook().replace("127.0.0.1", "localhost"), &[]).expect(0);
    assert_eq!(listener.next()["verdict"], "new");
}

#[test]
fn legacy_schemes_and_nothing_at_all() {
    let desk = Desk::new();
    for (flag, words) in
        [("--hmac-secret-file", "verified (HMAC-SHA256)"), ("--bearer-file", "verified (Bearer")]
    {
        let mut listener = desk.listen(&[flag, "secret", "--count", "1"]);
        desk.send(&listener.hook(), &[flag, "secret"]).expect(0);
        let line = listener.line();
        assert!(line.contains(words) && line.contains("  new"), "{line}");
        assert!(!line.contains(SECRET), "{line}");
        assert_eq!(listener.end(), 0);
        desk.write("wrong", SECRET.replace('0', "1").as_bytes());
        let mut listener = desk.listen(&[flag, "wrong"]);
        // Receivers rotate such credentials, so that a worker tries again.
        let sent = desk.send(&listener.hook(), &[flag, "secret", "--json"]).expect(4).json();
        assert_eq!((&sent["class"], &sent["next"]["step"]), (&"unauthorized".into(), &"again".into()));
        let line = listener.line();
        assert!(line.contains("refused") && line.contains("unauthorized ("), "{line}");
    }
    let mut listener = desk.listen(&["--count", "1"]);
    desk.send(&listener.hook(), &[]).expect(0);
    let line = listener.line();
    assert!(line.contains("unverified") && line.contains("task_of_adcp_webhooks_send_test"), "{line}");
    assert_eq!(listener.end(), 0);
}

#[test]
fn every_way_to_fail_is_what_a_sender_says_it_is() {
    let desk = Desk::new();
    let rows: [(&[&str], &str, Value, Value, i32); 10] = [
        (&["204"], "delivered", json!(204), json!({ "step": "delivered" }), 0),
        (
            &["503", "--retry-after", "7"],
            "server_error",
            json!(503),
            json!({ "step": "again", "after_seconds": 7.0 }),
            4,
        ),
        (&["429"], "throttled", json!(429), json!({ "step": "again" }), 4),
        (&["410"], "gone", json!(410), json!({ "step": "dead", "reason": "gone" }), 5),
        (&["reset"], "connection", Value::Null, json!({ "step": "again" }), 4),
        (&["hang"], "timeout", Value::Null, json!({ "step": "again" }), 4),
        (&["slow-headers"], "timeout", Value::Null, json!({ "step": "again" }), 4),
        (&["slow-body"], "delivered", json!(200), json!({ "step": "delivered" }), 0),
        (&["endless"], "delivered", json!(200), json!({ "step": "delivered" }), 0),
        (
            &["redirect:http://10.0.0.1/"],
            "redirected",
            json!(307),
            json!({ "step": "dead", "reason": "redirected" }),
            5,
        ),
    ];
    for (fail, class, status, next, code) in rows {
        let flags = [&["--jwks", "jwks.json", "--json", "--count", "1", "--fail"], fail].concat();
        let mut listener = desk.listen(&flags);
        let sent = desk.send(&listener.hook(), &["--timeout", "1.5", "--json"]).expect(code).json();
        assert_eq!((&sent["class"], &sent["http_status"]), (&class.into(), &status), "{fail:?}: {sent:#}");
        for (name, want) in next.as_object().unwrap() {
            let said = &sent["next"][name];
            match (said.as_f64(), want.as_f64()) {
                // Not sooner than asked, and a little later, lest all come at once.
                (Some(said), Some(want)) => assert!((want..=want * 1.2).contains(&said), "{sent:#}"),
                _ => assert_eq!(said, want, "{fail:?}: {sent:#}"),
            }
        }
        let arrived = listener.next();
        let word = fail[0].split(':').next().unwrap();
        assert_eq!((&arrived["verdict"], &arrived["answer"]), (&"new".into(), &word.into()), "{arrived:#}");
        assert_eq!(listener.end(), 0, "{fail:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_comes_again_until_it_is_taken_in() {
    let desk = Desk::new();
    let flags = ["--jwks", "jwks.json", "--json", "--fail", "503:2", "--count", "1", "--for", "60"];
    let mut listener = desk.listen(&flags);
    let registry =
        Arc::new(SqliteRegistry::open(SqliteConfig::new(desk.path().join("registry.db"))).unwrap());
    let key = EventKey::random().unwrap();
    let body = json!({
        "idempotency_key": key.as_str(), "notification_type": "creative.status_changed", "fired_at": "2026-11-21T08:00:00Z",
    });
    let owner = Owner::new(TenantId::single(), None, Principal::new("buyer"));
    let event =
        Publication::new(key.clone(), owner, "creative.status_changed", listener.hook(), body.to_string());
    registry.publish(PublishEvents::new(vec![event])).await.unwrap();
    let webhooks = Webhooks::builder()
        .signer(desk.signer.clone())
        .egress(Egress::builder().allow_loopback_http().build().unwrap())
        .schedule(Schedule::of([Duration::from_millis(20), Duration::from_millis(20)]))
        .poll_every(Duration::from_millis(20))
        .build()
        .unwrap();
    // The worker ends with whoever holds the registry.
    webhooks.start(Arc::clone(&registry) as _);
    let arrivals: Vec<Value> = (0..3).map(|_| listener.next()).collect();
    let words: Vec<(&str, &str)> =
        arrivals.iter().map(|it| (it["verdict"].as_str().unwrap(), it["answer"].as_str().unwrap())).collect();
    assert_eq!(words, [("new", "503"), ("again", "503"), ("again", "200")]);
    assert!(arrivals.iter().all(|it| it["event"]["key"] == key.as_str() && it["verified"] == true));
    assert_eq!(listener.end(), 0);
    webhooks.drain(Duration::from_secs(5)).await;
    let state = desk.run(&["list", "--registry", "sqlite:registry.db", "--json"]).expect(0).json();
    assert_eq!(
        (&state["deliveries"][0]["state"], &state["deliveries"][0]["attempts"]),
        (&"delivered".into(), &json!(3))
    );
}

#[test]
fn challenges_are_answered_when_that_was_said() {
    let desk = Desk::new();
    let mut listener = desk.listen(&["--jwks", "jwks.json", "--json"]);
    let refused = desk.send(&listener.hook(), &["--challenge"]).expect(5);
    assert!(refused.err.contains("403"), "{}", refused.err);
    assert_eq!(listener.next()["failed"]["code"], "challenge_refused");
    for flags in [&["--jwks", "jwks.json"][..], &["--jwks", "jwks.json", "--hmac-secret-file", "secret"], &[]]
    {
        let mut listener = desk.listen(&[&["--json", "--accept-challenges"], flags].concat());
        desk.send(&listener.hook(), &["--challenge"]).expect(0);
        let arrived = listener.next();
        assert_eq!(
            (&arrived["verdict"], &arrived["counts"]),
            (&"challenge".into(), &false.into()),
            "{arrived:#}"
        );
    }
    let mut forged = desk.listen(&["--jwks", "other.json", "--json", "--accept-challenges"]);
    desk.send(&forged.hook(), &["--challenge"]).expect(5);
    assert_eq!(forged.next()["failed"]["code"], "webhook_signature_invalid");
}

#[test]
fn whatever_comes_is_bounded_and_harmless() {
    let desk = Desk::new();
    let mut listener = desk.listen(&[]);
    let body = |kind: &str| {
        json!({ "idempotency_key": "whk_0123456789abcdef", "notification_type": kind, "fired_at": "2026-11-21T08:00:00Z" })
            .to_string()
    };
    let kind = body("\u{1b}[2J\u{9b}1m\u{202e}gone");
    let chunked = format!(
        "POST / HTTP/1.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{:x};a=b\r\n{}\r\n0\r\nx: y\r\n\r\n",
        kind.len(),
        kind
    );
    assert_eq!(listener.raw(chunked.as_bytes()), "HTTP/1.1 200 OK");
    let line = listener.line();
    assert!(line.contains("gone") && !line.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{line:?}");
    for (bytes, status) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "405"),
        (b"nonsense\r\n\r\n", "400"),
        (b"POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", "400"),
        (b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}", "400"),
    ] {
        let answer = listener.raw(bytes);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        let line = listener.line();
        assert!(line.contains("refused") && line.contains(&format!("-> {status}")), "{line}");
    }
    let large =
        [b"POST / HTTP/1.1\r\ncontent-length: 1000001\r\n\r\n".to_vec(), vec![b'x'; 1_000_001]].concat();
    assert!(listener.raw(&large).starts_with("HTTP/1.1 413 "));
    listener.line();

    let idle = desk.listen(&["--for", "0.2"]);
    assert_eq!(idle.end(), 4, "nothing came");
    let mut patient = desk.listen(&["--for", "3", "--json"]);
    desk.send(&patient.hook(), &[]).expect(0);
    patient.next();
    assert_eq!(patient.end(), 0);
    for wrong in [
        &["--fail", "sulk"][..],
        &["--fail", "503:1", "--fail-first", "2"],
        &["--jwks", "secret"],
        &["--hmac-secret-file", "hooks.jwk"],
        &["--bearer-file", "hooks.jwk"],
    ] {
        desk.run(&[&["listen", "--bind", "127.0.0.1:0"], wrong].concat()).expect(2);
    }
}

#[test]
fn keys_are_found_through_the_agent() {
    let desk = Desk::new();
    let seller = Seller::start(&["--allow-loopback-webhooks", "--review-delay", "0.1"]);
    let flags = ["--agent", &seller.url, "--json", "--count", "1", "--for", "60", "--operation-id", "op-7"];
    let mut listener = desk.listen(&flags);
    let mut order: Value = serde_json::from_str(&television(60_000)).unwrap();
    order["push_notification_config"] = json!({ "url": listener.hook(), "operation_id": "op-7" });
    let task = seller.call("create_media_buy", &order.to_string(), &[]).expect(0).json();
    let arrived = listener.next();
    assert_eq!((&arrived["verified"], &arrived["answer"]), (&true.into(), &"200".into()), "{arrived:#}");
    assert!(arrived["signature"]["keyid"].as_str().unwrap().starts_with("local-"), "{arrived:#}");
    assert_eq!(arrived["event"]["task_id"], task["task_id"]);
    assert_eq!(listener.end(), 0);

    for (agent, code) in [("http://127.0.0.1:1/mcp", 6), ("https://10.0.0.1/mcp", 3)] {
        let ran = desk.run(&["listen", "--bind", "127.0.0.1:0", "--agent", agent]).expect(code);
        assert!(ran.err.contains("signature_capabilities_unreachable"), "{}", ran.err);
    }
}

#[test]
fn a_key_that_is_not_published_is_unknown_however_often_it_is_used() {
    let desk = Desk::new();
    let seller = Seller::start(&["--allow-loopback-webhooks"]);
    let jwks = seller.url.replace("/mcp", "/.well-known/jwks.json");
    let mut listener = desk.listen(&["--jwks", &jwks, "--json"]);
    for _ in 0..2 {
        desk.send(&listener.hook(), &[]);
        let arrived = listener.next();
        assert_eq!(
            (&arrived["answer"], &arrived["failed"]["code"]),
            (&"401".into(), &"webhook_signature_key_unknown".into()),
            "{arrived:#}"
        );
    }
}

/// A task that a person cancels, whose buyer is gone for a moment, and the operator who sends it again.
fn is_sent_again_by_hand(seller: &Seller, run: impl Fn(&[&str]) -> Ran) {
    let desk = Desk::new();
    let mut listener = desk.listen(&["--json", "--fail", "410:1"]);
    let mut order: Value = serde_json::from_str(&television(60_000)).unwrap();
    order["push_notification_config"] = json!({ "url": listener.hook(), "operation_id": "op-7" });
    let task = seller.call("create_media_buy", &order.to_string(), &[]).expect(0).json();
    run(&["tasks", "cancel", task["task_id"].as_str().unwrap(), "--reason", "the buyer called"]).expect(0);
    let gone = listener.next();
    assert_eq!((&gone["verdict"], &gone["answer"]), (&"new".into(), &"410".into()), "{gone:#}");
    let list = |flags: &[&str]| {
        run(&[&["webhooks", "list", "--json"], flags].concat()).expect(0).json()["deliveries"].clone()
    };
    // The worker writes down what it was told after it was told.
    let dead = std::iter::repeat_with(|| list(&["--dead", "--reason", "gone"]))
        .take(500)
        .find(|found| found[0].is_object())
        .expect("it is a dead letter at last");
    assert_eq!((&dead[0]["id"], &dead[0]["task"]), (&gone["event"]["key"], &task["task_id"]));
    run(&["webhooks", "redeliver", "--all", "--by", "operator"]).expect(0);
    let again = listener.next();
    assert_eq!((&again["verdict"], &again["answer"]), (&"again".into(), &"200".into()), "{again:#}");
    assert_eq!(again["event"], gone["event"]);
    let shown = run(&["webhooks", "show", dead[0]["id"].as_str().unwrap(), "--json"]).expect(0).json();
    assert_eq!(shown["redeliveries"][0]["by"], "operator");
}

#[test]
fn a_dead_letter_in_a_file_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--allow-loopback-webhooks", "--review-delay", "86400", "--grace", "0"];
    let seller = Seller::start_in(folder.path(), &flags);
    is_sent_again_by_hand(&seller, |args| run_in(folder.path(), args));
}

#[test]
#[ignore = "needs a Postgres server"]
fn a_dead_letter_in_a_database_is_sent_again() {
    let schema = Schema::migrated();
    let seller = schema.serve(&["--allow-loopback-webhooks"]);
    is_sent_again_by_hand(&seller, |args| schema.run(args));
}
