//! The blocks of addresses where no receiver of somebody else can be.
//!
//! The rows follow the IANA registries of special-purpose IPv4 and IPv6 addresses, also where those call a block
//! globally reachable: what is there is infrastructure. Rows that come from elsewhere say from where.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Network;

/// A block of addresses that serves a special purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Block {
    /// The addresses.
    pub network: Network,
    /// What they are for.
    pub purpose: &'static str,
    /// Where that is written.
    pub source: &'static str,
    /// Whether [`allow_networks`](crate::EgressBuilder::allow_networks) can open it.
    pub openable: bool,
}

const fn closed(network: Network, purpose: &'static str, source: &'static str) -> Block {
    Block { network, purpose, source, openable: false }
}

/// A block in which an operator may have receivers of its own.
const fn private(network: Network, purpose: &'static str, source: &'static str) -> Block {
    Block { network, purpose, source, openable: true }
}

/// Every block, most of them within none of the others.
#[rustfmt::skip]
static BLOCKS: &[Block] = &[
    // IPv4 special-purpose registry.
    closed(Network::v4([0, 0, 0, 0], 8), "this network", "RFC 791, section 3.2"),
    closed(Network::v4([0, 0, 0, 0], 32), "this host on this network", "RFC 1122, section 3.2.1.3"),
    private(Network::v4([10, 0, 0, 0], 8), "private use", "RFC 1918"),
    private(Network::v4([100, 64, 0, 0], 10), "shared address space", "RFC 6598"),
    private(Network::v4([127, 0, 0, 0], 8), "loopback", "RFC 1122, section 3.2.1.3"),
    closed(Network::v4([169, 254, 0, 0], 16), "link local", "RFC 3927"),
    private(Network::v4([172, 16, 0, 0], 12), "private use", "RFC 1918"),
    closed(Network::v4([192, 0, 0, 0], 24), "IETF protocol assignments", "RFC 6890, section 2.1"),
    closed(Network::v4([192, 0, 0, 0], 29), "IPv4 service continuity prefix", "RFC 7335"),
    closed(Network::v4([192, 0, 0, 8], 32), "IPv4 dummy address", "RFC 7600"),
    closed(Network::v4([192, 0, 0, 9], 32), "Port Control Protocol anycast", "RFC 7723"),
    closed(Network::v4([192, 0, 0, 10], 32), "TURN anycast", "RFC 8155"),
    closed(Network::v4([192, 0, 0, 170], 32), "NAT64 discovery", "RFC 8880"),
    closed(Network::v4([192, 0, 0, 171], 32), "NAT64 discovery", "RFC 8880"),
    closed(Network::v4([192, 0, 2, 0], 24), "documentation", "RFC 5737"),
    closed(Network::v4([192, 31, 196, 0], 24), "AS112", "RFC 7535"),
    closed(Network::v4([192, 52, 193, 0], 24), "automatic multicast tunnelling", "RFC 7450"),
    closed(Network::v4([192, 88, 99, 0], 24), "6to4 relay anycast, deprecated", "RFC 7526"),
    closed(Network::v4([192, 88, 99, 2], 32), "6a44 relay anycast", "RFC 6751"),
    private(Network::v4([192, 168, 0, 0], 16), "private use", "RFC 1918"),
    closed(Network::v4([192, 175, 48, 0], 24), "AS112, delegated directly", "RFC 7534"),
    private(Network::v4([198, 18, 0, 0], 15), "benchmarking", "RFC 2544"),
    closed(Network::v4([198, 51, 100, 0], 24), "documentation", "RFC 5737"),
    closed(Network::v4([203, 0, 113, 0], 24), "documentation", "RFC 5737"),
    closed(Network::v4([240, 0, 0, 0], 4), "reserved", "RFC 1112, section 4"),
    closed(Network::v4([255, 255, 255, 255], 32), "limited broadcast", "RFC 919, section 7"),
    // IPv4 address space registry.
    closed(Network::v4([224, 0, 0, 0], 4), "multicast", "RFC 5771"),
    // IPv6 special-purpose registry.
    closed(Network::v6([0, 0, 0, 0, 0, 0, 0, 0], 128), "unspecified", "RFC 4291, section 2.5.2"),
    private(Network::v6([0, 0, 0, 0, 0, 0, 0, 1], 128), "loopback", "RFC 4291, section 2.5.3"),
    closed(Network::v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96), "IPv4-mapped", "RFC 4291, section 2.5.5.2"),
    closed(NAT64, "an IPv4 address behind a translator", "RFC 6052"),
    closed(Network::v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), "local-use translation", "RFC 8215"),
    closed(Network::v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), "discard only", "RFC 6666"),
    closed(Network::v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64), "dummy prefix", "RFC 9780"),
    closed(Network::v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), "IETF protocol assignments", "RFC 2928"),
    closed(Network::v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), "Teredo", "RFC 4380"),
    closed(Network::v6([0x2001, 1, 0, 0, 0, 0, 0, 1], 128), "Port Control Protocol anycast", "RFC 7723"),
    closed(Network::v6([0x2001, 1, 0, 0, 0, 0, 0, 2], 128), "TURN anycast", "RFC 8155"),
    closed(Network::v6([0x2001, 1, 0, 0, 0, 0, 0, 3], 128), "service registration anycast", "RFC 9665"),
    closed(Network::v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), "benchmarking", "RFC 5180"),
    closed(Network::v6([0x2001, 3, 0, 0, 0, 0, 0, 0], 32), "automatic multicast tunnelling", "RFC 7450"),
    closed(Network::v6([0x2001, 4, 0x112, 0, 0, 0, 0, 0], 48), "AS112", "RFC 7535"),
    closed(Network::v6([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28), "ORCHID, deprecated", "RFC 4843"),
    closed(Network::v6([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28), "ORCHIDv2", "RFC 7343"),
    closed(Network::v6([0x2001, 0x30, 0, 0, 0, 0, 0, 0], 28), "drone remote identification", "RFC 9374"),
    closed(Network::v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), "documentation", "RFC 3849"),
    closed(Network::v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), "6to4", "RFC 3056"),
    closed(Network::v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48), "AS112, delegated directly", "RFC 7534"),
    closed(Network::v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), "documentation", "RFC 9637"),
    closed(Network::v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16), "segment routing", "RFC 9602"),
    private(Network::v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), "unique local", "RFC 4193"),
    closed(Network::v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), "link local", "RFC 4291, section 2.5.6"),
    // IPv6 address space registry: global unicast is 2000::/3, and these are the names of some of the rest.
    closed(Network::v6([0, 0, 0, 0, 0, 0, 0, 0], 96), "IPv4-compatible, deprecated", "RFC 4291, section 2.5.5.1"),
    closed(Network::v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96), "IPv4-translated", "RFC 2765, section 2.1"),
    closed(Network::v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), "site local, deprecated", "RFC 3879"),
    closed(Network::v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "multicast", "RFC 4291, section 2.7"),
    closed(Network::v6([0, 0, 0, 0, 0, 0, 0, 0], 3), "not global unicast", "RFC 4291, section 2.4"),
    closed(Network::v6([0x4000, 0, 0, 0, 0, 0, 0, 0], 2), "not global unicast", "RFC 4291, section 2.4"),
    closed(Network::v6([0x8000, 0, 0, 0, 0, 0, 0, 0], 1), "not global unicast", "RFC 4291, section 2.4"),
    // Metadata of cloud machines: credentials for the asking. Some hide in blocks that can be opened, or are global.
    closed(Network::v4([100, 100, 100, 200], 32), "cloud metadata", "Alibaba Cloud"),
    closed(Network::v4([168, 63, 129, 16], 32), "cloud metadata", "Microsoft Azure"),
    closed(Network::v4([169, 254, 169, 254], 32), "cloud metadata", "most clouds"),
    closed(Network::v4([192, 0, 0, 192], 32), "cloud metadata", "Oracle Cloud"),
    closed(Network::v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0], 32), "cloud metadata", "Amazon Web Services"),
    closed(Network::v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128), "cloud metadata", "Google Cloud"),
];

