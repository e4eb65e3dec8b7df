//! Ends tasks whose deadline has passed, without anybody asking.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{EndOverdue, Registry, TaskRecord};

use crate::background::Signals;
use crate::end;

/// The registry's clock may lag behind the timer; so long after the deadline it is asked first.
const SLACK: Duration = Duration::from_millis(500);

/// How often it is asked again, the waits doubling from a second to a minute.
const TRIES: u32 = 12;
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Sets a timer for a task's deadline. It neither keeps the registry alive nor delays a shutdown.
pub(crate) fn watch(registry: &Arc<dyn Registry>, signals: &Signals, task: &TaskRecord, within: Duration) {
    let (registry, signals) = (Arc::downgrade(registry), signals.clone());
    let (deadline, task) = (task.deadline, task.reference());
    tokio::spawn(async move {
        tokio::time::sleep(within.saturating_add(SLACK)).await;
        let mut wait = Duration::from_secs(1);
        for _ in 0..TRIES {
            let Some(registry) = registry.upgrade() else { return };
            match registry.end_overdue(EndOverdue::new(task.owner.tenant.clone())).await {
                Ok(ended) => ended.iter().for_each(|ended| signals.ended(&ended.id)),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "overdue tasks were not ended")
                }
            }
            // A task that ended has no deadline any more, and one that was confirmed has another.
            match end::read(&registry, &task).await {
                Ok(Some(record)) if record.deadline == deadline => {}
                Err(_) => {}
                Ok(_) => return,
            }
            drop(registry);
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        tracing::error!(task_id = %task.id, "a task is overdue and could not be ended");
    });
}
