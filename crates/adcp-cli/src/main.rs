//! The `adcp` command: a seller's agent in a terminal, and a buyer's way to talk to one.

#![expect(dead_code, reason = "the other subcommands follow")]

mod args;
mod colour;
mod credential;
mod exit;
mod log;
mod output;
mod seller;
mod serve;

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Runtime;

use crate::args::{Args, Command};
use crate::exit::{Exit, Failure};
use crate::output::Terminal;

fn main() -> ExitCode {
    let args = Args::parse();
    let terminal = Terminal::new(args.color);
    let done = match args.command {
        Command::Serve(serve) => on(Runtime::new(), |run| run.block_on(serve::run(&serve, &terminal))),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::say(&format!("error: {failure}"));
            failure.exit().into()
        }
    }
}

fn on(
    runtime: std::io::Result<Runtime>,
    work: impl FnOnce(&Runtime) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let runtime = runtime.map_err(|error| Failure::new(Exit::Broken, "cannot start").because(error))?;
    work(&runtime)
}
