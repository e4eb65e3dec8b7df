//! Received events, and threads that all have the same ones.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{Clock, ManualClock, Registry, Timestamp};
use adcp_registry_memory::MemoryRegistry;
use adcp_webhooks::{Arrival, Dedup, DocumentDedup, MemoryDedup, Seen};

fn memories() -> [Arc<dyn Dedup>; 2] {
    let registry = Arc::new(MemoryRegistry::volatile()) as Arc<dyn Registry>;
    [Arc::new(MemoryDedup::new()), Arc::new(DocumentDedup::new(registry))]
}

fn arrival(event: usize) -> Arrival {
    Arrival::new("a", event.to_string(), [1; 32], Duration::from_secs(60))
}

#[test]
fn of_many_threads_one_works_on_each_event_at_a_time() {
    const THREADS: usize = 12;
    const EVENTS: usize = 20;
    for memory in memories() {
        let start = std::sync::Barrier::new(THREADS);
        // What each thread did with each event: claimed it as the first or after somebody left it, and ended it.
        let thread = |thread: usize| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            start.wait();
            let events = (0..EVENTS).map(|event| {
                runtime.block_on(async {
                    let seen = memory.claim(arrival(event)).await.unwrap();
                    let Seen::New(claimed) = seen else {
                        assert_ne!(seen, Seen::Conflict);
                        return (false, false);
                    };
                    let ends = (thread + event).is_multiple_of(2);
                    let held = if ends { memory.complete(&claimed) } else { memory.release(&claimed) };
                    assert!(held.await.unwrap(), "nobody else has it");
                    (true, ends)
                })
            });
            events.collect::<Vec<_>>()
        };
        let found: Vec<Vec<(bool, bool)>> = std::thread::scope(|scope| {
            let running: Vec<_> = (0..THREADS).map(|at| scope.spawn(move || thread(at))).collect();
            running.into_iter().map(|it| it.join().unwrap()).collect()
        });
        for event in 0..EVENTS {
            let ended = found.iter().filter(|events| events[event] == (true, true)).count();
            assert!(ended <= 1, "event {event} was finished {ended} times: {memory:?}");
            assert!(found.iter().any(|events| events[event].0), "somebody had it");
        }
    }
}

#[tokio::test]
async fn whoever_had_an_event_is_not_heard_when_the_lease_ends() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(0)));
    let memory = MemoryDedup::new().with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    for (worked, heard) in [(Duration::from_micros(59_999_999), true), (Duration::from_secs(60), false)] {
        let Seen::New(claimed) = memory.claim(arrival(usize::from(heard))).await.unwrap() else { panic!() };
        clock.advance(worked);
        assert_eq!(memory.complete(&claimed).await.unwrap(), heard, "{worked:?} {memory:?}");
    }
}
