//! Queued events. Each belongs to a task and goes with it, so their number is bounded by the number of tasks.

use std::collections::{BTreeMap, HashMap};

use adcp_core::{Event, ListEvents, TaskId};

#[derive(Default)]
pub(crate) struct Outbox {
    queue: BTreeMap<u64, Event>,
    by_task: HashMap<TaskId, Vec<u64>>,
    counter: u64,
}

impl Outbox {
    pub(crate) fn queue(&mut self, events: Vec<Event>) {
        for event in events {
            self.counter += 1;
            self.by_task.entry(event.task.clone()).or_default().push(self.counter);
            self.queue.insert(self.counter, event);
        }
    }

    pub(crate) fn forget_task(&mut self, task: &TaskId) {
        for number in self.by_task.remove(task).into_iter().flatten() {
            self.queue.remove(&number);
        }
    }

    pub(crate) fn list(&self, req: &ListEvents) -> Vec<Event> {
        let wanted = |event: &&Event| {
            req.scope.covers(&event.owner) && req.task.as_ref().is_none_or(|task| *task == event.task)
        };
        self.queue.values().filter(wanted).take(req.limit).cloned().collect()
    }
}
