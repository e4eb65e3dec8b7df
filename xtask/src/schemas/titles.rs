//! Titles of union arms as Rust identifiers, and their section in `names.lock`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const HEADER: &str =
    "# Frozen names of generated types. `schemas import` writes [titles], `codegen` the rest.\n";

/// Whether the schema at `pointer` is an arm of a union.
pub(super) fn is_arm(pointer: &str) -> bool {
    let mut tokens = pointer.rsplit('/');
    let index = tokens.next().is_some_and(|token| token.parse::<usize>().is_ok());
    index && matches!(tokens.next(), Some("oneOf" | "anyOf"))
}

/// A title as an identifier: words joined, each with a capital; what is in brackets is left out.
pub(super) fn identifier(title: &str) -> Option<String> {
    let mut depth = 0_usize;
    let mut words = String::new();
    for letter in title.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            letter => words.push(letter),
        }
    }
    let mut name = String::new();
    for word in words.split(|letter: char| !letter.is_ascii_alphanumeric()) {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        name.insert(0, 'V');
    }
    (!name.is_empty()).then_some(name)
}

/// A lock file that holds nothing but titles.
pub(super) fn fresh_lock(titles: &BTreeMap<String, String>) -> String {
    format!("{HEADER}\n{}", section(titles))
}

/// Replaces the `[titles]` section of the lock file, or makes the file.
pub(super) fn update_lock(path: &Path, titles: &BTreeMap<String, String>) -> Result<()> {
    let text = match fs::read_to_string(path) {
        Ok(old) => replaced(&old, titles),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => fresh_lock(titles),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    super::write_if_changed(path, &text)?;
    Ok(())
}

fn section(titles: &BTreeMap<String, String>) -> String {
    let mut text = String::from("[titles]\n");
    for (place, name) in titles {
        text.push_str(&format!("{place} = {name}\n"));
    }
    text
}

/// `old` with its `[titles]` section replaced; every other line is kept.
fn replaced(old: &str, titles: &BTreeMap<String, String>) -> String {
    let mut parts: Vec<String> = vec![String::new()];
    for line in old.lines() {
        if line.starts_with('[') {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
    let position = parts.iter().position(|part| part.starts_with("[titles]")).unwrap_or_else(|| {
        parts.insert(1, String::new());
        1
    });
    parts[position] = section(titles);
    let parts: Vec<&str> = parts.iter().map(|part| part.trim_end()).collect();
    let text = parts.join("\n\n");
    format!("{}\n", text.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_become_identifiers() {
        let cases = [
            ("CreateMediaBuySuccess", Some("CreateMediaBuySuccess")),
            ("display tag", Some("DisplayTag")),
            ("multi-size", Some("MultiSize")),
            ("Image Format Declaration", Some("ImageFormatDeclaration")),
            ("HTML5 Format (custom shape)", Some("HTML5Format")),
            ("3 things", Some("V3Things")),
            ("(nothing)", None),
        ];
        for (title, expected) in cases {
            assert_eq!(identifier(title).as_deref(), expected, "{title}");
        }
    }

    #[test]
    fn only_arms_have_titles_worth_keeping() {
        assert!(is_arm("/properties/a/oneOf/3"));
        assert!(is_arm("/anyOf/0"));
        assert!(!is_arm(""));
        assert!(!is_arm("/allOf/0"));
        assert!(!is_arm("/properties/a"));
    }

    #[test]
    fn the_other_sections_of_the_lock_are_left_alone() {
        let titles = BTreeMap::from([("a.json#/oneOf/0".to_owned(), "New".to_owned())]);
        let old =
            "# Top.\n\n[titles]\na.json#/oneOf/0 = Old\nb.json#/oneOf/0 = Gone\n\n[types]\na.json# = A\n";
        let expected = "# Top.\n\n[titles]\na.json#/oneOf/0 = New\n\n[types]\na.json# = A\n";
        assert_eq!(replaced(old, &titles), expected);
        assert_eq!(replaced(expected, &titles), expected);
        let without = "# Top.\n\n[types]\na.json# = A\n";
        assert_eq!(replaced(without, &titles), expected);
    }
}
