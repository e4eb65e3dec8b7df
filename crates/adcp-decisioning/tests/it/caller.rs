//! Who is calling: composed authenticators.

use adcp_core::{Principal, Secret, Timestamp};
use adcp_decisioning::{
    AuthFailure, AuthMethod, Authenticator, Caller, Credentials, FirstOf, Tokens, VerifiedSignature,
};
use async_trait::async_trait;

/// Knows whoever signed.
#[derive(Debug)]
struct Signers;

#[async_trait]
impl Authenticator for Signers {
    async fn authenticate(&self, credentials: &Credentials) -> Result<Caller, AuthFailure> {
        match credentials {
            Credentials::Signed(signature) => Ok(Caller::new(Principal::new(signature.agent_url.as_str()))
                .with_method(AuthMethod::SignedRequest)
                .with_agent_url(signature.agent_url.as_str())),
            Credentials::None => Err(AuthFailure::Missing),
            _ => Err(AuthFailure::Invalid),
        }
    }
}

/// A directory that is down.
#[derive(Debug)]
struct Down;

#[async_trait]
impl Authenticator for Down {
    async fn authenticate(&self, _credentials: &Credentials) -> Result<Caller, AuthFailure> {
        Err(AuthFailure::Unavailable)
    }
}

/// Says that nothing was presented, whatever was.
#[derive(Debug)]
struct Blind;

#[async_trait]
impl Authenticator for Blind {
    async fn authenticate(&self, _credentials: &Credentials) -> Result<Caller, AuthFailure> {
        Err(AuthFailure::Missing)
    }
}

fn tokens() -> Tokens {
    Tokens::new().with_token(Principal::new("acme"), &Secret::new("token-a"))
}

fn bearer(token: &str) -> Credentials {
    Credentials::Bearer(Secret::new(token))
}

fn signed() -> Credentials {
    let now = Timestamp::from_micros(0);
    Credentials::Signed(VerifiedSignature::new("key-1", "https://nova.example/mcp", now))
}

#[tokio::test]
async fn each_kind_of_credential_finds_its_authenticator() {
    for both in [FirstOf::new(tokens()).or(Signers), FirstOf::new(Signers).or(tokens())] {
        let by_token = both.authenticate(&bearer("token-a")).await.unwrap();
        assert_eq!((by_token.principal.as_str(), by_token.method), ("acme", AuthMethod::Bearer));
        assert_eq!(by_token.agent_url, None, "a token establishes no address");
        let by_key = both.authenticate(&Credentials::ApiKey(Secret::new("token-a"))).await.unwrap();
        assert_eq!(by_key.method, AuthMethod::ApiKey);
        let by_signature = both.authenticate(&signed()).await.unwrap();
        assert_eq!(by_signature.method, AuthMethod::SignedRequest);
        assert_eq!(by_signature.agent_url.as_deref(), Some("https://nova.example/mcp"));
    }
}

#[tokio::test]
async fn what_a_buyer_hears_when_nobody_knows_it() {
    let cases = [
        (FirstOf::new(tokens()).or(Signers), Credentials::None, AuthFailure::Missing),
        (FirstOf::new(tokens()).or(Signers), bearer("wrong"), AuthFailure::Invalid),
        (FirstOf::new(tokens()).or(Signers), Credentials::Unreadable, AuthFailure::Invalid),
        (FirstOf::new(Blind), bearer("wrong"), AuthFailure::Invalid),
        (FirstOf::new(Down).or(tokens()), bearer("wrong"), AuthFailure::Unavailable),
        (FirstOf::new(tokens()).or(Down), bearer("wrong"), AuthFailure::Unavailable),
    ];
    for (authenticator, credentials, expected) in cases {
        assert_eq!(authenticator.authenticate(&credentials).await, Err(expected), "{authenticator:?}");
    }
}

#[tokio::test]
async fn one_that_cannot_check_does_not_keep_out_whom_another_knows() {
    let caller = FirstOf::new(Down).or(tokens()).authenticate(&bearer("token-a")).await.unwrap();
    assert_eq!(caller.principal.as_str(), "acme");
}

/// Falls over, before its first await.
#[derive(Debug)]
struct Falls;

#[async_trait]
impl Authenticator for Falls {
    async fn authenticate(&self, _credentials: &Credentials) -> Result<Caller, AuthFailure> {
        panic!("a directory without an index")
    }
}

#[tokio::test]
async fn an_authenticator_that_panics_lets_nobody_in_and_takes_nothing_down() {
    let agent = adcp_decisioning::Agent::builder(crate::scripted::Scripted::buying(|_| unreachable!()))
        .signals()
        .authenticator(Falls)
        .accounts(adcp_decisioning::AccountPerPrincipal::new())
        .registry(adcp_registry_memory::MemoryRegistry::volatile())
        .build()
        .unwrap();
    let asked = agent.authenticate(&Credentials::Bearer(Secret::new("key"))).await;
    assert_eq!(asked, Err(AuthFailure::Unavailable));
}
