//! `adcp serve` under load, beside rmcp alone answering the same bytes.
//!
//! Both are release builds, driven in turns by `wrk` over 16 connections that stay open. The floor neither reads
//! arguments nor knows credentials, schemas or sellers: it clones one result and writes it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use crate::interop::Agent;

const CONNECTIONS: &str = "16";
const ROUNDS: usize = 3;
const PRODUCTS: u64 = 10;
/// What `adcp serve` should reach at least, as a part of the floor.
const GOAL: f64 = 0.5;

pub(super) fn run(args: &[&str]) -> anyhow::Result<()> {
    let seconds = match args {
        [] => 5,
        ["--seconds", n] => {
            n.parse::<u32>().ok().filter(|n| *n > 0).context("--seconds takes a whole number")?
        }
        _ => bail!("say `bench mcp [--seconds N]`"),
    };
    need_wrk()?;
    let root = crate::root();
    let target = crate::target_dir(&root)?;
    let (adcp, floor) = build(&root, &target)?;
    let folder = target.join("bench");
    fs::create_dir_all(&folder)?;

    let token = format!("bench-token-{}", std::process::id());
    let agent = Agent::start(&adcp, &token)?;
    let post = Post { body: request().to_string(), token };
    let answer = post.send(agent.address)?;
    check(&answer)?;
    let content = folder.join("content.json");
    fs::write(&content, text_of(&answer)?)?;
    let floor = Floor::start(&floor, &content)?;
    ensure!(post.send(floor.address)? == answer, "the floor answers other bytes than adcp serve");
    println!("one answer: {} bytes, {PRODUCTS} products; both servers send the same bytes", answer.len());

    let script = folder.join("post.lua");
    fs::write(&script, post.script())?;
    // The first run warms up caches and validators; it does not count.
    load(&script, agent.address, 1)?;
    let before = resident(agent.id());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        theirs.push(load(&script, floor.address, seconds)?);
        ours.push(load(&script, agent.address, seconds)?);
    }
    let after = resident(agent.id());
    ensure!(post.send(agent.address)? == answer, "adcp serve answers differently after the load");

    let (ours, theirs) = (median(ours), median(theirs));
    println!("rmcp alone  {theirs:>9.0} requests/s");
    println!("adcp serve  {ours:>9.0} requests/s, validated and authenticated");
    println!(
        "ratio {:.2} (goal {GOAL:.2}), median of {ROUNDS} runs of {seconds} s, {CONNECTIONS} connections",
        ours / theirs
    );
    match (before, after) {
        (Some(before), Some(after)) => {
            println!("resident memory of adcp serve: {before:.1} MB before the load, {after:.1} MB after");
        }
        _ => println!("resident memory of adcp serve: not known on this system"),
    }
    Ok(())
}

/// Finds `wrk`, or installs it where this process may.
fn need_wrk() -> anyhow::Result<()> {
    let has = || Command::new("wrk").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if has() {
        return Ok(());
    }
    let id = Command::new("id").arg("-u").output();
    if id.is_ok_and(|id| id.stdout.trim_ascii() == b"0") {
        eprintln!("installing wrk");
        let done = Command::new("apt-get")
            .args(["install", "--yes", "--quiet", "wrk"])
            .stdout(Stdio::null())
            .status();
        if done.is_ok_and(|status| status.success()) && has() {
            return Ok(());
        }
    }
    bail!("`wrk` is needed: install it with your package manager, such as `apt-get install wrk`")
}

/// Builds the command and the floor, and returns their paths.
fn build(root: &Path, target: &Path) -> anyhow::Result<(PathBuf, PathBuf)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    for what in [&["--package", "adcp-cli"][..], &["--package", "adcp-mcp", "--example", "floor"]] {
        let status = Command::new(&cargo)
            .current_dir(root)
            .args(["build", "--release", "--locked"])
            .args(what)
            .status()
            .context("cannot run cargo")?;
        ensure!(status.success(), "`cargo build --release {}` failed", what.join(" "));
    }
    let release = target.join("release");
    Ok((release.join("adcp"), release.join("examples/floor")))
}

