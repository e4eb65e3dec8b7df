//! Queued events. Each is kept as long as the task whose end it tells of.

use std::collections::{HashMap, VecDeque};

use adcp_core::{Event, ListEvents, RegistryError, TaskId, Timestamp};

use crate::config::MemoryLimits;

#[derive(Default)]
pub(crate) struct Outbox {
    /// Oldest first, with when each was queued here.
    queue: VecDeque<(Timestamp, Event)>,
    /// Places in the queue, counted from the first event there ever was.
    by_task: HashMap<TaskId, VecDeque<usize>>,
    forgotten: usize,
}

impl Outbox {
    /// Refuses a call that queues beyond the bound. The end of a task is never refused: it has one event at most, so
    /// tasks bound those.
    pub(crate) fn admit(&self, amount: usize, limits: &MemoryLimits) -> Result<(), RegistryError> {
        if amount > 0 && self.queue.len().saturating_add(amount) > limits.max_tasks {
            return Err(RegistryError::Full { what: "events" });
        }
        Ok(())
    }

    pub(crate) fn queue(&mut self, events: Vec<Event>, now: Timestamp) {
        for event in events {
            let place = self.forgotten + self.queue.len();
            self.by_task.entry(event.task.clone()).or_default().push_back(place);
            self.queue.push_back((now, event));
        }
    }

    pub(crate) fn forget_old(&mut self, horizon: Timestamp) {
        while self.queue.front().is_some_and(|(at, _)| *at <= horizon) {
            let Some((_, event)) = self.queue.pop_front() else { return };
            self.forgotten += 1;
            if let Some(places) = self.by_task.get_mut(&event.task) {
                places.pop_front();
                if places.is_empty() {
                    self.by_task.remove(&event.task);
                }
            }
        }
    }

    pub(crate) fn list(&self, req: &ListEvents) -> Vec<Event> {
        let places: Box<dyn Iterator<Item = &(Timestamp, Event)>> = match &req.task {
            None => Box::new(self.queue.iter()),
            Some(task) => {
                let places = self.by_task.get(task).into_iter().flatten();
                Box::new(places.filter_map(|place| self.queue.get(place - self.forgotten)))
            }
        };
        places
            .map(|(_, event)| event)
            .filter(|event| req.scope.covers(&event.owner))
            .take(req.limit)
            .cloned()
            .collect()
    }
}
