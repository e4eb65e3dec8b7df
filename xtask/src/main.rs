//! `cargo xtask`: see `cargo xtask help`.

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask <command>

  schemas import SOURCE --version V [--out DIR]   write schemas/V in normal form
  codegen [--check] [--schemas DIR --out DIR]     turn the bundle into Rust, or prove it unchanged
  codegen-versions [--only V] [WHEEL...]          the same for neighbouring versions, compiled and tried (network)
  sample [--schemas DIR | --print PATH | --deep]  sample valid instances from the schemas
  tidy                                            rules no compiler knows
  test [--require-postgres] [arguments of cargo test]
                                                  all tests, on a throw-away Postgres where there can be one
  postgres-versions [--only 13,18,pgbouncer]      the Postgres registry on every version of the server (network)
  crash [--minutes N] [--seed N] [--registry sqlite|postgres|both]
                                                  kill replicas and their database, and look for broken promises
  ci [--skip-tests]                               what CI runs
  release --check | --bless                       compare or write the API snapshots in docs/api/
  release --dry-run [--no-verify]                 that check, and package every crate
  interop [agent | signing | webhooks]            the official SDKs and vectors against ours (network)
  bench mcp|registry|schemas|webhooks             throughput against named floors
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[] as &[String]),
    };
    let done = match command {
        "codegen" => xtask::codegen::run(rest),
        "schemas" => xtask::schemas::run(rest),
        "codegen-versions" => xtask::versions::run(rest),
        "sample" => xtask::sample::run(rest),
        "tidy" => xtask::tidy::run(rest),
        "test" | "ci" => xtask::check::run(&args),
        "postgres-versions" => xtask::check::servers::run(rest),
        "crash" => xtask::check::crash::run(rest),
        "release" => xtask::release::run(rest),
        "interop" => xtask::interop::run(rest),
        "bench" => xtask::bench::run(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        other => Err(anyhow::anyhow!("unknown command `{other}`; `cargo xtask help` lists them")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {command}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
