//! What an update asks for, as actions: the request compared with what it changes.

use adcp_core::Timestamp;
use adcp_types::enums::MediaBuyValidAction as Action;
use adcp_types::json::{FromJson, ToJson};
use adcp_types::media_buy::{UpdateMediaBuyRequest, package_update::PackageUpdate};
use serde_json::Value;

use super::buy::{BuyState, PackageState};

/// One thing an update changes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The narrowest action that does it.
    pub action: Action,
    /// The request field that asks for it, like `packages[0].budget`.
    pub field: String,
    /// Index of the package in the request, if the change is about one.
    pub package: Option<usize>,
}

impl Change {
    fn of_buy(action: Action, field: &str) -> Self {
        Self { action, field: field.to_owned(), package: None }
    }

    fn of_package(index: usize, action: Action, field: &str) -> Self {
        Self { action, field: format!("packages[{index}].{field}"), package: Some(index) }
    }
}

/// Everything a request changes, in its order; what it only repeats is no change.
///
/// Where the current value is not known, the coarser action is named.
pub(super) fn changes(buy: &BuyState, request: &UpdateMediaBuyRequest) -> Vec<Change> {
    if request.canceled == Some(true) {
        return vec![Change::of_buy(Action::Cancel, "canceled")];
    }
    let mut out = Vec::new();
    if let Some(paused) = request.paused
        && paused != (buy.status == "paused")
    {
        out.push(Change::of_buy(if paused { Action::Pause } else { Action::Resume }, "paused"));
    }
    if let Some(start) = &request.start_time
        && moves_start(buy, start.as_str())
    {
        out.push(Change::of_buy(Action::UpdateFlightDates, "start_time"));
    }
    if let Some(end) = &request.end_time {
        out.extend(new_end(buy.end, end).map(|action| Change::of_buy(action, "end_time")));
    }
    if request.new_packages.as_ref().is_some_and(|packages| !packages.is_empty()) {
        out.push(Change::of_buy(Action::AddPackages, "new_packages"));
    }
    let updates = request.packages.as_deref().unwrap_or_default();
    let shifted = reallocated(buy, updates);
    for (index, update) in updates.iter().enumerate() {
        package_changes(index, update, buy.package(&update.package_id), shifted, &mut out);
    }
    out
}

/// A start "as soon as possible" changes nothing once the flight has begun.
fn moves_start(buy: &BuyState, start: &str) -> bool {
    match Timestamp::parse(start) {
        Ok(start) => buy.start != Some(start),
        Err(_) => !matches!(buy.status.as_str(), "active" | "paused"),
    }
}

fn new_end(current: Option<Timestamp>, wanted: &str) -> Option<Action> {
    match (current, Timestamp::parse(wanted)) {
        (Some(current), Ok(wanted)) if wanted == current => None,
        (Some(current), Ok(wanted)) if wanted > current => Some(Action::ExtendFlight),
        (Some(_), Ok(_)) => Some(Action::ShortenFlight),
        _ => Some(Action::UpdateDates),
    }
}

