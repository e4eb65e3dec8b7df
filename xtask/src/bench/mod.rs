//! Measures throughput against named floors.

mod mcp;
mod registry;
mod schemas;

use anyhow::bail;

/// Runs the subcommand with the arguments that follow its name: `mcp [--seconds N]`,
/// `registry [--seconds N] [--quick]`, `schemas`, or
/// `webhooks [--quick] [--only memory|sqlite|postgres|signing|growth|endpoints]`.
///
/// # Errors
///
/// Whatever stopped it, in words for the person at the terminal.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["mcp", ref rest @ ..] => mcp::run(rest),
        ["registry", ref rest @ ..] => registry::run("registry", rest),
        ["webhooks", ref rest @ ..] => registry::run("webhooks", rest),
        ["schemas"] => schemas::run(),
        _ => bail!(
            "say `bench mcp [--seconds N]`, `bench registry [--seconds N] [--quick]`, `bench schemas` or \
             `bench webhooks [--quick] [--only PART]`"
        ),
    }
}
