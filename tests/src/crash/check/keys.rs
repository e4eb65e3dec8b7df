//! P6: a key runs the seller's code once, and everything said about it agrees.

use std::collections::BTreeMap;

use super::{Limits, Violation};
use crate::crash::history::{About, History, Micros, Mode, RunLine, Said, clock};

const P6: &str = "P6";

/// The part of the journal that may begin again.
const JOB: &str = "job";

/// How often a job is begun.
const ATTEMPTS: usize = adcp_core::DEFAULT_JOB_ATTEMPTS as usize;

/// The longest that a replica takes to stop, in microseconds.
const SLOWEST_STOP: Micros = 30_000_000;

/// Codes that say nothing about the order: the buyer may ask again.
pub(crate) const PASSING: [&str; 3] = ["IDEMPOTENCY_IN_FLIGHT", "SERVICE_UNAVAILABLE", "RATE_LIMITED"];

/// Answers to one key that contradict each other, and orders without any.
pub(super) fn answers(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    for order in history.orders.iter().filter(|order| order.mode != Mode::Firm) {
        let mut first: Option<&Said> = None;
        let (mut last, mut answered) = (None, false);
        let mut say = |words: String| found.push(Violation::new(P6, &order.key, words));
        for heard in &history.heard {
            let About::Order { key, altered } = &heard.about else { continue };
            if *key != order.key {
                continue;
            }
            let resolved = history.resolved.iter().any(|line| line.key == *key && line.at <= heard.at);
            match (&heard.said, first) {
                (Said::Submitted(_) | Said::Completed(_), _) if *altered => {
                    say(format!("took another payload at {}: {}", clock(heard.at), heard.said.words()));
                }
                (said @ (Said::Submitted(_) | Said::Completed(_)), Some(before)) if said != before => {
                    let words = format!("answered {} first and {} then", before.words(), said.words());
                    say(words);
                }
                (said @ (Said::Submitted(_) | Said::Completed(_)), None) => first = Some(said),
                (Said::Refused(code), Some(before))
                    if !altered && !resolved && code != "SERVICE_UNAVAILABLE" =>
                {
                    say(format!("answered {} first and {code} then", before.words()));
                }
                _ => {}
            }
            if !altered {
                last = Some(&heard.said);
                answered |= match &heard.said {
                    Said::Submitted(_) | Said::Completed(_) => true,
                    Said::Refused(code) => !PASSING.contains(&code.as_str()),
                    _ => false,
                };
            }
        }
        if let Some(last) = last.filter(|_| !answered) {
            say(format!("was never answered; last: {}", last.words()));
        }
    }
    found
}

/// Seller's code that ran twice for a key without a reason.
pub(super) fn runs(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut parts: BTreeMap<(&str, &str), Vec<&RunLine>> = BTreeMap::new();
    for line in history.runs.iter().filter(|line| line.part != JOB) {
        parts.entry((&line.key, &line.part)).or_default().push(line);
    }
    for ((key, part), mut lines) in parts {
        // By run, in the order of their beginnings: two replicas write into one file, each line when it is due.
        lines.sort_by_key(|line| line.at);
        let starts: Vec<&&RunLine> = lines.iter().filter(|line| line.starts).collect();
        for pair in starts.windows(2) {
            let [before, again] = pair else { continue };
            let end = lines.iter().find(|line| !line.starts && line.run == before.run && line.at <= again.at);
            let released = released_between(history, key, before.at, again.at);
            let words = match (end, part) {
                (None, _) if !released => "while the run before had no known end",
                (Some(end), "work") if end.how.as_deref() != Some("released") => {
                    "although its task has one run"
                }
                (Some(end), _) if end.how.as_deref() == Some("done") && !released => "after it was done",
                (Some(end), "decide")
                    if end.how.as_deref() == Some("handoff")
                        && !released
                        && kept(history, before, again.at) =>
                {
                    "after it became a task"
                }
                _ => continue,
            };
            let words = format!("{part} of {} began again as {} {words}", before.run, again.run);
            found.push(Violation::new(P6, key, words));
        }
    }
    found
}

