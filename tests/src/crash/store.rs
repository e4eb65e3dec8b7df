//! Where the replicas keep their tasks, as the suite reaches it: for its desk, its operator and its snapshots.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use adcp_core::stored::KeyRing;
use adcp_core::{Clock, Registry, SystemClock};
use adcp_registry_postgres::{PostgresConfig, PostgresRegistry};
use adcp_registry_sqlite::{SqliteConfig, SqliteRegistry};
use anyhow::Context;
use deadpool_postgres::tokio_postgres::{self, NoTls};

use super::tables::{self, AttemptRow, CallRow, EventRow, ProposalRow, Tables, TaskRow};

/// With what the credentials of callbacks are sealed, as a replica is told and as the suite opens them.
pub(crate) const SEAL_KEY: &str = "suite:0707070707070707070707070707070707070707070707070707070707070707";
const SEAL_KEY_BYTES: [u8; 32] = [7; 32];

/// One registry.
#[derive(Debug, Clone)]
pub(crate) enum Store {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Store {
    /// What `--registry` is given.
    pub(crate) fn argument(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(url) => url.clone(),
        }
    }

    /// Opens it beside the replicas.
    pub(crate) async fn open(&self) -> anyhow::Result<Arc<dyn Registry>> {
        let sealer = Arc::new(KeyRing::new("suite", SEAL_KEY_BYTES)?);
        Ok(match self {
            Self::Sqlite(path) => {
                Arc::new(SqliteRegistry::open(SqliteConfig::new(path).with_sealer(sealer))?)
            }
            Self::Postgres(url) => {
                let config = PostgresConfig::new(url).with_pool_size(3).with_sealer(sealer);
                Arc::new(PostgresRegistry::connect(config).await?)
            }
        })
    }

    /// Everything that is in it now.
    pub(crate) async fn tables(&self) -> anyhow::Result<Tables> {
        let mut tables = match self {
            Self::Sqlite(path) => {
                let path = path.clone();
                tokio::task::spawn_blocking(move || sqlite(&path)).await??
            }
            Self::Postgres(url) => postgres(url).await?,
        };
        tables.at = SystemClock::new().now().as_micros();
        Ok(tables)
    }
}

fn sqlite(path: &Path) -> anyhow::Result<Tables> {
    let mut connection = rusqlite::Connection::open(path).context("cannot open the file")?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    let snapshot = connection.transaction()?;
    let text = |statement: &str| statement.replace("{s}", "");
    let tasks = snapshot
        .prepare(&text(tables::TASKS))?
        .query_map([], |row| {
            let phase: String = row.get(1)?;
            let task = TaskRow {
                id: row.get(0)?,
                open_to_buyer: phase == "open",
                status: row.get(2)?,
                created_at: row.get(3)?,
                ended_at: row.get(4)?,
                due_at: row.get(5)?,
                has_webhook: row.get(6)?,
                tool: row.get(10)?,
                ..TaskRow::default()
            };
            let (context, outcome): (Option<String>, Option<String>) = (row.get(7)?, row.get(8)?);
            let effects: String = row.get(9)?;
            Ok(task.with_texts(context.as_deref(), outcome.as_deref(), &effects))
        })?
        .collect::<Result<_, _>>()?;
    let events = snapshot
        .prepare(&text(tables::EVENTS))?
        .query_map([], |row| {
            let (task, status, key) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let (url, state, reason) = (row.get(3)?, row.get(4)?, row.get(5)?);
            let (claims, queued_at, settled_at) = (row.get(6)?, row.get(7)?, row.get(8)?);
            Ok(EventRow { task, status, key, url, state, reason, claims, queued_at, settled_at })
        })?
        .collect::<Result<_, _>>()?;
    let attempts = snapshot
        .prepare(&text(tables::ATTEMPTS))?
        .query_map([], |row| Ok(AttemptRow { key: row.get(0)?, class: row.get(1)?, detail: row.get(2)? }))?
        .collect::<Result<_, _>>()?;
    let proposals = snapshot
        .prepare(&text(tables::PROPOSALS))?
        .query_map([], |row| {
            let (id, state) = (row.get(0)?, row.get(1)?);
            Ok(ProposalRow { id, state, media_buy: row.get(2)?, held_until: row.get(3)? })
        })?
        .collect::<Result<_, _>>()?;
    let calls = snapshot
        .prepare(&text(tables::CALLS))?
        .query_map([], |row| Ok(CallRow { key: row.get(0)?, state: row.get(1)? }))?
        .collect::<Result<_, _>>()?;
    Ok(Tables { at: 0, tasks, events, proposals, calls, attempts })
}

async fn postgres(url: &str) -> anyhow::Result<Tables> {
    let (mut client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let running = tokio::spawn(connection);
    let snapshot = client
        .build_transaction()
        .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    let text = |statement: &str| statement.replace("{s}", "adcp.");
    let mut tables = Tables::default();
    for row in snapshot.query(&text(tables::TASKS), &[]).await? {
        let phase: String = row.get(1);
        let task = TaskRow {
            id: row.get(0),
            open_to_buyer: phase == "open",
            status: row.get(2),
            created_at: row.get(3),
            ended_at: row.get(4),
            due_at: row.get(5),
            has_webhook: row.get(6),
            tool: row.get(10),
            ..TaskRow::default()
        };
        tables.tasks.push(task.with_texts(row.get(7), row.get(8), row.get(9)));
    }
    for row in snapshot.query(&text(tables::EVENTS), &[]).await? {
        let (task, status, key) = (row.get(0), row.get(1), row.get(2));
        let (url, state, reason) = (row.get(3), row.get(4), row.get(5));
        let (claims, queued_at, settled_at) = (row.get(6), row.get(7), row.get(8));
        tables.events.push(EventRow { task, status, key, url, state, reason, claims, queued_at, settled_at });
    }
    for row in snapshot.query(&text(tables::ATTEMPTS), &[]).await? {
        tables.attempts.push(AttemptRow { key: row.get(0), class: row.get(1), detail: row.get(2) });
    }
    for row in snapshot.query(&text(tables::PROPOSALS), &[]).await? {
        let (id, state) = (row.get(0), row.get(1));
        tables.proposals.push(ProposalRow { id, state, media_buy: row.get(2), held_until: row.get(3) });
    }
    for row in snapshot.query(&text(tables::CALLS), &[]).await? {
        tables.calls.push(CallRow { key: row.get(0), state: row.get(1) });
    }
    snapshot.commit().await?;
    drop(client);
    let _ = running.await;
    Ok(tables)
}
