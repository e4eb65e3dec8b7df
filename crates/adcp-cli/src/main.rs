//! The `adcp` command.

fn main() {}
