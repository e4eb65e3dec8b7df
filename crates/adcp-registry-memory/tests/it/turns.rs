//! Whose turn it is from one claim to the next: the order in memory, which other backends keep by other means.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::{
    AttemptClass, AttemptReport, ClaimDeliveries, ClaimedDeliveries, DeliveryOutbox as _, EventKey,
    ListDeliveries, ManualClock, Owner, Principal, Publication, PublishEvents, RecordAttempt, RecordAttempts,
    Scope, TenantId, Timestamp, Verdict,
};
use adcp_registry_memory::MemoryRegistry;

fn registry() -> MemoryRegistry {
    let start = Timestamp::from_micros(1_700_000_000_000_000);
    MemoryRegistry::volatile().with_clock(Arc::new(ManualClock::at(start)))
}

/// Queues events of a tenant for an endpoint.
async fn publish(registry: &MemoryRegistry, tenant: &str, endpoint: &str, amount: usize) {
    let event = |_| {
        let key = EventKey::random().unwrap();
        let owner = Owner::new(TenantId::new(tenant), None, Principal::new("p"));
        Publication::new(key, owner, "scheduled", format!("https://{endpoint}.example/"), "{}".to_owned())
    };
    registry.publish(PublishEvents::new((0..amount).map(event).collect())).await.unwrap();
}

fn places(claimed: &ClaimedDeliveries) -> Vec<String> {
    let place = |it: &adcp_core::ClaimedDelivery| {
        let host = it.endpoint.as_str().trim_start_matches("https://").trim_end_matches(".example");
        format!("{} {host}", it.event.owner.tenant)
    };
    claimed.deliveries.iter().map(place).collect()
}

#[tokio::test]
async fn a_claim_begins_behind_the_last_tenant_and_comes_round() {
    let registry = registry();
    for tenant in ["a", "b", "c"] {
        publish(&registry, tenant, "x", 3).await;
    }
    let req = ClaimDeliveries::new().with_per_endpoint(2);
    let first = registry.claim_deliveries(req.clone().with_limit(2)).await.unwrap();
    assert_eq!((places(&first), first.more), (vec!["a x".to_owned(), "b x".to_owned()], true));
    // Each is visited once: nobody has more in flight than they may.
    let second = registry.claim_deliveries(req.clone().after(first.cursor)).await.unwrap();
    assert_eq!(
        (places(&second), second.more),
        (["c x", "c x", "a x", "b x"].map(str::to_owned).to_vec(), false)
    );
    let third = registry.claim_deliveries(req.after(second.cursor)).await.unwrap();
    assert_eq!((places(&third), third.more), (vec![], false), "all that may be in flight is");
}

#[tokio::test]
async fn within_a_tenant_it_begins_behind_the_last_endpoint_and_comes_round() {
    let registry = registry();
    for endpoint in ["e1", "e2", "e3"] {
        publish(&registry, "a", endpoint, 5).await;
    }
    let req = ClaimDeliveries::new().with_per_endpoint(2);
    let first = registry.claim_deliveries(req.clone().with_limit(1)).await.unwrap();
    assert_eq!((places(&first), first.more), (vec!["a e1".to_owned()], true));
    let second = registry.claim_deliveries(req.clone().with_limit(2).after(first.cursor)).await.unwrap();
    assert_eq!(places(&second), ["a e2", "a e3"], "it was not their turn yet");
    let third = registry.claim_deliveries(req.clone().after(second.cursor)).await.unwrap();
    let taken: BTreeSet<_> = places(&third).into_iter().collect();
    assert_eq!((third.deliveries.len(), taken.len(), third.more), (3, 3, false), "one more of each");
    let rest = registry.claim_deliveries(req.after(third.cursor)).await.unwrap();
    assert_eq!(places(&rest), Vec::<String>::new());
}

#[tokio::test]
async fn a_claim_that_comes_round_passes_no_endpoint_twice() {
    let registry = registry();
    for endpoint in ["e1", "e2", "e3"] {
        publish(&registry, "a", endpoint, 9).await;
    }
    let req = ClaimDeliveries::new().with_per_endpoint(2);
    let first = registry.claim_deliveries(req.clone().with_limit(1)).await.unwrap();
    let rest = registry.claim_deliveries(req.after(first.cursor)).await.unwrap();
    let mut found = places(&rest);
    found.sort_unstable();
    assert_eq!(found, ["a e1", "a e2", "a e2", "a e3", "a e3"], "two in flight of each");
}

