//! A receiver of webhooks on this machine, and what arrived there.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver as Inbox, Sender, channel};
use std::time::Duration;

use adcp_core::{Clock as _, SystemClock};
use adcp_signing::{
    DEFAULT_WEBHOOK_NONCES, Jwks, MemoryReplayStore, Message, UnixTime, Verified, Verifier, VerifyError,
};
use serde_json::Value;

/// Longer than any schedule of these tests; a webhook that does not come fails the test then.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes connections until the test ends.
pub(crate) struct Receiver {
    address: SocketAddr,
    inbox: Inbox<Arrived>,
}

/// A request, byte for byte.
#[derive(Debug)]
pub(crate) struct Arrived {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Receiver {
    /// Answers with these statuses, one after the other, and then with 200.
    pub(crate) fn answering(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, inbox) = channel();
        std::thread::spawn(move || {
            let mut statuses = statuses.iter();
            for stream in listener.incoming() {
                let status = *statuses.next().unwrap_or(&200);
                // A peer that was killed in the middle is nothing to this receiver.
                let _ = serve(&stream.unwrap(), address, status, &sender);
            }
        });
        Self { address, inbox }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hooks/1", self.address)
    }

    /// Waits for the next webhook.
    pub(crate) fn next(&self) -> Arrived {
        self.inbox.recv_timeout(PATIENCE).expect("no webhook came")
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.inbox.try_recv().is_err()
    }
}

fn serve(
    stream: &TcpStream,
    address: SocketAddr,
    status: u16,
    sender: &Sender<Arrived>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let url = format!("http://{address}{}", words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    reader.read_exact(&mut body)?;
    // Whoever asks whether webhooks are wanted here is told so.
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let reply = match &asked["challenge"] {
        Value::Null => String::new(),
        challenge => serde_json::json!({ "challenge": challenge }).to_string(),
    };
    // Told before it is answered: who waits for it may end the sender at once.
    let _ = sender.send(Arrived { method, url, headers, body });
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status} Answer\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{reply}",
        reply.len()
    )
}

impl Arrived {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Verifies the signature with a key set as it was published.
    pub(crate) fn verified_by(&self, jwks: &[u8]) -> Result<Verified, VerifyError> {
        let keys = Arc::new(Jwks::parse(jwks).unwrap());
        let verifier = Verifier::webhooks(keys, Arc::new(MemoryReplayStore::new(DEFAULT_WEBHOOK_NONCES)));
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let message = Message::new(&self.method, &self.url, &self.body).with_headers(headers);
        let now = UnixTime::from_micros(SystemClock::new().now().as_micros());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(verifier.verify(&message, now))
    }
}
