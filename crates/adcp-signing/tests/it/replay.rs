//! Nonces: once, by everybody, for as long as it matters.

use std::sync::Arc;
use std::time::Duration;

use adcp_signing::{
    Fault, FoundKey, Jwks, KeyFault, KeyQuery, KeySource, MemoryReplayStore, Nonce, Profile, Rejection,
    Remembered, ReplayStore, Unavailable, UnixTime, Verifier, VerifyError, sign_webhook,
};
use async_trait::async_trait;

use crate::fixture::{NOW, message, webhook_key, with};

/// A store that forwards to another one, and may have had enough.
#[derive(Debug)]
struct Watched {
    inner: MemoryReplayStore,
    full: bool,
    broken: bool,
    asked: std::sync::Mutex<Vec<(String, Duration)>>,
}

impl Watched {
    fn new(per_key: usize) -> Self {
        Self {
            inner: MemoryReplayStore::new(per_key),
            full: false,
            broken: false,
            asked: std::sync::Mutex::default(),
        }
    }
}

#[async_trait]
impl ReplayStore for Watched {
    async fn is_full(&self, scope: &str, keyid: &str, now: UnixTime) -> Result<bool, Unavailable> {
        if self.broken {
            return Err(Unavailable::new("replay store", "gone"));
        }
        Ok(self.full || self.inner.is_full(scope, keyid, now).await?)
    }

    async fn remember(&self, nonce: Nonce<'_>) -> Result<Remembered, Unavailable> {
        self.asked.lock().unwrap().push((nonce.scope.to_owned(), nonce.ttl));
        self.inner.remember(nonce).await
    }
}

#[tokio::test]
async fn a_full_store_refuses_before_the_signature_counts_and_forgets_nothing() {
    let key = webhook_key();
    let keys = Arc::new(Jwks::new([key.jwk()]));
    let verifier = Verifier::webhooks(keys, Arc::new(MemoryReplayStore::new(2)));
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(sign_webhook(&key, &message(), NOW).await.unwrap());
    }
    for (at, want) in
        [(0, ""), (1, ""), (2, "webhook_signature_rate_abuse"), (0, "webhook_signature_rate_abuse")]
    {
        match verifier.verify(&with(message(), &all[at]), NOW).await {
            Ok(_) => assert_eq!(want, ""),
            Err(error) => assert_eq!(error.rejection().unwrap().code(), want),
        }
    }
    // Past expiry and skew the room is there again; the old messages have expired by then.
    let later = NOW.after(Duration::from_secs(361));
    let fresh = sign_webhook(&key, &message(), later).await.unwrap();
    verifier.verify(&with(message(), &fresh), later).await.unwrap();
    let old = verifier.verify(&with(message(), &all[0]), later).await.unwrap_err();
    assert_eq!(old.rejection().unwrap().fault, Fault::WindowInvalid);
}

#[tokio::test]
async fn a_nonce_is_kept_until_its_message_can_pass_no_more() {
    let key = webhook_key();
    let store = Arc::new(Watched::new(9));
    let verifier = Verifier::webhooks(Arc::new(Jwks::new([key.jwk()])), store.clone())
        .with_replay_scope("https://a.example/");
    let fields = sign_webhook(&key, &message(), NOW).await.unwrap();
    let late = NOW.after(Duration::from_secs(350));
    verifier.verify(&with(message(), &fields), late).await.unwrap();
    // Expired for 50 s, within the skew: the last second in which it passes is 10 s away, and it is kept for longer.
    assert_eq!(*store.asked.lock().unwrap(), [("https://a.example/".to_owned(), Duration::from_secs(61))]);
    for secs in [0, 9, 10] {
        let found = verifier.verify(&with(message(), &fields), late.after(Duration::from_secs(secs))).await;
        assert_eq!(found.unwrap_err().rejection().unwrap().fault, Fault::Replayed, "{secs}");
    }
}

#[tokio::test]
async fn a_message_passes_once_in_every_second_of_its_life() {
    let key = webhook_key();
    let fields = sign_webhook(&key, &message(), NOW).await.unwrap();
    // From the first second in which it passes, by a clock that is behind, to the last one, by a clock that is ahead.
    for first in [-60, 0, 299, 300, 301, 359, 360] {
        for again in [first, first + 1, 359, 360] {
            let verifier =
                Verifier::webhooks(Arc::new(Jwks::new([key.jwk()])), Arc::new(MemoryReplayStore::new(9)));
            verifier.verify(&with(message(), &fields), at(first)).await.unwrap();
            let found = verifier.verify(&with(message(), &fields), at(again)).await.unwrap_err();
            let want = if again > 360 { Fault::WindowInvalid } else { Fault::Replayed };
            assert_eq!(found.rejection().unwrap().fault, want, "{first} {again}");
        }
    }
}

