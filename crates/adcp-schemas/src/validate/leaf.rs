//! Patterns and formats on single strings, asked of the engine.

use std::collections::HashMap;

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

/// Answers for patterns and formats, each compiled once per explanation.
#[derive(Default)]
pub(super) struct Leaves(HashMap<(&'static str, String), Option<jsonschema::Validator>>);

impl Leaves {
    pub(super) fn matches_pattern(&mut self, pattern: &str, text: &str) -> bool {
        self.check("pattern", pattern, text)
    }

    pub(super) fn has_format(&mut self, format: &str, text: &str) -> bool {
        if format == "uuid" { is_uuid(text) } else { self.check("format", format, text) }
    }

    fn check(&mut self, keyword: &'static str, value: &str, text: &str) -> bool {
        let compiled = self.0.entry((keyword, value.to_owned())).or_insert_with(|| {
            jsonschema::options()
                .with_draft(Draft::Draft7)
                .should_validate_formats(true)
                .build(&json!({ keyword: value }))
                .ok()
        });
        compiled.as_ref().is_none_or(|compiled| compiled.is_valid(&Value::String(text.to_owned())))
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
        let mut leaves = Leaves::default();
        assert!(leaves.has_format("date-time", "2026-01-01T00:00:00Z"));
        assert!(!leaves.has_format("date-time", "asap"));
        assert!(leaves.matches_pattern("^a+$", "aaa"));
        assert!(!leaves.matches_pattern("^a+$", "b"));
    }
}
