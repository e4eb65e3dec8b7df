//! The `adcp` command: a seller's agent in a terminal, and a buyer's way to talk to one.

mod address;
mod args;
mod call;
mod calls;
mod colour;
mod credential;
mod delivering;
mod demo;
mod doctor;
mod exit;
mod facts;
mod files;
mod input;
mod keys;
mod log;
mod metrics;
mod migrate;
mod operators;
mod output;
mod registry;
mod request;
mod seller;
mod serve;
mod table;
mod tasks;
mod tools;
#[cfg(feature = "__fault-points")]
mod trial;
mod validate;
mod wait;
mod webhooks;

use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::Runtime;

use crate::args::{Args, Command};
use crate::exit::{Exit, Failure};
use crate::output::Terminal;

/// Answers are trees of thousands of small pieces, made and dropped per request.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    #[cfg(feature = "__fault-points")]
    trial::arm();
    let terminal = Terminal::new(args.color);
    let done = match args.command {
        Command::Serve(serve) => on(Runtime::new(), |run| run.block_on(serve::run(&serve, &terminal))),
        Command::Call(call) => on(single(), |run| run.block_on(call::run(&call, &terminal))),
        Command::Tools(tools) => on(single(), |run| run.block_on(tools::run(&tools, &terminal))),
        Command::Validate(validate) => validate::run(&validate, &terminal),
        Command::Tasks(tasks) => on(single(), |run| run.block_on(tasks::run(&tasks, &terminal))),
        Command::Calls(calls) => on(single(), |run| run.block_on(calls::run(&calls, &terminal))),
        Command::Webhooks(webhooks) => on(single(), |run| run.block_on(webhooks::run(&webhooks, &terminal))),
        Command::Keys(keys) => on(single(), |run| run.block_on(keys::run(&keys, &terminal))),
        Command::Migrate(migrate) => on(single(), |run| run.block_on(migrate::run(&migrate, &terminal))),
        Command::Doctor(doctor) => on(single(), |run| run.block_on(doctor::run(&doctor, &terminal))),
        Command::Demo(demo) => on(single(), |run| run.block_on(demo::run(&demo, &terminal))),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            if !failure.is_silent() {
                output::say(&format!("error: {failure}"));
            }
            failure.exit().into()
        }
    }
}

/// Enough for one conversation.
fn single() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn on(
    runtime: std::io::Result<Runtime>,
    work: impl FnOnce(&Runtime) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let runtime = runtime.map_err(|error| Failure::new(Exit::Broken, "cannot start").because(error))?;
    work(&runtime)
}
