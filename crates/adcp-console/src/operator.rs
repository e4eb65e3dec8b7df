//! Who may look, and who may send again.

use std::fmt;

use adcp_core::{Secret, TenantId};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::{Digest as _, Sha256};
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};

/// The shortest token that is taken, in characters.
const SHORTEST: usize = 16;

/// The longest name of an operator, in bytes: it goes into records.
const LONGEST_NAME: usize = 64;

/// What an operator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(
    clippy::exhaustive_enums,
    reason = "who may do one more thing is a third, which everybody has to decide on"
)]
pub enum Access {
    /// Lists and reads.
    Read,
    /// Also sends dead letters again.
    Write,
}

impl Access {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// Somebody who runs an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    name: String,
    access: Access,
    tenants: Option<Vec<TenantId>>,
}

impl Operator {
    /// An operator of all tenants. The name is kept with what they send again.
    #[must_use]
    pub fn new(name: impl Into<String>, access: Access) -> Self {
        Self { name: name.into(), access, tenants: None }
    }

    /// Binds them to tenants: what belongs to another one is as unknown to them as what does not exist.
    #[must_use]
    pub fn of_tenants(mut self, tenants: impl IntoIterator<Item = TenantId>) -> Self {
        self.tenants = Some(tenants.into_iter().collect());
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn may_write(&self) -> bool {
        matches!(self.access, Access::Write)
    }

    pub(crate) fn is_of(&self, tenant: &TenantId) -> bool {
        self.tenants.as_ref().is_none_or(|tenants| tenants.contains(tenant))
    }

    /// The tenant that is meant when none is named; `None` when there are several.
    pub(crate) fn own_tenant(&self) -> Option<TenantId> {
        match self.tenants.as_deref() {
            None => Some(TenantId::single()),
            Some([one]) => Some(one.clone()),
            Some(_) => None,
        }
    }

    fn fault(&self) -> Option<BadOperator> {
        let printable = |c: char| !c.is_control() && !c.is_whitespace();
        let named = !self.name.is_empty() && self.name.len() <= LONGEST_NAME;
        if !named || !self.name.chars().all(printable) {
            return Some(BadOperator::Name);
        }
        let nowhere = self.tenants.as_ref().is_some_and(Vec::is_empty);
        nowhere.then(|| BadOperator::NoTenant(self.name.clone()))
    }
}

/// Why an operator is not taken. The token is never in the words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadOperator {
    /// The name is empty, long, or holds what is not printed.
    #[error(
        "the name of an operator has from 1 to {LONGEST_NAME} bytes, without spaces and control characters"
    )]
    Name,
    /// The token could be guessed.
    #[error("the token of the operator `{0}` is too short; take at least {SHORTEST} characters")]
    ShortToken(String),
    /// No header could carry the token.
    #[error("the token of the operator `{0}` has spaces or characters outside ASCII")]
    Unsendable(String),
    /// The token is another operator's already.
    #[error("the operators `{0}` and `{1}` have the same token")]
    Shared(String, String),
    /// The operator is bound to no tenant.
    #[error("the operator `{0}` is bound to no tenant, and could see nothing")]
    NoTenant(String),
}

/// The operators of an agent, each known by tokens of their own, which are kept as SHA-256 digests and compared in
/// constant time.
///
/// ```
/// use adcp_console::{Access, BadOperator, Operators};
/// use adcp_core::Secret;
///
/// let operators = Operators::new().with_token("ada", &Secret::new("a-long-random-token"), Access::Write)?;
/// assert_eq!(format!("{operators:?}"), "Operators([\"ada\"])");
/// assert_eq!(
///     operators.with_token("bob", &Secret::new("short"), Access::Read).unwrap_err(),
///     BadOperator::ShortToken("bob".to_owned()),
/// );
/// # Ok::<(), BadOperator>(())
/// ```
#[derive(Clone, Default)]
pub struct Operators(Vec<([u8; 32], Operator)>);

impl Operators {
    /// Nobody: everybody is refused.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets a token stand for an operator of all tenants. One name may have several tokens.
    ///
    /// # Errors
    ///
    /// As [`with_operator`](Self::with_operator).
    pub fn with_token(
        self,
        name: impl Into<String>,
        token: &Secret,
        access: Access,
    ) -> Result<Self, BadOperator> {
        self.with_operator(Operator::new(name, access), token)
    }

