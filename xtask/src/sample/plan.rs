//! The choices that make one sample.

use std::collections::{BTreeMap, BTreeSet};

use super::Spot;

/// How to decide wherever a schema leaves a choice.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    /// Levels down to which optional fields are filled in; 0 for none.
    pub(super) full: usize,
    /// Places that must be visited, as `file#pointer`.
    pub(super) route: BTreeSet<String>,
    /// Which value of an enumeration to take, by its place.
    pub(super) value: Option<(String, usize)>,
    /// Which type to take where several are allowed, by the place of the schema.
    pub(super) kind: Option<(String, String)>,
    /// Fields to add, by the pointer of their object.
    pub(super) added: BTreeMap<String, BTreeSet<String>>,
    /// Fields to leave out, by the pointer of their object.
    pub(super) omitted: BTreeMap<String, BTreeSet<String>>,
    /// Counts up when the choices so far did not work out.
    pub(super) attempt: u64,
    /// Makes samples differ.
    pub(super) seed: u64,
}

impl Plan {
    /// Whether the sample has to pass through the schema at `spot`.
    pub(super) fn visits(&self, spot: &Spot) -> bool {
        !self.route.is_empty() && self.route.contains(&spot.to_string())
    }

    pub(super) fn adds(&self, place: &str, name: &str) -> bool {
        self.added.get(place).is_some_and(|names| names.contains(name))
    }

    pub(super) fn omits(&self, place: &str, name: &str) -> bool {
        self.omitted.get(place).is_some_and(|names| names.contains(name))
    }
}