#[tokio::test]
async fn a_message_that_fails_uses_no_nonce_until_its_signature_counts() {
    let key = webhook_key();
    let store = Arc::new(Watched::new(9));
    let verifier = Verifier::webhooks(Arc::new(Jwks::new([key.jwk()])), store.clone());
    let fields = sign_webhook(&key, &message(), NOW).await.unwrap();
    let other = message().with_header("host", "other.example");
    assert!(verifier.verify(&with(other, &fields), NOW).await.is_err());
    assert!(store.asked.lock().unwrap().is_empty());
    verifier.verify(&with(message(), &fields), NOW).await.unwrap();
}

#[tokio::test]
async fn what_fails_on_our_side_is_not_blamed_on_the_sender() {
    let key = webhook_key();
    let fields = sign_webhook(&key, &message(), NOW).await.unwrap();
    let store = Arc::new(Watched { broken: true, ..Watched::new(9) });
    let verifier = Verifier::webhooks(Arc::new(Jwks::new([key.jwk()])), store);
    let found = verifier.verify(&with(message(), &fields), NOW).await.unwrap_err();
    assert!(matches!(found, VerifyError::Unavailable(_)) && found.rejection().is_none());
    assert_eq!(found.to_string(), "the replay store did not answer");
}

/// Keys of an agent whose documents may be at fault.
#[derive(Debug)]
struct Documents(Jwks, Option<KeyFault>);

#[async_trait]
impl KeySource for Documents {
    async fn find(&self, query: &KeyQuery<'_>) -> Result<Option<FoundKey>, VerifyError> {
        if let Some(fault) = self.1 {
            return Err(Rejection::new(Fault::Keys(fault), query.profile, "the test says so").into());
        }
        // Whatever is asked for, to see that the verifier looks at the name itself.
        Ok(self
            .0
            .keys()
            .first()
            .cloned()
            .map(|key| FoundKey::new(key).with_agent_url("https://seller.example/mcp")))
    }
}

#[tokio::test]
async fn a_key_source_names_the_agent_and_has_codes_of_its_own() {
    let key = webhook_key();
    let fields = sign_webhook(&key, &message(), NOW).await.unwrap();
    let verify = async |documents| {
        let verifier = Verifier::webhooks(Arc::new(documents), Arc::new(MemoryReplayStore::new(9)));
        verifier.verify(&with(message(), &fields), NOW).await
    };
    let verified = verify(Documents(Jwks::new([key.jwk()]), None)).await.unwrap();
    assert_eq!(verified.agent_url.as_deref(), Some("https://seller.example/mcp"));
    let faulty = verify(Documents(Jwks::default(), Some(KeyFault::JwksUnavailable))).await.unwrap_err();
    assert_eq!(faulty.rejection().unwrap().code(), "webhook_signature_jwks_unavailable");
    assert_eq!(faulty.rejection().unwrap().step().number(), 7);
    let mut other = key.jwk();
    other.kid = "key-9".into();
    let found = verify(Documents(Jwks::new([other]), None)).await.unwrap_err();
    assert_eq!(found.rejection().unwrap().fault, Fault::KeyUnknown);
}

#[tokio::test]
async fn of_equal_messages_at_once_one_passes() {
    let key = webhook_key();
    let store = Arc::new(MemoryReplayStore::new(100));
    let verifier = Verifier::webhooks(Arc::new(Jwks::new([key.jwk()])), store.clone());
    let fields = Arc::new(sign_webhook(&key, &message(), NOW).await.unwrap());
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let (verifier, fields) = (verifier.clone(), fields.clone());
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async { verifier.verify(&with(message(), &fields), NOW).await.is_ok() })
            })
        })
        .collect();
    let passed = tries.into_iter().map(|it| it.join().unwrap()).filter(|ok| *ok).count();
    assert_eq!((passed, store.len(), store.is_empty()), (1, 1, false));
}

