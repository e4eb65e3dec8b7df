//! P3: what must be committed together is together in every snapshot of the tables.

use std::collections::BTreeMap;

use super::Violation;
use crate::crash::history::{History, Mode, Said};
use crate::crash::tables::{Tables, TaskRow};

const P3: &str = "P3";

/// What no instant may show: an end without its event, or with two; a proposal that is not where its task is.
pub(crate) fn snapshot(tables: &Tables) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut events: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in &tables.events {
        events.entry(&event.task).or_default().push(&event.status);
    }
    for task in &tables.tasks {
        let queued = events.remove(task.id.as_str()).unwrap_or_default();
        let tells = task.has_ended() && task.has_webhook && task.open_to_buyer;
        let wanted: Vec<&str> = if tells { vec![&task.status] } else { Vec::new() };
        if queued != wanted {
            let words = format!("is {} with events {queued:?} instead of {wanted:?}", task.status);
            found.push(Violation::new(P3, &task.id, words));
        }
        found.extend(purchase(tables, task));
        found.extend(firm(tables, task));
        found.extend(reply(tables, task));
    }
    found.extend(events.into_keys().map(|task| Violation::new(P3, task, "has an event and is in no table")));
    found
}

/// The reply that a repeated call gets is written with the task.
fn reply(tables: &Tables, task: &TaskRow) -> Option<Violation> {
    let has_key = task.tool == "create_media_buy";
    let key = task.key.as_deref().filter(|_| task.open_to_buyer && has_key)?;
    let state = tables.calls.iter().find(|call| call.key == key).map(|call| call.state.as_str());
    let words = || format!("was accepted, and its call is {state:?}");
    (state != Some("replied")).then(|| Violation::new(P3, &task.id, words()))
}

/// A draft is firm from the good end of its task on, and not before.
fn firm(tables: &Tables, task: &TaskRow) -> Option<Violation> {
    let id = task.finalizes.as_deref()?;
    let state = tables.proposals.iter().find(|row| row.id == id).map(|row| row.state.as_str());
    let fits = match state {
        Some("draft") => task.status != "completed",
        Some(_) => task.status == "completed",
        None => false,
    };
    let words = || format!("is {state:?} while {}, which makes it firm, is {}", task.id, task.status);
    (!fits).then(|| Violation::new(P3, id, words()))
}

fn purchase(tables: &Tables, task: &TaskRow) -> Option<Violation> {
    let id = task.purchase.as_deref()?;
    let Some(row) = tables.proposals.iter().find(|row| row.id == id) else {
        return Some(Violation::new(P3, id, format!("is held by {} and is in no table", task.id)));
    };
    let bought = task.status == "completed";
    let fits = if bought {
        row.state == "consumed" && row.media_buy == task.media_buy && task.media_buy.is_some()
    } else if task.has_ended() {
        // Somebody else may have bought it since, or may be about to.
        let mine = tables.tasks.iter().any(|other| {
            other.id != task.id
                && other.purchase.as_deref() == Some(id)
                && (!other.has_ended() || other.status == "completed")
        });
        row.state == "committed"
            || mine
            || row.held_until.is_some()
            || (row.state == "consumed" && row.media_buy.is_some())
    } else {
        row.state == "consuming" && row.held_until.is_none()
    };
    let words = || {
        let (state, of) = (&row.state, &row.media_buy);
        format!("is {state} for {of:?} while {} is {} with {:?}", task.id, task.status, task.media_buy)
    };
    (!fits).then(|| Violation::new(P3, id, words()))
}

/// What may not be left when everything has come to rest: a proposal that a task holds which has ended.
pub(super) fn at_rest(tables: &Tables) -> Vec<Violation> {
    let stuck = tables.proposals.iter().filter(|row| {
        let holds = |task: &TaskRow| !task.has_ended() && task.purchase.as_deref() == Some(row.id.as_str());
        row.state == "consuming" && row.held_until.is_none() && !tables.tasks.iter().any(holds)
    });
    stuck.map(|row| Violation::new(P3, &row.id, "is held by a task, and no open task holds it")).collect()
}

