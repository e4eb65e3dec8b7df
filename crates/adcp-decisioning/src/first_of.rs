//! Several ways to say who one is, tried in order.

use std::sync::Arc;

use async_trait::async_trait;

use crate::caller::{AuthFailure, Authenticator, Caller, Credentials};

/// Authenticators tried in order: the first that knows the caller decides.
///
/// One that rejects a credential does not end the search, since the credential may be meant for a later one.
/// When nobody knows the caller, the buyer hears [`AuthFailure::Unavailable`] if one of them could not check,
/// so that nobody throws away a good credential; else [`AuthFailure::Invalid`] if anything was presented;
/// else [`AuthFailure::Missing`].
///
/// ```
/// use adcp_core::{Principal, Secret};
/// use adcp_decisioning::{FirstOf, Tokens};
///
/// let people = Tokens::new().with_token(Principal::new("acme"), &Secret::new("a long random token"));
/// let kits = Tokens::new().with_demo_keys(true);
/// let both = FirstOf::new(people).or(kits);
/// # drop(both);
/// ```
#[derive(Debug, Clone)]
pub struct FirstOf(Vec<Arc<dyn Authenticator>>);

impl FirstOf {
    /// Asks `first` first.
    #[must_use]
    pub fn new(first: impl Authenticator) -> Self {
        Self(vec![Arc::new(first)])
    }

    /// Asks `next` when none before it knows the caller.
    #[must_use]
    pub fn or(mut self, next: impl Authenticator) -> Self {
        self.0.push(Arc::new(next));
        self
    }
}

#[async_trait]
impl Authenticator for FirstOf {
    async fn authenticate(&self, credentials: &Credentials) -> Result<Caller, AuthFailure> {
        let mut unavailable = false;
        let mut presented = !matches!(credentials, Credentials::None);
        for authenticator in &self.0 {
            match authenticator.authenticate(credentials).await {
                Ok(caller) => return Ok(caller),
                Err(AuthFailure::Missing) => {}
                Err(AuthFailure::Invalid) => presented = true,
                Err(AuthFailure::Unavailable) => unavailable = true,
            }
        }
        Err(match (unavailable, presented) {
            (true, _) => AuthFailure::Unavailable,
            (false, true) => AuthFailure::Invalid,
            (false, false) => AuthFailure::Missing,
        })
    }
}
