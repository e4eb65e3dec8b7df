//! What is counted, and what logs show: never a path, a query, a body or a credential.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use adcp_core::{DeadReason, DeliveryOutbox as _, ListEndpoints, TenantId};
use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use tracing_subscriber::fmt::MakeWriter;

use crate::receiver::{BUSY, OK, Receiver, Step};
use crate::stage::{BOUND, Stage, TOKEN};
use Step::{Read, Send};

/// Keeps every counter under its name and labels, and every gauge under its name.
#[derive(Default)]
struct Counts {
    counters: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    gauges: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    measured: Mutex<BTreeMap<String, Arc<Measured>>>,
}

/// How often something was measured.
#[derive(Default)]
struct Measured(AtomicU64);

impl HistogramFn for Measured {
    fn record(&self, value: f64) {
        assert!((0.0..60.0).contains(&value), "no test takes {value} s");
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Counts {
    fn read(&self) -> BTreeMap<String, u64> {
        let counts = self.counters.lock().unwrap();
        counts.iter().map(|(name, count)| (name.clone(), count.load(Ordering::SeqCst))).collect()
    }
}

impl Counts {
    fn measured(&self) -> BTreeMap<String, u64> {
        let measured = self.measured.lock().unwrap();
        measured.iter().map(|(name, times)| (name.clone(), times.0.load(Ordering::SeqCst))).collect()
    }

    fn gauge(&self, name: &str) -> Option<f64> {
        self.gauges.lock().unwrap().get(name).map(|bits| f64::from_bits(bits.load(Ordering::SeqCst)))
    }
}

impl Recorder for Counts {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{} {}", key.name(), labels.join(" ")).trim().to_owned();
        Counter::from_arc(Arc::clone(self.counters.lock().unwrap().entry(name).or_default()))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::clone(self.gauges.lock().unwrap().entry(key.name().to_owned()).or_default()))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::clone(
            self.measured.lock().unwrap().entry(key.name().to_owned()).or_default(),
        ))
    }
}

