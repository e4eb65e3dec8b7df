//! `adcp keys check`: whether verifiers find the keys, step by step.

mod chain;
mod fetch;
mod keyset;
mod report;

use adcp_egress::Egress;
use adcp_signing::{KeyUse, LocalSigner, Signer as _};

use self::chain::Way;
pub(super) use self::keyset::unfit;
use self::report::Report;
use super::file;
use crate::args::CheckArgs;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::{Terminal, say};
use crate::webhooks::reach::is_loopback;

/// Runs the command.
pub(super) async fn run(args: &CheckArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let purpose = KeyUse::from(args.purpose);
    let key = args.key.as_deref().map(|file| own_key(file, purpose)).transpose()?;
    let egress =
        if args.allow_loopback { Egress::builder().allow_loopback_http() } else { Egress::builder() };
    let egress =
        egress.build().map_err(|error| Failure::new(Exit::Broken, "cannot fetch anything").because(error))?;
    let way = Way { egress, purpose, loopback: args.allow_loopback };
    let mut report = Report::default();
    let bytes = find(args, &way, &mut report).await.inspect_err(|_| hint(args))?;
    if let Some(keys) = bytes.and_then(|bytes| keyset::judge(&bytes, purpose, &mut report))
        && let Some(key) = &key
    {
        keyset::own(key, &keys, &mut report).await;
    }
    report.show(args.json, terminal)
}

/// Without the flag, what is on this machine looks like an address that nobody may call. Of an agent the report says so.
fn hint(args: &CheckArgs) {
    if !args.allow_loopback && is_loopback(&args.target) {
        say("hint: this address is on this machine; add --allow-loopback to fetch from it");
    }
}

/// Where the keys of an agent are that sign its webhooks, found as verifiers find them.
pub(crate) async fn webhook_keys_of(agent: &str, egress: Egress, loopback: bool) -> Result<String, Failure> {
    let way = Way { egress, purpose: KeyUse::WebhookSigning, loopback };
    let mut report = Report::default();
    let found = way.to_keys(agent, &mut report).await;
    found.ok_or_else(|| report.into_failure())
}

fn own_key(name: &std::path::Path, purpose: KeyUse) -> Result<LocalSigner, Failure> {
    let key = file::read(name, purpose)?;
    let its = key.key().purpose();
    if its == purpose {
        return Ok(key);
    }
    Err(Failure::usage(format!(
        "`{}` is a key for {its}; add --purpose {its}, or name another",
        name.display()
    )))
}

/// The bytes of a key set, from wherever the check begins.
async fn find(args: &CheckArgs, way: &Way, report: &mut Report) -> Result<Option<Vec<u8>>, Failure> {
    let target = args.target.as_str();
    let is_url = target.starts_with("https://") || target.starts_with("http://");
    let path = target.split(['?', '#']).next().unwrap_or_default();
    if is_url && !path.ends_with(".json") {
        return Ok(way.of_agent(target, report).await);
    }
    let bytes = if is_url {
        fetch::document(&way.egress, target)
            .await
            .map_err(|missing| Failure::new(Exit::Transport, format!("{target}: {}", missing.words())))?
    } else {
        files::read(target.as_ref(), files::LARGE).map_err(|error| {
            Failure::usage(format!("cannot read `{target}`; name a file, or a url that begins with https://"))
                .because(error)
        })?
    };
    let value = fetch::strict(&bytes)
        .map_err(|missing| Failure::new(Exit::Correctable, format!("{target}: {}", missing.words())))?;
    if value.get("keys").is_some() {
        report.good("jwks", format!("{target} is a key set"));
        return Ok(Some(bytes));
    }
    chain::judge_brand(&value, report);
    Ok(way.of_brand(&value, args.agent_url.as_deref(), report).await)
}
