//! Where webhooks arrive: each is written down with who sent it, and answered as the seed says.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adcp_core::hex;
use adcp_signing::{
    Algorithm, FoundKey, Jwk, KeyQuery, KeySource, KeyUse, LocalSigner, MemoryReplayStore, Message, UnixTime,
    Verifier, VerifyError,
};
use anyhow::Context;
use async_trait::async_trait;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::history::{Answer, Arrival};
use super::plan::{GONE, Pace};
use super::recorder::Recorder;
use super::seed::Dice;

/// The file that replicas read their key from.
const KEY: &str = "hooks.pem";

/// Nonces that are remembered, of each process.
const NONCES: usize = 100_000;

/// More than any request has.
const LARGEST: usize = 1 << 20;

/// One address for each buyer, so that one of them does not wait for another.
#[derive(Debug)]
pub(crate) struct Receivers {
    pub(crate) urls: Vec<String>,
    _accepting: JoinSet<()>,
}

#[derive(Debug)]
struct Door {
    recorder: Arc<Recorder>,
    verifier: Verifier,
    seed: u64,
    pace: Pace,
    /// How often each event came.
    came: Mutex<BTreeMap<String, u64>>,
}

impl Receivers {
    /// Opens so many, and leaves the key that replicas sign with in the folder of the run.
    pub(crate) async fn open(
        amount: usize,
        folder: &std::path::Path,
        recorder: Arc<Recorder>,
        seed: u64,
        pace: Pace,
    ) -> anyhow::Result<Self> {
        let key = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "any")?;
        std::fs::write(folder.join(KEY), key.to_pem_file().expose())?;
        let keys = Arc::new(OfAnyLife(key.jwk()));
        let verifier = Verifier::webhooks(keys, Arc::new(MemoryReplayStore::new(NONCES)));
        let door = Arc::new(Door { recorder, verifier, seed, pace, came: Mutex::default() });
        let (mut urls, mut accepting) = (Vec::new(), JoinSet::new());
        for _ in 0..amount {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no port is free")?;
            urls.push(format!("http://{}", listener.local_addr()?));
            let (door, url) = (Arc::clone(&door), urls.last().cloned().unwrap_or_default());
            accepting.spawn(async move {
                let mut serving = JoinSet::new();
                while let Ok((wire, _)) = listener.accept().await {
                    let (door, url) = (Arc::clone(&door), url.clone());
                    // Whoever is killed in the middle of a request leaves half of one.
                    serving.spawn(async move { drop(door.serve(wire, &url).await) });
                    while serving.try_join_next().is_some() {}
                }
            });
        }
        Ok(Self { urls, _accepting: accepting })
    }
}

/// All replicas have one key; each process gives it a name of its own.
#[derive(Debug)]
struct OfAnyLife(Jwk);

#[async_trait]
impl KeySource for OfAnyLife {
    async fn find(&self, query: &KeyQuery<'_>) -> Result<Option<FoundKey>, VerifyError> {
        let mut jwk = self.0.clone();
        query.keyid.clone_into(&mut jwk.kid);
        Ok(Some(FoundKey::new(jwk)))
    }
}

impl Door {
    async fn serve(&self, mut wire: TcpStream, url: &str) -> io::Result<()> {
        let (head, body) = read(&mut wire).await?;
        let (answer, delay) = self.receive(url, &head, &body).await;
        sleep(delay).await;
        let status = match answer {
            Answer::Taken => "200 OK",
            Answer::Gone => "410 Gone",
            Answer::Busy => "503 Busy",
            // The system sends a reset instead of an end.
            Answer::Reset => return wire.set_zero_linger(),
        };
        let text = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        wire.write_all(text.as_bytes()).await?;
        wire.shutdown().await
    }

    /// Writes it down; how it is answered, and after how long.
    async fn receive(&self, url: &str, head: &str, body: &[u8]) -> (Answer, Duration) {
        let target = head.split(' ').nth(1).unwrap_or_default();
        let fields: Vec<(&str, &str)> =
            head.lines().skip(1).filter_map(|line| line.split_once(": ")).collect();
        let of_body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| of_body[name].as_str().unwrap_or_default().to_owned();
        let key = text("idempotency_key");
        let (answer, delay) = self.decide(&key, target);

        let whole = format!("{url}{target}");
        let headers = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        let message = Message::new("POST", &whole, body).with_headers(headers);
        let at = self.recorder.now();
        let verified = self.verifier.verify(&message, UnixTime::from_micros(at)).await;
        let (life, nonce, fault) = match verified {
            Ok(verified) => (verified.keyid, verified.nonce, None),
            Err(error) => (String::new(), String::new(), Some(error.to_string())),
        };
        self.recorder.arrival(Arrival {
            at,
            key,
            task: text("task_id"),
            status: text("status"),
            digest: hex(&Sha256::digest(body)),
            target: whole,
            life,
            nonce,
            fault,
            answer,
        });
        (answer, delay)
    }

    fn decide(&self, key: &str, target: &str) -> (Answer, Duration) {
        let time = {
            let mut came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
            let times = came.entry(key.to_owned()).or_default();
            *times += 1;
            *times
        };
        let mut dice = Dice::stream(self.seed, &format!("{key} {time}"));
        // Between sending and recording it shall take some time, so that it is broken there.
        let delay = if dice.chance(40) { dice.between(20, 300) } else { 0 };
        // At the pace of the defaults the second wait is half a minute, and nobody waits for that.
        let fails = match self.pace {
            Pace::Fast => dice.chance(15),
            Pace::Default => time == 1 && dice.chance(10),
        };
        let answer = match (fails, target.ends_with(GONE)) {
            (true, _) if dice.chance(30) => Answer::Reset,
            (true, _) => Answer::Busy,
            (false, true) => Answer::Gone,
            (false, false) => Answer::Taken,
        };
        (answer, Duration::from_millis(delay))
    }
}

/// Head and body of a request.
async fn read(wire: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if wire.read_buf(&mut bytes).await? == 0 || bytes.len() > LARGEST {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().ok())?
        });
        let whole = end + 4 + length.unwrap_or(0);
        if bytes.len() >= whole {
            return Ok((head, bytes[end + 4..whole].to_vec()));
        }
    }
}