/// What buyers asked for is in the rows: the registration of a task, and the proposal that an order bought at once.
pub(super) fn registered(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    for task in &history.tables.tasks {
        let order = history.orders.iter().find(|order| task.key.as_deref() == Some(order.key.as_str()));
        let Some(order) = order else { continue };
        if order.push != task.has_webhook {
            found.push(Violation::new(P3, &task.id, "lost or found a registration"));
        }
        if order.proposal != task.purchase {
            found.push(Violation::new(P3, &task.id, "lost or found a purchase"));
        }
    }
    for order in history.orders.iter().filter(|order| order.mode == Mode::Now) {
        let Some(id) = &order.proposal else { continue };
        let bought = history.answers(&order.key).find_map(|said| match said {
            Said::Completed(bought) => Some(bought),
            _ => None,
        });
        let row = history.tables.proposals.iter().find(|row| row.id == *id);
        let fits = |bought: &String| {
            row.is_some_and(|row| row.state == "consumed" && row.media_buy.as_ref() == Some(bought))
        };
        if bought.is_some_and(|bought| !fits(bought)) {
            found.push(Violation::new(P3, &order.key, format!("bought {id}, which is {row:?}")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::{check, sample::*};
    use super::*;

    #[test]
    fn a_missing_second_or_wrong_event_is_found() {
        let mut history = sound();
        history.tables.events.clear();
        expect(&history, P3, TASK, "with events []");
        let mut history = sound();
        history.tables.events.push(event(TASK, "completed"));
        expect(&history, P3, TASK, "\"completed\", \"completed\"");
        let mut history = sound();
        history.tables.events[0].status = "failed".into();
        expect(&history, P3, TASK, "failed");
        let mut history = sound();
        history.tables.events.push(event("task_x", "failed"));
        expect(&history, P3, "task_x", "in no table");
    }

    #[test]
    fn an_event_before_its_end_is_found_in_a_snapshot() {
        let mut history = sound();
        row(&mut history, TASK).status = "working".into();
        assert!(snapshot(&history.tables).iter().any(|found| found.subject == TASK));
    }

    #[test]
    fn a_task_that_nobody_was_told_of_has_no_event() {
        let mut history = sound();
        row(&mut history, TASK).open_to_buyer = false;
        expect(&history, P3, TASK, "with events");
    }

    #[test]
    fn a_proposal_that_is_not_where_its_task_is_is_found() {
        for (state, held_until, media_buy) in
            [("committed", None, None), ("consuming", None, None), ("consumed", None, Some("order-other"))]
        {
            let mut history = sound();
            let proposal = &mut history.tables.proposals[0];
            proposal.state = state.into();
            (proposal.held_until, proposal.media_buy) = (held_until, media_buy.map(str::to_owned));
            expect(&history, P3, PROPOSAL, state);
        }
        let mut history = sound();
        history.tables.proposals.clear();
        expect(&history, P3, PROPOSAL, "in no table");
    }

    #[test]
    fn a_proposal_stays_with_its_open_task_and_is_given_back_after_a_bad_end() {
        let mut history = sound();
        let task = row(&mut history, TASK);
        (task.status, task.media_buy) = ("working".into(), None);
        history.tables.events.clear();
        history.tables.proposals[0].state = "consuming".into();
        history.tables.proposals[0].media_buy = None;
        assert_eq!(snapshot(&history.tables), []);
        history.tables.proposals[0].held_until = Some(1);
        assert_eq!(snapshot(&history.tables).len(), 1, "a task's hold has no end");
        history.tables.proposals[0].held_until = None;
        row(&mut history, TASK).status = "failed".into();
        history.tables.events.push(event(TASK, "failed"));
        assert_eq!(snapshot(&history.tables).len(), 1, "nobody holds it");
        assert_eq!(at_rest(&history.tables).len(), 1);
        history.tables.proposals[0].state = "committed".into();
        assert_eq!(snapshot(&history.tables), []);
    }

    #[test]
    fn a_draft_that_is_firm_too_early_or_not_at_all_is_found() {
        for (status, state, fits) in [
            ("working", "draft", true),
            ("failed", "draft", true),
            ("completed", "committed", true),
            ("completed", "consuming", true),
            ("working", "committed", false),
            ("failed", "committed", false),
            ("completed", "draft", false),
        ] {
            let mut history = sound();
            let mut task = TaskRow { id: "task_f".into(), status: status.into(), ..TaskRow::default() };
            task.finalizes = Some("slow-1".into());
            history.tables.tasks.push(task);
            let mut row = history.tables.proposals[0].clone();
            (row.id, row.state) = ("slow-1".into(), state.into());
            history.tables.proposals.push(row);
            let found = snapshot(&history.tables);
            assert_eq!(found.is_empty(), fits, "{status} {state}: {found:?}");
        }
    }

    #[test]
    fn a_task_whose_reply_is_not_recorded_is_found() {
        let mut history = sound();
        history.tables.calls[0].state = "running".into();
        expect(&history, P3, TASK, "running");
        history.tables.calls.clear();
        expect(&history, P3, TASK, "None");
    }

    #[test]
    fn a_lost_registration_is_found() {
        let mut history = sound();
        row(&mut history, TASK).has_webhook = false;
        history.tables.events.clear();
        history.arrivals.clear();
        expect(&history, P3, TASK, "registration");
        assert_eq!(check(&history, LIMITS).len(), 1);
    }
}
