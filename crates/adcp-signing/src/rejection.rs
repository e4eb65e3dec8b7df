//! What a verifier refuses, in AdCP's codes and steps.

use std::error::Error as StdError;
use std::fmt;

use crate::algorithm::Profile;

/// Where in the verifier's checklist a message failed. Steps run in this order, and the first failure wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Before the list: is there a signature, and of the agreed kind?
    Presence,
    /// Step 1: the fields can be read in one way only.
    Headers,
    /// Step 2: all six parameters.
    Params,
    /// Step 3: the tag of the profile.
    Tag,
    /// Step 4: an algorithm of the allow-list.
    Algorithm,
    /// Step 5: created and expires around the present.
    Window,
    /// Step 6: everything is covered that must be.
    Components,
    /// Step 7: the key is found.
    Key,
    /// Step 8: the key is for this purpose and algorithm.
    KeyPurpose,
    /// Step 9: the key is not revoked.
    Revocation,
    /// Step 9a: the key has not filled its share of the replay store.
    RateAbuse,
    /// Step 10: the address, and the signature itself.
    Signature,
    /// Step 11: the digest of the body.
    Digest,
    /// Steps 12 and 13: the nonce is new, and remembered.
    Replay,
    /// Step 14: no object of the body names a key twice.
    Body,
}

impl Step {
    /// The number in the checklist; 0 for what comes before it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Presence => 0,
            Self::Headers => 1,
            Self::Params => 2,
            Self::Tag => 3,
            Self::Algorithm => 4,
            Self::Window => 5,
            Self::Components => 6,
            Self::Key => 7,
            Self::KeyPurpose => 8,
            Self::Revocation | Self::RateAbuse => 9,
            Self::Signature => 10,
            Self::Digest => 11,
            Self::Replay => 12,
            Self::Body => 14,
        }
    }

    /// The letter after the number, of the one step that has one.
    #[must_use]
    pub const fn letter(self) -> Option<char> {
        match self {
            Self::RateAbuse => Some('a'),
            _ => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())?;
        self.letter().map_or(Ok(()), |letter| write!(f, "{letter}"))
    }
}

/// Why keys could not be had, when that is somebody's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyFault {
    /// The agent's capabilities name no `brand_json_url`, or not an https one.
    BrandJsonUrlMissing,
    /// The agent's capabilities cannot be had.
    CapabilitiesUnreachable,
    /// The `brand.json` cannot be had.
    BrandJsonUnreachable,
    /// The `brand.json` is too large, not JSON, or names a key twice.
    BrandJsonMalformed,
    /// The `brand.json` stands at a domain that does not speak for the agent.
    BrandOriginMismatch,
    /// No entry of the `brand.json` names the agent.
    AgentNotInBrandJson,
    /// Several entries of the `brand.json` name the agent.
    BrandJsonAmbiguous,
    /// The keys stand at another origin than the agent declares.
    KeyOriginMismatch,
    /// The agent declares no origin for its keys.
    KeyOriginMissing,
    /// The keys cannot be had now; the sender may try again.
    JwksUnavailable,
    /// The address of the keys is forbidden.
    JwksUntrusted,
}

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// A signature was needed and none is there.
    Required,
    /// The message is authenticated in another way than was agreed for its address.
    ModeMismatch,
    /// The signature fields, or a covered field, can be read in no way or in two.
    HeaderMalformed,
    /// A parameter is missing, or its nonce is too short.
    ParamsIncomplete,
    /// The tag is that of another profile.
    TagInvalid,
    /// The algorithm is not on the allow-list.
    AlgNotAllowed,
    /// Expired, not yet valid, or valid for too long.
    WindowInvalid,
    /// Something that must be covered is not.
    ComponentsIncomplete,
    /// Something is covered that must not be, or that the profile does not know.
    ComponentsUnexpected,
    /// Nobody knows the key.
    KeyUnknown,
    /// The key's document could not be had, or is not to be believed.
    Keys(KeyFault),
    /// The key is for something else, or contradicts itself.
    KeyPurposeInvalid,
    /// The key is revoked.
    KeyRevoked,
    /// The list of revoked keys is too old to be believed.
    RevocationStale,
    /// The key has too many live nonces.
    RateAbuse,
    /// The address has no canonical form, or the `Host` field names another authority.
    TargetUriMalformed,
    /// The signature is not that of the message under the key.
    Invalid,
    /// The body is not the one whose digest was signed.
    DigestMismatch,
    /// The nonce was seen before.
    Replayed,
    /// The body names a key twice, or is not JSON.
    BodyMalformed,
}

macro_rules! by_profile {
    ($profile:expr, $rest:literal) => {
        match $profile {
            Profile::Webhook => concat!("webhook_", $rest),
            Profile::Request => concat!("request_", $rest),
        }
    };
}

