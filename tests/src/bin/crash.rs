//! The crash suite as a program; `cargo xtask crash` builds and starts it.

use std::process::ExitCode;

fn main() -> ExitCode {
    adcp_tests::crash::main()
}
