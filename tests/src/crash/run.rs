//! One run: start, trade, break, come to rest, look.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adcp_core::{Registry, Resolution, ResolveCall, TenantId};
use anyhow::Context;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::buyer::{Buyer, Market};
use super::check::{self, DeliveryLimits, Limits, Violation};
use super::desk;
use super::driver::{Driver, points};
use super::history::{History, Resolved, RunLine};
use super::plan::{POINTS, Pace, Schedule};
use super::receiver::Receivers;
use super::recorder::Recorder;
use super::replica::{Recipe, Replica};
use super::server::Server;
use super::store::Store;

/// How often the tables are looked at while everything moves.
const LOOK: Duration = Duration::from_millis(1500);

/// What a run is made of.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) seed: u64,
    pub(crate) adcp: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) store: Store,
    pub(crate) server: Option<Arc<Server>>,
    pub(crate) pace: Pace,
    pub(crate) replicas: usize,
    pub(crate) buyers: usize,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) history: History,
    pub(crate) violations: Vec<Violation>,
    /// The points at which a process ended, as often as one did.
    pub(crate) ended: Vec<String>,
    pub(crate) snapshots: usize,
    pub(crate) took: Duration,
}

impl Run {
    pub(crate) fn schedule(&self) -> Schedule {
        let database = self.server.is_some();
        match self.pace {
            Pace::Fast => Schedule::of_points(self.seed, self.replicas, database),
            Pace::Default => Schedule::at_default_pace(self.seed, self.replicas, database),
        }
    }

    /// Runs to the end. An error means that the run could not be made, not that a promise was broken.
    pub(crate) async fn run(&self) -> anyhow::Result<Outcome> {
        let begun = Instant::now();
        std::fs::create_dir_all(&self.folder)?;
        let recorder = Arc::new(Recorder::new(&self.folder)?);
        self.migrate().await?;
        let receivers =
            Receivers::open(self.buyers, &self.folder, Arc::clone(&recorder), self.seed, self.pace).await?;
        let mut replicas = (0..self.replicas)
            .map(|number| Replica::new(number, self.recipe(&recorder)))
            .collect::<anyhow::Result<Vec<_>>>()?;
        for replica in &mut replicas {
            replica.start(None).await?;
        }
        let registry = self.store.open().await?;
        let market = Arc::new(Market {
            urls: replicas.iter().map(Replica::url).collect(),
            receivers: receivers.urls.clone(),
            recorder: Arc::clone(&recorder),
            run: self.name.clone(),
            seed: self.seed,
            closed: AtomicBool::new(false),
        });
        let mut beside = JoinSet::new();
        let queue = self.folder.join("queue.log");
        beside.spawn(desk::work(queue, Arc::clone(&registry), Arc::clone(&recorder)));
        let seen = Arc::new(Mutex::new(Seen::default()));
        beside.spawn(look(self.store.clone(), Arc::clone(&seen), Arc::clone(&recorder)));
        let mut trading = JoinSet::new();
        for number in 0..self.buyers {
            trading.spawn(Buyer::new(number, Arc::clone(&market)).trade());
        }

        let driver = Driver {
            recorder: Arc::clone(&recorder),
            store: self.store.clone(),
            server: self.server.clone(),
        };
        driver.follow(&self.schedule(), &mut replicas).await?;
        if self.pace == Pace::Default {
            driver.final_blow(&mut replicas).await?;
        }

        market.closed.store(true, Ordering::SeqCst);
        let rest = Instant::now();
        let mut buyers = all(trading).await?;
        buyers = settle(buyers, self.pace.within() + Duration::from_secs(5)).await?;
        self.come_to_rest(rest).await?;
        self.resolve(&*registry, &recorder).await?;
        buyers = settle(buyers, Duration::from_secs(15)).await?;
        let mut looking = JoinSet::new();
        for mut buyer in buyers {
            looking.spawn(async move {
                buyer.look_back().await;
                buyer
            });
        }
        all(looking).await?;
        self.come_to_rest(Instant::now()).await?;
        for replica in &mut replicas {
            replica.stop().await?;
        }
        drop(beside);

        let mut history = recorder.history();
        history.tables = self.store.tables().await?;
        history.runs = journal(&self.folder)?;
        let (ended, passed) = points(&self.folder);
        history.ended = ended;
        let within = self.pace.limits();
        let mut violations = check::check(&history, within);
        let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
        violations.extend(seen.violations);
        for name in passed.iter().filter(|name| !POINTS.contains(&name.as_str())) {
            violations.push(Violation::new("suite", name, "is a point that the suite does not know"));
        }
        let ended = history.ended.iter().map(|ended| ended.point.clone()).collect();
        Ok(Outcome { history, violations, ended, snapshots: seen.snapshots, took: begun.elapsed() })
    }