impl Fault {
    /// The code on the wire, of the family of the profile.
    #[must_use]
    pub const fn code(self, profile: Profile) -> &'static str {
        match self {
            Self::Required => by_profile!(profile, "signature_required"),
            Self::ModeMismatch => by_profile!(profile, "mode_mismatch"),
            Self::HeaderMalformed => by_profile!(profile, "signature_header_malformed"),
            Self::ParamsIncomplete => by_profile!(profile, "signature_params_incomplete"),
            Self::TagInvalid => by_profile!(profile, "signature_tag_invalid"),
            Self::AlgNotAllowed => by_profile!(profile, "signature_alg_not_allowed"),
            Self::WindowInvalid => by_profile!(profile, "signature_window_invalid"),
            Self::ComponentsIncomplete => by_profile!(profile, "signature_components_incomplete"),
            // The webhook family has one code for step 6.
            Self::ComponentsUnexpected => match profile {
                Profile::Webhook => "webhook_signature_components_incomplete",
                Profile::Request => "request_signature_components_unexpected",
            },
            Self::KeyUnknown => by_profile!(profile, "signature_key_unknown"),
            Self::Keys(fault) => fault.code(profile),
            Self::KeyPurposeInvalid => by_profile!(profile, "signature_key_purpose_invalid"),
            Self::KeyRevoked => by_profile!(profile, "signature_key_revoked"),
            Self::RevocationStale => by_profile!(profile, "signature_revocation_stale"),
            Self::RateAbuse => by_profile!(profile, "signature_rate_abuse"),
            Self::TargetUriMalformed => by_profile!(profile, "target_uri_malformed"),
            Self::Invalid => by_profile!(profile, "signature_invalid"),
            Self::DigestMismatch => by_profile!(profile, "signature_digest_mismatch"),
            Self::Replayed => by_profile!(profile, "signature_replayed"),
            Self::BodyMalformed => by_profile!(profile, "body_malformed"),
        }
    }

    /// The step of the checklist that finds this fault.
    #[must_use]
    pub const fn step(self) -> Step {
        match self {
            Self::Required | Self::ModeMismatch => Step::Presence,
            Self::HeaderMalformed => Step::Headers,
            Self::ParamsIncomplete => Step::Params,
            Self::TagInvalid => Step::Tag,
            Self::AlgNotAllowed => Step::Algorithm,
            Self::WindowInvalid => Step::Window,
            Self::ComponentsIncomplete | Self::ComponentsUnexpected => Step::Components,
            Self::KeyUnknown | Self::Keys(_) => Step::Key,
            Self::KeyPurposeInvalid => Step::KeyPurpose,
            Self::KeyRevoked | Self::RevocationStale => Step::Revocation,
            Self::RateAbuse => Step::RateAbuse,
            Self::TargetUriMalformed | Self::Invalid => Step::Signature,
            Self::DigestMismatch => Step::Digest,
            Self::Replayed => Step::Replay,
            Self::BodyMalformed => Step::Body,
        }
    }
}

impl KeyFault {
    const fn code(self, profile: Profile) -> &'static str {
        match self {
            Self::BrandJsonUrlMissing => by_profile!(profile, "signature_brand_json_url_missing"),
            Self::CapabilitiesUnreachable => by_profile!(profile, "signature_capabilities_unreachable"),
            Self::BrandJsonUnreachable => by_profile!(profile, "signature_brand_json_unreachable"),
            Self::BrandJsonMalformed => by_profile!(profile, "signature_brand_json_malformed"),
            Self::BrandOriginMismatch => by_profile!(profile, "signature_brand_origin_mismatch"),
            Self::AgentNotInBrandJson => by_profile!(profile, "signature_agent_not_in_brand_json"),
            Self::BrandJsonAmbiguous => by_profile!(profile, "signature_brand_json_ambiguous"),
            Self::KeyOriginMismatch => by_profile!(profile, "signature_key_origin_mismatch"),
            Self::KeyOriginMissing => by_profile!(profile, "signature_key_origin_missing"),
            Self::JwksUnavailable => by_profile!(profile, "signature_jwks_unavailable"),
            Self::JwksUntrusted => by_profile!(profile, "signature_jwks_untrusted"),
        }
    }
}

/// A message that failed a check: the fault, the profile whose codes apply, and words for the log.
///
/// Its `Display` is for the log. A peer is told [`code`](Self::code) and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    /// What is wrong.
    pub fault: Fault,
    /// Which profile was asked for.
    pub profile: Profile,
    /// What was found, in words that repeat nothing of the message.
    pub detail: &'static str,
}

