//! Breaks things by the schedule, and says when.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::{sleep, sleep_until};

use super::history::Ended;
use super::plan::{Fault, Outage, Schedule};
use super::recorder::Recorder;
use super::replica::Replica;
use super::server::{self, Server};
use super::store::Store;

/// How long a point may take to be reached; some wait for a lease to run out first.
const REACHED: Duration = Duration::from_secs(6);

/// How often a point that was not reached gets another turn.
const TURNS: usize = 8;

/// What a run can be broken by.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) store: Store,
    pub(crate) server: Option<Arc<Server>>,
}

impl Driver {
    /// Follows a schedule to its end. All replicas run afterwards, and so does the database.
    pub(crate) async fn follow(&self, schedule: &Schedule, replicas: &mut [Replica]) -> anyhow::Result<()> {
        let lanes = replicas.iter_mut().zip(&schedule.lanes).map(|(replica, lane)| self.lane(replica, lane));
        let (lanes, outages) = tokio::join!(try_join_all(lanes), self.outages(&schedule.outages));
        lanes?;
        outages
    }

    /// Everything at once: every process is killed, and the database goes down with them.
    pub(crate) async fn final_blow(&self, replicas: &mut [Replica]) -> anyhow::Result<()> {
        for replica in replicas.iter_mut() {
            replica.kill().await?;
        }
        if let Some(server) = &self.server {
            let from = self.recorder.now();
            server.crash().await?;
            self.recorder.outage(from, "the database restarted");
        }
        self.recorder.crash("everything at once");
        for replica in replicas {
            replica.start(None).await?;
        }
        Ok(())
    }

    async fn lane(&self, replica: &mut Replica, faults: &[Fault]) -> anyhow::Result<()> {
        let mut left: Vec<(Fault, usize)> = faults.iter().rev().map(|fault| (fault.clone(), 0)).collect();
        while let Some((fault, turns)) = left.pop() {
            let number = replica.number;
            replica.kill().await?;
            match &fault {
                Fault::Kill { after } => {
                    replica.start(None).await?;
                    sleep(Duration::from_millis(*after)).await;
                    replica.kill().await?;
                    self.recorder.crash(format!("replica {number} is killed"));
                }
                Fault::Stop { after } => {
                    replica.start(None).await?;
                    sleep(Duration::from_millis(*after)).await;
                    replica.stop().await?;
                    self.recorder.stopped(number);
                }
                Fault::Freeze { after, time } => {
                    replica.start(None).await?;
                    sleep(Duration::from_millis(*after)).await;
                    replica.freeze(Duration::from_millis(*time)).await?;
                    self.recorder.crash(format!("replica {number} stood still for {time} ms"));
                    // What it was about to write is written, or refused, before it goes.
                    sleep(Duration::from_secs(1)).await;
                }
                Fault::Point { name, hit } => {
                    // Another turn asks for the first time the point is reached.
                    let hit = if turns == 0 { *hit } else { 1 };
                    replica.start(Some(&format!("{name}:{hit}"))).await?;
                    if replica.ends_within(REACHED).await? {
                        self.recorder.crash(format!("replica {number} ended at {name}"));
                    } else {
                        replica.kill().await?;
                        self.recorder.crash(format!("replica {number} is killed before {name}"));
                        if turns < TURNS {
                            left.insert(0, (fault, turns + 1));
                        }
                    }
                }
            }
        }
        replica.kill().await?;
        replica.start(None).await
    }

    async fn outages(&self, outages: &[(u64, Outage)]) -> anyhow::Result<()> {
        let (Some(server), Store::Postgres(url)) = (&self.server, &self.store) else { return Ok(()) };
        let begun = tokio::time::Instant::now();
        for (at, outage) in outages {
            sleep_until(begun + Duration::from_millis(*at)).await;
            let from = self.recorder.now();
            let done = match outage {
                Outage::Restart => server.crash().await.map(|()| "the database restarted".to_owned()),
                Outage::Cut => server::cut(url).await.map(|()| "all connections were cut".to_owned()),
                Outage::Exhaust(millis) => server::exhaust(url, Duration::from_millis(*millis))
                    .await
                    .map(|held| format!("{held} connections were held for {millis} ms")),
                Outage::Lock(millis) => server::lock(url, Duration::from_millis(*millis))
                    .await
                    .map(|()| format!("the tasks were locked for {millis} ms")),
            };
            match (done, outage) {
                (Ok(words), _) => self.recorder.outage(from, words),
                (Err(error), Outage::Restart) => return Err(error),
                (Err(error), _) => self.recorder.outage(from, format!("{outage:?} was cut short: {error}")),
            }
        }
        Ok(())
    }
}

/// The points at which processes ended in a run, and those that they passed.
pub(crate) fn points(folder: &Path) -> (Vec<Ended>, Vec<String>) {
    let text = std::fs::read_to_string(folder.join("faults.log")).unwrap_or_default();
    let ended = text.lines().filter_map(Ended::parse).collect();
    let mut passed: Vec<String> =
        text.lines().filter_map(|line| line.strip_prefix("reached ")).map(str::to_owned).collect();
    passed.sort_unstable();
    passed.dedup();
    (ended, passed)
}
