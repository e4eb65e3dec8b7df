//! What the suite is told on the command line.

use std::path::PathBuf;
use std::time::Duration;

use adcp_core::random_bytes;
use anyhow::{Context, bail};

/// The line that explains it.
pub(crate) const USAGE: &str = "crash [--seed N] [--minutes N] [--registry sqlite|postgres|both] [--adcp FILE] \
                                [--folder DIR] [--only fast|default]";

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) seed: u64,
    /// One bounded round without it.
    pub(crate) time: Option<Duration>,
    pub(crate) sqlite: bool,
    pub(crate) postgres: bool,
    /// The binary, built with fault points.
    pub(crate) adcp: PathBuf,
    /// Where a folder for each run is made.
    pub(crate) folder: PathBuf,
    pub(crate) fast: bool,
    pub(crate) default: bool,
}

impl Options {
    /// Reads the arguments after the name of the program.
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let seed = random_bytes::<4>().map(u32::from_be_bytes).unwrap_or_default();
        let beside = std::env::current_exe()?.with_file_name("adcp");
        let mut options = Self {
            seed: seed.into(),
            time: None,
            sqlite: true,
            postgres: true,
            adcp: beside,
            folder: std::env::temp_dir().join(format!("adcp-crash-{}", std::process::id())),
            fast: true,
            default: true,
        };
        while let Some(name) = args.next() {
            let value = args.next().with_context(|| format!("`{name}` needs a value; {USAGE}"))?;
            match (name.as_str(), value.as_str()) {
                ("--seed", seed) => options.seed = seed.parse().context("a seed is a number")?,
                ("--minutes", minutes) => {
                    let minutes: u64 = minutes.parse().context("minutes are a number")?;
                    options.time = Some(Duration::from_secs(minutes * 60));
                }
                ("--registry", "both") => (options.sqlite, options.postgres) = (true, true),
                ("--registry", "sqlite") => options.postgres = false,
                ("--registry", "postgres") => options.sqlite = false,
                ("--adcp", file) => options.adcp = std::path::absolute(file)?,
                ("--folder", folder) => options.folder = std::path::absolute(folder)?,
                ("--only", "fast") => options.default = false,
                ("--only", "default") => options.fast = false,
                _ => bail!("`{name} {value}` is not understood; {USAGE}"),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_and_refused() {
        let parse = |args: &[&str]| Options::parse(args.iter().map(|arg| (*arg).to_owned()));
        let options = parse(&["--seed", "7", "--minutes", "2", "--registry", "sqlite"]).unwrap();
        assert_eq!((options.seed, options.time), (7, Some(Duration::from_secs(120))));
        assert!(options.sqlite && !options.postgres && options.fast && options.default);
        for wrong in [&["--seed"][..], &["--seed", "x"], &["--registry", "memory"], &["--what", "x"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
