//! The command line of those who run an agent: its registry, its tasks, its idempotency keys.

use std::path::PathBuf;

use adcp_core::{Secret, TaskStatus};
use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::secret;

/// Where tasks and idempotency keys are kept.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct RegistryArgs {
    /// Where tasks and keys are kept: sqlite:PATH, memory or postgres://…; `sqlite:.adcp/registry.db` when not given.
    ///
    /// Without it --registry-file counts, then ADCP_REGISTRY. A password in it is visible in the process list.
    #[arg(long, global = true, value_name = "REGISTRY", value_parser = secret, display_order = 900)]
    pub(crate) registry: Option<Secret>,
    /// A file that holds what --registry would say, best with mode 600: for an address with a password.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "registry", display_order = 900)]
    pub(crate) registry_file: Option<PathBuf>,
    /// The schema of the database that holds the tables. Only for Postgres. `adcp` when not given.
    #[arg(long, global = true, value_name = "NAME", display_order = 900)]
    pub(crate) registry_schema: Option<String>,
    /// How many connections one process has at most. Only for Postgres. 16 when not given.
    #[arg(long, global = true, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=1000), display_order = 900)]
    pub(crate) registry_connections: Option<u16>,
}

/// With what the credentials of buyers' callbacks are sealed.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct KeyArgs {
    /// A file of keys that seal the credentials of callbacks: lines of ID:64-HEX-DIGITS, the newest first.
    ///
    /// Without it ADCP_SEAL_KEY counts, then `.adcp/seal.key` for the registry that is used when none is given.
    #[arg(long, global = true, value_name = "FILE", display_order = 901)]
    pub(crate) seal_key_file: Option<PathBuf>,
}

/// Bring a registry to the schema of this version, or print that schema.
///
/// Doing it again changes nothing. A registry of a newer version, or of other hands, is left as it is.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  adcp migrate                                    the registry in .adcp/ of this folder
  adcp migrate --registry sqlite:/var/lib/adcp/registry.db
  adcp migrate plan --registry sqlite: > schema.sql")]
pub(crate) struct MigrateArgs {
    /// Print the statements and run none.
    #[arg(value_name = "plan")]
    pub(crate) what: Option<MigrateWhat>,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
}

/// What to do instead of migrating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MigrateWhat {
    Plan,
}

/// See the tasks of a seller, and end those that a person has to end.
///
/// Works on the registry itself, also while an agent uses it. Every end is checked and does what the agent's own
/// would do: the buyer sees it, and whoever asked to be notified is.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  adcp tasks list --open
  adcp tasks list --status failed --type create_media_buy --json
  adcp tasks show task_0123…
  adcp tasks complete task_0123… --result order.json
  adcp tasks fail task_0123… --code SERVICE_UNAVAILABLE --message 'the ad server is away'
  adcp tasks cancel task_0123… --reason 'the buyer called'")]
pub(crate) struct TasksArgs {
    #[command(subcommand)]
    pub(crate) command: TasksCommand,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// The seller, where one deployment serves several.
    #[arg(long, global = true, value_name = "TENANT", default_value = "default", display_order = 902)]
    pub(crate) tenant: String,
}

/// What to do with tasks.
#[derive(Debug, Subcommand)]
pub(crate) enum TasksCommand {
    /// List tasks, the newest first.
    List(TaskListArgs),
    /// Show one task with its history and its queued events. No secret is shown.
    Show {
        /// The task.
        #[arg(value_name = "ID")]
        id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// End a task well, with the answer that its tool would have given at once.
    Complete {
        /// The task.
        #[arg(value_name = "ID")]
        id: String,
        /// The answer without its envelope: a JSON object in a file, or - for standard input.
        #[arg(long, value_name = "FILE|-")]
        result: String,
    },
    /// End a task badly, with an error for the buyer.
    Fail {
        /// The task.
        #[arg(value_name = "ID")]
        id: String,
        /// A code of AdCP, such as SERVICE_UNAVAILABLE.
        #[arg(long, value_name = "CODE")]
        code: String,
        /// What the buyer is told.
        #[arg(long, value_name = "TEXT")]
        message: String,
    },
    /// End a task by a cancellation.
    Cancel {
        /// The task.
        #[arg(value_name = "ID")]
        id: String,
        /// What the buyer is told.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// Which tasks to list.
#[derive(Debug, ClapArgs)]
pub(crate) struct TaskListArgs {
    /// Only tasks of this status. Repeatable.
    #[arg(long = "status", value_name = "STATUS", value_parser = status)]
    pub(crate) statuses: Vec<TaskStatus>,
    /// Only tasks that have not ended.
    #[arg(long, conflicts_with = "statuses")]
    pub(crate) open: bool,
    /// Only tasks of this type, such as create_media_buy. Repeatable.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) types: Vec<String>,
    /// Only what this buyer's agent can see itself.
    #[arg(long, value_name = "PRINCIPAL")]
    pub(crate) principal: Option<String>,
    /// How many to list, 1 to 1000.
    #[arg(long, value_name = "NUMBER", default_value = "50", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,
    /// Only what follows this place, as an earlier list named it.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) cursor: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// See idempotency keys whose outcome nobody knows, and decide about them.
///
/// Such a key is never run again by itself: somebody has to find out whether its call took effect.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  adcp calls list
  adcp calls resolve 7c9e6679-… --as released      it had no effect: the buyer may send it again
  adcp calls resolve 7c9e6679-… --as succeeded     it took effect: the buyer is told to look")]
pub(crate) struct CallsArgs {
    #[command(subcommand)]
    pub(crate) command: CallsCommand,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// The seller, where one deployment serves several.
    #[arg(long, global = true, value_name = "TENANT", default_value = "default", display_order = 902)]
    pub(crate) tenant: String,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum CallsCommand {
    /// List keys without a known outcome, the oldest first.
    List {
        /// How many to list, 1 to 1000.
        #[arg(long, value_name = "NUMBER", default_value = "50", value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say what became of a call.
    Resolve(ResolveArgs),
}

/// Which key, and what became of its call.
#[derive(Debug, ClapArgs)]
pub(crate) struct ResolveArgs {
    /// The buyer's idempotency key.
    #[arg(value_name = "KEY")]
    pub(crate) key: String,
    /// Whether the call took effect.
    #[arg(long = "as", value_name = "OUTCOME")]
    pub(crate) outcome: ResolveAs,
    /// The account, when several buyers used the key.
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Option<String>,
    /// The buyer's agent, when several used the key.
    #[arg(long, value_name = "PRINCIPAL")]
    pub(crate) principal: Option<String>,
    /// The conversation, when the key was used in several.
    #[arg(long, value_name = "SESSION")]
    pub(crate) session: Option<String>,
    /// Also a call that may still run: its process is known to have ended.
    #[arg(long)]
    pub(crate) abandoned: bool,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResolveAs {
    /// It took effect: the key answers as expired, so that the buyer looks before it buys again.
    Succeeded,
    /// It had no effect: the key is free again.
    Released,
}

/// Look for what is wrong with a registry, and say what to do.
///
/// Changes nothing. Exits with 0 when everything is right and with 1 when something has to be done.
#[derive(Debug, ClapArgs)]
pub(crate) struct DoctorArgs {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
}

fn status(text: &str) -> Result<TaskStatus, String> {
    TaskStatus::parse(text).ok_or_else(|| {
        let names: Vec<&str> = TaskStatus::ALL.into_iter().map(TaskStatus::as_str).collect();
        format!("expected one of {}", names.join(", "))
    })
}
