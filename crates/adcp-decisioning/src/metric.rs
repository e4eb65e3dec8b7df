//! The names of what is counted and measured, in one place. `docs/operating.md` lists them.
//!
//! They go to whichever recorder of the `metrics` facade the program has installed, and nowhere without one.

use std::time::Duration;

use adcp_core::{Ages, Backlog, Claim, Forgotten, Recorded, RegistryError, TaskRecord, TaskStatus};
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

const ISSUED: &str = "adcp_tasks_issued_total";
const DISCARDED: &str = "adcp_tasks_discarded_total";
const ENDED: &str = "adcp_tasks_ended_total";
const RESCUED: &str = "adcp_tasks_rescued_total";
const JOBS: &str = "adcp_job_attempts_total";
const CLAIMS: &str = "adcp_idempotency_claims_total";
const LATE: &str = "adcp_late_writes_refused_total";
const LOST: &str = "adcp_leases_lost_total";
const ERRORS: &str = "adcp_registry_errors_total";
const FORGOTTEN: &str = "adcp_registry_rows_forgotten_total";
const ROWS: &str = "adcp_registry_rows";
const OLDEST: &str = "adcp_registry_oldest_seconds";

/// Tells a recorder what the names mean.
pub(crate) fn describe() {
    for (name, words) in [
        (ISSUED, "tasks written, by tool"),
        (DISCARDED, "tasks taken back because nobody took their work"),
        (ENDED, "tasks ended, by outcome"),
        (RESCUED, "tasks ended because their time was over or nobody worked on them any more"),
        (JOBS, "attempts at jobs begun, by tool"),
        (CLAIMS, "idempotency keys claimed, by what the claim found"),
        (LATE, "writes refused because their token was no longer good, by what the token held"),
        (LOST, "leases that were to be renewed and were lost, by what they held"),
        (ERRORS, "calls that the registry could not answer, by why"),
        (FORGOTTEN, "rows removed by retention, by kind"),
    ] {
        describe_counter!(name, Unit::Count, words);
    }
    // What should stay at zero is shown at zero, so that an alert can be written before it moves.
    for token in ["ticket", "lease", "hold", "delivery"] {
        counter!(LATE, "token" => token).increment(0);
    }
    counter!(LOST, "of" => "task").increment(0);
    counter!(RESCUED).increment(0);
    describe_gauge!(ROWS, Unit::Count, "rows of the whole registry that wait, by kind, counted up to 10000");
    describe_gauge!(OLDEST, Unit::Seconds, "how long the oldest such row waits already, by kind");
}

/// Counts what a store said no to.
pub(crate) fn seen<T>(result: Result<T, RegistryError>) -> Result<T, RegistryError> {
    if let Err(error) = &result {
        match error {
            RegistryError::StaleTicket => counter!(LATE, "token" => "ticket").increment(1),
            RegistryError::LeaseLost(_) => counter!(LATE, "token" => "lease").increment(1),
            RegistryError::Proposal(adcp_core::ProposalRefusal::HoldLost) => {
                counter!(LATE, "token" => "hold").increment(1);
            }
            RegistryError::Unavailable { .. } => counter!(ERRORS, "error" => "unavailable").increment(1),
            RegistryError::Full { .. } => counter!(ERRORS, "error" => "full").increment(1),
            RegistryError::Corrupt { .. } => counter!(ERRORS, "error" => "corrupt").increment(1),
            _ => {}
        }
    }
    result
}

/// As [`seen`], for the renewal of a task's lease: losing it is not yet a late write.
pub(crate) fn renewed(result: Result<(), RegistryError>) -> Result<(), RegistryError> {
    match result {
        Err(RegistryError::LeaseLost(_)) => {
            counter!(LOST, "of" => "task").increment(1);
            result
        }
        result => seen(result),
    }
}

pub(crate) fn issued(tool: &str) {
    counter!(ISSUED, "tool" => tool.to_owned()).increment(1);
}

pub(crate) fn discarded() {
    counter!(DISCARDED).increment(1);
}

pub(crate) fn ended(status: TaskStatus, tasks: u64) {
    counter!(ENDED, "outcome" => status.as_str()).increment(tasks);
}

pub(crate) fn rescued(tasks: &[TaskRecord]) {
    if !tasks.is_empty() {
        counter!(RESCUED).increment(tasks.len() as u64);
        ended(TaskStatus::Failed, tasks.len() as u64);
    }
}

pub(crate) fn jobs(claimed: &[TaskRecord]) {
    for job in claimed {
        counter!(JOBS, "tool" => job.tool.clone()).increment(1);
    }
}

pub(crate) fn claimed(claim: &Claim) {
    let found = match claim {
        Claim::First(_) => "first",
        Claim::InFlight => "in_flight",
        Claim::Replay(_) => "replay",
        Claim::Conflict => "conflict",
        Claim::Expired => "expired",
    };
    counter!(CLAIMS, "found" => found).increment(1);
}

fn lost(recorded: &[Recorded]) -> u64 {
    recorded.iter().filter(|recorded| **recorded == Recorded::Lost).count() as u64
}

pub(crate) fn deliveries_lost(renewed: &[Recorded]) {
    match lost(renewed) {
        0 => {}
        lost => counter!(LOST, "of" => "delivery").increment(lost),
    }
}

pub(crate) fn deliveries_refused(recorded: &[Recorded]) {
    match lost(recorded) {
        0 => {}
        lost => counter!(LATE, "token" => "delivery").increment(lost),
    }
}

pub(crate) fn forgotten(gone: &Forgotten) {
    for (kind, rows) in [
        ("task", gone.tasks),
        ("body", gone.bodies),
        ("event", gone.events),
        ("call", gone.calls),
        ("proposal", gone.proposals),
    ] {
        if rows > 0 {
            counter!(FORGOTTEN, "kind" => kind).increment(rows as u64);
        }
    }
}

pub(crate) fn stands(ages: &Ages) {
    let age = |kind: &'static str, oldest: Duration| gauge!(OLDEST, "kind" => kind).set(oldest.as_secs_f64());
    let backlog = |kind: &'static str, backlog: Backlog| {
        gauge!(ROWS, "kind" => kind).set(u32::try_from(backlog.count).map_or(f64::MAX, f64::from));
        age(kind, backlog.oldest.unwrap_or_default());
    };
    backlog("open_task", ages.open_tasks);
    backlog("overdue_task", ages.overdue_tasks);
    backlog("unresolved_call", ages.unresolved_calls);
    backlog("undelivered_event", ages.undelivered_events);
    backlog("dead_letter", ages.dead_letters);
    age("ended_task", ages.oldest_ended_task.unwrap_or_default());
    age("forgettable_call", ages.forgettable_calls);
    age("forgettable_proposal", ages.forgettable_proposals);
}
