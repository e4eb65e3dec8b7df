//! `postgres://…`: the one place where its registry plugs in.

use adcp_core::Secret;

use super::{Keys, Opened};
use crate::doctor::Findings;
use crate::exit::Failure;

/// Connects, for an agent and for the people who run it.
pub(super) async fn open(_url: &Secret, _keys: Option<Keys>) -> Result<Opened, Failure> {
    Err(missing())
}

/// Brings the schema to this version; says what was done.
pub(super) async fn migrate(_url: &Secret) -> Result<String, Failure> {
    Err(missing())
}

/// The statements that make the schema.
pub(super) fn plan() -> Result<String, Failure> {
    Err(missing())
}

/// Looks for what is wrong.
pub(super) async fn examine(
    _url: &Secret,
    _keys: Option<Keys>,
    _findings: &mut Findings,
) -> Result<(), Failure> {
    Err(missing())
}

fn missing() -> Failure {
    Failure::usage("this build has no Postgres registry yet; take sqlite:PATH, or memory for a trial")
}
