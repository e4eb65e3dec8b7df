//! The registry behind the command: it stays, it is private, and `doctor` and `migrate` look after it.

use std::path::Path;
use std::sync::Arc;

use adcp_core::{IssueTask, ManualClock, Owner, Principal, TaskId, TaskRegistry, TenantId, Timestamp};
use adcp_registry_sqlite::{SqliteConfig, SqliteRegistry};

use crate::call::television;
use crate::run::{Ran, Seller, TOKEN, adcp, run};

/// Runs in `folder`.
pub(crate) fn run_in(folder: &Path, args: &[&str]) -> Ran {
    Ran::of(&adcp(args).current_dir(folder).output().unwrap())
}

/// Served in `folder` by a reviewer who never gets to it.
pub(crate) fn reviewed_in(folder: &Path) -> Seller {
    Seller::start_in(folder, &["--review-delay", "86400", "--grace", "0"])
}

#[cfg(unix)]
pub(crate) fn mode(path: impl AsRef<Path>) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
pub(crate) fn set_mode(path: impl AsRef<Path>, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_task_outlives_a_killed_server_and_is_ended_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let in_folder = |args: &[&str]| run_in(folder.path(), args);
    let first = reviewed_in(folder.path());
    let order = television(60_000).replacen('{', r#"{"idempotency_key":"0d5a3ad2-restart-0001","#, 1);
    let submitted = first.call("create_media_buy", &order, &[]).expect(0).json();
    assert_eq!(submitted["status"], "submitted");
    let id = submitted["task_id"].as_str().unwrap();
    let booked = first.call("create_media_buy", &crate::call::banners(1500), &[]).expect(0).json();
    first.kill();

    let listed = in_folder(&["tasks", "list", "--open", "--json"]).expect(0).json();
    assert_eq!(listed["tasks"][0]["task_id"], id, "{listed:#}");
    let answer = serde_json::json!({
        "media_buy_id": "mb_by_hand", "revision": booked["revision"], "packages": booked["packages"],
        "confirmed_at": booked["confirmed_at"],
    });
    std::fs::write(folder.path().join("answer.json"), answer.to_string()).unwrap();
    in_folder(&["tasks", "complete", id, "--result", "answer.json"]).expect(0);

    let second = reviewed_in(folder.path());
    assert!(second.greeting().contains("survive a restart"), "{}", second.greeting());
    let poll = format!(r#"{{"task_id":"{id}","account":{{"account_id":"acct_1"}},"include_result":true}}"#);
    let polled = second.call("get_task_status", &poll, &[]).expect(0).json();
    assert_eq!(polled["status"], "completed", "{polled:#}");
    assert_eq!(polled["result"]["media_buy_id"], "mb_by_hand");
    let stranger = run(&["call", &second.url, "get_task_status", &poll, "--auth", "demo-else-v1"]).expect(3);
    assert_eq!(stranger.json()["adcp_error"]["code"], "REFERENCE_NOT_FOUND");

    let replayed = second.call("create_media_buy", &order, &[]).expect(0).json();
    assert_eq!((&replayed["task_id"], &replayed["replayed"]), (&submitted["task_id"], &true.into()));
    let other = order.replace("60000", "61000");
    let conflict = second.call("create_media_buy", &other, &[]).expect(3);
    assert_eq!(conflict.json()["adcp_error"]["code"], "IDEMPOTENCY_CONFLICT");
}

#[test]
fn memory_is_asked_for_and_warned_of_once() {
    let folder = tempfile::tempdir().unwrap();
    let seller = Seller::start_in(folder.path(), &["--registry", "memory"]);
    assert!(seller.greeting().contains("forgotten when this ends"), "{}", seller.greeting());
    #[cfg(unix)]
    assert_eq!(seller.stop().expect(0).err.matches("volatile").count(), 1);
    assert!(!folder.path().join(".adcp").exists());
}

#[test]
#[cfg(unix)]
fn what_is_made_by_default_is_its_owners_only_and_announced_once() {
    let folder = tempfile::tempdir().unwrap();
    let made = Seller::start_in(folder.path(), &[]).stop().expect(0);
    assert_eq!(made.err.matches("made the key `.adcp/seal.key`").count(), 1, "{}", made.err);
    let inside = folder.path().join(".adcp");
    assert_eq!(mode(&inside), 0o700);
    for name in ["registry.db", "seal.key"] {
        assert_eq!(mode(inside.join(name)), 0o600, "{name}");
    }
    assert_eq!(std::fs::read_to_string(inside.join(".gitignore")).unwrap(), "*\n");
    let key = std::fs::read_to_string(inside.join("seal.key")).unwrap();
    let digits = key.trim().split_once(':').unwrap().1;
    let again = Seller::start_in(folder.path(), &[]).stop().expect(0);
    assert!(!again.err.contains("made the key"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(inside.join("seal.key")).unwrap(), key);
    for ran in [made, again] {
        assert!(!ran.err.contains(digits) && !ran.out.contains(digits), "{}\n{}", ran.out, ran.err);
    }
}

#[test]
#[cfg(unix)]
fn a_key_is_made_only_where_nobody_else_can_call() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--public-url", "https://ads.example.com/mcp"];
    let ran = Seller::start_in(folder.path(), &flags);
    assert!(ran.greeting().contains("callbacks with credentials are refused"), "{}", ran.greeting());
    assert!(!folder.path().join(".adcp/seal.key").exists());
    ran.stop().expect(0);

    let key = folder.path().join("given.key");
    std::fs::write(&key, format!("2026-11:{}\n", "5e".repeat(32))).unwrap();
    set_mode(&key, 0o644);
    let ran = Seller::start_in(folder.path(), &["--seal-key-file", "given.key"]);
    assert!(!ran.greeting().contains("refused (--seal"), "{}", ran.greeting());
    let ran = ran.stop().expect(0);
    assert!(ran.err.contains("chmod 600") && !ran.err.contains("5e5e"), "{}", ran.err);
    let wrong = run(&["doctor", "--seal-key-file", "/no/such/key"]);
    assert!(wrong.expect(2).err.contains("cannot read the file of sealing keys"));
}

#[test]
fn a_misspelt_registry_is_told_what_would_be_right() {
    let cases: [(&[&str], &str); 7] = [
        (&["serve", "--registry", "memry"], "sqlite:PATH, memory"),
        (&["tasks", "list", "--registry", "a/registry.db"], "--registry sqlite:a/registry.db"),
        (&["doctor", "--registry", "postgres:me:hunter2@db/adcp"], "with both slashes"),
        (&["tasks", "list", "--registry", "postgres://me:hun@ter2?a@db=c"], "special characters"),
        (&["tasks", "list", "--registry", "postgres://me:hunter2@db/adcp?sslmode=maybe"], "sslmode"),
        (&["serve", "--registry", "memory", "--registry-schema", "adcp"], "in Postgres"),
        (&["calls", "list", "--registry", "sqlite:/no/such/registry.db"], "there is no registry"),
    ];
    for (args, advice) in cases {
        let refused = run(args).expect(2);
        assert!(
            refused.err.contains(advice) && !refused.err.contains("hunter2"),
            "{args:?}: {}",
            refused.err
        );
    }
    run(&["migrate", "--registry", "memory"]).expect(2);
    let nowhere =
        run(&["serve", "--bind", "127.0.0.1:0", "--token", TOKEN, "--registry", "sqlite:/no/such/a.db"]);
    assert!(nowhere.expect(1).err.contains("the folder of /no/such/a.db does not exist"));
}

#[test]
fn migrating_twice_changes_nothing_and_the_plan_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let plan = run_in(folder.path(), &["migrate", "plan"]).expect(0);
    assert!(plan.out.contains("CREATE TABLE tasks"), "{}", plan.out);
    assert!(!folder.path().join(".adcp").exists());
    assert!(run_in(folder.path(), &["migrate"]).expect(0).out.contains("was set up with schema"));
    assert!(run_in(folder.path(), &["migrate"]).expect(0).out.contains("already"));
    run_in(folder.path(), &["doctor"]).expect(0);
}

#[test]
fn the_doctor_finds_a_file_right_and_says_what_is_wrong_with_others() {
    let folder = tempfile::tempdir().unwrap();
    let doctor = |name: &str| run_in(folder.path(), &["doctor", "--registry", &format!("sqlite:{name}")]);
    run_in(folder.path(), &["migrate", "--registry", "sqlite:good.db"]).expect(0);
    let good = doctor("good.db").expect(0);
    assert!(
        good.out.contains("journal_mode=wal") && good.out.ends_with("nothing is wrong\n"),
        "{}",
        good.out
    );
    assert!(doctor("missing.db").expect(1).out.contains("there is no file"));

    let bytes = std::fs::read(folder.path().join("good.db")).unwrap();
    let mut hollow = bytes;
    let end = hollow.len();
    hollow[4096..end].fill(0xa5);
    let letter = b"a letter, and no database at all. ".repeat(50);
    for (name, content, words) in [
        ("hollow.db", hollow, "restore a copy"),
        ("letter.db", letter, "no SQLite database"),
        ("empty.db", Vec::new(), "adcp migrate"),
    ] {
        std::fs::write(folder.path().join(name), &content).unwrap();
        #[cfg(unix)]
        set_mode(folder.path().join(name), 0o600);
        let found = doctor(name).expect(1);
        assert!(found.out.contains("wrong") && found.out.contains(words), "{name}: {}", found.out);
        assert_eq!(std::fs::read(folder.path().join(name)).unwrap(), content, "{name} is left as it is");
    }
    let served = run_in(folder.path(), &["serve", "--bind", "127.0.0.1:0", "--registry", "sqlite:letter.db"]);
    assert!(served.expect(1).err.contains("no SQLite database"));
}

/// Writes `new` over the one place where `old` stands, which is as long.
fn overwritten(mut bytes: Vec<u8>, old: &[u8], new: &[u8]) -> Vec<u8> {
    let found: Vec<usize> =
        bytes.windows(old.len()).enumerate().filter(|(_, at)| *at == old).map(|(n, _)| n).collect();
    assert!(!found.is_empty());
    for at in found {
        bytes[at..at + new.len()].copy_from_slice(new);
    }
    bytes
}

#[test]
fn the_doctor_knows_a_database_of_others_and_a_changed_schema() {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), &["migrate", "--registry", "sqlite:good.db"]).expect(0);
    let bytes = std::fs::read(folder.path().join("good.db")).unwrap();
    let sum = bytes.windows(64).find(|at| at.iter().all(u8::is_ascii_hexdigit)).unwrap().to_vec();
    let foreign = overwritten(bytes.clone(), b"adcp_migrations", b"some_other_book");
    let changed = overwritten(bytes, &sum, &[b'0'; 64]);
    for (name, content, words) in [
        ("foreign.db", foreign, "a database of something else"),
        ("changed.db", changed, "changed by other hands"),
    ] {
        std::fs::write(folder.path().join(name), &content).unwrap();
        #[cfg(unix)]
        set_mode(folder.path().join(name), 0o600);
        let registry = format!("sqlite:{name}");
        for args in [&["migrate"][..], &["tasks", "list"], &["serve", "--bind", "127.0.0.1:0"]] {
            let refused = run_in(folder.path(), &[args, &["--registry", &registry]].concat()).expect(1);
            assert!(refused.err.contains(words), "{args:?}: {}", refused.err);
        }
        let found = run_in(folder.path(), &["doctor", "--registry", &registry]).expect(1);
        assert!(found.out.contains(words) && found.out.contains("1 thing is wrong"), "{}", found.out);
        assert_eq!(std::fs::read(folder.path().join(name)).unwrap(), content, "{name} is left as it is");
    }
}

