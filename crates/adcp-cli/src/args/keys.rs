//! The command line about keys that sign.

use std::path::PathBuf;

use adcp_signing::{Algorithm, KeyUse};
use clap::{Args as ClapArgs, Subcommand, ValueEnum};

/// Make keys that sign, print what is published of them, and check that others can find them.
#[derive(Debug, ClapArgs)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

// What each is for stands on its arguments, where clap takes it from.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    New(NewKeyArgs),
    Publish(PublishArgs),
    Check(CheckArgs),
}

/// Make a private key in a new file, for its owner only.
///
/// Prints the name of the key. A file that exists is never overwritten.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  adcp keys new hooks.jwk
  adcp keys new buyer.jwk --purpose request-signing --alg es256 --kid buyer-2026-11")]
pub(crate) struct NewKeyArgs {
    /// The file to make; it holds a private JWK.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The algorithm.
    #[arg(long, value_name = "ALG", default_value = "ed25519")]
    pub(crate) alg: Alg,
    /// The name of the key, which signatures give. Made from the purpose and the month when not given.
    #[arg(long, value_name = "KID")]
    pub(crate) kid: Option<String>,
    /// What the key signs; a key serves one purpose.
    #[arg(long, value_name = "PURPOSE", default_value = "webhook-signing")]
    pub(crate) purpose: Purpose,
}

/// Print the key set that publishes these keys, and with --agent-url the brand.json that leads there.
///
/// Only public halves are printed. `adcp serve` publishes both documents itself; this is for agents of your own, and
/// for documents that are hosted elsewhere.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  adcp keys publish hooks.jwk next.jwk > jwks.json
  adcp keys publish hooks.jwk --agent-url https://ads.example.com/mcp | jq -s '.[1]' > brand.json")]
pub(crate) struct PublishArgs {
    /// Private keys, JWK or PEM, or public ones as JWK.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The agent's url as buyers know it, byte for byte; https. A brand.json follows the key set then.
    #[arg(long, value_name = "URL")]
    pub(crate) agent_url: Option<String>,
    /// Where the key set will be; `/.well-known/jwks.json` at the agent's origin when not given.
    #[arg(long, value_name = "URL", requires = "agent_url")]
    pub(crate) jwks_uri: Option<String>,
    /// What the agent is: brand, rights, measurement, governance, creative, sales, buying or signals.
    #[arg(long, value_name = "KIND", default_value = "sales")]
    pub(crate) agent_kind: String,
    /// What the agent is called in the document: lower-case letters, digits and `_`.
    #[arg(long, value_name = "ID", default_value = "agent")]
    pub(crate) agent_id: String,
    /// What PEM files are for; JWKs say it themselves.
    #[arg(long, value_name = "PURPOSE", default_value = "webhook-signing")]
    pub(crate) purpose: Purpose,
}

/// Check that whoever gets a signed message finds the key: capabilities, brand.json, key set, keys.
///
/// Goes the way that verifiers go, through the connection that guards them, and says of each step whether it works; a
/// failed one has the code that a verifier answers. Anonymous: nothing is changed anywhere, and no token is sent.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  adcp keys check https://ads.example.com/mcp --key hooks.jwk
  adcp keys check https://example.com/.well-known/brand.json
  adcp keys check jwks.json --key hooks.jwk
  adcp keys check http://127.0.0.1:3000/mcp --allow-loopback

Exits with 0 when every step works, with 3 when a document has to change, and with 6 when one cannot be fetched.")]
pub(crate) struct CheckArgs {
    /// An agent's url, or a brand.json or key set: a url that ends in `.json`, or a file.
    #[arg(value_name = "URL|FILE")]
    pub(crate) target: String,
    /// A private key that should be published there.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// For what a key is looked for.
    #[arg(long, value_name = "PURPOSE", default_value = "webhook-signing")]
    pub(crate) purpose: Purpose,
    /// The agent to look for in a brand.json; needed when it lists several.
    #[arg(long, value_name = "URL")]
    pub(crate) agent_url: Option<String>,
    /// Also fetch from this machine, without TLS. For local work.
    #[arg(long)]
    pub(crate) allow_loopback: bool,
    /// Print JSON: every step, whether it works, and the code.
    #[arg(long)]
    pub(crate) json: bool,
}

/// An algorithm of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Alg {
    Ed25519,
    Es256,
}

impl From<Alg> for Algorithm {
    fn from(alg: Alg) -> Self {
        match alg {
            Alg::Ed25519 => Self::Ed25519,
            Alg::Es256 => Self::EcdsaP256Sha256,
        }
    }
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Purpose {
    WebhookSigning,
    RequestSigning,
}

impl From<Purpose> for KeyUse {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::WebhookSigning => Self::WebhookSigning,
            Purpose::RequestSigning => Self::RequestSigning,
        }
    }
}