    /// Lets a token stand for an operator.
    ///
    /// # Errors
    ///
    /// [`BadOperator`] for a name that cannot be kept, a token of fewer than 16 characters or that no header carries, one
    /// that is somebody's already, and an operator of no tenant.
    pub fn with_operator(mut self, operator: Operator, token: &Secret) -> Result<Self, BadOperator> {
        if let Some(fault) = operator.fault() {
            return Err(fault);
        }
        let text = token.expose();
        if text.len() < SHORTEST {
            return Err(BadOperator::ShortToken(operator.name));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadOperator::Unsendable(operator.name));
        }
        let digest = digest(text.as_bytes());
        if let Some((_, other)) = self.0.iter().find(|(known, _)| *known == digest) {
            return Err(BadOperator::Shared(other.name.clone(), operator.name));
        }
        self.0.push((digest, operator));
        Ok(self)
    }

    /// Who sent a request, as far as its `Authorization` tells.
    pub(crate) fn of_request(&self, headers: &HeaderMap) -> Result<&Operator, Stranger> {
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let first = given.next().ok_or(Stranger::NoToken)?;
        if given.next().is_some() {
            return Err(Stranger::WrongToken);
        }
        let (scheme, token) = split(first.as_bytes());
        if !scheme.eq_ignore_ascii_case(b"bearer") {
            return Err(Stranger::NoToken);
        }
        self.find(token).ok_or(Stranger::WrongToken)
    }

    fn find(&self, token: &[u8]) -> Option<&Operator> {
        let offered = digest(token);
        // Every entry is compared, whichever matches, so that time tells nothing about the place.
        let mut found = u64::MAX;
        for (at, (known, _)) in self.0.iter().enumerate() {
            found.conditional_assign(&(at as u64), known.ct_eq(&offered));
        }
        usize::try_from(found).ok().and_then(|at| self.0.get(at)).map(|(_, operator)| operator)
    }
}

/// Prints names, never tokens nor their digests.
impl fmt::Debug for Operators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|(_, operator)| operator.name()).collect();
        write!(f, "Operators({names:?})")
    }
}

/// A request of nobody who is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stranger {
    NoToken,
    WrongToken,
}

fn digest(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn split(header: &[u8]) -> (&[u8], &[u8]) {
    match header.iter().position(|byte| *byte == b' ') {
        Some(at) => (&header[..at], header[at..].trim_ascii()),
        None => (header, b""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: &str = "token-of-ada-0123";
    const BOB: &str = "token-of-bob-0123";

    fn operators() -> Operators {
        let bound = Operator::new("bob", Access::Read).of_tenants([TenantId::new("b")]);
        let ada = Operators::new().with_token("ada", &Secret::new(ADA), Access::Write).unwrap();
        ada.with_operator(bound, &Secret::new(BOB)).unwrap()
    }

    fn who(headers: &[&str]) -> Result<String, Stranger> {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(AUTHORIZATION, header.parse().unwrap());
        }
        operators().of_request(&map).map(|operator| operator.name().to_owned())
    }

    #[test]
    fn a_token_names_its_operator_and_nothing_else_does() {
        let bearer = |token: &str| format!("Bearer {token}");
        assert_eq!(who(&[&bearer(ADA)]), Ok("ada".to_owned()));
        assert_eq!(who(&[&format!("bearer   {BOB} ")]), Ok("bob".to_owned()));
        for (headers, want) in [
            (vec![], Stranger::NoToken),
            (vec!["Basic YTpi".to_owned()], Stranger::NoToken),
            (vec![ADA.to_owned()], Stranger::NoToken),
            (vec![bearer("")], Stranger::WrongToken),
            (vec![bearer(&ADA[1..])], Stranger::WrongToken),
            (vec![bearer(&format!("{ADA}x"))], Stranger::WrongToken),
            (vec![bearer(ADA), bearer(ADA)], Stranger::WrongToken),
        ] {
            let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
            assert_eq!(who(&headers), Err(want), "{headers:?}");
        }
        assert!(Operators::new().of_request(&HeaderMap::new()).is_err());
    }

    #[test]
    fn who_could_not_be_told_or_kept_apart_is_refused() {
        let with = |name: &str, token: &str| {
            operators().with_token(name, &Secret::new(token), Access::Write).map(|_| ())
        };
        assert_eq!(with("ada", "another-token-of-ada"), Ok(()), "a new token beside the old one");
        assert_eq!(with("eve", "sixteen-letters!"), Ok(()));
        for name in ["", "a b", "a\nb", &"x".repeat(65)] {
            assert_eq!(with(name, "a-token-0123456789"), Err(BadOperator::Name), "{name:?}");
        }
        assert_eq!(with("eve", "fifteen-letters"), Err(BadOperator::ShortToken("eve".into())));
        assert_eq!(with("eve", "with a space in it"), Err(BadOperator::Unsendable("eve".into())));
        assert_eq!(with("eve", ADA), Err(BadOperator::Shared("ada".into(), "eve".into())));
        let nowhere = Operator::new("eve", Access::Read).of_tenants([]);
        let refused = Operators::new().with_operator(nowhere, &Secret::new(ADA)).unwrap_err();
        assert_eq!(refused, BadOperator::NoTenant("eve".into()));
        assert!(!format!("{:?}{refused}", operators()).contains("token-of"));
    }

    #[test]
    fn access_has_words() {
        assert_eq!([Access::Read, Access::Write].map(Access::as_str), ["read", "write"]);
    }

    #[test]
    fn the_tenant_that_is_meant() {
        let bound = |tenants: &[&str]| {
            let tenants = tenants.iter().map(|tenant| TenantId::new(*tenant));
            Operator::new("ada", Access::Read).of_tenants(tenants)
        };
        assert_eq!(Operator::new("ada", Access::Read).own_tenant(), Some(TenantId::single()));
        assert_eq!(bound(&["a"]).own_tenant(), Some(TenantId::new("a")));
        assert_eq!(bound(&["a", "b"]).own_tenant(), None);
        assert!(bound(&["a", "b"]).is_of(&TenantId::new("b")) && !bound(&["a"]).is_of(&TenantId::new("b")));
    }
}
