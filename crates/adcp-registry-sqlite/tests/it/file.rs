//! What only a file can show: it stays, it is private, and damage is never papered over.

use std::sync::Arc;
use std::time::Duration;

use adcp_core::stored::KeyRing;
use adcp_core::{
    AccountId, Clock, Effects, FinishTask, IssueTask, ListEvents, ManualClock, Outcome, Owner, Principal,
    Registration, RegistryError, Scope, Secret, TaskId, TaskStatus, TenantId, Timestamp,
};
use adcp_core::{
    DeliveryOutbox, DocumentKey, DocumentScope, Documents, Expect, PutDocument, TaskRegistry, Wrote,
};
use adcp_registry_sqlite::{OpenError, Schema, SqliteConfig, SqliteRegistry};

use crate::fixture::Mirror;

fn owner() -> Owner {
    Owner::new(TenantId::single(), Some(AccountId::new("acme")), Principal::new("agency"))
}

fn issue(id: &str) -> IssueTask {
    IssueTask::new(TaskId::new(id), owner(), "create_media_buy", "create_media_buy", "media-buy")
}

fn notifying(id: &str) -> IssueTask {
    let to = Registration::new("https://buyer.example/hook", "op-1").unwrap();
    issue(id).with_effects(
        Effects::none().with_notify(Some(to.with_token(Some(Secret::new("the token of the buyer"))))),
    )
}

#[tokio::test]
async fn what_was_accepted_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let config = || SqliteConfig::new(&path).with_sealer(Arc::new(Mirror));
    {
        let registry = SqliteRegistry::open(config()).unwrap();
        registry.issue(notifying("task_1")).await.unwrap();
    }
    let registry = SqliteRegistry::open(config()).unwrap();
    let task = registry.get(&TaskId::new("task_1"), &owner().scope()).await.unwrap().unwrap();
    assert_eq!(task.status, TaskStatus::Submitted);
    let end = FinishTask::new(task.id.clone(), owner().scope(), Outcome::Canceled("enough".into()));
    registry.finish(end).await.unwrap();
    let event = registry.events(ListEvents::new(owner().scope())).await.unwrap().remove(0);
    assert!(event.body.contains("the token of the buyer"));

    drop(registry);
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let found = bytes.windows(22).any(|window| window == b"the token of the buyer");
        assert!(!found, "the token stands readable in a file");
    }
}

#[tokio::test]
async fn without_a_sealer_no_credential_is_kept_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let registry = SqliteRegistry::open(SqliteConfig::new(folder.path().join("registry.db"))).unwrap();
    let refused = registry.issue(notifying("task_1")).await;
    assert!(matches!(refused, Err(RegistryError::Unavailable { op: "issue", .. })), "{refused:?}");
    let operator = Scope::Operator { tenant: TenantId::single() };
    assert_eq!(registry.get(&TaskId::new("task_1"), &operator).await.unwrap(), None);
}

#[tokio::test]
async fn a_secret_document_stands_readable_in_no_file_and_opens_under_its_own_name_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let keyring = || Arc::new(KeyRing::new("k1", [7; 32]).unwrap());
    let key = |id: &str| DocumentKey::new(DocumentScope::Caller(owner()), "webhook", id).unwrap();
    let body = || serde_json::json!({ "credentials": "the secret of the buyer" });
    let registry = SqliteRegistry::open(SqliteConfig::new(&path).with_sealer(keyring())).unwrap();
    for id in ["a", "b"] {
        let put = PutDocument::new(key(id), body(), Expect::Absent).sealed();
        assert!(matches!(registry.put_document(put).await.unwrap(), Wrote::Done(_)));
    }
    assert_eq!(registry.document(&key("a")).await.unwrap().unwrap().body, body());
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(23).any(|window| window == b"the secret of the buyer"));
    }

    // Without the key it is not read, nor another one kept; one that is no secret is.
    let keyless = SqliteRegistry::open(SqliteConfig::new(&path)).unwrap();
    assert!(keyless.document(&key("a")).await.is_err());
    let refused = keyless.put_document(PutDocument::new(key("c"), body(), Expect::Absent).sealed()).await;
    assert!(matches!(refused, Err(RegistryError::Unavailable { op: "put_document", .. })), "{refused:?}");
    assert_eq!(keyless.document(&key("c")).await.unwrap(), None);
    keyless.put_document(PutDocument::new(key("c"), body(), Expect::Absent)).await.unwrap();

    // A sealed body that was moved to another name is not taken for that one's.
    let beside = rusqlite::Connection::open(&path).unwrap();
    let moved = "UPDATE documents SET body = (SELECT body FROM documents WHERE id = 'a') WHERE id = 'b'";
    assert_eq!(beside.execute(moved, []).unwrap(), 1);
    assert!(registry.document(&key("b")).await.is_err());
    assert!(registry.document(&key("a")).await.is_ok());
}

