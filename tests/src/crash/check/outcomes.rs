//! P1 and P2: every accepted task is there, ends in time, and ends once.

use std::collections::BTreeMap;

use super::{Limits, Violation};
use crate::crash::history::{About, History, Mode, Said, clock};

const P1: &str = "P1";
const P2: &str = "P2";

const ENDS: [&str; 4] = ["completed", "failed", "canceled", "rejected"];

/// A buyer was told of a task that the tables do not know.
pub(super) fn lost(history: &History) -> Vec<Violation> {
    let known = |id: &str| history.tables.tasks.iter().any(|task| task.id == id);
    let mut told: Vec<&str> = history
        .heard
        .iter()
        .filter_map(|heard| match &heard.said {
            Said::Submitted(task) => Some(task.as_str()),
            _ => None,
        })
        .collect();
    told.sort_unstable();
    told.dedup();
    let gone = told.into_iter().filter(|task| !known(task));
    gone.map(|task| Violation::new(P1, task, "was answered `submitted` and is in no table")).collect()
}

/// A task that is open, or ended too long after its own time and what was broken last before its end.
pub(super) fn late(history: &History, limits: Limits) -> Vec<Violation> {
    let mut found = Vec::new();
    for task in &history.tables.tasks {
        let order = history.orders.iter().find(|order| task.key.as_deref() == Some(order.key.as_str()));
        let work = order.map_or(0, |order| order.work);
        let planned = task.created_at + work;
        let within = if task.open_to_buyer { limits.within } else { limits.hidden };
        if !task.open_to_buyer && !task.has_ended() && task.due_at.is_some_and(|due| due > history.tables.at)
        {
            continue;
        }
        let Some(ended) = task.ended_at.filter(|_| task.has_ended()) else {
            let owner =
                task.due_at.map_or_else(|| "nobody".to_owned(), |due| format!("until {}", clock(due)));
            let words = format!("is still {} at {}, held by {owner}", task.status, clock(history.tables.at));
            found.push(Violation::new(P1, &task.id, words));
            continue;
        };
        let crashes = history.crashes.iter().map(|crash| crash.at);
        let last = crashes.filter(|at| *at <= ended).max().unwrap_or(task.created_at);
        // Whoever takes over a job does its work from the beginning.
        let again = order.filter(|order| order.mode == Mode::Job).map_or(0, |order| order.work);
        let bound = planned.max(last + again) + within;
        if ended > bound {
            let late = (ended - bound) / 1000;
            found.push(Violation::new(P1, &task.id, format!("ended {late} ms later than it may")));
        }
    }
    found
}

/// Ends that a buyer, the other system and the tables tell differently.
pub(super) fn changed(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut ends: BTreeMap<&str, (String, &str)> = BTreeMap::new();
    for heard in &history.heard {
        let (About::Task(task), Said::Status { status, result }) = (&heard.about, &heard.said) else {
            continue;
        };
        let said = format!("{status} {}", result.as_deref().unwrap_or_default());
        match ends.get(task.as_str()) {
            Some((before, _)) if *before != said => {
                let words = format!("was told as `{before}`, and at {} as `{said}`", clock(heard.at));
                found.push(Violation::new(P2, task, words));
            }
            Some(_) => {}
            None if ENDS.contains(&status.as_str()) => {
                ends.insert(task, (said, status));
            }
            None => {}
        }
    }
    for row in &history.tables.tasks {
        if let Some((said, status)) = ends.get(row.id.as_str()) {
            let order = row.media_buy.as_deref().is_none_or(|order| said.ends_with(order));
            if *status != row.status || !order {
                let words =
                    format!("was told as `{said}` and stands as `{} {:?}`", row.status, row.media_buy);
                found.push(Violation::new(P2, &row.id, words));
            }
        }
        for line in history.desk.iter().filter(|line| line.took && line.task == row.id) {
            if line.wanted != row.status {
                let words = format!("was ended as {} and stands as {}", line.wanted, row.status);
                found.push(Violation::new(P2, &row.id, words));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::{check, sample::*};
    use super::*;
    use crate::crash::history::DeskLine;

    #[test]
    fn a_sound_history_has_no_violation() {
        assert_eq!(check(&sound(), LIMITS), []);
    }

    #[test]
    fn a_lost_task_is_found() {
        let mut history = sound();
        history.tables.tasks.retain(|task| task.id != TASK);
        expect(&history, P1, TASK, "in no table");
    }

    #[test]
    fn an_open_task_is_found_with_and_without_an_owner() {
        for (due, word) in [(None, "nobody"), (Some(30 * SECOND), "until")] {
            let mut history = sound();
            let row = row(&mut history, TASK);
            (row.status, row.ended_at, row.due_at) = ("working".into(), None, due);
            history.heard.retain(|heard| !matches!(heard.said, Said::Status { .. }));
            history.tables.events.clear();
            expect(&history, P1, TASK, word);
        }
    }

    #[test]
    fn a_late_end_is_found_and_the_last_crash_before_it_counts() {
        let mut history = sound();
        row(&mut history, TASK).ended_at = Some(60 * SECOND);
        expect(&history, P1, TASK, "later than it may");
        history.crashes.push(crash(51));
        assert_eq!(check(&history, LIMITS), []);
        history.crashes.push(crash(61));
        row(&mut history, TASK).ended_at = Some(63 * SECOND);
        assert_eq!(check(&history, LIMITS), []);
    }

    #[test]
    fn two_outcomes_are_found_wherever_they_are_told() {
        let mut history = sound();
        history.heard.push(status(9, TASK, "failed", Some("SERVICE_UNAVAILABLE")));
        expect(&history, P2, TASK, "was told as");
        let mut history = sound();
        history.heard.push(status(9, TASK, "completed", Some("order-other")));
        expect(&history, P2, TASK, "was told as");
        let mut history = sound();
        history.heard.push(status(9, TASK, "working", None));
        expect(&history, P2, TASK, "was told as");
        let mut history = sound();
        row(&mut history, TASK).media_buy = Some("order-other".into());
        expect(&history, P2, TASK, "stands as");
        let mut history = sound();
        history.desk.push(DeskLine { at: 0, task: TASK.into(), wanted: "failed".into(), took: true });
        expect(&history, P2, TASK, "was ended as failed");
    }
}
