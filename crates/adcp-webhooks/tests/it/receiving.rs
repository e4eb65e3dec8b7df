//! The buyer's side: what is let in, what is answered, and that an event is worked on once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use adcp_core::{
    CallbackAuth, Clock as _, Effects, FinishTask, IssueTask, ManualClock, Outcome, Owner, Principal,
    Registration, TaskId, TaskRegistry as _, TenantId,
};
use adcp_signing::{
    Algorithm, BearerToken, DEFAULT_WEBHOOK_NONCES, HmacKey, Jwks, KeyUse, LocalSigner, MemoryReplayStore,
    Message, Secret, SignedHeaders, UnixTime, Verifier, sign_webhook,
};
use adcp_webhooks::{Agreement, Answer, Incoming, MemoryDedup, Opened, Payload, WebhookReceiver};
use serde_json::{Value, json};

use crate::receiver::{Got, OK, Receiver, Step};
use crate::stage::{Stage, TOKEN};
use crate::store::{Store, on_every_registry};

const ORIGIN: &str = "https://buyer.example";
const TARGET: &str = "/hooks/7?x=1";
const SECRET: &str = "credentials-of-the-buyer-0123456789";
const KEY: &str = "whk_0123456789abcdef";

/// A sender and a receiver that agreed on something.
struct Pair {
    clock: Arc<ManualClock>,
    seller: LocalSigner,
    verifier: Verifier,
    receiver: WebhookReceiver,
}

type Fields = Vec<(String, Vec<u8>)>;

impl Pair {
    fn new() -> Self {
        let stage = Stage::new();
        let dedup = MemoryDedup::new().with_clock(Arc::clone(&stage.clock) as Arc<dyn adcp_core::Clock>);
        let receiver = WebhookReceiver::new(ORIGIN, dedup)
            .with_clock(Arc::clone(&stage.clock) as Arc<dyn adcp_core::Clock>);
        let verifier = verifier(&stage.key);
        Self { clock: stage.clock, seller: stage.key, verifier, receiver }
    }

    fn agreement(&self) -> Agreement {
        Agreement::signed("seller", self.verifier.clone())
    }

    fn now(&self) -> UnixTime {
        UnixTime::from_micros(self.clock.now().as_micros())
    }

    async fn signed_by(&self, key: &LocalSigner, body: &str) -> Fields {
        let url = format!("{ORIGIN}{TARGET}");
        let message =
            Message::new("POST", &url, body.as_bytes()).with_header("content-type", "application/json");
        fields(&sign_webhook(key, &message, self.now()).await.unwrap())
    }

    async fn signed(&self, body: &str) -> Fields {
        self.signed_by(&self.seller, body).await
    }

    async fn open(&self, agreement: &Agreement, fields: &Fields, body: &str) -> Opened {
        let headers: Vec<(&str, &[u8])> =
            fields.iter().map(|(name, value)| (name.as_str(), &value[..])).collect();
        let incoming = Incoming { target: TARGET, headers: &headers, body: body.as_bytes() };
        self.receiver.open(agreement, incoming).await
    }

    /// Sends what the seller signs.
    async fn send(&self, agreement: &Agreement, body: &str) -> Opened {
        let fields = self.signed(body).await;
        self.open(agreement, &fields, body).await
    }

    async fn answer(&self, agreement: &Agreement, fields: &Fields, body: &str) -> Answer {
        match self.open(agreement, fields, body).await {
            Opened::Answer(answer) => answer,
            Opened::New(webhook, _) => panic!("it was let in: {webhook:?}"),
        }
    }
}

fn verifier(key: &LocalSigner) -> Verifier {
    Verifier::webhooks(
        Arc::new(Jwks::new([key.jwk()])),
        Arc::new(MemoryReplayStore::new(DEFAULT_WEBHOOK_NONCES)),
    )
}

fn fields(of: &SignedHeaders) -> Fields {
    let of = of.iter().map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    plain().into_iter().chain(of).collect()
}

/// Nothing authenticates it.
fn plain() -> Fields {
    vec![("content-type".to_owned(), b"application/json".to_vec())]
}

fn news() -> Value {
    json!({
        "idempotency_key": KEY, "operation_id": "op-7", "task_id": "t", "task_type": "create_media_buy",
        "status": "completed", "timestamp": "2026-11-21T08:00:00Z", "token": TOKEN, "result": { "media_buy_id": "mb" },
    })
}

fn status(opened: &Opened) -> u16 {
    match opened {
        Opened::Answer(answer) => answer.status,
        Opened::New(..) => 0,
    }
}

on_every_registry! {
    the_end_of_a_task_is_received_in_every_mode,
}

