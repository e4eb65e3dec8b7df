//! Reads the answers to JSON-RPC requests.

use adcp_types::json::JsonObject;
use serde_json::Value;

use super::{CallReply, ClientError};

/// Takes the result out of a JSON-RPC message, or the refusal.
pub(super) fn result(status: u16, message: Value) -> Result<Value, ClientError> {
    let Value::Object(mut message) = message else {
        return Err(protocol("the answer is no JSON object"));
    };
    if let Some(result) = message.remove("result") {
        return Ok(result);
    }
    let Some(error) = message.get("error").filter(|error| error.is_object()) else {
        return Err(protocol("the answer has neither `result` nor `error`"));
    };
    Err(ClientError::Refused {
        status,
        code: error.get("code").and_then(Value::as_i64).unwrap_or_default(),
        message: error.get("message").and_then(Value::as_str).unwrap_or("no message").to_owned(),
        adcp_error: error.pointer("/data/adcp_error").and_then(Value::as_object).cloned(),
    })
}

/// Takes the AdCP message out of the result of `tools/call`.
pub(super) fn reply(mut result: Value) -> Result<CallReply, ClientError> {
    let failed = result.get("isError") == Some(&Value::Bool(true));
    if let Some(Value::Object(body)) = result.get_mut("structuredContent").map(Value::take) {
        return Ok(CallReply { body, failed });
    }
    let texts = result.get("content").and_then(Value::as_array).into_iter().flatten();
    let mut texts = texts.filter_map(|block| block.get("text").and_then(Value::as_str));
    let first = texts.clone().next().unwrap_or("nothing").to_owned();
    match texts.find_map(|text| serde_json::from_str::<JsonObject>(text).ok()) {
        Some(body) => Ok(CallReply { body, failed }),
        None => Err(protocol(&format!("the tool answered no JSON object but: {}", excerpt(&first)))),
    }
}

/// Finds the answer to request `id` among the events of a stream that has ended or goes on.
pub(super) fn in_events(text: &str, id: i64) -> Option<Value> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.split("\n\n").find_map(|event| {
        let lines: Vec<&str> = event
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .map(|data| data.strip_prefix(' ').unwrap_or(data))
            .collect();
        let message: Value = serde_json::from_str(&lines.join("\n")).ok()?;
        let is_answer = message.get("result").is_some() || message.get("error").is_some();
        (is_answer && message.get("id").and_then(Value::as_i64) == Some(id)).then_some(message)
    })
}

/// The beginning of a text, on one line.
pub(super) fn excerpt(text: &str) -> String {
    let mut short: String =
        text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    if short.is_empty() {
        short.push_str("no text");
    }
    short
}

fn protocol(reason: &str) -> ClientError {
    ClientError::Protocol { reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn replies_come_from_structured_content_or_text() {
        let cases = [
            (json!({"structuredContent": {"a": 1}, "content": [], "isError": false}), json!({"a": 1}), false),
            (json!({"content": [{"type": "text", "text": "{\"a\":2}"}]}), json!({"a": 2}), false),
            (
                json!({"isError": true, "content": [{"type": "text", "text": "sorry"}, {"text": "{\"b\":1}"}]}),
                json!({"b": 1}),
                true,
            ),
        ];
        for (result, body, failed) in cases {
            let reply = reply(result).unwrap();
            assert_eq!((Value::Object(reply.body), reply.failed), (body, failed));
        }
        assert!(reply(json!({"content": [{"text": "plain"}]})).unwrap_err().to_string().contains("plain"));
        assert!(reply(json!({})).is_err());
    }

    #[test]
    fn refusals_keep_the_adcp_error() {
        let message = json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32028, "message": "no",
            "data": {"adcp_error": {"code": "AUTH_MISSING"}}}});
        let error = result(401, message).unwrap_err();
        assert_eq!(error.adcp_error().unwrap()["code"], "AUTH_MISSING");
        assert!(error.to_string().contains("check the token"), "{error}");
        assert!(result(200, json!({"id": 1})).is_err());
        assert!(result(200, json!([])).is_err());
    }

    #[test]
    fn the_answer_is_found_among_events() {
        let events = "retry: 3000\ndata:\n\n: ping\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\
                      \"notifications/progress\"}\n\nid: 3\r\ndata: {\"jsonrpc\":\"2.0\",\r\ndata: \"id\":7,\
                      \"result\":{}}\r\n\r\n";
        assert_eq!(in_events(events, 7).unwrap()["result"], json!({}));
        assert_eq!(in_events(events, 8), None);
        assert_eq!(in_events("data: {\"id\":7,\"resul", 7), None);
    }
}
