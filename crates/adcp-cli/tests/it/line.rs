//! A line to a server that a test can cut and mend.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Carries bytes between clients and a server.
pub(crate) struct Line {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    cut: bool,
    open: Vec<TcpStream>,
}

impl Line {
    /// To the server at `host` and `port`.
    pub(crate) fn to(host: &str, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let line = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let (state, host) = (Arc::clone(&line.state), host.to_owned());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let mut state = state.lock().unwrap();
                if state.cut {
                    continue;
                }
                let server = TcpStream::connect((host.as_str(), port)).unwrap();
                for (from, to) in [(&client, &server), (&server, &client)] {
                    carry(from.try_clone().unwrap(), to.try_clone().unwrap());
                }
                state.open.extend([client, server]);
            }
        });
        line
    }

    /// Ends every connection; new ones end at once.
    pub(crate) fn cut(&self) {
        let mut state = self.state.lock().unwrap();
        state.cut = true;
        for stream in state.open.drain(..) {
            // The other side may have ended it before.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Lets new connections through again.
    pub(crate) fn mend(&self) {
        self.state.lock().unwrap().cut = false;
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let mut bytes = [0; 8192];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            if to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
