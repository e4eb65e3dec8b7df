//! What `--registry` can say.

use std::path::{Path, PathBuf};

use adcp_core::Secret;

use super::postgres::Address;
use crate::args::RegistryArgs;
use crate::credential::warn_if_readable;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::say;

/// The environment variable that says what `--registry` would.
const VARIABLE: &str = "ADCP_REGISTRY";

/// Where everything is kept when nobody says otherwise, in the working directory.
const FOLDER: &str = ".adcp";
const FILE: &str = "registry.db";
const KEY: &str = "seal.key";

/// Where tasks and keys are kept.
#[derive(Debug)]
pub(crate) enum Place {
    Memory,
    Sqlite(SqliteFile),
    Postgres(Address),
}

/// A file, named or by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SqliteFile {
    pub(crate) path: PathBuf,
    /// The folder to make when it is missing, and the key file in it: only for the file that nobody named.
    pub(crate) own_folder: Option<PathBuf>,
    pub(crate) own_key: Option<PathBuf>,
}

impl Place {
    /// Reads `--registry`, a file that stands for it, or the environment. What is wrong is told without repeating
    /// what may be a password.
    pub(crate) fn of(args: &RegistryArgs) -> Result<Self, Failure> {
        let place = match find(args)? {
            Some(given) => Self::parse(&given, args)?,
            None => Self::Sqlite(SqliteFile::by_default()),
        };
        let tuned = args.registry_schema.is_some() || args.registry_connections.is_some();
        match &place {
            Self::Postgres(address) => {
                if args.registry.is_some() && address.has_password() {
                    say(&format!(
                        "warning: the password in --registry is visible in the process list; use --registry-file \
                         or {VARIABLE}"
                    ));
                }
                Ok(place)
            }
            _ if tuned => Err(Failure::usage(
                "--registry-schema and --registry-connections are for a registry in Postgres",
            )),
            _ => Ok(place),
        }
    }

    fn parse(given: &Secret, args: &RegistryArgs) -> Result<Self, Failure> {
        let text = given.expose();
        if text == "memory" {
            return Ok(Self::Memory);
        }
        let Some((scheme, rest)) = text.split_once(':') else { return Err(unknown(text)) };
        match scheme {
            "sqlite" => {
                // As other tools write it: sqlite:///absolute/path and sqlite://relative/path.
                let path = rest.strip_prefix("//").unwrap_or(rest);
                if path.contains("://") {
                    return Err(Failure::usage(
                        "sqlite: is followed by the path of a file, not by an address",
                    ));
                }
                if path == ":memory:" || path.starts_with("file:") {
                    return Err(Failure::usage(
                        "a registry in SQLite is a file, written sqlite:PATH; for one that forgets, write memory",
                    ));
                }
                let default = SqliteFile::by_default();
                Ok(Self::Sqlite(if path.is_empty() || Path::new(path) == default.path {
                    default
                } else {
                    SqliteFile { path: PathBuf::from(path), own_folder: None, own_key: None }
                }))
            }
            "postgres" | "postgresql" if rest.starts_with("//") => {
                Address::parse(text, args).map(Self::Postgres)
            }
            "postgres" | "postgresql" => Err(Failure::usage(format!(
                "a registry in Postgres is written {scheme}://USER@HOST/DATABASE, with both slashes"
            ))),
            _ => Err(unknown(scheme)),
        }
    }
}

/// What somebody gave: the flag, the file, then the environment.
fn find(args: &RegistryArgs) -> Result<Option<Secret>, Failure> {
    if let Some(given) = &args.registry {
        return Ok(Some(given.clone()));
    }
    let Some(file) = &args.registry_file else { return from_environment() };
    warn_if_readable(file);
    let words = || format!("the file `{}`, which names the registry,", file.display());
    let text = files::read_text(file, files::SMALL)
        .map_err(|error| Failure::usage(format!("{} cannot be read", words())).because(error))?;
    match text.trim() {
        "" => Err(Failure::usage(format!("{} is empty", words()))),
        line if line.contains('\n') => Err(Failure::usage(format!("{} has several lines", words()))),
        line => Ok(Some(Secret::new(line))),
    }
}

