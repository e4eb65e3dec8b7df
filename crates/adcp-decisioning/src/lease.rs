//! The hold that a running function has on its task, kept for as long as it runs.

use std::time::Duration;

use adcp_core::{RegistryError, RenewLease, fault};
use tokio::time::{Instant, sleep, timeout};

use crate::handle::TaskHandle;

/// How soon a renewal that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Renews the lease of a task at a third of its time, until it is lost or dropped.
///
/// A renewal that fails is not a lost lease: the store may be away for a moment, and decides when the function
/// ends. What is lost for certain tells the function to stop: the store says so, or the last renewal that it accepted
/// was sent longer ago than a lease lasts, so that whatever is made cannot be recorded any more.
pub(crate) async fn keep(task: &TaskHandle, within: Duration) {
    let Some(token) = task.lease else { return };
    let pause = within / 3;
    let mut kept = Instant::now();
    let mut wait = pause;
    loop {
        sleep(wait).await;
        // A store that was away for a moment is asked again before the lease is over.
        wait = pause.min(AGAIN);
        let sent = Instant::now();
        let renewal = RenewLease::new(task.id().clone(), task.reference().scope(), token, within);
        fault::point("heartbeat");
        match timeout(pause, task.registry.renew_lease(renewal)).await {
            Ok(Ok(())) => (kept, wait) = (sent, pause),
            Ok(Err(
                error @ (RegistryError::LeaseLost(_)
                | RegistryError::AlreadyEnded(_)
                | RegistryError::UnknownTask(_)),
            )) => {
                tracing::warn!(task_id = %task.id(), %error, "the hold on a task is lost");
                return task.end();
            }
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(task_id = %task.id(), error, "the hold on a task was not renewed");
            }
            Err(_) => tracing::warn!(task_id = %task.id(), "the store is slow to renew the hold on a task"),
        }
        // One more pause for the time that the last renewal was under way.
        if kept.elapsed() >= within + pause {
            tracing::warn!(task_id = %task.id(), "the hold on a task was not renewed in time");
            return task.end();
        }
    }
}
