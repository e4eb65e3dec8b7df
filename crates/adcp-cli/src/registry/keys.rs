//! The keys that seal callback credentials: from a file, the environment, or made for local work.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;

use adcp_core::stored::{KeyRing, Sealer};
use adcp_core::{hex, random_bytes, unhex};

use crate::args::KeyArgs;
use crate::credential::warn_if_readable;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::say;

/// The environment variable that holds keys.
const VARIABLE: &str = "ADCP_SEAL_KEY";

/// Keys, and where they are from.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) sealer: Arc<dyn Sealer>,
    pub(crate) origin: String,
}

impl Keys {
    /// The keys that somebody gave: a file, then the environment.
    pub(crate) fn find(args: &KeyArgs) -> Result<Option<Self>, Failure> {
        match &args.seal_key_file {
            Some(file) => Self::read(file).map(Some),
            None => match from_environment()? {
                Some(text) => Self::parse(&text, VARIABLE.to_owned()).map(Some),
                None => Ok(None),
            },
        }
    }

    /// The keys in `file`, if it is there.
    pub(super) fn read_if_there(file: Option<&Path>) -> Result<Option<Self>, Failure> {
        file.filter(|file| file.exists()).map(Self::read).transpose()
    }

    /// The keys in `file`, or a fresh one in a new file.
    pub(super) fn read_or_make(file: &Path) -> Result<Self, Failure> {
        if !file.exists() {
            make(file)?;
        }
        Self::read(file)
    }

    fn read(file: &Path) -> Result<Self, Failure> {
        warn_if_readable(file);
        let text = files::read_text(file, files::SMALL).map_err(|error| {
            Failure::usage(format!("cannot read the file of sealing keys `{}`", file.display()))
                .because(error)
        })?;
        Self::parse(&text, format!("`{}`", file.display()))
    }

    fn parse(text: &str, origin: String) -> Result<Self, Failure> {
        let mut ring: Option<KeyRing> = None;
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            // The line is never repeated: it may be a key with a slip in it.
            let wrong = || {
                Failure::usage(format!(
                    "line {} of {origin} is no sealing key; expected ID:64-HEX-DIGITS, such as from:\n  \
                     echo \"$(date +%Y-%m):$(openssl rand -hex 32)\"",
                    at + 1
                ))
            };
            let (id, digits) = line.split_once(':').ok_or_else(wrong)?;
            let key = unhex(digits).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).ok_or_else(wrong)?;
            let added = match ring {
                None => KeyRing::new(id, key),
                Some(newer) => newer.with_older(id, key),
            };
            ring = Some(added.map_err(|_| {
                wrong().because(anyhow::anyhow!(
                    "an id is 1 to 64 letters, digits, `-` or `_`, and each stands once"
                ))
            })?);
        }
        match ring {
            Some(ring) => Ok(Self { sealer: Arc::new(ring), origin }),
            None => Err(Failure::usage(format!(
                "{origin} holds no sealing key; expected lines of ID:64-HEX-DIGITS, the newest first"
            ))),
        }
    }
}

/// Writes a fresh key beside its final name first: nobody ever reads half of one, and of two makers one wins.
fn make(file: &Path) -> Result<(), Failure> {
    let failed = |error: anyhow::Error| {
        let words =
            format!("cannot make a sealing key in `{}`; give one with --seal-key-file", file.display());
        Failure::new(Exit::Broken, words).because(error)
    };
    let (id, key) = (random_bytes::<4>(), random_bytes::<32>());
    let (Ok(id), Ok(key)) = (id, key) else {
        return Err(failed(anyhow::anyhow!("the operating system gave no random bytes")));
    };
    let draft = file.with_extension(format!("{}.new", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&draft).and_then(|mut out| {
        writeln!(out, "local-{}:{}", hex(&id), hex(&key))?;
        out.sync_all()
    });
    let linked = written.and_then(|()| std::fs::hard_link(&draft, file));
    // Whoever came first made the key; the draft is of no use either way.
    let _ = std::fs::remove_file(&draft);
    match linked {
        Ok(()) => {
            let name = file.display();
            say(&format!(
                "made the key `{name}`, which seals callback credentials; keep it apart from backups"
            ));
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists && file.exists() => Ok(()),
        Err(error) => Err(failed(error.into())),
    }
}

#[expect(clippy::disallowed_methods, reason = "the one home of this variable")]
fn from_environment() -> Result<Option<String>, Failure> {
    match std::env::var(VARIABLE) {
        Ok(text) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::usage(format!("{VARIABLE} is not text; set it to lines of ID:64-HEX-DIGITS")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Keys, Failure> {
        Keys::parse(text, "here".to_owned())
    }

    #[test]
    fn the_newest_key_seals_and_older_ones_open() {
        let (one, two) = ("11".repeat(32), "22".repeat(32));
        let before = parse(&format!("one:{one}\n")).unwrap();
        let sealed = before.sealer.seal("credential", "row").unwrap();
        let after = parse(&format!("# rotated\n\ntwo:{two}\none:{one}\r\n")).unwrap();
        assert_eq!(after.sealer.open(&sealed, "row").unwrap(), "credential");
        assert!(after.sealer.seal("credential", "row").unwrap().contains("two"));
    }

    #[test]
    fn a_bad_line_is_named_and_never_shown() {
        let good = "ab".repeat(32);
        for text in [
            String::new(),
            "# nothing\n".to_owned(),
            "5ec2e7".to_owned(),
            "id:5ec2e7".to_owned(),
            format!("a b:{good}"),
            format!("a:{good}\na:{good}"),
            format!("id:{good}0"),
        ] {
            let failure = parse(&text).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage);
            let words = failure.to_string();
            assert!(words.contains("ID:64-HEX-DIGITS"), "{words}");
            assert!(!words.contains("5ec2e7") && !words.contains(&good), "{words}");
        }
    }
}
