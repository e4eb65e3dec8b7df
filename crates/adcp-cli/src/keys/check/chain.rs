//! The way from an agent to its keys: capabilities, brand.json, its entry there, the key set.

use adcp_egress::Egress;
use adcp_mcp::WellKnown;
use adcp_signing::{KeyFault, KeyUse, TargetUri};
use adcp_types::json::JsonObject;
use serde_json::Value;

use super::fetch::{self, Missing};
use super::report::{Report, code};

/// What is looked for, and how far the way out reaches.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) egress: Egress,
    pub(super) purpose: KeyUse,
    pub(super) loopback: bool,
}

impl Way {
    /// From an agent's url to the bytes of its key set. `None` where the way ends early.
    pub(super) async fn of_agent(&self, agent: &str, report: &mut Report) -> Option<Vec<u8>> {
        let jwks_uri = self.to_keys(agent, report).await?;
        self.key_set(&jwks_uri, report).await
    }

    /// From an agent's url to the address of its key set.
    pub(super) async fn to_keys(&self, agent: &str, report: &mut Report) -> Option<String> {
        let known = self.capabilities(agent, report).await?;
        let identity = known.get("identity").cloned().unwrap_or_default();
        let brand_url = identity["brand_json_url"].as_str().unwrap_or_default();
        if !self.is_secure(brand_url) {
            // brand.json knows https only, so an agent of this machine has none.
            if self.loopback && brand_url.is_empty() && agent.starts_with("http://") {
                let at = WellKnown::of(agent)?;
                report.note(
                    "brand_json_url",
                    "without TLS there is no brand.json; the keys are looked for beside the agent",
                );
                return Some(at.jwks_uri);
            }
            let what = match brand_url {
                "" => "its capabilities name no brand.json".to_owned(),
                url => format!("its capabilities name {url}, which is not https"),
            };
            let advice =
                "set `identity.brand_json_url`; `adcp serve --signing-key … --public-url https://…` does";
            report.wrong("brand_json_url", code(KeyFault::BrandJsonUrlMissing), what, advice);
            return None;
        }
        report.good("brand_json_url", format!("its capabilities name {brand_url}"));
        let brand = self.brand_json(brand_url, report).await?;
        self.same_house(agent, brand_url, &brand, report)?;
        let jwks_uri = self.entry(agent, &brand, report)?;
        self.key_origin(&identity, &jwks_uri, report)?;
        Some(jwks_uri)
    }

    /// From a brand.json to the bytes of a key set.
    pub(super) async fn of_brand(
        &self,
        brand: &Value,
        agent: Option<&str>,
        report: &mut Report,
    ) -> Option<Vec<u8>> {
        let listed = agents(brand);
        let agent = match (agent, listed.as_slice()) {
            (Some(agent), _) => agent,
            (None, [only]) => only["url"].as_str().unwrap_or_default(),
            (None, []) => {
                let advice = "list the agent with its `type`, `id`, `url` and `jwks_uri`";
                report.wrong("agent", code(KeyFault::AgentNotInBrandJson), "it lists no agent", advice);
                return None;
            }
            (None, _) => {
                let advice = "say which one with --agent-url";
                let what = format!("it lists {} agents", listed.len());
                report.wrong("agent", code(KeyFault::BrandJsonAmbiguous), what, advice);
                return None;
            }
        };
        let jwks_uri = self.entry(agent, brand, report)?;
        report.note("key_origin", "what the agent's capabilities say was not asked; check its url for that");
        self.key_set(&jwks_uri, report).await
    }

    async fn capabilities(&self, agent: &str, report: &mut Report) -> Option<JsonObject> {
        match fetch::capabilities(&self.egress, agent).await {
            Ok(known) => {
                let signing = known.get("webhook_signing").cloned().unwrap_or_default();
                let what = match (signing["supported"] == true, self.purpose) {
                    (true, KeyUse::WebhookSigning) => {
                        format!("{agent} says that it signs webhooks, by {}", listed(&signing["algorithms"]))
                    }
                    (false, KeyUse::WebhookSigning) => {
                        format!("{agent} answers, and does not say that it signs webhooks")
                    }
                    _ => format!("{agent} answers"),
                };
                report.good("capabilities", what);
                Some(known)
            }
            Err(missing) => {
                let what = format!("{agent} does not tell its capabilities: {}", missing.words());
                let advice = if agent.starts_with("http://") && !self.loopback {
                    "an agent of this machine is checked with --allow-loopback; any other has an https url"
                } else {
                    "the agent answers `get_adcp_capabilities` over MCP, at this url, without a token"
                };
                let fault = code(KeyFault::CapabilitiesUnreachable);
                match missing {
                    Missing::Unreachable(_) => report.absent("capabilities", fault, what, advice),
                    _ => report.wrong("capabilities", fault, what, advice),
                }
                None
            }
        }
    }

