//! Samples valid instances from the schema JSON itself.

/// Runs the subcommand with the arguments that follow its name.
///
/// # Errors
///
/// Whatever stopped it, in words for the person at the terminal.
pub fn run(_args: &[String]) -> anyhow::Result<()> {
    anyhow::bail!("nothing here yet")
}
