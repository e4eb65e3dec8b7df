//! Measures throughput against named floors.

mod mcp;
mod registry;
mod schemas;

use anyhow::bail;

/// Runs the subcommand with the arguments that follow its name: `mcp [--seconds N]`,
/// `registry [--seconds N] [--quick]` or `schemas`.
///
/// # Errors
///
/// Whatever stopped it, in words for the person at the terminal.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["mcp", ref rest @ ..] => mcp::run(rest),
        ["registry", ref rest @ ..] => registry::run(rest),
        ["schemas"] => schemas::run(),
        _ => bail!(
            "say `bench mcp [--seconds N]`, `bench registry [--seconds N] [--quick]` or `bench schemas`"
        ),
    }
}
