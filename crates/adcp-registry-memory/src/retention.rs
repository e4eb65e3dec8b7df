//! What goes when it is over for long enough, and how much is there that is not.

use std::time::Duration;

use adcp_core::{Ages, Backlog, Forget, Forgotten, Timestamp};

use crate::registry::Tables;

impl Tables {
    pub(crate) fn forget(&mut self, req: Forget, now: Timestamp) -> Forgotten {
        let kept = req.retention;
        let mut gone = Forgotten::default();
        gone.tasks = self.tasks.forget(now.before(kept.tasks), req.limit);
        (gone.bodies, gone.events) = self.outbox.forget(&kept, now, req.limit);
        gone.calls = self.calls.forget(now, req.limit);
        gone.proposals = self.ledger.forget(now, req.limit);
        gone
    }

    pub(crate) fn ages(&self, now: Timestamp) -> Ages {
        let since = |at: Option<Timestamp>| at.map(|at| now.since(at));
        let backlog = |(count, oldest)| Backlog::new(count, since(oldest));
        let mut ages = Ages::default();
        ages.open_tasks = backlog(self.tasks.open());
        ages.overdue_tasks = backlog(self.tasks.late(now));
        ages.unresolved_calls = backlog(self.calls.waiting());
        ages.undelivered_events = backlog(self.outbox.waiting());
        ages.dead_letters = backlog(self.outbox.dead());
        ages.oldest_ended_task = since(self.tasks.first_end());
        let lag = |first| since(first).unwrap_or(Duration::ZERO);
        ages.forgettable_calls = lag(self.calls.first_to_forget());
        ages.forgettable_proposals = lag(self.ledger.first_to_forget());
        ages
    }
}
