//! A throw-away Postgres for the tests: found, started, told to them by a variable, stopped and removed.

use std::{
    fs,
    hash::{BuildHasher, Hasher},
    net::TcpListener,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

/// What tells the tests where their server is.
pub(crate) const VARIABLE: &str = "ADCP_TEST_POSTGRES_URL";

/// Where distributions keep the programs of a server, beside `PATH`.
const USUAL_PLACES: &[&str] =
    &["/usr/lib/postgresql", "/usr/pgsql", "/usr/local/pgsql", "/opt/homebrew/opt", "/usr/local/opt"];

/// The programs that are needed.
const PROGRAMS: &[&str] = &["initdb", "postgres", "pg_ctl"];

/// The start of the name of a folder that a server lives in; the id of this process follows.
const FOLDER: &str = "adcp-test-postgres-";

/// Enough for all tests at once.
const CONNECTIONS: u16 = 400;

/// The server that tests may use.
pub(crate) enum Server {
    /// Somebody named one.
    Given,
    /// One of our own.
    Started(Cluster),
    /// There is none, for this reason.
    Absent(String),
}

/// A server of our own, which ends with this value, and with the thread that started it.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    user: Option<User>,
    server: Option<Child>,
    port: u16,
    connections: u16,
    /// Where it is, with the password.
    pub url: String,
    /// What it is.
    pub version: String,
}

/// Whom a server runs as when we are root, which it refuses to run as.
#[derive(Debug, Clone)]
struct User {
    name: String,
    uid: u32,
    gid: u32,
}

/// Finds a server, or starts one. Installs the programs where that is ours to do.
pub(crate) fn server() -> anyhow::Result<Server> {
    if std::env::var_os(VARIABLE).is_some_and(|url| !url.is_empty()) {
        return Ok(Server::Given);
    }
    Ok(match means()? {
        Ok((programs, user)) => Server::Started(Cluster::start(programs, user, CONNECTIONS)?),
        Err(why) => Server::Absent(why.to_owned()),
    })
}

/// Why there can be no server of our own, if there can be none.
pub(super) fn no_own_server() -> anyhow::Result<Option<&'static str>> {
    Ok(means()?.err())
}

/// What a server needs: its programs, and whom it runs as. Otherwise why there can be none.
fn means() -> anyhow::Result<Result<(PathBuf, Option<User>), &'static str>> {
    let programs = match programs() {
        Some(programs) => programs,
        None => match install()? {
            Some(programs) => programs,
            None => return Ok(Err("no server programs were found")),
        },
    };
    Ok(runner()?.map(|user| (programs, user)))
}

/// Whom a server runs as.
fn runner() -> anyhow::Result<Result<Option<User>, &'static str>> {
    let root = id(&["-u"])? == 0;
    let user = if root { unprivileged() } else { None };
    if root && user.is_none() {
        return Ok(Err("root may not run a server, and there is no user `postgres` or `nobody`"));
    }
    Ok(Ok(user))
}

/// The folder with the programs of the newest server.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut usual: Vec<PathBuf> = Vec::new();
    for place in USUAL_PLACES {
        let (parent, start) = match place.strip_suffix("pgsql") {
            Some(_) => (Path::new(place).parent()?, "pgsql"),
            None => (Path::new(place), ""),
        };
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let fits = name.to_string_lossy().starts_with(start);
            if fits {
                usual.push(entry.path().join("bin"));
            }
        }
    }
    usual.sort_by_key(|folder| std::cmp::Reverse(number(folder)));
    places.extend(usual);
    places.into_iter().find(|folder| PROGRAMS.iter().all(|program| folder.join(program).is_file()))
}