impl Rejection {
    /// A rejection for `fault`.
    #[must_use]
    pub const fn new(fault: Fault, profile: Profile, detail: &'static str) -> Self {
        Self { fault, profile, detail }
    }

    /// The code on the wire, such as `webhook_signature_replayed`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.fault.code(self.profile)
    }

    /// The step of the checklist that failed.
    #[must_use]
    pub const fn step(&self) -> Step {
        self.fault.step()
    }

    /// The value of `WWW-Authenticate` that goes with the status 401: the code, no realm, nothing else.
    #[must_use]
    pub fn challenge(&self) -> String {
        format!("Signature error=\"{}\"", self.code())
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}: {} ({})", self.step(), self.code(), self.detail)
    }
}

impl StdError for Rejection {}

/// Something of ours that a verifier needs and that did not answer.
///
/// Nothing is known about the message; answer 503, never 401.
#[derive(Debug, thiserror::Error)]
#[error("the {what} did not answer")]
pub struct Unavailable {
    what: &'static str,
    source: Box<dyn StdError + Send + Sync>,
}

impl Unavailable {
    /// Says what did not answer, such as "replay store", and why.
    #[must_use]
    pub fn new(what: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { what, source: source.into() }
    }
}

/// Why a message was not verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The message is refused: answer 401 with its challenge.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// A part of ours failed: answer 503.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl VerifyError {
    /// The rejection, if this is one.
    #[must_use]
    pub const fn rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            Self::Unavailable(_) => None,
        }
    }
}

/// Whether a code that a receiver sent back, in `WWW-Authenticate` of a 401, is of the signature's family: such an answer
/// ends a delivery, because trying again changes nothing.
///
/// ```
/// use adcp_signing::code_of_challenge;
///
/// assert_eq!(code_of_challenge(r#"Signature error="webhook_signature_key_unknown""#), Some("webhook_signature_key_unknown"));
/// assert_eq!(code_of_challenge("Bearer realm=\"x\""), None);
/// ```
#[must_use]
pub fn code_of_challenge(challenge: &str) -> Option<&str> {
    let (scheme, rest) = challenge.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("signature") {
        return None;
    }
    let code = rest.trim().strip_prefix("error=\"")?.split('"').next()?;
    let is_ours = code.starts_with("webhook_") || code.starts_with("request_");
    (is_ours && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_steps_and_challenges() {
        let rejection = Rejection::new(Fault::RateAbuse, Profile::Webhook, "too many");
        assert_eq!(rejection.to_string(), "step 9a: webhook_signature_rate_abuse (too many)");
        assert_eq!(rejection.challenge(), r#"Signature error="webhook_signature_rate_abuse""#);
        assert_eq!(code_of_challenge(&rejection.challenge()), Some(rejection.code()));
        assert_eq!(Fault::ModeMismatch.code(Profile::Webhook), "webhook_mode_mismatch");
        assert_eq!(Fault::TargetUriMalformed.code(Profile::Request), "request_target_uri_malformed");
        let keys = Fault::Keys(KeyFault::JwksUntrusted);
        assert_eq!(
            (keys.code(Profile::Request), keys.step()),
            ("request_signature_jwks_untrusted", Step::Key)
        );
        assert_eq!((Step::Body.to_string(), Step::Presence.to_string()), ("14".into(), "0".into()));
    }

    #[test]
    fn faults_of_documents_have_codes() {
        use KeyFault as K;
        for (fault, code) in [
            (K::BrandJsonUrlMissing, "request_signature_brand_json_url_missing"),
            (K::CapabilitiesUnreachable, "request_signature_capabilities_unreachable"),
            (K::BrandJsonUnreachable, "request_signature_brand_json_unreachable"),
            (K::BrandJsonMalformed, "request_signature_brand_json_malformed"),
            (K::BrandOriginMismatch, "request_signature_brand_origin_mismatch"),
            (K::AgentNotInBrandJson, "request_signature_agent_not_in_brand_json"),
            (K::BrandJsonAmbiguous, "request_signature_brand_json_ambiguous"),
            (K::KeyOriginMismatch, "request_signature_key_origin_mismatch"),
            (K::KeyOriginMissing, "request_signature_key_origin_missing"),
            (K::JwksUnavailable, "request_signature_jwks_unavailable"),
            (K::JwksUntrusted, "request_signature_jwks_untrusted"),
        ] {
            assert_eq!(Fault::Keys(fault).code(Profile::Request), code);
        }
    }

    #[test]
    fn a_challenge_of_another_kind_has_no_code() {
        for text in [
            "",
            "Signature",
            "Signature realm=\"x\"",
            "Signature error=\"<b>\"",
            "Signature error=\"webhook_<\"",
        ] {
            assert_eq!(code_of_challenge(text), None, "{text}");
        }
    }
}
