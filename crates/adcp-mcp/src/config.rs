//! What a server is told before it opens a port.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use crate::PublishedKeys;
use crate::routes::Routes;

/// The largest grace period, header or body time a server accepts.
const LONGEST: Duration = Duration::from_secs(3600);

/// How an agent is offered over MCP.
///
/// Everything but the address has a default. Values are checked by [`Server::bind`](crate::Server::bind),
/// before a port opens.
#[must_use]
pub struct McpConfig {
    pub(crate) address: String,
    pub(crate) name: String,
    pub(crate) public_url: Option<String>,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) max_connections: usize,
    pub(crate) header_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) grace: Duration,
    pub(crate) published_keys: Option<PublishedKeys>,
    pub(crate) routes: Routes,
    pub(crate) shutdown: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl McpConfig {
    /// Listens on `address`, such as `127.0.0.1:3000`; port 0 takes a free one.
    pub fn bind(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            name: "adcp-agent".to_owned(),
            public_url: None,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            max_connections: 1024,
            header_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            grace: Duration::from_secs(20),
            published_keys: None,
            routes: Routes::default(),
            shutdown: None,
        }
    }

    /// The name that `initialize` reports. Default: `adcp-agent`.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The address buyers know, such as `https://ads.example.com/mcp`.
    ///
    /// Its host joins the allowed hosts, its origin the allowed origins. Needed behind a proxy that keeps
    /// the `Host` header. Default: none, so that only loopback names are served.
    pub fn with_public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Further values of the `Host` header to serve: `ads.example.com`, or with a port to pin that too.
    ///
    /// Loopback names are always served. `*` serves any host, which gives up the protection against DNS
    /// rebinding: use it only where a proxy checks the host.
    pub fn with_allowed_hosts<H: Into<String>>(mut self, hosts: impl IntoIterator<Item = H>) -> Self {
        self.allowed_hosts.extend(hosts.into_iter().map(Into::into));
        self
    }

    /// Web origins whose pages may call the agent, such as `https://app.example.com`.
    ///
    /// A request without an `Origin` header is always served. One with it must name an allowed origin, a
    /// loopback one or that of the public url.
    pub fn with_allowed_origins<O: Into<String>>(mut self, origins: impl IntoIterator<Item = O>) -> Self {
        self.allowed_origins.extend(origins.into_iter().map(Into::into));
        self
    }

    /// How many connections are open at once; further ones wait in the backlog. Default: 1,024.
    pub fn with_max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// How long a connection may take to send its next request's headers, idle time included. Default: 30 s.
    pub fn with_header_timeout(mut self, timeout: Duration) -> Self {
        self.header_timeout = timeout;
        self
    }

    /// How long a request's body may take to arrive. Default: 30 s.
    pub fn with_body_timeout(mut self, timeout: Duration) -> Self {
        self.body_timeout = timeout;
        self
    }

    /// How long requests in flight, and then the agent's background work, may take after shutdown began.
    ///
    /// Default: 20 s, for both together.
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Also publishes the keys of the agent, and its brand.json if you like, below `/.well-known/`. Default: neither.
    pub fn with_published_keys(mut self, keys: PublishedKeys) -> Self {
        self.published_keys = Some(keys);
        self
    }

    /// Also serves what a tower service answers, under a prefix such as `/admin`.
    ///
    /// The service sees requests for the prefix and everything below it, with their whole paths. Hosts, origins, size
    /// and times are checked as for the agent, credentials are not. It is cloned for each request, which runs to its
    /// end also when the caller hangs up. `/mcp`, `/healthz`, `/.well-known` and what is below them stay the server's.
    pub fn with_routes<S>(mut self, prefix: impl Into<String>, service: S) -> Self
    where
        S: Service<Request<Bytes>, Response = Response<Bytes>, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
    {
        self.routes.mount(prefix.into(), service);
        self
    }

    /// Begins a graceful shutdown when `signal` resolves. Default: the server runs until it is dropped.
    pub fn with_shutdown(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.shutdown = Some(Box::pin(signal));
        self
    }

    /// The first setting that cannot work, with the reason.
    pub(crate) fn fault(&self) -> Option<(&'static str, String)> {
        if self.max_connections == 0 {
            return Some(("max_connections", "must be at least 1".to_owned()));
        }
        let times = [("header_timeout", self.header_timeout), ("body_timeout", self.body_timeout)];
        for (setting, time) in times {
            if time.is_zero() || time > LONGEST {
                return Some((setting, format!("must be between 1 ms and {} s", LONGEST.as_secs())));
            }
        }
        if let Some(reason) = self.routes.fault() {
            return Some(("routes", reason));
        }
        (self.grace > LONGEST).then(|| ("grace", format!("must be at most {} s", LONGEST.as_secs())))
    }
}

impl fmt::Debug for McpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpConfig")
            .field("address", &self.address)
            .field("name", &self.name)
            .field("public_url", &self.public_url)
            .field("allowed_hosts", &self.allowed_hosts)
            .field("allowed_origins", &self.allowed_origins)
            .field("max_connections", &self.max_connections)
            .field("header_timeout", &self.header_timeout)
            .field("body_timeout", &self.body_timeout)
            .field("grace", &self.grace)
            .field("published_keys", &self.published_keys)
            .field("routes", &self.routes)
            .field("shutdown", &self.shutdown.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_sound_and_faults_name_their_setting() {
        let base = || McpConfig::bind("127.0.0.1:0");
        assert_eq!(base().fault(), None);
        let faults = [
            (base().with_max_connections(0), "max_connections"),
            (base().with_header_timeout(Duration::ZERO), "header_timeout"),
            (base().with_body_timeout(Duration::from_secs(4000)), "body_timeout"),
            (base().with_grace(Duration::from_secs(4000)), "grace"),
        ];
        for (config, setting) in faults {
            assert_eq!(config.fault().map(|(s, _)| s), Some(setting));
        }
    }
}
