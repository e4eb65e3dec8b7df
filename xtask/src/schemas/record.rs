//! `SOURCE.toml`: where a bundle came from, and the digest of every file it was made of.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::examples::Checked;
use super::normal::Bundle;
use super::source::Source;

/// The record of one import.
pub(super) fn source_toml(source: &Source, version: &str, bundle: &Bundle, examples: &Checked) -> String {
    let adcp_version = bundle
        .files
        .get("manifest.json")
        .and_then(|manifest| manifest.get("adcp_version")?.as_str())
        .unwrap_or(version);
    let mut text = String::from(
        "# Where this bundle came from. Written by `cargo xtask schemas import`, never by hand.\n\n[source]\n",
    );
    line(&mut text, "version", version);
    line(&mut text, "adcp-version", adcp_version);
    line(&mut text, "licence", "Apache-2.0");
    if let Some(package) = &source.package {
        line(&mut text, "registry", package.registry);
        line(&mut text, "package", &package.name);
        line(&mut text, "package-version", &package.version);
    }
    line(&mut text, "folder", &source.folder);

    counts(
        &mut text,
        "kept",
        &[
            ("files", bundle.files.len()),
            ("arm-names", bundle.titles.len()),
            ("examples", bundle.examples.len()),
        ],
    );
    let skipped: Vec<(&str, usize)> =
        bundle.skipped.iter().map(|(reason, count)| (*reason, *count)).collect();
    counts(&mut text, "skipped", &skipped);

    text.push_str("\n# Upstream's own samples, checked against the schemas they stand beside, then dropped.\n[examples]\n");
    for (key, count) in [("valid", examples.valid), ("invalid", examples.invalid.values().sum())] {
        writeln!(text, "{key} = {count}").expect("writing to a string succeeds");
    }
    counts(&mut text, "examples.invalid-by-schema", &invalid(examples));

    text.push_str("\n# SHA-256 of the source files, before prose was dropped.\n[sha256]\n");
    let kept = source.files.iter().filter(|(path, _)| bundle.files.contains_key(*path));
    for (path, bytes) in kept {
        line(&mut text, path, &hex(&Sha256::digest(bytes)));
    }
    text
}

fn invalid(examples: &Checked) -> Vec<(&str, usize)> {
    examples.invalid.iter().map(|(place, count)| (place.as_str(), *count)).collect()
}

fn counts(text: &mut String, table: &str, rows: &[(&str, usize)]) {
    let rows: BTreeMap<&str, usize> = rows.iter().copied().filter(|(_, count)| *count > 0).collect();
    if rows.is_empty() {
        return;
    }
    write!(text, "\n[{table}]\n").expect("writing to a string succeeds");
    for (key, count) in rows {
        writeln!(text, "{} = {count}", quoted(key)).expect("writing to a string succeeds");
    }
}

fn line(text: &mut String, key: &str, value: &str) {
    writeln!(text, "{} = {value:?}", quoted(key)).expect("writing to a string succeeds");
}

/// A TOML key, in quotes when it needs them.
fn quoted(key: &str) -> String {
    let bare = key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_');
    if bare { key.to_owned() } else { format!("{key:?}") }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string succeeds");
        text
    })
}
