//! The closed sets of the profiles: algorithms and purposes of keys.

use std::fmt;

/// A signature algorithm that both profiles allow.
///
/// Spec: RFC 9421 section 3.3; RFC 8037 and RFC 7518 for the names in a JWK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(
    clippy::exhaustive_enums,
    reason = "the allow-list of the profiles; another algorithm is another profile"
)]
pub enum Algorithm {
    /// EdDSA over Curve25519.
    Ed25519,
    /// ECDSA over P-256 with SHA-256; signatures are `r` and `s`, 64 bytes.
    EcdsaP256Sha256,
}

impl Algorithm {
    /// The value of the signature parameter `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
        }
    }

    /// The value of `alg` in a JWK.
    #[must_use]
    pub const fn jwk_name(self) -> &'static str {
        match self {
            Self::Ed25519 => "EdDSA",
            Self::EcdsaP256Sha256 => "ES256",
        }
    }

    /// The algorithm of a signature parameter, if it is allowed.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Ed25519, Self::EcdsaP256Sha256].into_iter().find(|it| it.name() == name)
    }

    pub(crate) const fn key_type(self) -> &'static str {
        match self {
            Self::Ed25519 => "OKP",
            Self::EcdsaP256Sha256 => "EC",
        }
    }

    pub(crate) const fn curve(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            Self::EcdsaP256Sha256 => "P-256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a key is for; a key serves one purpose only.
///
/// Spec: the member `adcp_use` of a published JWK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyUse {
    /// Signing requests, by a buyer.
    RequestSigning,
    /// Signing webhooks, by a seller.
    WebhookSigning,
    /// Signing governance contexts and revocation lists.
    GovernanceSigning,
    /// Signing the few answers that are signed.
    ResponseSigning,
}

impl KeyUse {
    /// The value of `adcp_use`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RequestSigning => "request-signing",
            Self::WebhookSigning => "webhook-signing",
            Self::GovernanceSigning => "governance-signing",
            Self::ResponseSigning => "response-signing",
        }
    }

    /// The purpose that a JWK names, if we know it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::RequestSigning, Self::WebhookSigning, Self::GovernanceSigning, Self::ResponseSigning]
            .into_iter()
            .find(|it| it.name() == name)
    }
}

impl fmt::Display for KeyUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which of the two signature profiles of AdCP a message follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "AdCP defines two profiles")]
pub enum Profile {
    /// A seller signs what it posts to a buyer.
    Webhook,
    /// A buyer signs what it asks of a seller.
    Request,
}

impl Profile {
    /// The value of the signature parameter `tag`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Webhook => "adcp/webhook-signing/v1",
            Self::Request => "adcp/request-signing/v1",
        }
    }

    /// The purpose that the key must have.
    #[must_use]
    pub const fn key_use(self) -> KeyUse {
        match self {
            Self::Webhook => KeyUse::WebhookSigning,
            Self::Request => KeyUse::RequestSigning,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_nothing_else_is() {
        for algorithm in [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256] {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
            assert_eq!(Algorithm::from_name(algorithm.jwk_name()), None);
            assert_eq!(algorithm.to_string(), algorithm.name());
        }
        assert_eq!(Algorithm::from_name("rsa-pss-sha512"), None);
        for purpose in [
            KeyUse::RequestSigning,
            KeyUse::WebhookSigning,
            KeyUse::GovernanceSigning,
            KeyUse::ResponseSigning,
        ] {
            assert_eq!(KeyUse::from_name(purpose.name()), Some(purpose));
            assert_eq!(purpose.to_string(), purpose.name());
        }
        assert_eq!(KeyUse::from_name("sig"), None);
    }
}
