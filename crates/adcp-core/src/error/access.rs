//! Errors about who is calling, and what they may do.

use adcp_types::ErrorCode;

use super::AdcpError;

impl AdcpError {
    /// `AUTH_MISSING`: the call carries no credential.
    #[must_use]
    pub fn auth_missing() -> Self {
        Self::new(ErrorCode::AUTH_MISSING, "this agent asks for a credential")
            .with_suggestion("send the credential that the seller gave you in the Authorization header")
    }

    /// `AUTH_INVALID`: the credential was rejected. Why is nobody's business.
    #[must_use]
    pub fn auth_invalid() -> Self {
        Self::new(ErrorCode::AUTH_INVALID, "the credential was rejected")
            .with_suggestion("ask the seller for a valid credential")
    }

    /// `AUTHORIZATION_REQUIRED`: a grant on a platform behind this seller is missing.
    ///
    /// Spec: `error-details/authorization-required.json` names details that may be added.
    #[must_use]
    pub fn authorization_required(url: Option<&str>) -> Self {
        let error = Self::about(
            ErrorCode::AUTHORIZATION_REQUIRED,
            "account",
            "a platform behind this seller is not connected to the account",
            "connect the platform, then send the request again",
        );
        match url {
            Some(url) => error.with_detail("authorization_url", url),
            None => error,
        }
    }

    /// `PERMISSION_DENIED`: the caller is known and may not do this.
    #[must_use]
    pub fn permission_denied() -> Self {
        Self::new(ErrorCode::PERMISSION_DENIED, "this caller may not do that")
            .with_suggestion("ask the seller for the permission")
    }

    /// `PERMISSION_DENIED` for an agent that may only use sandbox accounts.
    ///
    /// Only when the agent is established; otherwise use [`AdcpError::permission_denied`].
    ///
    /// Spec: `error-details/agent-permission-denied.json`.
    #[must_use]
    pub fn sandbox_only() -> Self {
        Self::about(
            ErrorCode::PERMISSION_DENIED,
            "account",
            "this agent may use sandbox accounts only",
            "choose a sandbox account, or ask the seller to be admitted to live ones",
        )
        .with_detail("scope", "agent")
        .with_detail("reason", "sandbox_only")
    }

    /// `SCOPE_INSUFFICIENT`: the caller may not use this tool.
    #[must_use]
    pub fn scope_insufficient() -> Self {
        Self::new(ErrorCode::SCOPE_INSUFFICIENT, "the credential does not cover this tool")
            .with_suggestion("ask the seller for a credential that covers it")
    }

    /// `READ_ONLY_SCOPE`: the caller may read, and this tool changes something.
    #[must_use]
    pub fn read_only_scope() -> Self {
        Self::new(ErrorCode::READ_ONLY_SCOPE, "this caller may only read here")
            .with_suggestion("ask the seller for leave to change things")
    }

    /// `FIELD_NOT_PERMITTED`: the caller may use the tool, but not this field. One error per field.
    #[must_use]
    pub fn field_not_permitted(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::FIELD_NOT_PERMITTED,
            field,
            "the credential does not cover this field",
            "leave the field out, or ask the seller for a credential that covers it",
        )
    }

    /// `AGENT_SUSPENDED`: the seller has paused its relation with this agent. Carries no details.
    #[must_use]
    pub fn agent_suspended() -> Self {
        Self::new(ErrorCode::AGENT_SUSPENDED, "the seller has suspended this agent")
            .with_suggestion("contact the seller")
    }

    /// `AGENT_BLOCKED`: the seller does not deal with this agent. Carries no details.
    #[must_use]
    pub fn agent_blocked() -> Self {
        Self::new(ErrorCode::AGENT_BLOCKED, "the seller does not deal with this agent")
            .with_suggestion("contact the seller")
    }

    /// `CREDENTIAL_IN_ARGS`: a credential stands where arguments belong. It is never repeated.
    #[must_use]
    pub fn credential_in_args(field: impl Into<String>) -> Self {
        Self::about(
            ErrorCode::CREDENTIAL_IN_ARGS,
            field,
            "credentials must not be sent as arguments",
            "replace that credential, and send the new one in a header",
        )
    }
}
