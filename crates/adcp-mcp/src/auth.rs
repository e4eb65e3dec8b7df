//! Who calls a tool: credentials from headers, and the refusal without them.

use adcp_core::Secret;
use adcp_decisioning::{Agent, AuthFailure, Caller, Credentials};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::rpc::{Answer, Fault, UNAUTHENTICATED, UNAVAILABLE, with_header};

/// The headers of old AdCP clients that carry a bare key.
const KEY_HEADERS: [&str; 2] = ["x-adcp-auth", "x-api-key"];

/// Finds out who calls `tool`; the answer to send if that is nobody it serves.
///
/// A public tool is served to anybody: a credential that is wrong or cannot be checked counts as none
/// there, since the answer is the same for all and buyers read capabilities before they try their keys.
pub(crate) async fn authenticate(
    agent: &Agent,
    headers: &HeaderMap,
    tool: &str,
    id: &Value,
) -> Result<Option<Caller>, Box<Answer>> {
    let credentials = credentials(headers);
    match agent.authenticate(&credentials).await {
        Ok(caller) => Ok(Some(caller)),
        Err(_) if agent.is_public(tool) => Ok(None),
        Err(failure) => Err(Box::new(refusal(failure, id))),
    }
}

/// What the headers offer; `Authorization` counts first.
fn credentials(headers: &HeaderMap) -> Credentials {
    if let Some(value) = headers.get(AUTHORIZATION) {
        return value.to_str().ok().and_then(authorization).unwrap_or(Credentials::Unreadable);
    }
    match KEY_HEADERS.iter().find_map(|name| headers.get(*name)) {
        Some(value) => {
            value.to_str().map_or(Credentials::Unreadable, |key| Credentials::ApiKey(Secret::new(key.trim())))
        }
        None => Credentials::None,
    }
}

/// Reads the value of an `Authorization` header.
///
/// Without a password, the user name of `Basic` is taken for the key, as many services have it.
fn authorization(value: &str) -> Option<Credentials> {
    let (scheme, rest) = value.trim().split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Credentials::Bearer(Secret::new(rest.trim())));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64.decode(rest.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    let secret = if password.is_empty() { user } else { password };
    Some(Credentials::Basic { user: user.to_owned(), password: Secret::new(secret) })
}

fn refusal(failure: AuthFailure, id: &Value) -> Answer {
    let error = failure.error();
    let unauthorized = || Fault::adcp(StatusCode::UNAUTHORIZED, id, UNAUTHENTICATED, &error).answer();
    match failure {
        AuthFailure::Missing => with_header(unauthorized(), WWW_AUTHENTICATE, "Bearer realm=\"adcp\""),
        AuthFailure::Invalid => {
            let challenge = "Bearer realm=\"adcp\", error=\"invalid_token\"";
            with_header(unauthorized(), WWW_AUTHENTICATE, challenge)
        }
        AuthFailure::Unavailable => {
            let answer = Fault::adcp(StatusCode::SERVICE_UNAVAILABLE, id, UNAVAILABLE, &error).answer();
            with_header(answer, RETRY_AFTER, "1")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an authenticator would see, secrets included.
    fn seen(pairs: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        match credentials(&headers) {
            Credentials::None => "none".to_owned(),
            Credentials::Bearer(secret) => format!("bearer {}", secret.expose()),
            Credentials::Basic { user, password } => format!("basic {user} {}", password.expose()),
            Credentials::ApiKey(secret) => format!("key {}", secret.expose()),
            Credentials::Signed(signature) => format!("signed {}", signature.keyid),
            Credentials::Unreadable => "unreadable".to_owned(),
        }
    }

    #[test]
    fn headers_are_read() {
        let cases: [(&[(&str, &str)], &str); 14] = [
            (&[], "none"),
            (&[("authorization", "Bearer abc")], "bearer abc"),
            (&[("authorization", "bearer  abc ")], "bearer abc"),
            (&[("authorization", "Basic dXNlcjpwYXNz")], "basic user pass"),
            (&[("authorization", "Basic a2V5Og==")], "basic key key"),
            (&[("authorization", "Basic a2V5")], "unreadable"),
            (&[("authorization", "Basic !")], "unreadable"),
            (&[("authorization", "Basic /w==")], "unreadable"),
            (&[("authorization", "Digest abc")], "unreadable"),
            (&[("authorization", "abc")], "unreadable"),
            (&[("authorization", "")], "unreadable"),
            (&[("x-api-key", "k1")], "key k1"),
            (&[("x-api-key", "k1"), ("x-adcp-auth", "k2")], "key k2"),
            (&[("x-api-key", "k1"), ("authorization", "Digest abc")], "unreadable"),
        ];
        for (headers, expected) in cases {
            assert_eq!(seen(headers), expected, "{headers:?}");
        }
    }
}