fn package_changes(
    index: usize,
    update: &PackageUpdate,
    current: Option<&PackageState>,
    shifted: bool,
    out: &mut Vec<Change>,
) {
    let mut push = |action, field: &str| out.push(Change::of_package(index, action, field));
    if update.canceled == Some(true) {
        return push(Action::RemovePackages, "canceled");
    }
    if let Some(paused) = update.paused
        && current.is_none_or(|current| current.paused != paused)
    {
        push(if paused { Action::Pause } else { Action::Resume }, "paused");
    }
    if let Some(budget) = update.budget {
        match current.and_then(|current| current.budget) {
            Some(before) if before == budget => {}
            _ if shifted => push(Action::ReallocateBudget, "budget"),
            Some(before) if budget > before => push(Action::IncreaseBudget, "budget"),
            Some(_) => push(Action::DecreaseBudget, "budget"),
            None => push(Action::UpdateBudget, "budget"),
        }
    }
    if let Some(start) = &update.start_time
        && Timestamp::parse(start).ok() != current.and_then(|current| current.start)
    {
        push(Action::UpdateFlightDates, "start_time");
    }
    if let Some(end) = &update.end_time
        && let Some(action) = new_end(current.and_then(|current| current.end), end)
    {
        push(action, "end_time");
    }
    if let Some(pacing) = &update.pacing
        && current.and_then(|current| current.pacing.as_deref()) != Some(pacing.as_str())
    {
        push(Action::UpdatePacing, "pacing");
    }
    if let Some(wanted) = &update.targeting_overlay {
        let (targeting, caps) =
            new_targeting(current.and_then(|current| current.targeting.as_ref()), wanted.to_json());
        if targeting {
            push(Action::UpdateTargeting, "targeting_overlay");
        }
        if caps {
            push(Action::UpdateFrequencyCaps, "targeting_overlay.frequency_cap");
        }
    }
    for (field, given) in [
        ("keyword_targets_add", update.keyword_targets_add.is_some()),
        ("keyword_targets_remove", update.keyword_targets_remove.is_some()),
        ("negative_keywords_add", update.negative_keywords_add.is_some()),
        ("negative_keywords_remove", update.negative_keywords_remove.is_some()),
    ] {
        if given {
            push(Action::UpdateTargeting, field);
        }
    }
    if update.creatives.is_some() {
        push(Action::ReplaceCreative, "creatives");
    }
    if let Some(wanted) = &update.creative_assignments {
        let wanted: Vec<Value> = wanted.iter().map(ToJson::to_json).collect();
        let before = current.and_then(|current| current.assignments.as_deref());
        if let Some(action) = new_assignments(before, &wanted) {
            push(action, "creative_assignments");
        }
    }
    for (field, given) in [
        ("bid_price", update.bid_price.is_some()),
        ("impressions", update.impressions.is_some()),
        ("catalogs", update.catalogs.is_some()),
        ("optimization_goals", update.optimization_goals.is_some()),
    ] {
        if given {
            push(Action::UpdatePackages, field);
        }
    }
}

/// Whether targeting changes, and whether frequency caps do. An unknown overlay counts as an empty one.
fn new_targeting(before: Option<&Value>, mut wanted: Value) -> (bool, bool) {
    // Through the type and back, so that both are written in the same way.
    let read = before.and_then(|before| adcp_types::core::Targeting::from_json(before.clone()).ok());
    let mut before = read.map_or(Value::Null, |read| read.to_json());
    let take = |value: &mut Value| value.as_object_mut().and_then(|fields| fields.remove("frequency_cap"));
    let caps = take(&mut before) != take(&mut wanted);
    let empty = |value: &Value| value.as_object().is_none_or(serde_json::Map::is_empty);
    (before != wanted && !(empty(&before) && empty(&wanted)), caps)
}

/// Nothing, if the list stays; removal, if all that happens is that some are no longer in it.
fn new_assignments(before: Option<&[Value]>, wanted: &[Value]) -> Option<Action> {
    let Some(before) = before else { return Some(Action::UpdateCreativeAssignments) };
    let kept = wanted.iter().all(|one| before.contains(one));
    match kept {
        true if before.iter().all(|one| wanted.contains(one)) => None,
        true => Some(Action::RemoveCreative),
        false => Some(Action::UpdateCreativeAssignments),
    }
}

/// Whether several budgets change while their sum stays, all of them being known.
fn reallocated(buy: &BuyState, updates: &[PackageUpdate]) -> bool {
    let (mut changed, mut before, mut after) = (0, 0.0, 0.0);
    for update in updates.iter().filter(|update| update.canceled != Some(true)) {
        let Some(wanted) = update.budget else { continue };
        let Some(budget) = buy.package(&update.package_id).and_then(|package| package.budget) else {
            return false;
        };
        changed += usize::from(wanted != budget);
        before += budget;
        after += wanted;
    }
    // Sums of decimals kept as doubles: far closer than the smallest coin, never exactly equal.
    changed >= 2 && (before - after).abs() <= before.abs() * 1e-9
}
