//! Published keys: which of them a verifier would use.

use std::sync::Arc;

use adcp_core::{Clock as _, SystemClock};
use adcp_signing::{
    DigestPolicy, Fault, Jwk, Jwks, KeyFault, KeyUse, LocalSigner, MemoryReplayStore, Message, Profile,
    Signer as _, UnixTime, Verifier, sign_request, sign_webhook,
};
use serde_json::Value;

use super::report::{Report, code};

const NAME: &str = "keys";

/// Members of a JWK that only its owner may know.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

const fn profile(purpose: KeyUse) -> Profile {
    match purpose {
        KeyUse::RequestSigning => Profile::Request,
        _ => Profile::Webhook,
    }
}

/// Judges a key set. `None` when it is none.
pub(super) fn judge(bytes: &[u8], purpose: KeyUse, report: &mut Report) -> Option<Jwks> {
    let keys = match Jwks::parse(bytes) {
        Ok(keys) => keys,
        Err(error) => {
            let advice = "publish {\"keys\": […]}, as `adcp keys publish` prints it";
            report.wrong(
                NAME,
                code(KeyFault::JwksUnavailable),
                format!("this is no key set: {error}"),
                advice,
            );
            return None;
        }
    };
    exposed(bytes, report);
    let mut fit = 0;
    for key in keys.keys() {
        let kid = &key.kid;
        let kind = key.adcp_use.as_deref().unwrap_or("nothing");
        match unfit(key) {
            None => {
                fit += usize::from(kind == purpose.name());
                report
                    .good(NAME, format!("`{kid}` is for {kind}, {}", key.alg.as_deref().unwrap_or_default()));
            }
            Some(why) => report.note(NAME, format!("`{kid}` is for {kind} and of no use: {why}")),
        }
        let twin = |other: &&Jwk| other.kid != key.kid && other.x == key.x && other.adcp_use != key.adcp_use;
        if key.x.is_some() && keys.keys().iter().any(|other| twin(&other)) {
            let fault = Fault::KeyPurposeInvalid.code(profile(purpose));
            let what = format!("`{kid}` is published for another purpose, too, under another name");
            report.wrong(NAME, fault, what, "make a key for each purpose: `adcp keys new FILE --purpose …`");
        }
    }
    if fit == 0 {
        let what = format!("no key is there for {purpose}");
        let advice = "publish one: `use` is sig, `key_ops` has verify, `adcp_use` is its purpose";
        report.wrong(NAME, Fault::KeyUnknown.code(profile(purpose)), what, advice);
    }
    Some(keys)
}

/// A private key that everybody can read is everybody's.
fn exposed(bytes: &[u8], report: &mut Report) {
    let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
    for key in value["keys"].as_array().into_iter().flatten() {
        if let Some(member) = PRIVATE.iter().find(|name| key.get(**name).is_some()) {
            let what = format!(
                "the private half of `{}` is published, as `{member}`",
                key["kid"].as_str().unwrap_or("?")
            );
            let advice = "take it out now, and never use that key again: whoever saw it can sign as you";
            report.wrong(NAME, code(KeyFault::JwksUntrusted), what, advice);
        }
    }
}

/// Why no verifier would use a key, for whatever purpose.
pub(in crate::keys) fn unfit(key: &Jwk) -> Option<&'static str> {
    let text = |member: &Option<String>| member.clone().unwrap_or_default();
    let half = |member: &Option<String>| {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        member.as_ref().is_some_and(|text| text.len() == 43 && text.chars().all(fits))
    };
    if key.r#use.as_deref() != Some("sig") {
        return Some("its `use` is not sig");
    }
    if !key.key_ops.iter().any(|op| op == "verify") {
        return Some("its `key_ops` have no verify");
    }
    if key.adcp_use.is_none() {
        return Some("its `adcp_use` is no text");
    }
    match (key.kty.as_str(), text(&key.crv).as_str(), text(&key.alg).as_str()) {
        ("OKP", "Ed25519", "EdDSA") if half(&key.x) => None,
        ("EC", "P-256", "ES256") if half(&key.x) && half(&key.y) => None,
        ("OKP", "Ed25519", "EdDSA") | ("EC", "P-256", "ES256") => {
            Some("its point is not 32 bytes of base64url")
        }
        _ => Some("its `kty`, `crv` and `alg` are neither OKP, Ed25519, EdDSA nor EC, P-256, ES256"),
    }
}

/// Signs something with a private key, and verifies it with what is published.
pub(super) async fn own(key: &LocalSigner, keys: &Jwks, report: &mut Report) {
    let (kid, purpose) = (key.key().keyid(), key.key().purpose());
    let profile = profile(purpose);
    let unknown = Fault::KeyUnknown.code(profile);
    let ours = key.jwk();
    let Some(found) = keys.get(kid) else {
        let elsewhere = keys.keys().iter().find(|other| other.x == ours.x);
        let what = match elsewhere {
            Some(other) => {
                format!("your key `{kid}` is published as `{}`, and signatures name it `{kid}`", other.kid)
            }
            None => format!("your key `{kid}` is not published"),
        };
        return report.wrong("own_key", unknown, what, "publish it: `adcp keys publish FILE` prints how");
    };
    if (&found.x, &found.y) != (&ours.x, &ours.y) {
        let what = format!("another key is published under the name `{kid}` of yours");
        return report.wrong("own_key", unknown, what, "publish yours, under a name that was never used");
    }
    let message = Message::new("POST", "https://receiver.example/check", b"{}")
        .with_header("content-type", "application/json");
    let now = UnixTime::from_micros(SystemClock::new().now().as_micros());
    let (source, store) = (Arc::new(keys.clone()), Arc::new(MemoryReplayStore::new(16)));
    let (signed, verifier) = match profile {
        Profile::Request => {
            (sign_request(key, &message, now).await, Verifier::requests(source, store, DigestPolicy::Either))
        }
        Profile::Webhook => (sign_webhook(key, &message, now).await, Verifier::webhooks(source, store)),
    };
    let fields = match signed {
        Ok(fields) => fields,
        Err(error) => {
            let what = format!("`{kid}` does not sign: {error}");
            return report.wrong("own_key", unknown, what, "look at the key file");
        }
    };
    let signed = message.with_headers(fields.iter().map(|(name, value)| (name, value.as_bytes())));
    match verifier.verify(&signed, now).await {
        Ok(_) => {
            report.good("own_key", format!("what your key `{kid}` signs is verified by what is published"))
        }
        Err(error) => {
            let fault = Fault::KeyPurposeInvalid.code(profile);
            let what = format!("what your key `{kid}` signs is refused: {error}");
            report.wrong("own_key", fault, what, "publish the key as `adcp keys publish FILE` prints it");
        }
    }
}
