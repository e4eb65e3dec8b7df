//! Claims jobs and does them, beside the calls of an agent.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use adcp_core::{
    AdcpError, Background, ClaimJobs, LeaseToken, Registry, RegistryError, ReleaseJob, TaskRecord, TaskRef,
    fault, random_bytes,
};
use adcp_types::{Recovery, tools};
use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::background::Tasks;
use crate::end::retrying;
use crate::generated::routes;
use crate::handle::TaskHandle;
use crate::hook::Made;
use crate::job::{JobHandle, Jobs};
use crate::run::{Judge, Running, Stopped};

/// How an agent works on jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Jobs that run at once.
    pub(crate) slots: usize,
    /// How often the store is asked when nobody says that there is something.
    pub(crate) poll: Duration,
    /// The wait after the first attempt; each later one is twice as long.
    pub(crate) first_wait: Duration,
    /// The longest wait.
    pub(crate) longest_wait: Duration,
}

/// The companion that does an agent's jobs. Every replica has one.
#[derive(Debug)]
pub(crate) struct Worker {
    crew: Crew,
    /// Set when the agent is drained, or dropped without.
    stop: CancellationToken,
    running: Mutex<Option<JoinHandle<()>>>,
}

/// What the claiming and the running of jobs have in common. It holds no agent: one that is dropped ends it.
#[derive(Debug, Clone)]
struct Crew {
    jobs: Jobs,
    background: Tasks,
    lease: Duration,
    pace: Pace,
}

impl Worker {
    pub(crate) fn new(jobs: Jobs, background: Tasks, lease: Duration, pace: Pace) -> Self {
        let crew = Crew { jobs, background, lease, pace };
        Self { crew, stop: CancellationToken::new(), running: Mutex::default() }
    }
}

#[async_trait]
impl Background for Worker {
    fn start(&self, registry: Arc<dyn Registry>) {
        let working = self.crew.clone().work(Arc::downgrade(&registry), self.stop.clone());
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(tokio::spawn(working));
    }