#[tokio::test]
async fn the_doctor_finds_a_clock_that_was_set_back() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::at(Timestamp::parse("2199-01-01T00:00:00Z").unwrap());
    let config = SqliteConfig::new(folder.path().join("a.db")).with_clock(Arc::new(clock));
    let registry = SqliteRegistry::open(config).unwrap();
    let owner = Owner::new(TenantId::single(), None, Principal::new("buyer"));
    let issue = IssueTask::new(TaskId::new("task_1"), owner, "get_products", "get_products", "media-buy");
    registry.issue(issue).await.unwrap();
    let found = run_in(folder.path(), &["doctor", "--registry", "sqlite:a.db"]).expect(1);
    assert!(found.out.contains("the clock was set back") && found.out.contains("NTP"), "{}", found.out);
}

#[test]
#[cfg(unix)]
fn the_doctor_finds_files_that_are_too_open() {
    let folder = tempfile::tempdir().unwrap();
    Seller::start_in(folder.path(), &[]).stop().expect(0);
    run_in(folder.path(), &["doctor"]).expect(0);
    let inside = folder.path().join(".adcp");
    set_mode(inside.join("registry.db"), 0o644);
    set_mode(inside.join("seal.key"), 0o640);
    set_mode(&inside, 0o777);
    let found = run_in(folder.path(), &["doctor"]).expect(1);
    for words in
        ["chmod 600 .adcp/registry.db", "chmod 600 .adcp/seal.key", "chmod go-w .adcp", "3 things are wrong"]
    {
        assert!(found.out.contains(words), "{words}: {}", found.out);
    }
}
