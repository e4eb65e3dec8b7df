//! A running server, and raw HTTP to talk to it.

use std::net::SocketAddr;
use std::sync::Arc;

use adcp_mcp::{McpConfig, Server};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::seller::{Probe, TOKEN, agent};

/// A running server.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) url: String,
    pub(crate) probe: Arc<Probe>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn new() -> Self {
        Self::with(|config| config).await
    }

    pub(crate) async fn with(adjust: impl FnOnce(McpConfig) -> McpConfig) -> Self {
        let probe = Probe::new();
        let (stop, stopped) = oneshot::channel::<()>();
        let config = adjust(McpConfig::bind("127.0.0.1:0")).with_shutdown(async {
            let _ = stopped.await;
        });
        let server = Server::bind(agent(&probe), config).await.unwrap();
        let (address, url) = (server.local_addr(), server.url());
        let task = tokio::spawn(server.run());
        Self { address, url, probe, stop: Some(stop), task }
    }

    /// Signals shutdown and gives the server's task.
    pub(crate) fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Signals shutdown and waits for the end.
    pub(crate) async fn ended(mut self) {
        self.stop();
        self.task.await.unwrap();
    }

    /// Posts `body` to `/mcp` with the good token and `headers`, and gives the answer.
    pub(crate) async fn post(&self, body: impl ToString, headers: &[(&str, &str)]) -> Answer {
        let token = format!("Bearer {TOKEN}");
        let mut all = vec![("authorization", token.as_str())];
        all.extend_from_slice(headers);
        self.send("POST", "/mcp", &all, &body.to_string()).await
    }

    /// Posts `body` to `/mcp` without a credential.
    pub(crate) async fn post_anonymously(&self, body: impl ToString, headers: &[(&str, &str)]) -> Answer {
        self.send("POST", "/mcp", headers, &body.to_string()).await
    }

    /// Calls `tool` and gives the whole JSON-RPC message.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Answer {
        self.post(call(tool, arguments), &[]).await
    }

    /// Asks for the head of a path; gives the status and all that came until the server hung up.
    pub(crate) async fn head(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let asked = format!("HEAD {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(asked.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        (text[9..12].parse().unwrap(), text)
    }

    /// Sends one request on its own connection.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request(method, path, headers, body).as_bytes()).await.unwrap();
        Answer::read(&mut stream).await
    }
}

/// A request as text. `headers` replace the usual ones of the same name.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let length = body.len().to_string();
    let usual = [("host", "localhost"), ("content-type", "application/json"), ("content-length", &length)];
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    let kept = usual.iter().filter(|(name, _)| headers.iter().all(|(given, _)| given != name));
    for (name, value) in kept.chain(headers) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text + "\r\n" + body
}

/// A `tools/call` with id 1.
pub(crate) fn call(tool: &str, arguments: Value) -> Value {
    let mut message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool}});
    message["params"]["arguments"] = arguments;
    message
}

/// An HTTP answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    /// Reads one answer from a connection that may stay open.
    pub(crate) async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
                let mut answer = Self { status: head[9..12].parse().unwrap(), head, body: Vec::new() };
                let length = answer.header("content-length").map_or(0, |n| n.parse().unwrap());
                let mut body = bytes.split_off(end + 4);
                let have = body.len();
                body.resize(length, 0);
                stream.read_exact(&mut body[have..]).await.unwrap();
                answer.body = body;
                return answer;
            }
            assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "closed after {bytes:?}");
        }
    }

    /// The value of a header, or none.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (given, value) = line.split_once(':')?;
            given.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// Asserts a JSON-RPC error and gives its message.
    #[track_caller]
    pub(crate) fn error(&self, status: u16, code: i64) -> String {
        let message = self.json();
        assert_eq!((self.status, &message["error"]["code"]), (status, &json!(code)), "{message}");
        assert_eq!(message["jsonrpc"], "2.0");
        message["error"]["message"].as_str().unwrap().to_owned()
    }
}

/// A call that waits until the test releases it.
pub(crate) fn slow_call() -> Value {
    call("get_products", json!({"buying_mode": "brief", "brief": "slow"}))
}
