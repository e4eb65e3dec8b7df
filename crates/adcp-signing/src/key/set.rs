//! The document that publishes keys.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::jwk::Jwk;
use super::source::{FoundKey, KeyQuery, KeySource};
use crate::json;
use crate::rejection::VerifyError;

/// Why a document is not a set of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadJwks {
    /// Not JSON, or an object that names a key twice.
    #[error("the document is not JSON, or an object in it names a key twice")]
    Json,
    /// No array `keys`.
    #[error("the document has no array of keys")]
    NoKeys,
    /// Two keys of one name, so that readers could disagree about which one is meant.
    #[error("two keys have the same kid")]
    DuplicateKid,
}

/// A set of published keys.
///
/// To rotate, publish the next key beside the present one, sign with the next one once every verifier can have fetched it,
/// and take the old one out after the last signature by it has expired.
///
/// Spec: RFC 7517 section 5.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jwks {
    keys: Vec<Jwk>,
}

impl Jwks {
    /// A set of these keys; of several with one name the first is kept.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = Jwk>) -> Self {
        let mut set = Self::default();
        for key in keys {
            if set.get(&key.kid).is_none() {
                set.keys.push(key);
            }
        }
        set
    }

    /// Reads a document. Keys of kinds that we do not know are left out.
    ///
    /// # Errors
    ///
    /// [`BadJwks`], also when two keys have one name.
    pub fn parse(document: &[u8]) -> Result<Self, BadJwks> {
        let value = json::parse(document).map_err(|_| BadJwks::Json)?;
        let keys = value.get("keys").and_then(Value::as_array).ok_or(BadJwks::NoKeys)?;
        let mut set = Self::default();
        for key in keys.iter().filter_map(Jwk::from_json) {
            if set.get(&key.kid).is_some() {
                return Err(BadJwks::DuplicateKid);
            }
            set.keys.push(key);
        }
        Ok(set)
    }

    /// The document that publishes these keys.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "keys": self.keys.iter().map(Jwk::to_json).collect::<Vec<_>>() })
    }

    /// The key of this name.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&Jwk> {
        self.keys.iter().find(|key| key.kid == kid)
    }

    /// The keys, in the order of the document.
    #[must_use]
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }
}

#[async_trait]
impl KeySource for Jwks {
    async fn find(&self, query: &KeyQuery<'_>) -> Result<Option<FoundKey>, VerifyError> {
        Ok(self.get(query.keyid).cloned().map(FoundKey::new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_and_written() {
        let document = br#"{"keys":[{"kid":"a","kty":"OKP","d":"secret"},{"kty":"RSA"},7,{"kid":"b","kty":"RSA"}],"x":1}"#;
        let set = Jwks::parse(document).unwrap();
        assert_eq!(set.keys().iter().map(|key| key.kid.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(set.get("b").unwrap().kty, "RSA");
        assert_eq!(
            set.to_json().to_string(),
            r#"{"keys":[{"kid":"a","kty":"OKP"},{"kid":"b","kty":"RSA"}]}"#
        );
        assert_eq!(Jwks::new(set.keys().iter().chain(set.keys()).cloned()), set);
    }

    #[test]
    fn a_document_that_readers_could_take_differently_is_refused() {
        for (document, want) in [
            (r#"{"keys":[{"kid":"a","kty":"OKP"},{"kid":"a","kty":"EC"}]}"#, BadJwks::DuplicateKid),
            (r#"{"keys":[],"keys":[]}"#, BadJwks::Json),
            (r#"{"keys":[{"kid":"a","kid":"b"}]}"#, BadJwks::Json),
            ("", BadJwks::Json),
            ("[]", BadJwks::NoKeys),
            (r#"{"keys":{}}"#, BadJwks::NoKeys),
        ] {
            assert_eq!(Jwks::parse(document.as_bytes()), Err(want), "{document}");
        }
    }
}