/// The version in the name of a folder such as `/usr/lib/postgresql/15/bin`.
fn number(folder: &Path) -> u32 {
    let name = folder.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let digits: String =
        name.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

/// Installs a server with apt as root, and says so. `None` where that is not ours to do.
fn install() -> anyhow::Result<Option<PathBuf>> {
    let apt = Command::new("apt-get").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if id(&["-u"])? != 0 || !apt.is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    eprintln!("== no Postgres found: installing the package `postgresql` with apt-get ==");
    for args in [&["update"][..], &["install", "--yes", "--no-install-recommends", "postgresql"]] {
        let status = Command::new("apt-get")
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .status();
        if !status.is_ok_and(|status| status.success()) {
            eprintln!("apt-get {} failed", args.join(" "));
            return Ok(None);
        }
    }
    Ok(programs())
}

fn unprivileged() -> Option<User> {
    ["postgres", "nobody"].into_iter().find_map(|name| {
        let (uid, gid) = (id(&["-u", name]).ok()?, id(&["-g", name]).ok()?);
        Some(User { name: name.to_owned(), uid, gid })
    })
}

fn id(args: &[&str]) -> anyhow::Result<u32> {
    let out = Command::new("id").args(args).output().context("cannot run id")?;
    let text = String::from_utf8_lossy(&out.stdout);
    text.trim().parse().with_context(|| format!("`id {}` gives no number", args.join(" ")))
}

impl Cluster {
    /// Starts one with so many connections, whatever else there is.
    ///
    /// # Errors
    ///
    /// When there can be none, with the reason.
    pub fn own(connections: u16) -> anyhow::Result<Self> {
        match means()? {
            Ok((programs, user)) => Self::start(programs, user, connections),
            Err(why) => bail!("{why}"),
        }
    }

    /// Starts one of these programs.
    pub(super) fn of(programs: PathBuf, connections: u16) -> anyhow::Result<Self> {
        match runner()? {
            Ok(user) => Self::start(programs, user, connections),
            Err(why) => bail!("{why}"),
        }
    }

    /// Stops it as a loss of power would, as far as a program can, and starts it again.
    ///
    /// # Errors
    ///
    /// When it does not come back.
    pub fn crash(&mut self) -> anyhow::Result<()> {
        if let Some(mut server) = self.server.take() {
            let mut stop = self.command("pg_ctl");
            stop.arg("-D").arg(self.data()).args(["-m", "immediate", "-w", "stop"]);
            let stopped = stop.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
            server.wait()?;
            if !stopped.success() {
                bail!("pg_ctl did not stop the server");
            }
        }
        self.run()
    }

    fn start(programs: PathBuf, user: Option<User>, connections: u16) -> anyhow::Result<Self> {
        sweep();
        let folder = std::env::temp_dir().join(format!("{FOLDER}{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        // From here on, whatever fails, the folder goes with this value.
        let mut cluster = Self {
            folder,
            programs,
            user,
            server: None,
            port: 0,
            connections,
            url: String::new(),
            version: String::new(),
        };
        cluster.make()?;
        let password = std::mem::take(&mut cluster.url);
        cluster.port = free_port()?;
        cluster.run()?;
        let port = cluster.port;
        cluster.url = format!("postgres://adcp:{password}@127.0.0.1:{port}/postgres?sslmode=disable");
        let out = Command::new(cluster.programs.join("postgres")).arg("--version").output()?;
        cluster.version = String::from_utf8_lossy(&out.stdout).trim().to_owned();
        Ok(cluster)
    }

    /// Makes the files of an empty server, with a password that nobody else knows.
    fn make(&mut self) -> anyhow::Result<()> {
        fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o700))?;
        let password = format!("{:016x}{:016x}", random(), random());
        let file = self.folder.join("password");
        fs::write(&file, &password)?;
        if let Some(user) = &self.user {
            for path in [&self.folder, &file] {
                chown(path, Some(user.uid), Some(user.gid))?;
            }
        }
        let mut initdb = self.command("initdb");
        initdb.args(["--username=adcp", "--auth=scram-sha-256", "--encoding=UTF8", "--pwfile"]);
        initdb.arg(&file).arg("--pgdata").arg(self.data());
        let out = initdb.output().context("cannot run initdb")?;
        if !out.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&out.stderr).trim());
        }
        self.url = password;
        Ok(())
    }

    /// Starts the server as a child and waits until it answers.
    fn run(&mut self) -> anyhow::Result<()> {
        let log = self.folder.join("log");
        // What an end without warning left behind would be taken for the word of the new server.
        let _ = fs::remove_file(self.data().join("postmaster.pid"));
        let mut server = self.command("postgres");
        server.arg("-D").arg(self.data()).arg("-k").arg(&self.folder).args(["-p", &self.port.to_string()]);
        server.args(["-c", "listen_addresses=127.0.0.1"]);
        server.args(["-c", &format!("max_connections={}", self.connections)]);
        let append = fs::OpenOptions::new().create(true).append(true).open(&log)?;
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(append);
        self.server = Some(server.spawn().context("cannot start postgres")?);
        let begun = Instant::now();
        // The server's own file says when it is ready, in its last line.
        while !fs::read_to_string(self.data().join("postmaster.pid"))
            .is_ok_and(|text| text.contains("\nready"))
        {
            let ended = self.server.as_mut().map(Child::try_wait).transpose()?.flatten();
            if ended.is_some() || begun.elapsed() > Duration::from_secs(60) {
                bail!("postgres did not start: {}", fs::read_to_string(&log).unwrap_or_default().trim());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Where a program of this server's version is: beside the server, which may be found through a link.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        let real = fs::canonicalize(self.programs.join("postgres")).unwrap_or_default();
        real.with_file_name(name)
    }

    /// Its files, which go with it. Nobody else can read them.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A program of the server, or one named by its whole path, as the user it runs as. It ends when this process does, however that ends.
    pub(super) fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = match &self.user {
            None => Command::new(program),
            Some(user) => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", &user.name, "--regid", &user.gid.to_string(), "--clear-groups"]);
                command.args(["--pdeathsig", "INT"]).arg(program);
                command
            }
        };
        command.current_dir(&self.folder);
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // Nothing in it is worth a tidy end.
            let mut stop = self.command("pg_ctl");
            stop.arg("-D").arg(self.data()).args(["-m", "immediate", "-w", "stop"]);
            let stopped = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
            if !stopped.is_ok_and(|status| status.success()) {
                let _ = server.kill();
            }
            let _ = server.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes what runs that were killed have left behind.
fn sweep() {
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(process) = name.strip_prefix(FOLDER) else { continue };
        if Path::new("/proc/self").exists() && !Path::new("/proc").join(process).exists() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0)).context("no port is free")?.local_addr()?.port())
}

fn random() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_several_servers_is_taken() {
        assert_eq!(number(Path::new("/usr/lib/postgresql/15/bin")), 15);
        assert_eq!(number(Path::new("/usr/pgsql-17/bin")), 17);
        assert_eq!(number(Path::new("/opt/homebrew/opt/postgresql@18/bin")), 18);
        assert_eq!(number(Path::new("/usr/local/pgsql/bin")), 0);
    }
}