#[tokio::test]
async fn an_event_is_worked_on_once() {
    let pair = Pair::new();
    let (agreement, body) = (pair.agreement(), news().to_string());
    let Opened::New(webhook, claimed) = pair.send(&agreement, &body).await else { panic!() };
    assert_eq!((webhook.sender.as_str(), webhook.key.as_str()), ("seller", KEY));
    let Payload::Task(task) = &webhook.payload else { panic!("{webhook:?}") };
    assert_eq!(task.result, Some(json!({ "media_buy_id": "mb" })));
    assert_eq!(webhook.verified.as_ref().unwrap().keyid, "hooks-1");

    let busy = pair.send(&agreement, &body).await;
    let Opened::Answer(busy) = busy else { panic!() };
    assert_eq!(busy.status, 503, "somebody works on it");
    assert!(busy.headers.iter().any(|(name, _)| *name == "retry-after"));

    assert_eq!(pair.receiver.finish(&claimed).await.status, 200);
    assert_eq!(status(&pair.send(&agreement, &body).await), 200, "a duplicate is a success");
    // The same, written in another way.
    let spaced = serde_json::to_string_pretty(&news()).unwrap();
    assert_eq!(status(&pair.send(&agreement, &spaced).await), 200);
    let mut other = news();
    other["status"] = "failed".into();
    assert_eq!(status(&pair.send(&agreement, &other.to_string()).await), 409);
    // Another sender's keys are its own.
    let elsewhere = Agreement::signed("another seller", pair.verifier.clone());
    assert_eq!(status(&pair.send(&elsewhere, &body).await), 0);
}

#[tokio::test]
async fn an_event_that_was_given_up_is_new_again() {
    let pair = Pair::new();
    let (agreement, body) = (pair.agreement(), news().to_string());
    let Opened::New(_, claimed) = pair.send(&agreement, &body).await else { panic!() };
    assert_eq!(pair.receiver.give_up(&claimed).await.status, 503);
    let Opened::New(_, silent) = pair.send(&agreement, &body).await else { panic!() };
    // Whoever works on it falls silent.
    pair.clock.advance(Duration::from_secs(60));
    let Opened::New(_, last) = pair.send(&agreement, &body).await else { panic!() };
    pair.receiver.give_up(&silent).await;
    assert_eq!(status(&pair.send(&agreement, &body).await), 503, "a late word is not heard");
    pair.receiver.finish(&last).await;
    pair.clock.advance(Duration::from_secs(24 * 60 * 60 - 1));
    assert_eq!(status(&pair.send(&agreement, &body).await), 200);
    pair.clock.advance(Duration::from_secs(1));
    assert_eq!(status(&pair.send(&agreement, &body).await), 0, "a day is over");
}

