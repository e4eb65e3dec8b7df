//! `adcp doctor` at databases that are really set wrongly. For Postgres it needs a server and a superuser there.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use adcp_core::stored::KeyRing;
use adcp_core::{
    AccountId, Effects, IssueTask, Owner, Principal, Registration, Secret, TaskId, TaskRegistry, TenantId,
};
use adcp_registry_postgres::{ClockOffset, PostgresConfig, PostgresRegistry};

use crate::postgres::{Schema, Server, execute};
use crate::registry::run_in;
use crate::run::Ran;

/// What is set for the whole server is seen by every other test that looks.
static SERVER: RwLock<()> = RwLock::new(());

/// Nobody changes the server as long as this is held.
pub(crate) fn unchanged() -> RwLockReadGuard<'static, ()> {
    SERVER.read().unwrap_or_else(PoisonError::into_inner)
}

/// A setting of the server that is off until this is dropped.
struct Off(&'static str);

impl Off {
    fn new(name: &'static str) -> Self {
        execute(&format!("ALTER SYSTEM SET {name} = off"));
        execute("SELECT pg_reload_conf()");
        Self(name)
    }
}

impl Drop for Off {
    fn drop(&mut self) {
        execute(&format!("ALTER SYSTEM RESET {}", self.0));
        execute("SELECT pg_reload_conf()");
    }
}

/// A role for one test, with the privileges that serving needs and these settings.
struct Role {
    name: String,
    schema: Schema,
}

impl Role {
    fn new(settings: &[&str]) -> Self {
        let mut schema = Schema::migrated();
        let (name, server) = (schema.name.replace("test_", "role_"), Server::given());
        schema.execute(&format!(
            "CREATE ROLE {name} LOGIN PASSWORD 'role-s3cret';
             GRANT USAGE ON SCHEMA {{schema}} TO {name};
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {{schema}} TO {name};"
        ));
        for setting in settings {
            execute(&format!("ALTER ROLE {name} {setting}"));
        }
        schema.url = Server { user: name.clone(), password: "role-s3cret".to_owned(), ..server }.url();
        Self { name, schema }
    }

    fn doctor(&self, more: &[&str]) -> Ran {
        let ran = self.schema.run(&[&["doctor"], more].concat());
        assert!(!ran.out.contains("s3cret") && !ran.err.contains("s3cret"), "{}{}", ran.out, ran.err);
        ran
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        execute(&format!("DROP OWNED BY {0}; DROP ROLE {0}", self.name));
    }
}

fn has(ran: &Ran, words: &[&str]) {
    for words in words {
        assert!(ran.out.contains(words), "`{words}` is missing:\n{}", ran.out);
    }
}

#[test]
#[ignore = "needs a Postgres server"]
fn a_sound_database_is_found_right() {
    let _unchanged = unchanged();
    let role = Role::new(&[]);
    let found = role.doctor(&[]).expect(0);
    has(&found, &["fsync=on, full_page_writes=on, synchronous_commit=on", "read committed", "processes fit"]);
    has(&found, &["PostgreSQL 1", "clock and this", "nothing is wrong"]);
    let json = role.doctor(&["--json"]).expect(0).json();
    assert_eq!((&json["wrong"], &json["findings"][0]["level"]), (&0.into(), &"ok".into()), "{json:#}");
}

#[test]
#[ignore = "needs a Postgres server"]
fn a_server_that_may_lose_what_it_acknowledged_is_found() {
    let _changing = SERVER.write().unwrap_or_else(PoisonError::into_inner);
    let schema = Schema::migrated();
    {
        let _settings = ["fsync", "full_page_writes", "autovacuum"].map(Off::new);
        let found = schema.run(&["doctor"]).expect(1);
        has(&found, &["(fsync=off)", "set full_page_writes = on", "autovacuum is off", "3 things are wrong"]);
        let json = schema.run(&["doctor", "--json"]).expect(1).json();
        assert_eq!(json["wrong"], 3, "{json:#}");
    }
    schema.run(&["doctor"]).expect(0);
}

#[test]
#[ignore = "needs a Postgres server"]
fn what_a_role_is_set_to_is_overruled_or_found() {
    let _unchanged = unchanged();
    let overruled = Role::new(&[
        "SET synchronous_commit = off",
        "SET default_transaction_isolation = 'serializable'",
        "SET default_transaction_read_only = on",
        "SET idle_in_transaction_session_timeout = '1ms'",
    ]);
    let found = overruled.doctor(&[]).expect(0);
    has(&found, &["synchronous_commit=on", "synchronous_commit is off for this role", "are serializable"]);

    let hasty = Role::new(&["SET statement_timeout = '400ms'", "SET lock_timeout = '50ms'"]);
    has(&hasty.doctor(&[]).expect(1), &["lock_timeout is 50 ms", "1 thing is wrong"]);

    let narrow = Role::new(&["CONNECTION LIMIT 4"]);
    let found = narrow.doctor(&[]).expect(1);
    has(&found, &["may open 16 connections", "allows this role 4", "--registry-connections"]);
    narrow.doctor(&["--registry-connections", "2"]).expect(0);

    let reader = Role::new(&[]);
    reader.schema.execute(&format!("REVOKE INSERT, DELETE ON {{schema}}.tasks FROM {}", reader.name));
    has(&reader.doctor(&[]).expect(1), &["tasks: insert, delete", "GRANT", "1 thing is wrong"]);
    reader.schema.execute(&format!("REVOKE USAGE ON SCHEMA {{schema}} FROM {}", reader.name));
    has(&reader.doctor(&[]).expect(1), &["permission denied", "1 thing is wrong"]);
}

#[test]
#[ignore = "needs a Postgres server"]
fn a_database_that_cannot_hold_every_text_is_found() {
    let _unchanged = unchanged();
    let mut schema = Schema::new();
    let name = schema.name.replace("test_", "db_");
    execute(&format!("CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"));
    schema.url = Server { database: name.clone(), ..Server::given() }.url();
    schema.run(&["migrate"]).expect(0);
    let found = schema.run(&["doctor"]);
    execute(&format!("DROP DATABASE {name} WITH (FORCE)"));
    has(&found.expect(1), &["keeps texts as SQL_ASCII", "ENCODING 'UTF8'", "1 thing is wrong"]);
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
#[allow(clippy::await_holding_lock, reason = "one thread, and nobody waits for it in this runtime")]
async fn a_missing_key_and_a_clock_that_was_set_back_are_found() {
    let _unchanged = unchanged();
    let (schema, folder) = (Schema::migrated(), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("k1.key"), format!("k1:{}\n", "5e".repeat(32))).unwrap();
    std::fs::write(folder.path().join("k2.key"), format!("k2:{}\n", "5f".repeat(32))).unwrap();
    let doctor = |args: &[&str]| schema.run_in(folder.path(), &[&["doctor"], args].concat());
    let (right, wrong) = (["--seal-key-file", "k1.key"], ["--seal-key-file", "k2.key"]);
    has(&doctor(&right).expect(0), &["none are kept"]);
    has(&doctor(&[]).expect(0), &["no sealing key"]);

    let offset = ClockOffset::new();
    let config = PostgresConfig::new(schema.url.as_str()).with_schema(&schema.name);
    let config = config.with_sealer(Arc::new(KeyRing::new("k1", [0x5e; 32]).unwrap()));
    let registry = PostgresRegistry::connect(config.with_clock_offset(offset.clone())).await.unwrap();
    let to = Registration::new("https://buyer.example/hook", "op-1").unwrap();
    let effects = Effects::none().with_notify(Some(to.with_token(Some(Secret::new("s3cret")))));
    let owner = Owner::new(TenantId::single(), Some(AccountId::new("a")), Principal::new("buyer"));
    let issue = |id: &str| {
        IssueTask::new(TaskId::new(id), owner.clone(), "get_products", "get_products", "media-buy")
    };
    registry.issue(issue("task_1").with_effects(effects)).await.unwrap();
    has(
        &doctor(&right).expect(0),
        &["the newest that are kept were opened", "open tasks: 1", "the oldest open task has waited for"],
    );
    has(&doctor(&wrong).expect(1), &["the keys in `k2.key` do not open", "1 thing is wrong"]);
    has(&doctor(&[]).expect(1), &["no key that opens them", "1 thing is wrong"]);

    offset.advance(Duration::from_secs(3600));
    registry.issue(issue("task_2")).await.unwrap();
    has(&doctor(&right).expect(1), &["the server's clock was set back", "NTP", "1 thing is wrong"]);
}

#[test]
fn a_file_beside_the_file_that_only_grows_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let doctor = || run_in(folder.path(), &["doctor", "--registry", "sqlite:a.db"]);
    run_in(folder.path(), &["migrate", "--registry", "sqlite:a.db"]).expect(0);
    has(&doctor().expect(0), &["the a.db-wal is small"]);
    let held = rusqlite::Connection::open(folder.path().join("a.db")).unwrap();
    held.execute_batch(
        "PRAGMA wal_autocheckpoint = 0;
         CREATE TABLE scratch (bytes BLOB);
         INSERT INTO scratch VALUES (zeroblob(70 * 1024 * 1024));
         DROP TABLE scratch;",
    )
    .unwrap();
    has(&doctor().expect(1), &["MiB wait in a.db-wal", "lsof a.db", "1 thing is wrong"]);
    drop(held);
    doctor().expect(0);
}
