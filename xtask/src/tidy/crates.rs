//! What every crate carries: metadata, a README, a front page, and no versions of its own.

use super::{
    Fault,
    metadata::{Member, Metadata},
    repo::Repo,
};

/// Fields that crates.io and docs.rs show, as `cargo metadata` names them.
const FIELDS: &[&str] = &["description", "documentation", "license", "readme", "rust_version"];

pub(super) fn check(repo: &Repo, metadata: &Metadata) -> Vec<Fault> {
    let mut faults = Vec::new();
    for member in &metadata.members {
        if member.manifest.starts_with("crates/") {
            faults.extend(check_published(repo, member));
        } else if member.published {
            faults.push(Fault::new(&member.manifest, 1, "only crates/ is published; add `publish = false`"));
        }
        if let Some(text) = repo.text(&member.manifest) {
            faults.extend(check_manifest(&member.manifest, text));
        }
    }
    faults
}

fn check_published(repo: &Repo, member: &Member) -> Vec<Fault> {
    let mut faults = Vec::new();
    let folder = member.manifest.trim_end_matches("/Cargo.toml");
    if folder != format!("crates/{}", member.name) {
        faults.push(Fault::new(
            &member.manifest,
            1,
            format!("the folder of `{}` has another name", member.name),
        ));
    }
    for field in FIELDS {
        if member.fields.get(field).is_none_or(|value| value.trim().is_empty()) {
            let field = field.replace('_', "-");
            faults.push(Fault::new(
                &member.manifest,
                1,
                format!("no `{field}` in [package]; crates.io shows it"),
            ));
        }
    }
    if member.fields.get("license").is_some_and(|licence| licence != "Apache-2.0") {
        faults.push(Fault::new(&member.manifest, 1, "the licence of this project is Apache-2.0"));
    }
    let readme = format!("{folder}/README.md");
    if repo.text(&readme).is_none_or(|text| !text.starts_with("# ")) {
        faults.push(Fault::new(readme, 1, "write a README that starts with a title; it is the crate's page"));
    }
    if !repo.has(&format!("{folder}/src/lib.rs")) && !repo.has(&format!("{folder}/src/main.rs")) {
        faults.push(Fault::new(format!("{folder}/src/lib.rs"), 1, "missing: the crate's front page"));
    }
    if repo.has(&format!("{folder}/build.rs")) {
        let what = "no build scripts: generate with `cargo xtask codegen` and commit the result";
        faults.push(Fault::new(format!("{folder}/build.rs"), 1, what));
    }
    faults
}

/// Dependencies are named with `workspace = true`; lints and versions come from the root.
fn check_manifest(path: &str, text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut section = "";
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_matches(['[', ']']);
            // `[dependencies.name]` is the long form of one entry, which nothing here needs.
            if is_dependencies(section.rsplit_once('.').map_or("", |(table, _)| table)) {
                faults.push(Fault::new(
                    path,
                    number,
                    "write the dependency on one line, with `workspace = true`",
                ));
            }
            continue;
        }
        let entry = is_dependencies(section) && !line.is_empty() && !line.starts_with(['#', ']', '}', '"']);
        let inherited = line.contains(".workspace = true") || line.contains("workspace = true");
        // A crate's own tests may ask it for more features; there is no version in that.
        let itself =
            section == "dev-dependencies" && line.contains("path = \".\"") && !line.contains("version");
        if entry && !inherited && !itself {
            let name = line.split([' ', '=', '.']).next().unwrap_or_default();
            let what =
                format!("`{name}`: state the version in [workspace.dependencies] and use `workspace = true`");
            faults.push(Fault::new(path, number, what));
        }
        if section == "package" && line.starts_with("version ") {
            faults.push(Fault::new(
                path,
                number,
                "all crates share one version; use `version.workspace = true`",
            ));
        }
    }
    faults
}

fn is_dependencies(table: &str) -> bool {
    ["dependencies", "dev-dependencies", "build-dependencies"].iter().any(|end| {
        table == *end || table.strip_prefix("target.").is_some_and(|rest| rest.ends_with(&format!(".{end}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "crates/adcp-a/Cargo.toml";

    fn member() -> Member {
        Member {
            name: "adcp-a".into(),
            manifest: MANIFEST.into(),
            dependencies: Vec::new(),
            reaches: Default::default(),
            published: true,
            fields: FIELDS.iter().map(|field| (*field, "Apache-2.0".to_owned())).collect(),
        }
    }

    fn faults_of(files: &[(&str, &str)], member: Member) -> Vec<String> {
        check(&Repo::of(files), &Metadata { members: vec![member] }).iter().map(ToString::to_string).collect()
    }

    fn files(manifest: &str) -> Vec<(&str, &str)> {
        vec![
            ("crates/adcp-a/README.md", "# adcp-a\n"),
            ("crates/adcp-a/src/lib.rs", ""),
            (MANIFEST, manifest),
        ]
    }

    fn one_fault(found: &[String], words: &str) {
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(words), "{found:?}");
    }

    #[test]
    fn a_complete_crate_passes() {
        let manifest = "[package]\nversion.workspace = true\n\n[dependencies]\nserde.workspace = true\n\
                        tokio = { workspace = true, features = [\n    \"rt\",\n] }\n";
        assert_eq!(faults_of(&files(manifest), member()), [""; 0]);
        let itself = "[dev-dependencies]\nadcp-a = { path = \".\", features = [\"full\"] }\n";
        assert_eq!(faults_of(&files(itself), member()), [""; 0]);
    }

    #[test]
    fn missing_metadata_is_reported() {
        for field in FIELDS {
            let mut member = member();
            member.fields.remove(field);
            one_fault(&faults_of(&files(""), member), &field.replace('_', "-"));
        }
        let mut other = member();
        other.fields.insert("license", "MIT".into());
        one_fault(&faults_of(&files(""), other), "Apache-2.0");
    }

    #[test]
    fn a_missing_readme_or_page_is_reported() {
        one_fault(&faults_of(&files("")[1..], member()), "crates/adcp-a/README.md:1");
        one_fault(&faults_of(&[files("")[0], files("")[2]], member()), "crates/adcp-a/src/lib.rs:1: missing");
    }

    #[test]
    fn a_build_script_is_reported() {
        let mut files = files("");
        files.push(("crates/adcp-a/build.rs", ""));
        one_fault(&faults_of(&files, member()), "no build scripts");
    }

    #[test]
    fn a_folder_with_another_name_is_reported() {
        let mut other = member();
        other.name = "adcp-b".into();
        one_fault(&faults_of(&files(""), other), "another name");
    }

    #[test]
    fn a_version_outside_the_workspace_table_is_reported() {
        for section in ["dependencies", "dev-dependencies", "target.'cfg(unix)'.dependencies"] {
            for entry in ["serde = \"1\"", "serde = { version = \"1\" }", "serde = { path = \"../serde\" }"] {
                let manifest = format!("[{section}]\n{entry}\n");
                one_fault(
                    &faults_of(&files(&manifest), member()),
                    "Cargo.toml:2: `serde`: state the version",
                );
            }
        }
        one_fault(
            &faults_of(&files("[dependencies.serde]\nversion = \"1\"\n"), member()),
            "Cargo.toml:1: write",
        );
        one_fault(&faults_of(&files("[package]\nversion = \"2.0.0\"\n"), member()), "share one version");
    }

    #[test]
    fn a_tool_that_could_be_published_is_reported() {
        let mut tool = member();
        tool.manifest = "xtask/Cargo.toml".into();
        one_fault(&faults_of(&[], tool), "publish = false");
    }
}
