//! A pooling proxy as PgBouncer is in transaction mode: each transaction of a client gets another server connection.
//! It can also lose a commit, or its answer, where a test says so.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};

use crate::fixture::url;

/// Server connections that are shared, however many clients there are.
const SHARED: usize = 3;

/// What happens to the next commit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// The server undoes it and says why.
    Conflict,
    /// It takes effect, and the connection is gone before anybody hears of it.
    LoseAnswer,
    /// It takes no effect, and the connection is gone.
    LoseCommit,
}

pub(crate) struct Proxy {
    /// The address of the server, by way of this proxy.
    pub(crate) url: String,
    state: Arc<State>,
}

struct State {
    upstream: String,
    free: mpsc::UnboundedSender<Server>,
    waiting: Mutex<mpsc::UnboundedReceiver<Server>>,
    opened: AtomicUsize,
    switches: AtomicUsize,
    commits: AtomicUsize,
    /// Every so many commits meet a conflict; 0 for none.
    conflict_every: usize,
    faults: StdMutex<VecDeque<Fault>>,
}

struct Server {
    number: usize,
    stream: TcpStream,
}

impl Proxy {
    pub(crate) async fn start(conflict_every: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = url();
        let (user, rest) = address.rsplit_once('@').expect("the address names a user");
        let (upstream, database) = rest.split_once('/').expect("the address names a database");
        let url = format!("{user}@{}/{database}", listener.local_addr().unwrap());
        let (free, waiting) = mpsc::unbounded_channel();
        let state = Arc::new(State {
            upstream: upstream.to_owned(),
            free,
            waiting: Mutex::new(waiting),
            opened: AtomicUsize::new(0),
            switches: AtomicUsize::new(0),
            commits: AtomicUsize::new(0),
            conflict_every,
            faults: StdMutex::new(VecDeque::new()),
        });
        let accepting = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = Arc::clone(&accepting);
                // A client that goes away ends its own part of the proxy, and nothing else.
                tokio::spawn(async move { state.serve(client).await });
            }
        });
        Self { url, state }
    }

    /// Lets the next commits meet these faults.
    pub(crate) fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state.faults.lock().unwrap().extend(faults);
    }

    /// How often a client got another server connection than the one before.
    pub(crate) fn switches(&self) -> usize {
        self.state.switches.load(Ordering::SeqCst)
    }
}

impl State {
    async fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        self.introduce(&mut client).await?;
        let mut last = None;
        while let Some(batch) = read_batch(&mut client).await? {
            let mut server = self.waiting.lock().await.recv().await.expect("the proxy holds a sender");
            if last.replace(server.number).is_some_and(|last| last != server.number) {
                self.switches.fetch_add(1, Ordering::SeqCst);
            }
            let done = self.transaction(&mut client, &mut server.stream, batch).await;
            if done.is_err() {
                // The client is gone in the middle: nothing of it may reach the next one.
                server.stream.write_all(&query("ROLLBACK")).await?;
                discard(&mut server.stream).await?;
            }
            let _ = self.free.send(server);
            done?;
        }
        Ok(())
    }

    /// Lets a client log in at a server connection of its own, which everybody uses from then on.
    async fn introduce(&self, client: &mut TcpStream) -> io::Result<()> {
        let mut server = TcpStream::connect(&self.upstream).await?;
        server.set_nodelay(true)?;
        let length = client.read_u32().await?;
        let mut startup = vec![0; length as usize - 4];
        client.read_exact(&mut startup).await?;
        server.write_u32(length).await?;
        server.write_all(&startup).await?;
        loop {
            let message = read_message(&mut server).await?;
            client.write_all(&message).await?;
            // Authentication that wants an answer: passwords and the steps of SASL.
            if message[0] == b'R' && matches!(message[8], 3 | 5 | 10 | 11) {
                let answer = read_message(client).await?;
                server.write_all(&answer).await?;
            }
            match message[0] {
                b'Z' => break,
                b'E' => return Err(io::ErrorKind::PermissionDenied.into()),
                _ => {}
            }
        }
        let number = self.opened.fetch_add(1, Ordering::SeqCst);
        if number < SHARED {
            let _ = self.free.send(Server { number, stream: server });
        }
        Ok(())
    }

    /// Passes on what belongs to one transaction.
    async fn transaction(
        &self,
        client: &mut TcpStream,
        server: &mut TcpStream,
        mut batch: Vec<u8>,
    ) -> io::Result<()> {
        loop {
            let fault = if batch == query("COMMIT") { self.fault() } else { None };
            match fault {
                Some(Fault::Conflict) => {
                    server.write_all(&query("ROLLBACK")).await?;
                    discard(server).await?;
                    return client.write_all(&conflict()).await;
                }
                Some(Fault::LoseAnswer) => {
                    server.write_all(&batch).await?;
                    discard(server).await?;
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
                Some(Fault::LoseCommit) => return Err(io::ErrorKind::ConnectionAborted.into()),
                None => server.write_all(&batch).await?,
            }
            let idle = loop {
                let message = read_message(server).await?;
                client.write_all(&message).await?;
                if message[0] == b'Z' {
                    break message[5] == b'I';
                }
            };
            if idle {
                return Ok(());
            }
            batch = read_batch(client).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        }
    }

    fn fault(&self) -> Option<Fault> {
        let commit = self.commits.fetch_add(1, Ordering::SeqCst) + 1;
        if self.conflict_every > 0 && commit.is_multiple_of(self.conflict_every) {
            return Some(Fault::Conflict);
        }
        self.faults.lock().unwrap().pop_front()
    }
}

/// One message with its kind and length.
async fn read_message(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut message = vec![0; 5];
    stream.read_exact(&mut message).await?;
    let length = u32::from_be_bytes([message[1], message[2], message[3], message[4]]) as usize;
    message.resize(length + 1, 0);
    stream.read_exact(&mut message[5..]).await?;
    Ok(message)
}

/// What a client sends until it waits for an answer; `None` when it leaves.
async fn read_batch(client: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut batch = Vec::new();
    loop {
        let message = match read_message(client).await {
            Ok(message) if message[0] == b'X' => return Ok(None),
            Ok(message) => message,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        };
        let asks = matches!(message[0], b'Q' | b'S');
        batch.extend(message);
        if asks {
            return Ok(Some(batch));
        }
    }
}

/// Reads what nobody is told.
async fn discard(server: &mut TcpStream) -> io::Result<()> {
    while read_message(server).await?[0] != b'Z' {}
    Ok(())
}

fn query(sql: &str) -> Vec<u8> {
    message(b'Q', format!("{sql}\0").as_bytes())
}

fn conflict() -> Vec<u8> {
    let mut both = message(b'E', b"SERROR\0VERROR\0C40001\0Mlost against another transaction\0\0");
    both.extend(message(b'Z', b"I"));
    both
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    let mut message = vec![kind];
    message.extend(length.to_be_bytes());
    message.extend(body);
    message
}