    /// Fetches and reads a brand.json.
    async fn brand_json(&self, url: &str, report: &mut Report) -> Option<Value> {
        let read = match fetch::document(&self.egress, url).await {
            Ok(bytes) => fetch::strict(&bytes),
            Err(missing) => Err(missing),
        };
        match read {
            Ok(brand) => {
                judge_brand(&brand, report);
                Some(brand)
            }
            Err(missing) => {
                let what = format!("the brand.json is not to be had: {}", missing.words());
                match missing {
                    Missing::Malformed(_) => {
                        let advice = "publish one JSON object of at most 256 KiB, no key in it twice";
                        report.wrong("brand_json", code(KeyFault::BrandJsonMalformed), what, advice);
                    }
                    _ => {
                        let advice = "serve it at that address, by https, without a redirect";
                        report.absent("brand_json", code(KeyFault::BrandJsonUnreachable), what, advice);
                    }
                }
                None
            }
        }
    }

    /// Whoever hosts the brand.json speaks for the agent: one registrable domain, or a list of operators.
    fn same_house(&self, agent: &str, brand_url: &str, brand: &Value, report: &mut Report) -> Option<()> {
        let (ours, theirs) = (domain(agent)?, domain(brand_url)?);
        if ours == theirs {
            report.good("origin", format!("agent and brand.json are both of {ours}"));
            return Some(());
        }
        let operators = brand["authorized_operators"].as_array().into_iter().flatten();
        if operators.filter_map(|operator| operator["domain"].as_str()).any(|listed| listed == ours) {
            report.good("origin", format!("{theirs} lists {ours} among its operators"));
            return Some(());
        }
        let what = format!("the agent is of {ours}, and the brand.json of {theirs}, which does not list it");
        let advice = "host both under one domain, or list the agent's in `authorized_operators`";
        report.wrong("origin", code(KeyFault::BrandOriginMismatch), what, advice);
        None
    }

    /// Finds the agent in a brand.json; gives where its keys are.
    fn entry(&self, agent: &str, brand: &Value, report: &mut Report) -> Option<String> {
        let listed = agents(brand);
        let found: Vec<&&Value> = listed.iter().filter(|entry| entry["url"] == agent).collect();
        let [entry] = found[..] else {
            if found.is_empty() {
                let near = |entry: &&&Value| {
                    let canonical = |url: &str| {
                        TargetUri::parse(url).ok().map(|uri| uri.as_str().trim_end_matches('/').to_owned())
                    };
                    entry["url"].as_str().is_some_and(|url| canonical(url) == canonical(agent))
                };
                let what = match listed.iter().find(near).and_then(|entry| entry["url"].as_str()) {
                    Some(near) => format!("no agent has the url {agent}, byte for byte; {near} is near"),
                    None if brand.get("authoritative_location").is_some() => {
                        format!(
                            "it points elsewhere, to {}; name that address in the capabilities",
                            brand["authoritative_location"]
                        )
                    }
                    None => format!("no agent has the url {agent}; it lists {}", listed.len()),
                };
                let advice = "write the url in `agents[]` exactly as buyers know it";
                report.wrong("agent", code(KeyFault::AgentNotInBrandJson), what, advice);
            } else {
                let what = format!("{} entries have the url {agent}", found.len());
                report.wrong("agent", code(KeyFault::BrandJsonAmbiguous), what, "leave one of them");
            }
            return None;
        };
        report.good("agent", format!("its `agents` list {agent}"));
        match entry["jwks_uri"].as_str() {
            Some(jwks_uri) => Some(jwks_uri.to_owned()),
            None => WellKnown::of(agent).map(|at| at.jwks_uri),
        }
    }

