//! Claims what is due, as much as there is room for, and sends each event by itself.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use adcp_core::{
    BreakerPolicy, Changes, ClaimDeliveries, ClaimedDeliveries, ClaimedDelivery, DeadReason, DeliveryCursor,
    ExpireDeliveries, ListEndpoints, Recorded, Registry, RenewDeliveries, TenantId, Verdict, fault,
};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::Schedule;
use crate::attempt::{Sender, Tried};
use crate::places::{Place, Places};
use crate::record::{Done, record};
use crate::telemetry;

/// The most that one claim takes.
const BATCH: usize = 250;

/// Claims in a row that found nothing, before they take a rest. A claim looks at a part of what waits.
const BARREN: u32 = 16;

/// How often what waited too long is given up, and the queue is measured.
const TIDY: Duration = Duration::from_secs(30);

/// Tenants whose paused endpoints are counted: those with events last.
const TENANTS_WATCHED: usize = 64;

/// How one worker goes about it.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    pub(crate) schedule: Schedule,
    pub(crate) breaker: BreakerPolicy,
    pub(crate) slots: usize,
    pub(crate) per_endpoint: u32,
    /// The part of the places that others leave which one tenant may have, in hundredths.
    pub(crate) tenant_percent: usize,
    pub(crate) lease: Duration,
    pub(crate) poll: Duration,
    pub(crate) tenants: Vec<TenantId>,
}

/// What wakes and what ends a worker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Switch {
    /// Nothing more is claimed.
    pub(crate) stop: CancellationToken,
    /// What is under way is left to others.
    pub(crate) forced: CancellationToken,
    /// Somebody knows that there is something to do.
    pub(crate) wake: Arc<Notify>,
}

/// Works until it is stopped or the registry is gone, and returns when everything is recorded.
pub(crate) async fn work(
    sender: Sender,
    pace: Pace,
    registry: Weak<dyn Registry>,
    changes: Changes,
    switch: Switch,
) {
    let (done, records) = unbounded_channel();
    let (room, breaker) = (Arc::new(Notify::new()), pace.breaker);
    let recording = tokio::spawn(record(records, breaker, Arc::clone(&room)));
    let places = Places::new(pace.slots, pace.tenant_percent);
    let claimer = Claimer {
        crew: Arc::new(Crew { sender, pace, switch, done }),
        places,
        room,
        changes,
        cursor: DeliveryCursor::default(),
        barren: 0,
        tidied: None,
        tenants: BTreeSet::new(),
    };
    claimer.run(registry).await;
    // Ends when the last event is recorded, for each holds a sender.
    let _ = recording.await;
}

struct Claimer {
    crew: Arc<Crew>,
    places: Places,
    room: Arc<Notify>,
    changes: Changes,
    cursor: DeliveryCursor,
    barren: u32,
    tidied: Option<Instant>,
    tenants: BTreeSet<TenantId>,
}

impl Claimer {
    async fn run(mut self, registry: Weak<dyn Registry>) {
        let Switch { stop, wake, .. } = self.crew.switch.clone();
        loop {
            // Who is told to stop does so, whatever else there is.
            let free = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                free = self.places.free(BATCH) => free,
            };
            let Some(registry) = registry.upgrade() else { return };
            self.tidy(&registry).await;
            let wait = self.claim(&registry, free).await;
            drop(registry);
            if wait.is_zero() {
                continue;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.changes.next() => {}
                () = self.room.notified() => {}
                () = wake.notified() => self.tidied = None,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Claims once and begins what was claimed; says how long nothing else is known to be due.
    async fn claim(&mut self, registry: &Arc<dyn Registry>, free: Vec<OwnedSemaphorePermit>) -> Duration {
        let pace = &self.crew.pace;
        let (others, rooms) = self.places.rooms();
        let req = ClaimDeliveries::new()
            .of_tenants(pace.tenants.iter().cloned())
            .with_limit(free.len())
            .with_lease(pace.lease)
            .with_per_endpoint(pace.per_endpoint)
            .with_per_tenant(others, rooms)
            .after(self.cursor.clone());
        let (asked, room) = (Instant::now(), free.len());
        let claimed = match registry.claim_deliveries(req).await {
            Ok(claimed) => claimed,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "looking for webhooks failed");
                return pace.poll;
            }
        };
        if !claimed.deliveries.is_empty() {
            let keys = || claimed.deliveries.iter().map(|one| one.event.key.to_string()).collect();
            fault::point_of("delivery-claimed", keys);
        }
        let ClaimedDeliveries { deliveries, dead, cursor, more, next_due, .. } = claimed;
        self.cursor = cursor;
        for (_, key, reason) in dead {
            telemetry::dead(reason, 1);
            let key = telemetry::short(key.as_str());
            tracing::error!(key, reason = reason.as_str(), "a webhook cannot be read and was given up");
        }
        let count = deliveries.len();
        for (claimed, permit) in deliveries.into_iter().zip(free) {
            self.remember(&claimed.event.owner.tenant);
            let place = self.places.give(permit, &claimed.event.owner.tenant);
            self.crew.begin(Arc::clone(registry), claimed, place, asked);
        }
        self.barren = if count > 0 { 0 } else { self.barren.saturating_add(1) };
        if count == room || (more && self.barren < BARREN) {
            return Duration::ZERO;
        }
        self.barren = 0;
        next_due.unwrap_or(self.crew.pace.poll).clamp(Duration::from_millis(1), self.crew.pace.poll)
    }