    fn recipe(&self, recorder: &Arc<Recorder>) -> Recipe {
        let (adcp, folder) = (self.adcp.clone(), self.folder.clone());
        Recipe { adcp, folder, store: self.store.clone(), pace: self.pace, recorder: Arc::clone(recorder) }
    }

    async fn migrate(&self) -> anyhow::Result<()> {
        let mut command = tokio::process::Command::new(&self.adcp);
        command.args(["migrate", "--registry", &self.store.argument()]);
        let done = command.output().await.with_context(|| format!("cannot run {}", self.adcp.display()))?;
        anyhow::ensure!(done.status.success(), "adcp migrate: {}", String::from_utf8_lossy(&done.stderr));
        Ok(())
    }

    /// Waits until no task is open whose buyer knows of it, and no webhook is under way, or until it would be too late.
    async fn come_to_rest(&self, since: Instant) -> anyhow::Result<()> {
        let late = self.pace.within() + Duration::from_secs(5);
        let (slack, each) = self.pace.delivery_slack();
        let late_webhook = late.max(self.pace.delivery_lease() + slack + each * 2);
        loop {
            let tables = self.store.tables().await?;
            let open = tables
                .tasks
                .iter()
                .any(|task| !task.has_ended() && (task.open_to_buyer || self.pace == Pace::Fast));
            let under_way = tables.events.iter().any(|event| !event.is_settled());
            let waits = (open && since.elapsed() <= late) || (under_way && since.elapsed() <= late_webhook);
            if !waits {
                return Ok(());
            }
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// Does what an operator does with keys whose outcome nobody knows: looks into the seller's journal.
    async fn resolve(&self, registry: &dyn Registry, recorder: &Recorder) -> anyhow::Result<()> {
        let runs = journal(&self.folder)?;
        for call in registry.unresolved_calls(&TenantId::single(), 10_000).await? {
            let key = call.key.key.clone();
            let acted = |run: &RunLine| {
                run.key == key
                    && !run.starts
                    && matches!(run.part.as_str(), "decide" | "enqueue")
                    && run.how.as_deref() == Some("done")
            };
            let released = !runs.iter().any(acted);
            let resolution = if released { Resolution::Released } else { Resolution::Succeeded };
            registry.resolve_call(ResolveCall::new(call.key, resolution)).await?;
            recorder.resolved(Resolved { at: recorder.now(), key, released });
        }
        Ok(())
    }
}

impl Pace {
    /// The bounds that the rules know.
    pub(crate) fn limits(self) -> Limits {
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let hidden = match self {
            Self::Fast => self.within(),
            // A task that was being enqueued is nobody's for a minute, and its buyer was told of none.
            Self::Default => self.within() + Duration::from_secs(30),
        };
        let (slack, each) = self.delivery_slack();
        let delivery = DeliveryLimits {
            lease: micros(self.delivery_lease()),
            slack: micros(slack),
            each: micros(each),
            attempts: self.delivery_attempts(),
        };
        Limits {
            within: micros(self.within()),
            hidden: micros(hidden),
            lease: micros(self.lease()),
            delivery,
        }
    }
}

/// What the snapshots showed.
#[derive(Debug, Default)]
struct Seen {
    violations: Vec<Violation>,
    known: BTreeSet<(String, String)>,
    snapshots: usize,
}

/// Takes snapshots while everything moves. A store that is away shows nothing.
async fn look(store: Store, seen: Arc<Mutex<Seen>>, recorder: Arc<Recorder>) {
    loop {
        sleep(LOOK).await;
        let tables = match store.tables().await {
            Ok(tables) => tables,
            Err(error) => {
                recorder.note(&format!("no snapshot: {error:#}"));
                continue;
            }
        };
        let found = check::snapshot(&tables);
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.snapshots += 1;
        for violation in found {
            if seen.known.insert((violation.subject.clone(), violation.words.clone())) {
                recorder.note(&format!("a snapshot shows: {violation:?}"));
                seen.violations.push(violation);
            }
        }
    }
}

async fn settle(buyers: Vec<Buyer>, time: Duration) -> anyhow::Result<Vec<Buyer>> {
    let mut settling = JoinSet::new();
    for mut buyer in buyers {
        settling.spawn(async move {
            buyer.settle(time).await;
            buyer
        });
    }
    all(settling).await
}

async fn all<T: 'static>(mut tasks: JoinSet<T>) -> anyhow::Result<Vec<T>> {
    let mut done = Vec::new();
    while let Some(next) = tasks.join_next().await {
        done.push(next.context("a part of the suite panicked")?);
    }
    Ok(done)
}

fn journal(folder: &Path) -> anyhow::Result<Vec<RunLine>> {
    let path = folder.join("runs.log");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(path)?;
    Ok(text.lines().filter_map(RunLine::parse).collect())
}