#[tokio::test]
async fn two_openings_share_one_truth() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let one = SqliteRegistry::open(SqliteConfig::new(&path)).unwrap();
    let two = SqliteRegistry::open(SqliteConfig::new(&path)).unwrap();
    let (one, two) = (Arc::new(one), Arc::new(two));
    let writing: Vec<_> = (0..20)
        .map(|n| {
            let registry = Arc::clone(if n % 2 == 0 { &one } else { &two });
            tokio::spawn(async move { registry.issue(issue(&format!("task_{n}"))).await.unwrap() })
        })
        .collect();
    for written in writing {
        written.await.unwrap();
    }
    for n in 0..20 {
        let seen = if n % 2 == 0 { &two } else { &one };
        assert!(seen.get(&TaskId::new(format!("task_{n}")), &owner().scope()).await.unwrap().is_some());
    }
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let _registry = SqliteRegistry::open(SqliteConfig::new(&path)).unwrap();
    for name in ["registry.db", "registry.db-wal", "registry.db-shm"] {
        let mode = std::fs::metadata(path.with_file_name(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn what_is_no_database_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let bytes = b"this is a letter, and no database at all. ".repeat(100);
    std::fs::write(&path, &bytes).unwrap();
    let refused = SqliteRegistry::open(SqliteConfig::new(&path));
    assert!(matches!(refused, Err(OpenError::Damaged(_))), "{refused:?}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_schema_of_other_hands_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    drop(SqliteRegistry::open(SqliteConfig::new(&path)).unwrap());
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute("INSERT INTO adcp_migrations (number, checksum) VALUES (999, 'x')", []).unwrap();
    drop(other);
    for refused in [
        SqliteRegistry::open(SqliteConfig::new(&path)).map(drop),
        SqliteRegistry::migrate(&SqliteConfig::new(&path)),
    ] {
        assert!(matches!(refused, Err(OpenError::Unknown(999))), "{refused:?}");
    }

    let foreign = folder.path().join("foreign.db");
    rusqlite::Connection::open(&foreign).unwrap().execute("CREATE TABLE notes (text TEXT)", []).unwrap();
    let before = std::fs::read(&foreign).unwrap();
    let refused = SqliteRegistry::open(SqliteConfig::new(&foreign));
    assert!(matches!(refused, Err(OpenError::Unknown(0))), "{refused:?}");
    let examined = SqliteRegistry::examine(&SqliteConfig::new(&foreign)).unwrap();
    assert_eq!((examined.schema, examined.rows), (Schema::Unknown(0), None));
    assert_eq!(std::fs::read(&foreign).unwrap(), before, "a file of somebody else's stays as it is");
}

#[test]
fn migrating_again_changes_nothing_also_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| SqliteRegistry::migrate(&SqliteConfig::new(&path)).unwrap());
        }
    });
    SqliteRegistry::open(SqliteConfig::new(&path)).unwrap();
    assert!(SqliteRegistry::plan().contains("CREATE TABLE tasks"));
}

#[tokio::test]
async fn an_examination_says_what_is_there_and_changes_nothing() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_770_000_000_000_000)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let config = || SqliteConfig::new(&path).with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    assert!(matches!(SqliteRegistry::examine(&config()), Err(OpenError::Unopened { .. })));
    assert!(!path.exists(), "looking makes no file");

    let registry = SqliteRegistry::open(config().with_sealer(Arc::new(Mirror))).unwrap();
    registry.issue(notifying("open").with_deadline(Some(Duration::from_secs(60)))).await.unwrap();
    clock.advance(Duration::from_secs(61));
    let found = SqliteRegistry::examine(&config().with_sealer(Arc::new(Mirror))).unwrap();
    let rows = found.rows.unwrap();
    assert!(matches!(found.schema, Schema::Current(_)), "{:?}", found.schema);
    assert_eq!((found.faults, found.journal_mode.as_str(), rows.synchronous), (Vec::new(), "wal", 2));
    assert_eq!((rows.open, rows.overdue, rows.fenced, rows.unopened), (1, 1, 0, false));
    assert_eq!(rows.newest, Some(Timestamp::from_micros(1_770_000_000_000_000)));
    let found = SqliteRegistry::examine(&config()).unwrap();
    assert!(found.rows.unwrap().unopened, "there is no key for what was sealed");
    drop(registry);

    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len() - 100;
    bytes[4096..end].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let found = SqliteRegistry::examine(&config());
    let damaged = match &found {
        Ok(found) => !found.faults.is_empty() && found.rows.is_none(),
        Err(error) => matches!(error, OpenError::Damaged(_)),
    };
    assert!(damaged, "{found:?}");
}

#[test]
fn a_file_that_lost_a_table_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    drop(SqliteRegistry::open(SqliteConfig::new(&path)).unwrap());
    rusqlite::Connection::open(&path).unwrap().execute_batch("DROP TABLE endpoints").unwrap();
    let refused = SqliteRegistry::open(SqliteConfig::new(&path));
    assert!(matches!(refused, Err(OpenError::Unknown(_))), "{refused:?}");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("registry.db");
    let _listening = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for path in [socket.as_path(), folder.path(), std::path::Path::new("/dev/null")] {
        let refused = SqliteRegistry::open(SqliteConfig::new(path));
        assert!(matches!(refused, Err(OpenError::Unopened { .. })), "{refused:?}");
    }
}
