//! What a message says of its signature: steps 1 to 6, and step 10. Nothing here waits or keeps anything.

use crate::algorithm::{Algorithm, Profile};
use crate::alphabet;
use crate::base::{NoValue, signature_base};
use crate::digest;
use crate::field::{self, Bare, Covered};
use crate::key::PublicKey;
use crate::message::Message;
use crate::rejection::{Fault, Rejection};
use crate::sign::LABEL;
use crate::target::{self, TargetUri};
use crate::time::{UnixTime, check_window};

use super::{DigestPolicy, Verified};

/// The longest name of a key and the longest nonce.
const MAX_TEXT: usize = 256;

/// The fewest bytes of a nonce.
const MIN_NONCE: usize = 16;

/// Covered fields that have one value, and whether a comma within it means a second one.
const SINGLE: &[(&str, bool)] = &[
    ("content-type", true),
    ("content-length", true),
    ("host", true),
    ("authorization", false),
    ("date", false),
];

/// A claim that reads well, and that nothing proves yet.
#[derive(Debug)]
pub(super) struct Claim {
    profile: Profile,
    covered: Covered,
    signature: Vec<u8>,
    pub(super) keyid: String,
    pub(super) nonce: String,
    pub(super) algorithm: Algorithm,
    created: UnixTime,
    pub(super) expires: UnixTime,
    /// The stated SHA-256, if the digest is covered: `Some(None)` if it has none.
    pub(super) digest: Option<Option<Vec<u8>>>,
}

impl Claim {
    /// Steps 1 to 6.
    pub(super) fn read(
        message: &Message<'_>,
        profile: Profile,
        policy: DigestPolicy,
        now: UnixTime,
    ) -> Result<Self, Rejection> {
        let refuse = |fault: Fault| move |detail: &'static str| Rejection::new(fault, profile, detail);
        let malformed = refuse(Fault::HeaderMalformed);
        let (covered, signature) = read_headers(message, profile)?;
        let digest = match covers(&covered, "content-digest") {
            false => None,
            true => match message.combined("content-digest") {
                // Its absence is for step 6 to say.
                None => Some(None),
                Some(value) => Some(digest::stated(&value.map_err(malformed)?).map_err(malformed)?),
            },
        };
        let params = read_params(&covered).map_err(|(fault, detail)| refuse(fault)(detail))?;

        if params.tag != profile.tag() {
            return Err(refuse(Fault::TagInvalid)("the tag is of another profile"));
        }
        let algorithm = Algorithm::from_name(&params.alg)
            .ok_or_else(|| refuse(Fault::AlgNotAllowed)("the algorithm is not on the allow-list"))?;
        check_window(params.created, params.expires, now).map_err(refuse(Fault::WindowInvalid))?;
        check_components(&covered, message, policy).map_err(|(fault, detail)| refuse(fault)(detail))?;
        let Params { keyid, nonce, created, expires, .. } = params;
        Ok(Self { profile, covered, signature, keyid, nonce, algorithm, created, expires, digest })
    }

    /// Step 10: the address first, then the signature.
    pub(super) fn check_signature(&self, key: &PublicKey, message: &Message<'_>) -> Result<(), Rejection> {
        let refuse = |fault: Fault, detail: &'static str| Rejection::new(fault, self.profile, detail);
        let target = TargetUri::parse(message.url())
            .map_err(|_| refuse(Fault::TargetUriMalformed, "the address has no canonical form"))?;
        // HTTP/2 and HTTP/1.1 say it in different fields; if both do, they agree with the address and so with each other.
        let named = message.header(":authority").chain(message.header("host"));
        if !named.map(std::str::from_utf8).all(|host| host.is_ok_and(|host| target.is_at(host.trim()))) {
            return Err(refuse(
                Fault::TargetUriMalformed,
                "the Host field names another authority than the address",
            ));
        }
        let base = signature_base(&self.covered, message, &target).map_err(|error| match error {
            NoValue::Absent => refuse(Fault::ComponentsIncomplete, "a covered field is absent"),
            NoValue::Unknown => refuse(Fault::ComponentsUnexpected, "a component is not known"),
            NoValue::Malformed(detail) => refuse(Fault::HeaderMalformed, detail),
        })?;
        if key.verifies(base.as_bytes(), &self.signature) {
            Ok(())
        } else {
            Err(refuse(Fault::Invalid, "the signature is not that of the message"))
        }
    }

    pub(super) fn into_verified(self, agent_url: Option<String>, now: UnixTime) -> Verified {
        Verified {
            keyid: self.keyid,
            agent_url,
            label: LABEL.to_owned(),
            algorithm: self.algorithm,
            created: self.created,
            expires: self.expires,
            nonce: self.nonce,
            covered: self.covered.components.into_iter().map(|it| it.name).collect(),
            verified_at: now,
        }
    }
}

