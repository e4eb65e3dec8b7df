//! What the doctor says of any registry: its keys, and its work.

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