#[tokio::test]
async fn a_claim_looks_at_so_many_tenants_and_the_next_one_at_the_others() {
    let registry = registry();
    let amount = ClaimDeliveries::MAX_TENANTS + 6;
    for tenant in 0..amount {
        publish(&registry, &format!("t{tenant:03}"), "x", 1).await;
    }
    let req = ClaimDeliveries::new().with_limit(1_000);
    let first = registry.claim_deliveries(req.clone()).await.unwrap();
    assert_eq!((first.deliveries.len(), first.more), (ClaimDeliveries::MAX_TENANTS, true));
    let second = registry.claim_deliveries(req.clone().after(first.cursor.clone())).await.unwrap();
    assert_eq!(places(&second)[..2], ["t064 x", "t065 x"]);
    assert_eq!(second.deliveries.len(), 6);
    // As many tenants as one claim looks at are all there is.
    let delivered =
        second.deliveries.iter().map(|it| RecordAttempt::new(it.hold(), None, Verdict::Delivered));
    registry.record_attempts(RecordAttempts::new(delivered.collect())).await.unwrap();
    let third = registry.claim_deliveries(req.after(second.cursor)).await.unwrap();
    assert_eq!((third.deliveries.len(), third.more), (0, false));
}

#[tokio::test]
async fn a_claim_looks_at_so_many_endpoints_with_something_due_and_the_next_one_goes_on() {
    let registry = registry();
    for endpoint in 0..20 {
        publish(&registry, "a", &format!("e{endpoint:02}"), 2).await;
    }
    // Of each one event is in flight, which is all that may be.
    let req = ClaimDeliveries::new().with_per_endpoint(1);
    assert_eq!(registry.claim_deliveries(req.clone()).await.unwrap().deliveries.len(), 20);
    publish(&registry, "a", "f", 1).await;
    let few = req.with_limit(8);
    let first = registry.claim_deliveries(few.clone()).await.unwrap();
    assert_eq!((places(&first), first.more), (vec![], true), "16 that may send nothing");
    let second = registry.claim_deliveries(few.after(first.cursor)).await.unwrap();
    assert_eq!(places(&second), ["a f"]);
    // Whoever has nothing is looked at in no time.
    let nobody = ClaimDeliveries::new().of_tenants([TenantId::new("nobody")]);
    let none = registry.claim_deliveries(nobody).await.unwrap();
    assert_eq!((places(&none), none.more, none.next_due), (vec![], false, None));
}

#[tokio::test]
async fn the_latest_sixteen_attempts_are_kept() {
    let registry = registry();
    publish(&registry, "a", "x", 1).await;
    let mut key = None;
    for _ in 0..18 {
        let claimed = registry.claim_deliveries(ClaimDeliveries::new()).await.unwrap();
        let report =
            AttemptReport::new(AttemptClass::Refused, Duration::ZERO, Duration::ZERO).with_answer("no");
        let again = Verdict::Again { after: Duration::ZERO };
        let hold = claimed.deliveries[0].hold();
        key = Some(hold.key.clone());
        let records = RecordAttempts::new(vec![RecordAttempt::new(hold, Some(report), again)]);
        registry.record_attempts(records).await.unwrap();
    }
    let scope = Scope::Operator { tenant: TenantId::new("a") };
    let kept = registry.delivery(&key.unwrap(), &scope).await.unwrap().unwrap().attempts;
    assert_eq!(kept.iter().map(|it| it.number).collect::<Vec<_>>(), (3..=18).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_page_of_endpoints_ends_where_it_should() {
    let registry = registry();
    for (tenant, endpoint) in [("a", "e1"), ("a", "e2"), ("b", "e1")] {
        publish(&registry, tenant, endpoint, 1).await;
    }
    registry.claim_deliveries(ClaimDeliveries::new()).await.unwrap();
    let listed = registry.endpoints(adcp_core::ListEndpoints::new(TenantId::new("a"))).await.unwrap();
    let names: Vec<_> = listed.iter().map(|it| it.endpoint.as_str()).collect();
    assert_eq!(names, ["https://e1.example", "https://e2.example"]);
    let after = adcp_core::ListEndpoints::new(TenantId::new("a")).after(listed[0].endpoint.clone());
    let rest = registry.endpoints(after).await.unwrap();
    assert_eq!(rest.len(), 1);
    let whole = ListDeliveries::new(Scope::Operator { tenant: TenantId::new("a") }).with_limit(2);
    let page = registry.deliveries(whole).await.unwrap();
    assert_eq!((page.deliveries.len(), page.next), (2, None));
}