/// Everything that is logged.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn attempts_and_ends_are_counted_and_logs_are_silent_about_secrets() {
    const CREDENTIALS: &str = "credentials-of-the-buyer-0123456789";
    let (counts, log) = (Counts::default(), Log::default());
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut endpoint = String::new();
    let run = async {
        let stage = Stage::new();
        let receiver = Receiver::plain(&[&[Read, BUSY], &[Read, OK]]).await;
        let gone = Receiver::plain(&[&[
            Read,
            Send("HTTP/1.1 410 Gone\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
        ]])
        .await;
        endpoint = format!("http://{}", receiver.address);
        let webhooks = stage.start(stage.builder());
        let delivered = stage.publish_with(&receiver.url(), Some(("Bearer", CREDENTIALS))).await;
        stage.settle(&webhooks, &delivered).await;
        let gone = stage.publish(&gone.url()).await;
        assert_eq!(stage.settle(&webhooks, &gone).await.record.reason, Some(DeadReason::Gone));
        let forbidden = stage.publish("https://10.0.0.1/hook?key=query-of-the-buyer").await;
        stage.settle(&webhooks, &forbidden).await;
        let located = format!(
            "HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: http://user:{TOKEN}@{0}/{TOKEN}\r\n\r\n",
            "127.0.0.1:1"
        );
        let elsewhere = Receiver::plain(&[&[Read, Send(located.leak())]]).await;
        let elsewhere = stage.publish(&elsewhere.url()).await;
        stage.settle(&webhooks, &elsewhere).await;
        [delivered, gone, forbidden, elsewhere]
    };
    // For the whole process: what is enabled on one thread only depends on what others did first. So the logs of other
    // tests are looked at as well, as far as they have come.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let keys = metrics::with_local_recorder(&counts, || runtime.block_on(run));

    let (found, zero): (Vec<_>, Vec<_>) = counts.read().into_iter().partition(|(_, count)| *count > 0);
    let want = [
        ("adcp_webhook_attempts_total class=delivered", 1),
        ("adcp_webhook_attempts_total class=forbidden", 1),
        ("adcp_webhook_attempts_total class=gone", 1),
        ("adcp_webhook_attempts_total class=redirected", 1),
        ("adcp_webhook_attempts_total class=server_error", 1),
        ("adcp_webhook_dead_letters_total reason=forbidden_address", 1),
        ("adcp_webhook_dead_letters_total reason=gone", 1),
        ("adcp_webhook_dead_letters_total reason=redirected", 1),
        ("adcp_webhook_delivered_total", 1),
    ];
    assert_eq!(found, want.map(|(name, count)| (name.to_owned(), count)));

    // What did not happen yet is there all the same, so that the first time it does is a rise.
    let zero: Vec<&str> = zero.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        zero,
        [
            "adcp_webhook_attempts_total class=connection",
            "adcp_webhook_attempts_total class=garbage",
            "adcp_webhook_attempts_total class=refused",
            "adcp_webhook_attempts_total class=throttled",
            "adcp_webhook_attempts_total class=timeout",
            "adcp_webhook_attempts_total class=tls",
            "adcp_webhook_attempts_total class=unauthorized",
            "adcp_webhook_attempts_total class=unsent",
            "adcp_webhook_dead_letters_total reason=corrupt",
            "adcp_webhook_dead_letters_total reason=exhausted",
            "adcp_webhook_dead_letters_total reason=refused",
            "adcp_webhook_dead_letters_total reason=signature_rejected",
            "adcp_webhook_dead_letters_total reason=unsealable",
        ]
    );

    // Five attempts, four of which were the first of their event.
    let measured: Vec<(String, u64)> = counts.measured().into_iter().collect();
    let want = [("adcp_webhook_attempt_seconds", 5), ("adcp_webhook_first_attempt_delay_seconds", 4)];
    assert_eq!(measured, want.map(|(name, times)| (name.to_owned(), times)));

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains(&endpoint) && text.contains("given up"), "{text}");
    assert!(text.contains("the receiver points to http://127.0.0.1:1\""), "{text}");
    for secret in [TOKEN, CREDENTIALS, "query-of-the-buyer", "/hook"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    for key in keys {
        assert!(!text.contains(key.as_str()) && text.contains(&key.as_str()[..12]), "{text}");
    }
}

#[test]
fn paused_endpoints_are_counted_over_the_tenants_with_recent_events() {
    let counts = Counts::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tenants = ["a", "b", "c"].map(TenantId::new);
    let run = async {
        let stage = Stage::new();
        let (busy, well) = (Receiver::plain(&[&[Read, BUSY]]).await, Receiver::plain(&[&[Read, OK]]).await);
        let webhooks = stage.start(stage.builder());
        for tenant in &tenants {
            for _ in 0..5 {
                stage.publish_at(tenant.clone(), &busy.url(), None).await;
            }
            stage.publish_at(tenant.clone(), &well.url(), None).await;
        }
        let mut steps = stage.registry.steps();
        let paused = async || {
            let mut paused = 0;
            for tenant in &tenants {
                let list = ListEndpoints::new(tenant.clone()).paused();
                paused += stage.registry.endpoints(list).await.unwrap().len();
            }
            paused
        };
        let opened = async {
            while paused().await < tenants.len() {
                steps.changed().await.unwrap();
            }
        };
        tokio::time::timeout(BOUND, opened).await.unwrap();
        // Who is woken gives up what is old, measures, and claims.
        let (mut expiries, mut empty) = (stage.registry.expiries(), stage.registry.empty_claims());
        let before = *expiries.borrow_and_update();
        webhooks.wake();
        tokio::time::timeout(BOUND, expiries.wait_for(|calls| *calls > before)).await.unwrap().unwrap();
        let before = *empty.borrow_and_update();
        webhooks.wake();
        tokio::time::timeout(BOUND, empty.wait_for(|claims| *claims > before)).await.unwrap().unwrap();
    };
    metrics::with_local_recorder(&counts, || runtime.block_on(run));
    assert_eq!(counts.gauge("adcp_webhook_endpoints_paused"), Some(3.0));
}
