//! Private keys in files. No message shows what a file holds.

use std::path::{Path, PathBuf};

use adcp_signing::{BadKey, Jwk, KeyUse, LocalSigner, Signer as _};

use crate::credential::warn_if_readable;
use crate::exit::Failure;

/// A key file is a few hundred bytes; more is something else.
const LONGEST: u64 = 64 * 1024;

/// Reads a private key, whatever it is for. A PEM file says neither name nor purpose: the name is the thumbprint of the key.
pub(super) fn read(file: &Path, purpose_of_pem: KeyUse) -> Result<LocalSigner, Failure> {
    warn_if_readable(file);
    let name = file.display();
    let wrong = |error: BadKey| {
        Failure::usage(format!(
            "`{name}` is no signing key; expected a JWK with `d`, `kid` and `adcp_use`, or PEM, such as from:\n  \
             adcp keys new FILE"
        ))
        .because(error)
    };
    let long = std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.len() > LONGEST);
    if long {
        return Err(wrong(BadKey::Format));
    }
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("cannot read the key file `{name}`")).because(error))?;
    if !text.contains("-----BEGIN ") {
        return LocalSigner::from_jwk(text.as_bytes()).map_err(wrong);
    }
    let of_any_name = LocalSigner::from_pem(&text, purpose_of_pem, "key").map_err(wrong)?;
    LocalSigner::from_pem(&text, purpose_of_pem, of_any_name.jwk().thumbprint()).map_err(wrong)
}

/// The public half of a key, from a file with either half.
pub(super) fn read_public(file: &Path, purpose_of_pem: KeyUse) -> Result<Jwk, Failure> {
    let text = std::fs::read(file).unwrap_or_default();
    let value: Option<serde_json::Value> = serde_json::from_slice(&text).ok();
    match value {
        Some(value) if value.get("kty").is_some() && value.get("d").is_none() => Jwk::from_json(&value)
            .ok_or_else(|| Failure::usage(format!("`{}` is no key: it has no `kid`", file.display()))),
        _ => read(file, purpose_of_pem).map(|key| key.jwk()),
    }
}

/// Reads the keys that sign webhooks, no name twice.
pub(crate) fn read_for_webhooks(files: &[PathBuf]) -> Result<Vec<LocalSigner>, Failure> {
    let mut keys: Vec<LocalSigner> = Vec::new();
    for file in files {
        let key = read(file, KeyUse::WebhookSigning)?;
        let (name, purpose) = (file.display(), key.key().purpose());
        if purpose != KeyUse::WebhookSigning {
            return Err(Failure::usage(format!(
                "`{name}` is a key for {purpose}, and webhooks are signed with one for webhook-signing; a key serves \
                 one purpose, so make another one:\n  adcp keys new FILE"
            )));
        }
        let kid = key.key().keyid();
        if keys.iter().any(|other| other.key().keyid() == kid) {
            return Err(Failure::usage(format!(
                "`{name}` has the `kid` `{kid}` like a key before it; a signature names its key by that alone"
            )));
        }
        keys.push(key);
    }
    Ok(keys)
}