#[tokio::test]
async fn work_that_fails_is_asked_for_again() {
    let pair = Pair::new();
    let (agreement, body, runs) = (pair.agreement(), news().to_string(), AtomicUsize::new(0));
    for (fails, want) in [(true, 503), (false, 200), (false, 200)] {
        let fields = pair.signed(&body).await;
        let headers: Vec<(&str, &[u8])> =
            fields.iter().map(|(name, value)| (name.as_str(), &value[..])).collect();
        let incoming = Incoming { target: TARGET, headers: &headers, body: body.as_bytes() };
        let work = |_| {
            runs.fetch_add(1, Ordering::SeqCst);
            async move { if fails { Err("the warehouse is closed".into()) } else { Ok(()) } }
        };
        assert_eq!(pair.receiver.receive(&agreement, incoming, work).await.status, want);
    }
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_is_not_as_agreed_is_refused() {
    let pair = Pair::new();
    let stranger = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "hooks-1").unwrap();
    let agreement = pair.agreement().with_token(Secret::new(TOKEN)).with_operation_id("op-7");
    let body = news().to_string();
    let code = |answer: &Answer| {
        serde_json::from_str::<Value>(&answer.body).unwrap()["error"].as_str().unwrap().to_owned()
    };

    let forged = pair.answer(&agreement, &pair.signed_by(&stranger, &body).await, &body).await;
    assert_eq!((forged.status, code(&forged).as_str()), (401, "webhook_signature_invalid"));
    assert!(
        forged
            .headers
            .contains(&("www-authenticate", "Signature error=\"webhook_signature_invalid\"".to_owned()))
    );

    let once = pair.signed(&body).await;
    let changed = body.replace("completed", "failed");
    assert_eq!(code(&pair.answer(&agreement, &once, &changed).await), "webhook_signature_digest_mismatch");

    let none = plain();
    assert_eq!(code(&pair.answer(&agreement, &none, &body).await), "webhook_signature_header_malformed");
    let hmac = HmacKey::new(Secret::new(SECRET)).unwrap();
    let hashed = fields(&hmac.sign(body.as_bytes(), pair.now()).unwrap());
    assert_eq!(code(&pair.answer(&agreement, &hashed, &body).await), "webhook_mode_mismatch");

    let mut odd = pair.signed(&body).await;
    odd[0].1 = b"text/plain".to_vec();
    assert_eq!(pair.answer(&agreement, &odd, &body).await.status, 415);

    for (name, value, status, want) in [
        ("token", json!("token-of-somebody-else-0123456"), 403, "token_mismatch"),
        ("token", Value::Null, 403, "token_mismatch"),
        ("operation_id", json!("op-8"), 403, "operation_id_mismatch"),
        ("idempotency_key", Value::Null, 400, "missing_idempotency_key"),
        ("status", json!("active"), 400, "invalid_envelope_status"),
        ("task_id", Value::Null, 400, "missing_envelope_fields"),
    ] {
        let mut body = news();
        body[name] = value;
        let body = body.to_string();
        let answer = pair.answer(&agreement, &pair.signed(&body).await, &body).await;
        assert_eq!((answer.status, code(&answer).as_str()), (status, want), "{name}");
    }

    let fields = pair.signed(&body).await;
    let headers: Vec<(&str, &[u8])> =
        fields.iter().map(|(name, value)| (name.as_str(), &value[..])).collect();
    let incoming = Incoming { target: TARGET, headers: &headers, body: body.as_bytes() };
    let within = pair.receiver.clone().with_max_body(body.len() - 1);
    let Opened::Answer(answer) = within.open(&agreement, incoming).await else { panic!() };
    assert_eq!(answer.status, 413);

    // None of it was taken for the event; and a body may be as long as it may.
    let pair = Pair { receiver: pair.receiver.clone().with_max_body(body.len()), ..pair };
    let Opened::New(webhook, _) = pair.send(&agreement, &body).await else { panic!() };
    let shown = format!("{webhook:?}");
    assert!(shown.contains(KEY) && !shown.contains(TOKEN), "{shown}");
    let again = pair.answer(&agreement, &once, &body).await;
    assert_eq!(
        (again.status, code(&again).as_str()),
        (503, "not_now"),
        "a nonce that a forger failed with is still good"
    );
    let replayed = pair.answer(&agreement, &once, &body).await;
    assert_eq!(code(&replayed), "webhook_signature_replayed");
}

