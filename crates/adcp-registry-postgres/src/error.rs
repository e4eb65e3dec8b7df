//! The driver's errors as the seam's, nowhere else; and which of them allow another try.

use adcp_core::stored::{SealError, Unreadable};
use adcp_core::{BoxError, DeadReason, NoRandomness, RegistryError};
use deadpool_postgres::PoolError;
use deadpool_postgres::tokio_postgres::Error;
use deadpool_postgres::tokio_postgres::error::SqlState;

/// Why a registry was not opened or migrated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The address of the database is missing or not readable.
    #[error("the address of the database is not readable")]
    BadUrl(#[source] Option<BoxError>),
    /// The name of the schema would need quoting.
    #[error("`{0}` is no name for a schema: use at most 63 of a-z, 0-9 and _, a digit not first")]
    BadSchema(String),
    /// The certificates to trust are not readable, or there are none.
    #[error("the root certificates are not readable")]
    BadCertificates(#[source] BoxError),
    /// The database could not be asked. It may be possible later.
    #[error("the database could not be asked")]
    Unavailable(#[source] BoxError),
    /// The server answers and lets this role not do it: a wrong password, no such database, a missing privilege.
    #[error("the database refuses it")]
    Refused(#[source] BoxError),
    /// Its schema is older than this version needs, or not there yet.
    #[error("the database has schema {found}, this version needs {needed}: migrate it first")]
    Outdated {
        /// What the database has; 0 for nothing.
        found: u32,
        /// What is needed.
        needed: u32,
    },
    /// Its schema is unknown to this version: it was migrated by a newer one that this one cannot run beside, or by
    /// other hands.
    #[error("the database has schema {0}, which this version does not know")]
    Unknown(u32),
}

impl OpenError {
    pub(crate) fn of(error: Error) -> Self {
        if is_refusal(&error) { Self::Refused(Box::new(error)) } else { Self::Unavailable(Box::new(error)) }
    }

    pub(crate) fn of_pool(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => Self::of(error),
            other => Self::Unavailable(Box::new(other)),
        }
    }

    /// What cannot be read of an address. The reader's words quote it, so they are kept only where no password
    /// can be in what they quote.
    pub(crate) fn of_url(url: &str, error: Error) -> Self {
        let shown = url.matches('@').count() < 2 && !url.contains("password");
        Self::BadUrl(shown.then(|| error.into()))
    }
}

/// Why the work of one call stopped; becomes a [`RegistryError`] once the call's name is known.
#[derive(Debug)]
pub(crate) enum Fail {
    Registry(RegistryError),
    /// A statement failed, or its connection. Nothing was committed.
    Sql(Error),
    /// The answer to a commit was an error, or none came.
    Commit(Error),
    /// No connection was to be had.
    Pool(PoolError),
    /// A row was written by somebody else between two looks.
    Overtaken,
    Unreadable(Unreadable),
    Seal(SealError),
    Random(NoRandomness),
}

/// What happened is not known, and was not tried again because twice would be wrong.
#[derive(Debug, thiserror::Error)]
#[error("the connection was lost while committing: it is not known whether the write took effect")]
struct Uncertain(#[source] Error);

#[derive(Debug, thiserror::Error)]
#[error("others wrote the same rows at every try")]
struct Overtaken;

impl Fail {
    /// Whether another try may come to something else. `repeatable` says that doing it twice is doing it once.
    pub(crate) fn allows_another_try(&self, repeatable: bool) -> bool {
        match self {
            Self::Overtaken => true,
            Self::Sql(error) | Self::Pool(PoolError::Backend(error)) => {
                is_rolled_back(error) || is_connection_lost(error)
            }
            Self::Commit(error) => is_rolled_back(error) || (repeatable && is_connection_lost(error)),
            _ => false,
        }
    }

    /// Whether it is not known if the transaction took effect.
    pub(crate) fn is_uncertain(&self) -> bool {
        matches!(self, Self::Commit(error) if is_connection_lost(error))
    }

    pub(crate) fn of(self, op: &'static str) -> RegistryError {
        let unavailable = |source: BoxError| RegistryError::Unavailable { op, source };
        match self {
            Self::Registry(error) => error,
            Self::Unreadable(source) => {
                RegistryError::Corrupt { what: source.what, source: Box::new(source) }
            }
            Self::Sql(source) if source.code() == Some(&SqlState::DATA_CORRUPTED) => {
                RegistryError::Corrupt { what: "table", source: Box::new(source) }
            }
            Self::Sql(source) => unavailable(Box::new(source)),
            Self::Commit(source) if is_connection_lost(&source) => unavailable(Box::new(Uncertain(source))),
            Self::Commit(source) => unavailable(Box::new(source)),
            Self::Pool(source) => unavailable(Box::new(source)),
            Self::Overtaken => unavailable(Box::new(Overtaken)),
            Self::Seal(source) => unavailable(Box::new(source)),
            Self::Random(source) => unavailable(Box::new(source)),
        }
    }
}

/// The database itself undid the transaction, in favour of another.
fn is_rolled_back(error: &Error) -> bool {
    let undone = [&SqlState::T_R_SERIALIZATION_FAILURE, &SqlState::T_R_DEADLOCK_DETECTED];
    error.code().is_some_and(|code| undone.contains(&code))
}

/// Nobody answers on this connection any more, or nobody listens yet.
fn is_connection_lost(error: &Error) -> bool {
    let Some(code) = error.code() else {
        // Neither an answer of the server nor a value that does not fit: then it is the line.
        return error.is_closed() || is_io(error);
    };
    // Class 08: connection exceptions. Class 57P: the server stops, crashed, or is starting.
    code.code().starts_with("08")
        || code.code().starts_with("57P")
        || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        || *code == SqlState::TOO_MANY_CONNECTIONS
}

/// The server understood who asks for what, and says no.
fn is_refusal(error: &Error) -> bool {
    let said = [&SqlState::UNDEFINED_DATABASE, &SqlState::INSUFFICIENT_PRIVILEGE];
    // Class 28: who asks is not who it says.
    error.code().is_some_and(|code| code.code().starts_with("28") || said.contains(&code))
}

fn is_io(error: &Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.is::<std::io::Error>() {
            return true;
        }
        source = cause.source();
    }
    false
}

impl Fail {
    /// Why one row cannot be used, when it is the row that is at fault.
    pub(crate) fn of_one_row(self) -> Result<DeadReason, Self> {
        match self {
            Self::Seal(_) => Ok(DeadReason::Unsealable),
            Self::Unreadable(_) | Self::Registry(RegistryError::Corrupt { .. }) => Ok(DeadReason::Corrupt),
            other => Err(other),
        }
    }
}

impl From<RegistryError> for Fail {
    fn from(error: RegistryError) -> Self {
        Self::Registry(error)
    }
}

impl From<Error> for Fail {
    fn from(error: Error) -> Self {
        Self::Sql(error)
    }
}

impl From<PoolError> for Fail {
    fn from(error: PoolError) -> Self {
        Self::Pool(error)
    }
}

impl From<Unreadable> for Fail {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}

impl From<SealError> for Fail {
    fn from(error: SealError) -> Self {
        Self::Seal(error)
    }
}

impl From<NoRandomness> for Fail {
    fn from(error: NoRandomness) -> Self {
        Self::Random(error)
    }
}
