//! Queued events and their deliveries. The steps are in [`crate::delivery`].

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use adcp_core::{
    Attempt, CallbackAuth, DeliveryPlace, DeliveryRecord, DeliveryState, Endpoint, EndpointRecord, Event,
    EventKey, LeaseToken, ListEvents, MOST_COUNTED, RegistryError, Retention, Signal, TaskId, TenantId,
    Timestamp,
};

use crate::config::MemoryLimits;

/// Bytes of receivers' answers that are kept in all. Beyond it attempts are kept without.
const MAX_ANSWERS: usize = 64 * 1024 * 1024;

/// Attempts that are kept of one event: the latest.
const MAX_ATTEMPTS: usize = 16;

/// A place in the order of a lane.
type InLane = (TenantId, Endpoint, Timestamp, u64);

#[derive(Default)]
pub(crate) struct Outbox {
    /// In the order they were queued.
    rows: BTreeMap<u64, Box<Row>>,
    next: u64,
    by_key: HashMap<(TenantId, EventKey), u64>,
    by_task: HashMap<TaskId, BTreeSet<u64>>,
    places: BTreeSet<(DeliveryPlace, u64)>,
    /// What is not settled, by when it can be claimed.
    pub(super) due: BTreeSet<InLane>,
    /// What is claimed, by when the claim ends.
    pub(super) claimed: BTreeSet<InLane>,
    /// What is not settled, by when its schedule began.
    pub(super) ages: BTreeSet<(Timestamp, u64)>,
    /// What was delivered or given up, with a body or without, by when it was.
    settled: BTreeSet<(DeliveryState, bool, Timestamp, u64)>,
    pub(super) endpoints: BTreeMap<(TenantId, Endpoint), EndpointRecord>,
    answers: usize,
    pub(super) signal: Signal,
}

pub(crate) struct Row {
    pub(crate) record: DeliveryRecord,
    pub(crate) authentication: Option<CallbackAuth>,
    pub(crate) body: String,
    pub(crate) token: Option<LeaseToken>,
    pub(crate) attempts: VecDeque<Attempt>,
}

impl Row {
    pub(crate) fn event(&self) -> Event {
        let DeliveryRecord { key, owner, subject, url, queued_at, .. } = &self.record;
        let (key, owner, subject) = (key.clone(), owner.clone(), subject.clone());
        let mut event = Event::stored(key, owner, subject, url.clone(), self.body.clone(), *queued_at);
        event.authentication = self.authentication.clone();
        event
    }

    fn in_lane(&self, id: u64) -> Option<InLane> {
        let record = &self.record;
        Some((record.owner.tenant.clone(), record.endpoint.clone(), record.due_at?, id))
    }
}

impl Outbox {
    /// Refuses a call that queues beyond the bound. The end of a task is never refused: it has one event at most, so
    /// tasks bound those.
    pub(crate) fn admit(&self, amount: usize, limits: &MemoryLimits) -> Result<(), RegistryError> {
        if amount > 0 && self.rows.len().saturating_add(amount) > limits.max_tasks {
            return Err(RegistryError::Full { what: "events" });
        }
        Ok(())
    }

    /// Queues events whose keys are not known yet.
    pub(crate) fn queue(&mut self, events: Vec<Event>, now: Timestamp) {
        for event in events {
            let of = (event.owner.tenant.clone(), event.key.clone());
            if self.by_key.contains_key(&of) {
                continue;
            }
            let id = self.next;
            self.next += 1;
            let mut record = DeliveryRecord::queued(event.key, event.owner, event.subject, event.url, now);
            record.queued_at = event.queued_at;
            record.scheme = event.authentication.as_ref().map(|auth| auth.scheme.clone());
            if let Some(task) = record.subject.task() {
                self.by_task.entry(task.clone()).or_default().insert(id);
            }
            self.by_key.insert(of, id);
            self.places.insert((DeliveryPlace::new(record.queued_at, record.key.clone()), id));
            let (authentication, body) = (event.authentication, event.body);
            let row = Row { record, authentication, body, token: None, attempts: VecDeque::new() };
            let row = Box::new(row);
            self.link(id, &row);
            self.rows.insert(id, row);
            self.signal.ring();
        }
    }

    pub(crate) fn find(&self, tenant: &TenantId, key: &EventKey) -> Option<u64> {
        self.by_key.get(&(tenant.clone(), key.clone())).copied()
    }

    pub(crate) fn row(&self, id: u64) -> Option<&Row> {
        self.rows.get(&id).map(|row| &**row)
    }

    /// Changes a row and what finds it.
    pub(crate) fn change<T>(&mut self, id: u64, step: impl FnOnce(&mut Row) -> T) -> Option<T> {
        let mut row = self.rows.remove(&id)?;
        self.unlink(id, &row);
        let done = step(&mut row);
        self.link(id, &row);
        self.rows.insert(id, row);
        Some(done)
    }

    /// Keeps an attempt, as far as there is room for what was answered.
    pub(crate) fn keep(&mut self, id: u64, mut attempt: Attempt) {
        let bytes = |attempt: &Attempt| attempt.answer.as_ref().map_or(0, String::len);
        let Some(row) = self.rows.get_mut(&id) else { return };
        if self.answers + bytes(&attempt) > MAX_ANSWERS {
            attempt.answer = None;
        }
        self.answers += bytes(&attempt);
        row.attempts.push_back(attempt);
        while row.attempts.len() > MAX_ATTEMPTS {
            self.answers -= row.attempts.pop_front().as_ref().map_or(0, bytes);
        }
    }

