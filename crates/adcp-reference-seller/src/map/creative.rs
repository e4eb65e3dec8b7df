//! Creatives: batches into the library, rows out of it.

use std::collections::BTreeMap;

use adcp_core::AdcpError;
use adcp_types::ErrorCode;
use adcp_types::core::{self, CreativeAsset, CreativeFilters, FormatId};
use adcp_types::creative::list_creatives_response::{
    AssignedPackage, Assignments, Creative as Row, QuerySummary, SortApplied,
};
use adcp_types::creative::sync_creatives_response::Creative as Synced;
use adcp_types::creative::{ListCreativesRequest, ListCreativesResponse, SyncCreativesRequest};
use adcp_types::enums::{
    CreativeAction, CreativeSortField, CreativeStatus, SnapshotUnavailableReason, SortDirection,
    ValidationMode,
};
use adcp_types::json::{FromJson, Loose};
use serde_json::Value;

use crate::ad_server::{
    Catalog, Creative, CreativeDraft, CreativeState, CreativeSync, Placed, SyncAction, SyncOutcome,
};

use super::amount::{decimal, time};
use super::error::words;
use super::page::{Direction, Place, page};
use super::{Shelf, note};

/// Assignments of one call, at most.
const MOST_ASSIGNMENTS: usize = 1000;

/// Parts of a creative that have a place of their own in the library.
const OWN: &[&str] = &["creative_id", "name", "tags", "status", "weight"];

/// Reads one creative; `field` says where it stands in the request.
///
/// Formats of other agents are kept as they are; a format under our own address must exist.
pub(crate) fn draft(
    asset: &CreativeAsset,
    field: &str,
    catalog: &Catalog,
    shelf: &Shelf,
) -> Result<CreativeDraft, AdcpError> {
    let format = match &asset.format_id {
        Some(id) => shelf.own_format(id),
        None => {
            let kind = asset.format_kind.as_ref().map_or("", |kind| kind.as_str());
            catalog.formats().iter().find(|format| format.kind == kind).map(|format| format.id.as_str())
        }
    };
    if asset.format_id.is_some() && format.is_some_and(|id| catalog.format(id).is_none()) {
        return Err(AdcpError::new(ErrorCode::REFERENCE_NOT_FOUND, "there is no such format")
            .with_field(format!("{field}.format_id"))
            .with_suggestion("choose a format from list_creative_formats"));
    }
    Ok(CreativeDraft {
        id: asset.creative_id.clone(),
        name: asset.name.clone(),
        format: format.map(str::to_owned),
        tags: asset.tags.clone().unwrap_or_default(),
        archived: asset.status == Some(CreativeStatus::Archived),
        note: note::except(asset, OWN),
    })
}

/// A batch, and the creatives of it that cannot be taken.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) sync: CreativeSync,
    /// Each refused creative's place among the answers, its id and why.
    pub(crate) refused: Vec<(usize, String, AdcpError)>,
    /// Required pieces of a format that a creative lacks, by creative.
    warnings: BTreeMap<String, Vec<String>>,
    /// One refusal keeps the whole batch out.
    strict: bool,
}

/// Reads a batch.
pub(crate) fn batch(
    req: &SyncCreativesRequest,
    catalog: &Catalog,
    shelf: &Shelf,
) -> Result<Batch, AdcpError> {
    let delete_missing = req.delete_missing.unwrap_or_default();
    if delete_missing && req.creative_ids.is_some() {
        let message = "delete_missing is about the whole library and cannot be limited to creative_ids";
        return Err(AdcpError::invalid_request("delete_missing", message));
    }
    let mut batch = Batch {
        sync: CreativeSync { dry_run: req.dry_run.unwrap_or_default(), ..CreativeSync::default() },
        refused: Vec::new(),
        warnings: BTreeMap::new(),
        strict: req.validation_mode != Some(ValidationMode::Lenient),
    };
    let chosen =
        |asset: &CreativeAsset| req.creative_ids.as_ref().is_none_or(|ids| ids.contains(&asset.creative_id));
    for (index, asset) in req.creatives.iter().enumerate().filter(|(_, asset)| chosen(asset)) {
        match draft(asset, &format!("creatives[{index}]"), catalog, shelf) {
            Ok(draft) => {
                let missing = missing_pieces(&draft, asset, catalog);
                if !missing.is_empty() {
                    batch.warnings.insert(draft.id.clone(), missing);
                }
                batch.sync.drafts.push(draft);
            }
            Err(error) => batch.refused.push((
                batch.sync.drafts.len() + batch.refused.len(),
                asset.creative_id.clone(),
                error,
            )),
        }
    }
    super::booking::bounded("assignments", req.assignments.as_ref().map_or(0, Vec::len), MOST_ASSIGNMENTS)?;
    batch.sync.assignments = req
        .assignments
        .iter()
        .flatten()
        .map(|one| (one.creative_id.clone(), one.package_id.clone(), one.weight.and_then(decimal)))
        .collect();
    if delete_missing {
        batch.sync.archive_missing = Some(batch.refused.iter().map(|(_, id, _)| id.clone()).collect());
    }
    if batch.holds_back() {
        batch.sync.dry_run = true;
    }
    Ok(batch)
}

