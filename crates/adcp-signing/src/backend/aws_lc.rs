//! Ed25519 and ECDSA on AWS-LC.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    UnparsedPublicKey,
};

use super::Failed;
use crate::algorithm::Algorithm;
use crate::der;

/// A private key, ready to sign, with its public key. AWS-LC wipes it when it is dropped.
pub(crate) enum Pair {
    Ed25519(Box<Ed25519KeyPair>),
    P256(Box<EcdsaKeyPair>),
}

impl Pair {
    pub(crate) fn new(algorithm: Algorithm, secret: &[u8; 32]) -> Result<Self, Failed> {
        match algorithm {
            Algorithm::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_unchecked(secret).map_err(|_| Failed)?;
                Ok(Self::Ed25519(Box::new(pair)))
            }
            Algorithm::EcdsaP256Sha256 => {
                // The library computes the public key that this leaves out.
                let key = der::sec1_of(secret);
                let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &key);
                Ok(Self::P256(Box::new(pair.map_err(|_| Failed)?)))
            }
        }
    }

    pub(crate) fn public(&self) -> &[u8] {
        match self {
            Self::Ed25519(pair) => pair.public_key().as_ref(),
            Self::P256(pair) => pair.public_key().as_ref(),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Failed> {
        match self {
            Self::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Self::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(|_| Failed)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}

/// Whether `signature` is that of `message` under a public key. A bad key verifies nothing.
pub(crate) fn verify(algorithm: Algorithm, public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    match algorithm {
        Algorithm::Ed25519 => UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok(),
        Algorithm::EcdsaP256Sha256 => {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public).verify(message, signature).is_ok()
        }
    }
}
