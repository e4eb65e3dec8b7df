//! A file that a released version wrote: it is refused until it is migrated, and everything in it goes on.

use std::sync::Arc;

use adcp_core::{IssueTask, Owner, Principal, TaskId, TaskRegistry, TenantId};
use adcp_registry_sqlite::{OpenError, SqliteConfig, SqliteRegistry};
use adcp_registry_testkit::released;

use crate::fixture::Mirror;

#[tokio::test]
async fn a_file_of_schema_1_is_migrated_with_its_rows_by_whoever_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(include_str!("released/file_1.sql")).unwrap();
    let config = || SqliteConfig::new(&path).with_sealer(Arc::new(Mirror));
    let refused = SqliteRegistry::open(config()).map(drop);
    assert!(matches!(refused, Err(OpenError::Outdated { found: 1, .. })), "{refused:?}");

    let migrations: Vec<_> = (0..4)
        .map(|_| {
            let config = config();
            std::thread::spawn(move || SqliteRegistry::migrate(&config))
        })
        .collect();
    // The old version has it open meanwhile, and goes on reading what is there.
    let read: i64 = old.query_row("SELECT count(*) FROM tasks", [], |row| row.get(0)).unwrap();
    assert_eq!(read, 17);
    for migration in migrations {
        migration.join().unwrap().unwrap();
    }
    let registry = SqliteRegistry::open(config()).unwrap();
    released::rows_of_schema_1_are_read(&registry).await;
    released::events_of_schema_1_are_claimed(&registry).await;
    released::rows_of_schema_1_are_ended(&registry).await;
    let owner = Owner::new(TenantId::single(), None, Principal::new("agency"));
    let issue = IssueTask::new(TaskId::new("new"), owner, "get_products", "get_products", "media-buy");
    registry.issue(issue).await.unwrap();
}
