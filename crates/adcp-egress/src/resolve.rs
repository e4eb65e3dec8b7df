//! From names to addresses.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::Shared;
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

/// The resolver of the machine: its hosts file, its search list, its name servers.
///
/// A lookup of the machine cannot be ended early. So those of one name are one, few run at a time, and
/// beyond a bound a new one fails at once: names whose servers never answer hold up neither threads nor memory.
#[derive(Debug, Clone)]
pub struct SystemResolver(Arc<Lookups>);

struct Lookups {
    running: Semaphore,
    known: Mutex<HashMap<String, Lookup>>,
}

type Lookup = Shared<oneshot::Receiver<Result<Vec<IpAddr>, Arc<io::Error>>>>;

/// How many lookups run at a time. Each holds a thread.
const MAX_RUNNING: usize = 64;

/// How many names may wait for their turn, or have it.
const MAX_KNOWN: usize = 4_096;

impl SystemResolver {
    /// The resolver of this machine.
    #[must_use]
    pub fn new() -> Self {
        let lookups = Lookups { running: Semaphore::new(MAX_RUNNING), known: Mutex::default() };
        Self(Arc::new(lookups))
    }

    fn lookup(&self, host: &str) -> io::Result<Lookup> {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(host) {
            // Its runtime ended with it, and nobody will answer.
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
        drop(known);
        let (lookups, host) = (Arc::clone(&self.0), host.to_owned());
        // A task of its own: whoever asked may give up, and the thread is busy all the same.
        tokio::spawn(async move {
            let permit = lookups.running.acquire().await;
            let found = match tokio::net::lookup_host((host.as_str(), 0)).await {
                Ok(found) => Ok(found.map(|address| address.ip()).collect()),
                Err(error) => Err(Arc::new(error)),
            };
            drop(permit);
            lookups.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&host);
            // Nobody waits any more: then nobody needs it.
            let _ = done.send(found);
        });
        Ok(lookup)
    }
}

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        match self.lookup(host)?.await {
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(error)) => Err(io::Error::new(error.kind(), error)),
            Err(_) => Err(io::Error::other("the runtime of the lookup has ended")),
        }
    }
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Lookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookups").finish_non_exhaustive()
    }
}
