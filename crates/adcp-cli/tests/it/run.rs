//! Runs the command, and keeps a seller running while a test talks to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const TOKEN: &str = "a-token-for-these-tests";

/// The command with an environment of its own, in a folder that nobody looks at.
pub(crate) fn adcp(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_adcp"));
    command.args(args).stdin(Stdio::null()).current_dir(folder());
    for name in ["ADCP_TOKEN", "ADCP_REGISTRY", "ADCP_SEAL_KEY", "RUST_LOG", "NO_COLOR"] {
        command.env_remove(name);
    }
    command
}

/// The folder that commands run in, empty when the tests begin: what an older version left there is not ours to open.
fn folder() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("work");
        if folder.exists() {
            std::fs::remove_dir_all(&folder).unwrap();
        }
        std::fs::create_dir_all(&folder).unwrap();
        folder
    });
    &FOLDER
}

/// What a run came to.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().expect("not ended by a signal"),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// Expects this exit code, and shows what was printed otherwise.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}\n{}", self.out, self.err);
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

pub(crate) fn run(args: &[&str]) -> Ran {
    Ran::of(&adcp(args).output().unwrap())
}

/// Runs with text on standard input.
pub(crate) fn run_with(args: &[&str], input: &str) -> Ran {
    let mut command = adcp(args);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Ran::of(&child.wait_with_output().unwrap())
}

/// A running `adcp serve` on a free port, ended when dropped.
pub(crate) struct Seller {
    pub(crate) url: String,
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
    greeting: String,
    /// What was read of standard error so far.
    log: String,
    /// Removed after the process has ended.
    _folder: Option<TempDir>,
}

impl Seller {
    /// Serves with [`TOKEN`] and these flags, in a folder of its own.
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::spawn(adcp(&["serve", "--bind", "127.0.0.1:0", "--token", TOKEN]).args(flags))
    }

    /// Serves with [`TOKEN`] and these flags, in a folder that is there before and afterwards.
    pub(crate) fn start_in(folder: &Path, flags: &[&str]) -> Self {
        let mut command = adcp(&["serve", "--bind", "127.0.0.1:0", "--token", TOKEN]);
        Self::begin(command.args(flags).current_dir(folder), None)
    }

    /// Runs this in a folder of its own.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::begin(command.current_dir(folder.path()), Some(folder))
    }

    /// Runs this where it says.
    pub(crate) fn start_as(command: &mut Command) -> Self {
        Self::begin(command, None)
    }

    fn begin(command: &mut Command, folder: Option<TempDir>) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("Ctrl-C") {
            let read = stdout.read_line(&mut greeting).unwrap();
            assert!(read > 0, "the seller ended early: {greeting}");
        }
        let url = greeting.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        Self { url, child, stdout, stderr, greeting, log: String::new(), _folder: folder }
    }

    /// Calls a tool with the token.
    pub(crate) fn call(&self, tool: &str, arguments: &str, more: &[&str]) -> Ran {
        run(&[&["call", &self.url, tool, arguments, "--auth", TOKEN], more].concat())
    }

    pub(crate) fn greeting(&self) -> &str {
        &self.greeting
    }

    /// Reads the log until these words come up in what was not read yet.
    pub(crate) fn wait_for_log(&mut self, words: &str) {
        loop {
            let mut line = String::new();
            assert!(self.stderr.read_line(&mut line).unwrap() > 0, "never said `{words}`: {}", self.log);
            self.log.push_str(&line);
            if line.contains(words) {
                return;
            }
        }
    }

    /// What a load balancer is told: the status of `/healthz`.
    pub(crate) fn health(&self) -> String {
        self.get("/healthz").0.to_string()
    }

    /// Reads a path as anybody does: the status, and the body.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let address = self.url.strip_prefix("http://").unwrap().strip_suffix("/mcp").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split_whitespace().nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// Ends the process as a crash does: nothing of it runs any more.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the process to end, as a supervisor does, and gives all it printed.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) -> Ran {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut out = std::mem::take(&mut self.greeting);
        self.stdout.read_to_string(&mut out).unwrap();
        let mut err = std::mem::take(&mut self.log);
        self.stderr.read_to_string(&mut err).unwrap();
        let code = self.child.wait().unwrap().code().expect("not ended by a signal");
        Ran { code, out, err }
    }
}

impl Drop for Seller {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