#[expect(clippy::disallowed_methods, reason = "the one home of this variable")]
fn from_environment() -> Result<Option<Secret>, Failure> {
    match std::env::var(VARIABLE) {
        Ok(text) => Ok(Some(Secret::new(text.trim())).filter(|text| !text.expose().is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::usage(format!("{VARIABLE} is not text; set it to what --registry takes")))
        }
    }
}

fn unknown(word: &str) -> Failure {
    // A password may stand in whatever is not a plain word or path: before an @, after a =.
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let is_path = word.contains(['/', '.']) && word.chars().all(plain);
    let named = if is_path || KNOWN.contains(&word) { format!("`{word}`") } else { "this".to_owned() };
    let mut words = format!(
        "{named} is no registry; write sqlite:PATH, memory, or postgres://USER@HOST/DATABASE for --registry"
    );
    if is_path {
        words.push_str(&format!("\nIs it a file? Then write: --registry sqlite:{word}"));
    }
    Failure::usage(words)
}

/// Words that people take for a registry, and that are no secret.
const KNOWN: [&str; 6] = ["Memory", "mysql", "mssql", "redis", "sqlite", "postgres"];

impl SqliteFile {
    fn by_default() -> Self {
        let folder = PathBuf::from(FOLDER);
        Self { path: folder.join(FILE), own_key: Some(folder.join(KEY)), own_folder: Some(folder) }
    }

    /// Makes the folder of the file that nobody named, for its owner only and unseen by Git.
    pub(crate) fn make_folder(&self) -> Result<(), Failure> {
        let Some(folder) = self.own_folder.as_deref().filter(|folder| !folder.exists()) else {
            return Ok(());
        };
        let mut builder = std::fs::DirBuilder::new();
        // Two that start at once both find it missing.
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).and_then(|()| std::fs::write(folder.join(".gitignore"), "*\n")).map_err(|error| {
            let words = format!(
                "cannot make the folder `{}` for the registry; name another place with --registry sqlite:PATH, or \
                 have tasks forgotten with --registry memory",
                folder.display()
            );
            Failure::new(Exit::Broken, words).because(error)
        })
    }

    /// Looking at a registry must not make an empty one.
    pub(crate) fn must_exist(&self) -> Result<(), Failure> {
        if self.path.exists() {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "there is no registry `{}`; `adcp serve` and `adcp migrate` make it, and --registry names another",
            self.path.display()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Place, Failure> {
        Place::of(&RegistryArgs { registry: Some(Secret::new(text)), ..RegistryArgs::default() })
    }

    #[test]
    fn a_file_is_named_in_every_usual_way() {
        for (text, path) in [
            ("sqlite:a.db", "a.db"),
            ("sqlite:/var/lib/a.db", "/var/lib/a.db"),
            ("sqlite:///var/lib/a.db", "/var/lib/a.db"),
            ("sqlite://a/b.db", "a/b.db"),
            ("sqlite:", ".adcp/registry.db"),
            ("sqlite:.adcp/registry.db", ".adcp/registry.db"),
        ] {
            match of(text) {
                Ok(Place::Sqlite(file)) => {
                    assert_eq!(file.path, Path::new(path), "{text}");
                    assert_eq!(file.own_key.is_some(), path == ".adcp/registry.db", "{text}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
        assert!(matches!(of("memory"), Ok(Place::Memory)));
        let postgres = of("postgresql://me:secret@db/adcp").unwrap();
        assert!(matches!(&postgres, Place::Postgres(_)));
        assert!(!format!("{postgres:?}").contains("secret"), "{postgres:?}");
    }

    #[test]
    fn what_is_misspelt_is_told_what_is_right_and_never_a_password() {
        for (text, advice) in [
            ("", "sqlite:PATH"),
            ("mem", "memory"),
            ("Memory", "`Memory` is no registry"),
            ("state/registry.db", "--registry sqlite:state/registry.db"),
            ("mysql://me:secret@db/adcp", "`mysql` is no registry"),
            ("postgres:me:secret@db/adcp", "postgres://USER@HOST/DATABASE"),
            ("me@secret", "postgres://"),
            ("secret", "this is no registry"),
            ("host=127.0.0.1 password=secret", "this is no registry"),
            ("sqlite:postgres://me:secret@db/adcp", "path of a file"),
            ("sqlite::memory:", "write memory"),
        ] {
            let failure = of(text).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage);
            let words = failure.to_string();
            assert!(words.contains(advice) && !words.contains("secret"), "{text}: {words}");
        }
    }
}
