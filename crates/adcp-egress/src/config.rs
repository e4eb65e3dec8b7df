//! How a way out is set up.

use std::sync::Arc;
use std::time::Duration;

use crate::connect::Connector;
use crate::egress::Egress;
use crate::policy::Policy;
use crate::pool::{Keep, Pool};
use crate::resolve::{Resolve, SystemResolver};
use crate::tls::{self, Trust};
use crate::{ConfigError, Network};

/// The smallest bound of a head that HTTP can be read with.
const MIN_HEAD: usize = 8_192;

/// Sets up an [`Egress`]. Without any of these it reaches public addresses by `https`, and nothing else.
#[derive(Debug)]
#[must_use = "nothing is set up before `build`"]
pub struct EgressBuilder {
    policy: Policy,
    resolver: Option<Arc<dyn Resolve>>,
    trust: Trust,
    keep: Keep,
    max_head_bytes: usize,
    max_headers: usize,
}

impl EgressBuilder {
    pub(crate) fn new() -> Self {
        let minute = Duration::from_secs(60);
        Self {
            policy: Policy::default(),
            resolver: None,
            trust: Trust { system: true, own: Vec::new() },
            keep: Keep { total: 1_024, per_origin: 16, idle: minute / 4, age: minute },
            max_head_bytes: 65_536,
            max_headers: 100,
        }
    }

    /// Reaches loopback addresses too, also by `http`. For work on one machine; a warning is logged.
    pub const fn allow_loopback_http(mut self) -> Self {
        self.policy.loopback = true;
        self
    }

    /// Reaches these networks too, by `https` only: receivers of the operator's own, inside a private network.
    ///
    /// Addresses at which clouds hand out credentials stay closed within them.
    pub fn allow_networks(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.policy.networks.extend(networks);
        self
    }

    /// Reaches no other ports than these. Without it every port will do.
    pub fn allow_ports_only(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.policy.ports.extend(ports);
        self
    }

    /// Resolves names in another way than the machine does. What it answers is checked all the same.
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.resolver = Some(Arc::new(resolver));
        self
    }

    /// Believes certificates that lead to one of these, in PEM, besides those that the machine trusts.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.trust.own.push(pem.into());
        self
    }

    /// Does not believe certificates only because the machine does.
    pub const fn without_system_certificates(mut self) -> Self {
        self.trust.system = false;
        self
    }

    /// How many bytes the head of an answer may have. Default 65,536, at least 8,192.
    pub const fn max_head_bytes(mut self, bytes: usize) -> Self {
        self.max_head_bytes = bytes;
        self
    }

    /// How many headers an answer may have. Default 100.
    pub const fn max_headers(mut self, count: usize) -> Self {
        self.max_headers = count;
        self
    }

    /// How many unused connections are kept: in total, and for one origin. Default 1,024 and 16.
    pub const fn keep_connections(mut self, total: usize, per_origin: usize) -> Self {
        self.keep.total = total;
        self.keep.per_origin = per_origin;
        self
    }

    /// How long a connection waits unused, and how long after its address was checked it is used at all.
    /// Default 15 and 60 seconds: a name that moves is followed within a minute.
    pub const fn connection_lifetime(mut self, idle: Duration, age: Duration) -> Self {
        self.keep.idle = idle;
        self.keep.age = age;
        self
    }

    /// Sets it up. The resolver and kept connections need a Tokio runtime, later.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], when a network cannot be opened, a bound is too small, or no certificate would be believed.
    pub fn build(self) -> Result<Egress, ConfigError> {
        self.policy.check()?;
        if self.max_head_bytes < MIN_HEAD {
            return Err(ConfigError::TooSmall("max_head_bytes", MIN_HEAD));
        }
        if self.max_headers == 0 {
            return Err(ConfigError::TooSmall("max_headers", 1));
        }
        let tls = tls::config(&self.trust, !self.policy.loopback)?;
        if self.policy.loopback {
            tracing::warn!(
                "loopback addresses are called, also without TLS: for local work only, never in production"
            );
        }
        let resolver = self.resolver.unwrap_or_else(|| Arc::new(SystemResolver::new()));
        let connector = Connector { tls, max_head_bytes: self.max_head_bytes, max_headers: self.max_headers };
        Ok(Egress::assemble(self.policy, resolver, connector, Pool::new(self.keep)))
    }
}
