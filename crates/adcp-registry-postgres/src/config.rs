//! Where the database is and how it is used.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use adcp_core::stored::{NoSealer, Sealer};
use adcp_core::{DEFAULT_MAX_HISTORY, Secret};

use crate::error::OpenError;

/// A database and the bounds of what is kept in it. `Debug` shows no address, for it may hold a password.
#[derive(Clone)]
#[non_exhaustive]
pub struct PostgresConfig {
    /// `postgres://user:password@host/database`, with the parameters of libpq; `None` for a pool of the adopter's.
    pub url: Option<Secret>,
    /// The schema that holds the tables. Default `adcp`.
    pub schema: String,
    /// Connections at most. Default 16. Not for a pool of the adopter's.
    pub pool_size: usize,
    /// How long a call waits for a connection, free or new. Default 5 seconds. Not for a pool of the adopter's.
    pub pool_timeout: Duration,
    /// Certificates in PEM that the server's must lead to, instead of those that the machine trusts.
    pub root_certificates: Option<Vec<u8>>,
    /// How long one statement may take. Default 5 seconds.
    pub statement_timeout: Duration,
    /// How often a unit of work is tried that lost against another or lost its connection. Default 8.
    pub attempts: u32,
    /// How transactions are kept apart. Default read committed.
    pub isolation: Isolation,
    /// Whether rows that somebody else works on are passed by; otherwise they are waited for. Default yes.
    pub skip_locked: bool,
    /// Entries of a task's history, beyond which a report of progress replaces the last one. Default 256.
    pub max_history: usize,
    pub(crate) offset: ClockOffset,
    pub(crate) sealer: Arc<dyn Sealer>,
}

/// How the transactions of a registry are kept apart. Each keeps every promise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isolation {
    /// Each write locks the rows it decides by.
    #[default]
    ReadCommitted,
    /// The database refuses what could not have happened one after the other, and the unit is tried again.
    Serializable,
}

impl PostgresConfig {
    /// The database at `url`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: Some(Secret::new(url.into())), ..Self::pooled() }
    }

    /// For a pool of the adopter's, which knows where the database is.
    #[must_use]
    pub fn pooled() -> Self {
        Self {
            url: None,
            schema: "adcp".to_owned(),
            pool_size: 16,
            pool_timeout: Duration::from_secs(5),
            root_certificates: None,
            statement_timeout: Duration::from_secs(5),
            attempts: 8,
            isolation: Isolation::default(),
            skip_locked: true,
            max_history: DEFAULT_MAX_HISTORY,
            offset: ClockOffset::new(),
            sealer: Arc::new(NoSealer::new()),
        }
    }

    /// Keeps the tables in this schema: a lower-case name of at most 63 letters, digits and underscores.
    #[must_use]
    pub fn with_schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Sets how many connections there are at most.
    #[must_use]
    pub const fn with_pool_size(mut self, size: usize) -> Self {
        self.pool_size = size;
        self
    }

    /// Sets how long a call waits for a connection.
    #[must_use]
    pub const fn with_pool_timeout(mut self, wait: Duration) -> Self {
        self.pool_timeout = wait;
        self
    }

    /// Trusts servers whose certificate leads to one of these, in PEM, and no others.
    #[must_use]
    pub fn with_root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = Some(pem.into());
        self
    }

    /// Sets how long one statement may take.
    #[must_use]
    pub const fn with_statement_timeout(mut self, limit: Duration) -> Self {
        self.statement_timeout = limit;
        self
    }

    /// Sets how often a unit of work is tried.
    #[must_use]
    pub const fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets how transactions are kept apart.
    #[must_use]
    pub const fn with_isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }

    /// Sets whether rows that somebody else works on are passed by. Turn it off for databases that cannot.
    #[must_use]
    pub const fn with_skip_locked(mut self, skip: bool) -> Self {
        self.skip_locked = skip;
        self
    }

    /// Moves the clock of the registry against the database's. For tests.
    #[must_use]
    pub fn with_clock_offset(mut self, offset: ClockOffset) -> Self {
        self.offset = offset;
        self
    }

    /// Seals buyers' callback credentials with `sealer`. Without one they are refused, never stored readable.
    #[must_use]
    pub fn with_sealer(mut self, sealer: Arc<dyn Sealer>) -> Self {
        self.sealer = sealer;
        self
    }

    /// The name of the schema, as it stands in statements.
    pub(crate) fn quoted_schema(&self) -> Result<String, OpenError> {
        let name = &self.schema;
        let letter = |c: char| c.is_ascii_lowercase() || c == '_';
        let fits = name.len() <= 63
            && name.starts_with(letter)
            && name.chars().all(|c| letter(c) || c.is_ascii_digit());
        if fits { Ok(format!("\"{name}\"")) } else { Err(OpenError::BadSchema(name.clone())) }
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("schema", &self.schema)
            .field("pool_size", &self.pool_size)
            .field("statement_timeout", &self.statement_timeout)
            .field("isolation", &self.isolation)
            .field("skip_locked", &self.skip_locked)
            .finish_non_exhaustive()
    }
}

/// How far a registry's clock is ahead of the database's. Clones move together. For tests.
#[derive(Debug, Clone, Default)]
pub struct ClockOffset(Arc<AtomicI64>);

impl ClockOffset {
    /// The database's own time.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock ahead.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    pub(crate) fn micros(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_schema_needs_no_escaping() {
        let quoted = |name: &str| PostgresConfig::pooled().with_schema(name).quoted_schema();
        assert_eq!(quoted("adcp_2").unwrap(), "\"adcp_2\"");
        for name in ["", "2adcp", "Adcp", "a\"b", "a.b", "a b", &"a".repeat(64)] {
            assert!(matches!(quoted(name), Err(OpenError::BadSchema(_))), "{name}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        let config = PostgresConfig::new("postgres://me:hunter2@db.example/adcp");
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
