//! The arrows between crates, as data, and the homes of foreign crates.
//!
//! `ARCHITECTURE.md` says why; this is where it is enforced.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Fault,
    metadata::{Kind, Member, Metadata},
};

/// Anything, with the exceptions listed.
const ANY_BUT_CLI: &[&str] = &["*"];

/// Which crates of the workspace the code of a crate may use. `*` is anything but the CLI.
/// Tests and tools (`adcp-bench`, `adcp-tests`, `xtask`, dev-dependencies) may use anything below them.
const ARROWS: &[(&str, &[&str])] = &[
    ("adcp-types", &[]),
    ("adcp-schemas", &["adcp-types"]),
    ("adcp-signing", &["adcp-types"]),
    ("adcp-core", &["adcp-types"]),
    ("adcp-decisioning", &["adcp-types", "adcp-schemas", "adcp-core"]),
    ("adcp-registry-memory", &["adcp-types", "adcp-core"]),
    ("adcp-registry-sqlite", &["adcp-types", "adcp-core"]),
    ("adcp-registry-postgres", &["adcp-types", "adcp-core"]),
    ("adcp-registry-testkit", &["adcp-types", "adcp-core"]),
    ("adcp-egress", &["adcp-types", "adcp-core"]),
    ("adcp-webhooks", &["adcp-types", "adcp-core", "adcp-signing", "adcp-egress"]),
    ("adcp-mcp", &["adcp-types", "adcp-core", "adcp-signing", "adcp-egress", "adcp-decisioning"]),
    (
        "adcp-reference-seller",
        &[
            "adcp-types",
            "adcp-schemas",
            "adcp-core",
            "adcp-signing",
            "adcp-egress",
            "adcp-webhooks",
            "adcp-decisioning",
        ],
    ),
    ("adcp-console", &["adcp-types", "adcp-core"]),
    ("adcp-cli", ANY_BUT_CLI),
    ("adcp", ANY_BUT_CLI),
];

/// Foreign crates that one crate wraps, so that replacing them touches one folder.
const FOREIGN_HOMES: &[(&str, &[&str])] = &[
    ("rmcp", &["adcp-mcp"]),
    ("jsonschema", &["adcp-schemas"]),
    ("tokio-postgres", &["adcp-registry-postgres"]),
    ("deadpool-postgres", &["adcp-registry-postgres"]),
    ("rusqlite", &["adcp-registry-sqlite"]),
    ("axum", &["adcp-mcp", "adcp-console"]),
    ("hyper", &["adcp-mcp", "adcp-egress"]),
    ("clap", &["adcp-cli"]),
    ("anyhow", &["adcp-cli"]),
    ("tracing-subscriber", &["adcp-cli"]),
];

/// What the code of a crate must not reach, however deep.
const ABSENT: &[(&str, &[&str])] = &[
    ("adcp-types", &["tokio", "axum", "hyper", "http", "rmcp", "jsonschema", "jiff", "chrono", "time"]),
    ("adcp-schemas", &["tokio", "axum", "hyper", "reqwest", "rmcp"]),
    ("adcp-signing", &["tokio", "axum", "hyper", "reqwest", "rmcp", "jsonschema"]),
    ("adcp-core", &["tokio", "axum", "hyper", "reqwest", "rmcp", "jsonschema"]),
    ("adcp-decisioning", &["axum", "hyper", "reqwest", "rmcp"]),
];

/// The only foreign crates that the types may name: whoever wants types gets nothing else.
const TYPES_MAY_USE: &[&str] = &["serde", "serde_json"];

/// Members that nobody publishes: tools and tests, free to use anything.
const TOOLS: &[&str] = &["adcp-bench", "adcp-tests", "xtask"];

