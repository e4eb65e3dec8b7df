//! What the crash suite needs of `adcp serve`: a seller that writes down what it did, and an end at a named point.
//!
//! Compiled with the feature `__fault-points` only, and asleep until `ADCP_TRIAL` names a folder.

mod delivery;
mod fault;
mod journal;
mod seller;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adcp_decisioning::{AccountPerPrincipal, Agent, BuildErrors, Finalizing, ProposalTerms, Tokens};

pub(crate) use self::fault::arm;
use self::journal::Journal;
use self::seller::{TrialJob, TrialSeller};
use crate::exit::{Exit, Failure};
use crate::registry::Opened;

/// The folder in which the seller writes down what it did.
const FOLDER: &str = "ADCP_TRIAL";

/// Lease, interval of rescue and of looking for jobs, and lease of enqueuing in milliseconds, such as
/// `2000,1000,2000`; otherwise the defaults. With it webhooks are in a hurry, too.
const TIMES: &str = "ADCP_TRIAL_TIMES";

/// Where to write, when this is a trial.
pub(crate) fn folder() -> Option<PathBuf> {
    variable(FOLDER).map(PathBuf::from)
}

/// The seller of trials as an agent.
pub(crate) fn agent(folder: &std::path::Path, tokens: Tokens, opened: &Opened) -> Result<Agent, Failure> {
    let journal = Journal::open(folder)
        .map_err(|error| Failure::new(Exit::Broken, "cannot write the journal").because(error))?;
    let journal = Arc::new(journal);
    let mut builder = Agent::builder(TrialSeller::new(Arc::clone(&journal)))
        .sales()
        .job(TrialJob(journal))
        .proposals(ProposalTerms::new().with_finalizing(Finalizing::One))
        .authenticator(tokens)
        .accounts(AccountPerPrincipal::new())
        .deliver_with(delivery::webhooks(folder, variable(TIMES).is_some())?)
        .shared_registry(Arc::clone(&opened.registry));
    for companion in &opened.companions {
        builder = builder.background(Arc::clone(companion));
    }
    if let Some(times) = variable(TIMES) {
        let millis: Vec<u64> = times.split(',').map_while(|part| part.parse().ok()).collect();
        let [lease, rescue, enqueue] = millis[..] else {
            return Err(Failure::usage(format!("{TIMES} has three numbers")));
        };
        let hold = ProposalTerms::new().with_hold(Duration::from_millis(lease));
        builder = builder
            .proposals(hold.with_finalizing(Finalizing::One))
            .lease(Duration::from_millis(lease))
            .rescue_interval(Duration::from_millis(rescue))
            .job_poll_interval(Duration::from_millis(rescue))
            .job_waits(Duration::from_millis(rescue / 2), Duration::from_millis(lease))
            .enqueue_lease(Duration::from_millis(enqueue));
    }
    builder.build().map_err(|faults: BuildErrors| Failure::usage("cannot serve the trial").because(faults))
}

#[expect(clippy::disallowed_methods, reason = "the one home of these variables")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