/// Jobs that ran twice at once, or more often than they may. One that a crash cut short begins again, once its lease
/// is over.
pub(super) fn jobs(history: &History, limits: Limits) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut of: BTreeMap<&str, Vec<&RunLine>> = BTreeMap::new();
    for line in history.runs.iter().filter(|line| line.part == JOB && line.starts) {
        of.entry(line.task.as_deref().unwrap_or_default()).or_default().push(line);
    }
    for (task, mut starts) in of {
        starts.sort_by_key(|line| line.at);
        for pair in starts.windows(2) {
            let [before, again] = pair else { continue };
            let ended =
                history.runs.iter().any(|line| !line.starts && line.run == before.run && line.at <= again.at);
            // The lease began before the run did: half of it is left on a slow machine, too.
            if !ended && again.at - before.at < limits.lease / 2 {
                let words = format!("began as {} while {} still held it", again.run, before.run);
                found.push(Violation::new(P6, task, words));
            }
        }
        // An attempt that a replica gave up because it was told to stop does not count.
        let during = |at: Micros| starts.iter().any(|line| line.at <= at && at <= line.at + SLOWEST_STOP);
        let given_up = history.crashes.iter().filter(|crash| crash.orderly && during(crash.at)).count();
        if starts.len() > ATTEMPTS + given_up {
            found.push(Violation::new(P6, task, format!("was begun {} times", starts.len())));
        }
    }
    found
}

/// Whether a run became a task that is there: code ran for it before the next run.
fn kept(history: &History, run: &RunLine, until: Micros) -> bool {
    let mut meanwhile =
        history.runs.iter().filter(|line| line.key == run.key && line.at >= run.at && line.at <= until);
    let task = meanwhile.find_map(|line| line.task.as_deref());
    task.is_some_and(|task| history.tables.tasks.iter().any(|row| row.id == task))
}

/// Two tasks of one key, which no operator asked for.
pub(super) fn tasks(history: &History) -> Vec<Violation> {
    let mut of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for task in &history.tables.tasks {
        if let Some(key) = &task.key {
            of.entry(key).or_default().push(&task.id);
        }
    }
    let twice = of
        .into_iter()
        .filter(|(key, tasks)| tasks.len() > 1 && !released_between(history, key, Micros::MIN, Micros::MAX));
    twice.map(|(key, tasks)| Violation::new(P6, key, format!("became several tasks: {tasks:?}"))).collect()
}

fn released_between(history: &History, key: &str, from: Micros, to: Micros) -> bool {
    history.resolved.iter().any(|line| line.key == key && line.released && line.at >= from && line.at <= to)
}

impl History {
    /// What buyers were told about an order, without what they were told about other payloads.
    pub(super) fn answers<'a>(&'a self, of: &'a str) -> impl Iterator<Item = &'a Said> {
        self.heard.iter().filter_map(move |heard| match &heard.about {
            About::Order { key, altered: false } if key == of => Some(&heard.said),
            _ => None,
        })
    }
}

