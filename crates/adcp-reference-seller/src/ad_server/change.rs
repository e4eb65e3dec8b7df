//! Changes to a booked order: all of a change happens, or none of it.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::booking::{assign, check_money};
use super::{Cancellation, CreativeDraft, Flight, Line, Note, Order, Pacing, Reason, Refusal, Status};

/// What to change about an order; what is absent stays.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    /// The revision the buyer has seen.
    pub(crate) revision: Option<u64>,
    pub(crate) paused: Option<bool>,
    /// Calls the order off, with the reason.
    pub(crate) cancel: Option<Option<String>>,
    /// `Some(None)` means at once.
    pub(crate) start: Option<Option<Timestamp>>,
    pub(crate) end: Option<Timestamp>,
    pub(crate) lines: Vec<LineChange>,
    /// Creatives that come along, for the library.
    pub(crate) drafts: Vec<CreativeDraft>,
    /// Keys to replace in the order's note.
    pub(crate) note: Note,
    /// A start in the past becomes now instead of being refused.
    pub(crate) move_past_flights: bool,
}

/// What to change about a line.
#[derive(Clone, Debug, Default)]
pub(crate) struct LineChange {
    pub(crate) id: String,
    pub(crate) budget: Option<Decimal>,
    pub(crate) bid: Option<Decimal>,
    pub(crate) goal: Option<u64>,
    pub(crate) pacing: Option<Pacing>,
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
    pub(crate) paused: Option<bool>,
    pub(crate) cancel: Option<Option<String>>,
    /// Replaces all assignments.
    pub(crate) creatives: Option<Vec<(String, Option<Decimal>)>>,
    /// Keys to replace in the line's note.
    pub(crate) note: Note,
}

/// An order after a change.
#[derive(Clone, Debug)]
pub(crate) struct Changed {
    pub(crate) order: Order,
    pub(crate) status: Status,
    /// Ids of the lines that are different now.
    pub(crate) lines: Vec<String>,
}

/// Applies a change to a copy of an order; the caller stores the copy, or drops it.
///
/// `status` is where the order stands now. The revision goes up by one.
pub(super) fn apply(
    order: &mut Order,
    change: &Change,
    status: Status,
    now: Timestamp,
    creative: impl Fn(&str) -> Result<(), Reason>,
) -> Result<Vec<String>, Refusal> {
    if change.cancel.is_some() && status == Status::Canceled {
        return Err(Reason::AlreadyCanceled.into());
    }
    if status.is_over() {
        return Err(Reason::Over(status).into());
    }
    if let Some(seen) = change.revision
        && seen != order.revision
    {
        return Err(Reason::StaleRevision { current: order.revision }.into());
    }
    order.revision += 1;
    order.updated = now;
    if let Some(reason) = &change.cancel {
        order.canceled = Some(Cancellation { at: now, reason: reason.clone() });
        order.log(now, "canceled", None);
        return Ok(order.lines.iter().map(|line| line.id.clone()).collect());
    }
    order.note.extend(change.note.clone());
    let mut touched = Vec::new();
    if let Some(paused) = change.paused {
        order.paused = paused;
        order.log(now, if paused { "paused" } else { "resumed" }, None);
        touched = order.live_lines().map(|line| line.id.clone()).collect();
    }
    if change.start.is_some() || change.end.is_some() {
        move_flight(order, change, now)?;
        order.log(now, "dates_updated", None);
        touched = order.live_lines().map(|line| line.id.clone()).collect();
    }
    for (index, wanted) in change.lines.iter().enumerate() {
        let line = order.lines.iter_mut().find(|line| line.id == wanted.id);
        let line = line.ok_or_else(|| Refusal::on_line(index, Reason::UnknownLine))?;
        change_line(line, wanted, now, change.move_past_flights, &creative).map_err(|mut refusal| {
            refusal.line = Some(index);
            refusal
        })?;
        order.log(now, "package_updated", Some(&wanted.id));
        if !touched.contains(&wanted.id) {
            touched.push(wanted.id.clone());
        }
    }
    Ok(touched)
}

/// Moves the order's dates, and with them the lines that have none of their own.
fn move_flight(order: &mut Order, change: &Change, now: Timestamp) -> Result<(), Reason> {
    let old = order.flight();
    let start = match change.start {
        Some(start) => start.unwrap_or(now),
        None => old.start,
    };
    let flight = Flight::new(start, change.end.unwrap_or(old.end)).ok_or(Reason::FlightReversed)?;
    if flight.end <= now {
        return Err(Reason::EndPast);
    }
    if change.start.is_some() && start < now && start != old.start && !change.move_past_flights {
        return Err(Reason::StartPast);
    }
    for line in order.lines.iter_mut().filter(|line| line.canceled.is_none()) {
        if !line.own_flight {
            line.flight = flight;
        } else if line.flight.start < flight.start || line.flight.end > flight.end {
            let cut = Flight::new(line.flight.start.max(flight.start), line.flight.end.min(flight.end));
            line.flight = cut.ok_or(Reason::OutsideOrder)?;
        }
    }
    Ok(())
}

fn change_line(
    line: &mut Line,
    wanted: &LineChange,
    now: Timestamp,
    move_past: bool,
    creative: &impl Fn(&str) -> Result<(), Reason>,
) -> Result<(), Refusal> {
    if line.canceled.is_some() {
        return Err(Reason::LineCanceled.into());
    }
    if let Some(reason) = &wanted.cancel {
        line.canceled = Some(Cancellation { at: now, reason: reason.clone() });
        return Ok(());
    }
    let spent = line.delivered(now).spend;
    line.budget = wanted.budget.unwrap_or(line.budget);
    line.bid = wanted.bid.or(line.bid);
    if wanted.budget.is_some() || wanted.bid.is_some() {
        check_money(&line.price, line.budget, line.bid)?;
    }
    if line.budget < spent {
        return Err(Reason::BudgetTooLow { minimum: spent, currency: line.price.currency }.into());
    }
    line.goal = wanted.goal.or(line.goal);
    line.pacing = wanted.pacing.unwrap_or(line.pacing);
    line.paused = wanted.paused.unwrap_or(line.paused);
    if wanted.start.is_some() || wanted.end.is_some() {
        let start = wanted.start.unwrap_or(line.flight.start);
        if wanted.start.is_some() && start < now && start != line.flight.start && !move_past {
            return Err(Reason::StartPast.into());
        }
        let flight =
            Flight::new(start, wanted.end.unwrap_or(line.flight.end)).ok_or(Reason::FlightReversed)?;
        if flight.end <= now {
            return Err(Reason::EndPast.into());
        }
        (line.flight, line.own_flight) = (flight, true);
    }
    if let Some(creatives) = &wanted.creatives {
        for (item, (id, _)) in creatives.iter().enumerate() {
            creative(id).map_err(|reason| Refusal { line: None, item: Some(item), reason })?;
        }
        let old = std::mem::replace(&mut line.creatives, assign(creatives, now));
        for assignment in &mut line.creatives {
            let before = old.iter().find(|before| before.creative == assignment.creative);
            assignment.since = before.map_or(now, |before| before.since);
        }
    }
    line.note.extend(wanted.note.clone());
    Ok(())
}
