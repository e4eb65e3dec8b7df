//! By what a webhook is verified: what was agreed when its address was registered.

use std::path::Path;
use std::sync::Arc;

use adcp_signing::{
    BearerToken, DEFAULT_WEBHOOK_NONCES, HmacKey, Jwks, KeySource, MemoryReplayStore, Secret, Verifier,
};
use adcp_webhooks::{Agreement, RemoteJwks};

use super::misses::Misses;
use super::reach;
use crate::args::MeansArgs;
use crate::credential::{no_token, warn_if_readable};
use crate::exit::{Exit, Failure};
use crate::files;
use crate::keys;
use crate::output::tame;

/// The name under which keys of events count: there is one sender.
const SENDER: &str = "sender";

/// What was agreed.
#[derive(Debug)]
pub(super) struct Means {
    pub(super) mode: Mode,
    keys: Option<Arc<dyn KeySource>>,
    pub(super) token: Option<Secret>,
    pub(super) operation_id: Option<String>,
    /// The same in words.
    pub(super) words: String,
}

/// How the sender authenticates.
#[derive(Debug)]
pub(super) enum Mode {
    Signed,
    Hmac(HmacKey),
    Bearer(BearerToken),
    /// Nothing was given.
    Unverified,
}

impl Means {
    /// Reads files, and finds out where keys are.
    pub(super) async fn find(args: &MeansArgs) -> Result<Self, Failure> {
        let (keys, whose): (Option<Arc<dyn KeySource>>, String) = match (&args.agent, &args.jwks) {
            (Some(agent), _) => {
                let egress = reach::egress_to(agent)?;
                let at = keys::webhook_keys_of(agent, egress.clone(), reach::is_loopback(agent)).await?;
                (Some(remote(&at, egress)?), format!("the keys at {}", tame(&at)))
            }
            (None, Some(url)) if url.contains("://") => {
                (Some(remote(url, reach::egress_to(url)?)?), format!("the keys at {}", tame(url)))
            }
            (None, Some(file)) => {
                let keys = key_file(Path::new(file))?;
                let names: Vec<&str> = keys.keys().iter().map(|key| key.kid.as_str()).collect();
                let words = format!("the keys of {file}: {}", tame(&names.join(", ")));
                (Some(Arc::new(keys)), words)
            }
            (None, None) => (None, String::new()),
        };
        let (mode, words) = match (&args.hmac_secret_file, &args.bearer_file) {
            (Some(file), _) => (Mode::Hmac(hmac_key(file)?), "HMAC-SHA256".to_owned()),
            (None, Some(file)) => (Mode::Bearer(bearer_token(file)?), "Bearer".to_owned()),
            (None, None) if keys.is_some() => (Mode::Signed, format!("signed, by {whose}")),
            (None, None) => (Mode::Unverified, "unverified: give --agent, --jwks or a secret".to_owned()),
        };
        Ok(Self {
            mode,
            keys,
            token: args.token.as_ref().map(|token| Secret::new(token.expose())),
            operation_id: args.operation_id.clone(),
            words,
        })
    }

    /// Verifies signatures, with a memory of nonces of its own.
    pub(super) fn verifier(&self) -> Option<Verifier> {
        let nonces = || Arc::new(MemoryReplayStore::new(DEFAULT_WEBHOOK_NONCES));
        self.keys.as_ref().map(|keys| Verifier::webhooks(Arc::clone(keys), nonces()))
    }

    /// The same for a receiver; `None` when there is nothing to verify by.
    pub(super) fn agreement(&self) -> Option<Agreement> {
        let mut agreement = match (&self.mode, self.verifier()) {
            (Mode::Signed, Some(verifier)) => Agreement::signed(SENDER, verifier),
            (Mode::Hmac(key), _) => Agreement::hmac(SENDER, key.clone()),
            (Mode::Bearer(token), _) => Agreement::bearer(SENDER, token.clone()),
            _ => return None,
        };
        if let (Mode::Hmac(_) | Mode::Bearer(_), Some(verifier)) = (&self.mode, self.verifier()) {
            agreement = agreement.with_challenges_signed(verifier);
        }
        if let Some(token) = &self.token {
            agreement = agreement.with_token(token.clone());
        }
        if let Some(id) = &self.operation_id {
            agreement = agreement.with_operation_id(id.as_str());
        }
        Some(agreement)
    }
}

fn remote(url: &str, egress: adcp_egress::Egress) -> Result<Arc<dyn KeySource>, Failure> {
    let keys = RemoteJwks::new(egress, url).map_err(|error| {
        Failure::usage(format!("keys cannot be fetched from {}", tame(url))).because(error)
    })?;
    Ok(Arc::new(Misses::of(Arc::new(keys))))
}

fn key_file(file: &Path) -> Result<Jwks, Failure> {
    let name = file.display();
    let bytes = files::read(file, files::LARGE)
        .map_err(|error| Failure::usage(format!("cannot read the keys in `{name}`")).because(error))?;
    let keys = Jwks::parse(&bytes)
        .map_err(|error| Failure::usage(format!("`{name}` is no set of keys")).because(error))?;
    if keys.keys().is_empty() {
        return Err(Failure::usage(format!("no key in `{name}` is of a kind that signs webhooks")));
    }
    Ok(keys)
}

/// The secret of a registration that asks for HMAC-SHA256.
pub(super) fn hmac_key(file: &Path) -> Result<HmacKey, Failure> {
    HmacKey::new(secret_of(file)?).ok_or_else(|| {
        Failure::usage(format!(
            "the secret in `{}` is shorter than {} bytes",
            file.display(),
            HmacKey::MIN_LEN
        ))
    })
}

/// The token of a registration that asks for Bearer.
pub(super) fn bearer_token(file: &Path) -> Result<BearerToken, Failure> {
    BearerToken::new(secret_of(file)?).ok_or_else(|| {
        Failure::usage(format!("the token in `{}` is empty, or cannot stand in a header", file.display()))
    })
}

/// What a file of one line says.
pub(super) fn secret_of(file: &Path) -> Result<Secret, Failure> {
    warn_if_readable(file);
    let bytes = files::read(file, files::SMALL).map(Secret::new).map_err(|error| {
        Failure::new(Exit::Usage, format!("cannot read the secret in `{}`", file.display())).because(error)
    })?;
    if let Some(what) = std::str::from_utf8(bytes.expose()).ok().and_then(no_token) {
        return Err(Failure::usage(format!(
            "`{}` is {what}, not a secret that was agreed on",
            file.display()
        )));
    }
    Ok(Secret::new(bytes.expose().trim_ascii_end()))
}
