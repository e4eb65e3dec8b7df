//! What the doctor says of any registry: its keys, its work, and how old that is.

use std::time::Duration;

use adcp_core::{Ages, Backlog};

use crate::doctor::Findings;

/// Whether the keys at hand, from `origin`, open the credentials that are kept.
pub(super) fn sealing(origin: Option<&str>, kept: bool, unopened: bool, findings: &mut Findings) {
    match (origin, unopened) {
        (Some(origin), true) => findings.bad(
            &format!("credentials are kept that the keys in {origin} do not open"),
            "add the key they were sealed with below the newest one",
        ),
        (None, true) => findings.bad(
            "credentials are kept, and there is no key that opens them",
            "give the key they were sealed with: --seal-key-file FILE or ADCP_SEAL_KEY",
        ),
        (Some(origin), false) => {
            let tried = if kept { "; the newest that are kept were opened" } else { "; none are kept" };
            findings.good(&format!("callback credentials are sealed, with the first key in {origin}{tried}"));
        }
        (None, false) => {
            findings.note(
                "no sealing key: callbacks with credentials are refused (--seal-key-file, ADCP_SEAL_KEY)",
            );
        }
    }
}

/// What waits, and for whom.
pub(super) fn work([open, events, overdue, fenced]: [u64; 4], findings: &mut Findings) {
    findings.note(&format!("open tasks: {open}; queued events: {events}"));
    if overdue > 0 {
        findings.note(&format!(
            "tasks past their time: {overdue}; a running agent ends them, and `adcp tasks list --open` shows them"
        ));
    }
    if fenced > 0 {
        findings.note(&format!(
            "calls without a known outcome: {fenced}; `adcp calls list` shows them, `adcp calls resolve` decides"
        ));
    }
}

/// Rows that might have been forgotten for so long show that nobody forgets.
const UNFORGOTTEN: Duration = Duration::from_secs(3600);

/// How long things wait already.
pub(super) fn ages(ages: &Ages, findings: &mut Findings) {
    let oldest = |of: &str, backlog: Backlog, findings: &mut Findings| {
        if let Some(age) = backlog.oldest {
            findings.note(&format!("the oldest {of} has waited for {}", words(age)));
        }
    };
    oldest("open task", ages.open_tasks, findings);
    oldest("call without a known outcome", ages.unresolved_calls, findings);
    oldest("event to be delivered", ages.undelivered_events, findings);
    if let Some(age) = ages.dead_letters.oldest {
        let count = ages.dead_letters.count;
        findings.note(&format!("dead letters: {count}; the oldest was given up {} ago", words(age)));
    }
    let lag = ages.forgettable_calls.max(ages.forgettable_proposals);
    if lag > UNFORGOTTEN {
        findings.note(&format!(
            "nothing was forgotten for {}: an agent does it once a minute, where one runs",
            words(lag)
        ));
    }
}

/// A time in the unit that a person would take.
fn words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_unit_a_person_would_take() {
        let cases = [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7199, "119 min"),
            (7200, "2 h"),
            (172_800, "2 days"),
        ];
        for (seconds, want) in cases {
            assert_eq!(words(Duration::from_secs(seconds)), want);
        }
    }
}