pub(super) fn check(metadata: &Metadata) -> Vec<Fault> {
    let names: BTreeSet<&str> = metadata.members.iter().map(|member| member.name.as_str()).collect();
    let mut faults = Vec::new();
    for member in metadata.members.iter().filter(|member| !TOOLS.contains(&member.name.as_str())) {
        faults.extend(check_arrows(member, &names));
        faults.extend(check_foreign(member));
    }
    faults.extend(check_cycles(metadata, &names));
    faults
}

fn check_arrows(member: &Member, names: &BTreeSet<&str>) -> Vec<Fault> {
    let fault = |what: String| Fault::new(&member.manifest, 1, what);
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == member.name) else {
        return vec![fault(format!(
            "`{}` has no row in xtask/src/tidy/arrows.rs; decide what it may use",
            member.name
        ))];
    };
    let mut faults = Vec::new();
    for (name, kind) in &member.dependencies {
        if *kind == Kind::Dev || !names.contains(name.as_str()) {
            continue;
        }
        let fits =
            if *allowed == ANY_BUT_CLI { name != "adcp-cli" } else { allowed.contains(&name.as_str()) };
        if !fits || TOOLS.contains(&name.as_str()) {
            faults.push(fault(format!(
                "`{}` must not use `{name}`: the arrows of ARCHITECTURE.md point the other way",
                member.name
            )));
        }
    }
    faults
}

fn check_foreign(member: &Member) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |what: String| faults.push(Fault::new(&member.manifest, 1, what));
    let code = member.dependencies.iter().filter(|(_, kind)| *kind != Kind::Dev);
    for (name, kind) in code {
        if let Some((_, homes)) = FOREIGN_HOMES.iter().find(|(foreign, _)| foreign == name)
            && !homes.contains(&member.name.as_str())
        {
            fault(format!(
                "`{name}` is known to {} only; ask that crate for what is needed",
                homes.join(", ")
            ));
        }
        if *kind == Kind::Build {
            fault(format!("`{name}` is a build dependency; crates here have no build scripts"));
        }
        if member.name == "adcp-types"
            && !TYPES_MAY_USE.contains(&name.as_str())
            && !name.starts_with("adcp-")
        {
            fault(format!("adcp-types uses {} and nothing else, not `{name}`", TYPES_MAY_USE.join(", ")));
        }
    }
    for name in ABSENT.iter().filter(|(of, _)| *of == member.name).flat_map(|(_, absent)| *absent) {
        if member.reaches.contains(*name) {
            fault(format!(
                "`{}` reaches `{name}`; find the way with `cargo tree -i {name}` and cut it",
                member.name
            ));
        }
    }
    faults
}

