//! From names to addresses.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::sync::{Semaphore, oneshot};

/// Finds the addresses of a name. Whatever it answers is checked, and nobody asks a second time.
#[async_trait]
pub trait Resolve: fmt::Debug + Send + Sync + 'static {
    /// All addresses of `host`, best first.
    ///
    /// # Errors
    ///
    /// Whatever kept the answer from being known.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Shared, so that whoever made it can look at it.
#[async_trait]
impl<T: Resolve + ?Sized> Resolve for Arc<T> {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        T::resolve(self, host).await
    }
}

/// The resolver of the machine: its hosts file, its search list, its name servers.
///
/// A lookup of the machine cannot be ended early. So those of one name are one, only some run at a time, and
/// beyond a bound a new one fails at once: names whose servers never answer hold up neither threads nor memory.
#[derive(Clone)]
pub struct SystemResolver(Arc<Lookups>);

struct Lookups {
    ask: Ask,
    running: Semaphore,
    known: Mutex<HashMap<String, Lookup>>,
}

type Ask = Box<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;
type Lookup = Shared<oneshot::Receiver<Result<Vec<IpAddr>, Arc<io::Error>>>>;

/// How many lookups run at a time. Each holds a thread.
const MAX_RUNNING: usize = 128;

/// How many names may wait for their turn, or have it.
const MAX_KNOWN: usize = 4_096;

impl SystemResolver {
    /// The resolver of this machine.
    #[must_use]
    pub fn new() -> Self {
        Self::asking(Box::new(|host| Box::pin(ask_system(host))))
    }

    fn asking(ask: Ask) -> Self {
        Self(Arc::new(Lookups { ask, running: Semaphore::new(MAX_RUNNING), known: Mutex::default() }))
    }

    /// The lookup of `host` that is under way, or else a new one.
    fn lookup(&self, host: &str) -> io::Result<Lookup> {
        let mut known = self.0.known();
        match known.get(host) {
            // Its task ended without a word, and nobody will answer.
            Some(lookup) if matches!(lookup.peek(), Some(Err(_))) => drop(known.remove(host)),
            Some(lookup) => return Ok(lookup.clone()),
            None => {}
        }
        if known.len() >= MAX_KNOWN {
            return Err(io::Error::other("too many names are being resolved"));
        }
        let (done, lookup) = oneshot::channel();
        let lookup = lookup.shared();
        known.insert(host.to_owned(), lookup.clone());
        let (lookups, host) = (Arc::clone(&self.0), host.to_owned());
        // A task of its own: whoever asked may give up, and the thread is busy all the same.
        tokio::spawn(async move {
            let permit = lookups.running.acquire().await;
            let found = (lookups.ask)(host.clone()).await.map_err(Arc::new);
            drop(permit);
            lookups.known().remove(&host);
            // Nobody waits any more: then nobody needs it.
            let _ = done.send(found);
        });
        Ok(lookup)
    }
}

impl Lookups {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Lookup>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask_system(host: String) -> io::Result<Vec<IpAddr>> {
    let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
    Ok(found.map(|address| address.ip()).collect())
}

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        match self.lookup(host)?.await {
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(error)) => Err(io::Error::new(error.kind(), error)),
            Err(_) => Err(io::Error::other("the lookup was not finished")),
        }
    }
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SystemResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemResolver").field("known", &self.0.known().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;
    use tokio::sync::Notify;

    use super::*;

    /// A machine whose name servers answer when they are told to.
    #[derive(Default)]
    struct Machine {
        asked: AtomicUsize,
        answer: Notify,
    }

    fn machine() -> (Arc<Machine>, SystemResolver) {
        let machine = Arc::<Machine>::default();
        let asked = Arc::clone(&machine);
        let resolver = SystemResolver::asking(Box::new(move |host| {
            let machine = Arc::clone(&asked);
            Box::pin(async move {
                machine.asked.fetch_add(1, Ordering::SeqCst);
                match host.as_str() {
                    "quick" => {}
                    "broken" => return Err(io::Error::other("no name server")),
                    "panics" => panic!("a resolver that panics"),
                    _ => machine.answer.notified().await,
                }
                Ok(vec![Ipv4Addr::LOCALHOST.into()])
            })
        }));
        (machine, resolver)
    }

    async fn settle() {
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn one_name_is_looked_up_once_at_a_time() {
        let (machine, resolver) = machine();
        let asking = tokio::spawn({
            let resolver = resolver.clone();
            async move { join_all((0..50).map(|_| resolver.resolve("slow"))).await }
        });
        settle().await;
        machine.answer.notify_waiters();
        assert!(asking.await.unwrap().iter().all(Result::is_ok));
        assert_eq!(machine.asked.load(Ordering::SeqCst), 1);
        // Nothing is remembered: the next one asks anew.
        machine.answer.notify_one();
        assert!(resolver.resolve("slow").await.is_ok());
        assert_eq!((machine.asked.load(Ordering::SeqCst), resolver.0.known().len()), (2, 0));
    }

    #[tokio::test]
    async fn names_that_are_never_answered_take_a_bounded_place() {
        let (machine, resolver) = machine();
        for name in 0..MAX_KNOWN {
            // Whoever asked gives up at once; the lookup goes on all the same.
            assert!(resolver.resolve(&format!("dead-{name}")).now_or_never().is_none());
        }
        settle().await;
        assert_eq!(machine.asked.load(Ordering::SeqCst), MAX_RUNNING);
        assert!(resolver.resolve("one-more").await.is_err());
        // What is under way can be waited for, even now.
        assert!(resolver.resolve("dead-0").now_or_never().is_none());
        // Each answer makes room for the next name.
        while !resolver.0.known().is_empty() {
            machine.answer.notify_waiters();
            settle().await;
        }
        assert_eq!(machine.asked.load(Ordering::SeqCst), MAX_KNOWN);
        assert!(resolver.resolve("quick").await.is_ok());
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told_and_forgotten() {
        let (machine, resolver) = machine();
        for name in ["broken", "panics"] {
            for _ in 0..2 {
                assert!(resolver.resolve(name).await.is_err());
            }
        }
        assert_eq!(machine.asked.load(Ordering::SeqCst), 4);
        assert_eq!(resolver.resolve("quick").await.unwrap(), [Ipv4Addr::LOCALHOST]);
    }

    #[test]
    fn a_runtime_that_ends_takes_no_name_with_it() {
        let (_, resolver) = machine();
        let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        let first = runtime();
        first.block_on(async { assert!(resolver.resolve("quick").now_or_never().is_none()) });
        drop(first);
        runtime().block_on(async {
            assert!(resolver.resolve("quick").await.is_err());
            assert!(resolver.resolve("quick").await.is_ok());
        });
    }
}