    /// The jobs themselves are waited for, and given up, with the functions of the agent.
    async fn drain(&self, within: Duration) {
        self.stop.cancel();
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            let _ = tokio::time::timeout(within, running).await;
        }
    }

    fn is_healthy(&self) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().is_none_or(|running| !running.is_finished())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Crew {
    /// Claims as many jobs as there is room for, again and again.
    async fn work(self, registry: Weak<dyn Registry>, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(self.pace.slots.min(Semaphore::MAX_PERMITS)));
        let stopping = self.background.stop();
        loop {
            let free = tokio::select! {
                () = stop.cancelled() => return,
                () = stopping.cancelled() => return,
                free = room(&slots) => free,
            };
            let wanted = free.len();
            let Some(registry) = registry.upgrade() else { return };
            let claimed = self.claim(&registry, free).await;
            drop(registry);
            if claimed == wanted {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = stopping.cancelled() => return,
                () = self.jobs.woken() => {}
                () = tokio::time::sleep(self.pace.poll) => {}
            }
        }
    }

    /// Claims jobs and begins them, each in one of the free places; says how many.
    async fn claim(&self, registry: &Arc<dyn Registry>, mut free: Vec<OwnedSemaphorePermit>) -> usize {
        // A shutdown that begins meanwhile waits until what was claimed is under way, and then ends it.
        let Some(open) = self.background.open() else { return 0 };
        let asked = Instant::now();
        let req = ClaimJobs::new(self.jobs.kinds(), free.len(), self.lease);
        let claimed = match registry.claim_jobs(req).await {
            Ok(claimed) => claimed,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "looking for jobs failed");
                return 0;
            }
        };
        let count = claimed.len();
        if count > 0 {
            fault::point("job-claimed");
        }
        if asked.elapsed() > self.lease - self.lease / 3 {
            // The leases may be over before the first renewal: then the jobs are somebody else's, or soon will be.
            tracing::warn!(jobs = count, "the store took so long to give out jobs that they are given back");
            for task in &claimed {
                if let Some(attempt) = Attempt::of(task) {
                    self.give_up(registry, &attempt, Again::at_once()).await;
                }
            }
            return 0;
        }
        for task in claimed {
            let (crew, registry, place) = (self.clone(), Arc::clone(registry), free.pop());
            self.background.run(async move {
                crew.run(registry, task).await;
                drop(place);
            });
        }
        drop(open);
        count
    }

    /// Does one job that was claimed.
    async fn run(self, registry: Arc<dyn Registry>, task: TaskRecord) {
        let (Some(job), Some(attempt)) = (&task.job, Attempt::of(&task)) else { return };
        // By the store's clock, on which the attempt began.
        let left = task.deadline.zip(job.claimed_at).map(|(at, begun)| at.since(begun));
        let Some(spec) = tools::find(&task.tool) else {
            tracing::error!(task_id = %task.id, tool = task.tool, "a job belongs to a tool that this version has not");
            return self.give_up(&registry, &attempt, Again::after(self.wait(&attempt, None))).await;
        };
        tracing::info!(task_id = %task.id, kind = attempt.kind, attempt = attempt.number, "a job begins");
        let (stop, ended) = (self.background.stop(), CancellationToken::new());
        let listening = self.background.signals().listen(task.id.clone(), [ended.clone(), stop.clone()]);
        let handle = TaskHandle {
            registry: Arc::clone(&registry),
            task: attempt.task.clone(),
            lease: Some(attempt.token),
            stop,
            ended,
        };
        let running = Running {
            judge: Judge {
                spec,
                hook: routes::hook(spec.name),
                effects: task.effects.clone(),
                request: None,
            },
            task: handle,
            listening,
            forced: self.background.forced(),
            lease: self.lease,
        };
        let begun = self.jobs.handler(&job.kind).cloned().zip(job.input.clone());
        let made = match begun {
            Some((handler, input)) => {
                let (number, of) = (attempt.number, attempt.of);
                running.make(move |task| handler.run(JobHandle::new(task, number, of), input), left).await
            }
            None => {
                let (task_id, kind) = (&task.id, &attempt.kind);
                tracing::error!(%task_id, kind, "the input of a job cannot be read: is the key that sealed it there?");
                Err(Stopped::Error(AdcpError::unavailable()))
            }
        };
        if running.task.has_ended() {
            // Somebody else ended the task, or works on it now: there is nothing to write.
            return tracing::info!(task_id = %task.id, kind = attempt.kind, "a job was taken away");
        }
        match self.next(&attempt, made) {
            Next::End(made) => {
                fault::point("job-before-finish");
                drop(running.end(*made).await);
            }
            Next::Again(again) => self.give_up(&registry, &attempt, again).await,
        }
    }

    /// Gives up the hold on a job. When that fails, others wait until it runs out.
    async fn give_up(&self, registry: &Arc<dyn Registry>, attempt: &Attempt, again: Again) {
        let Attempt { task, token, kind, .. } = attempt;
        let mut release = ReleaseJob::new(task.id.clone(), task.scope(), *token).again_in(again.wait);
        if again.uncounted {
            release = release.uncounted();
        }
        fault::point("before-job-release");
        match retrying(|| registry.release_job(release.clone())).await {
            Ok(()) => {
                fault::point("after-job-release");
                let wait = again.wait.as_secs_f64();
                tracing::info!(task_id = %task.id, kind, attempt = attempt.number, wait, "a job will be tried again");
            }
            Err(error @ (RegistryError::LeaseLost(_) | RegistryError::AlreadyEnded(_))) => {
                tracing::info!(task_id = %task.id, kind, %error, "a job was taken away");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(task_id = %task.id, kind, error, "a job was not given up; its lease runs out");
            }
        }
    }

    /// What follows an attempt.
    fn next(&self, attempt: &Attempt, made: Result<Made, Stopped>) -> Next {
        let stopped = match made {
            Ok(made) => return Next::End(Box::new(Ok(made))),
            Err(stopped) => stopped,
        };
        // Whoever may run once only is not begun again, whatever cut it short.
        let stopping = self.background.is_stopping() && attempt.of > 1;
        let again = match &stopped {
            Stopped::ShutDown if stopping => Some(Again::at_once()),
            Stopped::Error(error) if error.recovery() == Recovery::Transient => {
                let again = Again::after(self.wait(attempt, error.retry_after()));
                if stopping { Some(Again::at_once()) } else { Some(again).filter(|_| !attempt.is_last()) }
            }
            Stopped::Panicked(_) if !attempt.is_last() => Some(Again::after(self.wait(attempt, None))),
            _ => None,
        };
        match again {
            Some(again) => Next::Again(again),
            None => Next::End(Box::new(Err(stopped.error()))),
        }
    }

    /// How long the next attempt waits; without randomness, the longest it could be.
    fn wait(&self, attempt: &Attempt, asked: Option<Duration>) -> Duration {
        let drawn = random_bytes::<1>().map_or(u8::MAX, |[byte]| byte);
        self.pace.wait(attempt.number, asked, drawn)
    }
}

