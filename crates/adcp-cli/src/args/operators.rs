//! Flags about who runs an agent.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// Who may look at webhooks over HTTP, and send them again.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct OperatorArgs {
    /// Answer operators at /admin: a file of their tokens, a NAME:TOKEN a line, or a token alone. Best with mode 600.
    #[arg(long, value_name = "FILE")]
    pub(crate) operator_token_file: Option<PathBuf>,
    /// The same for those who may look and change nothing.
    #[arg(long, value_name = "FILE")]
    pub(crate) operator_read_token_file: Option<PathBuf>,
}
