//! One JSON-RPC message, read once and checked before anything acts on it.

use adcp_types::json::JsonObject;
use bytes::Bytes;
use serde_json::{Map, Value};

use crate::rpc::{Fault, INVALID_PARAMS, INVALID_REQUEST};

/// What a message asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Message {
    /// `tools/call`.
    Call(ToolCall),
    /// Any other request or notification; nothing in it is ours to read.
    Other {
        /// The id; null for a notification.
        id: Value,
    },
}

/// A `tools/call`.
#[derive(Debug, PartialEq)]
pub(crate) struct ToolCall {
    pub(crate) id: Value,
    pub(crate) name: String,
    pub(crate) arguments: JsonObject,
    /// The same request without its arguments, for the protocol layer behind.
    pub(crate) envelope: Bytes,
}

/// Reads a message.
pub(crate) fn read(value: Value) -> Result<Message, Fault> {
    let mut message = match value {
        Value::Object(message) => message,
        Value::Array(_) => {
            return Err(Fault::unreadable(
                INVALID_REQUEST,
                "batches are not served: send one message per request",
            ));
        }
        _ => return Err(Fault::unreadable(INVALID_REQUEST, "a message is a JSON object")),
    };
    let id = message.get("id").cloned();
    let id_is_sound =
        id.as_ref().is_none_or(|id| id.is_string() || id.as_number().is_some_and(serde_json::Number::is_i64));
    if !id_is_sound {
        return Err(Fault::unreadable(INVALID_REQUEST, "`id` must be a string or an integer"));
    }
    let refuse = |code, reason: &str| match &id {
        Some(id) => Fault::reply(id, code, reason),
        None => Fault::unreadable(code, reason),
    };
    if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(refuse(INVALID_REQUEST, "`jsonrpc` must be \"2.0\""));
    }
    let method = match message.get("method") {
        Some(Value::String(method)) => method.as_str(),
        Some(_) => return Err(refuse(INVALID_REQUEST, "`method` must be a string")),
        None if message.contains_key("result") || message.contains_key("error") => {
            return Err(Fault::unreadable(
                INVALID_REQUEST,
                "this server asks nothing, so it takes no responses",
            ));
        }
        None => return Err(refuse(INVALID_REQUEST, "`method` is missing")),
    };
    let Some(id) = id else {
        if method.starts_with("notifications/") {
            return Ok(Message::Other { id: Value::Null });
        }
        return Err(Fault::unreadable(INVALID_REQUEST, "`id` is missing: a request needs one"));
    };
    let invalid = |reason: String| Fault::reply(&id, INVALID_PARAMS, reason);
    if message.get("params").is_some_and(|params| !params.is_object()) {
        return Err(invalid("`params` must be an object".to_owned()));
    }
    if method == "initialize" {
        check_initialize(message.get("params")).map_err(invalid)?;
    }
    if method != "tools/call" {
        return Ok(Message::Other { id });
    }
    let Some(Value::Object(params)) = message.remove("params") else {
        return Err(invalid("`params` is missing: it holds `name` and `arguments`".to_owned()));
    };
    read_call(id.clone(), params).map(Message::Call).map_err(invalid)
}

fn read_call(id: Value, mut params: Map<String, Value>) -> Result<ToolCall, String> {
    let name = match params.remove("name") {
        Some(Value::String(name)) => name,
        Some(_) => return Err("`params.name` must be a string".to_owned()),
        None => return Err("`params.name` is missing: it names the tool".to_owned()),
    };
    let arguments = match params.remove("arguments") {
        Some(Value::Object(arguments)) => arguments,
        None | Some(Value::Null) => JsonObject::new(),
        Some(_) => return Err("`params.arguments` must be an object".to_owned()),
    };
    let mut kept = Map::new();
    if let Some(meta) = params.remove("_meta") {
        if !meta.is_object() {
            return Err("`params._meta` must be an object".to_owned());
        }
        kept.insert("_meta".to_owned(), meta);
    }
    kept.insert("name".to_owned(), name.clone().into());
    let mut envelope = Map::new();
    envelope.insert("jsonrpc".to_owned(), "2.0".into());
    envelope.insert("id".to_owned(), id.clone());
    envelope.insert("method".to_owned(), "tools/call".into());
    envelope.insert("params".to_owned(), kept.into());
    Ok(ToolCall { id, name, arguments, envelope: Value::Object(envelope).to_string().into() })
}

