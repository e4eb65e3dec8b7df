#![doc = include_str!("../README.md")]

mod algorithm;
mod alphabet;
mod backend;
mod base;
mod der;
mod digest;
mod field;
mod json;
mod key;
mod legacy;
mod message;
mod policy;
mod rejection;
mod replay;
mod revocation;
mod secret;
mod sign;
mod signer;
mod target;
mod time;
mod verify;

pub use algorithm::{Algorithm, KeyUse, Profile};
pub use alphabet::Alphabet;
pub use der::ecdsa_from_der;
pub use digest::content_digest;
pub use key::{BadJwks, BadKey, FoundKey, Jwk, Jwks, KeyQuery, KeySource, LocalSigner};
pub use legacy::{BadStandardSecret, BearerToken, HmacKey, HmacRejection, StandardKey, StandardRejection};
pub use message::Message;
pub use policy::{BadPolicy, Enforcement, RequestPolicy, UnsignedCall, WebhookMode, registers_credentials};
pub use rejection::{Fault, KeyFault, Rejection, Step, Unavailable, VerifyError, code_of_challenge};
pub use replay::{
    DEFAULT_REQUEST_NONCES, DEFAULT_TOTAL_NONCES, DEFAULT_WEBHOOK_NONCES, MemoryReplayStore, Nonce,
    Remembered, ReplayStore,
};
pub use revocation::{NoRevocations, RevocationList, Revocations, Standing};
pub use secret::Secret;
pub use sign::{SignError, SignedHeaders, Signing, sign_request, sign_webhook};
pub use signer::{KeyInfo, Signer, SignerError};
pub use target::{BadTarget, TargetUri};
pub use time::UnixTime;
pub use verify::{DigestPolicy, Verified, Verifier};
