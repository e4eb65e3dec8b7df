//! Documents that anybody may read: which agent this is, and the keys that verify what it signs.

use bytes::Bytes;
use http::header::CACHE_CONTROL;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::McpConfig;
use crate::rpc::{Answer, answer, method_not_allowed, with_header};

const BRAND_JSON: &str = "/.well-known/brand.json";
const JWKS_JSON: &str = "/.well-known/jwks.json";

/// Verifiers look again after five minutes: within that, a key that was taken out is gone.
const CACHING: &str = "public, max-age=300";

/// Members of a JWK that only its owner may know.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Kinds of agents. Spec: `enums/brand-agent-type.json`.
const KINDS: [&str; 8] =
    ["brand", "rights", "measurement", "governance", "creative", "sales", "buying", "signals"];

/// The longest `id` of an agent in a brand.json.
const MAX_ID: usize = 100;

/// What a server publishes about its agent, to everybody: keys, and the document that says whose they are.
///
/// The key set is at `/.well-known/jwks.json`, the brand.json at `/.well-known/brand.json`. An agent whose brand.json is
/// hosted elsewhere publishes its keys alone. Name both in the capabilities with
/// [`AgentBuilder::published_at`](adcp_decisioning::AgentBuilder::published_at): receivers begin there.
///
/// ```
/// use adcp_mcp::{McpConfig, PublishedKeys, WellKnown};
/// use serde_json::json;
///
/// // As `Jwks::to_json` of `adcp-signing` writes it.
/// let jwks = json!({ "keys": [{
///     "kid": "hooks-2026-05", "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "key_ops": ["verify"],
///     "adcp_use": "webhook-signing", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
/// }] });
/// let config = McpConfig::bind("127.0.0.1:3000")
///     .with_public_url("https://ads.example.com/mcp")
///     .with_published_keys(PublishedKeys::new(jwks).with_agent("sales", "ads_example"));
///
/// let at = WellKnown::of("https://ads.example.com/mcp").unwrap();
/// assert_eq!(at.jwks_uri, "https://ads.example.com/.well-known/jwks.json");
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct PublishedKeys {
    keys: Value,
    brand: Brand,
}

#[derive(Debug, Clone)]
enum Brand {
    Elsewhere,
    Agent { kind: String, id: String },
    Given(Value),
}

impl PublishedKeys {
    /// Publishes a set of public keys, and no brand.json. A key with a private member is refused.
    ///
    /// Spec: RFC 7517 section 5.
    pub const fn new(jwks: Value) -> Self {
        Self { keys: jwks, brand: Brand::Elsewhere }
    }

    /// Also publishes a brand.json that lists this agent alone, under its public url as it is written there, which is
    /// `https`. The kind is one of `brand`, `rights`, `measurement`, `governance`, `creative`, `sales`, `buying` and
    /// `signals`; the `id` is made of lower-case letters, digits and `_`.
    ///
    /// Spec: `brand.json`, `agents`.
    pub fn with_agent(mut self, kind: impl Into<String>, id: impl Into<String>) -> Self {
        self.brand = Brand::Agent { kind: kind.into(), id: id.into() };
        self
    }

    /// Also publishes a brand.json of your own. If it lists agents, exactly one of them has the public url, byte for
    /// byte: verifiers find the keys by it.
    pub fn with_brand_json(mut self, document: Value) -> Self {
        self.brand = Brand::Given(document);
        self
    }

    /// The documents as they are served, or what is wrong with them.
    pub(crate) fn publish(&self, config: &McpConfig) -> Result<Published, String> {
        check_keys(&self.keys)?;
        let brand = match &self.brand {
            Brand::Elsewhere => None,
            Brand::Agent { kind, id } => Some(brand_json(config.public_url.as_deref(), kind, id)?),
            Brand::Given(document) => {
                check_brand(document, config.public_url.as_deref())?;
                Some(document.clone())
            }
        };
        Ok(Published {
            jwks: Some(self.keys.to_string().into()),
            brand: brand.map(|document| document.to_string().into()),
        })
    }
}

