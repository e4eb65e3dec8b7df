//! A token that proves nothing about the body.

use crate::message::Message;
use crate::secret::{Secret, same};
use crate::sign::SignedHeaders;

/// The token of one address, which registrations may still ask for. Refuse it where a callback changes something.
#[derive(Debug, Clone)]
pub struct BearerToken(Secret);

impl BearerToken {
    /// A token. `None` if it is empty or has a character that a header field cannot carry.
    #[must_use]
    pub fn new(secret: Secret) -> Option<Self> {
        let fits = |bytes: &[u8]| !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic);
        fits(secret.expose()).then_some(Self(secret))
    }

    /// The field to add.
    #[must_use]
    pub fn sign(&self) -> SignedHeaders {
        let token = self.0.expose_str().expect("the constructor takes ASCII only");
        SignedHeaders::new(vec![("authorization", format!("Bearer {token}"))])
    }

    /// Whether a webhook carries this token, once, and no other.
    #[must_use]
    pub fn verify(&self, message: &Message<'_>) -> bool {
        let mut values = message.header("authorization");
        let (Some(value), None) = (values.next(), values.next()) else { return false };
        let Some(at) = value.iter().position(|byte| *byte == b' ') else { return false };
        let (scheme, token) = value.split_at(at);
        scheme.eq_ignore_ascii_case(b"bearer") && same(token.trim_ascii(), self.0.expose())
    }
}
