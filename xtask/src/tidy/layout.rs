//! What may, and what must, stand at the top level.

use super::{Fault, repo::Repo};

/// Every name allowed at the top level. A new one needs a reason and a line here.
const TOP_LEVEL: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "crates",
    "docs",
    "rust-toolchain.toml",
    "schemas",
    "tests",
    "xtask",
    // Settings of tools.
    ".cargo",
    ".ci",
    ".clippy.toml",
    ".config",
    ".deny.toml",
    ".gitattributes",
    ".github",
    ".gitignore",
    ".release-plz.toml",
    ".rustfmt.toml",
];

/// Files a reader, a packager or a build cannot do without.
const REQUIRED: &[(&str, &str)] = &[
    (".ci/run", "the one script a build machine runs"),
    ("ARCHITECTURE.md", "the invariants"),
    ("CHANGELOG.md", "what adopters read before they upgrade"),
    ("CONTRIBUTING.md", "how to change things"),
    ("Cargo.lock", "builds are locked; commit it and keep it out of .gitignore"),
    ("LICENSE", "the text of Apache-2.0"),
    ("README.md", "the front page"),
    ("SECURITY.md", "how to report a vulnerability"),
    ("rust-toolchain.toml", "the compiler we develop with"),
];

pub(super) fn check(repo: &Repo) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in &repo.files {
        let top = file.path.split('/').next().unwrap_or_default();
        if !TOP_LEVEL.contains(&top) {
            faults.push(Fault::new(
                &file.path,
                1,
                format!(
                    "`{top}` does not belong at the top level; move it below crates/, docs/, tests/ or xtask/"
                ),
            ));
        }
    }
    for (path, what) in REQUIRED {
        if !repo.has(path) {
            faults.push(Fault::new(*path, 1, format!("missing: {what}")));
        }
    }
    if repo.text("LICENSE").is_some_and(|text| !text.contains("Apache License")) {
        faults.push(Fault::new("LICENSE", 1, "this is not the text of Apache-2.0"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> Vec<(&'static str, &'static str)> {
        REQUIRED.iter().map(|(path, _)| (*path, "Apache License")).collect()
    }

    #[test]
    fn a_complete_top_level_has_no_fault() {
        assert_eq!(check(&Repo::of(&complete())), []);
    }

    #[test]
    fn a_stray_name_is_reported() {
        let mut files = complete();
        files.push(("notes.txt", ""));
        files.push(("scripts/build.sh", ""));
        let faults = check(&Repo::of(&files));
        assert_eq!(faults.len(), 2);
        assert!(faults[0].to_string().starts_with("notes.txt:1: `notes.txt` does not belong"));
        assert_eq!(faults[1].path, "scripts/build.sh");
    }

    #[test]
    fn a_missing_lock_file_and_licence_are_reported() {
        let files: Vec<_> =
            complete().into_iter().filter(|(path, _)| !["Cargo.lock", "LICENSE"].contains(path)).collect();
        let faults = check(&Repo::of(&files));
        assert_eq!(
            faults.iter().map(|fault| fault.path.as_str()).collect::<Vec<_>>(),
            ["Cargo.lock", "LICENSE"]
        );
    }

    #[test]
    fn another_licence_is_reported() {
        let files: Vec<_> = complete()
            .into_iter()
            .map(|(path, text)| (path, if path == "LICENSE" { "do what you want" } else { text }))
            .collect();
        assert_eq!(check(&Repo::of(&files)).len(), 1);
    }
}
