//! Credentials at rest.

use std::fmt;

/// Seals what must not stand readable in a store: authenticated encryption under a key of the adopter's.
///
/// `bound_to` is authenticated beside the text, so that a sealed value cannot be moved to another row.
pub trait Sealer: fmt::Debug + Send + Sync + 'static {
    /// Whether there is a key to seal with.
    fn has_key(&self) -> bool;

    /// Seals `plain`. The result is text and names the key it was sealed with.
    ///
    /// # Errors
    ///
    /// [`SealError`] when there is no key.
    fn seal(&self, plain: &str, bound_to: &str) -> Result<String, SealError>;

    /// Opens what [`Self::seal`] made, also under an older key.
    ///
    /// # Errors
    ///
    /// [`SealError`] when the key is gone or the text was changed or moved.
    fn open(&self, sealed: &str, bound_to: &str) -> Result<String, SealError>;
}

/// Why something was not sealed or opened. Says nothing of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(clippy::exhaustive_enums, reason = "each case is told to another person")]
pub enum SealError {
    /// No key was given, so credentials cannot be kept.
    #[error("no sealing key is configured, so credentials of callbacks cannot be kept")]
    NoKey,
    /// The key it was sealed with is not at hand any more.
    #[error("the key that a stored credential was sealed with is not configured")]
    UnknownKey,
    /// The stored text was changed, or belongs elsewhere.
    #[error("a stored credential was changed or moved")]
    Forged,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
    /// More than one sealed text can hold.
    #[error("the text is too long to be sealed")]
    TooLong,
}

/// Has no key: refuses to keep credentials.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct NoSealer;

impl NoSealer {
    /// Has no key.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Sealer for NoSealer {
    fn has_key(&self) -> bool {
        false
    }

    fn seal(&self, _plain: &str, _bound_to: &str) -> Result<String, SealError> {
        Err(SealError::NoKey)
    }

    fn open(&self, _sealed: &str, _bound_to: &str) -> Result<String, SealError> {
        Err(SealError::UnknownKey)
    }
}
