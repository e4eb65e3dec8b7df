//! Whose events a claim takes: tenants in turn, within each its endpoints in turn. Pure; a store looks and takes.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::{Admission, Breaker, ClaimDeliveries, Endpoint, TenantId, Timestamp};

/// Whose turn it is. Kept by a worker from one claim to the next; losing it costs nothing but the turn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryCursor {
    tenant: Option<TenantId>,
    lanes: BTreeMap<TenantId, Endpoint>,
}

impl DeliveryCursor {
    /// The tenant whose turn was last.
    #[must_use]
    pub const fn tenant(&self) -> Option<&TenantId> {
        self.tenant.as_ref()
    }

    /// The endpoint of a tenant whose turn was last.
    #[must_use]
    pub fn endpoint_of(&self, tenant: &TenantId) -> Option<&Endpoint> {
        self.lanes.get(tenant)
    }
}

/// What was seen of one lane that has events waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a backend must find out all of it")]
pub struct Lane {
    /// Where it leads.
    pub endpoint: Endpoint,
    /// When its first event is due, or the lease of a claimed one ends.
    pub due_at: Timestamp,
    /// Events that are due; counting may stop at what may be in flight.
    pub ready: u32,
    /// Events that are claimed, under leases that last.
    pub flying: u32,
    /// Its breaker.
    pub breaker: Breaker,
}

/// The lanes of one tenant that were looked at, in the order of endpoints, beginning after the cursor's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a backend must find out all of it")]
pub struct Visit {
    /// The tenant.
    pub tenant: TenantId,
    /// Its lanes.
    pub lanes: Vec<Lane>,
    /// Whether these are all it has.
    pub whole: bool,
}

/// Takes from one lane.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Take {
    /// Whose lane.
    pub tenant: TenantId,
    /// Which.
    pub endpoint: Endpoint,
    /// So many events, those first that have been due longest.
    pub rows: u32,
    /// To see if the endpoint is back: its breaker becomes half open.
    pub probe: bool,
}

/// What a claim takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimPlan {
    /// At most the limit in all.
    pub takes: Vec<Take>,
    /// For the next claim.
    pub cursor: DeliveryCursor,
    /// Whether more may be due now.
    pub more: bool,
    /// When the next event is due among those that were looked at, from now.
    pub next_due: Option<Duration>,
}

impl ClaimDeliveries {
    /// Tenants that one claim looks at.
    pub const MAX_TENANTS: usize = 64;

    /// Lanes of each of `tenants` that one claim looks at, so that its cost has a bound.
    #[must_use]
    pub fn lanes_each(&self, tenants: usize) -> usize {
        (1024.max(self.limit.saturating_mul(2)) / tenants.max(1)).max(16)
    }

    /// Lanes of each of `tenants` with something due after which one claim looks no further.
    #[must_use]
    pub fn due_lanes_each(&self, tenants: usize) -> u32 {
        u32::try_from((self.limit.saturating_mul(2) / tenants.max(1)).max(16)).unwrap_or(u32::MAX)
    }
}

impl ClaimDeliveries {
    /// The tenants that were asked for, beginning after the cursor's; empty when all were.
    #[must_use]
    pub fn tenants_in_turn(&self) -> Vec<TenantId> {
        let mut tenants = self.tenants.clone();
        tenants.sort_unstable();
        tenants.dedup();
        if let Some(last) = self.after.tenant() {
            let seen = tenants.partition_point(|tenant| tenant <= last);
            tenants.rotate_left(seen);
        }
        tenants
    }
}

/// Lanes of one tenant that still have room.
struct Turn<'a> {
    visit: &'a Visit,
    waiting: VecDeque<usize>,
    room: Vec<u32>,
    given: Vec<u32>,
    last: Option<usize>,
    /// How many more of the tenant may be taken.
    left: usize,
}

impl Turn<'_> {
    /// Whether more could be taken of this tenant.
    fn is_open(&self) -> bool {
        self.left > 0 && !self.waiting.is_empty()
    }
}