    fn link(&mut self, id: u64, row: &Row) {
        if let Some(at) = row.record.settled_at {
            self.settled.insert((row.record.state, row.record.has_body, at, id));
        }
        let Some(place) = row.in_lane(id) else { return };
        if row.record.state == DeliveryState::Sending {
            self.claimed.insert(place.clone());
        }
        self.due.insert(place);
        self.ages.insert((row.record.since, id));
    }

    fn unlink(&mut self, id: u64, row: &Row) {
        if let Some(at) = row.record.settled_at {
            self.settled.remove(&(row.record.state, row.record.has_body, at, id));
        }
        let Some(place) = row.in_lane(id) else { return };
        self.claimed.remove(&place);
        self.due.remove(&place);
        self.ages.remove(&(row.record.since, id));
    }

    fn remove(&mut self, id: u64) {
        let Some(row) = self.rows.remove(&id) else { return };
        self.unlink(id, &row);
        let answers = row.attempts.iter().filter_map(|attempt| attempt.answer.as_ref());
        self.answers -= answers.map(String::len).sum::<usize>();
        let record = row.record;
        if let Some(task) = record.subject.task()
            && let Some(ids) = self.by_task.get_mut(task)
        {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_task.remove(task);
            }
        }
        self.places.remove(&(DeliveryPlace::new(record.queued_at, record.key.clone()), id));
        let lane = (record.owner.tenant.clone(), record.endpoint);
        let waits = (lane.0.clone(), lane.1.clone(), Timestamp::from_micros(i64::MIN), 0);
        if self
            .due
            .range(waits..)
            .next()
            .is_none_or(|(tenant, endpoint, ..)| (tenant, endpoint) != (&lane.0, &lane.1))
        {
            self.endpoints.remove(&lane);
        }
        self.by_key.remove(&(record.owner.tenant, record.key));
    }

    /// Forgets the bodies of events that were settled long ago, and events whose bodies were forgotten long ago.
    pub(crate) fn forget(&mut self, kept: &Retention, now: Timestamp, limit: usize) -> (usize, usize) {
        let (mut bodies, mut events) = (0, 0);
        for (state, body, whole) in kept.of_events() {
            while bodies < limit
                && let Some(id) = self.settled_until(state, true, now.before(body))
            {
                self.change(id, |row| {
                    row.record.has_body = false;
                    row.body = String::new();
                    row.authentication = None;
                });
                bodies += 1;
            }
            while events < limit
                && let Some(id) = self.settled_until(state, false, now.before(whole))
            {
                self.remove(id);
                events += 1;
            }
        }
        (bodies, events)
    }

    fn settled_until(&self, state: DeliveryState, has_body: bool, horizon: Timestamp) -> Option<u64> {
        let from = (state, has_body, Timestamp::from_micros(i64::MIN), 0);
        self.settled.range(from..=(state, has_body, horizon, u64::MAX)).next().map(|(.., id)| *id)
    }

    /// How many events are still to be delivered, and since when the oldest is.
    pub(crate) fn waiting(&self) -> (usize, Option<Timestamp>) {
        (self.ages.len(), self.ages.first().map(|(since, _)| *since))
    }

    /// How many dead letters there are, and since when the oldest is one.
    pub(crate) fn dead(&self) -> (usize, Option<Timestamp>) {
        let from = (DeliveryState::Dead, true, Timestamp::from_micros(i64::MIN), 0);
        let dead = || {
            self.settled.range(from..=(DeliveryState::Dead, true, Timestamp::from_micros(i64::MAX), u64::MAX))
        };
        (dead().take(MOST_COUNTED).count(), dead().next().map(|(_, _, at, _)| *at))
    }

    pub(crate) fn list(&self, req: &ListEvents) -> Vec<Event> {
        let rows: Box<dyn Iterator<Item = &Row>> = match &req.task {
            None => Box::new(self.rows.values().map(|row| &**row)),
            Some(task) => {
                let ids = self.by_task.get(task).into_iter().flatten();
                Box::new(ids.filter_map(|id| self.row(*id)))
            }
        };
        rows.filter(|row| req.scope.covers(&row.record.owner)).take(req.limit).map(Row::event).collect()
    }

    /// Newest first, after a place.
    pub(crate) fn newest<'a>(&'a self, after: Option<&DeliveryPlace>) -> impl Iterator<Item = &'a Row> {
        let until = after.map(|place| (place.clone(), 0));
        let places: Box<dyn Iterator<Item = &(DeliveryPlace, u64)>> = match until {
            Some(until) => Box::new(self.places.range(..until).rev()),
            None => Box::new(self.places.iter().rev()),
        };
        places.filter_map(|(_, id)| self.row(*id))
    }

    /// Oldest first.
    pub(crate) fn oldest(&self) -> impl Iterator<Item = (u64, &Row)> {
        self.places.iter().filter_map(|(_, id)| Some((*id, self.row(*id)?)))
    }
}
