//! `adcp serve` signs and delivers webhooks, and publishes its keys.

use std::path::{Path, PathBuf};

use adcp_signing::{Algorithm, Jwks, KeyUse, LocalSigner, Secret};
use serde_json::{Value, json};

use crate::call::television;
use crate::receiver::Receiver;
use crate::registry::run_in;
use crate::run::{Ran, Seller, TOKEN, adcp, run};

const CAPABILITIES: [&str; 2] = ["get_adcp_capabilities", "{}"];

/// A folder with key files.
struct Keys(tempfile::TempDir);

impl Keys {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Writes a file that its owner alone reads.
    fn file(&self, name: &str, text: &Secret) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text.expose()).unwrap();
        #[cfg(unix)]
        crate::registry::set_mode(&path, 0o600);
        path
    }

    /// A key for webhooks, as a JWK.
    fn jwk(&self, kid: &str) -> String {
        let key = key(kid, KeyUse::WebhookSigning);
        text(&self.file(&format!("{kid}.jwk"), &key.to_jwk_file()))
    }
}

fn key(kid: &str, purpose: KeyUse) -> LocalSigner {
    LocalSigner::generate(Algorithm::Ed25519, purpose, kid).unwrap()
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// An order that a reviewer looks at, whose buyer wants to be told.
fn order(url: &str) -> String {
    let mut order: Value = serde_json::from_str(&television(60_000)).unwrap();
    order["push_notification_config"] = json!({ "url": url, "operation_id": "op-7" });
    order.to_string()
}

fn capabilities(seller: &Seller) -> Value {
    seller.call(CAPABILITIES[0], CAPABILITIES[1], &[]).expect(0).json()
}

#[test]
fn a_reviewed_order_ends_with_a_signed_webhook_and_the_key_is_where_it_should_be() {
    let keys = Keys::new();
    for registry in ["memory", "sqlite:"] {
        let flags = ["--allow-loopback-webhooks", "--review-delay", "0.1", "--registry", registry];
        let (now, next) = (keys.jwk("now"), keys.jwk("next"));
        let rotating = ["--signing-key", &now, "--signing-key", &next];
        let mut seller = Seller::start(&[&flags[..], &rotating].concat());
        seller.wait_for_log("never in production");
        assert!(seller.greeting().contains("signed with `now`"), "{}", seller.greeting());

        let signing = &capabilities(&seller)["webhook_signing"];
        assert_eq!((&signing["supported"], &signing["algorithms"]), (&json!(true), &json!(["ed25519"])));

        let receiver = Receiver::answering(&[]);
        let submitted = seller.call("create_media_buy", &order(&receiver.url()), &[]).expect(0).json();
        assert_eq!(submitted["status"], "submitted");
        let webhook = receiver.next();
        let (status, jwks) = seller.get("/.well-known/jwks.json");
        assert_eq!((status, Jwks::parse(jwks.as_bytes()).unwrap().keys().len()), (200, 2));
        let verified = webhook.verified_by(jwks.as_bytes()).unwrap();
        assert_eq!((verified.keyid.as_str(), verified.covers_body()), ("now", true));
        let body = webhook.json();
        assert_eq!((&body["operation_id"], &body["status"]), (&json!("op-7"), &json!("completed")));
        assert_eq!(body["task_id"], submitted["task_id"]);
        // With another key of that name it is nobody's.
        let stranger = Jwks::new([key("now", KeyUse::WebhookSigning).jwk()]).to_json().to_string();
        assert!(webhook.verified_by(stranger.as_bytes()).is_err());
        #[cfg(unix)]
        seller.stop().expect(0);
    }
}

#[test]
fn an_event_that_was_refused_comes_again_after_kill_9_with_the_same_bytes_and_another_signature() {
    let keys = Keys::new();
    let folder = tempfile::tempdir().unwrap();
    let file = keys.jwk("hooks");
    let flags = ["--allow-loopback-webhooks", "--review-delay", "86400", "--signing-key", &file];
    let receiver = Receiver::answering(&[503]);

    let seller = Seller::start_in(folder.path(), &flags);
    let submitted = seller.call("create_media_buy", &order(&receiver.url()), &[]).expect(0).json();
    let task = submitted["task_id"].as_str().unwrap();
    run_in(folder.path(), &["tasks", "cancel", task, "--reason", "the buyer called"]).expect(0);
    let first = receiver.next();
    let attempts = || {
        let list = run_in(folder.path(), &["webhooks", "list", "--json"]).expect(0).json();
        list["deliveries"][0]["attempts"].as_u64().unwrap()
    };
    while attempts() == 0 {}
    assert!(receiver.is_empty());
    seller.kill();

    let seller = Seller::start_in(folder.path(), &flags);
    let second = receiver.next();
    assert_eq!(second.bytes(), first.bytes());
    assert_ne!(second.header("signature"), first.header("signature"));
    let jwks = seller.get("/.well-known/jwks.json").1;
    for webhook in [&first, &second] {
        webhook.verified_by(jwks.as_bytes()).unwrap();
        assert_eq!(webhook.json()["status"], "canceled");
    }
}

#[test]
fn without_a_key_one_is_made_for_local_work_and_nothing_is_delivered_elsewhere() {
    let seller = Seller::start(&["--allow-loopback-webhooks", "--review-delay", "0.1"]);
    assert!(seller.greeting().contains("made for this run (--signing-key"), "{}", seller.greeting());
    let receiver = Receiver::answering(&[]);
    seller.call("create_media_buy", &order(&receiver.url()), &[]).expect(0);
    receiver.next().verified_by(seller.get("/.well-known/jwks.json").1.as_bytes()).unwrap();

    // Loopback is closed until it is asked for.
    let closed = Seller::start(&[]);
    let refused = closed.call("create_media_buy", &order(&receiver.url()), &[]).expect(3).json();
    assert_eq!(refused["adcp_error"]["field"], "push_notification_config.url", "{refused}");

    let public = ["--public-url", "https://ads.example.com/mcp", "--sandbox"];
    let unsigned = Seller::start(&public);
    assert!(
        unsigned.greeting().contains("requests for notifications are refused"),
        "{}",
        unsigned.greeting()
    );
    assert_eq!(capabilities(&unsigned).get("webhook_signing"), None);
    assert_eq!(unsigned.get("/.well-known/jwks.json").0, 404);
    let refused =
        unsigned.call("create_media_buy", &order("https://buyer.example/hook"), &[]).expect(3).json();
    assert_eq!(refused["adcp_error"]["field"], "push_notification_config", "{refused}");
}

#[test]
fn a_subscriber_is_asked_by_a_signed_challenge_and_counts_after_its_consent() {
    let seller = Seller::start(&["--allow-loopback-webhooks", "--registry", "memory"]);
    let receiver = Receiver::answering(&[]);
    let subscribe = |url: &str| {
        let config =
            json!({ "subscriber_id": "s1", "url": url, "event_types": ["creative.purged"], "active": true });
        let entry = json!({
            "brand": { "domain": "acme-outdoor.example" }, "operator": "pinnacle-agency.example",
            "billing": "operator", "sandbox": true, "notification_configs": [config],
        });
        let request = json!({ "accounts": [entry] }).to_string();
        seller.call("sync_accounts", &request, &[]).expect(0).json()["accounts"][0].clone()
    };
    assert_eq!(subscribe(&receiver.url())["action"], "created");
    let challenge = receiver.next();
    challenge.verified_by(seller.get("/.well-known/jwks.json").1.as_bytes()).unwrap();
    assert_eq!(challenge.json()["type"], "webhook.challenge");
    // Nobody is there.
    assert_eq!(subscribe("http://127.0.0.1:1/none")["action"], "failed");
}

#[test]
fn an_agent_with_a_public_url_says_where_its_keys_are() {
    let keys = Keys::new();
    let file = keys.jwk("hooks");
    let public = ["--public-url", "https://ads.example.com/sell/mcp", "--signing-key", &file];
    let seller = Seller::start(&public);
    let identity = json!({
        "brand_json_url": "https://ads.example.com/.well-known/brand.json",
        "key_origins": { "webhook_signing": "https://ads.example.com" },
    });
    assert_eq!(capabilities(&seller)["identity"], identity);
    let (status, brand) = seller.get("/.well-known/brand.json");
    let brand: Value = serde_json::from_str(&brand).unwrap();
    let entry = &brand["agents"][0];
    assert_eq!((status, &entry["url"]), (200, &json!("https://ads.example.com/sell/mcp")));
    assert_eq!(entry["jwks_uri"], "https://ads.example.com/.well-known/jwks.json");

    let own = ["--brand-json-url", "https://example.com/brand.json"];
    let seller = Seller::start(&[&public[..], &own].concat());
    assert_eq!(capabilities(&seller)["identity"]["brand_json_url"], "https://example.com/brand.json");
    assert_eq!((seller.get("/.well-known/brand.json").0, seller.get("/.well-known/jwks.json").0), (404, 200));
}

#[test]
#[cfg(unix)]
fn a_pem_file_is_named_by_its_thumbprint_and_no_key_is_ever_shown() {
    let keys = Keys::new();
    let key = LocalSigner::generate(Algorithm::EcdsaP256Sha256, KeyUse::WebhookSigning, "any").unwrap();
    let pem = keys.file("hooks.pem", &key.to_pem_file());
    crate::registry::set_mode(&pem, 0o644);
    let mut command =
        adcp(&["serve", "--bind", "127.0.0.1:0", "--token", TOKEN, "--signing-key", &text(&pem)]);
    let seller = Seller::spawn(command.env("RUST_LOG", "trace"));
    assert_eq!(capabilities(&seller)["webhook_signing"]["algorithms"], json!(["ecdsa-p256-sha256"]));
    let jwks: Value = serde_json::from_str(&seller.get("/.well-known/jwks.json").1).unwrap();
    assert_eq!(jwks["keys"][0]["kid"], key.jwk().thumbprint().as_str());
    assert_eq!((jwks["keys"][0].get("d"), &jwks["keys"][0]["x"]), (None, &json!(key.jwk().x)));
    let ran = seller.stop().expect(0);
    assert!(ran.err.contains("chmod 600"), "{}", ran.err);
    let secret = serde_json::from_slice::<Value>(key.to_jwk_file().expose()).unwrap()["d"].clone();
    let secret = secret.as_str().unwrap();
    assert!(!ran.out.contains(secret) && !ran.err.contains(secret));
}

#[test]
fn algorithms_of_keys_that_sign_next_are_announced_too() {
    let keys = Keys::new();
    let next = LocalSigner::generate(Algorithm::EcdsaP256Sha256, KeyUse::WebhookSigning, "next").unwrap();
    let (now, next) = (keys.jwk("now"), text(&keys.file("next.jwk", &next.to_jwk_file())));
    let seller = Seller::start(&["--signing-key", &now, "--signing-key", &next]);
    let signing = &capabilities(&seller)["webhook_signing"];
    assert_eq!(signing["algorithms"], json!(["ed25519", "ecdsa-p256-sha256"]));
    assert_eq!(signing["supported"], true);
}

#[test]
fn keys_that_cannot_work_open_no_port() {
    let keys = Keys::new();
    let good = keys.jwk("hooks");
    let same = text(&keys.file("same.jwk", &key("hooks", KeyUse::WebhookSigning).to_jwk_file()));
    let other = text(&keys.file("other.jwk", &key("requests", KeyUse::RequestSigning).to_jwk_file()));
    let public = Jwks::new([key("hooks", KeyUse::WebhookSigning).jwk()]).keys()[0].to_json().to_string();
    let public = text(&keys.file("public.jwk", &Secret::new(public)));
    let broken = text(&keys.file("broken.jwk", &Secret::new("{\"d\": \"5ec2e7\"")));
    let pem = "-----BEGIN PRIVATE KEY-----\n5ec2e7\n-----END PRIVATE KEY-----\n";
    let broken_pem = text(&keys.file("broken.pem", &Secret::new(pem)));
    let refuse = |flags: &[&str]| -> Ran {
        let ran = run(&[&["serve", "--bind", "127.0.0.1:0", "--token", TOKEN], flags].concat()).expect(2);
        assert_eq!(ran.out, "");
        assert!(!ran.err.contains("5ec2e7"), "{}", ran.err);
        ran
    };
    let empty = text(&keys.file("empty.jwk", &Secret::new("")));
    let cases: [(&[&str], &str); 15] = [
        (&["--signing-key", &empty], "is empty"),
        (&["--signing-key", "/dev/zero"], "no regular file"),
        (&["--operator-token-file", "/dev/zero"], "no regular file"),
        (&["--public-url", "https://me:5ec2e7@a.example/mcp"], "--public-url has a user"),
        (&["--public-url", "https://a.example/mcp?key=5ec2e7"], "--public-url has a query"),
        (
            &[
                "--signing-key",
                &good,
                "--public-url",
                "https://a.example/mcp",
                "--brand-json-url",
                "https://me:5ec2e7@a.example/b",
            ],
            "--brand-json-url has a user",
        ),
        (&["--signing-key", "/no/such/file"], "cannot read the key file"),
        (&["--signing-key", &other], "a key for request-signing"),
        (&["--signing-key", &public], "is no signing key"),
        (&["--signing-key", &broken], "is no signing key"),
        (&["--signing-key", &broken_pem], "is no signing key"),
        (&["--signing-key", &good, "--signing-key", &same], "like a key before it"),
        (
            &["--allow-loopback-webhooks", "--public-url", "https://a.example/mcp"],
            "only this machine can call",
        ),
        (
            &[
                "--signing-key",
                &good,
                "--public-url",
                "http://a.example/mcp",
                "--brand-json-url",
                "https://a.example/b",
            ],
            "https --public-url",
        ),
        (&["--brand-json-url", "https://a.example/b"], "--signing-key"),
    ];
    for (flags, words) in cases {
        let ran = refuse(flags);
        assert!(ran.err.contains(words), "{flags:?}: {}", ran.err);
    }
}
