//! From the dead letter to its receiver: a worker that sends, a receiver on loopback, an operator in between.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adcp_console::Console;
use adcp_core::{
    Background as _, DeliveryState, EventKey, Owner, Principal, Publication, PublishEvents, Registry,
    TenantId,
};
use adcp_egress::Egress;
use adcp_registry_memory::MemoryRegistry;
use adcp_signing::{Algorithm, KeyUse, LocalSigner};
use adcp_webhooks::Webhooks;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::stage::{READER, WRITER, ask, operators};

/// Longer than anything here takes.
const BOUND: Duration = Duration::from_secs(20);

/// A request as it came: head and body.
type Got = (String, Vec<u8>);

/// Says 410 until it is told to say 200.
struct Receiver {
    url: String,
    says: Arc<Mutex<&'static str>>,
    got: mpsc::UnboundedReceiver<Got>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?key=query-of-the-buyer", listener.local_addr().unwrap());
        let (sender, got) = mpsc::unbounded_channel();
        let says = Arc::new(Mutex::new("410 Gone"));
        let word = Arc::clone(&says);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let got = read(&mut stream).await;
                let status = *word.lock().unwrap();
                let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
                if sender.send(got).is_err() {
                    return;
                }
            }
        });
        Self { url, says, got }
    }

    async fn next(&mut self) -> Got {
        tokio::time::timeout(BOUND, self.got.recv()).await.expect("nothing came").unwrap()
    }
}

async fn read(stream: &mut TcpStream) -> Got {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let mut body = vec![0; header(&head, "content-length").parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    (head, body)
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}: "))).unwrap();
    &line[name.len() + 2..]
}

fn nonce(head: &str) -> &str {
    header(head, "signature-input").split("nonce=\"").nth(1).unwrap().split('"').next().unwrap()
}

/// Asks until a delivery stands there: the worker writes down what happened after its receiver has answered.
async fn until(console: &Console, key: &EventKey, state: &str) -> serde_json::Value {
    let waiting = async {
        loop {
            let shown =
                ask(console, "GET", &format!("/admin/deliveries/{key}"), Some(READER)).await.done(200);
            if shown["state"] == state {
                return shown;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, waiting).await.expect("it never came to that")
}

#[tokio::test]
async fn a_dead_letter_that_is_sent_again_arrives_as_it_was_and_signed_afresh() {
    let mut receiver = Receiver::start().await;
    let registry: Arc<dyn Registry> = Arc::new(MemoryRegistry::volatile());
    let console = Console::new(Arc::clone(&registry), operators());
    let signer = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "hooks-1").unwrap();
    let webhooks = Webhooks::builder()
        .signer(signer)
        .egress(Egress::builder().allow_loopback_http().build().unwrap())
        .poll_every(Duration::from_secs(600))
        .build()
        .unwrap();
    webhooks.start(Arc::clone(&registry));
    let key = EventKey::random().unwrap();
    let body = format!(r#"{{"idempotency_key":"{key}",  "n":1.50,"token":"token-of-the-buyer-0123456789"}}"#);
    let owner = Owner::new(TenantId::single(), None, Principal::new("buyer"));
    let event = Publication::new(key.clone(), owner, "scheduled", &receiver.url, &body);
    registry.publish(PublishEvents::new(vec![event])).await.unwrap();

    let mut nonces = HashSet::new();
    let (head, first) = receiver.next().await;
    assert_eq!(first, body.as_bytes());
    nonces.insert(nonce(&head).to_owned());
    let dead = until(&console, &key, DeliveryState::Dead.as_str()).await;
    assert_eq!((&dead["reason"], dead["can_redeliver"].as_bool()), (&"gone".into(), Some(true)));

    // It may fail again, and then be sent again.
    let again = format!("/admin/deliveries/{key}/redeliver");
    for (status, state) in [("410 Gone", "dead"), ("200 OK", "delivered")] {
        *receiver.says.lock().unwrap() = status;
        ask(&console, "POST", &again, Some(WRITER)).await.done(202);
        let (head, body) = receiver.next().await;
        assert_eq!(body, first);
        assert!(nonces.insert(nonce(&head).to_owned()), "a nonce of its own: {head}");
        until(&console, &key, state).await;
    }
    let shown = until(&console, &key, "delivered").await;
    assert_eq!(shown["attempts"], 3);
    let told: Vec<_> =
        shown["attempts_kept"].as_array().unwrap().iter().map(|one| &one["http_status"]).collect();
    assert_eq!(told, [410, 410, 200]);
    let who: Vec<_> = shown["redeliveries"].as_array().unwrap().iter().map(|one| &one["by"]).collect();
    assert_eq!(who, ["wilma", "wilma"]);
    let late = ask(&console, "POST", &again, Some(WRITER)).await.problem(409, "not_dead");
    assert_eq!(late["state"], "delivered");
    webhooks.drain(BOUND).await;
}
