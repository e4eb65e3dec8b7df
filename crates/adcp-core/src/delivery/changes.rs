//! A bell between those who queue events and those who send them, within one process.

use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Rung by a registry after it queued an event. Needs no runtime.
#[derive(Clone, Default)]
pub struct Signal(Arc<Mutex<Bell>>);

#[derive(Default)]
struct Bell {
    rings: u64,
    listeners: u64,
    waiting: Vec<(u64, Waker)>,
}

impl Signal {
    /// A bell nobody has rung.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes everybody who waits.
    pub fn ring(&self) {
        let woken = {
            let mut bell = self.bell();
            bell.rings += 1;
            mem::take(&mut bell.waiting)
        };
        for (_, waker) in woken {
            waker.wake();
        }
    }

    /// Listens from now on.
    #[must_use]
    pub fn changes(&self) -> Changes {
        let mut bell = self.bell();
        bell.listeners += 1;
        Changes { signal: self.clone(), heard: bell.rings, id: bell.listeners }
    }

    fn bell(&self) -> MutexGuard<'_, Bell> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal").field("rings", &self.bell().rings).finish_non_exhaustive()
    }
}

/// Hears of events that were queued in this process. A hint: it may ring for nothing, and other processes' events are
/// found by looking now and then.
#[derive(Debug)]
pub struct Changes {
    signal: Signal,
    heard: u64,
    id: u64,
}

impl Changes {
    /// Waits for the next ring since this was made or last returned. Rings in between are not missed.
    pub async fn next(&mut self) {
        poll_fn(|context| {
            let mut bell = self.signal.bell();
            bell.waiting.retain(|(id, _)| *id != self.id);
            if bell.rings != self.heard {
                self.heard = bell.rings;
                return Poll::Ready(());
            }
            bell.waiting.push((self.id, context.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.signal.bell().waiting.retain(|(id, _)| *id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Wake};

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_ring_is_heard_once_also_before_anybody_waits() {
        let (signal, count) = (Signal::new(), Arc::new(Count::default()));
        let waker = Waker::from(Arc::clone(&count));
        let mut context = Context::from_waker(&waker);
        let mut changes = signal.changes();
        signal.ring();
        signal.ring();
        assert!(pin!(changes.next()).poll(&mut context).is_ready());
        {
            let mut next = pin!(changes.next());
            assert!(next.as_mut().poll(&mut context).is_pending());
            assert!(next.as_mut().poll(&mut context).is_pending());
            signal.ring();
            assert_eq!(count.0.load(Ordering::SeqCst), 1);
            assert!(next.as_mut().poll(&mut context).is_ready());
        }
        assert!(pin!(changes.next()).poll(&mut context).is_pending());
        drop(changes);
        signal.ring();
        assert_eq!(count.0.load(Ordering::SeqCst), 1, "who left is not woken");
    }

    #[test]
    fn everybody_who_waits_is_woken_and_each_by_itself() {
        let signal = Signal::new();
        let (mut one, mut other) = (signal.changes(), signal.changes());
        let counts = [Arc::new(Count::default()), Arc::new(Count::default())];
        let wakers = [Waker::from(Arc::clone(&counts[0])), Waker::from(Arc::clone(&counts[1]))];
        let woken = || [0, 1].map(|at: usize| counts[at].0.load(Ordering::SeqCst));
        {
            let mut first = pin!(one.next());
            let mut second = pin!(other.next());
            assert!(first.as_mut().poll(&mut Context::from_waker(&wakers[0])).is_pending());
            assert!(second.as_mut().poll(&mut Context::from_waker(&wakers[1])).is_pending());
            signal.ring();
            assert_eq!((woken(), format!("{signal:?}").as_str()), ([1, 1], "Signal { rings: 1, .. }"));
            assert!(first.as_mut().poll(&mut Context::from_waker(&wakers[0])).is_ready());
            assert!(second.as_mut().poll(&mut Context::from_waker(&wakers[1])).is_ready());
        }
        assert!(pin!(one.next()).poll(&mut Context::from_waker(&wakers[0])).is_pending());
        assert!(pin!(other.next()).poll(&mut Context::from_waker(&wakers[1])).is_pending());
        drop(other);
        signal.ring();
        assert_eq!(woken(), [2, 1], "who left is not woken, and nobody leaves for another");
    }
}
