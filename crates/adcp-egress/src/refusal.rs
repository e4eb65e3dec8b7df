//! Why an address is never called, and what would be right.

use std::net::IpAddr;

use adcp_core::Inadmissible;

use crate::Block;
use crate::url::MAX_LENGTH;

/// A part of a url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// All of it.
    Whole,
    /// What stands before `://`.
    Scheme,
    /// A name and a password before the `@`.
    UserInfo,
    /// A domain name, or an address.
    Host,
    /// The number behind the host.
    Port,
    /// From the first `/` on.
    Path,
    /// From the `?` on.
    Query,
    /// From the `#` on.
    Fragment,
}

/// Why a url is never called. Its words may reach whoever supplied the url: they say what would be right,
/// and nothing of what a resolver answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// More text than a url needs.
    #[error("the url is too long; use at most {MAX_LENGTH} characters")]
    TooLong,
    /// No scheme and `://` in front.
    #[error("the url is not absolute; write it as `https://host/path`")]
    NotAbsolute,
    /// Neither `https`, nor `http` where that is allowed.
    #[error("the scheme must be `https`")]
    Scheme,
    /// Credentials in the url.
    #[error("the url must not hold a user name or password; remove what stands before the `@`")]
    UserInfo,
    /// No receiver ever sees it.
    #[error("the url must not have a fragment; remove the `#` and what follows it")]
    Fragment,
    /// Neither a domain name nor an address.
    #[error(
        "the host is not a domain name; write labels of letters, digits and hyphens, or an IPv6 address in brackets"
    )]
    Host,
    /// A name in another script, or digits that only look like digits.
    #[error("the host must be in ASCII; write labels of other scripts in their form with `xn--`")]
    HostNotAscii,
    /// The dot of the root: certificates and signatures are made for the name without it.
    #[error("the host must not end with a dot; remove it")]
    TrailingDot,
    /// An IPv4 address in a form that programs read differently.
    #[error("the host reads like an IPv4 address; write it as four decimal numbers without leading zeros")]
    AmbiguousAddress,
    /// An IPv6 address that means something on one machine only.
    #[error("the address must not have a zone; remove the `%` and what follows it")]
    Zone,
    /// Not a port.
    #[error("the port must be a number from 1 to 65535 without leading zeros")]
    Port,
    /// A port other than those that the operator chose.
    #[error("port {port} is not called here; use one of {}", list(allowed))]
    PortNotAllowed {
        /// The port of the url.
        port: u16,
        /// The ports that may be called.
        allowed: Vec<u16>,
    },
    /// A character that must not stand there as it is.
    #[error("{} holds a character that must be percent-encoded there", .0.words())]
    Character(
        /// Where it is.
        Part,
    ),
    /// The host is an address, or a name of such, that no receiver of somebody else has.
    #[error("the host must have a public address; this one is for {}", .0.purpose)]
    Address(
        /// The block that the address is in.
        Block,
    ),
    /// The host is a name that leads, also or only, to such an address.
    #[error("the host must lead to public addresses only")]
    LeadsTo(
        /// The addresses that must not be called. For the operator, not for whoever supplied the url.
        Vec<IpAddr>,
    ),
}

impl Refusal {
    /// The part of the url that is wrong.
    #[must_use]
    pub const fn part(&self) -> Part {
        match self {
            Self::TooLong | Self::NotAbsolute => Part::Whole,
            Self::Scheme => Part::Scheme,
            Self::UserInfo => Part::UserInfo,
            Self::Fragment => Part::Fragment,
            Self::Host
            | Self::HostNotAscii
            | Self::TrailingDot
            | Self::AmbiguousAddress
            | Self::Zone
            | Self::Address(_)
            | Self::LeadsTo(_) => Part::Host,
            Self::Port | Self::PortNotAllowed { .. } => Part::Port,
            Self::Character(part) => *part,
        }
    }
}

impl Part {
    const fn words(self) -> &'static str {
        match self {
            Self::Whole => "the url",
            Self::Scheme => "the scheme",
            Self::UserInfo => "the part before the `@`",
            Self::Host => "the host",
            Self::Port => "the port",
            Self::Path => "the path",
            Self::Query => "the query",
            Self::Fragment => "the fragment",
        }
    }
}

fn list(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

/// What a buyer hears who registers such an address.
impl From<Refusal> for Inadmissible {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.to_string())
    }
}