/// Where a server publishes its documents.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WellKnown {
    /// Which agent this is.
    pub brand_json_url: String,
    /// Its keys.
    pub jwks_uri: String,
}

impl WellKnown {
    /// The addresses of an agent's documents: at the origin of its public url, whatever its path is. `None` for what is
    /// no http or https address.
    #[must_use]
    pub fn of(agent_url: &str) -> Option<Self> {
        let (scheme, rest) = agent_url.split_once("://")?;
        let host = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        if !matches!(scheme, "http" | "https") || host.is_empty() || host.contains('@') {
            return None;
        }
        let at = |path: &str| format!("{scheme}://{host}{path}");
        Some(Self { brand_json_url: at(BRAND_JSON), jwks_uri: at(JWKS_JSON) })
    }
}

/// The documents of a server, written once.
#[derive(Debug, Default)]
pub(crate) struct Published {
    jwks: Option<Bytes>,
    brand: Option<Bytes>,
}

impl Published {
    /// The document at this path.
    pub(crate) fn at(&self, path: &str) -> Option<&Bytes> {
        match path {
            JWKS_JSON => self.jwks.as_ref(),
            BRAND_JSON => self.brand.as_ref(),
            _ => None,
        }
    }
}

/// Answers a request for a document.
pub(crate) fn answer_with(document: &Bytes, method: &Method) -> Answer {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return method_not_allowed("GET, HEAD");
    }
    with_header(answer(StatusCode::OK, document.clone()), CACHE_CONTROL, CACHING)
}

fn check_keys(jwks: &Value) -> Result<(), String> {
    let keys = jwks.get("keys").and_then(Value::as_array).ok_or("is no key set: it has no array `keys`")?;
    let mut seen = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        let members = key.as_object().ok_or_else(|| format!("has no key at number {at} of `keys`"))?;
        if let Some(name) = PRIVATE.iter().find(|name| members.contains_key(**name)) {
            return Err(format!(
                "has a private key at number {at} of `keys`: the member `{name}` must not be there"
            ));
        }
        let kid = members.get("kid").and_then(Value::as_str).unwrap_or_default();
        if kid.is_empty() {
            return Err(format!("has a key without a `kid` at number {at} of `keys`"));
        }
        if seen.contains(&kid) {
            return Err(format!("has two keys with the `kid` `{kid}`"));
        }
        seen.push(kid);
    }
    Ok(())
}

/// A brand.json that lists one agent.
fn brand_json(public_url: Option<&str>, kind: &str, id: &str) -> Result<Value, String> {
    let url = public_url
        .filter(|url| url.starts_with("https://"))
        .ok_or("has a brand.json, which needs an https public url (`with_public_url`); keys alone do not")?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if id.is_empty() || id.len() > MAX_ID || !id.chars().all(fits) {
        return Err(format!("has `{id}` as the id of the agent; take at most {MAX_ID} of a-z, 0-9 and `_`"));
    }
    if !KINDS.contains(&kind) {
        return Err(format!("has `{kind}` as the kind of the agent; take one of {}", KINDS.join(", ")));
    }
    let at = WellKnown::of(url).ok_or_else(|| format!("cannot be published at `{url}`"))?;
    Ok(json!({ "agents": [{ "type": kind, "id": id, "url": url, "jwks_uri": at.jwks_uri }] }))
}

/// Whether verifiers find exactly one entry for this agent in a document that lists agents.
fn check_brand(document: &Value, public_url: Option<&str>) -> Result<(), String> {
    if !document.is_object() {
        return Err("has a brand.json that is no object".to_owned());
    }
    let mut urls = Vec::new();
    listed(document, &mut urls);
    let ours = urls.iter().filter(|url| Some(**url) == public_url).count();
    match (urls.len(), ours) {
        (0, _) | (_, 1) => Ok(()),
        (_, 0) => Err(format!(
            "has a brand.json none of whose agents has the public url `{}`, byte for byte",
            public_url.unwrap_or("(none is set)")
        )),
        _ => Err("has a brand.json that lists the public url more than once".to_owned()),
    }
}

