//! Developer tasks of this workspace, one module per subcommand; `cargo xtask help` lists them.

pub mod bench;
pub mod check;
pub mod codegen;
pub mod interop;
pub mod release;
pub mod sample;
pub mod schemas;
pub mod tidy;
