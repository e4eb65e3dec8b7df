//! The creative library of an account.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::{Note, Reason};

/// A creative in the library.
#[derive(Clone, Debug)]
pub(crate) struct Creative {
    pub(crate) id: String,
    /// Place in the order of arrival.
    pub(crate) serial: u64,
    pub(crate) account: String,
    pub(crate) name: String,
    /// A format of ours, where the creative is in one.
    pub(crate) format: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) state: CreativeState,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    /// Everything else that came with it.
    pub(crate) note: Note,
}

/// Whether a creative may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CreativeState {
    Approved,
    Archived,
}

/// A creative as it is sent in.
#[derive(Clone, Debug)]
pub(crate) struct CreativeDraft {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) format: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) note: Note,
    /// The buyer puts it away.
    pub(crate) archived: bool,
}

/// A batch of creatives and assignments.
#[derive(Clone, Debug, Default)]
pub(crate) struct CreativeSync {
    pub(crate) drafts: Vec<CreativeDraft>,
    /// Creative, line, weight.
    pub(crate) assignments: Vec<(String, String, Option<Decimal>)>,
    /// Archive what the batch does not name; ids the caller refused for its own reasons are spared.
    pub(crate) archive_missing: Option<Vec<String>>,
    /// Say what would happen, and do nothing.
    pub(crate) dry_run: bool,
}

/// What happened to one creative of a batch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SyncOutcome {
    pub(crate) id: String,
    pub(crate) action: SyncAction,
    /// Its state in the library afterwards.
    pub(crate) state: Option<CreativeState>,
    /// Names of what is different.
    pub(crate) changes: Vec<&'static str>,
    pub(crate) assigned: Vec<String>,
    /// Line, and why the creative is not on it.
    pub(crate) unassigned: BTreeMap<String, Reason>,
}

/// What a batch did with a creative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SyncAction {
    Created,
    Updated,
    Unchanged,
    Archived,
    /// The library is full.
    Refused,
}

/// The library itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Library(BTreeMap<String, Creative>);

impl Library {
    pub(crate) fn get(&self, id: &str) -> Option<&Creative> {
        self.0.get(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Creative> {
        self.0.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Puts away what is not in `named`, and says what that was.
    pub(super) fn archive_except(&mut self, named: &[String], now: Timestamp) -> Vec<String> {
        let missing = |creative: &&mut Creative| {
            creative.state != CreativeState::Archived && !named.contains(&creative.id)
        };
        let archive = |creative: &mut Creative| {
            (creative.state, creative.updated) = (CreativeState::Archived, now);
            creative.id.clone()
        };
        self.0.values_mut().filter(missing).map(archive).collect()
    }

    /// Writes one creative and says what that did.
    pub(super) fn put(
        &mut self,
        account: &str,
        draft: &CreativeDraft,
        serial: u64,
        now: Timestamp,
    ) -> (SyncAction, CreativeState, Vec<&'static str>) {
        let state = if draft.archived { CreativeState::Archived } else { CreativeState::Approved };
        let Some(known) = self.0.get_mut(&draft.id) else {
            self.0.insert(
                draft.id.clone(),
                Creative {
                    id: draft.id.clone(),
                    serial,
                    account: account.to_owned(),
                    name: draft.name.clone(),
                    format: draft.format.clone(),
                    tags: draft.tags.clone(),
                    state,
                    created: now,
                    updated: now,
                    note: draft.note.clone(),
                },
            );
            return (SyncAction::Created, state, Vec::new());
        };
        let changes: Vec<&'static str> = [
            ("name", known.name != draft.name),
            ("format_id", known.format != draft.format),
            ("tags", known.tags != draft.tags),
            ("assets", known.note.get("assets") != draft.note.get("assets")),
            ("status", known.state != state),
            ("other", known.note != draft.note && known.note.get("assets") == draft.note.get("assets")),
        ]
        .into_iter()
        .filter_map(|(name, different)| different.then_some(name))
        .collect();
        if changes.is_empty() {
            return (SyncAction::Unchanged, state, changes);
        }
        known.name.clone_from(&draft.name);
        known.format.clone_from(&draft.format);
        known.tags.clone_from(&draft.tags);
        known.note.clone_from(&draft.note);
        (known.state, known.updated) = (state, now);
        (SyncAction::Updated, state, changes)
    }
}
