//! What may be called: by how a url is written, and by where its host leads.

use std::net::IpAddr;

use crate::block::{Block, block_of, special_purpose_blocks};
use crate::refusal::Refusal;
use crate::url::{Host, Url};
use crate::{ConfigError, Network};

/// The rules of one way out. Without any of these, only `https` to addresses that are routed globally.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    /// Loopback addresses, also by `http`.
    pub(crate) loopback: bool,
    /// Private blocks that `https` may reach.
    pub(crate) networks: Vec<Network>,
    /// The only ports, unless empty.
    pub(crate) ports: Vec<u16>,
}

impl Policy {
    /// Refuses networks that hold what must never be reached.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        for network in &self.networks {
            let within = |block: &&Block| block.openable && block.network.covers(network);
            if !special_purpose_blocks().iter().any(|block| within(&block)) {
                return Err(ConfigError::Network(*network));
            }
        }
        if self.ports.contains(&0) { Err(ConfigError::Port) } else { Ok(()) }
    }

    /// Reads a url, and judges all that can be judged without asking anybody.
    pub(crate) fn admit(&self, text: &str) -> Result<Url, Refusal> {
        let url = Url::parse(text)?;
        let plain_will_do = self.loopback && is_local(url.host());
        if !url.is_secure() && !plain_will_do {
            return Err(Refusal::Scheme);
        }
        if !self.ports.is_empty() && !self.ports.contains(&url.port()) {
            return Err(Refusal::PortNotAllowed { port: url.port(), allowed: self.ports.clone() });
        }
        match url.host() {
            Host::Address(address) => self.allows(*address, url.is_secure()).map_err(Refusal::Address)?,
            // Such a name is the machine itself, whatever a resolver says.
            Host::Name(name) if is_localhost(name) && !self.opens_loopback() => {
                return Err(Refusal::Address(*block_of(LOOPBACK).expect("loopback has a row")));
            }
            Host::Name(_) => {}
        }
        Ok(url)
    }

    /// Judges all addresses that a name leads to: one that is wrong is enough.
    pub(crate) fn check_resolved(&self, addresses: &[IpAddr], secure: bool) -> Result<(), Refusal> {
        let wrong = |address: &&IpAddr| self.allows(**address, secure).is_err();
        let wrong: Vec<IpAddr> = addresses.iter().filter(wrong).copied().collect();
        if wrong.is_empty() { Ok(()) } else { Err(Refusal::LeadsTo(wrong)) }
    }

    fn allows(&self, address: IpAddr, secure: bool) -> Result<(), Block> {
        if self.loopback && address.is_loopback() {
            return Ok(());
        }
        match block_of(address) {
            None if secure => Ok(()),
            None => Err(NOT_LOOPBACK),
            Some(block)
                if secure && block.openable && self.networks.iter().any(|open| open.contains(address)) =>
            {
                Ok(())
            }
            Some(block) => Err(*block),
        }
    }

    fn opens_loopback(&self) -> bool {
        let opened = |network: &Network| network.contains(LOOPBACK) || network.first().is_loopback();
        self.loopback || self.networks.iter().any(opened)
    }
}

const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// What is wrong with a global address that would be called without TLS.
const NOT_LOOPBACK: Block = Block {
    network: Network::v4([0, 0, 0, 0], 0),
    purpose: "calls over https only",
    source: "RFC 9110, section 4.2.2",
    openable: false,
};

fn is_local(host: &Host) -> bool {
    match host {
        Host::Name(name) => is_localhost(name),
        Host::Address(address) => address.is_loopback(),
    }
}

/// Spec: RFC 6761, section 6.3.
fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(networks: &[&str]) -> Policy {
        Policy { networks: networks.iter().map(|text| text.parse().unwrap()).collect(), ..Policy::default() }
    }

    #[test]
    fn a_network_is_opened_and_its_neighbours_are_not() {
        let policy = opened(&["10.1.0.0/16", "fd12::/16"]);
        assert!(policy.check().is_ok());
        for (address, open) in [
            ("10.1.2.3", true),
            ("10.2.2.3", false),
            ("192.168.0.1", false),
            ("127.0.0.1", false),
            ("1.1.1.1", true),
            ("fd12::1", true),
            ("fd13::1", false),
            ("::ffff:10.1.2.3", false),
            ("64:ff9b::10.1.2.3", false),
        ] {
            assert_eq!(policy.allows(address.parse().unwrap(), true).is_ok(), open, "{address}");
            assert!(policy.allows(address.parse().unwrap(), false).is_err(), "{address} by http");
        }
    }

    #[test]
    fn metadata_stays_closed_in_an_open_network() {
        let policy = opened(&["100.64.0.0/10", "fc00::/7"]);
        assert!(policy.check().is_ok());
        for address in ["100.100.100.200", "fd00:ec2::254", "fd20:ce::254"] {
            assert!(policy.allows(address.parse().unwrap(), true).is_err(), "{address}");
        }
        assert!(policy.allows("100.100.100.201".parse().unwrap(), true).is_ok());
    }

    #[test]
    fn what_must_never_be_opened_is_refused_at_the_start() {
        for network in [
            "0.0.0.0/0",
            "::/0",
            "0.0.0.0/8",
            "8.0.0.0/5",
            "10.0.0.0/7",
            "169.254.0.0/16",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "192.0.2.0/24",
            "fe80::/10",
            "ff00::/8",
            "2002::/16",
            "64:ff9b::/96",
            "::ffff:0:0/96",
            "1.1.1.0/24",
            "2000::/3",
        ] {
            assert!(opened(&[network]).check().is_err(), "{network}");
        }
    }

    #[test]
    fn loopback_is_the_only_thing_that_is_called_without_tls() {
        let policy = Policy { loopback: true, ..Policy::default() };
        for (url, fits) in [
            ("http://127.0.0.1:3000/", true),
            ("http://[::1]:3000/", true),
            ("http://localhost:3000/", true),
            ("http://hooks.localhost/", true),
            ("https://localhost/", true),
            ("http://buyer.example/", false),
            ("http://1.1.1.1/", false),
            ("http://10.0.0.1/", false),
            ("http://[::ffff:127.0.0.1]/", false),
            ("https://10.0.0.1/", false),
            ("http://notlocalhost/", false),
        ] {
            assert_eq!(policy.admit(url).is_ok(), fits, "{url}");
            assert!(!url.starts_with("http:") || Policy::default().admit(url).is_err(), "{url}");
        }
        assert!(policy.check_resolved(&["1.1.1.1".parse().unwrap()], false).is_err());
    }

    #[test]
    fn ports_are_free_unless_they_are_listed() {
        assert!(Policy::default().admit("https://buyer.example:9/").is_ok());
        let policy = Policy { ports: vec![443, 8443], ..Policy::default() };
        assert!(policy.admit("https://buyer.example/").is_ok());
        let refusal = policy.admit("https://buyer.example:22/").unwrap_err();
        assert_eq!(refusal.to_string(), "port 22 is not called here; use one of 443, 8443");
    }
}
