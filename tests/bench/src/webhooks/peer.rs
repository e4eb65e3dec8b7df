//! The receiver's process as the sender holds it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, ensure};

/// The running receiver, ended when dropped.
pub(super) struct Peer {
    child: Child,
    talk: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    pub(super) ports: Vec<u16>,
}

/// What came in a round.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Report {
    /// Events that came at least once.
    pub(super) distinct: u64,
    pub(super) requests: u64,
    pub(super) signed: u64,
    /// Of bodies.
    pub(super) bytes: u64,
}

impl Peer {
    pub(super) fn start(ports: usize) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["receiver", &ports.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the receiver")?;
        let input = child.stdin.take().context("the receiver has no input")?;
        let output = BufReader::new(child.stdout.take().context("the receiver has no output")?);
        let mut peer = Self { child, talk: Mutex::new((input, output)), ports: Vec::new() };
        let line = peer.read()?;
        peer.ports = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        ensure!(peer.ports.len() == ports, "the receiver has other ports than it was asked for");
        Ok(peer)
    }

    /// Forgets what came, and expects so many events.
    pub(super) fn begin(&self, events: usize) -> anyhow::Result<()> {
        self.ask(&format!("round {events}")).map(drop)
    }

    /// The first so many ports never answer from now on.
    pub(super) fn hang(&self, ports: usize) -> anyhow::Result<()> {
        self.ask(&format!("hang {ports}")).map(drop)
    }

    /// Processor time that the receiver has used.
    pub(super) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        super::cpu_seconds_of(&self.child.id().to_string())
    }

    /// Answers come so many milliseconds later from now on.
    pub(super) fn distance(&self, millis: u64) -> anyhow::Result<()> {
        self.ask(&format!("distance {millis}")).map(drop)
    }

    pub(super) fn requests(&self) -> anyhow::Result<u64> {
        Ok(self.ask("requests")?.parse()?)
    }

    pub(super) fn report(&self) -> anyhow::Result<Report> {
        let line = self.ask("report")?;
        let counts = line.split(' ').map(str::parse).collect::<Result<Vec<u64>, _>>()?;
        let [distinct, requests, signed, bytes] = counts[..] else {
            anyhow::bail!("the receiver said `{line}`")
        };
        Ok(Report { distinct, requests, signed, bytes })
    }

    /// When each event came first, in microseconds; zero is never.
    pub(super) fn times(&self) -> anyhow::Result<Vec<i64>> {
        Ok(self.ask("times")?.split(' ').map(str::parse).collect::<Result<_, _>>()?)
    }

    fn ask(&self, line: &str) -> anyhow::Result<String> {
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(talk.0, "{line}").context("the receiver is gone")?;
        let mut answer = String::new();
        talk.1.read_line(&mut answer)?;
        ensure!(!answer.is_empty(), "the receiver is gone");
        Ok(answer.trim().to_owned())
    }

    fn read(&self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.talk.lock().unwrap_or_else(PoisonError::into_inner).1.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
