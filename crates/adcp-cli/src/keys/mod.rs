//! Keys that sign: `adcp keys`, and the files that `serve` reads.

mod check;
mod file;
mod new;
mod publish;

pub(crate) use self::check::webhook_keys_of;
pub(crate) use self::file::read_for_webhooks;
use crate::args::{KeysArgs, KeysCommand};
use crate::exit::{Exit, Failure};
use crate::log;
use crate::output::Terminal;

/// Runs the command.
pub(crate) async fn run(args: &KeysArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    log::start("error")?;
    match &args.command {
        KeysCommand::New(new) => new::run(new, terminal),
        KeysCommand::Publish(publish) => publish::run(publish, terminal),
        KeysCommand::Check(check) => check::run(check, terminal).await,
    }
}
