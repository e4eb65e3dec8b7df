//! Connections that wait for another request to the same origin.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::connect::Connection;

/// How long a connection may take to say that it is ready again. It is, unless it still sends what nobody reads.
const READY: Duration = Duration::from_secs(1);

/// How many connections are kept, and how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    /// Of all origins.
    pub(crate) total: usize,
    /// Of one origin.
    pub(crate) per_origin: usize,
    /// How long one waits for its next request.
    pub(crate) idle: Duration,
    /// How long after its address was checked one is used. A name that moves is followed by then.
    pub(crate) age: Duration,
}

/// Connections by scheme, host and port: one serves no other origin than that it was checked for.
pub(crate) struct Pool {
    keep: Keep,
    state: Mutex<State>,
    this: Weak<Self>,
}

#[derive(Default)]
struct State {
    idle: HashMap<String, Vec<Idle>>,
    count: usize,
    /// Closes what has waited too long, as long as there is something.
    reaper: Option<AbortHandle>,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(keep: Keep) -> Arc<Self> {
        Arc::new_cyclic(|this| Self { keep, state: Mutex::default(), this: Weak::clone(this) })
    }

    /// A connection to `origin` that is open as far as anybody here knows.
    pub(crate) async fn take(&self, origin: &str) -> Option<Connection> {
        while let Some(mut connection) = self.pop(origin) {
            if matches!(timeout(READY, connection.sender.ready()).await, Ok(Ok(()))) {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection, if it may serve again and there is room.
    pub(crate) fn put(&self, origin: &str, connection: Connection) {
        if connection.sender.is_closed() {
            return;
        }
        let mut state = self.lock();
        if state.count >= self.keep.total {
            return;
        }
        let idle = state.idle.entry(origin.to_owned()).or_default();
        if idle.len() >= self.keep.per_origin {
            return;
        }
        idle.push(Idle { connection, since: Instant::now() });
        state.count += 1;
        if state.reaper.as_ref().is_none_or(AbortHandle::is_finished) {
            let reaper = reap(Weak::clone(&self.this), self.keep.idle, sleep(self.keep.idle));
            state.reaper = Some(tokio::spawn(reaper).abort_handle());
        }
    }

    /// The one that was used last: it is the least likely to have been closed by the other side.
    fn pop(&self, origin: &str) -> Option<Connection> {
        let mut state = self.lock();
        let idle = state.idle.get_mut(origin)?;
        let before = idle.len();
        let mut found = None;
        while let Some(last) = idle.pop() {
            if self.is_fresh(&last) {
                found = Some(last.connection);
                break;
            }
        }
        let (gone, empty) = (before - idle.len(), idle.is_empty());
        if empty {
            state.idle.remove(origin);
        }
        state.count -= gone;
        found
    }

    /// Closes what has waited too long. Says whether anything is left.
    fn sweep(&self) -> bool {
        let mut state = self.lock();
        state.idle.retain(|_, idle| {
            idle.retain(|idle| self.is_fresh(idle));
            !idle.is_empty()
        });
        state.count = state.idle.values().map(Vec::len).sum();
        if state.count == 0 {
            state.reaper = None;
        }
        state.count > 0
    }

    fn is_fresh(&self, idle: &Idle) -> bool {
        idle.since.elapsed() < self.keep.idle
            && self.is_young(&idle.connection)
            && !idle.connection.sender.is_closed()
    }

    fn is_young(&self, connection: &Connection) -> bool {
        connection.opened.elapsed() < self.keep.age
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `first` counts from when something was put here, not from when this has its turn.
async fn reap(pool: Weak<Pool>, every: Duration, first: Sleep) {
    first.await;
    while pool.upgrade().is_some_and(|pool| pool.sweep()) {
        sleep(every).await;
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("keep", &self.keep)
            .field("count", &self.lock().count)
            .finish_non_exhaustive()
    }
}
