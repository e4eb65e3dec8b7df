//! Patterns and formats on single strings, asked of the engine.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use jsonschema::Draft;
use serde_json::{Value, json};

/// Whether the text is a UUID in its usual form: five groups of hexadecimal digits.
pub(super) fn is_uuid(text: &str) -> bool {
    let mut groups = text.split('-');
    let sizes = [8, 4, 4, 4, 12];
    let fits = sizes.iter().all(|size| {
        groups
            .next()
            .is_some_and(|group| group.len() == *size && group.bytes().all(|b| b.is_ascii_hexdigit()))
    });
    fits && groups.next().is_none()
}

/// Patterns and formats that explanations needed so far. Only schemas add to it, so it stays small.
#[derive(Default)]
pub(crate) struct Leaves(RwLock<HashMap<(&'static str, String), Arc<Leaf>>>);

/// A compiled pattern or format; `None` when the engine cannot use it.
type Leaf = Option<jsonschema::Validator>;

impl Leaves {
    pub(super) fn matches_pattern(&self, pattern: &str, text: &str) -> bool {
        self.check("pattern", pattern, text)
    }

    pub(super) fn has_format(&self, format: &str, text: &str) -> bool {
        if format == "uuid" { is_uuid(text) } else { self.check("format", format, text) }
    }

    fn check(&self, keyword: &'static str, value: &str, text: &str) -> bool {
        let compiled = self.compiled(keyword, value);
        compiled.as_ref().as_ref().is_none_or(|compiled| compiled.is_valid(&Value::String(text.to_owned())))
    }

    fn compiled(&self, keyword: &'static str, value: &str) -> Arc<Leaf> {
        let key = (keyword, value.to_owned());
        if let Some(compiled) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(compiled);
        }
        let options = jsonschema::options().with_draft(Draft::Draft7).should_validate_formats(true);
        let compiled = Arc::new(options.build(&json!({ keyword: value })).ok());
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(key).or_insert(compiled))
    }
}

impl fmt::Debug for Leaves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leaves")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_have_five_groups() {
        assert!(is_uuid("123e4567-e89b-12d3-a456-426614174000"));
        assert!(is_uuid("123E4567-E89B-12D3-A456-426614174000"));
        assert!(!is_uuid("123e4567e89b12d3a456426614174000"));
        assert!(!is_uuid("123e4567-e89b-12d3-a456-42661417400g"));
        assert!(!is_uuid("123e4567-e89b-12d3-a456-426614174000-"));
    }

    #[test]
    fn leaves_ask_the_engine() {
        let leaves = Leaves::default();
        assert!(leaves.has_format("date-time", "2026-01-01T00:00:00Z"));
        assert!(!leaves.has_format("date-time", "asap"));
        assert!(leaves.matches_pattern("^a+$", "aaa"));
        assert!(!leaves.matches_pattern("^a+$", "b"));
    }
}
