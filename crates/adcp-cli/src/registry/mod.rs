//! Where tasks and keys are kept: what `--registry` says, and how it is opened.

mod findings;
mod keys;
mod place;
mod postgres;
mod postgres_findings;
mod sqlite;
mod watch;

use std::sync::Arc;

use adcp_core::{Background, Registry, RegistryError};
use adcp_registry_memory::MemoryRegistry;

pub(crate) use self::keys::Keys;
pub(crate) use self::place::{Place, SqliteFile};
use crate::args::KeyArgs;
use crate::doctor::Findings;
use crate::exit::{Exit, Failure};

/// An open registry.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) registry: Arc<dyn Registry>,
    /// What the registry needs to run beside the agent.
    pub(crate) companions: Vec<Arc<dyn Background>>,
    /// What it is and what it promises, for people.
    pub(crate) what: String,
    /// Whether it could keep credentials and has no key for them.
    pub(crate) refuses_credentials: bool,
}

impl Opened {
    /// A registry that lives and dies with this process.
    pub(crate) fn in_memory() -> Self {
        Self {
            registry: Arc::new(MemoryRegistry::volatile()),
            companions: Vec::new(),
            what: "in memory: accepted tasks are forgotten when this ends".to_owned(),
            refuses_credentials: false,
        }
    }
}

impl Place {
    /// Opens the registry of an agent, which is made when there is none. `local`: only this machine can call.
    pub(crate) async fn open_to_serve(&self, keys: &KeyArgs, local: bool) -> Result<Opened, Failure> {
        match self {
            Self::Memory => Ok(Opened::in_memory()),
            Self::Sqlite(file) => {
                file.make_folder()?;
                let keys = Keys::find(keys)?;
                let keys = match &file.own_key {
                    Some(own) if keys.is_none() && local => Some(Keys::read_or_make(own)?),
                    own => keys.or(Keys::read_if_there(own.as_deref())?),
                };
                sqlite::open(file, keys)
            }
            Self::Postgres(address) => postgres::open(address, Keys::find(keys)?).await,
        }
    }

    /// Opens a registry that must be there, for the people who run it.
    pub(crate) async fn open_to_operate(&self, keys: &KeyArgs) -> Result<Arc<dyn Registry>, Failure> {
        let opened = match self {
            Self::Memory => return Err(in_memory("other processes cannot see it")),
            Self::Sqlite(file) => {
                file.must_exist()?;
                sqlite::open(file, self.keys(keys)?)?
            }
            Self::Postgres(address) => postgres::open(address, self.keys(keys)?).await?,
        };
        Ok(opened.registry)
    }

    /// Brings the registry to the schema of this version; says what was done.
    pub(crate) async fn migrate(&self) -> Result<String, Failure> {
        match self {
            Self::Memory => Err(in_memory("it has no schema")),
            Self::Sqlite(file) => sqlite::migrate(file),
            Self::Postgres(address) => postgres::migrate(address).await,
        }
    }

    /// The statements that make the schema.
    pub(crate) fn plan(&self) -> Result<String, Failure> {
        match self {
            Self::Memory => Err(in_memory("it has no schema")),
            Self::Sqlite(_) => Ok(sqlite::plan()),
            Self::Postgres(address) => postgres::plan(address),
        }
    }

    /// Looks for what is wrong.
    pub(crate) async fn examine(&self, keys: &KeyArgs, findings: &mut Findings) -> Result<(), Failure> {
        match self {
            Self::Memory => {
                findings.note(
                    "a registry in memory is never wrong, and forgets every task when its process ends",
                );
                Ok(())
            }
            Self::Sqlite(file) => sqlite::examine(file, self.keys(keys)?, findings),
            Self::Postgres(address) => postgres::examine(address, self.keys(keys)?, findings).await,
        }?;
        // Whatever keeps it from being opened, or asked, was found already.
        if findings.are_good()
            && let Ok(registry) = self.open_to_operate(keys).await
            && let Ok(ages) = registry.ages().await
        {
            findings::ages(&ages, findings);
        }
        Ok(())
    }

    /// The keys that are given, else those that belong to the place.
    fn keys(&self, given: &KeyArgs) -> Result<Option<Keys>, Failure> {
        let own = match self {
            Self::Sqlite(file) => file.own_key.as_deref(),
            Self::Memory | Self::Postgres(_) => None,
        };
        match Keys::find(given)? {
            Some(keys) => Ok(Some(keys)),
            None => Keys::read_if_there(own),
        }
    }
}

fn in_memory(why: &str) -> Failure {
    Failure::usage(format!(
        "a registry in memory lives and dies with its process: {why}; name one with --registry sqlite:PATH"
    ))
}

/// A registry that did not do what it was asked.
pub(crate) fn failure(error: RegistryError) -> Failure {
    match error {
        RegistryError::Unavailable { .. } | RegistryError::Full { .. } => {
            Failure::new(Exit::Transient, "the registry cannot do it now; the same may succeed later")
        }
        RegistryError::Corrupt { .. } => Failure::new(
            Exit::Broken,
            "the registry holds something unreadable; `adcp doctor` says more, and a missing key is one reason",
        ),
        _ => Failure::new(Exit::Terminal, "the registry refuses it"),
    }
    .because(error)
}