/// Pieces that the format asks for. Said, not refused: the ad can still be completed.
fn missing_pieces(draft: &CreativeDraft, asset: &CreativeAsset, catalog: &Catalog) -> Vec<String> {
    let Some(format) = draft.format.as_deref().and_then(|id| catalog.format(id)) else { return Vec::new() };
    let missing = format.assets.iter().filter(|slot| slot.required && !asset.assets.contains_key(&slot.id));
    missing.map(|slot| format!("{} asks for the asset `{}`", format.name, slot.id)).collect()
}

impl Batch {
    fn holds_back(&self) -> bool {
        self.strict && !self.refused.is_empty()
    }

    /// What is answered about each creative, in the order of the request.
    pub(crate) fn answers(mut self, outcomes: Vec<SyncOutcome>) -> Vec<Synced> {
        let held_back = self.holds_back();
        let mut answers: Vec<Synced> = outcomes
            .into_iter()
            .map(|outcome| if held_back { held(&outcome.id) } else { synced(outcome) })
            .collect();
        for answer in &mut answers {
            answer.warnings = self.warnings.remove(&answer.creative_id);
        }
        for (place, id, error) in self.refused {
            answers.insert(place.min(answers.len()), failed(&id, &error));
        }
        answers
    }
}

fn synced(outcome: SyncOutcome) -> Synced {
    let action = match outcome.action {
        SyncAction::Created => CreativeAction::Created,
        SyncAction::Updated => CreativeAction::Updated,
        SyncAction::Unchanged => CreativeAction::Unchanged,
        SyncAction::Archived => CreativeAction::Deleted,
        SyncAction::Refused => return failed(&outcome.id, &AdcpError::unavailable()),
    };
    // An assignment of a creative that is not in the library.
    if action == CreativeAction::Unchanged && outcome.state.is_none() {
        let error = AdcpError::new(ErrorCode::CREATIVE_NOT_FOUND, "no such creative")
            .with_field("assignments")
            .with_suggestion("send the creative itself, in this call or before");
        return failed(&outcome.id, &error);
    }
    let mut synced = Synced::new(outcome.id, action);
    synced.status = outcome.state.map(status);
    synced.changes =
        (!outcome.changes.is_empty()).then(|| outcome.changes.iter().map(|&name| name.to_owned()).collect());
    synced.assigned_to = (!outcome.assigned.is_empty()).then_some(outcome.assigned);
    synced.assignment_errors = (!outcome.unassigned.is_empty()).then(|| {
        outcome.unassigned.into_iter().map(|(line, why)| (line, Loose::Typed(words(&why)))).collect()
    });
    synced
}

fn failed(id: &str, error: &AdcpError) -> Synced {
    Synced::new(id, CreativeAction::Failed).with_errors(vec![wire(error)])
}

fn held(id: &str) -> Synced {
    let error = AdcpError::new(ErrorCode::VALIDATION_ERROR, "another creative of this request is invalid")
        .with_field("validation_mode")
        .with_suggestion("correct the other creative, or choose the validation mode `lenient`");
    failed(id, &error)
}

/// An error inside an answer.
pub(crate) fn wire(error: &AdcpError) -> core::Error {
    core::Error::from_json(Value::Object(error.to_json())).expect("an error has a code and a message")
}

fn status(state: CreativeState) -> CreativeStatus {
    match state {
        CreativeState::Approved => CreativeStatus::Approved,
        CreativeState::Archived => CreativeStatus::Archived,
    }
}

/// Lists creatives that a request asks for.
pub(crate) fn list(
    rows: Vec<(Creative, Vec<Placed>)>,
    accounts: Option<&[String]>,
    shelf: &Shelf,
    req: &ListCreativesRequest,
) -> Result<ListCreativesResponse, AdcpError> {
    let none = CreativeFilters::new();
    let filters = req.filters.as_deref().unwrap_or(&none);
    let times = Times::read(filters)?;
    let rows: Vec<(Creative, Vec<Placed>)> = rows
        .into_iter()
        .filter(|(creative, places)| {
            accounts.is_none_or(|accounts| accounts.contains(&creative.account))
                && wanted(creative, places, filters, shelf)
                && times.admit(creative)
        })
        .collect();
    let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let field =
        req.sort.as_ref().and_then(|sort| sort.field.clone()).unwrap_or(CreativeSortField::CreatedDate);
    let order = req.sort.as_ref().and_then(|sort| sort.direction.clone()).unwrap_or(SortDirection::Desc);
    let direction = if order == SortDirection::Asc { Direction::Up } else { Direction::Down };
    let (rows, pagination) = page(rows, |row| place(row, &field), direction, req.pagination.as_ref())?;
    let mut summary = QuerySummary::new(total, i64::try_from(rows.len()).unwrap_or(i64::MAX))
        .with_sort_applied(SortApplied::new().with_field(field.as_str()).with_direction(order));
    if let Some(filters) = &req.filters {
        summary.filters_applied =
            Some(note::except(filters.as_ref(), &[]).into_iter().map(|(name, _)| name).collect());
    }
    let with_places = req.include_assignments.unwrap_or(true);
    let no_snapshots =
        (req.include_snapshot == Some(true)).then_some(SnapshotUnavailableReason::SnapshotUnsupported);
    let creatives = rows.iter().map(|(creative, places)| {
        let mut row = row(creative, with_places.then_some(places), shelf);
        row.snapshot_unavailable_reason.clone_from(&no_snapshots);
        row
    });
    let creatives = creatives.collect();
    Ok(ListCreativesResponse::new(summary, pagination, creatives))
}

