//! The actions on a media buy: one table for what is offered and for what is accepted.

use adcp_types::core::{MediaBuyAvailableAction, ProductAllowedAction};
use adcp_types::enums::{MediaBuyActionMode, MediaBuyValidAction};

use super::MEDIA_BUY;

/// An action, and what it does.
struct Row {
    action: &'static str,
    /// Coarser names that include it, narrowest first.
    broader: &'static [&'static str],
    effect: Effect,
}

/// What an action does to the status of a media buy.
enum Effect {
    /// It leads to another status, so the graph of media buys says from where.
    Moves(&'static str),
    /// It changes something else, which needs no more than a media buy that has not ended.
    Keeps,
}

const BUDGET: &[&str] = &["update_budget", "update_packages"];
const DATES: &[&str] = &["update_dates", "update_packages"];
const CREATIVES: &[&str] = &["sync_creatives", "update_packages"];
const PACKAGES: &[&str] = &["update_packages"];

const fn moves(action: &'static str, to: &'static str) -> Row {
    Row { action, broader: &[], effect: Effect::Moves(to) }
}

const fn keeps(action: &'static str, broader: &'static [&'static str]) -> Row {
    Row { action, broader, effect: Effect::Keeps }
}

/// Spec: `enums/media-buy-valid-action.json`.
const ROWS: [Row; 21] = [
    moves("pause", "paused"),
    moves("resume", "active"),
    moves("cancel", "canceled"),
    keeps("extend_flight", DATES),
    keeps("shorten_flight", DATES),
    keeps("update_flight_dates", DATES),
    keeps("increase_budget", BUDGET),
    keeps("decrease_budget", BUDGET),
    keeps("reallocate_budget", BUDGET),
    keeps("update_targeting", PACKAGES),
    keeps("update_pacing", PACKAGES),
    keeps("update_frequency_caps", &["update_targeting", "update_packages"]),
    keeps("replace_creative", CREATIVES),
    keeps("update_creative_assignments", CREATIVES),
    keeps("remove_creative", CREATIVES),
    keeps("add_packages", PACKAGES),
    keeps("remove_packages", PACKAGES),
    keeps("update_budget", PACKAGES),
    keeps("update_dates", PACKAGES),
    keeps("update_packages", &[]),
    keeps("sync_creatives", PACKAGES),
];

/// The names under which an action may be offered: itself, then the coarser ones that include it.
#[must_use]
pub fn candidates(action: &MediaBuyValidAction) -> Vec<MediaBuyValidAction> {
    let broader = row(action).map_or(&[][..], |row| row.broader);
    std::iter::once(action.clone()).chain(broader.iter().map(|name| (*name).into())).collect()
}

/// What a buyer can ask for now, of a media buy in `status` whose product allows `allowed`.
///
/// A product that says nothing about actions (`None`) allows all of them, without asking anybody. One that
/// does is taken at its word, as far as the status goes: nothing is paused that does not run. The mode is
/// the most direct of those the product names. An unknown or terminal status offers nothing.
///
/// Spec: `core/product-allowed-action.json`, `core/media-buy-available-action.json`.
#[must_use]
pub fn available_actions(
    status: &str,
    allowed: Option<&[ProductAllowedAction]>,
) -> Vec<MediaBuyAvailableAction> {
    resolve(status, allowed, &|action| fits(status, action))
}

/// The bare names of available actions, for buyers of earlier versions: those that need nobody's approval.
#[must_use]
pub fn valid_actions(available: &[MediaBuyAvailableAction]) -> Vec<MediaBuyValidAction> {
    available.iter().filter(|entry| is_direct(&entry.mode)).map(|entry| entry.action.clone()).collect()
}

/// As [`available_actions`], with another opinion about what fits the status.
pub(super) fn resolve(
    status: &str,
    allowed: Option<&[ProductAllowedAction]>,
    fits: &dyn Fn(&MediaBuyValidAction) -> bool,
) -> Vec<MediaBuyAvailableAction> {
    let Some(allowed) = allowed else {
        let all = ROWS.iter().map(|row| MediaBuyValidAction::from(row.action)).filter(|action| fits(action));
        return all
            .map(|action| MediaBuyAvailableAction::new(action, MediaBuyActionMode::SelfServe))
            .collect();
    };
    let at_this_status = |entry: &&ProductAllowedAction| {
        let listed = entry.allowed_statuses.as_ref();
        listed.is_none_or(|listed| listed.iter().any(|one| one.as_str() == status)) && fits(&entry.action)
    };
    let offer = |entry: &ProductAllowedAction| {
        let mode = entry.modes.iter().min_by_key(|mode| rank(mode))?;
        let mut offer = MediaBuyAvailableAction::new(entry.action.clone(), mode.clone());
        offer.sla.clone_from(&entry.sla);
        offer.terms_ref.clone_from(&entry.terms_ref);
        Some(offer)
    };
    allowed.iter().filter(at_this_status).filter_map(offer).collect()
}

/// Whether a media buy in `status` can take an action at all, whatever its products allow.
pub(super) fn fits(status: &str, action: &MediaBuyValidAction) -> bool {
    match row(action).map(|row| &row.effect) {
        Some(Effect::Moves(to)) => MEDIA_BUY.edge(status, to).is_some(),
        Some(Effect::Keeps) | None => MEDIA_BUY.state(status).is_some_and(|state| !state.terminal),
    }
}

/// Whether a buyer can just do it.
pub(super) fn is_direct(mode: &MediaBuyActionMode) -> bool {
    matches!(mode, MediaBuyActionMode::SelfServe | MediaBuyActionMode::ConditionalSelfServe)
}

/// Modes in order, the most direct first; one we do not know may ask for anything.
pub(super) fn rank(mode: &MediaBuyActionMode) -> u8 {
    match mode {
        MediaBuyActionMode::SelfServe => 0,
        MediaBuyActionMode::ConditionalSelfServe => 1,
        MediaBuyActionMode::RequiresApproval => 2,
        _ => 3,
    }
}

fn row(action: &MediaBuyValidAction) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.action == action.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_action_of_the_schema_and_names_no_other() {
        let names: Vec<&str> = ROWS.iter().map(|row| row.action).collect();
        assert_eq!(names, MediaBuyValidAction::VALUES);
        for row in &ROWS {
            assert!(row.broader.iter().all(|name| names.contains(name)), "{}", row.action);
            if let Effect::Moves(to) = row.effect {
                assert!(MEDIA_BUY.state(to).is_some(), "{to}");
            }
        }
    }
}