impl Said {
    fn words(&self) -> String {
        match self {
            Self::Submitted(task) => format!("submitted {task}"),
            Self::Completed(order) => format!("completed {order}"),
            Self::Refused(code) => code.clone(),
            Self::Silent(why) => format!("nothing ({why})"),
            Self::Status { status, .. } => status.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{check, sample::*};
    use super::*;
    use crate::crash::history::{Crash, Resolved};
    use crate::crash::tables::TaskRow;

    fn released(at: Micros) -> Resolved {
        Resolved { at: at * SECOND, key: KEY.into(), released: true }
    }

    #[test]
    fn a_run_beside_an_unfinished_one_is_found_unless_an_operator_asked_for_it() {
        let mut history = sound();
        history.runs.insert(0, run(0, true, "decide", "9-1", None));
        expect(&history, P6, KEY, "no known end");
        history.resolved.push(released(0));
        assert_eq!(check(&history, LIMITS), []);
    }

    #[test]
    fn a_run_at_the_same_time_as_another_is_found() {
        let mut history = sound();
        history.runs.push(run(1, true, "decide", "9-1", None));
        history.runs.push(run(3, false, "decide", "9-1", Some("handoff")));
        expect(&history, P6, KEY, "began again");
    }

    #[test]
    fn a_run_after_a_handoff_or_a_success_is_found() {
        let mut history = sound();
        history.runs.push(run(8, true, "decide", "9-1", None));
        expect(&history, P6, KEY, "after it became a task");
        let mut history = sound();
        history.runs.extend([run(8, true, "work", "9-1", Some(TASK))]);
        expect(&history, P6, KEY, "one run");
        let mut history = sound();
        history.runs[1].how = Some("done".into());
        history.runs.push(run(8, true, "decide", "9-1", None));
        expect(&history, P6, KEY, "after it was done");
    }

    #[test]
    fn a_run_after_an_error_is_the_buyers_right() {
        let mut history = sound();
        history.runs.insert(0, run(0, true, "decide", "9-1", None));
        history.runs.insert(1, run(0, false, "decide", "9-1", Some("error")));
        assert_eq!(check(&history, LIMITS), []);
    }

    #[test]
    fn a_job_that_begins_again_within_its_lease_or_too_often_is_found() {
        let with = |starts: &[(Micros, bool)]| {
            let mut history = sound();
            history.runs.truncate(2);
            for (number, (at, ends)) in starts.iter().enumerate() {
                let name = format!("7-{}", number + 10);
                history.runs.push(run(*at, true, JOB, &name, Some(TASK)));
                if *ends {
                    history.runs.push(run(*at, false, JOB, &name, Some("again")));
                }
            }
            history
        };
        assert_eq!(check(&with(&[(2, false), (5, true), (5, false), (8, true)]), LIMITS), []);
        expect(&with(&[(2, false), (2, true)]), P6, TASK, "still held it");
        let often: Vec<(Micros, bool)> = (0..6).map(|at| (at * 3, true)).collect();
        let mut history = with(&often);
        expect(&history, P6, TASK, "6 times");
        history.crashes.push(Crash { orderly: true, ..crash(4) });
        assert_eq!(check(&history, LIMITS), []);
    }

    #[test]
    fn answers_that_differ_and_answers_to_another_payload_are_found() {
        let mut history = sound();
        history.heard.push(told(9, KEY, false, Said::Submitted("task_other".into())));
        history.tables.tasks.push(TaskRow {
            id: "task_other".into(),
            status: "failed".into(),
            ended_at: Some(9 * SECOND),
            ..TaskRow::default()
        });
        expect(&history, P6, KEY, "submitted task_other then");
        let mut history = sound();
        history.heard.push(told(9, KEY, true, Said::Submitted(TASK.into())));
        expect(&history, P6, KEY, "another payload");
        let mut history = sound();
        history.heard.push(told(9, KEY, false, Said::Refused("IDEMPOTENCY_IN_FLIGHT".into())));
        expect(&history, P6, KEY, "then");
        let mut history = sound();
        history.heard.push(told(9, KEY, true, Said::Refused("IDEMPOTENCY_CONFLICT".into())));
        assert_eq!(check(&history, LIMITS), []);
    }

    #[test]
    fn an_order_without_an_answer_is_found() {
        let mut history = sound();
        history.heard.retain(|heard| !matches!(heard.said, Said::Submitted(_)));
        history.heard.push(told(9, KEY, false, Said::Silent("reset".into())));
        expect(&history, P6, KEY, "never answered");
    }

    #[test]
    fn two_tasks_of_one_key_are_found() {
        let mut history = sound();
        let mut twin = row(&mut history, TASK).clone();
        (twin.id, twin.status, twin.has_webhook) = ("task_2".into(), "failed".into(), true);
        history.tables.events.push(event("task_2", "failed"));
        history.tables.tasks.push(twin);
        expect(&history, P6, KEY, "several tasks");
    }
}