fn place((creative, places): &(Creative, Vec<Placed>), field: &CreativeSortField) -> Place {
    let sorted_by = match field {
        CreativeSortField::UpdatedDate => format!("{:020}", creative.updated.as_microsecond()),
        CreativeSortField::Name => creative.name.clone(),
        CreativeSortField::Status => status(creative.state).as_str().to_owned(),
        CreativeSortField::AssignmentCount => format!("{:020}", places.len()),
        _ => format!("{:020}", creative.created.as_microsecond()),
    };
    (sorted_by, creative.serial)
}

fn wanted(creative: &Creative, places: &[Placed], filters: &CreativeFilters, shelf: &Shelf) -> bool {
    let all = |tags: &Vec<String>| tags.iter().all(|tag| creative.tags.contains(tag));
    let any = |tags: &Vec<String>| tags.iter().any(|tag| creative.tags.contains(tag));
    let shown = status(creative.state);
    let by_status = |statuses: &Vec<CreativeStatus>| statuses.contains(&shown);
    let text = |part: &String| creative.name.to_lowercase().contains(&part.to_lowercase());
    let format = format_of(creative, shelf);
    let formats = |ids: &Vec<FormatId>| {
        ids.iter().any(|id| {
            id.id == format.id
                && (id.agent_url == format.agent_url || shelf.is_own(id) && shelf.is_own(&format))
        })
    };
    filters.creative_ids.as_ref().is_none_or(|ids| ids.contains(&creative.id))
        && filters.statuses.as_ref().map_or(creative.state != CreativeState::Archived, by_status)
        && filters.tags.as_ref().is_none_or(all)
        && filters.tags_any.as_ref().is_none_or(any)
        && filters.name_contains.as_ref().is_none_or(text)
        && filters.format_ids.as_ref().is_none_or(formats)
        && filters
            .assigned_to_packages
            .as_ref()
            .is_none_or(|ids| places.iter().any(|place| ids.contains(&place.line)))
        && filters
            .media_buy_ids
            .as_ref()
            .is_none_or(|ids| places.iter().any(|place| ids.contains(&place.order)))
        && filters.unassigned.is_none_or(|unassigned| unassigned == places.is_empty())
        && filters.has_variables != Some(true)
        && filters.concept_ids.is_none()
}

/// The bounds of time in a filter.
struct Times {
    created: (Option<jiff::Timestamp>, Option<jiff::Timestamp>),
    updated: (Option<jiff::Timestamp>, Option<jiff::Timestamp>),
}

impl Times {
    fn read(filters: &CreativeFilters) -> Result<Self, AdcpError> {
        let read = |text: &Option<String>, name: &str| {
            text.as_deref().map(|text| time(text, format!("filters.{name}"))).transpose()
        };
        Ok(Self {
            created: (
                read(&filters.created_after, "created_after")?,
                read(&filters.created_before, "created_before")?,
            ),
            updated: (
                read(&filters.updated_after, "updated_after")?,
                read(&filters.updated_before, "updated_before")?,
            ),
        })
    }

    fn admit(&self, creative: &Creative) -> bool {
        let within = |(after, before): (Option<jiff::Timestamp>, Option<jiff::Timestamp>), at| {
            after.is_none_or(|after| at > after) && before.is_none_or(|before| at < before)
        };
        within(self.created, creative.created) && within(self.updated, creative.updated)
    }
}

/// The format a creative is shown with: the one it came with, else ours of its kind.
fn format_of(creative: &Creative, shelf: &Shelf) -> FormatId {
    note::recall(&creative.note, "format_id").unwrap_or_else(|| {
        let kind = creative.note.get("format_kind").and_then(Value::as_str).unwrap_or("custom");
        shelf.format_id(creative.format.as_deref().unwrap_or(kind))
    })
}

fn row(creative: &Creative, places: Option<&Vec<Placed>>, shelf: &Shelf) -> Row {
    let mut row = Row::new(
        &creative.id,
        &creative.name,
        format_of(creative, shelf),
        status(creative.state),
        creative.created.to_string(),
        creative.updated.to_string(),
    );
    row.tags = (!creative.tags.is_empty()).then(|| creative.tags.clone());
    row.assets = note::recall(&creative.note, "assets");
    row.assignments = places.map(|places| {
        let packages = places.iter().map(|place| AssignedPackage::new(&place.line, place.since.to_string()));
        Assignments::new(i64::try_from(places.len()).unwrap_or(i64::MAX))
            .with_assigned_packages(packages.collect())
    });
    row
}
