//! A range of addresses, written as an address and the length of its prefix.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of IP addresses such as `10.0.0.0/8` or `fd00::/8`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    first: IpAddr,
    prefix: u8,
}

impl Network {
    /// The range of all addresses whose first `prefix` bits are those of `first`.
    ///
    /// # Errors
    ///
    /// [`NotANetwork`] when the prefix is longer than the address, or when a later bit of the address is set.
    pub fn new(first: IpAddr, prefix: u8) -> Result<Self, NotANetwork> {
        let network = Self { first, prefix };
        if prefix > network.width() || bits(first) & network.tail() != 0 {
            return Err(NotANetwork(format!("{first}/{prefix}")));
        }
        Ok(network)
    }

    pub(crate) const fn v4(first: [u8; 4], prefix: u8) -> Self {
        let [a, b, c, d] = first;
        Self { first: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix }
    }

    pub(crate) const fn v6(first: [u16; 8], prefix: u8) -> Self {
        let [a, b, c, d, e, f, g, h] = first;
        Self { first: IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h)), prefix }
    }

    /// The lowest address of the range.
    #[must_use]
    pub const fn first(&self) -> IpAddr {
        self.first
    }

    /// The highest address of the range.
    #[must_use]
    pub fn last(&self) -> IpAddr {
        match self.first {
            IpAddr::V4(first) => {
                let tail = u32::MAX.checked_shr(self.prefix.into()).unwrap_or(0);
                Ipv4Addr::from_bits(first.to_bits() | tail).into()
            }
            IpAddr::V6(first) => Ipv6Addr::from_bits(first.to_bits() | self.tail()).into(),
        }
    }

    /// How many leading bits all addresses of the range share.
    #[must_use]
    pub const fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether `address` is in the range. An IPv4 address is never in a range of IPv6, nor the reverse.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.first.is_ipv4() == address.is_ipv4() && bits(address) & !self.tail() == bits(self.first)
    }

    /// Whether all of `other` is in the range.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.prefix <= other.prefix && self.contains(other.first)
    }

    /// Whether the two have an address in common.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.covers(other) || other.covers(self)
    }

    const fn width(&self) -> u8 {
        if self.first.is_ipv4() { 32 } else { 128 }
    }

    /// The bits that are free within the range.
    fn tail(&self) -> u128 {
        u128::MAX.checked_shr(u32::from(128 - self.width() + self.prefix)).unwrap_or(0)
    }
}

const fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits() as u128,
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let wrong = || NotANetwork(text.to_owned());
        let (first, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let prefix = if prefix.starts_with('+') { None } else { prefix.parse().ok() };
        Self::new(first.parse().map_err(|_| wrong())?, prefix.ok_or_else(wrong)?).map_err(|_| wrong())
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({self})")
    }
}

/// What was written is not a range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a network; write its lowest address and the length of its prefix, such as `10.0.0.0/8`"
)]
pub struct NotANetwork(String);

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_is_read_and_written() {
        for text in ["0.0.0.0/0", "10.0.0.0/8", "192.0.0.170/32", "::/0", "fd00::/8", "::1/128"] {
            assert_eq!(network(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "/",
            "10.0.0.0",
            "10.0.0.0/",
            "/8",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "::1/127",
            "::/129",
            "10/8",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "10.0.0.0/8/8",
            "a/8",
            " 10.0.0.0/8",
            "010.0.0.0/8",
            "fe80::%1/10",
        ] {
            let refused = text.parse::<Network>();
            assert!(refused.is_err(), "{text} read as {refused:?}");
            assert!(refused.unwrap_err().to_string().contains(text));
        }
    }

    #[test]
    fn bounds_are_inside_and_neighbours_are_not() {
        for (text, first, last, outside) in [
            ("10.0.0.0/8", "10.0.0.0", "10.255.255.255", ["9.255.255.255", "11.0.0.0"]),
            ("1.2.3.4/32", "1.2.3.4", "1.2.3.4", ["1.2.3.3", "1.2.3.5"]),
            ("fc00::/7", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ["fbff::", "fe00::"]),
            ("::1/128", "::1", "::1", ["::", "::2"]),
            ("172.16.0.0/12", "172.16.0.0", "172.31.255.255", ["172.15.255.255", "172.32.0.0"]),
        ] {
            let network = network(text);
            assert_eq!((network.first(), network.last()), (first.parse().unwrap(), last.parse().unwrap()));
            assert!(network.contains(network.first()) && network.contains(network.last()), "{text}");
            assert!(!outside.iter().any(|address| network.contains(address.parse().unwrap())), "{text}");
        }
        assert_eq!(network("0.0.0.0/0").last(), "255.255.255.255".parse::<IpAddr>().unwrap());
        assert!(!network("::/0").contains("10.0.0.1".parse().unwrap()));
        assert!(!network("0.0.0.0/0").contains("::1".parse().unwrap()));
    }

    #[test]
    fn one_network_covers_or_overlaps_another() {
        let (wide, narrow, other) = (network("10.0.0.0/8"), network("10.1.0.0/16"), network("11.0.0.0/8"));
        assert!(wide.covers(&narrow) && wide.covers(&wide) && !narrow.covers(&wide));
        assert!(narrow.overlaps(&wide) && wide.overlaps(&narrow) && !wide.overlaps(&other));
    }
}
