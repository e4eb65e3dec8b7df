//! A receiver on loopback that is asked whether it wants notifications.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(crate) struct Hook {
    pub(crate) url: String,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    consents: AtomicBool,
    asked: Mutex<Vec<Value>>,
}

impl Hook {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let shared = Arc::new(Shared { consents: AtomicBool::new(true), asked: Mutex::default() });
        let all = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            loop {
                let (wire, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(wire, Arc::clone(&all)));
            }
        });
        Self { url, shared, accepting }
    }

    /// Whether it says yes from now on.
    pub(crate) fn consents(&self, yes: bool) {
        self.shared.consents.store(yes, Ordering::SeqCst);
    }

    /// The challenges that came.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.shared.asked.lock().unwrap().clone()
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn answer(mut wire: TcpStream, shared: Arc<Shared>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(wire.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.contains("signature-input: "), "a challenge is signed: {head}");
    let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    wire.read_exact(&mut body).await.unwrap();
    let asked: Value = serde_json::from_slice(&body).unwrap();
    let challenge = asked["challenge"].clone();
    shared.asked.lock().unwrap().push(asked);
    let answer = if shared.consents.load(Ordering::SeqCst) {
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{{\"challenge\":{challenge}}}")
    } else {
        "HTTP/1.1 404 No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_owned()
    };
    wire.write_all(answer.as_bytes()).await.unwrap();
}
