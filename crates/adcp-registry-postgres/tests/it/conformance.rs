//! The contract of the seam, on two instances that share a database.

use adcp_registry_testkit::registry_conformance;

use crate::fixture::Shared;

registry_conformance!(ignored: "needs a Postgres server", async || Shared::new(|config| config).await);

/// The same where the database must decide: serializable transactions that wait for locked rows.
mod portable {
    use adcp_registry_postgres::Isolation;
    use adcp_registry_testkit::registry_conformance;

    use crate::fixture::Shared;

    registry_conformance!(ignored: "needs a Postgres server", async || {
        Shared::new(|config| {
            config.with_isolation(Isolation::Serializable).with_skip_locked(false).with_attempts(200)
        })
        .await
    });
}