#[tokio::test]
async fn legacy_schemes_count_where_they_were_agreed() {
    let pair = Pair::new();
    let body = news().to_string();
    let hmac = HmacKey::new(Secret::new(SECRET)).unwrap();
    let bearer = BearerToken::new(Secret::new(SECRET)).unwrap();
    let by_hmac = Agreement::hmac("hmac", hmac.clone());
    let by_bearer = Agreement::bearer("bearer", bearer.clone());
    let hashed = fields(&hmac.sign(body.as_bytes(), pair.now()).unwrap());
    let token = fields(&bearer.sign());
    assert_eq!(status(&pair.open(&by_hmac, &hashed, &body).await), 0);
    assert_eq!(status(&pair.open(&by_bearer, &token, &body).await), 0);
    let wrong = pair.answer(&by_hmac, &hashed, &body.replace("completed", "failed")).await;
    assert_eq!((wrong.status, wrong.headers.len()), (401, 1), "it says nothing of why");
    for agreement in [&by_hmac, &by_bearer] {
        let signed = pair.answer(agreement, &pair.signed(&body).await, &body).await;
        assert!(signed.body.contains("webhook_mode_mismatch"), "{signed:?}");
    }
    let twice = body.replacen('{', r#"{"status":"failed","#, 1);
    let hashed = hmac.sign(body.as_bytes(), pair.now()).unwrap();
    assert_eq!(pair.answer(&by_hmac, &fields(&hashed), &twice).await.status, 401);
}

#[tokio::test]
async fn a_challenge_is_repeated_when_it_is_signed() {
    let pair = Pair::new();
    let text = "c".repeat(40);
    let body = json!({ "type": "webhook.challenge", "challenge": text, "account_id": "a" }).to_string();
    let hmac = HmacKey::new(Secret::new(SECRET)).unwrap();
    let legacy = Agreement::hmac("seller", hmac.clone()).with_challenges_signed(pair.verifier.clone());
    for agreement in [pair.agreement().with_token(Secret::new(TOKEN)), legacy.clone()] {
        let answer = pair.answer(&agreement, &pair.signed(&body).await, &body).await;
        assert_eq!((answer.status, answer.body), (200, json!({ "challenge": text }).to_string()));
    }
    // Nothing but a challenge is let in by a signature there.
    let news = news().to_string();
    assert_eq!(pair.answer(&legacy, &pair.signed(&news).await, &news).await.status, 401);
    let unsigned = plain();
    assert_eq!(pair.answer(&pair.agreement(), &unsigned, &body).await.status, 401);
}

/// Ends a task whose buyer wants to hear of it, and returns what arrives at the buyer.
async fn hear_of_an_end(stage: &Stage, buyer: &Receiver, legacy: Option<(&str, &str)>) -> Got {
    let before = buyer.got().len();
    let owner = Owner::new(TenantId::single(), None, Principal::new("buyer"));
    let auth = legacy.map(|(scheme, secret)| CallbackAuth::new(scheme, adcp_core::Secret::new(secret)));
    let registration = Registration::new(buyer.url(), "op-7")
        .unwrap()
        .with_token(Some(adcp_core::Secret::new(TOKEN)))
        .with_authentication(auth);
    let mut effects = Effects::none();
    effects.notify = Some(registration);
    let id = TaskId::random().unwrap();
    let task = IssueTask::new(id.clone(), owner.clone(), "create_media_buy", "create_media_buy", "media-buy")
        .with_effects(effects);
    stage.registry.issue(task).await.unwrap();
    let Value::Object(result) = json!({ "media_buy_id": "mb" }) else { panic!() };
    let end = FinishTask::new(id, owner.scope(), Outcome::Completed(result));
    stage.registry.finish(end).await.unwrap();
    buyer.has_got(before + 1).await;
    buyer.got().pop().unwrap()
}

async fn the_end_of_a_task_is_received_in_every_mode(store: Store) {
    let stage = Stage::over(store).await;
    let buyer = Receiver::plain(&[&[Step::Read, OK]]).await;
    let _webhooks = stage.start(stage.builder());
    let receiver = WebhookReceiver::new(&format!("http://{}", buyer.address), MemoryDedup::new())
        .with_clock(Arc::clone(&stage.clock) as Arc<dyn adcp_core::Clock>);
    for (legacy, agreement) in [
        (None, Agreement::signed("seller", verifier(&stage.key))),
        (Some("HMAC-SHA256"), Agreement::hmac("seller", HmacKey::new(Secret::new(SECRET)).unwrap())),
        (Some("Bearer"), Agreement::bearer("seller", BearerToken::new(Secret::new(SECRET)).unwrap())),
    ] {
        let got = hear_of_an_end(&stage, &buyer, legacy.map(|scheme| (scheme, SECRET))).await;
        let headers: Vec<(&str, &[u8])> =
            got.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let agreement = agreement.with_token(Secret::new(TOKEN)).with_operation_id("op-7");
        let incoming = Incoming { target: &got.target, headers: &headers, body: &got.body };
        let Opened::New(webhook, claimed) = receiver.open(&agreement, incoming).await else {
            panic!("{legacy:?}")
        };
        let Payload::Task(task) = &webhook.payload else { panic!("{webhook:?}") };
        assert_eq!(task.status.as_deref(), Some("completed"), "{legacy:?}");
        assert_eq!(task.result.as_ref().unwrap()["media_buy_id"], "mb");
        assert_eq!(receiver.finish(&claimed).await.status, 200);
    }
}

#[tokio::test]
async fn a_memory_that_is_full_refuses() {
    let pair = Pair::new();
    let dedup = MemoryDedup::new()
        .with_most(1)
        .with_memory_of(Duration::from_secs(60))
        .with_clock(Arc::clone(&pair.clock) as Arc<dyn adcp_core::Clock>);
    let receiver =
        WebhookReceiver::new(ORIGIN, dedup).with_clock(Arc::clone(&pair.clock) as Arc<dyn adcp_core::Clock>);
    let pair = Pair { receiver, ..pair };
    let agreement = pair.agreement();
    let event = |n: u32| news().to_string().replace(KEY, &format!("whk_0123456789abcde{n}"));
    let Opened::New(_, claimed) = pair.send(&agreement, &event(1)).await else { panic!() };
    pair.receiver.finish(&claimed).await;
    assert_eq!(status(&pair.send(&agreement, &event(2)).await), 503);
    assert_eq!(status(&pair.send(&agreement, &event(1)).await), 200);
    pair.clock.advance(Duration::from_secs(60));
    assert_eq!(status(&pair.send(&agreement, &event(2)).await), 0);
}
