//! Ed25519 and ECDSA without a C compiler.

use ed25519_dalek::{Signature as EdSignature, SigningKey as EdKey, VerifyingKey as EdPublic};
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature as EcSignature, SigningKey as EcKey, VerifyingKey as EcPublic};

use super::Failed;
use crate::algorithm::Algorithm;

/// A private key, ready to sign, with its public key. Both libraries wipe it when it is dropped.
pub(crate) struct Pair {
    key: Key,
    public: Vec<u8>,
}

enum Key {
    Ed25519(Box<EdKey>),
    P256(Box<EcKey>),
}

impl Pair {
    pub(crate) fn new(algorithm: Algorithm, secret: &[u8; 32]) -> Result<Self, Failed> {
        match algorithm {
            Algorithm::Ed25519 => {
                let key = EdKey::from_bytes(secret);
                let public = key.verifying_key().to_bytes().to_vec();
                Ok(Self { key: Key::Ed25519(Box::new(key)), public })
            }
            Algorithm::EcdsaP256Sha256 => {
                let key = EcKey::from_slice(secret).map_err(|_| Failed)?;
                let public = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
                Ok(Self { key: Key::P256(Box::new(key)), public })
            }
        }
    }

    pub(crate) fn public(&self) -> &[u8] {
        &self.public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Failed> {
        match &self.key {
            Key::Ed25519(key) => Ok(ed25519_dalek::Signer::sign(&**key, message).to_bytes().to_vec()),
            Key::P256(key) => {
                let signature: EcSignature = key.try_sign(message).map_err(|_| Failed)?;
                Ok(signature.to_bytes().to_vec())
            }
        }
    }
}

/// Whether `signature` is that of `message` under a public key. A bad key verifies nothing.
pub(crate) fn verify(algorithm: Algorithm, public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    match algorithm {
        Algorithm::Ed25519 => {
            let key = public.try_into().ok().and_then(|public| EdPublic::from_bytes(public).ok());
            let signature = EdSignature::from_slice(signature).ok();
            key.zip(signature).is_some_and(|(key, signature)| key.verify_strict(message, &signature).is_ok())
        }
        Algorithm::EcdsaP256Sha256 => {
            let key = EcPublic::from_sec1_bytes(public).ok();
            let signature = EcSignature::from_slice(signature).ok();
            key.zip(signature).is_some_and(|(key, signature)| key.verify(message, &signature).is_ok())
        }
    }
}
