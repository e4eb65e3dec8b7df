//! What a job leaves in the file, and files from before there were jobs.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{
    AccountId, ClaimJobs, IssueTask, JobOrder, Owner, Principal, TaskId, TaskRegistry, TenantId, hex,
};
use adcp_registry_sqlite::{OpenError, SqliteConfig, SqliteRegistry};
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::fixture::Mirror;

const MINUTE: Duration = Duration::from_secs(60);

fn owner() -> Owner {
    Owner::new(TenantId::single(), Some(AccountId::new("acme")), Principal::new("agency"))
}

fn job(id: &str) -> IssueTask {
    let issue = IssueTask::new(TaskId::new(id), owner(), "create_media_buy", "create_media_buy", "media-buy");
    issue.as_job(JobOrder::new("review", "what the handler is given".into()))
}

fn claims() -> ClaimJobs {
    ClaimJobs::new(vec!["review".into()], 10, MINUTE)
}

#[tokio::test]
async fn an_input_is_sealed_where_there_is_a_key_and_nothing_hangs_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let sealing = SqliteRegistry::open(SqliteConfig::new(&path).with_sealer(Arc::new(Mirror))).unwrap();
    let issued = sealing.issue(job("task_1")).await.unwrap();
    let stored = || -> String {
        let file = Connection::open(&path).unwrap();
        file.query_row("SELECT group_concat(job_input) FROM tasks", [], |row| row.get(0)).unwrap()
    };
    assert!(!stored().contains("what the handler"), "{}", stored());

    // The key is gone: the job is claimed all the same, and its worker sees that there is no input.
    let keyless = SqliteRegistry::open(SqliteConfig::new(&path)).unwrap();
    keyless.issue(job("task_2")).await.unwrap();
    assert!(stored().contains("what the handler is given"), "without a key it is stored as it is");
    let claimed = keyless.claim_jobs(claims()).await.unwrap();
    let inputs: Vec<_> = claimed.into_iter().map(|task| task.job.unwrap().input).collect();
    assert_eq!(inputs, [None, issued.job.clone().unwrap().input]);
    let read = sealing.get(&TaskId::new("task_1"), &owner().scope()).await.unwrap().unwrap();
    assert_eq!(read.job.unwrap().input, issued.job.unwrap().input, "what was sealed is still there");
}

#[tokio::test]
async fn rows_that_do_not_decode_keep_nobody_from_working() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let registry = SqliteRegistry::open(SqliteConfig::new(&path)).unwrap();
    for number in 1..=40 {
        registry.issue(job(&format!("task_{number:02}"))).await.unwrap();
    }
    let broken = "UPDATE tasks SET effects = 'x' WHERE id <> 'task_40'";
    Connection::open(&path).unwrap().execute(broken, []).unwrap();
    let claimed = registry.claim_jobs(ClaimJobs::new(vec!["review".into()], 1, MINUTE)).await.unwrap();
    assert_eq!(claimed.iter().map(|task| task.id.as_str()).collect::<Vec<_>>(), ["task_40"]);
    assert!(registry.claim_jobs(claims()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_file_from_before_there_were_jobs_is_migrated_with_its_tasks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let first = include_str!("../../migrations/0001_first.sql");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(first).unwrap();
    old.execute_batch(
        "CREATE TABLE adcp_migrations (number INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT;
        INSERT INTO tasks (tenant, id, account, principal, tool, task_type, protocol, phase, status, created_at,
            updated_at, effects, has_webhook, history)
        VALUES ('default', 'task_0', '=acme', 'agency', 'get_products', 'get_products', 'media-buy', 'open',
            'submitted', 0, 0, '{}', 0, '[]')",
    )
    .unwrap();
    let tenant = TenantId::single();
    old.execute("UPDATE tasks SET tenant = ?1", [tenant.as_str()]).unwrap();
    let sum = hex(&Sha256::digest(first.as_bytes()));
    old.execute("INSERT INTO adcp_migrations VALUES (1, ?1)", [sum]).unwrap();
    drop(old);

    let refused = SqliteRegistry::open(SqliteConfig::new(&path));
    assert!(matches!(refused, Err(OpenError::Outdated { found: 1, .. })), "{refused:?}");
    SqliteRegistry::migrate(&SqliteConfig::new(&path)).unwrap();
    let registry = SqliteRegistry::open(SqliteConfig::new(&path)).unwrap();
    let task = registry.get(&TaskId::new("task_0"), &owner().scope()).await.unwrap().unwrap();
    assert_eq!(task.job, None);
    registry.issue(job("task_1")).await.unwrap();
    let claimed = registry.claim_jobs(claims()).await.unwrap();
    assert_eq!(claimed.iter().map(|task| task.id.as_str()).collect::<Vec<_>>(), ["task_1"]);
}
