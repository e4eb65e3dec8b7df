//! Why a client has no reply.

use std::error::Error;
use std::time::Duration;

use adcp_types::json::JsonObject;

/// Why a client has no reply.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address cannot be used. Permanent.
    #[error("`{url}` {reason}")]
    Url {
        /// The address as given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A credential cannot be sent as a header. Permanent.
    #[error("the credential has characters that no HTTP header may have")]
    Credential,
    /// No connection, or it broke. The same call may succeed later.
    #[error("cannot reach {address}; check that the agent runs there")]
    Unreachable {
        /// Host and port.
        address: String,
        /// What the network said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// No answer in time. The call may still happen.
    #[error("no answer to `{method}` within {} s; raise the timeout or look at the agent", after.as_secs_f64())]
    Timeout {
        /// The MCP method.
        method: String,
        /// The timeout.
        after: Duration,
    },
    /// The answer is larger than this client reads. Permanent.
    #[error("the answer to `{method}` is larger than {limit} bytes; ask for less, or for pages")]
    TooLarge {
        /// The MCP method.
        method: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// The agent refused before a tool ran, such as for want of a credential or an unknown tool.
    #[error("refused with {code} (HTTP {status}): {message}{}", hint(*status))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The JSON-RPC error code.
        code: i64,
        /// What the agent said.
        message: String,
        /// The AdCP error, if the refusal carried one.
        adcp_error: Option<JsonObject>,
    },
    /// An HTTP error without a JSON-RPC message: often a proxy, or another path.
    #[error("HTTP {status}: {text}{}", hint(*status))]
    Status {
        /// The HTTP status.
        status: u16,
        /// The beginning of what came with it.
        text: String,
    },
    /// The other side does not speak MCP as expected.
    #[error("not an MCP agent, or not as expected: {reason}")]
    Protocol {
        /// What was wrong.
        reason: String,
    },
}

impl ClientError {
    /// The AdCP error that came with a refusal.
    #[must_use]
    pub fn adcp_error(&self) -> Option<&JsonObject> {
        match self {
            Self::Refused { adcp_error, .. } => adcp_error.as_ref(),
            _ => None,
        }
    }
}

fn hint(status: u16) -> &'static str {
    match status {
        401 => "; check the token",
        404 | 405 => "; check the path, which is often /mcp",
        421 => "; the agent does not answer for this host name",
        _ => "",
    }
}