/// IPv4 addresses as a translator of an IPv6-only network shows them.
const NAT64: Network = Network::v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

/// Not a range: the interface part of the address says it.
static ISATAP: Block = closed(Network::v6([0; 8], 0), "an IPv4 address in a tunnel", "RFC 5214, section 6.1");

/// Every block of addresses that is refused, with what it is for.
#[must_use]
pub fn special_purpose_blocks() -> &'static [Block] {
    BLOCKS
}

/// The narrowest block that `address` is in; none for an address that is routed globally.
pub(crate) fn block_of(address: IpAddr) -> Option<&'static Block> {
    let containing = BLOCKS.iter().filter(|block| block.network.contains(address));
    let narrowest = containing.max_by_key(|block| block.network.prefix());
    match address {
        // In an IPv6-only network every IPv4 receiver looks like this, so it is as good as what it holds.
        IpAddr::V6(v6) if NAT64.contains(address) && block_of(embedded(v6).into()).is_none() => None,
        IpAddr::V6(v6) if narrowest.is_none() && is_isatap(v6) => Some(&ISATAP),
        _ => narrowest,
    }
}

/// The IPv4 address in the last 32 bits.
const fn embedded(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

const fn is_isatap(address: Ipv6Addr) -> bool {
    let [_, _, _, _, high, low, _, _] = address.segments();
    (high == 0 || high == 0x200) && low == 0x5efe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purpose(address: &str) -> Option<&'static str> {
        block_of(address.parse().unwrap()).map(|block| block.purpose)
    }

    #[test]
    fn every_row_is_a_network_and_stands_once() {
        for (at, block) in BLOCKS.iter().enumerate() {
            let network = block.network;
            assert_eq!(Network::new(network.first(), network.prefix()), Ok(network), "{network}");
            assert!(BLOCKS[at + 1..].iter().all(|other| other.network != network), "{network} stands twice");
            assert!(!block.purpose.is_empty() && !block.source.is_empty());
        }
    }

    #[test]
    fn the_bounds_of_every_row_are_refused() {
        for block in BLOCKS.iter().filter(|block| block.network != NAT64) {
            for address in [block.network.first(), block.network.last()] {
                let found = block_of(address).unwrap_or_else(|| panic!("{address} passes"));
                assert!(found.network.prefix() >= block.network.prefix(), "{address}: {found:?}");
            }
        }
    }

    #[test]
    fn global_addresses_are_in_no_block() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2000::1",
            "2001:200::1",
            "2003::1",
            "2606:4700:4700::1111",
            "2a00:1450:4001::200e",
            "3ffe:ffff::1",
        ] {
            assert_eq!(purpose(address), None, "{address}");
        }
    }

    #[test]
    fn the_narrowest_row_speaks() {
        assert_eq!(purpose("192.0.0.171"), Some("NAT64 discovery"));
        assert_eq!(purpose("2001::1"), Some("Teredo"));
        assert_eq!(purpose("::1"), Some("loopback"));
        assert_eq!(purpose("fd00:ec2::254"), Some("cloud metadata"));
        assert_eq!(purpose("fd00:ec3::254"), Some("unique local"));
    }

    #[test]
    fn addresses_within_addresses_are_seen() {
        for (address, expected) in [
            ("::ffff:8.8.8.8", Some("IPv4-mapped")),
            ("::ffff:127.0.0.1", Some("IPv4-mapped")),
            ("::8.8.8.8", Some("IPv4-compatible, deprecated")),
            ("::ffff:0:8.8.8.8", Some("IPv4-translated")),
            ("2002:7f00:1::", Some("6to4")),
            ("64:ff9b::8.8.8.8", None),
            ("64:ff9b::10.0.0.1", Some("an IPv4 address behind a translator")),
            ("64:ff9b::169.254.169.254", Some("an IPv4 address behind a translator")),
            ("64:ff9b:1::8.8.8.8", Some("local-use translation")),
            ("2a00::5efe:10.0.0.1", Some("an IPv4 address in a tunnel")),
            ("2a00::200:5efe:10.0.0.1", Some("an IPv4 address in a tunnel")),
        ] {
            assert_eq!(purpose(address), expected, "{address}");
        }
    }
}
