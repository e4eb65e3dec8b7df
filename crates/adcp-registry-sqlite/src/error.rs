//! The driver's errors as the seam's, nowhere else.

use std::path::PathBuf;

use adcp_core::stored::{SealError, Unreadable};
use adcp_core::{DeadReason, NoRandomness, RegistryError};

/// Why a file was not opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file cannot be opened or created.
    #[error("cannot open the registry file `{}`", path.display())]
    Unopened {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It is no SQLite database, or a damaged one. It is left as it is: restore it from a copy.
    #[error("the registry file `{}` is damaged or no SQLite database", .0.display())]
    Damaged(PathBuf),
    /// Its schema is older than this version needs.
    #[error("the registry file has schema {found}, this version needs {needed}: migrate it first")]
    Outdated {
        /// What the file has.
        found: u32,
        /// What is needed.
        needed: u32,
    },
    /// Its schema is unknown to this version: it was migrated by a newer one, or by other hands.
    #[error("the registry file has schema {0}, which this version does not know")]
    Unknown(u32),
}

/// Why the work of one call stopped; becomes a [`RegistryError`] once the call's name is known.
#[derive(Debug)]
pub(crate) enum Fail {
    Registry(RegistryError),
    Sql(rusqlite::Error),
    Unreadable(Unreadable),
    Seal(SealError),
    Random(NoRandomness),
}

impl Fail {
    pub(crate) fn of(self, op: &'static str) -> RegistryError {
        match self {
            Self::Registry(error) => error,
            Self::Unreadable(source) => {
                RegistryError::Corrupt { what: source.what, source: Box::new(source) }
            }
            Self::Sql(rusqlite::Error::FromSqlConversionFailure(column, kind, source)) => {
                let source = rusqlite::Error::FromSqlConversionFailure(column, kind, source);
                RegistryError::Corrupt { what: "row", source: Box::new(source) }
            }
            Self::Sql(source) => match source.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                    RegistryError::Corrupt { what: "file", source: Box::new(source) }
                }
                _ => RegistryError::Unavailable { op, source: Box::new(source) },
            },
            Self::Seal(source) => RegistryError::Unavailable { op, source: Box::new(source) },
            Self::Random(source) => RegistryError::Unavailable { op, source: Box::new(source) },
        }
    }
}

impl Fail {
    /// Why one row cannot be used, when it is the row that is at fault.
    pub(crate) fn of_one_row(self) -> Result<DeadReason, Self> {
        match self {
            Self::Seal(_) => Ok(DeadReason::Unsealable),
            Self::Unreadable(_)
            | Self::Sql(
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..),
            ) => Ok(DeadReason::Corrupt),
            other => Err(other),
        }
    }
}

impl From<RegistryError> for Fail {
    fn from(error: RegistryError) -> Self {
        Self::Registry(error)
    }
}

impl From<rusqlite::Error> for Fail {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
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
