//! What is logged and printed holds no secret: a url may carry a token, a header or a body surely does.

use std::io;
use std::sync::{Arc, Mutex};

use adcp_egress::{Egress, Limits, Request};
use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use crate::receiver::{Receiver, Scripted, Step};

#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// Writes down what this thread logs, as long as what it returns lives.
    fn listen(&self) -> (Dispatch, DefaultGuard) {
        let to = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
        // While there is one listener only, the first thread to pass a place decides for all whether it is heard.
        let second = Dispatch::new(tracing_subscriber::registry());
        (second, tracing::subscriber::set_default(to.with_writer(self.clone()).finish()))
    }
}

#[tokio::test]
async fn nothing_secret_is_logged_or_printed() {
    let log = Log::default();
    let _listening = log.listen();
    let answer =
        b"HTTP/1.1 302 Found\r\nlocation: https://a.example/?hunter2\r\ncontent-length: 7\r\n\r\nhunter2";
    let receiver = Receiver::plain(&[Step::Read, Step::Send(answer)]).await;
    let egress =
        Egress::builder().allow_loopback_http().resolver(Scripted::new(&[&["10.0.0.1"]])).build().unwrap();
    let mut printed = String::new();
    for url in [
        receiver.plain_url("/hunter2?token=hunter2"),
        "https://buyer.example/hunter2?token=hunter2".to_owned(),
        "https://user:hunter2@buyer.example/".to_owned(),
        "https://127.0.0.1:1/hunter2".to_owned(),
        "hunter2".to_owned(),
    ] {
        let request = Request::post(&url, "hunter2").with_header("authorization", "Bearer hunter2");
        printed.push_str(&format!("{request:?} {:?} ", egress.admits(&url)));
        match egress.send(request, Limits::new()).await {
            Ok(response) => printed.push_str(&format!("{response:?} ")),
            Err(error) => printed.push_str(&format!("{error} {error:?} ")),
        }
    }
    let log = log.text();
    assert!(!printed.contains("hunter2"), "{printed}");
    assert!(!log.contains("hunter2"), "{log}");
    // The operator sees whom it was about, and where a name led.
    for words in ["answered", &format!("origin=\"http://{}\"", receiver.address), "status=302", "10.0.0.1"] {
        assert!(log.contains(words), "{words}: {log}");
    }
}

#[test]
fn opening_loopback_is_said_once_and_aloud() {
    let log = Log::default();
    let _listening = log.listen();
    let egress = Egress::builder().allow_loopback_http().build().unwrap();
    let _ = (egress.admits("http://127.0.0.1/"), egress.admits("http://localhost/"));
    assert_eq!(log.text().matches("WARN").count(), 1, "{}", log.text());
    assert!(log.text().contains("never in production"));
}
