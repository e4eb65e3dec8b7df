//! A handler of jobs that each test writes itself, and a store for several agents.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{
    AdcpError, Clock, ListTasks, ManualClock, Outcome, Scope, TaskRecord, TaskRegistry as _, TenantId,
    Timestamp,
};
use adcp_decisioning::{Agent, AgentBuilder, JobHandle, JobHandler};
use adcp_registry_memory::MemoryRegistry;
use adcp_types::media_buy::CreateMediaBuySuccess;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use crate::scripted::{Scripted, building};

pub(crate) type Made = Result<CreateMediaBuySuccess, AdcpError>;
type Run = dyn Fn(JobHandle, Order) -> BoxFuture<'static, Made> + Send + Sync;

#[derive(Debug, Serialize, Deserialize, PartialEq)]
pub(crate) struct Order {
    pub(crate) number: u32,
}

/// A handler whose work each test writes itself.
#[derive(Clone)]
pub(crate) struct Review(Arc<Run>);

impl Review {
    pub(crate) fn new<F>(run: impl Fn(JobHandle, Order) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Made> + Send + 'static,
    {
        Self(Arc::new(move |job, order| run(job, order).boxed()))
    }

    /// One that never comes to an end, and says when it begins.
    pub(crate) fn stuck(begun: &Arc<Notify>) -> Self {
        let begun = Arc::clone(begun);
        Self::new(move |_, _| {
            begun.notify_one();
            std::future::pending()
        })
    }
}

impl JobHandler for Review {
    const KIND: &'static str = "review";
    type Input = Order;
    type Output = CreateMediaBuySuccess;

    async fn run(&self, job: JobHandle, order: Order) -> Made {
        (self.0)(job, order).await
    }
}

/// A seller that hands its orders off to [`Review`].
pub(crate) fn seller() -> Scripted {
    attempts(3)
}

pub(crate) fn attempts(max: u32) -> Scripted {
    Scripted::buying(move |ctx| {
        Ok(ctx.handoff_to_job::<Review>(Order { number: 7 }).with_max_attempts(max).into())
    })
}

/// One store for several agents, on a clock that stands still unless the test's time passes.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) registry: Arc<MemoryRegistry>,
    pub(crate) clock: Arc<ManualClock>,
}

impl Store {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_770_000_000_000_000)));
        let registry = MemoryRegistry::volatile().with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
        Self { registry: Arc::new(registry), clock }
    }

    /// Has the store's clock go with the paused one of this runtime.
    pub(crate) fn ticking(self) -> Self {
        let clock = Arc::clone(&self.clock);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                clock.advance(Duration::from_millis(100));
            }
        });
        self
    }

    pub(crate) fn building(&self, seller: &Scripted) -> AgentBuilder<Scripted> {
        building(seller, self.registry.clone())
    }

    /// An agent that does reviews.
    pub(crate) fn agent(&self, review: Review) -> Agent {
        self.building(&seller()).job(review).build().unwrap()
    }

    pub(crate) async fn tasks(&self) -> Vec<TaskRecord> {
        let list = ListTasks::new(Scope::Operator { tenant: TenantId::single() });
        self.registry.list(list).await.unwrap().tasks
    }

    /// The one task, once it is as wanted.
    pub(crate) async fn until(&self, done: impl Fn(&TaskRecord) -> bool) -> TaskRecord {
        loop {
            if let Some(task) = self.tasks().await.into_iter().find(&done) {
                return task;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(crate) async fn ended(&self) -> TaskRecord {
        self.until(|task| task.outcome.is_some()).await
    }
}

/// A process of its own, which can die in the middle of its work.
pub(crate) struct Process(Runtime);

impl Process {
    pub(crate) fn start() -> Self {
        Self(tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap())
    }

    /// Runs to a point at which it dies.
    pub(crate) fn die_after(self, work: impl Future<Output = ()>) {
        self.0.block_on(work);
        self.0.shutdown_background();
    }
}

/// The process that goes on. Its time passes when nothing else is to be done.
pub(crate) fn living(test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(test);
}

pub(crate) fn transient() -> AdcpError {
    AdcpError::unavailable()
}

pub(crate) fn failure(task: &TaskRecord) -> &AdcpError {
    match &task.outcome {
        Some(Outcome::Failed(error)) => error,
        other => panic!("expected a failure, got {other:?}"),
    }
}

pub(crate) fn attempts_of(task: &TaskRecord) -> u32 {
    task.job.as_ref().unwrap().attempts
}
