//! The guarded way out, and when it reaches this machine.

use std::net::IpAddr;

use adcp_core::Endpoint;
use adcp_egress::Egress;

use crate::exit::{Exit, Failure};

/// A way out to this url: open to this machine only when the url is on it.
pub(super) fn egress_to(url: &str) -> Result<Egress, Failure> {
    egress(is_loopback(url))
}

/// A way out; to this machine too, and without TLS, when `loopback`.
pub(super) fn egress(loopback: bool) -> Result<Egress, Failure> {
    let builder = Egress::builder();
    let builder = if loopback { builder.allow_loopback_http() } else { builder };
    builder.build().map_err(|error| Failure::new(Exit::Broken, "cannot call anybody").because(error))
}

/// Whether a url is on this machine, as it is written.
pub(crate) fn is_loopback(url: &str) -> bool {
    let endpoint = Endpoint::of(url);
    let Some((_, place)) = endpoint.as_str().split_once("://") else { return false };
    let host = match place.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => place.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_how_it_is_written() {
        for url in ["http://127.0.0.1:3000/mcp", "http://localhost/", "https://[::1]:1/x", "http://127.9.9.9"]
        {
            assert!(is_loopback(url), "{url}");
        }
        for url in
            ["https://seller.example/", "http://localhost.example/", "http://10.0.0.1", "127.0.0.1", ""]
        {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