    /// The keys are where capabilities say.
    fn key_origin(&self, identity: &Value, jwks_uri: &str, report: &mut Report) -> Option<()> {
        let purpose = self.purpose.name().replace('-', "_");
        let Some(declared) = identity["key_origins"][&purpose].as_str() else {
            let what = format!("its capabilities name no origin of keys for {}", self.purpose);
            let advice = format!("set `identity.key_origins.{purpose}`");
            report.wrong("key_origin", code(KeyFault::KeyOriginMissing), what, &advice);
            return None;
        };
        let authority = |url: &str| TargetUri::parse(url).ok().map(|uri| uri.authority().to_owned());
        if authority(declared).is_some() && authority(declared) == authority(jwks_uri) {
            report.good("key_origin", format!("the keys are at {declared}, as its capabilities say"));
            return Some(());
        }
        let what =
            format!("its capabilities say that the keys are at {declared}, and they are at {jwks_uri}");
        let advice = format!("let `identity.key_origins.{purpose}` and `jwks_uri` name one host");
        report.wrong("key_origin", code(KeyFault::KeyOriginMismatch), what, &advice);
        None
    }

    async fn key_set(&self, jwks_uri: &str, report: &mut Report) -> Option<Vec<u8>> {
        match fetch::document(&self.egress, jwks_uri).await {
            Ok(bytes) => {
                report.good("jwks", format!("the key set is at {jwks_uri}"));
                Some(bytes)
            }
            Err(Missing::Refused(words)) => {
                let what = format!("{jwks_uri} is not fetched: {words}");
                report.wrong(
                    "jwks",
                    code(KeyFault::JwksUntrusted),
                    what,
                    "serve it by https at a public address",
                );
                None
            }
            Err(missing) => {
                let what = format!("{jwks_uri} is not to be had: {}", missing.words());
                report.absent(
                    "jwks",
                    code(KeyFault::JwksUnavailable),
                    what,
                    "serve the key set there, without a redirect",
                );
                None
            }
        }
    }

    /// https; for local work what is not, too, and the way out sees to it that it is of this machine.
    fn is_secure(&self, url: &str) -> bool {
        url.starts_with("https://") || self.loopback && url.starts_with("http://")
    }
}

/// Names of a list, for people.
fn listed(names: &Value) -> String {
    let names: Vec<&str> = names.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if names.is_empty() { "an algorithm that it does not name".to_owned() } else { names.join(" and ") }
}

/// Says whether a document keeps to its schema; verifiers do not ask.
pub(super) fn judge_brand(brand: &Value, report: &mut Report) {
    let Ok(schema) = adcp_schemas::validator("brand.json") else { return };
    match schema.validate(brand) {
        Ok(()) => report.good("brand_json", "the brand.json is valid"),
        Err(violations) => {
            report.note("brand_json", format!("the brand.json breaks its schema: {violations}"))
        }
    }
}

/// The agents of a document, of its house and of its brands.
fn agents(brand: &Value) -> Vec<&Value> {
    let brands = brand["brands"].as_array().into_iter().flatten();
    let parts = std::iter::once(brand).chain([&brand["house"]]).chain(brands);
    parts.filter_map(|part| part["agents"].as_array()).flatten().collect()
}

/// What a registrar sold: the name below the public suffix. An address, or a name that is none, stands for itself.
fn domain(url: &str) -> Option<String> {
    let uri = TargetUri::parse(url).ok()?;
    let authority = uri.authority();
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    if host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok() {
        return Some(host.to_owned());
    }
    Some(psl::domain_str(host).unwrap_or(host).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_what_stands_below_its_public_suffix() {
        for (url, want) in [
            ("https://ads.example.com/mcp", "example.com"),
            ("https://Ads.Example.co.uk:8443/mcp", "example.co.uk"),
            ("https://shop.github.io/", "shop.github.io"),
            ("https://a.b.shop.github.io/", "shop.github.io"),
            ("https://co.uk/", "co.uk"),
            ("http://127.0.0.1:3000/mcp", "127.0.0.1"),
            ("http://[::1]:3000/mcp", "[::1]"),
            ("http://localhost:3000/mcp", "localhost"),
        ] {
            assert_eq!(domain(url).as_deref(), Some(want), "{url}");
        }
    }
}
