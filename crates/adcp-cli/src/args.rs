//! The command line, and the help people read.

mod ends;
mod keys;
mod operate;
mod operators;
mod signing;
mod webhooks;

use std::path::PathBuf;
use std::time::Duration;

use adcp_core::Secret;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

pub(crate) use self::ends::{AsOf, Fail, Failing, ListenArgs, MeansArgs, SendTestArgs, VerifyArgs};
pub(crate) use self::keys::{CheckArgs, KeysArgs, KeysCommand, NewKeyArgs, PublishArgs, Purpose};
pub(crate) use self::operate::{
    CallsArgs, CallsCommand, DoctorArgs, KeyArgs, MigrateArgs, MigrateWhat, RegistryArgs, ResolveArgs,
    ResolveAs, TaskListArgs, TasksArgs, TasksCommand,
};
pub(crate) use self::operators::OperatorArgs;
pub(crate) use self::signing::SigningArgs;
pub(crate) use self::webhooks::{
    EndpointsArgs, EventFilterArgs, INVALID, OutboxArgs, RedeliverArgs, WebhookListArgs, WebhookShowArgs,
    WebhooksArgs, WebhooksCommand,
};
use crate::output::When;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  this program or this machine is at fault; for `demo`, an answer was wrong; `doctor` found something
  2  the command line cannot be used
  3  correctable: another request, or another document, may be accepted
  4  transient: the same request may succeed later
  5  terminal: somebody has to act outside the protocol
  6  no answer: connection, HTTP or MCP failed";

const ENVIRONMENT: &str = "\
Environment:
  ADCP_TOKEN     the token, for `serve`, `call` and `tools` without a flag for it
  ADCP_REGISTRY  where tasks and idempotency keys are kept, without a flag for it
  ADCP_SEAL_KEY  the keys that seal callback credentials, one ID:64-HEX-DIGITS a line, the newest first
  RUST_LOG       what is logged to standard error, such as `debug` or `adcp_mcp=debug`
  NO_COLOR       no colours when set";

const START: &str = "\
Start here:
  adcp demo                                   watch a buyer and a seller at work
  adcp serve --token local-secret             run the reference seller
  adcp tools http://127.0.0.1:3000/mcp        see what an agent offers";

/// Talk AdCP from a terminal: run a seller's agent, call one, check documents.
///
/// Speaks AdCP 3.1.0-rc.9 over MCP (streamable HTTP).
#[derive(Debug, Parser)]
#[command(name = "adcp", version, max_term_width = 100, after_help = format!("{START}\n\n{ENVIRONMENT}\n\n{EXIT_CODES}"))]
#[command(arg_required_else_help = true)]
pub(crate) struct Args {
    /// When to colour the output; `auto` is on a terminal, unless NO_COLOR is set.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", display_order = 1000)]
    pub(crate) color: When,
    #[command(subcommand)]
    pub(crate) command: Command,
}

// What each is for stands on its arguments, where clap takes it from.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(ServeArgs),
    Call(CallArgs),
    Tools(ToolsArgs),
    Validate(ValidateArgs),
    Demo(DemoArgs),
    Tasks(TasksArgs),
    Calls(CallsArgs),
    Webhooks(WebhooksArgs),
    Keys(KeysArgs),
    Migrate(MigrateArgs),
    Doctor(DoctorArgs),
}

/// Run the reference seller: a complete agent over an ad server in this process.
///
/// Tasks and idempotency keys are kept in a file of this folder and survive a restart. What it sells is fixed, and
/// the orders in its ad server are gone when it ends. It speaks plain HTTP: put a proxy that terminates TLS in front
/// before anybody else may reach it.
///
/// While only this machine can call it (a loopback address, no public url, no allowed hosts) it is a sandbox
/// and accepts the demo keys of the protocol's public test kits. Elsewhere neither is so unless you ask.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  adcp serve                                  on 127.0.0.1:3000, with a token made and printed
  adcp serve --bind 127.0.0.1:0 --token local-secret --registry memory
  adcp serve --bind 0.0.0.0:3000 --token-file adcp.token \\
    --public-url https://ads.example.com/mcp \\
    --registry-file registry.url --seal-key-file seal.key --signing-key hooks.jwk