/// A cycle through a dev-dependency compiles here and cannot be published.
fn check_cycles(metadata: &Metadata, names: &BTreeSet<&str>) -> Vec<Fault> {
    let edges: BTreeMap<&str, BTreeSet<&str>> = metadata
        .members
        .iter()
        .map(|member| {
            // A crate may ask itself for more features in its own tests: such a dependency is not published.
            let others =
                member.dependencies.iter().map(|(name, _)| name.as_str()).filter(|name| *name != member.name);
            let to = others.filter(|name| names.contains(name));
            (member.name.as_str(), to.collect())
        })
        .collect();
    let mut faults = Vec::new();
    for member in &metadata.members {
        let mut seen = BTreeSet::new();
        let mut open = vec![member.name.as_str()];
        while let Some(name) = open.pop() {
            open.extend(edges.get(name).into_iter().flatten().filter(|next| seen.insert(**next)));
        }
        if seen.contains(member.name.as_str()) {
            let what =
                format!("`{}` needs itself through its dependencies; move the test to tests/", member.name);
            faults.push(Fault::new(&member.manifest, 1, what));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, dependencies: &[(&str, Kind)], reaches: &[&str]) -> Member {
        Member {
            name: name.into(),
            manifest: format!("crates/{name}/Cargo.toml"),
            dependencies: dependencies.iter().map(|(name, kind)| ((*name).into(), *kind)).collect(),
            reaches: reaches.iter().map(|name| (*name).into()).collect(),
            published: true,
            fields: BTreeMap::new(),
        }
    }

    fn faults_of(members: Vec<Member>) -> Vec<String> {
        check(&Metadata { members }).iter().map(ToString::to_string).collect()
    }

    fn one_fault(members: Vec<Member>, words: &str) {
        let found = faults_of(members);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(words), "{found:?}");
    }

    #[test]
    fn the_drawn_arrows_pass() {
        let members = ARROWS
            .iter()
            .map(|(name, allowed)| {
                let allowed: Vec<_> =
                    allowed.iter().filter(|to| **to != "*").map(|to| (*to, Kind::Normal)).collect();
                member(name, &allowed, &[])
            })
            .collect();
        assert_eq!(faults_of(members), [""; 0]);
    }

    #[test]
    fn an_arrow_that_points_up_is_reported() {
        let types = || member("adcp-types", &[], &[]);
        one_fault(
            vec![
                types(),
                member("adcp-core", &[("adcp-schemas", Kind::Normal)], &[]),
                member("adcp-schemas", &[], &[]),
            ],
            "`adcp-core` must not use `adcp-schemas`",
        );
        let cli = member("adcp-cli", &[], &[]);
        one_fault(vec![member("adcp", &[("adcp-cli", Kind::Normal)], &[]), cli], "must not use `adcp-cli`");
    }

    #[test]
    fn a_crate_without_a_row_is_reported() {
        one_fault(vec![member("adcp-novel", &[], &[])], "no row");
    }

    #[test]
    fn a_dev_dependency_is_free_but_must_not_close_a_cycle() {
        let schemas = member("adcp-schemas", &[("adcp-types", Kind::Normal)], &[]);
        let memory = member("adcp-registry-memory", &[("adcp-schemas", Kind::Dev)], &[]);
        assert_eq!(faults_of(vec![schemas.clone(), memory, member("adcp-types", &[], &[])]), [""; 0]);
        let types = member("adcp-types", &[("adcp-schemas", Kind::Dev)], &[]);
        let found = faults_of(vec![schemas, types]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("needs itself"), "{found:?}");
        assert_eq!(faults_of(vec![member("adcp-types", &[("adcp-types", Kind::Dev)], &[])]), [""; 0]);
    }

    #[test]
    fn a_foreign_crate_away_from_home_is_reported() {
        for (foreign, homes) in FOREIGN_HOMES {
            let away = member("adcp-registry-memory", &[(foreign, Kind::Normal)], &[]);
            one_fault(vec![away], &format!("`{foreign}` is known to"));
            let test = member("adcp-registry-memory", &[(foreign, Kind::Dev)], &[]);
            assert_eq!(faults_of(vec![test]), [""; 0]);
            for home in *homes {
                assert_eq!(faults_of(vec![member(home, &[(foreign, Kind::Normal)], &[])]), [""; 0]);
            }
        }
    }

    #[test]
    fn what_must_be_absent_is_found_however_deep() {
        for (name, absent) in ABSENT {
            for foreign in *absent {
                one_fault(vec![member(name, &[], &[foreign])], &format!("reaches `{foreign}`"));
            }
        }
    }

    #[test]
    fn types_use_serde_and_nothing_else() {
        one_fault(
            vec![member("adcp-types", &[("thiserror", Kind::Normal)], &[])],
            "nothing else, not `thiserror`",
        );
        assert_eq!(faults_of(vec![member("adcp-types", &[("serde_json", Kind::Normal)], &[])]), [""; 0]);
    }

    #[test]
    fn a_build_script_is_reported() {
        one_fault(vec![member("adcp-core", &[("cc", Kind::Build)], &[])], "build dependency");
    }

    #[test]
    fn tools_may_use_anything() {
        assert_eq!(faults_of(vec![member("xtask", &[("rmcp", Kind::Normal)], &["tokio"])]), [""; 0]);
    }
}
