//! The command on Postgres: replicas share one database, and what cannot be used is told in words.
//! The tests need a server, so they are ignored until asked for: `cargo xtask test` starts one.

use std::path::Path;
use std::sync::Arc;

use adcp_core::stored::KeyRing;
use adcp_core::{
    AccountId, Effects, IssueTask, Owner, Principal, Registration, Secret, TaskId, TaskRegistry, TenantId,
    hex, random_bytes,
};
use adcp_registry_postgres::{PostgresConfig, PostgresRegistry};
use deadpool_postgres::tokio_postgres::config::Host;
use deadpool_postgres::tokio_postgres::{Client, Config, NoTls};
use serde_json::{Value, json};

use crate::call::{banners, television};
use crate::line::Line;
use crate::receiver::Receiver;
use crate::run::{Ran, Seller, TOKEN, adcp, run};

#[allow(clippy::disallowed_methods, reason = "tests are told of their server by the environment")]
fn url() -> String {
    std::env::var("ADCP_TEST_POSTGRES_URL")
        .expect("ADCP_TEST_POSTGRES_URL names a server that tests may use; `cargo xtask test` starts one")
}

/// Host and port of the server, and an address of it with another host, user, password or database.
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) database: String,
}

impl Server {
    pub(crate) fn given() -> Self {
        let config: Config = url().parse().unwrap();
        let Some(Host::Tcp(host)) = config.get_hosts().first() else { panic!("tests need a server by TCP") };
        let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap_or_default().to_vec()).unwrap();
        Self {
            host: host.clone(),
            port: config.get_ports().first().copied().unwrap_or(5432),
            user: config.get_user().unwrap_or_default().to_owned(),
            password: text(config.get_password()),
            database: config.get_dbname().unwrap_or("postgres").to_owned(),
        }
    }

    pub(crate) fn url(&self) -> String {
        let Self { host, port, user, password, database } = self;
        format!("postgres://{user}:{password}@{host}:{port}/{database}?sslmode=disable")
    }
}

/// A schema of a test, which goes with it.
pub(crate) struct Schema {
    pub(crate) name: String,
    pub(crate) url: String,
}

impl Schema {
    /// A name; nothing is made yet.
    pub(crate) fn new() -> Self {
        Self { name: format!("test_{}", hex(&random_bytes::<8>().unwrap())), url: url() }
    }

    pub(crate) fn migrated() -> Self {
        let schema = Self::new();
        assert!(schema.run(&["migrate"]).expect(0).out.contains("was set up"));
        schema
    }

    /// The flags that name it; the address is in the environment.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_in(Path::new(env!("CARGO_TARGET_TMPDIR")), args)
    }

    pub(crate) fn run_in(&self, folder: &Path, args: &[&str]) -> Ran {
        let mut command = adcp(&[args, &["--registry-schema", &self.name]].concat());
        Ran::of(&command.env("ADCP_REGISTRY", &self.url).current_dir(folder).output().unwrap())
    }

    /// A replica whose reviewer never gets to it.
    pub(crate) fn serve(&self, flags: &[&str]) -> Seller {
        let fixed =
            ["serve", "--bind", "127.0.0.1:0", "--token", TOKEN, "--review-delay", "86400", "--grace", "0"];
        let mut command = adcp(&[&fixed, flags, &["--registry-schema", &self.name]].concat());
        Seller::spawn(command.env("ADCP_REGISTRY", &self.url))
    }

    pub(crate) fn execute(&self, sql: &str) {
        execute(&sql.replace("{schema}", &self.name));
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        self.execute("SET client_min_messages = error; SET lock_timeout = '5s'; DROP SCHEMA IF EXISTS {schema} CASCADE");
    }
}

async fn connect() -> Client {
    let (client, connection) = deadpool_postgres::tokio_postgres::connect(&url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Runs statements beside the command, also from inside a runtime.
pub(crate) fn execute(sql: &str) {
    let sql = sql.to_owned();
    let running = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { connect().await.batch_execute(&sql).await.unwrap() });
    });
    running.join().unwrap();
}

