//! Workers that end at each point between claiming and recording, in the middle of others' events, as `kill -9` ends
//! them: what they had claimed is sent by another one, the same bytes under the same key, and twice only where nobody
//! could know that it was sent before.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use adcp_core::{Background as _, Registry, fault};
use adcp_signing::{Algorithm, KeyUse, LocalSigner};
use adcp_webhooks::Webhooks;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use crate::receiver::{Got, OK, Receiver, Step};
use crate::stage::{BOUND, Stage};
use crate::store::{Store, on_every_registry};
use crate::watched::Watched;
use Step::Read;

on_every_registry! {
    who_has_claimed_has_sent_nothing,
    who_is_about_to_send_has_sent_nothing,
    who_has_sent_is_repeated,
    who_is_about_to_record_is_repeated,
    who_has_recorded_is_not_repeated,
}

/// Events of one endpoint, and how many a worker has in hand at once: it claims, sends and records in turns.
const EVENTS: usize = 7;
const AT_ONCE: usize = 2;

/// A point at which a worker ends when it comes there for the so-manyeth time.
struct Armed {
    point: &'static str,
    left: AtomicUsize,
    reached: watch::Sender<Option<Vec<String>>>,
}

thread_local! {
    static ARMED: RefCell<Option<Arc<Armed>>> = const { RefCell::new(None) };
}

/// The thread never gets past the point, and nothing on it is unwound.
fn end(name: &'static str, subjects: &[String]) {
    let armed = ARMED.with_borrow(Clone::clone);
    if let Some(armed) = armed.filter(|armed| armed.point == name)
        && armed.left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        armed.reached.send_replace(Some(subjects.to_vec()));
        loop {
            std::thread::park();
        }
    }
}

/// A worker with a thread, connections and a key of its own.
struct Victim {
    process: Option<Runtime>,
    reached: watch::Receiver<Option<Vec<String>>>,
    _worker: Webhooks,
    _registry: Arc<Watched>,
}

impl Victim {
    async fn start(stage: &Stage, point: &'static str, hit: usize) -> Self {
        static HOOK: OnceLock<()> = OnceLock::new();
        HOOK.get_or_init(|| fault::on_point(end));
        let (tell, reached) = watch::channel(None);
        let armed = Arc::new(Armed { point, left: AtomicUsize::new(hit), reached: tell });
        let process = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .on_thread_start(move || ARMED.set(Some(Arc::clone(&armed))))
            .build()
            .unwrap();
        let door = stage.door();
        let registry = process.spawn(async move { door.open_as_victim().await }).await.unwrap();
        let registry = Arc::new(stage.registry.beside(registry));
        let worker = stage.builder().concurrency(AT_ONCE, 10).build().unwrap();
        {
            let _within = process.enter();
            worker.start(Arc::clone(&registry) as Arc<dyn Registry>);
        }
        Self { process: Some(process), reached, _worker: worker, _registry: registry }
    }

    /// Waits for its end, and says which events it was about.
    async fn ends(&mut self) -> BTreeSet<String> {
        let ended = tokio::time::timeout(BOUND, self.reached.wait_for(Option::is_some)).await;
        ended.expect("nobody came to the point").unwrap().iter().flatten().cloned().collect()
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            process.shutdown_background();
        }
    }
}

/// What became of the events that a worker was about when it ended.
struct Wanted {
    /// How often they were claimed.
    claims: u32,
    /// How often the one that ended had sent them.
    sent: usize,
}

async fn end_at(store: Store, point: &'static str, wanted: Wanted) {
    for hit in 1..=3 {
        let stage = Stage::over(store).await;
        let receiver = Receiver::plain(&[&[Read, OK]]).await;
        let keys = stage.publish_many(&receiver.url(), EVENTS).await;
        let mut victim = Victim::start(&stage, point, hit).await;
        let about = victim.ends().await;
        assert!(!about.is_empty());
        stage.cut_off_victims().await;

        let second = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "hooks-2").unwrap();
        let builder = stage.builder().signer(second.clone());
        let (other, _registry) = stage.start_beside(builder).await;
        // As long as a claim lasts.
        stage.advance(Duration::from_secs(60));
        other.wake();
        for key in &keys {
            stage.delivered(key).await;
        }
        other.drain(BOUND).await;

        let got = receiver.got();
        let nonces: BTreeSet<_> = got.iter().map(Got::nonce).collect();
        assert_eq!(nonces.len(), got.len(), "{point}:{hit}: a nonce of its own");
        for key in &keys {
            let name = format!("{point}:{hit} {}", key.as_str());
            let detail = stage.detail(key).await;
            let body = detail.body.unwrap();
            let (mut of_victim, mut of_other) = (0, 0);
            for got in got.iter().filter(|got| String::from_utf8_lossy(&got.body).contains(key.as_str())) {
                assert_eq!(got.body, body.as_bytes(), "{name}: the same bytes");
                let mine = got.header("signature-input").unwrap().contains("keyid=\"hooks-1\"");
                let signer = if mine { &stage.key } else { &second };
                stage.verify_by(signer, got, receiver.address).await.unwrap();
                *(if mine { &mut of_victim } else { &mut of_other }) += 1;
            }
            assert_eq!(detail.attempts.len(), 1, "{name}: what was claimed and lost left no attempt");
            let sent = (of_victim, of_other);
            match detail.record.attempts {
                1 => assert!(matches!(sent, (1, 0) | (0, 1)), "{name}: one claim was sent {sent:?}"),
                2 => assert!(matches!(sent, (0 | 1, 1)), "{name}: a claim was lost, and sent {sent:?}"),
                more => panic!("{name}: was claimed {more} times"),
            }
            if about.contains(key.as_str()) {
                assert_eq!((detail.record.attempts, of_victim), (wanted.claims, wanted.sent), "{name}");
            }
        }
    }
}

async fn who_has_claimed_has_sent_nothing(store: Store) {
    end_at(store, "delivery-claimed", Wanted { claims: 2, sent: 0 }).await;
}

async fn who_is_about_to_send_has_sent_nothing(store: Store) {
    end_at(store, "before-delivery-send", Wanted { claims: 2, sent: 0 }).await;
}

async fn who_has_sent_is_repeated(store: Store) {
    end_at(store, "after-delivery-send", Wanted { claims: 2, sent: 1 }).await;
}

async fn who_is_about_to_record_is_repeated(store: Store) {
    end_at(store, "before-delivery-record", Wanted { claims: 2, sent: 1 }).await;
}

async fn who_has_recorded_is_not_repeated(store: Store) {
    end_at(store, "after-delivery-record", Wanted { claims: 1, sent: 1 }).await;
}
