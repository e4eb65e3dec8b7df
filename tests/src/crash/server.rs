//! The Postgres of a run, and everything that is done to it.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Context;
use deadpool_postgres::tokio_postgres::{self, Client, NoTls};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use xtask::postgres::Cluster;

/// More than the replicas' pools and the suite need, few enough to be used up.
const CONNECTIONS: u16 = 60;

/// A server of our own in a thread of its own: it ends with the thread that started it.
#[derive(Debug)]
pub(crate) struct Server {
    url: String,
    pub(crate) version: String,
    restarts: Option<mpsc::Sender<oneshot::Sender<anyhow::Result<()>>>>,
    keeper: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts one; an error says why there can be none.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let (restarts, asked) = mpsc::channel::<oneshot::Sender<anyhow::Result<()>>>();
        let (tell, told) = mpsc::channel();
        let keeper = thread::spawn(move || {
            let mut cluster = match Cluster::own(CONNECTIONS) {
                Ok(cluster) => cluster,
                Err(error) => return drop(tell.send(Err(error))),
            };
            let _ = tell.send(Ok((cluster.url.clone(), cluster.version.clone())));
            while let Ok(done) = asked.recv() {
                let _ = done.send(cluster.crash());
            }
        });
        let (url, version) = told.recv().context("the keeper of the server is gone")??;
        Ok(Self { url, version, restarts: Some(restarts), keeper: Some(keeper) })
    }

    /// Makes an empty database; its address.
    pub(crate) async fn database(&self, name: &str) -> anyhow::Result<String> {
        let client = connect(&self.url).await?;
        client.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        Ok(self.url.replace("/postgres?", &format!("/{name}?")))
    }

    /// `pg_ctl -m immediate`, and up again.
    pub(crate) async fn crash(&self) -> anyhow::Result<()> {
        let (done, wait) = oneshot::channel();
        let restarts = self.restarts.as_ref().context("the server has ended")?;
        restarts.send(done).ok().context("the keeper of the server is gone")?;
        wait.await.context("the keeper of the server is gone")?
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.restarts.take());
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.join();
        }
    }
}

/// Cuts every other connection to the database.
pub(crate) async fn cut(url: &str) -> anyhow::Result<()> {
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    connect(url).await?.batch_execute(others).await?;
    Ok(())
}

/// Holds every connection that there is for so long, after taking them from the others; how many it held.
pub(crate) async fn exhaust(url: &str, time: Duration) -> anyhow::Result<usize> {
    let begun = Instant::now();
    cut(url).await?;
    let mut held = Vec::new();
    while begun.elapsed() < time {
        match connect(url).await {
            Ok(client) => held.push(client),
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
    Ok(held.len())
}

/// Locks the tasks for so long, so that whoever wants one waits with a connection in hand.
pub(crate) async fn lock(url: &str, time: Duration) -> anyhow::Result<()> {
    let client = connect(url).await?;
    client.batch_execute("BEGIN; LOCK TABLE adcp.tasks IN ACCESS EXCLUSIVE MODE").await?;
    sleep(time).await;
    client.batch_execute("ROLLBACK").await?;
    Ok(())
}

/// A connection that is closed when it is dropped.
async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
