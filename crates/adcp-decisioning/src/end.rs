//! Ends tasks, also when the store is away for a moment.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::{
    AdcpError, Backing, FinishTask, Finished, LeaseToken, Outcome, Registry, RegistryError, Scope,
    TaskRecord, TaskRef,
};

use crate::handoff::Ended;

/// A write that must not be lost is tried so often.
const TRIES: u32 = 8;

/// The wait before the second try; each later one is twice as long, which makes six seconds in all.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// A result that was made is tried so often after that: for a minute in all, by when the hold on its task has run out.
const FURTHER_TRIES: u32 = 18;

/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Tries a write again for as long as a later try may help.
pub(crate) async fn retrying<T, Fut>(write: impl FnMut() -> Fut) -> Result<T, RegistryError>
where
    Fut: Future<Output = Result<T, RegistryError>>,
{
    let helps = |error: &RegistryError| {
        matches!(error, RegistryError::Unavailable { .. } | RegistryError::Full { .. })
    };
    again(TRIES, write, helps).await
}

/// As [`retrying`], for a buyer who waits: a store that is full will not be empty in a moment.
pub(crate) async fn retrying_while_away<T, Fut>(write: impl FnMut() -> Fut) -> Result<T, RegistryError>
where
    Fut: Future<Output = Result<T, RegistryError>>,
{
    again(TRIES, write, is_away).await
}

const fn is_away(error: &RegistryError) -> bool {
    matches!(error, RegistryError::Unavailable { .. })
}

async fn again<T, Fut>(
    tries: u32,
    mut write: impl FnMut() -> Fut,
    helps: impl Fn(&RegistryError) -> bool,
) -> Result<T, RegistryError>
where
    Fut: Future<Output = Result<T, RegistryError>>,
{
    let mut wait = FIRST_WAIT;
    for _ in 1..tries {
        match write().await {
            Err(error) if helps(&error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a write is tried again");
            }
            done => return done,
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
    write().await
}

/// Ends a task whose function runs here. What the store refuses as a good end becomes a bad one; a store that is away
/// refuses nothing.
pub(crate) async fn end(
    registry: &Arc<dyn Registry>,
    task: &TaskRef,
    lease: Option<LeaseToken>,
    outcome: Outcome,
    backing: Backing,
) -> Result<Outcome, Ended> {
    let done = match finish(registry, task, lease, &outcome, &backing).await {
        // Somebody waits for this result, and nobody can make it again.
        Err(error) if is_away(&error) => {
            again(FURTHER_TRIES, || write(registry, task, lease, &outcome, &backing), is_away).await
        }
        done => done,
    };
    let Err(error) = done else { return Ok(outcome) };
    let error = match (error, &outcome) {
        (RegistryError::AlreadyEnded(_) | RegistryError::LeaseLost(_), _) => {
            return Err(elsewhere(registry, task).await);
        }
        (error, Outcome::Completed(_))
            if !is_away(&error) && !matches!(error, RegistryError::UnknownTask(_)) =>
        {
            tracing::error!(
                task_id = %task.id,
                error = &error as &dyn std::error::Error,
                "a result could not be recorded; the task ends as failed"
            );
            let outcome = Outcome::Failed(AdcpError::from(error));
            match finish(registry, task, lease, &outcome, &Backing::default()).await {
                Ok(_) => return Ok(outcome),
                Err(RegistryError::AlreadyEnded(_) | RegistryError::LeaseLost(_)) => {
                    return Err(elsewhere(registry, task).await);
                }
                Err(error) => error,
            }
        }
        (error, _) => error,
    };
    tracing::error!(
        task_id = %task.id,
        error = &error as &dyn std::error::Error,
        "the end of a task was not recorded"
    );
    Err(Ended::Unrecorded(AdcpError::from(error)))
}

/// What somebody else made of a task.
pub(crate) async fn elsewhere(registry: &Arc<dyn Registry>, task: &TaskRef) -> Ended {
    Ended::Elsewhere(read(registry, task).await.ok().flatten().and_then(|record| record.outcome))
}

/// Reads a task in any phase, as the seller's own machinery may.
pub(crate) async fn read(
    registry: &Arc<dyn Registry>,
    task: &TaskRef,
) -> Result<Option<TaskRecord>, RegistryError> {
    let scope = Scope::Operator { tenant: task.owner.tenant.clone() };
    Ok(registry.get(&task.id, &scope).await?.filter(|record| record.owner == task.owner))
}

async fn finish(
    registry: &Arc<dyn Registry>,
    task: &TaskRef,
    lease: Option<LeaseToken>,
    outcome: &Outcome,
    backing: &Backing,
) -> Result<Finished, RegistryError> {
    retrying(|| write(registry, task, lease, outcome, backing)).await
}

async fn write(
    registry: &Arc<dyn Registry>,
    task: &TaskRef,
    lease: Option<LeaseToken>,
    outcome: &Outcome,
    backing: &Backing,
) -> Result<Finished, RegistryError> {
    let req = FinishTask::new(task.id.clone(), task.scope(), outcome.clone());
    registry.finish(req.with_backing(backing.clone()).under(lease)).await
}