/// The addresses of all agents that a document lists, of a house and of its brands.
fn listed<'a>(document: &'a Value, urls: &mut Vec<&'a str>) {
    let agents = document.get("agents").and_then(Value::as_array).into_iter().flatten();
    urls.extend(agents.filter_map(|agent| agent.get("url")?.as_str()));
    let brands = document.get("brands").and_then(Value::as_array).into_iter().flatten();
    for part in document.get("house").into_iter().chain(brands) {
        listed(part, urls);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_at_the_origin_of_the_agent() {
        let at = |url| WellKnown::of(url).map(|at| at.brand_json_url);
        assert_eq!(
            at("https://a.example/x/mcp?y").as_deref(),
            Some("https://a.example/.well-known/brand.json")
        );
        assert_eq!(at("http://[::1]:3000").as_deref(), Some("http://[::1]:3000/.well-known/brand.json"));
        for url in ["a.example/mcp", "ftp://a.example/", "https:///mcp", "https://u@a.example/mcp", ""] {
            assert_eq!(at(url), None, "{url}");
        }
    }

    #[test]
    fn what_must_not_be_published_is_refused() {
        let key = |name: &str, value: Value| json!({ "keys": [{ "kid": "a", "kty": "OKP", name: value }] });
        let brand = |agents: Value| {
            PublishedKeys::new(key("x", json!(""))).with_brand_json(json!({ "agents": agents }))
        };
        let entry = |url: &str| json!({ "type": "sales", "id": "a", "url": url });
        let agent = |id: &str| PublishedKeys::new(key("x", json!(""))).with_agent("sales", id);
        let strange = PublishedKeys::new(key("x", json!(""))).with_agent("selling", "a");
        let url = "https://a.example/mcp";
        let long = "a".repeat(101);
        for (discovery, words) in [
            (PublishedKeys::new(json!([])), "no array `keys`"),
            (PublishedKeys::new(json!({ "keys": [1] })), "no key at number 0"),
            (PublishedKeys::new(key("d", json!("secret"))), "the member `d`"),
            (PublishedKeys::new(key("k", json!("secret"))), "the member `k`"),
            (PublishedKeys::new(json!({ "keys": [{ "kid": "" }] })), "without a `kid`"),
            (PublishedKeys::new(json!({ "keys": [{ "kid": "a" }, { "kid": "a" }] })), "two keys"),
            (agent(""), "as the id"),
            (agent("Ads"), "as the id"),
            (agent(&long), "as the id"),
            (strange, "as the kind"),
            (brand(json!([entry("https://a.example/mcp/")])), "byte for byte"),
            (brand(json!([entry(url), entry(url)])), "more than once"),
            (PublishedKeys::new(key("x", json!(""))).with_brand_json(json!([])), "no object"),
        ] {
            let fault = discovery.publish(&McpConfig::bind("[::1]:0").with_public_url(url)).unwrap_err();
            assert!(fault.contains(words) && !fault.contains("secret"), "{fault}");
        }
        for config in
            [McpConfig::bind("[::1]:0"), McpConfig::bind("[::1]:0").with_public_url("http://a.example/mcp")]
        {
            assert!(agent("a").publish(&config).unwrap_err().contains("https"), "{config:?}");
        }
        let elsewhere = json!({ "house": { "agents": [entry("https://b.example/")] }, "brands": [{ "agents": [entry(url)] }] });
        let config = McpConfig::bind("[::1]:0").with_public_url(url);
        for document in [elsewhere, json!({ "authoritative_location": "https://b.example/brand.json" })] {
            PublishedKeys::new(key("x", json!(""))).with_brand_json(document).publish(&config).unwrap();
        }
    }
}
