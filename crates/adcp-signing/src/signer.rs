//! Whoever holds a private key: this process, or a key service.

use std::error::Error as StdError;
use std::fmt;

use async_trait::async_trait;

use crate::algorithm::{Algorithm, KeyUse};

/// What is said of a private key in public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    keyid: String,
    algorithm: Algorithm,
    purpose: KeyUse,
}

impl KeyInfo {
    /// Describes a key.
    #[must_use]
    pub fn new(keyid: impl Into<String>, algorithm: Algorithm, purpose: KeyUse) -> Self {
        Self { keyid: keyid.into(), algorithm, purpose }
    }

    /// Its name, the `kid` under which it is published.
    #[must_use]
    pub fn keyid(&self) -> &str {
        &self.keyid
    }

    /// Its algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What it is for.
    #[must_use]
    pub const fn purpose(&self) -> KeyUse {
        self.purpose
    }
}

/// Why a key service did not sign.
#[derive(Debug, thiserror::Error)]
#[error("the signer failed")]
pub struct SignerError(#[source] Box<dyn StdError + Send + Sync>);

impl SignerError {
    /// Wraps a cause, for the log.
    #[must_use]
    pub fn new(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// Signs bytes with one private key. [`LocalSigner`](crate::LocalSigner) holds it in this process; a key service keeps it elsewhere.
///
/// Implementers: Ed25519 signs the message itself, ECDSA its SHA-256. The result is 64 bytes; services that return DER are
/// read with [`ecdsa_from_der`](crate::ecdsa_from_der).
#[async_trait]
pub trait Signer: fmt::Debug + Send + Sync {
    /// The key that signs.
    fn key(&self) -> &KeyInfo;

    /// Signs `message`.
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError>;
}