/// Asks for ten products.
fn request() -> Value {
    json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {
            "name": "get_products",
            "arguments": { "buying_mode": "wholesale", "pagination": { "max_results": PRODUCTS } },
        },
    })
}

fn check(answer: &[u8]) -> anyhow::Result<()> {
    let message: Value = serde_json::from_slice(answer).context("adcp serve did not answer JSON")?;
    let products = message.pointer("/result/structuredContent/products").and_then(Value::as_array);
    let count = products.map_or(0, Vec::len) as u64;
    ensure!(count == PRODUCTS, "expected {PRODUCTS} products, got {count}: {message}");
    Ok(())
}

/// The text of an answer's only content block.
fn text_of(answer: &[u8]) -> anyhow::Result<String> {
    let message: Value = serde_json::from_slice(answer)?;
    let text = message.pointer("/result/content/0/text").and_then(Value::as_str);
    Ok(text.context("the answer has no text")?.to_owned())
}

/// The request both servers get.
struct Post {
    body: String,
    token: String,
}

impl Post {
    /// Sends it once and returns the body of the answer, which must be a 200.
    fn send(&self, address: SocketAddr) -> anyhow::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        write!(
            stream,
            "POST /mcp HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nAccept: \
             application/json, text/event-stream\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{}",
            self.token,
            self.body.len(),
            self.body
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").context("not an HTTP answer")?;
        let body = answer.split_off(end + 4);
        let head = String::from_utf8_lossy(&answer);
        ensure!(
            head.starts_with("HTTP/1.1 200"),
            "{address} answered {head}{}",
            String::from_utf8_lossy(&body)
        );
        Ok(body)
    }

    /// The same request for `wrk`.
    fn script(&self) -> String {
        format!(
            "wrk.method = 'POST'\nwrk.path = '/mcp'\nwrk.body = [==[{}]==]\n\
             wrk.headers['Content-Type'] = 'application/json'\n\
             wrk.headers['Accept'] = 'application/json, text/event-stream'\n\
             wrk.headers['Authorization'] = 'Bearer {}'\n",
            self.body, self.token
        )
    }
}

/// Loads a server and returns its requests per second. Any answer but a 2xx is an error.
fn load(script: &Path, address: SocketAddr, seconds: u32) -> anyhow::Result<f64> {
    let out = Command::new("wrk")
        .args(["-t", "1", "-c", CONNECTIONS, "-d", &format!("{seconds}s"), "-s"])
        .arg(script)
        .arg(format!("http://{address}/mcp"))
        .output()
        .context("cannot run wrk")?;
    read_report(&String::from_utf8_lossy(&out.stdout))
}

fn read_report(report: &str) -> anyhow::Result<f64> {
    let faults = ["Non-2xx", "Socket errors"];
    ensure!(!faults.iter().any(|fault| report.contains(fault)), "wrk saw errors:\n{report}");
    let rate = report.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    rate.and_then(|rate| rate.trim().parse().ok()).with_context(|| format!("wrk gave no rate:\n{report}"))
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Resident memory of a process in megabytes, where the system tells.
fn resident(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// The running floor, ended when dropped.
struct Floor {
    child: Child,
    address: SocketAddr,
}

impl Floor {
    fn start(binary: &Path, content: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(binary)
            .arg(content)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", binary.display()))?;
        let stdout = child.stdout.take().context("the floor has no output")?;
        let mut floor = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().strip_prefix("http://").and_then(|rest| rest.strip_suffix("/mcp"));
        floor.address = address.context("the floor did not start")?.parse()?;
        Ok(floor)
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read_and_errors_noticed() {
        let report = "Running 1s test\n  800 requests in 1.00s, 2MB read\nRequests/sec:    799.52\nTransfer/sec: 1MB\n";
        assert_eq!(read_report(report).unwrap(), 799.52);
        assert!(read_report("").is_err());
        let refused = format!("{report}  Non-2xx or 3xx responses: 3\n");
        assert!(read_report(&refused).unwrap_err().to_string().contains("Non-2xx"));
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    }
}
