//! The contract once more, through a proxy that hands each transaction to another connection and lets every seventh
//! commit lose against another transaction.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::{Registry, TaskId, TaskRegistry};
use adcp_registry_postgres::PostgresRegistry;
use adcp_registry_testkit::{Harness, registry_conformance};
use deadpool_postgres::tokio_postgres::SimpleQueryMessage;

use crate::fixture::{Schema, Shared, connect, issue, owner, url};
use crate::proxy::Proxy;

struct Pooled {
    shared: Shared,
    _proxy: Proxy,
}

#[async_trait::async_trait]
impl Harness for Pooled {
    fn registry(&self) -> Arc<dyn Registry> {
        self.shared.registry()
    }

    async fn advance(&self, by: Duration) {
        self.shared.advance(by).await;
    }

    async fn fail_commits(&self, fail: bool) -> bool {
        self.shared.fail_commits(fail).await
    }
}

registry_conformance!(ignored: "needs a Postgres server", async || {
    let proxy = Proxy::start(7).await;
    let shared = Shared::at(&proxy.url, |config| config.with_attempts(50)).await;
    Pooled { shared, _proxy: proxy }
});

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn one_client_uses_many_connections_and_leaves_nothing_in_them() {
    let (schema, proxy) = (Schema::migrated().await, Proxy::start(0).await);
    let config = || schema.config_at(proxy.url.clone()).with_pool_size(1);
    let one = PostgresRegistry::connect(config()).await.unwrap();
    let two = PostgresRegistry::connect(config()).await.unwrap();
    let client = connect(&proxy.url).await;
    for number in 0..10 {
        let id = format!("task_{number}");
        one.issue(issue(&id)).await.unwrap();
        assert!(two.get(&TaskId::new(id), &owner().scope()).await.unwrap().is_some());
    }
    assert!(proxy.switches() > 10, "{}", proxy.switches());
    assert!(PostgresRegistry::examine(&config()).await.unwrap().server.is_pooled);
    assert!(!PostgresRegistry::examine(&schema.config_at(url())).await.unwrap().server.is_pooled);
    // As many times as there are connections, so that each is looked at.
    for _ in 0..3 {
        let sql = "SELECT current_setting('statement_timeout'), count(*) FROM pg_prepared_statements";
        let found = client.simple_query(sql).await.unwrap();
        let row = found.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some((row.get(0), row.get(1))),
            _ => None,
        });
        assert_eq!(row, Some((Some("0"), Some("0"))), "something stayed in a session");
    }
}
