//! A bounded memory of which agents the seller deals with.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adcp_core::{AdcpError, Principal, TenantId};
use tokio::time::Instant;

use crate::buyer_agent::{BuyerAgent, BuyerAgents};
use crate::caller::{AuthMethod, Caller};

/// How long an answer is believed, by default.
pub const DEFAULT_AGENT_TTL: Duration = Duration::from_secs(60);

/// How many answers are kept, by default.
pub const DEFAULT_AGENT_ENTRIES: NonZeroUsize = NonZeroUsize::new(4096).expect("not zero");

/// Remembers what another record of agents said, also that it knows nobody.
///
/// A suspension takes effect when the answer's time is over, or at once with [`CachedAgents::clear`]. Failures
/// are not remembered. When it is full, the oldest answer makes room: memory stays bounded whoever calls.
/// Clones share one memory.
#[derive(Clone)]
pub struct CachedAgents<A> {
    agents: Arc<A>,
    memory: Arc<Mutex<Memory>>,
    ttl: Duration,
    entries: NonZeroUsize,
}

type Who = (TenantId, Principal, AuthMethod, Option<String>);

#[derive(Default)]
struct Memory {
    answers: HashMap<Who, (Instant, Option<BuyerAgent>)>,
    /// Counts the clearings, so that an answer asked for before one is not kept after it.
    cleared: u64,
}

impl<A: BuyerAgents> CachedAgents<A> {
    /// Remembers what `agents` says.
    #[must_use]
    pub fn new(agents: A) -> Self {
        Self {
            agents: Arc::new(agents),
            memory: Arc::default(),
            ttl: DEFAULT_AGENT_TTL,
            entries: DEFAULT_AGENT_ENTRIES,
        }
    }

    /// Sets how long an answer is believed.
    #[must_use]
    pub const fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Sets how many answers are kept.
    #[must_use]
    pub const fn with_entries(mut self, entries: NonZeroUsize) -> Self {
        self.entries = entries;
        self
    }

    /// Forgets everything, such as after an agent was suspended.
    pub fn clear(&self) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.answers.clear();
        memory.cleared += 1;
    }

    /// The answer if it is fresh, or the number of clearings so far.
    fn recall(&self, who: &Who) -> Result<Option<BuyerAgent>, u64> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        match memory.answers.get(who) {
            Some((since, answer)) if since.elapsed() < self.ttl => Ok(answer.clone()),
            _ => Err(memory.cleared),
        }
    }

    fn keep(&self, who: Who, answer: Option<BuyerAgent>, cleared: u64) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.cleared != cleared {
            return;
        }
        if memory.answers.len() >= self.entries.get() && !memory.answers.contains_key(&who) {
            memory.answers.retain(|_, (since, _)| since.elapsed() < self.ttl);
            if memory.answers.len() >= self.entries.get()
                && let Some(oldest) =
                    memory.answers.iter().min_by_key(|(_, (since, _))| *since).map(|(who, _)| who.clone())
            {
                memory.answers.remove(&oldest);
            }
        }
        memory.answers.insert(who, (Instant::now(), answer));
    }
}

impl<A> fmt::Debug for CachedAgents<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedAgents")
            .field("ttl", &self.ttl)
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}

impl<A: BuyerAgents> BuyerAgents for CachedAgents<A> {
    async fn find(&self, caller: &Caller) -> Result<Option<BuyerAgent>, AdcpError> {
        let who = (caller.tenant.clone(), caller.principal.clone(), caller.method, caller.agent_url.clone());
        let cleared = match self.recall(&who) {
            Ok(answer) => return Ok(answer),
            Err(cleared) => cleared,
        };
        let answer = self.agents.find(caller).await?;
        self.keep(who, answer.clone(), cleared);
        Ok(answer)
    }
}