SIGINT or SIGTERM stops it: requests in flight are finished, then accepted tasks, within --grace.
A second signal ends it at once. GET /healthz is for load balancers.")]
pub(crate) struct ServeArgs {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:3000")]
    pub(crate) bind: String,
    /// The token buyers show. For local work: it is visible in the process list.
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file", value_parser = secret)]
    pub(crate) token: Option<Secret>,
    /// A file that holds the token, best with mode 600. Without it and --token, ADCP_TOKEN counts.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// The address buyers know, such as `https://ads.example.com/mcp`; its host is answered to.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// A further `Host` to answer to, such as ads.example.com. Repeatable; `*` is any.
    #[arg(long = "allowed-host", value_name = "HOST")]
    pub(crate) allowed_hosts: Vec<String>,
    /// A web origin whose pages may call, such as `https://app.example.com`. Repeatable.
    #[arg(long = "allowed-origin", value_name = "ORIGIN")]
    pub(crate) allowed_origins: Vec<String>,
    /// Trial operation: accounts open on first use, flights in the past begin now, test products are sold.
    #[arg(long, value_name = "SWITCH", num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    pub(crate) sandbox: Option<Switch>,
    /// Accept any key of the form `demo-<name>-v<number>`, each a buyer of its own. Only in a sandbox.
    #[arg(long, value_name = "SWITCH", num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    pub(crate) demo_keys: Option<Switch>,
    /// Guaranteed orders from this total on wait for the reviewer; `none` confirms every order at once.
    #[arg(long, value_name = "AMOUNT", default_value = "50000", value_parser = threshold)]
    pub(crate) review_threshold: Threshold,
    /// How long the reviewer takes, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "3", value_parser = seconds)]
    pub(crate) review_delay: Duration,
    /// A further AdCP release to accept, such as 3.0. Repeatable.
    #[arg(long = "also-serve", value_name = "RELEASE")]
    pub(crate) also_serve: Vec<String>,
    /// Tell Prometheus there what is counted and measured; a port alone is this machine's. Asks for no token.
    #[arg(long, value_name = "HOST:PORT|PORT")]
    pub(crate) metrics: Option<String>,
    /// How long a shutdown waits for requests and tasks, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = seconds)]
    pub(crate) grace: Duration,
    #[command(flatten)]
    pub(crate) operators: OperatorArgs,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    #[command(flatten)]
    pub(crate) signing: SigningArgs,
}

/// Call a tool of an agent, and print its answer as JSON.
///
/// The request is checked against the schema before anything is sent. A tool that changes something and has
/// no idempotency_key in its arguments gets a fresh one, which is shown: repeat it to retry safely.
#[derive(Debug, ClapArgs)]
#[command(after_help = format!("\
Examples:
  adcp call http://127.0.0.1:3000/mcp get_adcp_capabilities
  adcp call URL get_products '{{\"buying_mode\": \"wholesale\"}}' --auth local-secret
  adcp call URL create_media_buy @order.json --auth-file adcp.token --wait
  jq .order all.json | adcp call URL create_media_buy - | jq .media_buy_id

{EXIT_CODES}"))]
pub(crate) struct CallArgs {
    /// Where the agent answers MCP, such as `http://127.0.0.1:3000/mcp`.
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// The tool, such as get_products.
    #[arg(value_name = "TOOL")]
    pub(crate) tool: String,
    /// The arguments: a JSON object, @FILE, or - for standard input. Default: {}.
    #[arg(value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    pub(crate) arguments: Option<String>,
    #[command(flatten)]
    pub(crate) auth: AuthArgs,
    /// Follow an answer that became a task until the task is done, and print its result.
    #[arg(long)]
    pub(crate) wait: bool,
    /// How long --wait waits, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = seconds, requires = "wait")]
    pub(crate) wait_for: Duration,
    /// Send the arguments as they are, without checking them.
    #[arg(long)]
    pub(crate) no_validate: bool,
    /// Print the answer on one line.
    #[arg(long)]
    pub(crate) compact: bool,
}

/// List the tools of an agent.
///
/// For people: names and descriptions. With --json, or with a tool's name: schemas.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  adcp tools http://127.0.0.1:3000/mcp
  adcp tools http://127.0.0.1:3000/mcp create_media_buy       the schema of its arguments
  adcp tools http://127.0.0.1:3000/mcp --json | jq -r '.[].name'

