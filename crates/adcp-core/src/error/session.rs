//! Errors about sessions of sponsored intelligence.

use adcp_types::ErrorCode;

use super::AdcpError;

impl AdcpError {
    /// `SESSION_NOT_FOUND`: no such session, one of somebody else, or one long gone.
    #[must_use]
    pub fn session_not_found() -> Self {
        Self::about(
            ErrorCode::SESSION_NOT_FOUND,
            "session_id",
            "no such session",
            "begin one with si_initiate_session",
        )
    }

    /// `SESSION_TERMINATED`: the session has ended.
    #[must_use]
    pub fn session_terminated() -> Self {
        Self::about(
            ErrorCode::SESSION_TERMINATED,
            "session_id",
            "the session has ended",
            "begin a new one with si_initiate_session",
        )
    }
}
