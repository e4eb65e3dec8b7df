//! The contract of the seam.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::Registry;
use adcp_registry_sqlite::{SqliteConfig, SqliteRegistry};
use adcp_registry_testkit::{Harness, OnManualClock, registry_conformance};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::fixture::Mirror;

/// A registry on a file of its own, which goes with it.
struct OnFile {
    clocked: OnManualClock,
    folder: TempDir,
}

#[async_trait::async_trait]
impl Harness for OnFile {
    fn registry(&self) -> Arc<dyn Registry> {
        self.clocked.registry()
    }

    async fn advance(&self, by: Duration) {
        self.clocked.advance(by).await;
    }

    async fn fail_commits(&self, fail: bool) -> bool {
        let beside = Connection::open(self.folder.path().join("registry.db")).unwrap();
        beside.busy_timeout(Duration::from_secs(5)).unwrap();
        beside.execute_batch(&faults(fail)).unwrap();
        true
    }
}

/// Rows that lead to a row which is not there, which the database notices at the commit.
fn faults(on: bool) -> String {
    let mut sql = String::new();
    for (table, change) in ["tasks", "calls", "proposals", "events"]
        .into_iter()
        .flat_map(|table| [(table, "INSERT"), (table, "UPDATE")])
    {
        sql.push_str(&if on {
            format!(
                "CREATE TRIGGER fault_{table}_{change} AFTER {change} ON {table} BEGIN INSERT INTO fault_child VALUES (1); END;"
            )
        } else {
            format!("DROP TRIGGER fault_{table}_{change};")
        });
    }
    if on {
        format!(
            "BEGIN; CREATE TABLE fault_parent (id INTEGER PRIMARY KEY); CREATE TABLE fault_child \
             (parent INTEGER REFERENCES fault_parent (id) DEFERRABLE INITIALLY DEFERRED); {sql} COMMIT;"
        )
    } else {
        format!("BEGIN; {sql} DROP TABLE fault_child; DROP TABLE fault_parent; COMMIT;")
    }
}

registry_conformance!(on_file);

async fn on_file() -> OnFile {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let clocked = OnManualClock::new(|clock| {
        let config = SqliteConfig::new(path).with_clock(clock).with_sealer(Arc::new(Mirror));
        SqliteRegistry::open(config).unwrap()
    });
    OnFile { clocked, folder }
}
