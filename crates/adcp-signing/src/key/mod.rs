//! Keys: as they are published, looked up, and kept.

mod jwk;
mod local;
mod pem;
mod set;
mod source;

pub use jwk::Jwk;
pub use local::{BadKey, LocalSigner};
pub use set::{BadJwks, Jwks};
pub use source::{FoundKey, KeyQuery, KeySource};

pub(crate) use jwk::PublicKey;