impl Pace {
    /// The wait after attempt `number`, from 1: twice as long each time, and between the half and the whole of that, so
    /// that jobs which failed together do not come back together. Never shorter than what the error asks for.
    fn wait(&self, number: u32, asked: Option<Duration>, drawn: u8) -> Duration {
        let doublings = number.saturating_sub(1).min(31);
        let whole = self.first_wait.saturating_mul(1 << doublings).min(self.longest_wait);
        let half = whole / 2;
        (half + (whole - half).mul_f64(f64::from(drawn) / 255.0)).max(asked.unwrap_or_default())
    }
}

/// One attempt at a job, by whoever claimed it.
struct Attempt {
    task: TaskRef,
    kind: String,
    token: LeaseToken,
    number: u32,
    of: u32,
}

impl Attempt {
    /// The attempt that a claimed task is in.
    fn of(task: &TaskRecord) -> Option<Self> {
        let (job, lease) = (task.job.as_ref()?, task.lease?);
        Some(Self {
            task: task.reference(),
            kind: job.kind.clone(),
            token: lease.token,
            number: job.attempts,
            of: job.max_attempts,
        })
    }

    const fn is_last(&self) -> bool {
        self.number >= self.of
    }
}

/// What follows an attempt.
enum Next {
    /// The task ends.
    End(Box<Result<Made, AdcpError>>),
    /// Somebody tries again.
    Again(Again),
}

/// When somebody tries again, and whether this attempt counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Again {
    wait: Duration,
    uncounted: bool,
}

impl Again {
    const fn after(wait: Duration) -> Self {
        Self { wait, uncounted: false }
    }

    const fn at_once() -> Self {
        Self { wait: Duration::ZERO, uncounted: true }
    }
}

/// Every place that is free, once there is one.
async fn room(slots: &Arc<Semaphore>) -> Vec<OwnedSemaphorePermit> {
    let Ok(first) = Arc::clone(slots).acquire_owned().await else { return std::future::pending().await };
    let others = std::iter::from_fn(|| Arc::clone(slots).try_acquire_owned().ok());
    std::iter::once(first).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_spread() {
        let seconds = Duration::from_secs;
        let pace = Pace { slots: 1, poll: seconds(5), first_wait: seconds(4), longest_wait: seconds(60) };
        let cases = [
            (1, None, 0, 2),
            (1, None, 255, 4),
            (2, None, 255, 8),
            (4, None, 0, 16),
            (5, None, 255, 60),
            (4_000_000_000, None, 255, 60),
            (1, Some(seconds(90)), 255, 90),
        ];
        for (number, asked, drawn, want) in cases {
            assert_eq!(pace.wait(number, asked, drawn), seconds(want), "{number} {asked:?} {drawn}");
        }
    }
}
