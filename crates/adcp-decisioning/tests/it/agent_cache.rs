//! A memory of agents: what it keeps, for how long, and how much of it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use adcp_core::{AdcpError, TenantId};
use adcp_decisioning::{BuyerAgent, BuyerAgents, CachedAgents, Caller};

use crate::seller::buyer;

/// Knows everybody but strangers, and counts how often it is asked.
#[derive(Clone, Default)]
struct Counted(Arc<AtomicUsize>);

impl BuyerAgents for Counted {
    async fn find(&self, caller: &Caller) -> Result<Option<BuyerAgent>, AdcpError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        match caller.principal.as_str() {
            "stranger" => Ok(None),
            "broken" => Err(AdcpError::unavailable()),
            name => Ok(Some(BuyerAgent::new(format!("https://{name}.example")))),
        }
    }
}

impl Counted {
    fn times(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn answers_are_believed_for_a_while_refusals_included() {
    let asked = Counted::default();
    let agents = CachedAgents::new(asked.clone()).with_ttl(Duration::from_secs(10));
    for (who, known) in [("acme", true), ("stranger", false)] {
        let before = asked.times();
        for _ in 0..3 {
            assert_eq!(agents.find(&buyer(who)).await.unwrap().is_some(), known);
        }
        assert_eq!(asked.times(), before + 1, "{who}");
    }
    tokio::time::advance(Duration::from_secs(10)).await;
    agents.find(&buyer("acme")).await.unwrap();
    assert_eq!(asked.times(), 3, "an old answer is asked for anew");
    agents.clear();
    agents.find(&buyer("acme")).await.unwrap();
    assert_eq!(asked.times(), 4, "so is a cleared one");
    for _ in 0..2 {
        assert!(agents.find(&buyer("broken")).await.is_err());
    }
    assert_eq!(asked.times(), 6, "a failure is no answer");
}

#[tokio::test(start_paused = true)]
async fn tenants_do_not_share_answers_and_the_oldest_makes_room() {
    let asked = Counted::default();
    let agents = CachedAgents::new(asked.clone()).with_entries(NonZeroUsize::new(2).unwrap());
    agents.find(&buyer("acme")).await.unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    agents.find(&buyer("acme").at(TenantId::new("other"))).await.unwrap();
    assert_eq!(asked.times(), 2);
    tokio::time::advance(Duration::from_secs(1)).await;
    agents.find(&buyer("nova")).await.unwrap();
    agents.find(&buyer("acme").at(TenantId::new("other"))).await.unwrap();
    assert_eq!(asked.times(), 3, "the newer one was kept");
    agents.find(&buyer("acme")).await.unwrap();
    assert_eq!(asked.times(), 4, "the oldest one was not");
}