/// Decides what a claim takes from what it saw. `all` says that no tenant was left out.
#[must_use]
pub fn plan_claims(visits: &[Visit], all: bool, req: &ClaimDeliveries, now: Timestamp) -> ClaimPlan {
    let mut plan = ClaimPlan { cursor: req.after.clone(), ..ClaimPlan::default() };
    if all {
        plan.cursor.lanes.clear();
    }
    let mut turns: Vec<Turn<'_>> =
        visits.iter().map(|visit| turn(visit, req, now, &mut plan.next_due)).collect();
    let mut left = req.limit;
    let mut last = None;
    'full: loop {
        let mut gave = false;
        for (at, turn) in turns.iter_mut().enumerate() {
            if !turn.is_open() {
                continue;
            }
            if left == 0 {
                break 'full;
            }
            let Some(lane) = turn.waiting.pop_front() else { continue };
            turn.left -= 1;
            turn.given[lane] += 1;
            turn.last = Some(lane);
            if turn.given[lane] < turn.room[lane] {
                turn.waiting.push_back(lane);
            }
            (left, last, gave) = (left - 1, Some(at), true);
        }
        if !gave {
            break;
        }
    }
    let full = turns.iter().any(Turn::is_open);
    // Of a tenant who has no room left there is nothing more for now, whatever it has waiting.
    plan.more = full || !all || turns.iter().any(|turn| turn.left > 0 && !turn.visit.whole);
    let turn_of = if full { last } else { visits.len().checked_sub(1) };
    plan.cursor.tenant = turn_of.and_then(|at| visits.get(at)).map(|visit| visit.tenant.clone());
    for turn in &turns {
        let end = turn.visit.lanes.len().checked_sub(1);
        let place = if turn.waiting.is_empty() { end } else { turn.last };
        match place.and_then(|at| turn.visit.lanes.get(at)) {
            Some(lane) => plan.cursor.lanes.insert(turn.visit.tenant.clone(), lane.endpoint.clone()),
            // Whose turn did not come keeps its place.
            None => req
                .after
                .endpoint_of(&turn.visit.tenant)
                .and_then(|endpoint| plan.cursor.lanes.insert(turn.visit.tenant.clone(), endpoint.clone())),
        };
        let taken = turn.visit.lanes.iter().zip(&turn.given).filter(|(_, given)| **given > 0);
        plan.takes.extend(taken.map(|(lane, given)| Take {
            tenant: turn.visit.tenant.clone(),
            endpoint: lane.endpoint.clone(),
            rows: *given,
            probe: lane.breaker.admits(now) == Admission::Probe,
        }));
    }
    plan
}

