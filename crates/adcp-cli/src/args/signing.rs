//! Flags of `serve` about the webhooks it sends.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// How webhooks are signed, and where their keys are told.
#[derive(Debug, ClapArgs)]
pub(crate) struct SigningArgs {
    /// The private key that signs webhooks: a JWK or PEM file, mode 600, such as from `adcp keys new`. Repeatable: the
    /// first signs, all are published.
    #[arg(long = "signing-key", value_name = "FILE")]
    pub(crate) signing_keys: Vec<PathBuf>,
    /// Where your brand.json is, if it is not served here. It lists the public url of this agent.
    #[arg(long, value_name = "URL", requires_all = ["signing_keys", "public_url"])]
    pub(crate) brand_json_url: Option<String>,
    /// Also send webhooks to this machine, without TLS. For local work: refused where others can reach the agent.
    #[arg(long)]
    pub(crate) allow_loopback_webhooks: bool,
}

impl SigningArgs {
    /// Sender and receiver are in one process.
    pub(crate) const fn of_this_machine() -> Self {
        Self { signing_keys: Vec::new(), brand_json_url: None, allow_loopback_webhooks: true }
    }
}