    /// Gives up what waited too long, and measures.
    async fn tidy(&mut self, registry: &Arc<dyn Registry>) {
        if self.tidied.is_some_and(|at| at.elapsed() < TIDY) {
            return;
        }
        self.tidied = Some(Instant::now());
        let pace = &self.crew.pace;
        loop {
            let req = ExpireDeliveries::new(pace.schedule.horizon()).of_tenants(pace.tenants.iter().cloned());
            let limit = req.limit;
            match registry.expire_deliveries(req).await {
                Ok(0) => break,
                Ok(count) => {
                    telemetry::dead(DeadReason::Exhausted, u64::try_from(count).unwrap_or(u64::MAX));
                    tracing::warn!(count, "webhooks waited too long and were given up");
                    if count < limit || self.crew.switch.stop.is_cancelled() {
                        break;
                    }
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "giving up old webhooks failed");
                    break;
                }
            }
        }
        let mut paused = 0;
        for tenant in &self.tenants {
            let listed = registry.endpoints(ListEndpoints::new(tenant.clone()).paused()).await;
            paused += listed.map_or(0, |endpoints| endpoints.len());
        }
        telemetry::paused(paused);
    }

    fn remember(&mut self, tenant: &TenantId) {
        if !self.tenants.contains(tenant) {
            if self.tenants.len() >= TENANTS_WATCHED {
                self.tenants.pop_first();
            }
            self.tenants.insert(tenant.clone());
        }
    }
}

struct Crew {
    sender: Sender,
    pace: Pace,
    switch: Switch,
    done: UnboundedSender<Done>,
}

impl Crew {
    /// Sends one event in a task of its own.
    fn begin(
        self: &Arc<Self>,
        registry: Arc<dyn Registry>,
        claimed: ClaimedDelivery,
        place: Place,
        asked: Instant,
    ) {
        let span = tracing::info_span!(
            "webhook",
            endpoint = %claimed.endpoint,
            key = telemetry::short(claimed.event.key.as_str()),
            attempt = claimed.number,
        );
        let crew = Arc::clone(self);
        let sending = async move {
            let mut until = asked + crew.pace.lease;
            let hold = claimed.hold();
            let outcome = tokio::select! {
                biased;
                () = crew.switch.forced.cancelled() => Some((None, LEFT)),
                outcome = crew.deliver(&*registry, &claimed, &mut until) => outcome,
            };
            let Some((tried, verdict)) = outcome else { return };
            log(tried.as_ref(), verdict);
            // The recorder lives as long as anybody who could send to it.
            let _ = crew.done.send(Done { registry, hold, tried, verdict, until, _place: place });
        };
        tokio::spawn(sending.instrument(span));
    }

    /// What is to be recorded; nothing when the claim is another's.
    async fn deliver(
        &self,
        registry: &dyn Registry,
        claimed: &ClaimedDelivery,
        until: &mut Instant,
    ) -> Option<(Option<Tried>, Verdict)> {
        let Pace { schedule, lease, .. } = &self.pace;
        // Somebody stopped the worker while it claimed.
        if self.switch.stop.is_cancelled() {
            return Some((None, LEFT));
        }
        // Attempts that never came to an end count too: an event that ends its workers is not tried for ever.
        if claimed.attempt > schedule.attempts() || claimed.waited >= schedule.horizon() {
            return Some((None, Verdict::Dead(DeadReason::Exhausted)));
        }
        let asked = Instant::now();
        if *until < asked + *lease * 3 / 4 {
            let renewed = registry.renew_deliveries(RenewDeliveries::new(vec![claimed.hold()], *lease)).await;
            match renewed.ok().and_then(|renewed| renewed.first().copied()) {
                Some(Recorded::Written) => *until = asked + *lease,
                // Lost, or unknown: whoever has it then sends it.
                Some(Recorded::Lost) | None => return None,
            }
        }
        if claimed.number == 1 {
            telemetry::first_attempt(claimed.waited);
        }
        let key = || vec![claimed.event.key.to_string()];
        fault::point_of("before-delivery-send", key);
        let tried = self.sender.attempt(&claimed.event).await;
        fault::point_of("after-delivery-send", key);
        let waited = claimed.waited.saturating_add(asked.elapsed());
        let verdict = schedule.verdict(tried.judged.step, claimed.attempt, waited);
        Some((Some(tried), verdict))
    }
}

/// What was claimed and not sent is at once somebody else's.
const LEFT: Verdict = Verdict::Deferred { after: Duration::ZERO };

fn log(tried: Option<&Tried>, verdict: Verdict) {
    let class = tried.map(|tried| tried.judged.class.as_str());
    let (status, detail) = (
        tried.and_then(|tried| tried.report.http_status),
        // What is kept has no secrets of what the receiver repeated.
        tried.and_then(|tried| tried.report.detail.as_deref()),
    );
    match verdict {
        Verdict::Delivered => tracing::debug!(status, "a webhook was delivered"),
        Verdict::Again { after } => {
            tracing::info!(class, status, detail, after = after.as_secs_f64(), "a webhook is tried again");
        }
        Verdict::Dead(reason) => {
            tracing::warn!(class, status, detail, reason = reason.as_str(), "a webhook was given up");
        }
        Verdict::Deferred { .. } => tracing::info!("a webhook is left to others"),
    }
}
