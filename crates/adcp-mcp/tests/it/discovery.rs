//! Keys and brand.json, as anybody reads them.

use adcp_mcp::{McpConfig, McpError, PublishedKeys, Server, WellKnown};
use serde_json::{Value, json};

use crate::fixture::{Answer, Running};
use crate::seller::{Probe, agent};

const PUBLIC: &str = "https://Ads.example.com:8443/sell%2Dside/mcp";
const BRAND: &str = "/.well-known/brand.json";
const KEYS: &str = "/.well-known/jwks.json";

fn jwks() -> Value {
    json!({ "keys": [{
        "kid": "hooks-1", "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "key_ops": ["verify"],
        "adcp_use": "webhook-signing", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }] })
}

fn discovery() -> PublishedKeys {
    PublishedKeys::new(jwks()).with_agent("sales", "ads_example")
}

async fn publishing() -> Running {
    Running::with(|config| config.with_public_url(PUBLIC).with_published_keys(discovery())).await
}

async fn get(server: &Running, path: &str, host: &str) -> Answer {
    server.send("GET", path, &[("host", host)], "").await
}

#[tokio::test]
async fn anybody_finds_the_agent_and_its_keys() {
    let server = publishing().await;
    let brand = get(&server, BRAND, "ads.example.com:8443").await;
    assert_eq!((brand.status, brand.header("cache-control")), (200, Some("public, max-age=300")));
    let brand = brand.json();
    let schema = adcp_schemas::validator("brand.json").unwrap();
    schema.validate(&brand).unwrap_or_else(|violations| panic!("{violations}: {brand}"));
    let at = WellKnown::of(PUBLIC).unwrap();
    let entry = json!({ "type": "sales", "id": "ads_example", "url": PUBLIC, "jwks_uri": at.jwks_uri });
    assert_eq!(brand["agents"], json!([entry]));
    assert!(at.jwks_uri.ends_with(KEYS));

    let keys = get(&server, KEYS, "ads.example.com:8443").await;
    assert_eq!((keys.status, keys.json()), (200, jwks()));
    // Credentials change nothing, nor does the page that asks.
    let headers = [("authorization", "Bearer wrong"), ("origin", "https://elsewhere.example")];
    assert_eq!(server.send("GET", KEYS, &headers, "").await.json(), jwks());
}

#[tokio::test]
async fn only_reading_is_answered_and_only_for_our_hosts() {
    let server = publishing().await;
    for path in [BRAND, KEYS] {
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let refused = server.send(method, path, &[], "{}").await;
            assert_eq!(
                (refused.status, refused.header("allow")),
                (405, Some("GET, HEAD")),
                "{method} {path}"
            );
        }
        assert_eq!(get(&server, path, "evil.example").await.status, 403);
        assert_eq!(get(&server, &format!("{path}/"), "localhost").await.status, 404);
        let whole = get(&server, path, "localhost").await;
        let (status, head) = server.head(path).await;
        assert_eq!(status, 200);
        let line = format!("content-length: {}", whole.header("content-length").unwrap());
        assert!(head.to_lowercase().contains(&line), "{head}");
        assert!(head.ends_with("\r\n\r\n"), "a body after {head}");
    }
}

#[tokio::test]
async fn keys_are_published_without_a_brand_document_and_nothing_without_being_asked() {
    let alone = Running::with(|config| config.with_published_keys(PublishedKeys::new(jwks()))).await;
    assert_eq!(get(&alone, KEYS, "localhost").await.json(), jwks());
    assert_eq!(get(&alone, BRAND, "localhost").await.status, 404);
    let neither = Running::new().await;
    for path in [BRAND, KEYS] {
        assert_eq!(get(&neither, path, "localhost").await.status, 404);
    }
}

#[tokio::test]
async fn a_document_of_ones_own_is_published_as_it_is() {
    let own = json!({
        "version": "1.0", "contact": { "name": "Ads", "email": "ads@example.com" },
        "agents": [{ "type": "sales", "id": "ads", "url": PUBLIC }, { "type": "signals", "id": "s", "url": "https://s.example/" }],
    });
    let discovery = PublishedKeys::new(jwks()).with_brand_json(own.clone());
    let server = Running::with(|config| config.with_public_url(PUBLIC).with_published_keys(discovery)).await;
    assert_eq!(get(&server, BRAND, "localhost").await.json(), own);
}

#[tokio::test]
async fn a_document_that_would_mislead_opens_no_port() {
    let probe = Probe::new();
    let config = McpConfig::bind("127.0.0.1:0").with_published_keys(discovery());
    let error = Server::bind(agent(&probe), config).await.unwrap_err();
    assert!(matches!(error, McpError::Setting { setting: "published_keys", .. }), "{error}");
    assert!(error.to_string().contains("https public url"), "{error}");
}