fn turn<'a>(
    visit: &'a Visit,
    req: &ClaimDeliveries,
    now: Timestamp,
    next: &mut Option<Duration>,
) -> Turn<'a> {
    let mut room = Vec::with_capacity(visit.lanes.len());
    for lane in &visit.lanes {
        let free = lane.ready.min(req.per_endpoint.saturating_sub(lane.flying));
        let (most, wait) = match lane.breaker.admits(now) {
            Admission::All => (free, lane.due_at.since(now)),
            Admission::Probe => (free.min(1), lane.due_at.since(now)),
            Admission::Nothing(until) => (0, until.max(lane.due_at).since(now)),
        };
        if !wait.is_zero() {
            *next = Some(next.map_or(wait, |next| next.min(wait)));
        }
        room.push(most);
    }
    let waiting = (0..room.len()).filter(|lane| room[*lane] > 0).collect();
    Turn { visit, waiting, given: vec![0; room.len()], room, last: None, left: req.room_of(&visit.tenant) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BreakerState, Health, LeaseToken};

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

    fn lane(endpoint: &str, ready: u32) -> Lane {
        Lane {
            endpoint: Endpoint::stored(endpoint),
            due_at: NOW,
            ready,
            flying: 0,
            breaker: Breaker::default(),
        }
    }

    fn visit(tenant: &str, lanes: Vec<Lane>) -> Visit {
        Visit { tenant: TenantId::new(tenant), lanes, whole: true }
    }

    fn taken(plan: &ClaimPlan) -> Vec<(String, String, u32)> {
        let take = |take: &Take| (take.tenant.to_string(), take.endpoint.to_string(), take.rows);
        plan.takes.iter().map(take).collect()
    }

    fn row(tenant: &str, endpoint: &str, rows: u32) -> (String, String, u32) {
        (tenant.to_owned(), endpoint.to_owned(), rows)
    }

    #[test]
    fn tenants_have_equal_shares_whatever_they_have() {
        let visits = [
            visit("a", (0..50).map(|n| lane(&format!("e{n:02}"), 10)).collect()),
            visit("b", vec![lane("x", 10)]),
        ];
        let plan = plan_claims(&visits, true, &ClaimDeliveries::new().with_limit(8), NOW);
        let b: u32 = plan.takes.iter().filter(|take| take.tenant.as_str() == "b").map(|take| take.rows).sum();
        assert_eq!((b, plan.more), (4, true));
        assert_eq!(plan.cursor.tenant(), Some(&TenantId::new("b")));
        assert_eq!(plan.cursor.endpoint_of(&TenantId::new("a")), Some(&Endpoint::stored("e03")));
    }

    #[test]
    fn endpoints_take_turns_and_none_has_more_than_its_room() {
        let mut busy = lane("busy", 10);
        busy.flying = 9;
        let visits = [visit("a", vec![lane("one", 1), lane("two", 10), busy])];
        let req = ClaimDeliveries::new().with_limit(6);
        let plan = plan_claims(&visits, true, &req, NOW);
        assert_eq!(taken(&plan), [row("a", "one", 1), row("a", "two", 4), row("a", "busy", 1)]);
        assert_eq!(plan.cursor.endpoint_of(&TenantId::new("a")), Some(&Endpoint::stored("two")));
        let rest = plan_claims(&visits, true, &req.with_limit(100), NOW);
        assert_eq!(taken(&rest), [row("a", "one", 1), row("a", "two", 10), row("a", "busy", 1)]);
        assert!(!rest.more);
    }

    #[test]
    fn a_tenant_without_room_is_passed_by_and_keeps_its_turn() {
        let lanes = || (0..4).map(|n| lane(&format!("e{n}"), 10)).collect();
        let visits = [visit("a", lanes()), visit("b", lanes())];
        let (a, b) = (TenantId::new("a"), TenantId::new("b"));
        let req = ClaimDeliveries::new().with_limit(7).with_per_tenant(2, [(a.clone(), 0)]);
        let plan = plan_claims(&visits, true, &req, NOW);
        assert_eq!(taken(&plan), [row("b", "e0", 1), row("b", "e1", 1)]);
        assert!(!plan.more, "nothing more for those who have no room: {plan:?}");
        assert_eq!(plan.cursor.endpoint_of(&a), None);
        assert_eq!(plan.cursor.endpoint_of(&b), Some(&Endpoint::stored("e1")));

        let mut part = visit("a", lanes());
        part.whole = false;
        let held = DeliveryCursor { tenant: None, lanes: [(a.clone(), Endpoint::stored("e2"))].into() };
        let plan = plan_claims(&[part.clone()], true, &req.clone().after(held), NOW);
        assert!(plan.takes.is_empty() && !plan.more);
        assert_eq!(plan.cursor.endpoint_of(&a), Some(&Endpoint::stored("e2")));
        let plan = plan_claims(&[part], true, &req.with_per_tenant(2, []), NOW);
        assert_eq!((taken(&plan).len(), plan.more), (2, false));
    }

    #[test]
    fn an_open_lane_is_passed_by_and_looked_at_once() {
        let policy = crate::BreakerPolicy::new().with_failures(1);
        let open = Breaker::default().after(LeaseToken::stored([0; 16]), Health::Ill, &policy, NOW);
        assert_eq!(open.state, BreakerState::Open);
        let visits = [visit("a", vec![Lane { breaker: open, ..lane("dead", 10) }])];
        let req = ClaimDeliveries::new();
        let plan = plan_claims(&visits, true, &req, NOW);
        assert_eq!((taken(&plan), plan.next_due), (vec![], Some(Duration::from_secs(30))));
        let later = plan_claims(&visits, true, &req, NOW.after(Duration::from_secs(30)));
        assert_eq!(taken(&later), [row("a", "dead", 1)]);
        assert!(later.takes[0].probe);
    }

    #[test]
    fn a_claim_that_saw_only_a_part_goes_on_behind_it() {
        let mut part = visit("a", vec![lane("one", 0), lane("two", 0)]);
        part.whole = false;
        let plan = plan_claims(&[part], true, &ClaimDeliveries::new(), NOW);
        assert!(plan.more && plan.takes.is_empty());
        assert_eq!(plan.cursor.endpoint_of(&TenantId::new("a")), Some(&Endpoint::stored("two")));
    }

    #[test]
    fn a_claim_looks_at_so_much_and_no_more() {
        // The limit, the tenants, the lanes of each, and those of them with something due.
        for (limit, tenants, lanes, due) in [
            (100, 1, 1024, 200),
            (100, 0, 1024, 200),
            (100, 4, 256, 50),
            (100, 64, 16, 16),
            (1, 1, 1024, 16),
            (1000, 1, 2000, 2000),
            (1000, 8, 250, 250),
            (usize::MAX, 1, usize::MAX, u32::MAX),
        ] {
            let req = ClaimDeliveries::new().with_limit(limit);
            assert_eq!(
                (req.lanes_each(tenants), req.due_lanes_each(tenants)),
                (lanes, due),
                "{limit} {tenants}"
            );
        }
    }

    #[test]
    fn the_tenants_asked_for_take_turns_behind_the_last_one() {
        let names =
            |names: &str| names.chars().map(|name| TenantId::new(name.to_string())).collect::<Vec<_>>();
        let req = |tenants: &str, last: Option<&str>| {
            let after = DeliveryCursor { tenant: last.map(TenantId::new), ..DeliveryCursor::default() };
            ClaimDeliveries::new().of_tenants(names(tenants)).after(after)
        };
        for (asked, last, want) in [
            ("cab", None, "abc"),
            ("abcab", None, "abc"),
            ("abc", Some("a"), "bca"),
            ("abc", Some("b"), "cab"),
            ("abc", Some("c"), "abc"),
            ("ac", Some("b"), "ca"),
            ("bc", Some("a"), "bc"),
            ("", Some("a"), ""),
        ] {
            assert_eq!(req(asked, last).tenants_in_turn(), names(want), "{asked} {last:?}");
        }
    }

    #[test]
    fn the_next_event_is_due_when_the_first_lane_can_have_one() {
        let later = |endpoint: &str, secs: u64| Lane {
            due_at: NOW.after(Duration::from_secs(secs)),
            ..lane(endpoint, 0)
        };
        let paused = |lane: Lane, secs: u64| {
            let until = Some(NOW.after(Duration::from_secs(secs)));
            Lane { breaker: Breaker { state: BreakerState::Open, until, ..Breaker::default() }, ..lane }
        };
        let next = |lanes: Vec<Lane>| {
            let plan = plan_claims(&[visit("a", lanes)], true, &ClaimDeliveries::new(), NOW);
            assert!(plan.takes.is_empty() && !plan.more);
            plan.next_due.map(|next| next.as_secs())
        };
        assert_eq!(next(vec![]), None);
        assert_eq!(next(vec![later("e", 9), later("f", 5), later("g", 7)]), Some(5));
        // A pause ends before there is anything to send, or after.
        assert_eq!(next(vec![paused(later("e", 9), 4)]), Some(9));
        assert_eq!(next(vec![paused(later("e", 4), 9)]), Some(9));
        // Whoever looks for a lane is awaited like a pause; a lane with room for nothing is not awaited.
        let full = Lane { flying: 10, ..lane("e", 3) };
        assert_eq!(next(vec![full]), None);
    }

    #[test]
    fn a_cursor_keeps_the_turns_of_those_who_had_none() {
        let (a, b, gone) = (TenantId::new("a"), TenantId::new("b"), TenantId::new("gone"));
        let mut after = DeliveryCursor::default();
        for tenant in [&a, &b, &gone] {
            after.lanes.insert(tenant.clone(), Endpoint::stored("last"));
        }
        let visits = [visit("a", vec![lane("one", 5), lane("two", 5)]), visit("b", vec![lane("x", 5)])];
        let req = ClaimDeliveries::new().with_limit(1).after(after);
        let plan = plan_claims(&visits, true, &req, NOW);
        assert_eq!((taken(&plan), plan.more), (vec![row("a", "one", 1)], true));
        assert_eq!(plan.cursor.tenant(), Some(&a));
        assert_eq!(plan.cursor.endpoint_of(&a), Some(&Endpoint::stored("one")));
        assert_eq!(plan.cursor.endpoint_of(&b), Some(&Endpoint::stored("last")));
        // Whoever has nothing is forgotten, unless nobody looked.
        assert_eq!(plan.cursor.endpoint_of(&gone), None);
        let part = plan_claims(&visits, false, &req, NOW);
        assert_eq!((part.cursor.endpoint_of(&gone), part.more), (Some(&Endpoint::stored("last")), true));
        // Nothing is taken where nothing is asked for; and when all is taken, the last tenant's turn is over.
        assert!(plan_claims(&visits, true, &req.clone().with_limit(0), NOW).takes.is_empty());
        let whole = plan_claims(&visits, true, &req.with_limit(15), NOW);
        assert_eq!((whole.cursor.tenant(), whole.more), (Some(&b), false));
        assert_eq!(whole.cursor.endpoint_of(&a), Some(&Endpoint::stored("two")));
    }
}
