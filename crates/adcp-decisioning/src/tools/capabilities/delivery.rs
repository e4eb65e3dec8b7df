//! What capabilities say of notifications: how they are signed, for how long they are tried, where the keys are.

use adcp_core::DeliveryTerms;
use adcp_types::json::JsonObject;
use serde_json::{Value, json};

use super::duties::{at, set};
use super::{Published, Told};
use crate::build_error::BuildError;

/// The shortest and the longest time for which receivers may be asked to remember, in seconds.
const DAY: u64 = 24 * 3600;
const WEEK: u64 = 7 * DAY;

/// Capabilities that promise webhooks, each with the value that does.
const PROMISES: [(&[&str], &str); 3] = [
    (&["media_buy", "reporting_delivery_methods"], "webhook"),
    (&["media_buy", "content_standards", "supports_webhook_delivery"], ""),
    (&["wholesale_feed_webhooks", "supported"], ""),
];

/// Adds what follows from the parts. What was declared otherwise goes to `faults`.
///
/// Spec: `protocol/get-adcp-capabilities-response.json`, `webhook_signing` and `identity`. The horizon has no field in
/// 3.1; it is told under the name that 3.2 gave it.
pub(super) fn tell(body: &mut JsonObject, told: &Told<'_>, faults: &mut Vec<BuildError>) {
    let signs = told.delivery.as_ref().is_some_and(|terms| !terms.algorithms.is_empty());
    if let Some(terms) = &told.delivery {
        signing(body, terms, told.keeps_credentials, faults);
    }
    if let Some(published) = told.published {
        identity(body, published, signs, faults);
    }
    promises(body, faults);
    origins(body, faults);
}

fn signing(
    body: &mut JsonObject,
    terms: &DeliveryTerms,
    keeps_credentials: bool,
    faults: &mut Vec<BuildError>,
) {
    let signs = !terms.algorithms.is_empty();
    claim(body, &["webhook_signing", "supported"], json!(signs), "what `.deliver_with(…)` mounts", faults);
    if signs {
        let profile = "adcp/webhook-signing/v1";
        claim(body, &["webhook_signing", "profile"], json!(profile), "`.deliver_with(…)`", faults);
        algorithms(body, terms, faults);
    }
    let fallback = json!(terms.hmac && keeps_credentials);
    let because = "`.deliver_with(…)` and what the registry keeps";
    claim(body, &["webhook_signing", "legacy_hmac_fallback"], fallback, because, faults);
    let horizon = terms.horizon.as_secs() + u64::from(terms.horizon.subsec_nanos() > 0);
    if horizon > WEEK {
        faults.push(BuildError::DeliveryHorizon(terms.horizon));
    } else {
        // Whoever stops earlier keeps the promise of a day, too.
        let path = ["webhook_signing", "delivery_retry_horizon_seconds"];
        claim(body, &path, json!(horizon.max(DAY)), "the schedule of `.deliver_with(…)`", faults);
    }
}

/// Those in use must be told. Others may be: of a key that is next, of another sender.
fn algorithms(body: &mut JsonObject, terms: &DeliveryTerms, faults: &mut Vec<BuildError>) {
    let path = ["webhook_signing", "algorithms"];
    let Some(declared) = at(body, &path).and_then(Value::as_array) else {
        return set(body, &path, json!(terms.algorithms));
    };
    for used in &terms.algorithms {
        if !declared.iter().any(|name| name == used.as_str()) {
            faults.push(BuildError::Contradiction {
                claim: format!("`{}` without `{used}`", path.join(".")),
                against: "`.deliver_with(…)` signs with it".to_owned(),
            });
        }
    }
}

fn identity(body: &mut JsonObject, published: &Published, signs: bool, faults: &mut Vec<BuildError>) {
    let url = json!(published.brand_json_url);
    claim(body, &["identity", "brand_json_url"], url, "`.published_at(…)`", faults);
    let Some(origin) = origin(&published.jwks_uri) else {
        return faults.push(BuildError::InvalidCapability {
            pointer: "/identity/key_origins".to_owned(),
            expected: "an https address in `.published_at(…)`, for the keys".to_owned(),
        });
    };
    if signs {
        claim(
            body,
            &["identity", "key_origins", "webhook_signing"],
            json!(origin),
            "`.published_at(…)`",
            faults,
        );
    }
}

/// Whoever promises webhooks signs them: buyers refuse unsigned ones.
fn promises(body: &JsonObject, faults: &mut Vec<BuildError>) {
    if at(body, &["webhook_signing", "supported"]) == Some(&Value::Bool(true)) {
        return;
    }
    for (path, item) in PROMISES {
        let promised = match at(body, path) {
            Some(Value::Array(list)) => list.iter().any(|name| name == item),
            Some(flag) => flag == &Value::Bool(true),
            None => false,
        };
        if promised {
            let item = if item.is_empty() { String::new() } else { format!(" with `{item}`") };
            faults.push(BuildError::Contradiction {
                claim: format!("`{}`{item}", path.join(".")),
                against: "`webhook_signing.supported` is not true; `.deliver_with(…)` says it for you"
                    .to_owned(),
            });
        }
    }
}

/// Whoever holds the keys of messages must not be able to sign governance contexts.
fn origins(body: &JsonObject, faults: &mut Vec<BuildError>) {
    let host = |purpose: &str| at(body, &["identity", "key_origins", purpose]).and_then(Value::as_str);
    let Some(governance) = host("governance_signing") else { return };
    for purpose in ["request_signing", "webhook_signing"] {
        let same =
            |other: &str| other.trim_end_matches('/').eq_ignore_ascii_case(governance.trim_end_matches('/'));
        if host(purpose).is_some_and(same) {
            faults.push(BuildError::Contradiction {
                claim: "`identity.key_origins.governance_signing`".to_owned(),
                against: format!(
                    "`{purpose}` has the same origin; the keys of governance need one of their own"
                ),
            });
        }
    }
}

/// Sets what nobody declared, and reports who declared something else.
fn claim(body: &mut JsonObject, path: &[&str], value: Value, because: &str, faults: &mut Vec<BuildError>) {
    match at(body, path) {
        Some(declared) if *declared != value => faults.push(BuildError::Contradiction {
            claim: format!("`{}` as {declared}", path.join(".")),
            against: format!("it is {value} by {because}"),
        }),
        _ => set(body, path, value),
    }
}

/// Scheme and authority of an https address.
fn origin(url: &str) -> Option<&str> {
    let authority = url.strip_prefix("https://")?;
    let end = authority.find(['/', '?', '#']).unwrap_or(authority.len());
    (end > 0).then(|| &url[.."https://".len() + end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_stands_before_the_path() {
        for (url, want) in [
            ("https://ads.example.com/.well-known/jwks.json", Some("https://ads.example.com")),
            ("https://ads.example.com:8443?x", Some("https://ads.example.com:8443")),
            ("https://ads.example.com", Some("https://ads.example.com")),
            ("http://ads.example.com/", None),
            ("https:///x", None),
            ("ads.example.com", None),
        ] {
            assert_eq!(origin(url), want, "{url}");
        }
    }
}
