//! Why a server did not start.

use std::io;

/// Why a server did not start or stopped early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum McpError {
    /// A setting cannot work. Permanent.
    #[error("the setting `{setting}` {reason}")]
    Setting {
        /// The setting, named as its `with_` method.
        setting: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The address cannot be listened on: not an address, not ours, or taken.
    #[error("cannot listen on `{address}`")]
    Bind {
        /// The address as configured.
        address: String,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}
