//! How a file is opened and what is kept in it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adcp_core::stored::{NoSealer, Sealer};
use adcp_core::{Clock, DEFAULT_MAX_HISTORY, SystemClock};

/// One SQLite file and its bounds.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SqliteConfig {
    /// The file. Beside it SQLite keeps `-wal` and `-shm`, which belong to it.
    pub path: PathBuf,
    /// Connections that read beside the one that writes. Default 2.
    pub readers: usize,
    /// How long a statement waits for another process that holds the file. Default 5 seconds.
    pub busy_timeout: Duration,
    /// Entries of a task's history, beyond which a report of progress replaces the last one. Default 256.
    pub max_history: usize,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sealer: Arc<dyn Sealer>,
}

impl SqliteConfig {
    /// The file at `path`, which is created when it is not there; its folder must be.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            readers: 2,
            busy_timeout: Duration::from_secs(5),
            max_history: DEFAULT_MAX_HISTORY,
            clock: Arc::new(SystemClock::new()),
            sealer: Arc::new(NoSealer::new()),
        }
    }

    /// Sets how many connections read.
    #[must_use]
    pub const fn with_readers(mut self, readers: usize) -> Self {
        self.readers = readers;
        self
    }

    /// Sets how long a statement waits for another process.
    #[must_use]
    pub const fn with_busy_timeout(mut self, wait: Duration) -> Self {
        self.busy_timeout = wait;
        self
    }

    /// Takes the time from `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Seals buyers' callback credentials with `sealer`. Without one they are refused, never stored readable.
    #[must_use]
    pub fn with_sealer(mut self, sealer: Arc<dyn Sealer>) -> Self {
        self.sealer = sealer;
        self
    }
}
