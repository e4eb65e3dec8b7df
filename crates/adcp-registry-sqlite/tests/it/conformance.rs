//! The contract of the seam.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::Registry;
use adcp_registry_sqlite::{SqliteConfig, SqliteRegistry};
use adcp_registry_testkit::{Harness, OnManualClock, registry_conformance};
use tempfile::TempDir;

use crate::fixture::Mirror;

/// A registry on a file of its own, which goes with it.
struct OnFile {
    clocked: OnManualClock,
    _folder: TempDir,
}

#[async_trait::async_trait]
impl Harness for OnFile {
    fn registry(&self) -> Arc<dyn Registry> {
        self.clocked.registry()
    }

    async fn advance(&self, by: Duration) {
        self.clocked.advance(by).await;
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
    OnFile { clocked, _folder: folder }
}
