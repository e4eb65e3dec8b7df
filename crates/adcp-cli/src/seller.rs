//! The reference seller behind a port, for `serve` and `demo`.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;

use adcp_decisioning::{Agent, Tokens};
use adcp_mcp::{McpConfig, McpError, Server};
use adcp_reference_seller::SellerConfig;

use crate::delivering::Delivering;
use crate::exit::{Exit, Failure};
use crate::registry::Opened;

/// Free ports to try before giving up: another process may take one in between.
const ATTEMPTS: usize = 5;

/// Addresses that `bind` stands for.
pub(crate) fn resolve(bind: &str) -> Result<Vec<SocketAddr>, Failure> {
    let wrong = || Failure::usage(format!("`{bind}` is not an address; write one like 127.0.0.1:3000"));
    let found: Vec<SocketAddr> = bind.to_socket_addrs().map_err(|error| wrong().because(error))?.collect();
    if found.is_empty() { Err(wrong()) } else { Ok(found) }
}

/// Opens the port and offers the seller there.
///
/// The seller names its formats by the address of its agent, so that has to be known first.
pub(crate) async fn open(
    at: SocketAddr,
    public_url: Option<&str>,
    agent: impl Fn(&str) -> Result<Agent, Failure>,
    config: impl Fn(String) -> McpConfig,
) -> Result<Server, Failure> {
    let mut attempts = ATTEMPTS;
    loop {
        attempts -= 1;
        let chosen = concrete(at).map_err(|error| cannot_listen(at, error))?;
        let own_url = url_at(chosen);
        let agent = agent(public_url.unwrap_or(&own_url))?;
        match Server::bind(agent, config(chosen.to_string())).await {
            Ok(server) => return Ok(server),
            Err(McpError::Bind { .. }) if at.port() == 0 && attempts > 0 => {}
            Err(McpError::Bind { source, .. }) => return Err(cannot_listen(at, source)),
            Err(error) => return Err(Failure::usage("cannot serve with these flags").because(error)),
        }
    }
}

/// The seller as an agent that keeps its tasks in `opened`.
pub(crate) fn agent(
    config: SellerConfig,
    tokens: Tokens,
    releases: &[String],
    opened: &Opened,
    delivering: Option<&Delivering>,
) -> Result<Agent, Failure> {
    #[cfg(feature = "__fault-points")]
    if let Some(folder) = crate::trial::folder() {
        return crate::trial::agent(&folder, tokens, opened);
    }
    let registry = Arc::clone(&opened.registry);
    let mut builder = match delivering {
        Some(it) => it.name(adcp_reference_seller::notifying(config, registry, tokens, it.webhooks())),
        None => adcp_reference_seller::builder(config, registry, tokens),
    };
    for companion in &opened.companions {
        builder = builder.background(Arc::clone(companion));
    }
    for release in releases {
        builder = builder.also_serve(release);
    }
    builder.build().map_err(|faults| Failure::usage("cannot serve with these flags").because(faults))
}

/// `at` with a port that is free now where it has none.
fn concrete(at: SocketAddr) -> io::Result<SocketAddr> {
    if at.port() == 0 { TcpListener::bind(at)?.local_addr() } else { Ok(at) }
}

/// Where clients of this machine find an agent that listens on `at`.
fn url_at(at: SocketAddr) -> String {
    match at.ip() {
        ip if ip.is_unspecified() => format!("http://localhost:{}/mcp", at.port()),
        IpAddr::V4(ip) => format!("http://{ip}:{}/mcp", at.port()),
        IpAddr::V6(ip) => format!("http://[{ip}]:{}/mcp", at.port()),
    }
}

fn cannot_listen(at: SocketAddr, error: io::Error) -> Failure {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => "; stop what listens there, or choose another port with --bind",
        io::ErrorKind::PermissionDenied => "; ports below 1024 need privileges, choose a higher one",
        io::ErrorKind::AddrNotAvailable => "; this machine has no such address",
        _ => "",
    };
    Failure::new(Exit::Broken, format!("cannot listen on {at}{advice}")).because(error)
}
