//! Logs go to standard error, filtered by `RUST_LOG`.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::exit::Failure;

/// Starts logging, at `default` unless `RUST_LOG` says otherwise.
///
/// The MCP library below writes several lines per request; only its errors are news.
pub(crate) fn start(default: &str) -> Result<(), Failure> {
    let directives = from_environment().unwrap_or_else(|| format!("{default},rmcp=error"));
    let filter = EnvFilter::try_new(&directives).map_err(|error| {
        let words = format!("cannot read RUST_LOG; write it like `info` or `warn,adcp_mcp=debug`: {error}");
        Failure::usage(words)
    })?;
    // A subscriber that is set already serves as well.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).try_init();
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the one home of this variable")]
fn from_environment() -> Option<String> {
    std::env::var("RUST_LOG").ok().filter(|directives| !directives.trim().is_empty())
}