/// Step 1: what `sig1` covers, and its bytes. Other labels are somebody else's.
fn read_headers(message: &Message<'_>, profile: Profile) -> Result<(Covered, Vec<u8>), Rejection> {
    let malformed = |detail: &'static str| Rejection::new(Fault::HeaderMalformed, profile, detail);
    let input = message.combined("signature-input");
    let signature = message.combined("signature");
    let (input, signature) = match (input, signature) {
        (Some(input), Some(signature)) => (input.map_err(malformed)?, signature.map_err(malformed)?),
        (None, None) if profile == Profile::Request => {
            return Err(Rejection::new(Fault::Required, profile, "the request is not signed"));
        }
        (None, None) => return Err(malformed("the message is not signed")),
        _ => return Err(malformed("one of Signature and Signature-Input is missing")),
    };
    if !target::host_is_ascii(message.url()) {
        return Err(malformed("the host of the address is not in its ASCII form"));
    }
    let mut inputs = field::signature_input(&input).map_err(malformed)?;
    let mut signatures = field::byte_sequences(&signature).map_err(malformed)?;
    let (Some(input), Some(signature)) = (
        inputs.iter().position(|(label, _)| label == LABEL),
        signatures.iter().position(|(label, _)| label == LABEL),
    ) else {
        return Err(malformed("no signature has the label sig1"));
    };
    let (covered, signature) = (inputs.swap_remove(input).1, signatures.swap_remove(signature).1);
    for (name, separates) in SINGLE.iter().filter(|(name, _)| covers(&covered, name)) {
        let values = message.header(name).collect::<Vec<_>>();
        if values.len() > 1 || (*separates && values.iter().any(|value| has_bare_comma(value))) {
            return Err(malformed("a covered field has several values"));
        }
    }
    Ok((covered, signature))
}

/// Whether a comma stands outside quotes.
fn has_bare_comma(value: &[u8]) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for byte in value {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return true,
            _ => {}
        }
    }
    false
}

struct Params {
    created: UnixTime,
    expires: UnixTime,
    nonce: String,
    keyid: String,
    alg: String,
    tag: String,
}

/// Step 2: six parameters of their types. Others are signed like everything else, and mean nothing to us.
fn read_params(covered: &Covered) -> Result<Params, (Fault, &'static str)> {
    // A wrong type is a field that does not parse; it is found before a missing parameter.
    let time = |name| match covered.param(name) {
        None => Ok(None),
        Some(Bare::Integer(secs)) => Ok(Some(UnixTime::from_secs(*secs))),
        Some(_) => Err((Fault::HeaderMalformed, "created or expires is not an integer")),
    };
    let text = |name| match covered.param(name) {
        None => Ok(None),
        Some(Bare::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err((Fault::HeaderMalformed, "a parameter is not a quoted string")),
    };
    let (created, expires) = (time("created")?, time("expires")?);
    let (nonce, keyid, alg, tag) = (text("nonce")?, text("keyid")?, text("alg")?, text("tag")?);
    let (Some(created), Some(expires), Some(nonce), Some(keyid), Some(alg), Some(tag)) =
        (created, expires, nonce, keyid, alg, tag)
    else {
        return Err((Fault::ParamsIncomplete, "a parameter is missing"));
    };
    if nonce.len() > MAX_TEXT || keyid.len() > MAX_TEXT {
        return Err((Fault::HeaderMalformed, "keyid or nonce is longer than 256 characters"));
    }
    let Some(bytes) = alphabet::from_url_safe(&nonce) else {
        return Err((Fault::HeaderMalformed, "the nonce is not base64url"));
    };
    if bytes.len() < MIN_NONCE {
        return Err((Fault::ParamsIncomplete, "the nonce has fewer than 16 bytes"));
    }
    Ok(Params { created, expires, nonce, keyid, alg, tag })
}

/// Step 6. Further fields may be covered as well, if the message has them.
fn check_components(
    covered: &Covered,
    message: &Message<'_>,
    policy: DigestPolicy,
) -> Result<(), (Fault, &'static str)> {
    let incomplete = |detail| Err((Fault::ComponentsIncomplete, detail));
    if ["@method", "@target-uri", "@authority"].iter().any(|name| !covers(covered, name)) {
        return incomplete("the method, the address or the authority is not covered");
    }
    // What has no body has no type worth covering.
    if !message.body().is_empty() && !covers(covered, "content-type") {
        return incomplete("the content type is not covered");
    }
    match (policy, covers(covered, "content-digest")) {
        (DigestPolicy::Required, false) => return incomplete("the content digest is not covered"),
        (DigestPolicy::Forbidden, true) => {
            return Err((Fault::ComponentsUnexpected, "the content digest is covered"));
        }
        _ => {}
    }
    for component in &covered.components {
        let is_known = component.params.is_empty()
            && match component.name.strip_prefix('@') {
                Some(derived) => ["method", "target-uri", "authority"].contains(&derived),
                None => true,
            };
        if !is_known {
            return Err((Fault::ComponentsUnexpected, "a component is not known"));
        }
        if !component.name.starts_with('@') && !message.has(&component.name) {
            return incomplete("a covered field is absent");
        }
    }
    Ok(())
}

fn covers(covered: &Covered, name: &str) -> bool {
    covered.components.iter().any(|it| it.name == name && it.params.is_empty())
}

#[cfg(test)]
mod tests {
    use super::has_bare_comma;

    #[test]
    fn a_comma_within_quotes_separates_nothing() {
        for (value, several) in [
            ("application/json", false),
            ("application/json, text/plain", true),
            ("multipart/x; boundary=\"a,b\"", false),
            ("a; b=\"\\\",\"", false),
            ("a; b=\"\\\"\",", true),
            ("a\\,", true),
        ] {
            assert_eq!(has_bare_comma(value.as_bytes()), several, "{value}");
        }
    }
}
