//! One arrival: judged by the receiver that buyers use, and taken apart for whoever watches.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adcp_core::{Clock as _, SystemClock, hex, json::canonical};
use adcp_signing::{Message, UnixTime};
use adcp_webhooks::{
    Agreement, Answer, Arrival, Claimed, Dedup as _, Incoming, MemoryDedup, Opened, WebhookReceiver,
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::checklist::{Checked, is_challenge};
use super::http::{Reply, Request};
use super::means::Means;
use crate::args::Fail;

/// Events whose deliveries are counted; of later ones it is not told that they came before.
const MOST: usize = 10_000;
/// How long an event may be worked on, which takes no time here.
const LEASE: Duration = Duration::from_secs(60);

/// What an arrival is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// An event that did not come before.
    New,
    /// One that came before, and was not taken in.
    Again,
    /// One that was taken in before.
    Duplicate,
    /// A key that was used for something else.
    Conflict,
    /// A question whether webhooks are wanted, answered with yes.
    Challenge,
    /// Something is wrong with it.
    Refused,
    /// It could not be verified now.
    Unknown,
}

impl Verdict {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Again => "again",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::Challenge => "challenge",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }

    pub(super) const fn is_good(self) -> bool {
        matches!(self, Self::New | Self::Again | Self::Duplicate | Self::Challenge)
    }
}

/// Receives, and knows what came before.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) means: Means,
    agreement: Option<Agreement>,
    dedup: Arc<MemoryDedup>,
    public_url: Option<String>,
    at: SocketAddr,
    accept_challenges: bool,
    fail: Option<Fail>,
    arrived: AtomicU32,
    seen: Mutex<HashMap<String, u32>>,
}

/// What came of an arrival.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) checked: Checked,
    pub(super) url: String,
    /// What the sender is told, unless this arrival is made to fail.
    pub(super) reply: Reply,
    /// The code of what is wrong.
    pub(super) code: Option<String>,
    claimed: Option<Claimed>,
}

impl Desk {
    pub(super) fn new(
        means: Means,
        at: SocketAddr,
        public_url: Option<String>,
        accept_challenges: bool,
        fail: Option<Fail>,
    ) -> Self {
        Self {
            agreement: means.agreement(),
            means,
            dedup: Arc::new(MemoryDedup::new()),
            public_url,
            at,
            accept_challenges,
            fail,
            arrived: AtomicU32::new(0),
            seen: Mutex::default(),
        }
    }

    /// How the arrival that is here now fails, if it does.
    pub(super) fn failing(&self) -> Option<&Fail> {
        let arrived = self.arrived.fetch_add(1, Ordering::Relaxed);
        self.fail.as_ref().filter(|fail| fail.first.is_none_or(|first| arrived < first))
    }

