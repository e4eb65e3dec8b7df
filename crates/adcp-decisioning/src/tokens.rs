//! Callers known by a token from configuration.

use std::fmt;

use adcp_core::{Principal, Secret, hex};
use async_trait::async_trait;
use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::caller::{AuthFailure, AuthMethod, Authenticator, Caller, Credentials};

/// Bearer tokens and API keys from configuration, kept as SHA-256 digests and compared in constant time.
///
/// A token is also accepted as the password of `Authorization: Basic`, under any user name.
///
/// ```
/// use adcp_core::{Principal, Secret};
/// use adcp_decisioning::Tokens;
///
/// let tokens = Tokens::new().with_token(Principal::new("acme"), &Secret::new("a long random token"));
/// assert_eq!(format!("{tokens:?}"), "Tokens { known: 1, demo_keys: false }");
/// ```
#[derive(Clone, Default)]
pub struct Tokens {
    known: Vec<([u8; 32], Caller)>,
    demo_keys: bool,
}

impl Tokens {
    /// No tokens: everybody is refused.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `token` identify `principal`.
    #[must_use]
    pub fn with_token(self, principal: Principal, token: &Secret) -> Self {
        self.with_caller(Caller::new(principal), token)
    }

    /// Lets `token` identify `caller`: one of several tenants, or one whose credential has bounds.
    #[must_use]
    pub fn with_caller(self, caller: Caller, token: &Secret) -> Self {
        self.with_digest(caller, digest(token.expose()))
    }

    /// Lets the token with this SHA-256 digest identify `caller`, and nobody it identified before.
    #[must_use]
    pub fn with_digest(mut self, caller: Caller, digest: [u8; 32]) -> Self {
        self.known.retain(|(known, _)| *known != digest);
        self.known.push((digest, caller));
        self
    }

    /// Also accepts any key of the form `demo-<name>-v<number>`, each a caller of its own.
    ///
    /// The protocol's public test kits use such keys. Only for a sandbox: anybody can make one up.
    #[must_use]
    pub const fn with_demo_keys(mut self, accepted: bool) -> Self {
        self.demo_keys = accepted;
        self
    }

    fn find(&self, token: &str) -> Option<Caller> {
        let offered = digest(token);
        // Every entry is compared, whichever matches, so that time tells nothing about the position.
        let mut found = u64::MAX;
        for (i, (known, _)) in self.known.iter().enumerate() {
            found.conditional_assign(&(i as u64), known.ct_eq(&offered));
        }
        let known =
            usize::try_from(found).ok().and_then(|i| self.known.get(i)).map(|(_, caller)| caller.clone());
        known.or_else(|| {
            (self.demo_keys && is_demo_key(token))
                .then(|| Caller::new(Principal::new(format!("demo-{}", &hex(&offered)[..16]))))
        })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("known", &self.known.len())
            .field("demo_keys", &self.demo_keys)
            .finish()
    }
}

#[async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, credentials: &Credentials) -> Result<Caller, AuthFailure> {
        let (secret, method) = match credentials {
            Credentials::None => return Err(AuthFailure::Missing),
            Credentials::Bearer(secret) => (secret, AuthMethod::Bearer),
            Credentials::ApiKey(secret) => (secret, AuthMethod::ApiKey),
            Credentials::Basic { password, .. } => (password, AuthMethod::Basic),
            Credentials::Signed(_) | Credentials::Unreadable => return Err(AuthFailure::Invalid),
        };
        self.find(secret.expose()).map(|caller| caller.with_method(method)).ok_or(AuthFailure::Invalid)
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// `demo-<name>-v<number>`, for example `demo-acme-outdoor-v1`.
fn is_demo_key(token: &str) -> bool {
    token.strip_prefix("demo-").and_then(|rest| rest.rsplit_once("-v")).is_some_and(|(name, version)| {
        !name.is_empty()
            && name.len() <= 64
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !version.is_empty()
            && version.len() <= 4
            && version.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(token: &str) -> Credentials {
        Credentials::Bearer(Secret::new(token))
    }

    #[tokio::test]
    async fn a_token_names_its_principal_and_nothing_else_does() {
        let tokens = Tokens::new()
            .with_token(Principal::new("acme"), &Secret::new("token-a"))
            .with_token(Principal::new("nova"), &Secret::new("token-b"));
        let who = |credentials: Credentials| {
            let tokens = tokens.clone();
            async move { tokens.authenticate(&credentials).await.map(|caller| caller.principal.to_string()) }
        };
        assert_eq!(who(bearer("token-a")).await, Ok("acme".into()));
        assert_eq!(who(bearer("token-b")).await, Ok("nova".into()));
        let basic = Credentials::Basic { user: "x".into(), password: Secret::new("token-b") };
        assert_eq!(who(basic).await, Ok("nova".into()));
        assert_eq!(who(Credentials::ApiKey(Secret::new("token-a"))).await, Ok("acme".into()));
        for wrong in [bearer(""), bearer("token-"), bearer("demo-acme-outdoor-v1"), Credentials::Unreadable] {
            assert_eq!(who(wrong).await, Err(AuthFailure::Invalid));
        }
        assert_eq!(who(Credentials::None).await, Err(AuthFailure::Missing));
        let moved = tokens.clone().with_token(Principal::new("nova"), &Secret::new("token-a"));
        let caller = moved.authenticate(&bearer("token-a")).await.unwrap();
        assert_eq!(caller.principal.as_str(), "nova", "a token identifies one caller");
    }

    #[tokio::test]
    async fn demo_keys_are_callers_of_their_own_where_allowed() {
        let tokens = Tokens::new().with_demo_keys(true);
        let a = tokens.authenticate(&bearer("demo-acme-outdoor-v1")).await.unwrap();
        let b = tokens.authenticate(&bearer("demo-nova-motors-v1")).await.unwrap();
        assert_ne!(a.principal, b.principal);
        for wrong in ["demo-", "demo--v", "demo-x", "demo-X-v1", "demo-a-v1x", "invalid-demo-a-v1"] {
            assert!(tokens.authenticate(&bearer(wrong)).await.is_err(), "{wrong}");
        }
    }
}
