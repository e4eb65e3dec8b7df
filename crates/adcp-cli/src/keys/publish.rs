//! `adcp keys publish`: what everybody may see of keys.

use adcp_mcp::WellKnown;
use adcp_schemas::validator;
use adcp_signing::Jwks;
use serde_json::{Value, json};

use super::file;
use crate::address::publishable;
use crate::args::PublishArgs;
use crate::exit::{Exit, Failure};
use crate::output::{Terminal, say};

/// Runs the command.
pub(super) fn run(args: &PublishArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    publishable("--agent-url", args.agent_url.as_deref())?;
    publishable("--jwks-uri", args.jwks_uri.as_deref())?;
    let mut keys = Vec::new();
    for name in &args.files {
        let key = file::read_public(name, args.purpose.into())?;
        if keys.iter().any(|other: &adcp_signing::Jwk| other.kid == key.kid) {
            return Err(Failure::usage(format!(
                "`{}` has the `kid` `{}` like a key before it; a signature names its key by that alone",
                name.display(),
                key.kid
            )));
        }
        keys.push(key);
    }
    let brand = args.agent_url.as_deref().map(|url| brand_json(args, url)).transpose()?;
    terminal.json(&Jwks::new(keys).to_json(), false)?;
    match (&brand, args.agent_url.as_deref()) {
        (Some((brand, jwks_uri)), Some(url)) => {
            terminal.json(brand, false)?;
            say(&format!("the first document belongs at {jwks_uri}"));
            say(&format!(
                "the second is a brand.json: serve it by https, and name its address as \
                          `identity.brand_json_url` in the capabilities of {url}"
            ));
        }
        _ => say("serve it by https, where the `jwks_uri` of your brand.json points"),
    }
    Ok(Exit::Done)
}

/// The document, and where it says that the keys are.
fn brand_json(args: &PublishArgs, url: &str) -> Result<(Value, String), Failure> {
    let wrong = || {
        Failure::usage(format!(
            "`{url}` is not the url of an agent; write it like https://ads.example.com/mcp"
        ))
    };
    let jwks_uri = match &args.jwks_uri {
        Some(own) => own.clone(),
        None => WellKnown::of(url).ok_or_else(wrong)?.jwks_uri,
    };
    let entry = json!({ "type": args.agent_kind, "id": args.agent_id, "url": url, "jwks_uri": jwks_uri });
    let document = json!({ "agents": [entry] });
    let schema = validator("brand.json")
        .map_err(|error| Failure::new(Exit::Broken, "the schema of brand.json is missing").because(error))?;
    match schema.validate(&document) {
        Ok(()) => Ok((document, jwks_uri)),
        Err(violations) => Err(Failure::usage(format!("no brand.json can say that: {violations}"))),
    }
}