Tools marked with * change something. ADCP_TOKEN is sent when set; most agents list without one.")]
pub(crate) struct ToolsArgs {
    /// Where the agent answers MCP, such as `http://127.0.0.1:3000/mcp`.
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// Show this tool only, with the schema of its arguments.
    #[arg(value_name = "TOOL")]
    pub(crate) tool: Option<String>,
    #[command(flatten)]
    pub(crate) auth: AuthArgs,
    /// Print JSON: name, description, schema and whether it only reads.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Check a JSON document against a schema of AdCP, formats included.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  adcp validate create_media_buy:request order.json
  adcp validate media-buy/create-media-buy-response.json answer.json
  adcp call URL get_products '{\"buying_mode\": \"wholesale\"}' | adcp validate get_products:response -

Prints one line per violation: the JSON pointer, the keyword of the schema, and what it expects.
Exits with 0 when the document is valid and with 3 when it is not.")]
pub(crate) struct ValidateArgs {
    /// `TOOL:PART` (request, response, submitted, working, input-required) or the path of a schema.
    #[arg(value_name = "SCHEMA")]
    pub(crate) schema: String,
    /// The document, or - for standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
}

/// Watch a buyer and a seller at work, over real HTTP, in this process.
///
/// Starts the reference seller on a free loopback port and plays a buyer: discovery, an order confirmed at
/// once, the same order sent twice, an order that a reviewer approves, its webhook, a change, a report. Every
/// answer and the signature are checked, also against the schemas; the exit code is 0 only if all were right.
#[derive(Debug, ClapArgs)]
pub(crate) struct DemoArgs {
    /// Also print every request and answer as JSON.
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// How long the reviewer takes, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "1.5", value_parser = seconds)]
    pub(crate) review_delay: Duration,
}

/// Who the caller is to the agent.
#[derive(Debug, ClapArgs)]
pub(crate) struct AuthArgs {
    /// The token to show. Visible in the process list: prefer --auth-file or ADCP_TOKEN for a secret.
    #[arg(long, value_name = "TOKEN", conflicts_with = "auth_file", value_parser = secret)]
    pub(crate) auth: Option<Secret>,
    /// A file that holds the token.
    #[arg(long, value_name = "FILE")]
    pub(crate) auth_file: Option<PathBuf>,
    /// The header that carries the token: `Authorization: Bearer`, or `x-adcp-auth` as some agents want it.
    #[arg(long, value_name = "HEADER", default_value = "bearer")]
    pub(crate) auth_header: AuthHeader,
}

/// The header that carries a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuthHeader {
    Bearer,
    XAdcpAuth,
}

/// A setting that follows from others unless it is forced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

/// From which total on an order is reviewed, in whole units of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Threshold(pub(crate) Option<u64>);

#[expect(clippy::unnecessary_wraps, reason = "the shape of a value parser")]
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

fn threshold(text: &str) -> Result<Threshold, String> {
    if text == "none" {
        return Ok(Threshold(None));
    }
    text.parse()
        .map(|total| Threshold(Some(total)))
        .map_err(|_| "expected a whole amount, such as 50000, or `none`".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || "expected seconds, such as 3 or 0.5".to_owned();
    let number: f64 = text.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number)
        .ok()
        .filter(|duration| *duration <= Duration::from_secs(86_400))
        .ok_or_else(|| format!("{}, at most a day", wrong()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn switches_may_stand_alone() {
        let parse = |flags: &[&str]| match Args::try_parse_from([&["adcp", "serve"], flags].concat()) {
            Ok(Args { command: Command::Serve(serve), .. }) => (serve.sandbox, serve.demo_keys),
            other => panic!("{other:?}"),
        };
        assert_eq!(parse(&[]), (None, None));
        assert_eq!(parse(&["--sandbox", "--demo-keys=off"]), (Some(Switch::On), Some(Switch::Off)));
    }

    #[test]
    fn times_and_amounts_are_bounded() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for wrong in ["-1", "x", "1e9", "NaN", ""] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
        assert_eq!(threshold("none"), Ok(Threshold(None)));
        assert_eq!(threshold("10"), Ok(Threshold(Some(10))));
        assert!(threshold("-3").is_err());
    }
}