    /// The origin that the sender called: the public one, or a name of this machine at our port.
    fn origin(&self, request: &Request) -> String {
        if let Some(url) = &self.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let port = self.at.port();
        let host = request.header("host").unwrap_or_default();
        let own = ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| host == format!("{name}:{port}"));
        if own { format!("http://{host}") } else { format!("http://{}", self.at) }
    }

    /// Checks an arrival, and claims its event.
    pub(super) async fn judge(&self, request: &Request) -> Judged {
        let origin = self.origin(request);
        let url = format!("{origin}{}", request.target);
        // What a tunnel makes of the name is not the sender's word.
        let hidden = |name: &str| self.public_url.is_some() && name.eq_ignore_ascii_case("host");
        let headers = request.headers.iter().filter(|(name, _)| !hidden(name));
        let headers: Vec<(&str, &[u8])> =
            headers.map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let message = Message::new("POST", &url, &request.body).with_headers(headers.iter().copied());
        let now = UnixTime::from_micros(SystemClock::new().now().as_micros());
        // With a memory of nonces of its own: the receiver's decides about replays.
        let checked = Checked::of(&message, &self.means, self.means.verifier().as_ref(), now).await;
        let body: Option<Value> = serde_json::from_slice(&request.body).ok();
        let asks = body.as_ref().is_some_and(is_challenge);
        let receiver = WebhookReceiver::new(&origin, Arc::clone(&self.dedup));
        let opened = if asks && !self.accept_challenges {
            Err(Reply::error(403, "challenge_refused"))
        } else if let Some(agreement) = &self.agreement {
            let incoming = Incoming { target: &request.target, headers: &headers, body: &request.body };
            match receiver.open(agreement, incoming).await {
                Opened::New(_, claimed) => Ok(claimed),
                Opened::Answer(answer) => Err(answer.into()),
            }
        } else {
            self.open_unverified(&checked, body.as_ref()).await
        };
        let key = checked.payload.as_ref().and_then(|(_, key)| key.clone());
        match opened {
            Ok(claimed) => {
                let verdict = if self.count(&claimed.key) > 1 { Verdict::Again } else { Verdict::New };
                let reply = Reply { status: 200, headers: Vec::new(), body: String::new() };
                Judged { verdict, checked, url, reply, code: None, claimed: Some(claimed) }
            }
            Err(reply) => {
                let verdict = match reply.status {
                    200 if asks => Verdict::Challenge,
                    200 => Verdict::Duplicate,
                    409 => Verdict::Conflict,
                    503 => Verdict::Unknown,
                    _ => Verdict::Refused,
                };
                if let (Verdict::Duplicate, Some(key)) = (verdict, key) {
                    self.count(&key);
                }
                let code = (!verdict.is_good()).then(|| reply.code());
                Judged { verdict, checked, url, reply, code, claimed: None }
            }
        }
    }

    /// What there is nothing to verify by is only told from what came before.
    async fn open_unverified(&self, checked: &Checked, body: Option<&Value>) -> Result<Claimed, Reply> {
        if let Some(code) = checked.code() {
            return Err(Reply::error(400, code));
        }
        let (Some((payload, key)), Some(body)) = (&checked.payload, body) else {
            return Err(Reply::error(400, "webhook_body_malformed"));
        };
        if let adcp_webhooks::Payload::Challenge(challenge) = payload {
            let body = serde_json::json!({ "challenge": challenge }).to_string();
            let headers = vec![("content-type", "application/json".to_owned())];
            return Err(Reply { status: 200, headers, body });
        }
        let said = canonical(body).unwrap_or_default();
        let hash: [u8; 32] = Sha256::digest(&said).into();
        let key = key.clone().unwrap_or_else(|| format!("sha256:{}", hex(&hash)));
        match self.dedup.claim(Arrival::new("sender", key, hash, LEASE)).await {
            Ok(adcp_webhooks::Seen::New(claimed)) => Ok(claimed),
            Ok(adcp_webhooks::Seen::Finished) => {
                Err(Reply { status: 200, headers: Vec::new(), body: String::new() })
            }
            Ok(adcp_webhooks::Seen::Conflict) => Err(Reply::error(409, "idempotency_conflict")),
            Ok(adcp_webhooks::Seen::InProgress) | Err(_) => Err(Reply::error(503, "not_now")),
        }
    }

    /// How often an event came, with this time.
    fn count(&self, key: &str) -> u32 {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST && !seen.contains_key(key) {
            return 1;
        }
        let count = seen.entry(key.to_owned()).or_default();
        *count += 1;
        *count
    }

    /// Takes the event in, or leaves it to its next delivery.
    pub(super) async fn settle(&self, judged: &mut Judged, taken: bool) {
        let Some(claimed) = judged.claimed.take() else { return };
        let receiver = WebhookReceiver::new("http://localhost", Arc::clone(&self.dedup));
        judged.reply = match taken {
            true => receiver.finish(&claimed).await,
            false => receiver.give_up(&claimed).await,
        }
        .into();
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self { status: answer.status, headers: answer.headers, body: answer.body }
    }
}

impl Reply {
    /// The word of an error.
    fn code(&self) -> String {
        let body: Option<Value> = serde_json::from_str(&self.body).ok();
        let code = body.as_ref().and_then(|body| body.get("error")).and_then(Value::as_str);
        code.unwrap_or("refused").to_owned()
    }
}
