//! What a buyer registers to hear of the end of a task, and whether it can ever be used.

use adcp_core::{AdcpError, CallbackAuth, Delivery, Registration, Secret};
use serde_json::Value;

/// Longer addresses are refused, in bytes.
const MAX_URL: usize = 2048;

/// Longer credentials are refused, in characters: they are kept and, of some schemes, sent in a header.
const MAX_CREDENTIALS: usize = 4096;

/// Reads a registration that the schema has accepted.
///
/// A promise to notify that cannot be kept is refused by the name of the field that stands in its way.
///
/// Spec: `core/push-notification-config.json`.
pub(super) fn registration(
    config: &Value,
    delivery: Option<&dyn Delivery>,
    keeps_credentials: bool,
) -> Result<Registration, AdcpError> {
    let text = |name: &str| config.get(name).and_then(Value::as_str);
    let url = text("url").unwrap_or_default();
    check_url(url, delivery).map_err(|words| refused("url", words))?;
    let operation_id = text("operation_id").ok_or_else(|| {
        refused("operation_id", "every notification repeats the operation_id, so it is required")
            .with_suggestion("send an operation_id of your own, or poll with get_task_status")
    })?;
    let authentication = config.get("authentication").filter(|auth| !auth.is_null());
    if !keeps_credentials {
        for field in ["token", "authentication"] {
            if config.get(field).is_some_and(|value| !value.is_null()) {
                return Err(refused(field, "this agent keeps no credentials of callbacks")
                    .with_suggestion("register without it, or poll with get_task_status"));
            }
        }
    }
    let authentication = authentication.map(authentication_of).transpose()?;
    let registration = Registration::new(url, operation_id).map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "no key for an event");
        AdcpError::unavailable()
    })?;
    Ok(registration.with_token(text("token").map(Secret::new)).with_authentication(authentication))
}

fn check_url(url: &str, delivery: Option<&dyn Delivery>) -> Result<(), String> {
    if url.len() > MAX_URL {
        return Err(format!("the address has {} bytes; the limit is {MAX_URL}", url.len()));
    }
    let (scheme, rest) = url.split_once("://").ok_or("expected an absolute https address")?;
    let secure = scheme.eq_ignore_ascii_case("https");
    if !secure && !scheme.eq_ignore_ascii_case("http") {
        return Err("expected an https address".to_owned());
    }
    if rest.bytes().any(|byte| byte.is_ascii_control() || byte == b' ' || byte == b'\\') {
        return Err("the address contains a character that no address has".to_owned());
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("the address contains a user name; use `authentication` instead".to_owned());
    }
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    if host.is_empty() {
        return Err("the address has no host".to_owned());
    }
    match delivery {
        Some(delivery) => delivery.admits(url).map_err(|refusal| refusal.0),
        None if secure => Ok(()),
        None => Err("expected an https address".to_owned()),
    }
}

fn authentication_of(authentication: &Value) -> Result<CallbackAuth, AdcpError> {
    let scheme = authentication.pointer("/schemes/0").and_then(Value::as_str);
    let Some(scheme @ ("Bearer" | "HMAC-SHA256")) = scheme else {
        return Err(refused("authentication.schemes", "expected exactly one of Bearer and HMAC-SHA256"));
    };
    let credentials = authentication.get("credentials").and_then(Value::as_str).unwrap_or_default();
    if credentials.chars().nth(MAX_CREDENTIALS).is_some() {
        let words = format!("the limit is {MAX_CREDENTIALS} characters");
        return Err(refused("authentication.credentials", words));
    }
    if scheme == "Bearer" && !credentials.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refused(
            "authentication.credentials",
            "a bearer token is sent in a header: visible ASCII only",
        ));
    }
    Ok(CallbackAuth::new(scheme, Secret::new(credentials)))
}

fn refused(field: &str, words: impl Into<String>) -> AdcpError {
    AdcpError::invalid_request(format!("push_notification_config.{field}"), words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_without_a_delivery() {
        let long = format!("https://buyer.example/{}", "a".repeat(MAX_URL));
        let cases = [
            ("https://buyer.example/hook?x=1#y", true),
            ("HTTPS://buyer.example:8443", true),
            ("https://[2001:db8::1]:8443/hook", true),
            ("http://buyer.example/hook", false),
            ("ftp://buyer.example/hook", false),
            ("buyer.example/hook", false),
            ("https://", false),
            ("https://:443/hook", false),
            ("https:///hook", false),
            ("https://user:pass@buyer.example/hook", false),
            ("https://buyer.example\\@evil.example/", false),
            ("https://buyer.example/a b", false),
            (long.as_str(), false),
        ];
        for (url, good) in cases {
            assert_eq!(check_url(url, None).is_ok(), good, "{url}");
        }
    }
}
