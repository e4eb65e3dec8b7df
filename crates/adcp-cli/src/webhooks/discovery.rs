//! Where an agent publishes its keys: from its url to its brand.json to its key set.

use std::net::IpAddr;
use std::time::Duration;

use adcp_core::{Endpoint, json};
use adcp_egress::{Egress, EgressError, Limits, Request};
use adcp_mcp::WellKnown;
use adcp_mcp::client::{Auth, Client};
use adcp_types::json::JsonObject;
use serde_json::Value;

use crate::exit::{Exit, Failure};
use crate::output::{say, tame};

/// The largest brand.json that is read.
const MAX_BYTES: usize = 256 * 1024;
/// How long one document may take.
const TOTAL: Duration = Duration::from_secs(10);

/// A way out to this url: guarded, and open to this machine only when the url is on it.
pub(super) fn egress_to(url: &str) -> Result<Egress, Failure> {
    egress(is_loopback(url))
}

pub(super) fn egress(loopback: bool) -> Result<Egress, Failure> {
    let builder = Egress::builder();
    let builder = if loopback { builder.allow_loopback_http() } else { builder };
    builder.build().map_err(|error| Failure::new(Exit::Broken, "cannot call anybody").because(error))
}

/// Whether a url is on this machine, as it is written.
pub(super) fn is_loopback(url: &str) -> bool {
    let endpoint = Endpoint::of(url);
    let Some((_, place)) = endpoint.as_str().split_once("://") else { return false };
    let host = match place.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => place.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// Where the keys of an agent are.
///
/// Spec: `brand.json`; an agent is found by its url, byte for byte.
pub(super) async fn keys_of(
    agent: &str,
    brand_json: Option<&str>,
    egress: &Egress,
) -> Result<String, Failure> {
    let Some(own) = WellKnown::of(agent) else {
        return Err(Failure::usage("--agent is the url of an agent, such as https://seller.example/mcp"));
    };
    let named = match brand_json {
        Some(given) => Some(given.to_owned()),
        None => named_by(agent, egress).await,
    };
    let at = named.as_deref().unwrap_or(&own.brand_json_url);
    let document = match fetch(at, egress).await {
        Ok(document) => document,
        // An agent that only this machine can call has nobody whom it could tell who it is.
        Err(failure) if named.is_none() && is_loopback(agent) => {
            say(&format!("note: {failure}; taking the keys at {}", tame(&own.jwks_uri)));
            return Ok(own.jwks_uri);
        }
        Err(failure) => return Err(failure),
    };
    // A document may point to another one, once.
    let document = match elsewhere(&document) {
        Some(at) => fetch(&at, egress).await?,
        None => document,
    };
    let listed = document.get("agents").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut entries = listed.iter().filter(|entry| entry.get("url").and_then(Value::as_str) == Some(agent));
    let wrong = |words: &str| Failure::new(Exit::Terminal, format!("the brand.json at {} {words}", tame(at)));
    match (entries.next(), entries.next()) {
        (Some(entry), None) => {
            Ok(entry.get("jwks_uri").and_then(Value::as_str).map_or(own.jwks_uri, str::to_owned))
        }
        (None, _) => Err(wrong("lists no agent of this url (webhook_signature_agent_not_in_brand_json)")),
        _ => Err(wrong("lists several agents of this url (webhook_signature_brand_json_ambiguous)")),
    }
}

/// The brand.json that an agent names in its capabilities; `None` when it names none, or does not say.
///
/// Spec: `identity.brand_json_url` in `protocol/get-adcp-capabilities-response.json`.
async fn named_by(agent: &str, egress: &Egress) -> Option<String> {
    egress.admits(agent).ok()?;
    let asking = async {
        let client = Client::connect(agent, Auth::none()).await.ok()?;
        client.call("get_adcp_capabilities", JsonObject::new()).await.ok()
    };
    let reply = tokio::time::timeout(TOTAL, asking).await.ok()??;
    let url = reply.body.get("identity")?.get("brand_json_url")?.as_str()?;
    Some(url.to_owned())
}

/// Where the brand.json of a house, or one that moved, is.
fn elsewhere(document: &Value) -> Option<String> {
    let text = |name| document.get(name).and_then(Value::as_str);
    match text("authoritative_location") {
        Some(at) => Some(at.to_owned()),
        None => text("house").map(|house| format!("https://{house}/.well-known/brand.json")),
    }
}

async fn fetch(url: &str, egress: &Egress) -> Result<Value, Failure> {
    let limits = Limits::new().with_total(TOTAL).with_body_bytes(MAX_BYTES);
    let request = Request::get(url).with_header("accept", "application/json");
    let failed = |words: &str| {
        let code = "webhook_signature_brand_json_unreachable";
        Failure::new(Exit::Transport, format!("no brand.json at {}: {words} ({code})", tame(url)))
    };
    let answer = egress.send(request, limits).await.map_err(|error| match error {
        EgressError::Failed(failure) => failed(&tame(&failure.detail())),
        error => failed(&tame(&error.to_string())),
    })?;
    if !answer.is_success() {
        return Err(failed(&format!("the status is {}", answer.status)));
    }
    let malformed = |words: &str| {
        let code = "webhook_signature_brand_json_malformed";
        Failure::new(Exit::Terminal, format!("the brand.json at {} {words} ({code})", tame(url)))
    };
    if answer.truncated {
        return Err(malformed("is too large"));
    }
    json::parse(&answer.body, &json::Limits::new())
        .map_err(|error| malformed("cannot be read").because(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_how_it_is_written() {
        for url in ["http://127.0.0.1:3000/mcp", "http://localhost/", "https://[::1]:1/x", "http://127.9.9.9"]
        {
            assert!(is_loopback(url), "{url}");
        }
        for url in
            ["https://seller.example/", "http://localhost.example/", "http://10.0.0.1", "127.0.0.1", ""]
        {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
