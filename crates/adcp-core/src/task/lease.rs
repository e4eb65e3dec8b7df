//! Who works on a task, and until when that counts without a word.

use std::fmt;
use std::time::Duration;

use crate::{NoRandomness, Scope, TaskId, Timestamp, hex, random_bytes};

/// Proves that a writer is the one who works on a task: 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LeaseToken([u8; 16]);

impl LeaseToken {
    /// A fresh token.
    ///
    /// # Errors
    ///
    /// [`NoRandomness`] when the operating system has none to give.
    pub fn random() -> Result<Self, NoRandomness> {
        random_bytes().map(Self)
    }

    /// A token as a store keeps it.
    #[must_use]
    pub const fn stored(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bits, for a store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for LeaseToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LeaseToken({}…)", hex(&self.0[..2]))
    }
}

/// Who works on a task, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, clippy::exhaustive_structs, reason = "a token and its time, nothing else")]
pub struct Lease {
    /// Proves who it is.
    pub token: LeaseToken,
    /// When the task counts as abandoned unless the lease was renewed.
    pub until: Timestamp,
}

/// Lengthens a lease from now on.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RenewLease {
    /// The task.
    pub id: TaskId,
    /// Whose it is.
    pub scope: Scope,
    /// Proves that the caller works on it.
    pub token: LeaseToken,
    /// How long from now.
    pub within: Duration,
}

impl RenewLease {
    /// Renews the lease on one task.
    #[must_use]
    pub const fn new(id: TaskId, scope: Scope, token: LeaseToken, within: Duration) -> Self {
        Self { id, scope, token, within }
    }
}
