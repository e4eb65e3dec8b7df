//! Internal causes are logged once, with an id; the buyer gets the id and nothing else.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex};

use adcp_decisioning::internal_error;
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::seller::{Mode, agent, call, code, order};

/// The fields of one event.
type Entry = Vec<(String, String)>;

/// Keeps every event.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<Entry>>>);

struct Fields<'a>(&'a mut Entry);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.name().to_owned(), format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name().to_owned(), value.to_owned()));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let (mut chain, mut cause) = (value.to_string(), value.source());
        while let Some(error) = cause {
            chain.push_str(&format!(": {error}"));
            cause = error.source();
        }
        self.0.push((field.name().to_owned(), chain));
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Vec::new();
        event.record(&mut Fields(&mut fields));
        self.0.lock().unwrap().push(fields);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Debug)]
struct Outer(std::io::Error);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the order was not stored")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn the_chain_is_logged_once_and_the_wire_has_only_the_id() {
    let log = Log::default();
    let cause = Outer(std::io::Error::other("password of db-7.internal refused"));
    let error = tracing::subscriber::with_default(log.clone(), || internal_error("booking an order", &cause));
    let wire = Value::Object(error.to_json());
    let id = wire["details"]["correlation_id"].as_str().unwrap();

    let events = log.0.lock().unwrap();
    assert_eq!(events.len(), 1);
    let field = |name: &str| events[0].iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    assert_eq!(field("correlation_id"), Some(id));
    assert_eq!(field("doing"), Some("booking an order"));
    assert_eq!(field("error"), Some("the order was not stored: password of db-7.internal refused"));
    for secret in ["db-7", "password", "stored", "booking"] {
        assert!(!wire.to_string().contains(secret), "{wire}");
    }
    assert_ne!(internal_error("again", &cause).details(), error.details());
}

#[tokio::test]
async fn an_invalid_answer_has_an_id_to_ask_about() {
    let (agent, _) = agent(Mode::Invalid);
    let reply = call(&agent, "acme", "create_media_buy", order("key-0123456789abcdef")).await;
    assert_eq!(code(&reply), "SERVICE_UNAVAILABLE");
    for layer in [&reply.body["adcp_error"], &reply.body["errors"][0]] {
        assert_eq!(layer["details"]["correlation_id"].as_str().unwrap().len(), 16);
        assert!(!layer.to_string().contains("confirmed_at"));
    }
}
