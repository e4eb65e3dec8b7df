//! The programs behind `cargo xtask bench`, as release builds of their own.

mod registry;
mod webhooks;

use anyhow::bail;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["registry", ref rest @ ..] => registry::run(rest),
        ["webhooks", ref rest @ ..] => webhooks::run(rest),
        ["receiver", ports] => webhooks::receiver::run(ports),
        _ => bail!("run this through `cargo xtask bench`"),
    }
}
