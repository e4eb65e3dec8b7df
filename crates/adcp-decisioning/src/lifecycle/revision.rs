//! Revisions: a change is made to what the buyer has seen, or not at all.

use adcp_core::AdcpError;

/// How often something has changed, counted from 1.
///
/// Keep it with the thing, and store the thing only while the stored revision is still the one you read.
///
/// Spec: `media-buy/update-media-buy-request.json`, `revision`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(u64);

impl Revision {
    /// Of something new.
    pub const FIRST: Self = Self(1);

    /// The revision with this number; 0 counts as 1.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        if number == 0 { Self::FIRST } else { Self(number) }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Checks that the buyer has seen this very revision; a buyer who names none agrees with any.
    ///
    /// # Errors
    ///
    /// `CONFLICT` with both revisions in its details.
    pub fn assert_seen(self, seen: Option<i64>) -> Result<(), AdcpError> {
        match seen {
            Some(seen) if u64::try_from(seen).ok() != Some(self.0) => Err(AdcpError::conflict(seen, self.0)),
            _ => Ok(()),
        }
    }

    /// The revision after a change that is made on the one the buyer has seen.
    ///
    /// # Errors
    ///
    /// As [`Revision::assert_seen`].
    pub fn next_if(self, seen: Option<i64>) -> Result<Self, AdcpError> {
        self.assert_seen(seen)?;
        Ok(Self(self.0.saturating_add(1)))
    }
}

impl Default for Revision {
    fn default() -> Self {
        Self::FIRST
    }
}