/// Runs the same work on many threads at the same time, and returns what each came to.
fn on_many_threads<T: Send>(threads: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = std::sync::Barrier::new(threads);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|thread| {
                let (start, work) = (&start, &work);
                scope.spawn(move || {
                    start.wait();
                    work(thread)
                })
            })
            .collect();
        running.into_iter().map(|it| it.join().unwrap()).collect()
    })
}

#[test]
fn of_many_threads_one_brings_each_nonce_and_none_passes_the_cap() {
    const THREADS: usize = 16;
    const ROUNDS: usize = 60;
    let store = MemoryReplayStore::new(ROUNDS - 10);
    let found = on_many_threads(THREADS, |_| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let rounds = (0..ROUNDS).map(|round| {
            let nonce = round.to_string();
            // Time passes, and nobody's nonce expires.
            runtime.block_on(store.remember(nonce_of("", "k", &nonce, (round % 10) as i64))).unwrap()
        });
        rounds.collect::<Vec<_>>()
    });
    let mut kept = 0;
    for round in 0..ROUNDS {
        let of = |what| found.iter().filter(|rounds| rounds[round] == what).count();
        // Nobody sees as known what nobody brought.
        match of(Remembered::New) {
            1 => assert_eq!(of(Remembered::Full) + of(Remembered::Seen), THREADS - 1),
            0 => assert_eq!(of(Remembered::Full), THREADS),
            several => panic!("nonce {round} was new {several} times"),
        }
        kept += of(Remembered::New);
    }
    assert_eq!((kept, store.len()), (ROUNDS - 10, ROUNDS - 10), "as many as fit, and nothing was forgotten");
    // What is in there is still known, and what is not has no room.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for round in 0..ROUNDS {
        let was_new = found.iter().any(|rounds| rounds[round] == Remembered::New);
        let again = runtime.block_on(store.remember(nonce_of("", "k", &round.to_string(), 9))).unwrap();
        assert_eq!(again, if was_new { Remembered::Seen } else { Remembered::Full }, "{round}");
    }
    // Another key has a share of its own.
    let other = runtime.block_on(store.remember(nonce_of("", "other", "0", 9))).unwrap();
    assert_eq!(other, Remembered::New);
}

#[tokio::test]
async fn the_memory_store_is_bounded_by_key_and_in_all() {
    let store = MemoryReplayStore::new(2).with_total(3);
    assert_eq!(format!("{store:?}"), "MemoryReplayStore { per_key: 2, total: 3, .. }");
    let add = async |scope, keyid, nonce, secs| {
        let nonce = nonce_of(scope, keyid, nonce, secs);
        store.remember(nonce).await.unwrap()
    };
    assert_eq!(add("", "a", "1", 0).await, Remembered::New);
    assert_eq!(add("", "a", "1", 0).await, Remembered::Seen);
    assert_eq!(add("x", "a", "1", 1).await, Remembered::New, "another scope");
    assert_eq!(add("", "a", "2", 2).await, Remembered::New);
    assert_eq!(add("", "a", "3", 2).await, Remembered::Full, "two of one key");
    assert_eq!(add("", "b", "1", 2).await, Remembered::Full, "three in all");
    let full = async |scope, keyid, secs| store.is_full(scope, keyid, at(secs)).await.unwrap();
    assert!(full("", "b", 9).await && full("", "a", 9).await);
    // The first expires after ten seconds, and not before.
    assert_eq!(add("", "a", "1", 9).await, Remembered::Seen);
    assert!(!full("", "b", 10).await);
    assert_eq!(store.len(), 2);
    assert_eq!(add("", "a", "1", 10).await, Remembered::New);
    assert!(full("", "a", 10).await && full("", "b", 10).await);
    assert!(!full("", "a", 100).await && store.is_empty());
}

fn at(secs: i64) -> UnixTime {
    UnixTime::from_secs(NOW.as_secs() + secs)
}

fn nonce_of<'a>(scope: &'a str, keyid: &'a str, nonce: &'a str, secs: i64) -> Nonce<'a> {
    Nonce::new(scope, keyid, nonce, Duration::from_secs(10), at(secs))
}

#[tokio::test]
async fn profiles_are_named() {
    let verifier = Verifier::webhooks(Arc::new(Jwks::default()), Arc::new(MemoryReplayStore::new(1)));
    assert_eq!(verifier.profile(), Profile::Webhook);
}
