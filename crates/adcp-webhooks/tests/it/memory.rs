//! What every memory of received events keeps.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{Clock, Documents as _, ListDocuments, ManualClock, Reach, Registry, TenantId, Timestamp};
use adcp_registry_memory::MemoryRegistry;
use adcp_webhooks::{Arrival, Dedup, DocumentDedup, MemoryDedup, Seen};
use futures_util::future::join_all;

const LEASE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::parse("2026-11-21T08:00:00Z").unwrap()))
}

fn memories(clock: &Arc<ManualClock>) -> [Arc<dyn Dedup>; 2] {
    let clock = || Arc::clone(clock) as Arc<dyn Clock>;
    let registry = Arc::new(MemoryRegistry::volatile().with_clock(clock()));
    [
        Arc::new(MemoryDedup::new().with_clock(clock())),
        Arc::new(DocumentDedup::new(registry as Arc<dyn Registry>).with_clock(clock())),
    ]
}

fn arrival(sender: &str, key: &str, content: u8) -> Arrival {
    Arrival::new(sender, key, [content; 32], LEASE)
}

#[tokio::test]
async fn an_event_is_one_workers_until_it_is_finished_or_left() {
    let clock = clock();
    for memory in memories(&clock) {
        let claim = async |content| memory.claim(arrival("a", "k", content)).await.unwrap();
        let Seen::New(first) = claim(1).await else { panic!("{memory:?}") };
        assert_eq!(claim(1).await, Seen::InProgress);
        assert_eq!(claim(2).await, Seen::Conflict);
        assert!(matches!(memory.claim(arrival("ak", "", 1)).await.unwrap(), Seen::New(_)), "another name");
        assert!(memory.release(&first).await.unwrap());
        let Seen::New(silent) = claim(2).await else { panic!("{memory:?}") };
        clock.advance(LEASE);
        let Seen::New(last) = claim(2).await else { panic!("{memory:?}") };
        assert!(!memory.complete(&silent).await.unwrap(), "late");
        assert!(!memory.release(&silent).await.unwrap(), "late");
        assert!(memory.complete(&last).await.unwrap());
        assert!(!memory.complete(&silent).await.unwrap() && !memory.release(&last).await.unwrap());
        clock.advance(DAY - Duration::from_secs(1));
        assert_eq!(claim(2).await, Seen::Finished);
        assert_eq!(claim(1).await, Seen::Conflict);
        clock.advance(Duration::from_secs(1));
        assert!(matches!(claim(1).await, Seen::New(_)), "it was forgotten: {memory:?}");
    }
}

#[tokio::test]
async fn of_many_at_once_one_is_new() {
    for memory in memories(&clock()) {
        let claims = (0..32).map(|_| memory.claim(arrival("a", "k", 1)));
        let seen = join_all(claims).await;
        let new = seen.iter().filter(|seen| matches!(seen, Ok(Seen::New(_)))).count();
        assert_eq!((new, seen.iter().filter(|seen| matches!(seen, Ok(Seen::InProgress))).count()), (1, 31));
    }
}

#[tokio::test]
async fn documents_are_forgotten_while_others_arrive() {
    let clock = clock();
    let registry = Arc::new(MemoryRegistry::volatile().with_clock(Arc::clone(&clock) as Arc<dyn Clock>));
    let memory = DocumentDedup::new(Arc::clone(&registry) as Arc<dyn Registry>)
        .with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    let arrive = async |day: usize| {
        for n in 0..500 {
            let Seen::New(claimed) = memory.claim(arrival("a", &format!("{day}-{n}"), 1)).await.unwrap()
            else {
                panic!()
            };
            memory.complete(&claimed).await.unwrap();
        }
    };
    for day in 0..5 {
        arrive(day).await;
        clock.advance(DAY);
    }
    let reach = Reach::Tenant { tenant: TenantId::single() };
    let list = ListDocuments::new(reach, "adcp.received-webhook").unwrap().with_limit(10_000);
    let kept = registry.list_documents(list).await.unwrap().documents.len();
    assert!(kept < 1_200, "{kept} of 2500 are kept");
}
