//! A private key in this process.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use super::jwk::Jwk;
use super::pem;
use crate::algorithm::{Algorithm, KeyUse};
use crate::alphabet;
use crate::backend::{Failed, Pair};
use crate::der;
use crate::json;
use crate::secret::Secret;
use crate::signer::{KeyInfo, Signer, SignerError};

/// The longest `kid` that signatures may name.
const MAX_KID: usize = 256;

/// Why something is not a signing key. Says nothing of the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadKey {
    /// Not a JWK with private members, or not PEM with a private key of a kind that the profiles allow.
    #[error("this is not an Ed25519 or P-256 private key in a form that we read")]
    Format,
    /// Bytes that are no key of the algorithm, or a public half that is of another key.
    #[error("the key contradicts itself")]
    Contradiction,
    /// A JWK whose `adcp_use` is missing or not one that we know.
    #[error(
        "the key does not say what it is for; its adcp_use must be webhook-signing, request-signing or the like"
    )]
    Purpose,
    /// A name that is empty, longer than 256 bytes, or not printable ASCII.
    #[error("the key has no name, or one that a signature cannot give")]
    KeyId,
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    NoRandomness,
}

/// A signer whose private key lives in this process.
///
/// It never prints the key, and wipes it when the last clone is dropped. Files that hold keys should be readable by their
/// owner alone; whoever writes them sees to that.
///
/// ```
/// use adcp_signing::{Algorithm, Jwks, KeyUse, LocalSigner};
///
/// let signer = LocalSigner::generate(Algorithm::Ed25519, KeyUse::WebhookSigning, "hooks-2026-05")?;
/// let document = Jwks::new([signer.jwk()]).to_json();
/// assert_eq!(document["keys"][0]["adcp_use"], "webhook-signing");
///
/// // What is written to a file, and read at the next start.
/// let file = signer.to_jwk_file();
/// let same = LocalSigner::from_jwk(file.expose())?;
/// assert_eq!(same.jwk(), signer.jwk());
/// # Ok::<(), adcp_signing::BadKey>(())
/// ```
#[derive(Clone)]
pub struct LocalSigner(Arc<Inner>);

struct Inner {
    info: KeyInfo,
    secret: Zeroizing<[u8; 32]>,
    pair: Pair,
}

impl LocalSigner {
    /// Makes a new key.
    ///
    /// # Errors
    ///
    /// [`BadKey::KeyId`] or [`BadKey::NoRandomness`].
    pub fn generate(algorithm: Algorithm, purpose: KeyUse, keyid: impl Into<String>) -> Result<Self, BadKey> {
        let keyid = keyid.into();
        loop {
            let mut secret = Zeroizing::new([0; 32]);
            getrandom::fill(&mut *secret).map_err(|_| BadKey::NoRandomness)?;
            match Self::new(KeyInfo::new(keyid.clone(), algorithm, purpose), secret) {
                // Not below the order of the curve, which happens once in four billion times.
                Err(BadKey::Contradiction) => {}
                made => return made,
            }
        }
    }

    /// Reads a private JWK: `kid`, `adcp_use` and `d` beside the public members.
    ///
    /// # Errors
    ///
    /// [`BadKey`].
    pub fn from_jwk(file: &[u8]) -> Result<Self, BadKey> {
        let mut value = json::parse(file).map_err(|_| BadKey::Format)?;
        let secret = match value.get_mut("d") {
            Some(Value::String(text)) => {
                let secret = alphabet::from_url_safe(text).map(Zeroizing::new);
                text.zeroize();
                secret.and_then(|secret| secret.as_slice().try_into().ok().map(Zeroizing::new))
            }
            _ => None,
        };
        let secret = secret.ok_or(BadKey::Format)?;
        let jwk = Jwk::from_json(&value).ok_or(BadKey::Format)?;
        let algorithm = [Algorithm::Ed25519, Algorithm::EcdsaP256Sha256]
            .into_iter()
            .find(|it| jwk.kty == it.key_type() && jwk.crv.as_deref() == Some(it.curve()))
            .ok_or(BadKey::Format)?;
        let purpose = jwk.adcp_use.as_deref().and_then(KeyUse::from_name).ok_or(BadKey::Purpose)?;
        let signer = Self::new(KeyInfo::new(jwk.kid.clone(), algorithm, purpose), secret)?;
        let ours = signer.jwk();
        if (&jwk.x, &jwk.y) != (&ours.x, &ours.y) || jwk.alg.is_some_and(|alg| Some(alg) != ours.alg) {
            return Err(BadKey::Contradiction);
        }
        Ok(signer)
    }

    /// Reads a PEM file: PKCS#8, or the older `EC PRIVATE KEY`. Such a file names neither the key nor its purpose.
    ///
    /// # Errors
    ///
    /// [`BadKey`].
    pub fn from_pem(file: &str, purpose: KeyUse, keyid: impl Into<String>) -> Result<Self, BadKey> {
        let (algorithm, secret) = pem::read(file).ok_or(BadKey::Format)?;
        Self::new(KeyInfo::new(keyid, algorithm, purpose), secret)
    }

    fn new(info: KeyInfo, secret: Zeroizing<[u8; 32]>) -> Result<Self, BadKey> {
        let keyid = info.keyid();
        if keyid.is_empty()
            || keyid.len() > MAX_KID
            || !keyid.bytes().all(|byte| (0x20..0x7f).contains(&byte))
        {
            return Err(BadKey::KeyId);
        }
        let pair = Pair::new(info.algorithm(), &secret).map_err(|Failed| BadKey::Contradiction)?;
        Ok(Self(Arc::new(Inner { info, secret, pair })))
    }

    /// The public key, ready to be published.
    #[must_use]
    pub fn jwk(&self) -> Jwk {
        let info = &self.0.info;
        Jwk::of(info.algorithm(), self.0.pair.public(), info.keyid(), info.purpose())
    }

    /// The private key as the text of a JWK file. Whoever asks for this writes it where nobody else reads.
    #[must_use]
    pub fn to_jwk_file(&self) -> Secret {
        let secret = Zeroizing::new(alphabet::url_safe(&*self.0.secret));
        let public = self.jwk().to_json().to_string();
        // The members are an object that is not empty: its last brace makes room for one more.
        let head = public.trim_end_matches('}');
        let mut file = Vec::with_capacity(public.len() + 64);
        for part in [head, ",\"d\":\"", &secret, "\"}\n"] {
            file.extend_from_slice(part.as_bytes());
        }
        Secret::new(file)
    }

    /// The private key as the text of a PEM file, PKCS#8.
    #[must_use]
    pub fn to_pem_file(&self) -> Secret {
        let document = der::pkcs8_of(self.0.info.algorithm(), &self.0.secret, self.0.pair.public());
        Secret::new(pem::write(&document).as_bytes())
    }
}

impl fmt::Debug for LocalSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalSigner").field(&self.0.info).finish()
    }
}

#[async_trait]
impl Signer for LocalSigner {
    fn key(&self) -> &KeyInfo {
        &self.0.info
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.0.pair.sign(message).map_err(|Failed| SignerError::new("the library refused to sign"))
    }
}