fn keyed(order: &str, key: &str) -> String {
    order.replacen('{', &format!(r#"{{"idempotency_key":"{key}","#), 1)
}

fn poll(seller: &Seller, id: &str) -> Value {
    let poll = format!(r#"{{"task_id":"{id}","account":{{"account_id":"acct_1"}},"include_result":true}}"#);
    seller.call("get_task_status", &poll, &[]).expect(0).json()
}

#[test]
#[ignore = "needs a Postgres server"]
fn replicas_share_tasks_and_keys_and_a_third_process_ends_a_task() {
    let schema = Schema::migrated();
    let (one, two) = (schema.serve(&[]), schema.serve(&[]));
    assert!(one.greeting().contains("replicas share them"), "{}", one.greeting());
    assert!(one.greeting().contains("no key: callbacks with credentials are refused"), "{}", one.greeting());
    let order = keyed(&television(60_000), "0d5a3ad2-replica-0001");
    let submitted = one.call("create_media_buy", &order, &[]).expect(0).json();
    let id = submitted["task_id"].as_str().unwrap();
    assert_eq!(poll(&two, id)["status"], "submitted");
    let replayed = two.call("create_media_buy", &order, &[]).expect(0).json();
    assert_eq!((&replayed["task_id"], &replayed["replayed"]), (&submitted["task_id"], &true.into()));
    let conflict = two.call("create_media_buy", &order.replace("60000", "61000"), &[]).expect(3);
    assert_eq!(conflict.json()["adcp_error"]["code"], "IDEMPOTENCY_CONFLICT");

    let folder = tempfile::tempdir().unwrap();
    let answer = json!({ "media_buy_id": "mb_by_hand", "revision": 1, "packages": [], "confirmed_at": null });
    std::fs::write(folder.path().join("answer.json"), answer.to_string()).unwrap();
    schema.run_in(folder.path(), &["tasks", "complete", id, "--result", "answer.json"]).expect(0);
    for replica in [&one, &two] {
        assert_eq!(poll(replica, id)["result"]["media_buy_id"], "mb_by_hand");
    }
    one.kill();
    assert_eq!(poll(&two, id)["status"], "completed");
    let replayed = two.call("create_media_buy", &order, &[]).expect(0).json();
    assert_eq!(replayed["task_id"], submitted["task_id"]);
    assert_eq!(schema.run(&["calls", "list"]).expect(0).out, "");
}

#[test]
#[ignore = "needs a Postgres server"]
fn an_end_by_other_hands_is_told_once_by_the_replica_that_lives() {
    let schema = Schema::migrated();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("hooks.jwk");
    let key = key.to_str().unwrap();
    run(&["keys", "new", key]).expect(0);
    let flags = ["--signing-key", key, "--allow-loopback-webhooks"];
    let (one, two) = (schema.serve(&flags), schema.serve(&flags));
    let receiver = Receiver::answering(&[]);
    let mut order: Value = serde_json::from_str(&television(60_000)).unwrap();
    order["push_notification_config"] = json!({ "url": receiver.url(), "operation_id": "op-1" });
    let submitted = one.call("create_media_buy", &order.to_string(), &[]).expect(0).json();
    one.kill();
    schema
        .run(&["tasks", "cancel", submitted["task_id"].as_str().unwrap(), "--reason", "the buyer called"])
        .expect(0);
    let webhook = receiver.next();
    webhook.verified_by(two.get("/.well-known/jwks.json").1.as_bytes()).unwrap();
    assert_eq!(
        (&webhook.json()["task_id"], &webhook.json()["status"]),
        (&submitted["task_id"], &json!("canceled"))
    );
    let delivered = || schema.run(&["webhooks", "list", "--json", "--state", "delivered"]).expect(0).json();
    while delivered()["deliveries"] == json!([]) {}
    assert!(receiver.is_empty());
}

#[test]
#[ignore = "needs a Postgres server"]
fn one_key_sent_to_both_replicas_at_once_is_one_order() {
    let schema = Schema::migrated();
    let replicas = [schema.serve(&[]), schema.serve(&[])];
    for round in 0..3 {
        let order = keyed(&television(60_000), &format!("0d5a3ad2-at-once-000{round}"));
        let calls: Vec<_> = (0..4)
            .map(|n| {
                let url = &replicas[n % 2].url;
                let mut command = adcp(&["call", url, "create_media_buy", &order, "--auth", TOKEN]);
                command
                    .stdout(std::process::Stdio::piped())
                    .stderr(std::process::Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        for call in calls {
            let ran = Ran::of(&call.wait_with_output().unwrap());
            // Whoever comes while the first is under way is told to come again.
            let code = &ran.json()["adcp_error"]["code"];
            assert!(ran.code == 0 || *code == "IDEMPOTENCY_IN_FLIGHT", "{}\n{}", ran.out, ran.err);
        }
    }
    let listed = schema.run(&["tasks", "list", "--json"]).expect(0).json();
    assert_eq!(listed["tasks"].as_array().unwrap().len(), 3, "{listed:#}");
}

#[test]
#[ignore = "needs a Postgres server"]
fn a_replica_whose_database_is_away_says_so_and_goes_on_when_it_is_back() {
    let server = Server::given();
    let line = Line::to(&server.host, server.port);
    let mut schema = Schema::migrated();
    schema.url = Server { host: "127.0.0.1".to_owned(), port: line.address.port(), ..server }.url();
    let mut seller = schema.serve(&[]);
    let first = seller.call("create_media_buy", &banners(1500), &[]).expect(0).json();
    assert_eq!((first["status"].as_str(), seller.health().as_str()), (Some("completed"), "200"));

    line.cut();
    let refused = seller.call("create_media_buy", &banners(1500), &[]).expect(4);
    assert_eq!(refused.json()["adcp_error"]["code"], "SERVICE_UNAVAILABLE", "{}", refused.out);
    seller.wait_for_log("the registry does not answer");
    assert_eq!(seller.health(), "503");
    let away = schema.run(&["tasks", "list"]).expect(4);
    assert!(away.err.contains("cannot be asked"), "{}", away.err);

    line.mend();
    seller.wait_for_log("the registry answers again");
    assert_eq!(seller.health(), "200");
    seller.call("create_media_buy", &banners(1500), &[]).expect(0);
}

#[test]
#[ignore = "needs a Postgres server"]
fn what_cannot_be_opened_is_told_with_advice_and_without_the_password() {
    let _unchanged = crate::doctor::unchanged();
    let password = Server::given().password;
    let at = |server: Server| {
        let mut schema = Schema::new();
        schema.url = server.url();
        schema
    };
    let nowhere = Line::to("127.0.0.1", 1);
    nowhere.cut();
    let newer = Schema::migrated();
    newer.execute("INSERT INTO {schema}.adcp_migrations (number, serves, checksum) VALUES (999, 999, 'x')");
    let changed = Schema::migrated();
    changed.execute("UPDATE {schema}.adcp_migrations SET checksum = 'x' WHERE number = 1");
    let older = Schema::migrated();
    older.execute("DELETE FROM {schema}.adcp_migrations WHERE number > 0");
    let cases = [
        (
            at(Server { password: format!("{password}0"), ..Server::given() }),
            1,
            "look at the user, the password",
        ),
        (at(Server { database: "no_such_database".into(), ..Server::given() }), 1, "no_such_database"),
        (at(Server { port: nowhere.address.port(), ..Server::given() }), 4, "see that the server runs"),
        (Schema::new(), 1, "run `adcp migrate`"),
        (older, 1, "run `adcp migrate`"),
        (newer, 1, "a newer version, or changed by other hands"),
        (changed, 1, "a newer version, or changed by other hands"),
    ];
    for (schema, code, words) in cases {
        let serve = ["serve", "--bind", "127.0.0.1:0", "--token", TOKEN];
        for args in [&serve[..], &["tasks", "list"], &["calls", "list"]] {
            let ran = schema.run(args).expect(code);
            assert!(ran.err.contains(words), "{args:?}: {}", ran.err);
            assert!(!ran.err.contains(&password), "{args:?}: {}", ran.err);
        }
        let found = schema.run(&["doctor"]).expect(1);
        assert!(found.out.contains(words) && found.out.contains("1 thing is wrong"), "{}", found.out);
        assert!(!found.out.contains(&password), "{}", found.out);
    }
}

#[test]
#[ignore = "needs a Postgres server"]
fn a_schema_that_the_next_version_only_added_to_is_served_until_it_takes_something_away() {
    let _unchanged = crate::doctor::unchanged();
    let schema = Schema::migrated();
    let next = "INSERT INTO {schema}.adcp_migrations (number, serves, checksum) \
                SELECT max(number) + 1, max(number), 'x' FROM {schema}.adcp_migrations";
    schema.execute(next);
    let seller = schema.serve(&[]);
    seller.call("create_media_buy", &banners(1500), &[]).expect(0);
    assert!(schema.run(&["migrate"]).expect(0).out.contains("already"));
    schema.run(&["doctor"]).expect(0);
    schema.execute(next);
    let refused = schema.run(&["serve", "--bind", "127.0.0.1:0", "--token", TOKEN]).expect(1);
    assert!(refused.err.contains("a newer version"), "{}", refused.err);
    // Whoever serves already goes on.
    seller.call("create_media_buy", &banners(1500), &[]).expect(0);
}

#[test]
#[ignore = "needs a Postgres server"]
fn the_address_is_taken_from_a_file_and_a_password_on_the_command_line_is_warned_of() {
    let (schema, folder) = (Schema::new(), tempfile::tempdir().unwrap());
    let password = Server::given().password;
    let file = folder.path().join("registry.url");
    std::fs::write(&file, format!("{}\n", schema.url)).unwrap();
    #[cfg(unix)]
    crate::registry::set_mode(&file, 0o644);
    let named = ["--registry-file", file.to_str().unwrap(), "--registry-schema", &schema.name];
    let made = run(&[&["migrate"], &named[..]].concat()).expect(0);
    assert!(made.out.contains("was set up"), "{}", made.out);
    #[cfg(unix)]
    assert!(made.err.contains("chmod 600"), "{}", made.err);
    let again = run(&["migrate", "--registry", &schema.url, "--registry-schema", &schema.name]).expect(0);
    assert!(
        again.out.contains("already") && again.err.contains("visible in the process list"),
        "{}",
        again.err
    );
    let plan = schema.run(&["migrate", "plan"]).expect(0);
    assert!(plan.out.contains(&format!("CREATE TABLE \"{}\".tasks", schema.name)), "{}", plan.out);
    let verbose =
        Ran::of(&adcp(&[&["tasks", "list"], &named[..]].concat()).env("RUST_LOG", "trace").output().unwrap());
    for ran in [made, again, plan, verbose] {
        assert!(!ran.out.contains(&password) && !ran.err.contains(&password), "{}\n{}", ran.out, ran.err);
    }
    run(&[&["tasks", "list", "--registry", "memory"], &named[..]].concat()).expect(2);
    std::fs::write(&file, "").unwrap();
    assert!(run(&[&["migrate"], &named[..]].concat()).expect(2).err.contains("is empty"));
}

#[tokio::test]
#[ignore = "needs a Postgres server"]
async fn replicas_open_what_another_sealed_with_the_key_of_a_file() {
    let (schema, folder) = (Schema::migrated(), tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("k1.key"), format!("k1:{}\n", "5e".repeat(32))).unwrap();
    let keys = KeyRing::new("k1", [0x5e; 32]).unwrap();
    let config =
        PostgresConfig::new(schema.url.as_str()).with_schema(&schema.name).with_sealer(Arc::new(keys));
    let registry = PostgresRegistry::connect(config).await.unwrap();
    let to = Registration::new("https://buyer.example/hook/s3cret", "op-1").unwrap();
    let effects = Effects::none().with_notify(Some(to.with_token(Some(Secret::new("s3cret")))));
    let owner = Owner::new(TenantId::single(), Some(AccountId::new("a")), Principal::new("buyer"));
    let issue =
        IssueTask::new(TaskId::new("task_1"), owner, "create_media_buy", "create_media_buy", "media-buy");
    registry.issue(issue.with_effects(effects)).await.unwrap();

    let adcp = |args: &[&str]| schema.run_in(folder.path(), args);
    let with_key = ["--seal-key-file", "k1.key"];
    assert!(adcp(&["tasks", "cancel", "task_1", "--reason", "enough"]).expect(1).err.contains("key"));
    adcp(&[&["tasks", "cancel", "task_1", "--reason", "enough"], &with_key[..]].concat()).expect(0);
    let shown = adcp(&[&["tasks", "show", "task_1"], &with_key[..]].concat()).expect(0);
    assert!(shown.out.contains("https://buyer.example") && !shown.out.contains("s3cret"), "{}", shown.out);
    let served = schema.serve(&["--seal-key-file", folder.path().join("k1.key").to_str().unwrap()]);
    assert!(!served.greeting().contains("no key"), "{}", served.greeting());
}
