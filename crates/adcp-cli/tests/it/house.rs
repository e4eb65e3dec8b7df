//! An agent with its documents, on this machine, as right or as wrong as a test wants it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// Answers until the test ends.
pub(crate) struct House {
    pub(crate) origin: String,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Default)]
struct Inside {
    capabilities: Value,
    documents: HashMap<String, (u16, String)>,
    /// Whether calls are refused before `initialize`.
    formal: bool,
}

impl House {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let inside = Arc::<Mutex<Inside>>::default();
        let shared = Arc::clone(&inside);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // Who asked may have left.
                let _ = serve(&stream.unwrap(), &shared);
            }
        });
        Self { origin, inside }
    }

    pub(crate) fn agent(&self) -> String {
        format!("{}/mcp", self.origin)
    }

    pub(crate) fn tell(&self, capabilities: Value) {
        self.inside.lock().unwrap().capabilities = capabilities;
    }

    pub(crate) fn wants_to_be_greeted(&self) {
        self.inside.lock().unwrap().formal = true;
    }

    pub(crate) fn put(&self, path: &str, status: u16, text: &impl ToString) {
        self.inside.lock().unwrap().documents.insert(path.to_owned(), (status, text.to_string()));
    }
}

fn serve(stream: &TcpStream, inside: &Mutex<Inside>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (mut length, mut greeted) = (0, false);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "mcp-session-id" => greeted = value == "s1",
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (status, kind, text) = {
        let inside = inside.lock().unwrap();
        match method.as_str() {
            "POST" => answer(&inside, greeted, &serde_json::from_slice(&body).unwrap()),
            _ => {
                let (status, text) = inside.documents.get(&path).cloned().unwrap_or((404, String::new()));
                (status, "application/json", text)
            }
        }
    };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status} Answer\r\ncontent-type: {kind}\r\nmcp-session-id: s1\r\nlocation: /elsewhere\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    )
}

fn answer(inside: &Inside, greeted: bool, message: &Value) -> (u16, &'static str, String) {
    let reply = |result: Value| json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
    match message["method"].as_str().unwrap() {
        "initialize" => {
            (200, "application/json", reply(json!({ "protocolVersion": "2025-06-18" })).to_string())
        }
        "tools/call" if inside.formal && !greeted => (400, "text/plain", "no session".to_owned()),
        "tools/call" if inside.formal => {
            let text = json!([{ "type": "text", "text": inside.capabilities.to_string() }]);
            let event = format!("event: message\ndata: {}\n\n", reply(json!({ "content": text })));
            (200, "text/event-stream", event)
        }
        "tools/call" => {
            let body = json!({ "structuredContent": inside.capabilities, "content": [], "isError": false });
            (200, "application/json", reply(body).to_string())
        }
        _ => (202, "application/json", String::new()),
    }
}
