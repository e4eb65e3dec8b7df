//! What a caller asks of an error.

use crate::core::Error;
use crate::{ErrorCode, Recovery};

impl Error {
    /// The code with its constants and its table of recovery.
    pub fn error_code(&self) -> ErrorCode {
        ErrorCode::from(self.code.as_str())
    }

    /// How to recover: as the sender says, else as the manifest says, else transient, as it asks for unknown codes.
    pub fn recovery_class(&self) -> Recovery {
        match &self.recovery {
            Some(said) => Recovery::from(said.as_str()),
            None => self.error_code().recovery().unwrap_or(Recovery::Transient),
        }
    }
}