/// Names the field that keeps `initialize` from being understood.
fn check_initialize(params: Option<&Value>) -> Result<(), String> {
    let required = [
        ("/protocolVersion", "a string"),
        ("/capabilities", "an object"),
        ("/clientInfo/name", "a string"),
        ("/clientInfo/version", "a string"),
    ];
    for (pointer, kind) in required {
        let found = params.and_then(|params| params.pointer(pointer));
        let sound =
            found.is_some_and(|value| if kind == "a string" { value.is_string() } else { value.is_object() });
        if !sound {
            return Err(format!("`params{}` must be {kind}", pointer.replace('/', ".")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rpc::INVALID_REQUEST;

    fn call(message: Value) -> ToolCall {
        match read(message).unwrap() {
            Message::Call(call) => call,
            Message::Other { .. } => panic!("not a call"),
        }
    }

    #[test]
    fn a_call_is_taken_apart() {
        let call = call(json!({"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": {
            "name": "get_products", "arguments": {"brief": "shoes"}, "_meta": {"k": 1}, "other": 2}}));
        assert_eq!(call.name, "get_products");
        assert_eq!(call.arguments["brief"], "shoes");
        let envelope: Value = serde_json::from_slice(&call.envelope).unwrap();
        let expected = json!({"jsonrpc": "2.0", "id": "a", "method": "tools/call",
            "params": {"name": "get_products", "_meta": {"k": 1}}});
        assert_eq!(envelope, expected);
    }

    #[test]
    fn absent_and_null_arguments_are_empty() {
        for params in [json!({"name": "t"}), json!({"name": "t", "arguments": null})] {
            let call = call(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}));
            assert!(call.arguments.is_empty());
        }
    }

    #[test]
    fn faults_name_the_field() {
        let call =
            |params: Value| json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let init =
            |params: Value| json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
        let cases = [
            (json!([]), INVALID_REQUEST, "batches"),
            (json!(3), INVALID_REQUEST, "object"),
            (json!({"jsonrpc": "2.0", "id": null, "method": "ping"}), INVALID_REQUEST, "`id`"),
            (json!({"jsonrpc": "2.0", "id": 1.5, "method": "ping"}), INVALID_REQUEST, "`id`"),
            (json!({"jsonrpc": "2.0", "id": [], "method": "ping"}), INVALID_REQUEST, "`id`"),
            (json!({"jsonrpc": "2.0", "method": "tools/call"}), INVALID_REQUEST, "`id` is missing"),
            (json!({"id": 1, "method": "ping"}), INVALID_REQUEST, "`jsonrpc`"),
            (json!({"jsonrpc": "1.0", "id": 1, "method": "ping"}), INVALID_REQUEST, "`jsonrpc`"),
            (json!({"jsonrpc": "2.0", "id": 1}), INVALID_REQUEST, "`method` is missing"),
            (json!({"jsonrpc": "2.0", "id": 1, "method": 7}), INVALID_REQUEST, "`method`"),
            (json!({"jsonrpc": "2.0", "id": 1, "result": {}}), INVALID_REQUEST, "responses"),
            (json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}), INVALID_PARAMS, "`params`"),
            (
                json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call"}),
                INVALID_PARAMS,
                "`params` is missing",
            ),
            (call(json!({})), INVALID_PARAMS, "`params.name` is missing"),
            (call(json!({"name": 1})), INVALID_PARAMS, "`params.name`"),
            (call(json!({"name": "t", "arguments": []})), INVALID_PARAMS, "`params.arguments`"),
            (call(json!({"name": "t", "arguments": "{}"})), INVALID_PARAMS, "`params.arguments`"),
            (call(json!({"name": "t", "_meta": 1})), INVALID_PARAMS, "`params._meta`"),
            (init(json!({})), INVALID_PARAMS, "`params.protocolVersion`"),
            (init(json!({"protocolVersion": "2025-06-18"})), INVALID_PARAMS, "`params.capabilities`"),
            (
                init(
                    json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "c"}}),
                ),
                INVALID_PARAMS,
                "`params.clientInfo.version`",
            ),
        ];
        for (message, code, part) in cases {
            let shown = message.to_string();
            let fault = format!("{:?}", read(message).unwrap_err());
            assert!(fault.contains(&code.to_string()) && fault.contains(part), "{shown}: {fault}");
        }
    }

    #[test]
    fn the_rest_passes_untouched() {
        let cases = [
            (json!({"jsonrpc": "2.0", "method": "notifications/initialized"}), Value::Null),
            (json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}), json!(1)),
            (json!({"jsonrpc": "2.0", "id": "x", "method": "no/such"}), json!("x")),
        ];
        for (message, id) in cases {
            assert_eq!(read(message).unwrap(), Message::Other { id });
        }
    }
}
