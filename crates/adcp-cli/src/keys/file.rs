//! Private keys in files. No message shows what a file holds.

use std::path::{Path, PathBuf};

use adcp_signing::{BadKey, Jwk, KeyUse, LocalSigner, Signer as _};
use serde_json::Value;

use super::check::unfit;
use crate::credential::warn_if_readable;
use crate::exit::Failure;
use crate::files;

/// Reads a private key, whatever it is for. A PEM file says neither name nor purpose: the name is the thumbprint of the key.
pub(super) fn read(file: &Path, purpose_of_pem: KeyUse) -> Result<LocalSigner, Failure> {
    warn_if_readable(file);
    let text = read_text(file)?;
    private(file, &text, purpose_of_pem)
}

/// The public half of a key that verifiers can use, from a file with either half.
pub(super) fn read_public(file: &Path, purpose_of_pem: KeyUse) -> Result<Jwk, Failure> {
    let text = read_text(file)?;
    let name = file.display();
    let value: Option<Value> = serde_json::from_str(&text).ok();
    let key = match value {
        Some(value) if value.get("kty").is_some() && value.get("d").is_none() => Jwk::from_json(&value)
            .ok_or_else(|| Failure::usage(format!("`{name}` cannot be published: it has no `kid`")))?,
        _ => {
            warn_if_readable(file);
            private(file, &text, purpose_of_pem)?.jwk()
        }
    };
    if !is_kid(&key.kid) {
        return Err(Failure::usage(format!("`{name}` cannot be published: its `kid` {KID}")));
    }
    match unfit(&key) {
        None => Ok(key),
        Some(why) => Err(Failure::usage(format!("`{name}` cannot be published: {why}"))),
    }
}

const KID: &str = "is not 1 to 256 characters of printable ASCII";

/// What a signature can give as `keyid`.
fn is_kid(kid: &str) -> bool {
    (1..=256).contains(&kid.len()) && kid.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

fn read_text(file: &Path) -> Result<String, Failure> {
    files::read_text(file, files::SMALL).map_err(|error| {
        Failure::usage(format!("cannot read the key file `{}`", file.display())).because(error)
    })
}

fn private(file: &Path, text: &str, purpose_of_pem: KeyUse) -> Result<LocalSigner, Failure> {
    let wrong = |error: BadKey| {
        let why = instead(text).unwrap_or_else(|| error.to_string());
        Failure::usage(format!(
            "`{}` is no signing key: {why}; expected a JWK with `d`, `kid` and `adcp_use`, or PEM, such as from:\n  \
             adcp keys new FILE",
            file.display()
        ))
    };
    if !text.contains("-----BEGIN ") {
        return LocalSigner::from_jwk(text.as_bytes()).map_err(wrong);
    }
    let of_any_name = LocalSigner::from_pem(text, purpose_of_pem, "key").map_err(wrong)?;
    LocalSigner::from_pem(text, purpose_of_pem, of_any_name.jwk().thumbprint()).map_err(wrong)
}

/// What a file is that is no private key of a kind we read, as far as that can be told.
fn instead(text: &str) -> Option<String> {
    let words = if text.trim().is_empty() {
        "the file is empty"
    } else if let Some((_, rest)) = text.split_once("-----BEGIN ") {
        match rest.split_once("-----").map_or(rest, |(label, _)| label) {
            label if label.contains("ENCRYPTED") => "it is encrypted; decrypt it first",
            _ if rest.contains("Proc-Type: 4,ENCRYPTED") => "it is encrypted; decrypt it first",
            label if label.contains("PUBLIC") => "it is a public key alone, and only the private one signs",
            "CERTIFICATE" => "it is a certificate, which holds a public key alone",
            "RSA PRIVATE KEY" => "it is an RSA key, and webhooks are signed with Ed25519 or P-256",
            "OPENSSH PRIVATE KEY" => "it is in the format of OpenSSH, which we do not read",
            _ => return None,
        }
    } else {
        let value: Value = serde_json::from_str(text).ok()?;
        let has = |name: &str| value.get(name).is_some();
        let is = |name: &str, want: &str| value.get(name).and_then(Value::as_str) == Some(want);
        if has("keys") {
            "it is a set of keys; name a file with one private key"
        } else if is("kty", "RSA") {
            "it is an RSA key, and webhooks are signed with Ed25519 or P-256"
        } else if is("kty", "oct") {
            "it is a shared secret (`kty` oct), not a pair of keys"
        } else if has("kty") && !has("d") {
            "it is a public key alone (no `d`), and only the private one signs"
        } else if has("kty") && !has("kid") {
            "it has no `kid`, the name that signatures give"
        } else if value.get("kid").is_some_and(|kid| !kid.as_str().is_some_and(is_kid)) {
            return Some(format!("its `kid` {KID}"));
        } else {
            return None;
        }
    };
    Some(words.to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, read: impl Fn(&Path) -> Result<String, Failure>) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read(file.path()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_private_key_is_called_what_it_is() {
        for (text, words) in [
            ("", "is empty"),
            (" \n", "is empty"),
            ("{\"keys\": []}", "a set of keys"),
            ("{\"kty\": \"OKP\", \"kid\": \"k\"}", "a public key alone"),
            ("{\"kty\": \"OKP\", \"d\": \"5ec2e7\"}", "no `kid`"),
            ("{\"kty\": \"OKP\", \"d\": \"5ec2e7\", \"kid\": \"a\\u0007\"}", "printable ASCII"),
            ("{\"kty\": \"RSA\", \"d\": \"5ec2e7\"}", "RSA"),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\n5ec2e7", "encrypted"),
            ("-----BEGIN PUBLIC KEY-----\n5ec2e7", "a public key alone"),
            ("-----BEGIN RSA PRIVATE KEY-----\n5ec2e7", "RSA"),
            ("5ec2e7", "is no signing key"),
        ] {
            let said = said(text, |file| read(file, KeyUse::WebhookSigning).map(|_| String::new()));
            assert!(said.contains(words) && !said.contains("5ec2e7"), "{said}");
        }
    }

    #[test]
    fn what_no_verifier_could_use_is_not_published() {
        let key =
            LocalSigner::generate(adcp_signing::Algorithm::Ed25519, KeyUse::WebhookSigning, "k").unwrap();
        let good = key.jwk().to_json();
        let altered = |name: &str, value: &str| {
            let mut key = good.clone();
            key[name] = value.into();
            key.to_string()
        };
        for (text, words) in [
            (altered("kty", "oct"), "`kty`"),
            (altered("x", "AAAA"), "32 bytes"),
            (altered("kid", "a\u{7}b"), "printable ASCII"),
            (altered("kid", ""), "printable ASCII"),
            ("{\"kty\":\"oct\",\"kid\":\"k\",\"k\":\"5ec2e7\"}".to_owned(), "cannot be published"),
        ] {
            let said = said(&text, |file| read_public(file, KeyUse::WebhookSigning).map(|key| key.kid));
            assert!(said.contains(words) && !said.contains("5ec2e7"), "{said}");
        }
    }
}
