//! What passes beside rmcp while it handles a request: arguments in, rendered result out.
//!
//! rmcp would parse the arguments a second time and build the result as a tree, to serialise it again. It
//! gets the envelope of the message instead and answers with an empty result; what belongs there is
//! written into that answer's text afterwards.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use adcp_decisioning::Call;
use adcp_types::json::JsonObject;
use bytes::Bytes;

use crate::render::{write_object, write_quoted};

/// The side channel of one request. Travels in the extensions of the HTTP request.
#[derive(Clone, Default)]
pub(crate) struct Exchange(Arc<Inner>);

#[derive(Default)]
struct Inner {
    call: Mutex<Option<Call>>,
    result: OnceLock<Outcome>,
}

/// What a handler leaves behind for the empty answer that rmcp makes.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// What a tool said, and whether it failed.
    Reply(JsonObject, bool),
    /// The tools, rendered as a JSON array.
    Tools(Bytes),
}

impl Exchange {
    /// An exchange that carries `call` to the handler.
    pub(crate) fn carrying(call: Call) -> Self {
        let exchange = Self::default();
        *exchange.0.call.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(call);
        exchange
    }

    /// Takes the call; `None` the second time.
    pub(crate) fn take_call(&self) -> Option<Call> {
        self.0.call.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }

    /// Leaves the outcome; the first one stays.
    pub(crate) fn leave(&self, outcome: Outcome) {
        let _ = self.0.result.set(outcome);
    }

    /// Completes the answer `empty` that rmcp made, if there is an outcome.
    ///
    /// Gives `None` when the answer has no place for it.
    pub(crate) fn complete(&self, empty: Bytes) -> Option<Bytes> {
        match self.0.result.get() {
            None => Some(empty),
            Some(Outcome::Reply(body, failed)) => write_reply(&empty, body, *failed),
            Some(Outcome::Tools(tools)) => write_tools(&empty, tools),
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

/// Inside a JSON string the quotes would be escaped, so these match members only.
const NO_CONTENT: &[u8] = b"\"content\":[]";
const NO_TOOLS: &[u8] = b"\"tools\":[]";

fn write_reply(empty: &[u8], message: &JsonObject, failed: bool) -> Option<Bytes> {
    let at = find(empty, NO_CONTENT)?;
    let mut body = Vec::with_capacity(4096);
    write_object(message, &mut body).ok()?;
    let mut out = Vec::with_capacity(empty.len() + 3 * body.len() + 64);
    out.extend_from_slice(&empty[..at]);
    out.extend_from_slice(b"\"content\":[{\"type\":\"text\",\"text\":");
    match message.get("adcp_error").filter(|_| failed) {
        Some(error) => write_quoted(format!("{{\"adcp_error\":{error}}}").as_bytes(), &mut out),
        None => write_quoted(&body, &mut out),
    }
    out.extend_from_slice(b"}],\"structuredContent\":");
    out.extend_from_slice(&body);
    out.extend_from_slice(&empty[at + NO_CONTENT.len()..]);
    Some(out.into())
}

fn write_tools(empty: &[u8], tools: &[u8]) -> Option<Bytes> {
    let at = find(empty, NO_TOOLS)?;
    let mut out = Vec::with_capacity(empty.len() + tools.len());
    out.extend_from_slice(&empty[..at]);
    out.extend_from_slice(b"\"tools\":");
    out.extend_from_slice(tools);
    out.extend_from_slice(&empty[at + NO_TOOLS.len()..]);
    Some(out.into())
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn completed(id: &Value, outcome: Outcome, empty_result: &str) -> Value {
        let exchange = Exchange::default();
        exchange.leave(outcome);
        let empty = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{empty_result}}}");
        serde_json::from_slice(&exchange.complete(empty.into()).unwrap()).unwrap()
    }

    fn reply(body: Value, failed: bool) -> Outcome {
        let Value::Object(body) = body else { panic!("not an object") };
        Outcome::Reply(body, failed)
    }

    #[test]
    fn a_success_is_written_twice_the_same() {
        let body = json!({"status": "completed", "products": [{"name": "a \"quoted\" \\ naïve\n"}]});
        let id = json!("tricky \"content\":[] id");
        let whole = completed(&id, reply(body.clone(), false), r#"{"content":[],"isError":false}"#);
        assert_eq!(whole["id"], id);
        assert_eq!(whole["result"]["structuredContent"], body);
        assert_eq!(whole["result"]["isError"], false);
        let text = whole["result"]["content"][0]["text"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), body);
    }

    #[test]
    fn a_failure_has_the_error_as_text() {
        let error = json!({"code": "INVALID_REQUEST", "message": "no"});
        let body = json!({"status": "failed", "adcp_error": error, "errors": [error]});
        let whole = completed(&json!(1), reply(body.clone(), true), r#"{"content":[],"isError":true}"#);
        assert_eq!(whole["result"]["structuredContent"], body);
        let text = whole["result"]["content"][0]["text"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), json!({"adcp_error": error}));
    }

    #[test]
    fn tools_are_put_in_place() {
        let tools = Outcome::Tools(Bytes::from_static(b"[{\"name\":\"t\"}]"));
        let whole = completed(&json!(1), tools, r#"{"ttlMs":0,"tools":[]}"#);
        assert_eq!(whole["result"], json!({"ttlMs": 0, "tools": [{"name": "t"}]}));
    }

    #[test]
    fn nothing_left_behind_leaves_the_answer_alone() {
        assert_eq!(Exchange::default().complete("{}".into()).as_deref(), Some(b"{}".as_slice()));
        let exchange = Exchange::default();
        exchange.leave(Outcome::Tools(Bytes::new()));
        assert_eq!(exchange.complete("{}".into()), None);
    }
}
