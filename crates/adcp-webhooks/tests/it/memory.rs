//! What every memory of received events keeps.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{Clock, Documents as _, ListDocuments, Reach, Registry, TenantId};
use adcp_webhooks::{Arrival, Dedup, DocumentDedup, MemoryDedup, Seen};
use futures_util::future::join_all;

use crate::stage::Stage;
use crate::store::{Store, on_every_registry};

const LEASE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

on_every_registry! {
    an_event_is_one_workers_until_it_is_finished_or_left,
    of_many_at_once_one_is_new,
    documents_are_forgotten_while_others_arrive,
}

fn kept_by(stage: &Stage) -> [Arc<dyn Dedup>; 2] {
    let clock = || Arc::clone(&stage.clock) as Arc<dyn Clock>;
    let registry = Arc::clone(&stage.registry) as Arc<dyn Registry>;
    [
        Arc::new(MemoryDedup::new().with_clock(clock())),
        Arc::new(DocumentDedup::new(registry).with_clock(clock())),
    ]
}

fn arrival(sender: &str, key: &str, content: u8) -> Arrival {
    Arrival::new(sender, key, [content; 32], LEASE)
}

async fn an_event_is_one_workers_until_it_is_finished_or_left(store: Store) {
    let stage = Stage::over(store).await;
    for memory in kept_by(&stage) {
        let claim = async |content| memory.claim(arrival("a", "k", content)).await.unwrap();
        let Seen::New(first) = claim(1).await else { panic!("{memory:?}") };
        assert_eq!(claim(1).await, Seen::InProgress);
        assert_eq!(claim(2).await, Seen::Conflict);
        assert!(matches!(memory.claim(arrival("ak", "", 1)).await.unwrap(), Seen::New(_)), "another name");
        assert!(memory.release(&first).await.unwrap());
        let Seen::New(silent) = claim(2).await else { panic!("{memory:?}") };
        stage.advance(LEASE + store.lead());
        let Seen::New(last) = claim(2).await else { panic!("{memory:?}") };
        assert!(!memory.complete(&silent).await.unwrap(), "late");
        assert!(!memory.release(&silent).await.unwrap(), "late");
        assert!(memory.complete(&last).await.unwrap());
        assert!(!memory.complete(&silent).await.unwrap() && !memory.release(&last).await.unwrap());
        stage.advance(DAY - Duration::from_secs(1) - store.lead());
        assert_eq!(claim(2).await, Seen::Finished);
        assert_eq!(claim(1).await, Seen::Conflict);
        stage.advance(Duration::from_secs(1) + store.lead() * 2);
        assert!(matches!(claim(1).await, Seen::New(_)), "it was forgotten: {memory:?}");
    }
}

async fn of_many_at_once_one_is_new(store: Store) {
    let stage = Stage::over(store).await;
    for memory in kept_by(&stage) {
        let claims = (0..32).map(|_| memory.claim(arrival("a", "k", 1)));
        let seen = join_all(claims).await;
        let new = seen.iter().filter(|seen| matches!(seen, Ok(Seen::New(_)))).count();
        assert_eq!((new, seen.iter().filter(|seen| matches!(seen, Ok(Seen::InProgress))).count()), (1, 31));
    }
}

async fn documents_are_forgotten_while_others_arrive(store: Store) {
    let stage = Stage::over(store).await;
    let memory = DocumentDedup::new(Arc::clone(&stage.registry) as Arc<dyn Registry>)
        .with_clock(Arc::clone(&stage.clock) as Arc<dyn Clock>);
    // Each is a write or two to a disk, elsewhere.
    let amount = if store == Store::Memory { 500 } else { 100 };
    let arrive = async |day: usize| {
        for n in 0..amount {
            let Seen::New(claimed) = memory.claim(arrival("a", &format!("{day}-{n}"), 1)).await.unwrap()
            else {
                panic!()
            };
            memory.complete(&claimed).await.unwrap();
        }
    };
    for day in 0..5 {
        arrive(day).await;
        stage.advance(DAY);
    }
    let reach = Reach::Tenant { tenant: TenantId::single() };
    let list = ListDocuments::new(reach, "adcp.received-webhook").unwrap().with_limit(10_000);
    let kept = stage.registry.list_documents(list).await.unwrap().documents.len();
    assert!(kept * 5 < amount * 12, "{kept} of {} are kept", amount * 5);
}
