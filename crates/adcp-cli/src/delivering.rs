//! What `serve` sends webhooks with: the keys, the way out, and where receivers find the keys.

use adcp_core::{hex, random_bytes};
use adcp_decisioning::AgentBuilder;
use adcp_egress::Egress;
use adcp_mcp::{McpConfig, PublishedKeys, WellKnown};
use adcp_signing::{Algorithm, Jwks, KeyUse, LocalSigner, Signer as _};
use adcp_types::protocol::get_adcp_capabilities_response::WebhookSigning;
use adcp_webhooks::{BadWebhooks, Webhooks};

use crate::args::SigningArgs;
use crate::exit::{Exit, Failure};
use crate::keys;
use crate::output::say;

/// What the agent is called in its brand.json.
const AGENT_ID: &str = "adcp_reference_seller";

/// A worker, and what is published of its keys.
#[derive(Debug)]
pub(crate) struct Delivering {
    webhooks: Webhooks,
    /// The first signs.
    keys: Vec<LocalSigner>,
    made: bool,
    loopback: bool,
    /// Named in capabilities: brand.json and key set.
    places: Option<Places>,
}

#[derive(Debug)]
struct Places {
    brand_json_url: String,
    jwks_uri: String,
    /// Whether the brand.json is served here.
    ours: bool,
}

impl Delivering {
    /// What follows from the flags. `None`: nothing is delivered, and requests for notifications are refused.
    ///
    /// For local work a key is made, as the token is.
    pub(crate) fn of(
        args: &SigningArgs,
        public_url: Option<&str>,
        local: bool,
    ) -> Result<Option<Self>, Failure> {
        if args.allow_loopback_webhooks && !local {
            return Err(Failure::usage(
                "--allow-loopback-webhooks lets whoever may order reach the services of this machine, so it is for an \
                 agent that only this machine can call: leave it out, or --public-url, --allowed-host and the like",
            ));
        }
        let mut keys = keys::read_for_webhooks(&args.signing_keys)?;
        let made = keys.is_empty();
        if made {
            if !local {
                return Ok(None);
            }
            keys.push(make()?);
        }
        let places = places(args, public_url)?;
        match worker(&keys[0], args.allow_loopback_webhooks) {
            Ok(webhooks) => {
                let loopback = args.allow_loopback_webhooks;
                Ok(Some(Self { webhooks, keys, made, loopback, places }))
            }
            // Nobody asked for it.
            Err(error) if made && !args.allow_loopback_webhooks => {
                say(&format!("warning: no webhooks are sent: {:#}", anyhow::Error::new(error)));
                Ok(None)
            }
            Err(error) => Err(Failure::new(Exit::Broken, "cannot send webhooks").because(error)),
        }
    }

    /// What sends.
    pub(crate) fn webhooks(&self) -> Webhooks {
        self.webhooks.clone()
    }

    /// Names in the capabilities where the keys are found.
    pub(crate) fn name<S: Send + Sync + 'static>(&self, builder: AgentBuilder<S>) -> AgentBuilder<S> {
        // Also of keys that are published to sign next: receivers prepare for them.
        let mut names: Vec<&str> = Vec::new();
        for name in self.keys.iter().map(|key| key.key().algorithm().name()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let builder = builder.capabilities(|known| {
            let algorithms = names.into_iter().map(Into::into).collect();
            known.with_webhook_signing(WebhookSigning::new(true).with_algorithms(algorithms))
        });
        match &self.places {
            Some(at) => builder.published_at(&at.brand_json_url, &at.jwks_uri),
            None => builder,
        }
    }

    /// Has the server publish the keys.
    pub(crate) fn publish(&self, config: McpConfig) -> McpConfig {
        let published = PublishedKeys::new(Jwks::new(self.keys.iter().map(LocalSigner::jwk)).to_json());
        config.with_published_keys(match &self.places {
            Some(at) if at.ours => published.with_agent("sales", AGENT_ID),
            _ => published,
        })
    }

    /// What is sent and with which key, for people. `url` is where the agent is found.
    pub(crate) fn greeting(&self, url: &str) -> Vec<(&'static str, String)> {
        let kid = self.keys[0].key().keyid();
        let by = if self.made {
            format!("signed with `{kid}`, made for this run (--signing-key brings your own)")
        } else {
            format!("signed with `{kid}`")
        };
        let jwks = match (&self.places, WellKnown::of(url)) {
            (Some(at), _) => at.jwks_uri.clone(),
            (None, Some(at)) => at.jwks_uri,
            (None, None) => String::new(),
        };
        let mut rows = vec![("webhooks", by), ("keys", jwks)];
        match &self.places {
            Some(at) => rows.push(("brand.json", at.brand_json_url.clone())),
            None if self.made => {}
            None => rows.push((
                "brand.json",
                "none: with an https --public-url, receivers find the agent and its keys".to_owned(),
            )),
        }
        if self.loopback {
            rows.push((
                "loopback",
                "webhooks go to this machine too, without TLS: for local work only".to_owned(),
            ));
        }
        rows
    }
}

/// A key that nobody keeps.
fn make() -> Result<LocalSigner, Failure> {
    let broken =
        |error: anyhow::Error| Failure::new(Exit::Broken, "cannot make a signing key").because(error);
    let id = random_bytes::<4>().map_err(|error| broken(error.into()))?;
    LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, format!("local-{}", hex(&id)))
        .map_err(|error| broken(error.into()))
}

fn worker(key: &LocalSigner, loopback: bool) -> Result<Webhooks, BadWebhooks> {
    let egress = if loopback { Egress::builder().allow_loopback_http() } else { Egress::builder() };
    let egress = egress.build().map_err(BadWebhooks::Egress)?;
    Webhooks::builder().signer(key.clone()).egress(egress).build()
}

/// What capabilities name; brand.json and everything in it is https.
fn places(args: &SigningArgs, public_url: Option<&str>) -> Result<Option<Places>, Failure> {
    let known = public_url.filter(|url| url.starts_with("https://")).and_then(WellKnown::of);
    match (&args.brand_json_url, known) {
        (Some(_), None) => Err(Failure::usage(
            "--brand-json-url needs an https --public-url: the document lists the agent under it",
        )),
        (Some(own), Some(_)) if !own.starts_with("https://") => {
            Err(Failure::usage("--brand-json-url must be an https address"))
        }
        (Some(own), Some(at)) => {
            Ok(Some(Places { brand_json_url: own.clone(), jwks_uri: at.jwks_uri, ours: false }))
        }
        (None, Some(at)) => {
            Ok(Some(Places { brand_json_url: at.brand_json_url, jwks_uri: at.jwks_uri, ours: true }))
        }
        (None, None) => Ok(None),
    }
}
