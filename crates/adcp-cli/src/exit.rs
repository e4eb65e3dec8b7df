//! How the command ends: exit codes, and failures that say what to do.

use std::fmt;
use std::process::ExitCode;

use adcp_mcp::client::ClientError;
use adcp_types::json::JsonObject;
use adcp_types::{ErrorCode, Recovery};
use serde_json::Value;

/// What the exit code tells a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything went well.
    Done = 0,
    /// This machine or this program is at fault, or a demo step was wrong.
    Broken = 1,
    /// The command line cannot be used.
    Usage = 2,
    /// Another request may succeed; also an invalid document.
    Correctable = 3,
    /// The same request may succeed later.
    Transient = 4,
    /// Somebody has to act outside the protocol.
    Terminal = 5,
    /// There is no answer: no connection, no MCP, no HTTP success.
    Transport = 6,
}

impl Exit {
    /// The class of an AdCP error: its own word, else what the manifest says of its code.
    ///
    /// Errors of no known class count as transient, as the protocol asks.
    pub(crate) fn of_error(error: &JsonObject) -> Self {
        let text = |field| error.get(field).and_then(Value::as_str);
        let own = text("recovery").map(Recovery::from);
        let known = || text("code").and_then(|code| ErrorCode::from(code).recovery());
        match own.filter(|recovery| !matches!(recovery, Recovery::Unrecognized(_))).or_else(known) {
            Some(Recovery::Correctable) => Self::Correctable,
            Some(Recovery::Terminal) => Self::Terminal,
            _ => Self::Transient,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why the command did not do its work, in words for the person who ran it.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    words: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, words: impl Into<String>) -> Self {
        Self { exit, words: words.into() }
    }

    /// A command line that cannot be used.
    pub(crate) fn usage(words: impl Into<String>) -> Self {
        Self::new(Exit::Usage, words)
    }

    /// Adds the cause, and the causes of that.
    pub(crate) fn because(mut self, cause: impl Into<anyhow::Error>) -> Self {
        self.words = format!("{}: {:#}", self.words, cause.into());
        self
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether there is nobody to tell.
    pub(crate) fn is_silent(&self) -> bool {
        self.words.is_empty()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let exit = match &error {
            ClientError::Url { .. } | ClientError::Credential => Exit::Usage,
            // The agent understood and refused; without an AdCP error, as for an unknown tool, ask for something else.
            ClientError::Refused { status, code, .. } => match (error.adcp_error(), *status, *code) {
                (Some(adcp), _, _) => Exit::of_error(adcp),
                (None, 200, -32602) => Exit::Correctable,
                (None, _, _) => Exit::Transport,
            },
            _ => Exit::Transport,
        };
        let code = error.adcp_error().and_then(|adcp| adcp.get("code")).and_then(Value::as_str);
        let words = if code == Some(ErrorCode::AUTH_MISSING.as_str()) {
            "AUTH_MISSING: no token was sent; give one with --auth-file, --auth or ADCP_TOKEN".to_owned()
        } else {
            format!("{:#}", anyhow::Error::new(error))
        };
        Self { exit, words }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_class_of_an_error_is_its_own_then_that_of_its_code() {
        let cases = [
            (json!({"code": "RATE_LIMITED", "recovery": "terminal"}), Exit::Terminal),
            (json!({"code": "BUDGET_TOO_LOW"}), Exit::Correctable),
            (json!({"code": "ACCOUNT_SUSPENDED", "recovery": "someday"}), Exit::Terminal),
            (json!({"code": "SERVICE_UNAVAILABLE"}), Exit::Transient),
            (json!({"code": "ACME_ODDITY"}), Exit::Transient),
            (json!({}), Exit::Transient),
        ];
        for (error, exit) in cases {
            assert_eq!(Exit::of_error(error.as_object().unwrap()), exit, "{error}");
        }
    }
}
