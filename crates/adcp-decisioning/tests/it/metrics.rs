//! What an agent counts and measures, as a recorder of the program's choice sees it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adcp_core::{
    CallKey, CallStore as _, Clock, DEFAULT_TASK_RETENTION, ManualClock, Registry, Resolution, ResolveCall,
    TaskStatus, Timestamp,
};
use adcp_decisioning::{Agent, DEFAULT_LEASE, DEFAULT_RETENTION_INTERVAL};
use adcp_registry_memory::MemoryRegistry;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::json;
use tokio::sync::Notify;

use crate::scripted::{Scripted, all_tasks, bought, building, buy, task_of};
use crate::seller::{call, order};

/// Keeps every value under its name and labels.
#[derive(Default)]
struct Values {
    numbers: Mutex<BTreeMap<String, (bool, Arc<AtomicU64>)>>,
    described: Mutex<BTreeMap<String, Option<Unit>>>,
}

impl Values {
    fn of(&self, key: &Key, gauge: bool) -> Arc<AtomicU64> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{} {}", key.name(), labels.join(" "));
        let mut numbers = self.numbers.lock().unwrap();
        numbers.entry(name.trim().to_owned()).or_insert_with(|| (gauge, Arc::default())).1.clone()
    }

    fn read(&self, name: &str) -> f64 {
        match self.numbers.lock().unwrap().get(name) {
            Some((true, bits)) => f64::from_bits(bits.load(Ordering::SeqCst)),
            Some((false, count)) => count.load(Ordering::SeqCst) as f64,
            None => panic!("`{name}` was never seen, but {:?}", self.numbers.lock().unwrap().keys()),
        }
    }

    /// Runs `test` on one thread, on which everything is recorded here.
    fn during(test: impl AsyncFnOnce(&Self)) {
        let values = Self::default();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        metrics::with_local_recorder(&values, || runtime.block_on(test(&values)));
    }
}

impl Recorder for Values {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.described.lock().unwrap().insert(key.as_str().to_owned(), unit);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.described.lock().unwrap().insert(key.as_str().to_owned(), unit);
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.of(key, false))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.of(key, true))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn clocked() -> (Arc<MemoryRegistry>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_770_000_000_000_000)));
    (Arc::new(MemoryRegistry::volatile().with_clock(Arc::clone(&clock) as Arc<dyn Clock>)), clock)
}

/// Every order becomes a task that ends when it is told to.
fn waiting() -> (Scripted, Arc<Notify>) {
    let release = Arc::new(Notify::new());
    let waits = Arc::clone(&release);
    let seller = Scripted::buying(move |ctx| {
        let release = Arc::clone(&waits);
        Ok(ctx
            .handoff_to_task(move |_| async move {
                release.notified().await;
                bought()
            })
            .into())
    });
    (seller, release)
}

async fn until_ended(registry: &MemoryRegistry, status: TaskStatus) {
    while all_tasks(registry).await.iter().all(|task| task.status != status) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn a_late_end_under_a_lost_lease_is_refused_and_counted() {
    Values::during(async |values| {
        let (registry, clock) = clocked();
        let (seller, release) = waiting();
        let agent = building(&seller, registry.clone()).build().unwrap();
        assert_eq!(values.read("adcp_late_writes_refused_total token=lease"), 0.0, "shown before it moves");
        task_of(&buy(&agent).await);
        clock.advance(DEFAULT_LEASE);
        release.notify_one();
        while values.read("adcp_late_writes_refused_total token=lease") == 0.0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(values.read("adcp_late_writes_refused_total token=lease"), 1.0);
        until_ended(&registry, TaskStatus::Failed).await;
        assert_eq!(values.read("adcp_tasks_rescued_total"), 1.0);
        assert_eq!(values.read("adcp_tasks_ended_total outcome=failed"), 1.0);
    });
}

#[test]
fn a_lease_that_cannot_be_renewed_is_counted_as_lost() {
    Values::during(async |values| {
        let (registry, clock) = clocked();
        let (seller, _release) = waiting();
        let agent =
            building(&seller, registry.clone()).rescue_interval(Duration::from_secs(3600)).build().unwrap();
        buy(&agent).await;
        clock.advance(DEFAULT_LEASE);
        tokio::time::sleep(DEFAULT_LEASE / 2).await;
        assert_eq!(values.read("adcp_leases_lost_total of=task"), 1.0);
        assert_eq!(values.read("adcp_late_writes_refused_total token=lease"), 0.0, "nothing was written");
    });
}

#[test]
fn a_late_settlement_with_a_stale_ticket_is_refused_and_counted() {
    Values::during(async |values| {
        let registry = Arc::new(MemoryRegistry::volatile());
        let resolving = Arc::clone(&registry);
        let seller = Scripted::buying(move |ctx| {
            // While the seller decides, somebody takes the call for abandoned and frees its key.
            let registry = Arc::clone(&resolving);
            let tenant = ctx.tenant().unwrap().clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async {
                    let call = registry.unresolved_calls(&tenant, 1).await.unwrap().remove(0);
                    let key: CallKey = call.key;
                    registry.resolve_call(ResolveCall::new(key, Resolution::Released)).await.unwrap()
                })
            })
            .join()
            .unwrap();
            Ok(bought()?.into())
        });
        let agent = building(&seller, registry.clone()).build().unwrap();
        buy(&agent).await;
        assert!(values.read("adcp_late_writes_refused_total token=ticket") >= 1.0);
    });
}

