//! `adcp migrate`: the schema of a registry.

use crate::args::{MigrateArgs, MigrateWhat};
use crate::exit::{Exit, Failure};
use crate::log;
use crate::output::Terminal;
use crate::registry::Place;

/// Runs the command.
pub(crate) async fn run(args: &MigrateArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    log::start("warn")?;
    let place = Place::of(&args.registry)?;
    let words = match args.what {
        Some(MigrateWhat::Plan) => place.plan()?,
        None => place.migrate().await?,
    };
    terminal.line(words.trim_end())?;
    Ok(Exit::Done)
}