#[test]
fn repeats_and_conflicts_of_keys_are_counted() {
    Values::during(async |values| {
        let registry = Arc::new(MemoryRegistry::volatile());
        let seller = Scripted::buying(|_| Ok(bought()?.into()));
        let agent: Agent = building(&seller, registry.clone()).build().unwrap();
        for _ in 0..3 {
            buy(&agent).await;
        }
        let mut other = order("key-0123456789abcdef");
        other["ext"] = json!({ "another": "order" });
        call(&agent, "acme", "create_media_buy", other).await;
        let claims = |found: &str| values.read(&format!("adcp_idempotency_claims_total found={found}"));
        assert_eq!((claims("first"), claims("replay"), claims("conflict")), (1.0, 2.0, 1.0));
    });
}

#[test]
fn the_life_of_a_task_is_counted_and_what_waits_is_measured() {
    Values::during(async |values| {
        let (registry, clock) = clocked();
        let (seller, release) = waiting();
        let agent = building(&seller, registry.clone()).build().unwrap();
        buy(&agent).await;
        assert_eq!(values.read("adcp_tasks_issued_total tool=create_media_buy"), 1.0);
        clock.advance(Duration::from_secs(7));
        tokio::time::sleep(Duration::from_secs(16)).await;
        assert_eq!(values.read("adcp_registry_rows kind=open_task"), 1.0);
        assert_eq!(values.read("adcp_registry_oldest_seconds kind=open_task"), 7.0);
        release.notify_one();
        until_ended(&registry, TaskStatus::Completed).await;
        assert_eq!(values.read("adcp_tasks_ended_total outcome=completed"), 1.0);
        clock.advance(Duration::from_secs(60));
        tokio::time::sleep(Duration::from_secs(16)).await;
        assert_eq!(values.read("adcp_registry_rows kind=open_task"), 0.0);
        assert_eq!(values.read("adcp_registry_oldest_seconds kind=ended_task"), 60.0);
        clock.advance(DEFAULT_TASK_RETENTION);
        tokio::time::sleep(2 * DEFAULT_RETENTION_INTERVAL).await;
        assert_eq!(values.read("adcp_registry_rows_forgotten_total kind=task"), 1.0);
        assert_eq!(values.read("adcp_registry_rows_forgotten_total kind=call"), 1.0);
        assert_eq!(values.read("adcp_registry_oldest_seconds kind=ended_task"), 0.0);

        let described = values.described.lock().unwrap();
        let numbers = values.numbers.lock().unwrap();
        for name in numbers.keys().filter_map(|name| name.split(' ').next()) {
            assert!(described.contains_key(name), "`{name}` is not described");
        }
        let seconds = described.iter().filter(|(_, unit)| **unit == Some(Unit::Seconds));
        assert!(seconds.map(|(name, _)| name.as_str()).eq(["adcp_registry_oldest_seconds"]));
    });
}

/// Every name that an agent uses stands in the page for operators.
#[test]
fn every_name_is_documented() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operating.md");
    let page = std::fs::read_to_string(page).unwrap();
    Values::during(async move |values| {
        let seller = Scripted::buying(|_| Ok(bought()?.into()));
        let registry: Arc<dyn Registry> = Arc::new(MemoryRegistry::volatile());
        building(&seller, registry).build().unwrap();
        let described = values.described.lock().unwrap();
        assert!(described.len() >= 12);
        for name in described.keys() {
            assert!(page.contains(&format!("`{name}`")), "`{name}` is missing in docs/operating.md");
        }
    });
}
